// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// The whole `evaluation` as one JSON object, for evaluation.json. Numbers that are not finite are null.
[[nodiscard]] std::string to_json(Evaluation const& evaluation);

/// Reads what `to_json` wrote. Errors: kParse for anything else, an unknown outcome included: a damaged file
/// must not pass as a result.
[[nodiscard]] Result<Evaluation> evaluation_from_json(std::string_view text);

/// The text of metrics.json: combined_score, public, private, text_feedback.
[[nodiscard]] std::string metrics_json(Evaluation const& evaluation);

/// The text of correct.json: correct, error (null when there is none).
[[nodiscard]] std::string correct_json(Evaluation const& evaluation);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/store/evaluation_json-inl.hpp"
#endif
