// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/core/chat.hpp"

namespace cuco {

/// Who was asked in a recorded run, as far as a replay must know it to ask alike: `Recording::set_up`.
struct RecordingSetup {
  struct Arm {
    std::string model;  ///< `provider:model`
    double weight = 1;
    bool operator==(Arm const&) const = default;
  };
  std::vector<Arm> arms{};  ///< In order, which the choice among them depends on.
  std::string policy{};     ///< How one of several is chosen, in the words of who recorded.
  Effort effort = Effort::kDefault;
  bool operator==(RecordingSetup const&) const = default;
};

}  // namespace cuco
