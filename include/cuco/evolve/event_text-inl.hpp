// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evolve/event_text.hpp"
#include "cuco/evolve/run_summary.hpp"

namespace cuco {
namespace impl {

/// Line breaks and other control characters would tear a one-line message apart.
CUCO_EVOLVE_INLINE std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

CUCO_EVOLVE_INLINE std::string time_text(Program const& program) {
  double const ms = slowest_ms(program);
  if (ms <= 0) return fmt::format("score {:.6g}", program.combined_score);
  return fmt::format("{:.4g} ms {}", ms, attribute_or(program.metadata, "origin", "none"));
}

CUCO_EVOLVE_INLINE std::string result_text(Program const& program) {
  if (program.correct) return time_text(program);
  auto out = attribute_or(program.metadata, "outcome", "failed");
  auto const error = attribute_or(program.metadata, "error");
  return error.empty() ? out : out + ": " + error;
}

CUCO_EVOLVE_INLINE nlohmann::ordered_json event_program(Program const& p) {
  nlohmann::ordered_json json;
  json["id"] = p.id.value;
  json["generation"] = p.generation;
  json["island"] = p.island;
  json["parent_id"] =
      p.parent_id.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(p.parent_id.value);
  json["correct"] = p.correct;
  json["combined_score"] = p.combined_score;
  if (double const ms = slowest_ms(p); ms > 0) json["time_ms"] = ms;
  for (char const* name :
       {"origin", "trust", "outcome", "error", "patch_type", "patch_name", "directives", "duplicate_of"})
    if (auto value = attribute_or(p.metadata, name); !value.empty()) json[name] = std::move(value);
  return json;
}

}  // namespace impl

CUCO_EVOLVE_INLINE char const* to_string(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kRestored: return "restored";
    case Event::Kind::kStarted: return "started";
    case Event::Kind::kProposed: return "proposed";
    case Event::Kind::kEvaluated: return "evaluated";
    case Event::Kind::kNewBest: return "new_best";
    case Event::Kind::kMigrated: return "migrated";
    case Event::Kind::kSkipped: return "skipped";
    case Event::Kind::kStopped: return "stopped";
  }
  return "stopped";
}

CUCO_EVOLVE_INLINE std::string describe(Event const& event) {
  auto out = fmt::format("generation {}", event.generation);
  auto const* p = event.program;
  auto const name = p == nullptr ? std::string() : attribute_or(p->metadata, "patch_name", p->id.value);
  switch (event.kind) {
    case Event::Kind::kRestored: out += " restored " + name; break;
    case Event::Kind::kStarted:
      out = fmt::format("{}, at generation {} of {}", event.text, event.generation, event.generations);
      break;
    case Event::Kind::kProposed: out += " evaluates " + name; break;
    case Event::Kind::kEvaluated:
      out += fmt::format(" {}: {}", name, p == nullptr ? event.text : impl::result_text(*p));
      break;
    case Event::Kind::kNewBest:
      out += fmt::format(" {} is the new best: {}", name, p == nullptr ? event.text : impl::result_text(*p));
      break;
    case Event::Kind::kMigrated: out += ": " + event.text; break;
    case Event::Kind::kSkipped: out += " skipped: " + event.text; break;
    case Event::Kind::kStopped:
      out = fmt::format("stopped after generation {}: {}", event.generation, event.text);
      break;
  }
  return impl::one_line(std::move(out));
}

CUCO_EVOLVE_INLINE std::string to_json(Event const& event) {
  nlohmann::ordered_json json;
  json["event"] = to_string(event.kind);
  json["time"] = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  json["generation"] = event.generation;
  json["generations"] = event.generations;
  if (event.program != nullptr) json["program"] = impl::event_program(*event.program);
  if (event.best != nullptr) {
    json["best_id"] = event.best->id.value;
    json["best_score"] = event.best->combined_score;
  }
  if (!event.text.empty()) json["text"] = event.text;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace cuco
