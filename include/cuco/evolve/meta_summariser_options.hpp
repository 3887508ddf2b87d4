// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cuco/core/chat.hpp"

namespace cuco {

/// When and how a `MetaSummariser` works.
struct MetaSummariserOptions {
  int interval = 10;        ///< New programs that start a summary.
  int recommendations = 5;  ///< How many are asked for.
  int most_at_once = 30;    ///< Of more new programs than that, the oldest are passed over.
  std::optional<double> temperature = 0.0;
  int max_tokens = 8192;  ///< Of one reply, thinking included.
  Effort effort = Effort::kDefault;
  std::size_t record_characters = 12000;         ///< The record kept between summaries is cut to that.
  std::size_t recommendation_characters = 8000;  ///< The recommendations are cut to that.
  std::string
      directory{};  ///< Where `meta_memory.json` and `meta_<n>.txt` go, usually the run's. Empty: nowhere.
  std::string prompts{};  ///< Folder of the templates; empty: as `PromptLibrary::load`.
};

}  // namespace cuco
