// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cuco/core/result.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/llm/ensemble_policy.hpp"

namespace cuco {

/// Every arm with equal probability. Learns nothing.
class UniformPolicy {
 public:
  [[nodiscard]] static Status start(std::size_t /*arms*/) { return {}; }
  [[nodiscard]] static std::size_t choose(ArmDraw const& draw, Rng& rng) {
    return impl::pick_arm(std::vector<double>(draw.usable.size(), 1.0), draw.usable, rng);
  }
  static void submitted(std::size_t /*arm*/) {}
  static void completed(std::size_t /*arm*/, ArmResult const& /*result*/) {}
  [[nodiscard]] static std::string save() { return "{}"; }
  [[nodiscard]] static Status load(std::string_view /*text*/) { return {}; }
  static constexpr std::string_view name() { return "uniform"; }
};

static_assert(EnsemblePolicy<UniformPolicy>);

}  // namespace cuco
