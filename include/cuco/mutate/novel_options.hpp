// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>

#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/prompt_library.hpp"

namespace cuco {

/// When `Novel` takes a proposal for one that exists already.
struct NovelOptions {
  int attempts = 3;  ///< Proposals at most for one mutation.
  /// A proposal with the settings (numbers, library names) of a known program, and a cosine with it above
  /// this, is not new.
  double threshold = 0.995;
  AnyBackend judge{};  ///< Asked about what is above the threshold; empty: that is rejected.
  std::optional<PromptLibrary> prompts{};  ///< The judge's; empty: `PromptLibrary::load()`.
  /// Cuts texts before they are embedded, for embedders that take no longer ones; 0: none. What differs only
  /// behind the cut is then taken for the same.
  std::size_t most_characters = 0;
};

}  // namespace cuco
