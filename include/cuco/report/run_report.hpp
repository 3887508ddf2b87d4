// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"
#include "cuco/store/run_storage.hpp"

namespace cuco {

/// One program in a table.
struct ReportRow {
  ProgramId id;
  int generation = 0;
  int island = 0;
  bool correct = false;
  double score = 0;
  double ms = 0;       ///< Slowest rank, milliseconds; 0: no time.
  std::string origin;  ///< "measured", "modelled" or "none". Never left out where a time is shown.
  std::string trust;
  std::string outcome;
  std::string error;
  std::string type;  ///< Kind of change that made it: "init", "directive", "diff", …
  std::string name;
  std::string description;
  std::string directives;
  double gain = 0;  ///< In a lineage: times faster than the row before; 0: unknown or other origin.
};

struct ReportOptions {
  std::size_t top = 10;       ///< Rows of the table of the best.
  double host_ms = 0;         ///< Time of the host-driven program; 0: what the run recorded, if it did.
  std::string host_origin{};  ///< "measured" or "modelled".
  std::string directory{};    ///< Only shown.
};

/// A finished, running or interrupted run, for people and for programs.
struct RunReport {
  std::string directory;
  int generations_done = 0;
  int generations = 0;  ///< Planned; 0: not recorded.
  int programs = 0;     ///< Copies on other islands not counted.
  int correct = 0;
  int duplicates = 0;
  int skipped = 0;
  int copies = 0;
  std::vector<std::pair<std::string, int>> failures;  ///< Outcome -> programs, most frequent first.
  std::string stopped;                                ///< Why the search ended early; empty when it did not.
  ReportRow seed;              ///< The program the best descends from; an empty id when nothing is correct.
  ReportRow best;              ///< An empty id when nothing is correct.
  std::vector<ReportRow> top;  ///< Best first.
  std::vector<ReportRow> lineage;  ///< Seed first, best last.
  double host_ms = 0;
  std::string host_origin;
  double gain_over_seed = 0;  ///< Times faster; 0 when unknown or when the times are of different origin.
  double gain_over_host = 0;
};

/// Keys under which a tool may record the host-driven program's time in the storage.
inline constexpr char const* kHostTimeKey = "host_time_ms";
inline constexpr char const* kHostOriginKey = "host_time_origin";

/// What a storage knows about its run besides the programs.
struct RunRecord {
  int last_generation = -1;
  int skipped = 0;
  std::string options{};  ///< JSON
  std::string stopped{};
  std::string host_ms{};
  std::string host_origin{};
};

[[nodiscard]] RunReport make_report(std::vector<Program> const& programs,
                                    RunRecord const& record,
                                    ReportOptions options = {});

/// The report of the run in `storage`. Reads only.
template <RunStorage S>
[[nodiscard]] Result<RunReport> make_report(S const& storage, ReportOptions options = {}) {
  auto programs = storage.scan(ProgramFilter{});
  if (!programs) return forward_error(std::move(programs));
  std::string values[6];
  char const* const keys[6] = {
      "last_iteration", "skipped_generations", "run_options", "stopped", kHostTimeKey, kHostOriginKey};
  for (int i = 0; i < 6; ++i) {
    auto value = storage.value(keys[i]);
    if (!value) return forward_error(std::move(value));
    values[i] = std::move(*value).value_or("");
  }
  auto number = [](std::string const& text, int fallback) {
    return text.empty() || text.find_first_not_of("0123456789") != std::string::npos || text.size() > 9
               ? fallback
               : std::stoi(text);
  };
  return make_report(
      *programs,
      RunRecord{number(values[0], -1), number(values[1], 0), values[2], values[3], values[4], values[5]},
      std::move(options));
}

/// The report of the run in `directory`, which may be running. Changes nothing there.
/// Errors: kNotFound when there is no run; kStorage when its database cannot be read.
[[nodiscard]] Result<RunReport> load_report(std::string const& directory, ReportOptions options = {});

/// Tables for a terminal or a log file, lines end in `\n`.
[[nodiscard]] std::string to_text(RunReport const& report);
/// One JSON object.
[[nodiscard]] std::string to_json(RunReport const& report);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/report/run_report-inl.hpp"
#endif
