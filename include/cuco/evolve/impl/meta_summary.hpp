// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cuco/core/event.hpp"
#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evolve/advice.hpp"
#include "cuco/evolve/impl/meta_memory.hpp"
#include "cuco/evolve/meta_summariser_options.hpp"
#include "cuco/llm/prompt_library.hpp"
#include "cuco/mutate/impl/ask_model.hpp"

namespace cuco::impl {

/// The summariser without its backend, so that bodies are compiled once.
class MetaSummary {
 public:
  explicit MetaSummary(MetaSummariserOptions options) : options_(std::move(options)) {}

  void on(Event const& event);
  [[nodiscard]] Result<Advice> advise(int generation, AskModel const& ask);
  [[nodiscard]] Result<Advice> conclude(AskModel const& ask);
  [[nodiscard]] std::string const& recommendations() const { return memory_.recommendations; }

 private:
  void remember();
  void take(Program const& program);
  void pass_over();
  void note_processed(std::string const& id);
  /// Text of the model. Empty: its reply is of no use, which is logged.
  using Text = std::optional<std::string>;
  [[nodiscard]] Result<Text> ask_for(std::string_view name,
                                     std::map<std::string, std::string> const& values,
                                     AskModel const& ask,
                                     std::optional<double>& cost) const;
  [[nodiscard]] Result<Text> ask_about(Program const& program,
                                       AskModel const& ask,
                                       std::optional<double>& cost) const;
  [[nodiscard]] Result<Text> ask_insights(std::string const& summaries,
                                          AskModel const& ask,
                                          std::optional<double>& cost) const;
  [[nodiscard]] Result<Text> ask_recommendations(std::string const& insights,
                                                 AskModel const& ask,
                                                 std::optional<double>& cost) const;
  [[nodiscard]] Result<Text> ask_summaries(std::size_t first,
                                           bool concluding,
                                           AskModel const& ask,
                                           std::optional<double>& cost);
  /// What is known of the best program, for a prompt.
  [[nodiscard]] std::string best_text() const;
  [[nodiscard]] Status summarise(AskModel const& ask);
  void write_text(std::int64_t programs,
                  std::string const& summaries,
                  std::string const& record,
                  std::string const& recommendations) const;
  void keep() const;
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
