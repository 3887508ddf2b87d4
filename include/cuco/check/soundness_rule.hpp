// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace cuco {

/// Something that a program with device-initiated communication must not do.
struct SoundnessRule {
  std::string_view id;      ///< "unawaited-data"
  std::string_view title;   ///< One line: what is wrong.
  std::string_view reason;  ///< Why it goes wrong, and when it seems to work.
  std::string_view remedy;  ///< What to do.
};

/// All rules, in the order of the documentation.
[[nodiscard]] std::span<SoundnessRule const> soundness_rules();
/// Null when there is no such rule.
[[nodiscard]] SoundnessRule const* find_soundness_rule(std::string_view id);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/check/soundness_rule-inl.hpp"
#endif
