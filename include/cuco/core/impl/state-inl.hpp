// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/impl/state.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string join_states(std::string const& first, std::string const& second) {
  return std::to_string(first.size()) + ':' + first + second;
}

CUCO_EVOLVE_INLINE SplitStates split_states(std::string_view state) {
  std::size_t length = 0;
  auto const [stop, error] = std::from_chars(state.data(), state.data() + state.size(), length);
  auto const digits = static_cast<std::size_t>(stop - state.data());
  if (error != std::errc{} || digits >= state.size() || state[digits] != ':') return {};
  state.remove_prefix(digits + 1);
  if (length > state.size()) return {};
  return {state.substr(0, length), state.substr(length), true};
}

}  // namespace cuco::impl
