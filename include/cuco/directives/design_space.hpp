// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cuco/directives/directives.hpp"
#include "cuco/directives/site.hpp"

namespace cuco {

/// Why a point of the design space is not legal at a site: the rule's name and what it protects.
struct Reason {
  std::string rule;  ///< lower_case_with_underscores, stable.
  std::string text;  ///< One line.
};

/// Nothing when code can be generated for `directives` at `site` and is sound there; else the first rule
/// broken.
[[nodiscard]] std::optional<Reason> legal(Directives const& directives, Site const& site);

/// Every legal point, in a fixed order, without duplicates.
[[nodiscard]] std::vector<Directives> enumerate(Site const& site);

/// The legal points that differ from `directives` in one dimension, in a fixed order. Numeric dimensions move
/// to the next legal value up or down, the others to any legal value. Symmetric: `b` is a neighbour of `a`
/// exactly when `a` is one of `b`, for legal `a` and `b`.
[[nodiscard]] std::vector<Directives> neighbours(Directives const& directives, Site const& site);

/// Where a search starts: few CTAs, one barrier or signal per CTA, wide vectors. Legal at every site that has
/// a legal point at all.
[[nodiscard]] Directives conservative(Site const& site);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/directives/design_space-inl.hpp"
#endif
