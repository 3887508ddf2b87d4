// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "cuco/core/chat.hpp"

namespace cuco {

/// How a model is asked for a whole program with a few lines more.
struct LlmStepOptions {
  std::string prompts{};  ///< Folder of the templates; empty: the library's own.
  int max_tokens = 32768;
  std::optional<double> temperature = 0.0;  ///< Empty: the provider's default.
  Effort effort = Effort::kDefault;
};

}  // namespace cuco
