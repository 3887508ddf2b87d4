// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// A program that is not summarised yet.
struct PendingProgram {
  Program program{};                   ///< Only the id is set while the run has not shown it.
  std::string summary{};               ///< Not empty: the model's part is done, a later step is not.
  std::optional<double> cost_usd = 0;  ///< Of a summary made for a conclusion, which no `Advice` has told.
};

/// What a summariser knows between two calls; the content of `meta_memory.json`.
struct MetaMemory {
  std::string summaries{};  ///< Of the last programs summarised, for readers.
  std::string record{};
  std::string recommendations{};
  std::vector<std::string> history{};        ///< The last recommendations, the current ones included.
  std::int64_t processed = 0;                ///< Programs summarised or passed over.
  std::vector<std::string> processed_ids{};  ///< Sorted, each once.
  std::vector<PendingProgram> pending{};
  std::string draft{};             ///< The next record, while the recommendations are missing.
  std::string draft_of{};          ///< Hash of the summaries it was made of.
  std::string concluded{};         ///< Hash of the summaries of the last conclusion.
  std::optional<double> owed = 0;  ///< Spent and not told in an `Advice` yet; empty: unknown.
  int advised = -1;                ///< Generation of the last advice that cost something.
  std::optional<double> told = 0;  ///< What that advice said it cost.
};

/// Text of `meta_memory.json`; of `pending`, ids and summaries.
[[nodiscard]] std::string to_json(MetaMemory const& memory);
/// Errors: kParse.
[[nodiscard]] Result<MetaMemory> meta_memory_from_json(std::string const& text, std::string const& file);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/impl/meta_memory-inl.hpp"
#endif
