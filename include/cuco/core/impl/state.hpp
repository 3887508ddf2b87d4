// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#include "cuco/core/mutation.hpp"

/// @file
/// The optional members of selectors and mutators, detected in one place.

namespace cuco::impl {

template <class T>
concept KeepsState = requires(T const& c, T& m, std::string_view state) {
  { c.save() } -> std::convertible_to<std::string>;
  m.load(state);
};
template <class T>
concept KnowsPhase = requires(T& m, Phase phase) {
  m.on_phase(phase);
};
template <class T>
concept TellsName = requires(T const& c) {
  { c.name() } -> std::convertible_to<std::string_view>;
};

/// What `part` wants kept across a restart; empty when it has no state.
template <class T>
std::string save_state(T const& part) {
  if constexpr (KeepsState<T>) {
    return part.save();
  } else {
    return {};
  }
}

template <class T>
void load_state([[maybe_unused]] T& part, [[maybe_unused]] std::string_view state) {
  if constexpr (KeepsState<T>) part.load(state);
}

/// Two states as one text: length of the first, a colon, the first, the second.
inline std::string join_states(std::string const& first, std::string const& second) {
  return std::to_string(first.size()) + ':' + first + second;
}

struct SplitStates {
  std::string_view first{};
  std::string_view second{};
  bool valid = false;
};

/// The inverse of `join_states`; not valid for other text.
inline SplitStates split_states(std::string_view state) {
  std::size_t length = 0;
  auto const [stop, error] = std::from_chars(state.data(), state.data() + state.size(), length);
  auto const digits = static_cast<std::size_t>(stop - state.data());
  if (error != std::errc{} || digits >= state.size() || state[digits] != ':') return {};
  state.remove_prefix(digits + 1);
  if (length > state.size()) return {};
  return {state.substr(0, length), state.substr(length), true};
}

template <class T>
void set_phase([[maybe_unused]] T& part, [[maybe_unused]] Phase phase) {
  if constexpr (KnowsPhase<T>) part.on_phase(phase);
}

template <class T>
std::string name_of([[maybe_unused]] T const& part, std::string_view fallback) {
  if constexpr (TellsName<T>) {
    return std::string(part.name());
  } else {
    return std::string(fallback);
  }
}

}  // namespace cuco::impl
