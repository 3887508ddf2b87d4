// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cuco {

/// What a program's communication is transformed to: one of NCCL's two device-side interfaces, or both with
/// the choice left to the program.
enum class Api : std::uint8_t {
  LSA,   ///< Loads and stores to peers inside the load/store-accessible team (NVLink, PCIe).
  GIN,   ///< GPU-initiated networking: one-sided puts and signals to any rank.
  Auto,  ///< LSA on communicators whose ranks all are in one load/store team, else GIN; chosen at run time.
};

/// "lsa", "gin" or "auto".
constexpr char const* to_string(Api api) {
  switch (api) {
    case Api::LSA: return "lsa";
    case Api::GIN: return "gin";
    case Api::Auto: return "auto";
  }
  return "lsa";
}

/// From what `to_string` gives.
constexpr std::optional<Api> api_named(std::string_view name) {
  for (auto api : {Api::LSA, Api::GIN, Api::Auto})
    if (name == to_string(api)) return api;
  return std::nullopt;
}

}  // namespace cuco
