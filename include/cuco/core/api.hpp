// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace cuco {

/// The two device-side communication interfaces of NCCL that a program can be transformed to.
enum class Api : std::uint8_t {
  LSA,  ///< Loads and stores to peers inside the load/store-accessible team (NVLink, PCIe).
  GIN,  ///< GPU-initiated networking: one-sided puts and signals to any rank.
};

/// "lsa" or "gin".
constexpr char const* to_string(Api api) {
  return api == Api::LSA ? "lsa" : "gin";
}

}  // namespace cuco
