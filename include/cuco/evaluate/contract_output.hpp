// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cuco {

/// Which ranks of a program print the contract's two lines.
enum class ContractShape : std::uint8_t {
  kEveryRank,  ///< Each rank prints one `Time:` and one `Verification:` line. The default, and the one to
               ///< prefer.
  kRankZero,   ///< Rank 0 alone speaks. Only for seeds that are written so.
  kAny,        ///< Foreign programs: at least one of each line, no FAIL; the slowest printed time counts.
};
constexpr char const* to_string(ContractShape shape) {
  switch (shape) {
    case ContractShape::kEveryRank: return "every_rank";
    case ContractShape::kRankZero: return "rank_zero";
    case ContractShape::kAny: return "any";
  }
  return "any";
}

/// What one rank printed.
struct RankReport {
  std::optional<double> time_ms;  ///< Set when there is exactly one well-formed `Time:` line.
  bool passed = false;            ///< There is exactly one `Verification:` line and it says PASS.
  int time_lines = 0;             ///< Well-formed or not.
  int verification_lines = 0;
  int fail_lines = 0;            ///< `Verification: FAIL`.
  std::vector<double> times_ms;  ///< Every well-formed time.
  std::string problem;           ///< First thing wrong with a contract line; empty when nothing is.
};

/// The output of a whole run held against the contract.
struct ContractResult {
  bool passed = false;
  std::string reason;           ///< One line, names the rank; empty when passed.
  std::vector<double> rank_ms;  ///< Index = rank; one entry when only rank 0 speaks. Empty unless passed.
  double slowest_ms = 0;        ///< 0 unless passed.
};

/// Reads one rank's standard output.
///
/// A contract line starts at the beginning of a line: `Time: <number> ms` with a finite number > 0 (decimal
/// or scientific), or `Verification: PASS` / `Verification: FAIL`; trailing blanks and a carriage return are
/// ignored, nothing else may follow. A line that starts with `Time:` or `Verification:` and is not of that
/// form is a problem, never silently skipped.
[[nodiscard]] RankReport parse_rank_output(std::string_view text);

/// Holds `rank_stdout` (index = rank) against the contract in `shape`.
[[nodiscard]] ContractResult check_contract(std::vector<std::string> const& rank_stdout, ContractShape shape);

/// The strictest shape that the output of a trusted seed has; candidates must keep it.
[[nodiscard]] ContractShape detect_contract_shape(std::vector<std::string> const& seed_stdout);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/contract_output-inl.hpp"
#endif
