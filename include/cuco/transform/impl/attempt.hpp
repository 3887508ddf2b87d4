// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/transform/rewrite.hpp"
#include "cuco/transform/transform_iteration.hpp"

namespace cuco::impl::transforming {

/// `text` without the path of the work directory, as it was given and in full.
[[nodiscard]] std::string without_folder(std::string const& text, std::string const& folder);

/// Moves a proposal into `now`. Its message says why, when the proposal need not be built: there is no
/// program, it is the one that was given, or it has failed before. Of a program that rules have not made,
/// EVOLVE markers that `original` does not have are taken out: what may change is not the model's to say.
void take_proposal(Rewrite& rewrite,
                   std::string const& original,
                   std::string const& given,
                   std::vector<TransformIteration> const& history,
                   TransformIteration& now);

}  // namespace cuco::impl::transforming

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/impl/attempt-inl.hpp"
#endif
