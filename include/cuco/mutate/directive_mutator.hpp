// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/core/concepts.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"

namespace cuco {

/// Proposes the parent with one of its generated collectives at another legal point of the design space.
///
/// Works on programs with a generated section; nothing outside that section changes. While exploring it takes
/// up to `explore_steps` steps between neighbours at once, while exploiting one. Codes in
/// `context.known_codes` are not proposed again: when every neighbour is known it looks farther, breadth
/// first, until the space is used up.
///
/// Errors: kNotFound for a parent without a generated section, or with one that cannot be read, or when no
/// point is left.
class DirectiveMutator {
 public:
  struct Options {
    int explore_steps = 4;
    std::size_t most_regenerated = 512;  ///< Points tried in one call before it gives up with kNotFound.
  };

  DirectiveMutator() = default;
  explicit DirectiveMutator(Options options) : options_(options) {}

  /// The mutation's metadata holds `directives`, one point per launcher as `name: words`, joined by "; ".
  [[nodiscard]] Result<Mutation> mutate(MutationContext const& context, Rng& rng) const;

 private:
  Options options_{};
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/mutate/directive_mutator-inl.hpp"
#endif

namespace cuco {
static_assert(explain_mutator<DirectiveMutator>());
}  // namespace cuco
