// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/evolve/impl/meta_summary.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/mutate/impl/mutation_prompt.hpp"
#include "cuco/mutate/impl/prompt_text.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE Result<MetaSummary::Text> MetaSummary::ask_for(
    std::string_view name,
    std::map<std::string, std::string> const& values,
    AskModel const& ask,
    std::optional<double>& cost) const {
  auto system = fill_prompt(*prompts_, "summary_system");
  if (!system) return forward_error(std::move(system));
  auto prompt = fill_prompt(*prompts_, name, values);
  if (!prompt) return forward_error(std::move(prompt));
  ChatRequest request;
  request.system = *std::move(system);
  request.messages.push_back({ChatMessage::Role::kUser, *std::move(prompt)});
  request.temperature = options_.temperature;
  request.max_tokens = options_.max_tokens;
  request.effort = options_.effort;
  auto reply = ask(request);
  if (!reply) {
    // Not a part of `cost`: a run that goes on has the rows of one in which nothing failed.
    Spent const billed{billed_usd(reply.error())};
    return tl::unexpected<Error>(with_spent(std::move(reply).error(), billed));
  }
  Spent spent{cost};
  spent.add(reply->cost_usd);
  cost = spent.usd;
  auto useless = [](std::string const& why) {
    log_warning("meta-summary: " + why + "; the last recommendations stay");
    return Text();
  };
  if (reply->finish != FinishReason::kEnd)
    return useless(fmt::format("the reply is of no use (finish reason {})", to_string(reply->finish)));
  auto text = shorten_lines(reply->text, reply->text.size());
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return useless("the reply is empty");
  return Text(std::move(text));
}

CUCO_EVOLVE_INLINE Result<MetaSummary::Text> MetaSummary::ask_about(Program const& program,
                                                                    AskModel const& ask,
                                                                    std::optional<double>& cost) const {
  constexpr std::size_t kSummaryCharacters = 2000;
  constexpr std::size_t kFeedbackCharacters = 3000;
  auto text = ask_for(
      "summary_program",
      {{"title", program_title(program)},
       {"result", result_line(program)},
       {"description", attribute_or(program.metadata, "patch_description", "(nothing)")},
       {"change", program.code_diff.empty() ? fenced(program.code) : fenced(program.code_diff, "diff")},
       {"feedback",
        program.text_feedback.empty() ? "(none)"
                                      : shorten_lines(program.text_feedback, kFeedbackCharacters)}},
      ask,
      cost);
  if (!text || !*text) return text;
  return Text(fmt::format("{}\n({}, {})",
                          shorten_lines(**text, kSummaryCharacters),
                          program_title(program),
                          program.correct ? "correct" : "failed"));
}

CUCO_EVOLVE_INLINE std::string MetaSummary::best_text() const {
  if (best_.id.empty()) return "No program is correct yet.";
  return paragraphs({program_title(best_) + "\nResult: " + result_line(best_), fenced(best_.code)});
}

CUCO_EVOLVE_INLINE Result<MetaSummary::Text> MetaSummary::ask_insights(std::string const& summaries,
                                                                       AskModel const& ask,
                                                                       std::optional<double>& cost) const {
  auto record = ask_for("summary_insights",
                        {{"summaries", summaries},
                         {"previous", memory_.record.empty() ? "(none yet)" : memory_.record},
                         {"best", best_text()}},
                        ask,
                        cost);
  if (!record || !*record) return record;
  return Text(shorten_lines(**record, options_.record_characters));
}

CUCO_EVOLVE_INLINE Result<MetaSummary::Text> MetaSummary::ask_recommendations(
    std::string const& insights, AskModel const& ask, std::optional<double>& cost) const {
  auto text = ask_for("summary_recommendations",
                      {{"insights", insights},
                       {"previous", memory_.recommendations.empty() ? "(none yet)" : memory_.recommendations},
                       {"best", best_text()},
                       {"count", std::to_string(options_.recommendations)}},
                      ask,
                      cost);
  if (!text || !*text) return text;
  return Text(shorten_lines(**text, options_.recommendation_characters));
}

CUCO_EVOLVE_INLINE void MetaSummary::write_text(std::int64_t programs,
                                                std::string const& summaries,
                                                std::string const& record,
                                                std::string const& recommendations) const {
  if (options_.directory.empty()) return;
  auto const text = fmt::format(
      "# INDIVIDUAL PROGRAM SUMMARIES\n\n{}\n\n# GLOBAL INSIGHTS SCRATCHPAD\n\n{}\n\n# META "
      "RECOMMENDATIONS\n\n{}\n",
      summaries,
      record,
      recommendations);
  if (auto written = write_file_atomic(fmt::format("{}/meta_{}.txt", options_.directory, programs), text);
      !written)
    log_warning("meta-summary: " + to_line(written.error()));
}

}  // namespace cuco::impl
