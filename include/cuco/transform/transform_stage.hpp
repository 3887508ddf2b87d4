// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace cuco {

/// The two halves of a transformation, or both at once; each result is built, run and verified before
/// anything else is done with it.
enum class TransformStage : std::uint8_t {
  kInfrastructure,  ///< A: symmetric memory, windows, device communicator. Host collectives stay.
  kDevice,          ///< B: kernels in place of the host collectives.
  kSingle,          ///< A and B in one step.
};
constexpr char const* to_string(TransformStage stage) {
  switch (stage) {
    case TransformStage::kInfrastructure: return "infrastructure";
    case TransformStage::kDevice: return "device";
    case TransformStage::kSingle: return "single";
  }
  return "single";
}

}  // namespace cuco
