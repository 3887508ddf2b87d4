// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cuco/check/soundness_report.hpp"
#include "cuco/check/soundness_rule.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {

namespace checking {

CUCO_EVOLVE_INLINE std::string title_of(std::string const& rule) {
  SoundnessRule const* r = find_soundness_rule(rule);
  return r == nullptr ? std::string() : std::string(r->title);
}
CUCO_EVOLVE_INLINE std::string dump(nlohmann::ordered_json const& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace checking

CUCO_EVOLVE_INLINE std::string to_text(SoundnessReport const& report, bool colour) {
  char const* const red = colour ? "\x1b[1;31m" : "";
  char const* const green = colour ? "\x1b[1;32m" : "";
  char const* const yellow = colour ? "\x1b[1;33m" : "";
  char const* const bold = colour ? "\x1b[1m" : "";
  char const* const off = colour ? "\x1b[0m" : "";
  std::string out;
  auto at = std::back_inserter(out);
  for (std::string const& text : report.overrides) fmt::format_to(at, "override: {}\n", text);
  for (Defect const& d : report.defects) {
    std::string where = report.file;
    if (!d.places.empty() && d.places[0].line > 0)
      where =
          fmt::format("{}:{}", d.places[0].file.empty() ? report.file : d.places[0].file, d.places[0].line);
    fmt::format_to(at, "{}{}{}: {}{}{}: {}\n", bold, where, off, red, d.rule, off, d.message);
    for (CodePlace const& p : d.places) {
      std::string const line =
          p.line > 0 ? fmt::format("{}:{}", p.file, p.line) : std::string("(unknown line)");
      fmt::format_to(at, "    {}: {}\n", line, p.what);
      if (!p.source.empty()) fmt::format_to(at, "        {}\n", p.source);
    }
    if (!d.detail.empty()) {
      std::size_t from = 0;
      while (from < d.detail.size()) {
        std::size_t const end = std::min(d.detail.find('\n', from), d.detail.size());
        fmt::format_to(at, "    {}\n", d.detail.substr(from, end - from));
        from = end + 1;
      }
    }
    if (!d.ranks.empty()) fmt::format_to(at, "    ranks: {}\n", fmt::join(d.ranks, ", "));
    if (!d.schedule.empty()) fmt::format_to(at, "    again: --schedule {}\n", d.schedule);
  }
  std::size_t const runs = report.runs.size();
  std::string const count = fmt::format("{} run{}", runs, runs == 1 ? "" : "s");
  switch (report.verdict) {
    case Soundness::kSound:
      fmt::format_to(at, "{}sound{}: {} shows no defect in {}", green, off, report.file, count);
      if (runs > 0) {
        std::string list;
        for (CheckedRun const& r : report.runs)
          list += (list.empty() ? "" : " ") + r.schedule + (r.note.empty() ? "" : ": " + r.note + ";");
        fmt::format_to(at, " ({})", list);
      }
      out += '\n';
      break;
    case Soundness::kUnsound:
      fmt::format_to(at,
                     "{}unsound{}: {} has {} defect{}, found in {}; `cuco explain RULE` says more\n",
                     red,
                     off,
                     report.file,
                     report.defects.size(),
                     report.defects.size() == 1 ? "" : "s",
                     count);
      break;
    case Soundness::kUnknown:
      fmt::format_to(at, "{}cannot tell{}: {}: {}\n", yellow, off, report.file, report.stopped);
      break;
  }
  return out;
}

CUCO_EVOLVE_INLINE std::string to_json(SoundnessReport const& report) {
  nlohmann::ordered_json out;
  out["verdict"] = to_string(report.verdict);
  out["file"] = report.file;
  out["defects"] = nlohmann::ordered_json::array();
  for (Defect const& d : report.defects) {
    nlohmann::ordered_json places = nlohmann::ordered_json::array();
    for (CodePlace const& p : d.places)
      places.push_back({{"file", p.file}, {"line", p.line}, {"what", p.what}, {"source", p.source}});
    out["defects"].push_back({{"rule", d.rule},
                              {"title", checking::title_of(d.rule)},
                              {"message", d.message},
                              {"places", places},
                              {"ranks", d.ranks},
                              {"schedule", d.schedule},
                              {"detail", d.detail}});
  }
  out["runs"] = nlohmann::ordered_json::array();
  for (CheckedRun const& r : report.runs)
    out["runs"].push_back({{"schedule", r.schedule},
                           {"seconds", r.seconds},
                           {"accesses", r.accesses},
                           {"defects", r.defects},
                           {"note", r.note}});
  out["overrides"] = report.overrides;
  out["stopped"] = report.stopped;
  return checking::dump(out);
}

CUCO_EVOLVE_INLINE std::string to_sarif(SoundnessReport const& report) {
  nlohmann::ordered_json rules = nlohmann::ordered_json::array();
  for (SoundnessRule const& r : soundness_rules())
    rules.push_back({{"id", r.id},
                     {"shortDescription", {{"text", r.title}}},
                     {"fullDescription", {{"text", std::string(r.reason)}}},
                     {"help", {{"text", r.remedy}}}});
  auto const location = [&](CodePlace const& p) {
    nlohmann::ordered_json physical;
    physical["artifactLocation"] = {{"uri", p.file.empty() ? report.file : p.file}};
    if (p.line > 0) physical["region"] = {{"startLine", p.line}};
    return nlohmann::ordered_json{{"physicalLocation", physical}, {"message", {{"text", p.what}}}};
  };
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (Defect const& d : report.defects) {
    nlohmann::ordered_json result;
    result["ruleId"] = d.rule;
    result["level"] = "error";
    result["message"] = {{"text", d.message}};
    result["locations"] = nlohmann::ordered_json::array();
    if (!d.places.empty()) result["locations"].push_back(location(d.places[0]));
    result["relatedLocations"] = nlohmann::ordered_json::array();
    for (std::size_t i = 1; i < d.places.size(); ++i)
      result["relatedLocations"].push_back(location(d.places[i]));
    result["properties"] = {{"ranks", d.ranks}, {"schedule", d.schedule}};
    results.push_back(std::move(result));
  }
  nlohmann::ordered_json run;
  run["tool"] = {{"driver", {{"name", "cuco check"}, {"rules", rules}}}};
  run["invocations"] = nlohmann::ordered_json::array();
  run["invocations"].push_back({{"executionSuccessful", report.verdict != Soundness::kUnknown}});
  run["results"] = results;
  nlohmann::ordered_json out;
  out["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  out["version"] = "2.1.0";
  out["runs"] = nlohmann::ordered_json::array({run});
  return checking::dump(out);
}

}  // namespace cuco
