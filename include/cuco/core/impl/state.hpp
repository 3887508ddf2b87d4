// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>
#include <string_view>

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
[[nodiscard]] std::string join_states(std::string const& first, std::string const& second);

struct SplitStates {
  std::string_view first{};
  std::string_view second{};
  bool valid = false;
};

/// The inverse of `join_states`; not valid for other text.
[[nodiscard]] SplitStates split_states(std::string_view state);

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

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/core/impl/state-inl.hpp"
#endif
