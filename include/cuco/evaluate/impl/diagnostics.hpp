// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/evaluation.hpp"
#include "cuco/evaluate/contract_output.hpp"
#include "cuco/evaluate/device_backend.hpp"

namespace cuco::impl::evaluating {

/// `text` without the places that differ between equal runs: each of `directories` with its slash is cut out,
/// so that the same candidate gives the same text wherever it was built.
[[nodiscard]] std::string without_paths(std::string text, std::vector<std::string> const& directories);

/// The part of a compiler's output that says what to repair: the first errors, each with its source excerpt,
/// without include chains and warnings. All of it, cut at `most` bytes, when no line says "error".
[[nodiscard]] std::string relevant_compiler_lines(std::string_view text, std::size_t most = 4000);

/// The first error as one line; the first line when there is none.
[[nodiscard]] std::string first_compiler_error(std::string_view text);

/// At most `most` bytes: the head and the tail of `text` at line ends, with a mark between.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t most);

/// What a run says about a candidate.
struct RunJudgement {
  Verdict verdict;
  ContractResult contract;  ///< Times are set when the verdict is kCorrect.
};

/// Judges `result` of running `spec` by the program contract. Messages depend on what the program did, not on
/// how long it took.
[[nodiscard]] RunJudgement judge_run(RunSpec const& spec, RunResult const& result, ContractShape shape);

/// The whole result as text for run.log.
[[nodiscard]] std::string run_log(std::string const& title, RunSpec const& spec, RunResult const& result);

/// "2 s", for messages.
[[nodiscard]] std::string seconds_text(std::chrono::milliseconds time);

}  // namespace cuco::impl::evaluating

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/impl/diagnostics-inl.hpp"
#endif
