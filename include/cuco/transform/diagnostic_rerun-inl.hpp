// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/transform/diagnostic_rerun.hpp"
#include "cuco/transform/impl/launch_checker.hpp"
#include "cuco/transform/impl/source_edit.hpp"
#include "cuco/transform/impl/text_lines.hpp"

namespace cuco {

namespace impl::transforming {

CUCO_EVOLVE_INLINE Result<CheckedLaunches> with_checked_launches(std::string_view code,
                                                                 std::string const& file,
                                                                 unsigned hang_seconds) {
  auto report = Analyzer{}.analyze(code, file);
  if (!report) return forward_error(std::move(report));
  auto host = [&](std::uint32_t offset) {
    return std::none_of(report->functions.begin(), report->functions.end(), [&](Function const& f) {
      return (f.is_kernel || f.is_device) && f.span.begin <= offset && offset < f.span.end;
    });
  };
  CheckedLaunches out;
  SourceEdits edits;
  auto direct = LaunchChecker(code, 0, edits).run({}, host);
  if (!direct) return forward_error(std::move(direct));
  out.launches = *direct;
  for (Macro const& macro : report->macros) {
    // Its value as written: that of the report has no line continuations.
    std::string_view const line = code.substr(macro.span.begin, macro.span.size());
    std::size_t at = line.find(macro.name, line.find("define") + 6);
    if (at == std::string_view::npos || macro.value.empty()) continue;
    at += macro.name.size();
    if (!macro.parameters.empty()) at = line.find(')', at) + 1;
    std::set<std::string, std::less<>> parameters;
    auto names = lex(macro.parameters);
    if (names)
      for (Token const& t : names->tokens)
        if (t.kind == TokenKind::kIdentifier) parameters.emplace(t.text);
    std::uint32_t const base = macro.span.begin + static_cast<std::uint32_t>(at);
    auto hidden =
        LaunchChecker(line.substr(at), base, edits).run(parameters, [](std::uint32_t) { return true; });
    if (hidden) out.launches += *hidden;
  }
  auto edited = edits.apply(code);
  if (!edited) return forward_error(std::move(edited));
  std::string helper = kRerunHelper;
  for (auto const& [what, value] : {std::pair{std::string("@seconds@"), std::to_string(hang_seconds)},
                                    std::pair{std::string("@file@"), file}})
    for (std::size_t at = helper.find(what); at != std::string::npos; at = helper.find(what, at))
      helper.replace(at, what.size(), value);
  out.code = helper + *edited;
  return out;
}

CUCO_EVOLVE_INLINE std::string checked_launch_lines(std::string const& text) {
  std::string out;
  std::set<std::string_view> seen;
  for (auto line : text_lines(text)) {
    std::size_t const at = line.find(kRerunMark);
    if (at == std::string_view::npos) continue;
    line.remove_prefix(at + std::string_view(kRerunMark).size());
    if (seen.insert(line).second) out += std::string(line) + "\n";
  }
  return out;
}

CUCO_EVOLVE_INLINE std::string emulator_told(VerifyOutcome const& outcome) {
  std::string out;
  for (auto line : text_lines(outcome.diagnostics)) {
    std::size_t const at = line.find("cuco-emu: ");
    if (at != std::string_view::npos) out += std::string(line.substr(at + 10)) + "\n";
  }
  return out;
}

CUCO_EVOLVE_INLINE bool worth_a_rerun(VerifyOutcome const& outcome) {
  if (!outcome.built || outcome.ran) return false;
  if (outcome.outcome == Outcome::kTimedOut || outcome.outcome == Outcome::kDeadlocked) return true;
  std::string const text = outcome.message + "\n" + outcome.diagnostics;
  for (char const* word : {"CUDA",
                           "cuda",
                           "illegal",
                           "misaligned",
                           "unspecified launch failure",
                           "launch",
                           "device-side assert",
                           "memory access",
                           "Xid",
                           "NCCL",
                           "nccl"})
    if (text.find(word) != std::string::npos) return true;
  return false;
}

CUCO_EVOLVE_INLINE std::string rerun_text(CheckedLaunches const& checked,
                                          VerifyOutcome const& rerun,
                                          std::string const& told) {
  constexpr std::size_t kLongest = 4000;
  if (!rerun.built) return {};
  if (!told.empty()) return evaluating::excerpt(told, kLongest);
  if (rerun.verified)
    return "With that the program passes: kernels that run at the same time disturb each other.\n";
  if (rerun.outcome == Outcome::kTimedOut)
    return "No kernel fails, and none of the " + std::to_string(checked.launches) +
           " launches hangs by itself, but the program does not end.\n";
  return "No kernel fails: each of the " + std::to_string(checked.launches) +
         " launches is over without an error. The program then ends with: " + rerun.message + "\n";
}

CUCO_EVOLVE_INLINE Result<ScratchFolder> rerun_folder() {
  return evaluating::make_private_folder();
}

}  // namespace impl::transforming

}  // namespace cuco
