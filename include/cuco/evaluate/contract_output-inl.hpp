// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/contract_output.hpp"

namespace cuco {

namespace impl::evaluating {

CUCO_EVOLVE_INLINE std::string_view trim_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  std::size_t const first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// The number in "<number> ms"; empty when the text is anything else.
CUCO_EVOLVE_INLINE std::optional<double> parse_milliseconds(std::string_view text) {
  text = trim_blanks(text);
  if (text.size() < 3 || text.substr(text.size() - 2) != "ms") return std::nullopt;
  std::string_view const number = trim_blanks(text.substr(0, text.size() - 2));
  double value = 0;
  auto const [last, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc{} || last != number.data() + number.size()) return std::nullopt;
  if (!std::isfinite(value) || !(value > 0)) return std::nullopt;
  return value;
}

/// `line` short and printable enough for a one-line message.
CUCO_EVOLVE_INLINE std::string quoted_line(std::string_view line) {
  std::string out = "'";
  for (char c : line.substr(0, 80)) out += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  if (line.size() > 80) out += "...";
  return out + "'";
}

CUCO_EVOLVE_INLINE bool silent(RankReport const& report) {
  return report.time_lines == 0 && report.verification_lines == 0;
}

/// Why a rank that must speak did not speak well; empty when it did.
CUCO_EVOLVE_INLINE std::string rank_problem(RankReport const& report) {
  if (!report.problem.empty()) return report.problem;
  if (report.verification_lines == 0) return "printed no 'Verification:' line";
  if (report.verification_lines > 1)
    return "printed " + std::to_string(report.verification_lines) + " 'Verification:' lines instead of one";
  if (!report.passed) return "printed 'Verification: FAIL'";
  if (report.time_lines == 0) return "printed no 'Time:' line";
  if (report.time_lines > 1)
    return "printed " + std::to_string(report.time_lines) + " 'Time:' lines instead of one";
  return {};
}

}  // namespace impl::evaluating

CUCO_EVOLVE_INLINE RankReport parse_rank_output(std::string_view text) {
  constexpr std::string_view kTime = "Time:";
  constexpr std::string_view kVerification = "Verification:";
  RankReport report;
  auto complain = [&](std::string_view line, char const* expected) {
    if (report.problem.empty())
      report.problem =
          "printed " + impl::evaluating::quoted_line(line) + " where " + expected + " is expected";
  };
  while (!text.empty()) {
    std::size_t const end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.substr(0, kTime.size()) == kTime) {
      ++report.time_lines;
      if (auto const ms = impl::evaluating::parse_milliseconds(line.substr(kTime.size())))
        report.times_ms.push_back(*ms);
      else
        complain(line, "'Time: <positive number> ms'");
    } else if (line.substr(0, kVerification.size()) == kVerification) {
      ++report.verification_lines;
      std::string_view const word = impl::evaluating::trim_blanks(line.substr(kVerification.size()));
      if (word == "FAIL")
        ++report.fail_lines;
      else if (word == "PASS")
        report.passed = true;
      else
        complain(line, "'Verification: PASS' or 'Verification: FAIL'");
    }
  }
  report.passed = report.passed && report.verification_lines == 1;
  if (report.time_lines == 1 && report.times_ms.size() == 1) report.time_ms = report.times_ms.front();
  return report;
}

CUCO_EVOLVE_INLINE ContractResult check_contract(std::vector<std::string> const& rank_stdout,
                                                 ContractShape shape) {
  ContractResult result;
  std::vector<RankReport> reports;
  reports.reserve(rank_stdout.size());
  for (auto const& text : rank_stdout) reports.push_back(parse_rank_output(text));
  auto refuse = [&](std::size_t rank, std::string const& why) {
    result.reason = "rank " + std::to_string(rank) + " " + why;
    result.rank_ms.clear();
    return result;
  };
  if (reports.empty()) {
    result.reason = "there is no rank";
    return result;
  }

  if (shape == ContractShape::kAny) {
    bool any_pass = false;
    for (std::size_t rank = 0; rank < reports.size(); ++rank) {
      RankReport const& report = reports[rank];
      if (!report.problem.empty()) return refuse(rank, report.problem);
      if (report.fail_lines > 0) return refuse(rank, "printed 'Verification: FAIL'");
      any_pass = any_pass || report.verification_lines > 0;
      if (!report.times_ms.empty())
        result.rank_ms.push_back(*std::max_element(report.times_ms.begin(), report.times_ms.end()));
    }
    if (!any_pass || result.rank_ms.empty()) {
      result.reason = any_pass ? "no rank printed a 'Time:' line" : "no rank printed a 'Verification:' line";
      result.rank_ms.clear();
      return result;
    }
  } else {
    for (std::size_t rank = 0; rank < reports.size(); ++rank) {
      RankReport const& report = reports[rank];
      if (shape == ContractShape::kRankZero && rank > 0) {
        if (!impl::evaluating::silent(report))
          return refuse(rank, "printed a contract line, and only rank 0 may");
        continue;
      }
      if (auto const why = impl::evaluating::rank_problem(report); !why.empty()) return refuse(rank, why);
      result.rank_ms.push_back(*report.time_ms);
    }
  }
  result.slowest_ms = *std::max_element(result.rank_ms.begin(), result.rank_ms.end());
  result.passed = true;
  return result;
}

CUCO_EVOLVE_INLINE ContractShape detect_contract_shape(std::vector<std::string> const& seed_stdout) {
  for (auto shape : {ContractShape::kEveryRank, ContractShape::kRankZero})
    if (check_contract(seed_stdout, shape).passed) return shape;
  return ContractShape::kAny;
}

}  // namespace cuco
