// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "cuco/core/chat.hpp"
#include "cuco/core/error.hpp"
#include "cuco/core/result.hpp"

/// @file
/// Asking a model, and what it cost when nothing came of it.

namespace cuco::impl {

/// Any backend, so that bodies are compiled once.
using AskModel = std::function<Result<ChatReply>(ChatRequest const&)>;

/// A sum of prices. One unknown price makes the sum unknown.
struct Spent {
  std::optional<double> usd = 0;
  void add(std::optional<double> price) {
    if (usd && price) {
      *usd += *price;
    } else {
      usd.reset();
    }
  }
};

/// What the calls behind `error` cost: of the line `cost-usd: N` of its detail, where it has one.
[[nodiscard]] Spent spent_of(Error const& error);

/// Makes `spent` what `spent_of(error)` says. Nothing is written when nothing was spent.
[[nodiscard]] Error with_spent(Error error, Spent const& spent);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/mutate/impl/ask_model-inl.hpp"
#endif
