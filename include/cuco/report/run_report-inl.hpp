// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evolve/event_text.hpp"
#include "cuco/evolve/run_summary.hpp"
#include "cuco/population/seeds.hpp"
#include "cuco/report/run_report.hpp"
#include "cuco/store/sqlite_storage.hpp"

namespace cuco {
namespace impl {

CUCO_EVOLVE_INLINE ReportRow report_row(Program const& p) {
  ReportRow row;
  row.id = p.id;
  row.generation = p.generation;
  row.island = p.island;
  row.correct = p.correct;
  row.score = p.combined_score;
  row.ms = slowest_ms(p);
  row.origin = attribute_or(p.metadata, "origin", "none");
  row.trust = attribute_or(p.metadata, "trust", "self_reported");
  row.outcome = attribute_or(p.metadata, "outcome", p.correct ? "correct" : "failed");
  row.error = attribute_or(p.metadata, "error");
  row.type = attribute_or(p.metadata, "patch_type");
  row.name = attribute_or(p.metadata, "patch_name");
  row.description = attribute_or(p.metadata, "patch_description");
  row.directives = attribute_or(p.metadata, "directives");
  return row;
}

/// How many times faster `after` is; 0 when a time is missing or one is measured and the other modelled.
CUCO_EVOLVE_INLINE double gain_of(double before,
                                  std::string const& before_origin,
                                  double after,
                                  std::string const& after_origin) {
  return before > 0 && after > 0 && before_origin == after_origin ? before / after : 0;
}

/// From the seed to `best`; copies on other islands are shown as their originals.
CUCO_EVOLVE_INLINE std::vector<ReportRow> lineage_of(
    Program const& best, std::unordered_map<std::string, Program const*> const& by_id) {
  std::vector<ReportRow> path;
  std::set<std::string> seen;
  auto const original = [&](Program const* p) {
    auto const at = by_id.find(attribute_or(p->metadata, kOriginalIdKey));
    return at == by_id.end() ? p : at->second;
  };
  for (auto const* p = original(&best); p != nullptr && seen.insert(p->id.value).second;) {
    path.push_back(report_row(*p));
    auto const parent = by_id.find(p->parent_id.value);
    p = parent == by_id.end() ? nullptr : original(parent->second);
  }
  std::reverse(path.begin(), path.end());
  for (std::size_t i = 1; i < path.size(); ++i)
    path[i].gain = gain_of(path[i - 1].ms, path[i - 1].origin, path[i].ms, path[i].origin);
  return path;
}

CUCO_EVOLVE_INLINE std::string row_time(ReportRow const& row) {
  if (!row.correct) return row.outcome;
  return row.ms > 0 ? fmt::format("{:.4g} ms {}", row.ms, row.origin) : "no time";
}

CUCO_EVOLVE_INLINE nlohmann::ordered_json row_json(ReportRow const& row) {
  nlohmann::ordered_json json;
  json["id"] = row.id.value;
  json["generation"] = row.generation;
  json["island"] = row.island;
  json["correct"] = row.correct;
  json["combined_score"] = row.score;
  json["time_ms"] = row.ms > 0 ? nlohmann::ordered_json(row.ms) : nlohmann::ordered_json();
  json["origin"] = row.origin;
  json["trust"] = row.trust;
  json["outcome"] = row.outcome;
  json["error"] = row.error.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(row.error);
  json["patch_type"] = row.type;
  json["patch_name"] = row.name;
  json["patch_description"] = row.description;
  json["directives"] = row.directives;
  if (row.gain > 0) json["gain"] = row.gain;
  return json;
}

CUCO_EVOLVE_INLINE nlohmann::ordered_json gain_json(double gain) {
  return gain > 0 ? nlohmann::ordered_json(gain) : nlohmann::ordered_json();
}

}  // namespace impl

CUCO_EVOLVE_INLINE RunReport make_report(std::vector<Program> const& programs,
                                         RunRecord const& record,
                                         ReportOptions options) {
  RunReport report;
  report.directory = std::move(options.directory);
  report.generations_done = record.last_generation + 1;
  report.skipped = record.skipped;
  auto const recorded = nlohmann::ordered_json::parse(record.options, nullptr, false);
  if (recorded.is_object() && recorded.contains("generations") && recorded["generations"].is_number_integer())
    report.generations = recorded["generations"].get<int>();
  if (auto const end = record.stopped.find('\n'); end != std::string::npos)
    report.stopped = record.stopped.substr(end + 1);

  std::unordered_map<std::string, Program const*> by_id;
  std::vector<Program const*> own;
  std::map<std::string, int> failures;
  for (auto const& program : programs) {
    by_id.emplace(program.id.value, &program);
    if (!attribute_or(program.metadata, kIslandCopyKey).empty()) {
      ++report.copies;
      continue;
    }
    own.push_back(&program);
    if (program.correct) ++report.correct;
    if (!program.correct) ++failures[attribute_or(program.metadata, "outcome", "failed")];
    if (!attribute_or(program.metadata, "duplicate_of").empty()) ++report.duplicates;
  }
  report.programs = static_cast<int>(own.size());
  report.failures.assign(failures.begin(), failures.end());
  std::stable_sort(report.failures.begin(), report.failures.end(), [](auto const& a, auto const& b) {
    return a.second > b.second;
  });

  std::sort(own.begin(), own.end(), [](auto const* a, auto const* b) { return better(*a, *b); });
  // The same code again would only repeat a line.
  std::erase_if(own, [](Program const* p) { return !attribute_or(p->metadata, "duplicate_of").empty(); });
  for (std::size_t i = 0; i < own.size() && i < options.top; ++i)
    if (own[i]->correct) report.top.push_back(impl::report_row(*own[i]));
  if (!own.empty() && own.front()->correct) {
    report.lineage = impl::lineage_of(*own.front(), by_id);
    report.best = report.lineage.back();
    report.seed = report.lineage.front();
  }

  report.host_ms = options.host_ms > 0 ? options.host_ms : std::strtod(record.host_ms.c_str(), nullptr);
  report.host_origin = options.host_ms > 0 ? options.host_origin : record.host_origin;
  report.gain_over_seed =
      impl::gain_of(report.seed.ms, report.seed.origin, report.best.ms, report.best.origin);
  report.gain_over_host =
      impl::gain_of(report.host_ms, report.host_origin, report.best.ms, report.best.origin);
  return report;
}

CUCO_EVOLVE_INLINE Result<RunReport> load_report(std::string const& directory, ReportOptions options) {
  std::error_code ignored;
  if (!std::filesystem::exists(directory, ignored))
    return fail_at(ErrorCode::kNotFound, directory, 0, "there is no such run directory", "check the path");
  auto storage = SqliteStorage::open(directory, {.read_only = true});
  if (!storage) return forward_error(std::move(storage));
  if (options.directory.empty()) options.directory = directory;
  return make_report(*storage, std::move(options));
}

CUCO_EVOLVE_INLINE std::string to_text(RunReport const& r) {
  std::string out = "run";
  if (!r.directory.empty()) out += " " + r.directory;
  out += fmt::format(": {} generations", r.generations_done);
  if (r.generations > 0) out += fmt::format(" of {}", r.generations);
  out += fmt::format(", {} programs, {} correct", r.programs, r.correct);
  for (auto const& [outcome, count] : r.failures) out += fmt::format(", {} {}", count, outcome);
  if (r.duplicates > 0) out += fmt::format(", {} duplicates", r.duplicates);
  if (r.skipped > 0) out += fmt::format(", {} generations skipped", r.skipped);
  out += "\n";
  if (!r.stopped.empty()) out += "stopped early: " + r.stopped + "\n";
  if (r.best.id.empty()) return out + "no correct program yet\n";

  out += fmt::format("best: {} {}, {}, score {:.6g}, verified ({})\n",
                     r.best.id.value,
                     r.best.name,
                     impl::row_time(r.best),
                     r.best.score,
                     r.best.trust);
  auto compare = [&](char const* what, double ms, std::string const& origin, double gain) {
    if (ms <= 0) return;
    out += fmt::format("  {} {:.4g} ms {}: ", what, ms, origin);
    out += gain > 0 ? fmt::format("{:.2f}x as fast\n", gain)
                    : "not comparable, the times are of different origin\n";
  };
  compare("host-driven program", r.host_ms, r.host_origin, r.gain_over_host);
  compare("seed", r.seed.ms, r.seed.origin, r.gain_over_seed);

  out += fmt::format("\n{:>4}  {:<14} {:>4} {:>6}  {:<20} {:>10}  {}\n",
                     "rank",
                     "program",
                     "gen",
                     "island",
                     "slowest rank",
                     "score",
                     "change");
  for (std::size_t i = 0; i < r.top.size(); ++i) {
    auto const& row = r.top[i];
    out += fmt::format("{:>4}  {:<14} {:>4} {:>6}  {:<20} {:>10.6g}  {}\n",
                       i + 1,
                       row.id.value,
                       row.generation,
                       row.island,
                       impl::row_time(row),
                       row.score,
                       row.directives.empty() ? row.name : row.directives);
  }
  out += "\nlineage of the best\n";
  for (auto const& row : r.lineage) {
    out += fmt::format("  {:<14} {:<20} {:>7}  {}",
                       row.id.value,
                       impl::row_time(row),
                       row.gain > 0 ? fmt::format("{:.2f}x", row.gain) : "",
                       row.name);
    if (!row.description.empty()) out += ": " + impl::one_line(row.description);
    if (!row.directives.empty()) out += " [" + row.directives + "]";
    out += "\n";
  }
  return out;
}

CUCO_EVOLVE_INLINE std::string to_json(RunReport const& r) {
  nlohmann::ordered_json json;
  json["directory"] = r.directory;
  json["generations_done"] = r.generations_done;
  json["generations"] = r.generations;
  json["programs"] = r.programs;
  json["correct"] = r.correct;
  json["failures"] = nlohmann::ordered_json::object();
  for (auto const& [outcome, count] : r.failures) json["failures"][outcome] = count;
  json["duplicates"] = r.duplicates;
  json["skipped"] = r.skipped;
  json["copies"] = r.copies;
  json["stopped"] = r.stopped.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(r.stopped);
  json["best"] = r.best.id.empty() ? nlohmann::ordered_json() : impl::row_json(r.best);
  json["seed"] = r.seed.id.empty() ? nlohmann::ordered_json() : impl::row_json(r.seed);
  json["gain_over_seed"] = impl::gain_json(r.gain_over_seed);
  json["host_time_ms"] = r.host_ms > 0 ? nlohmann::ordered_json(r.host_ms) : nlohmann::ordered_json();
  json["host_time_origin"] = r.host_ms > 0 ? nlohmann::ordered_json(r.host_origin) : nlohmann::ordered_json();
  json["gain_over_host"] = impl::gain_json(r.gain_over_host);
  json["top"] = nlohmann::ordered_json::array();
  for (auto const& row : r.top) json["top"].push_back(impl::row_json(row));
  json["lineage"] = nlohmann::ordered_json::array();
  for (auto const& row : r.lineage) json["lineage"].push_back(impl::row_json(row));
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace cuco
