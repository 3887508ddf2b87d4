// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/transform/rewrite.hpp"

/// @file
/// What `FirstThat` does without its rewriters, compiled once.

namespace cuco::impl::transforming {

/// The same names, with " (2)" and so on where several are alike: attempts are told apart by them.
[[nodiscard]] std::vector<std::string> unique_names(std::vector<std::string> names);
/// `A, else B`
[[nodiscard]] std::string joined_names(std::vector<std::string> const& names);

/// The rewriter that made what this stage builds on, or the first one.
[[nodiscard]] std::size_t first_of(std::vector<std::string> const& names, RewriteRequest const& request);

/// How many of the failed attempts at this stage are `name`'s; `why` gets the reason of the last.
[[nodiscard]] int failures_of(std::string const& name, RewriteRequest const& request, std::string& why);

/// All have made what they may, and nothing passed. Error: kNotVerified, with who stopped and why.
[[nodiscard]] tl::unexpected<Error> nobody_left(std::vector<std::string> const& stopped);

/// Writes to an answer of `name` who could not give one, and why.
void tell_who(std::string const& name, std::vector<std::string> const& stopped, Result<Rewrite>& answer);

}  // namespace cuco::impl::transforming

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/impl/rewriter_order-inl.hpp"
#endif
