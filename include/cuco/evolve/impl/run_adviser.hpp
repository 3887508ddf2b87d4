// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "cuco/core/result.hpp"
#include "cuco/evolve/advice.hpp"

namespace cuco::impl {

/// What a run asks of its adviser. Both may be empty.
struct RunAdviser {
  std::function<Result<Advice>(int)> advise{};
  std::function<Result<Advice>()> conclude{};
};

}  // namespace cuco::impl
