// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Writes `results`/metrics.json (`combined_score`, `public`, `private`, `text_feedback`) and
/// `results`/correct.json
/// (`correct`, `error`), each at once. Errors: kIo.
[[nodiscard]] Status write_evaluation_files(std::string const& results, Evaluation const& evaluation);

/// Reads the same two files as an external evaluator leaves them.
///
/// - metrics.json missing or not a JSON object: no metrics, score 0. `public` and `private`: numbers and
/// booleans
///   become metrics, nested objects are flattened with dots, others are ignored. `text_feedback`: a string,
///   or a list of strings that become lines.
/// - correct.json missing: not correct. Present and not an object with a boolean `correct`: kParse.
/// The score counts only for correct programs; a score that is missing, negative or not finite makes a
/// program that claims to be correct a `kWrongAnswer`. The time is `max_time_ms`, else `time_ms`, else 0; the
/// origin kNone.
[[nodiscard]] Result<Evaluation> read_evaluation_files(std::string const& results);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/evaluation_files-inl.hpp"
#endif
