// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/core/chat.hpp"

namespace cuco {

/// What all mutators that ask a language model have in common.
struct LlmMutatorOptions {
  /// One of them is drawn for each mutation; none: the provider's default.
  std::vector<double> explore_temperatures{0.2, 0.5, 0.8};
  std::vector<double> exploit_temperatures{0.0, 0.2, 0.5};
  int attempts = 4;        ///< Replies asked for in one conversation before the mutation is given up.
  int max_tokens = 16384;  ///< Of one reply, thinking included.
  Effort effort = Effort::kDefault;
  int prompt_tokens = 48000;  ///< A request is kept below that, counting 4 characters as a token.
  std::string
      hardware{};  ///< Facts about the machine, lines of text. Empty: the prompt says nothing about it.
  std::string prompts{};  ///< Folder of the templates; empty: as `PromptLibrary::load`.
};

}  // namespace cuco
