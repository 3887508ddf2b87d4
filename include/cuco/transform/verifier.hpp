// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>

#include "cuco/core/result.hpp"
#include "cuco/evaluate/program_verifier.hpp"

namespace cuco {

/// Builds and runs a program and reads its verdict: `v.verify(code, directory, label) ->
/// Result<VerifyOutcome>`. May leave `directory`/`label`.log with everything that was printed.
template <class V>
concept Verifier = std::movable<V> && requires(V const& v, std::string const& text) {
  { v.verify(text, text, text) } -> std::same_as<Result<VerifyOutcome>>;
};

}  // namespace cuco
