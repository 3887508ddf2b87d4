// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cuco/core/event.hpp"
#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evolve/advice.hpp"
#include "cuco/evolve/meta_summariser_options.hpp"
#include "cuco/llm/prompt_library.hpp"
#include "cuco/mutate/impl/ask_model.hpp"

namespace cuco::impl {

/// A program that is not summarised yet.
struct PendingProgram {
  Program program{};      ///< Only the id is set while the run has not shown it.
  std::string summary{};  ///< Not empty: the model's part is done, a later step failed.
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
  std::optional<double> owed = 0;  ///< Spent and not told in an `Advice` yet; empty: unknown.
  int advised = -1;                ///< Generation of the last advice that cost something.
  std::optional<double> told = 0;  ///< What that advice said it cost.
};

/// Text of `meta_memory.json`; of `pending`, ids and summaries.
[[nodiscard]] std::string to_json(MetaMemory const& memory);
/// Errors: kParse.
[[nodiscard]] Result<MetaMemory> meta_memory_from_json(std::string const& text, std::string const& file);

/// The summariser without its backend, so that bodies are compiled once.
class MetaSummary {
 public:
  explicit MetaSummary(MetaSummariserOptions options) : options_(std::move(options)) {}

  void on(Event const& event);
  [[nodiscard]] Result<Advice> advise(int generation, AskModel const& ask);
  [[nodiscard]] std::string const& recommendations() const { return memory_.recommendations; }

 private:
  void remember();
  void take(Program const& program);
  void pass_over();
  void note_processed(std::string const& id);
  [[nodiscard]] Status summarise(AskModel const& ask);
  [[nodiscard]] Result<std::string> ask_for(std::string prompt, AskModel const& ask);
  void keep();
  [[nodiscard]] std::string file() const;

  MetaSummariserOptions options_;
  std::shared_ptr<PromptLibrary const> prompts_{};
  MetaMemory memory_{};
  Program best_{};  ///< Empty id: none.
  bool remembered_ = false;
  std::optional<Error> broken_{};  ///< The memory cannot be read.
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/impl/meta_summary-inl.hpp"
#endif
