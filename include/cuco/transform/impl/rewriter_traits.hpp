// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>

#include "cuco/transform/transform_stage.hpp"

/// @file
/// Members that a `Rewriter` may have besides `rewrite`.

namespace cuco::impl::transforming {

/// How often `rewriter` wants to be asked for one stage: `attempts(stage)`, for those that read feedback;
/// once else.
template <class R>
[[nodiscard]] int attempts_of(R const& rewriter, TransformStage stage) {
  if constexpr (requires {
                  { rewriter.attempts(stage) } -> std::convertible_to<int>;
                }) {
    int const wanted = rewriter.attempts(stage);
    return wanted < 1 ? 1 : wanted;
  } else {
    return 1;
  }
}

/// What it is called in messages: `name()`.
template <class R>
[[nodiscard]] std::string name_of(R const& rewriter) {
  if constexpr (requires {
                  { rewriter.name() } -> std::convertible_to<std::string>;
                }) {
    return rewriter.name();
  } else {
    return "rewriter";
  }
}

}  // namespace cuco::impl::transforming
