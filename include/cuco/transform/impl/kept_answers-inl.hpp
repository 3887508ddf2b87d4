// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/transform/impl/kept_answers.hpp"

namespace cuco::impl::transforming {

CUCO_EVOLVE_INLINE nlohmann::json kept_cost(std::optional<double> const& cost) {
  return cost ? nlohmann::json(*cost) : nlohmann::json(nullptr);
}
CUCO_EVOLVE_INLINE std::optional<double> read_cost(nlohmann::json const& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<double>();
}
CUCO_EVOLVE_INLINE std::string text_of(nlohmann::json const& json) {
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

CUCO_EVOLVE_INLINE std::string key_of(TransformIteration const& attempt) {
  return content_hash_128(attempt.label + "\n" + attempt.message + "\n" + attempt.diagnostics + "\n" +
                          attempt.output + "\n" + attempt.code);
}

CUCO_EVOLVE_INLINE Status keep_diagnosis(std::string const& artifacts,
                                         TransformIteration const& attempt,
                                         Diagnosis const& diagnosis) {
  if (artifacts.empty()) return {};
  TokenUsage const& u = diagnosis.usage;
  return write_file_atomic(
      artifacts + ".judge.json",
      text_of({{"of", key_of(attempt)},
               {"text", diagnosis.text},
               {"cost_usd", kept_cost(diagnosis.cost_usd)},
               {"usage", {u.input, u.output, u.cache_read, u.cache_written, u.thinking}}}));
}

CUCO_EVOLVE_INLINE std::optional<Diagnosis> kept_diagnosis(std::string const& artifacts,
                                                           TransformIteration const& attempt) {
  if (artifacts.empty()) return std::nullopt;
  auto text = read_file(artifacts + ".judge.json");
  if (!text) return std::nullopt;
  try {
    auto const json = nlohmann::json::parse(*text);
    if (json.at("of").get<std::string>() != key_of(attempt)) return std::nullopt;
    Diagnosis out;
    out.text = json.at("text");
    out.cost_usd = read_cost(json.at("cost_usd"));
    auto const& usage = json.at("usage");
    out.usage = {usage.at(0), usage.at(1), usage.at(2), usage.at(3), usage.at(4)};
    return out;
  } catch (nlohmann::json::exception const&) {
    return std::nullopt;  // As if nothing was kept.
  }
}

CUCO_EVOLVE_INLINE void drop_diagnosis(std::string const& artifacts) {
  std::error_code ignored;
  if (!artifacts.empty()) std::filesystem::remove(artifacts + ".judge.json", ignored);
}

CUCO_EVOLVE_INLINE Status keep_step(std::string const& directory,
                                    std::string const& name,
                                    std::string const& input,
                                    StepResult const& result) {
  std::string const path = directory + "/" + name + ".kept";
  if (auto written = write_file_atomic(path + ".cu", result.code); !written) return written;
  return write_file_atomic(path + ".json",
                           text_of({{"input", content_hash_128(input)},
                                    {"code", content_hash_128(result.code)},
                                    {"changed", result.changed},
                                    {"method", result.method},
                                    {"reason", result.reason},
                                    {"cost_usd", kept_cost(result.cost_usd)}}));
}

CUCO_EVOLVE_INLINE std::optional<StepResult> kept_step(std::string const& directory,
                                                       std::string const& name,
                                                       std::string const& input) {
  std::string const path = directory + "/" + name + ".kept";
  auto text = read_file(path + ".json");
  auto code = read_file(path + ".cu");
  if (!text || !code) return std::nullopt;
  try {
    auto const json = nlohmann::json::parse(*text);
    if (json.at("input").get<std::string>() != content_hash_128(input) ||
        json.at("code").get<std::string>() != content_hash_128(*code))
      return std::nullopt;
    StepResult out;
    out.code = std::move(*code);
    out.changed = json.at("changed");
    out.method = json.at("method");
    out.reason = json.at("reason");
    out.cost_usd = read_cost(json.at("cost_usd"));
    return out;
  } catch (nlohmann::json::exception const&) {
    return std::nullopt;
  }
}

CUCO_EVOLVE_INLINE Result<StepResult> step_once(ProgramStep const& step,
                                                std::string const& directory,
                                                std::string const& name,
                                                std::string const& input,
                                                Report const& report,
                                                bool resume) {
  if (resume)
    if (auto kept = kept_step(directory, name, input)) return std::move(*kept);
  auto made = step(input, report);
  if (!made) return made;
  bool const asked = made->method != "rules" || made->cost_usd != 0.0;
  if (asked)
    if (auto kept = keep_step(directory, name, input, *made); !kept) return forward_error(std::move(kept));
  return made;
}

}  // namespace cuco::impl::transforming
