// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cuco/analysis/lexer.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/mutate/impl/mutation_prompt.hpp"
#include "cuco/mutate/impl/prompt_text.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE ApiUse api_use(std::string_view code) {
  ApiUse use;
  auto const stream = lex(code);
  if (!stream) return {true, true};
  for (auto const& token : stream->tokens) {
    if (!token.active || token.kind != TokenKind::kIdentifier) continue;
    auto const word = token.text;
    if (word.rfind("ncclGin", 0) == 0) use.gin = true;
    if (word == "ncclLsaBarrierSession" || word == "ncclGetLsaPointer" || word == "ncclGetPeerPointer" ||
        word == "lsaPtr" || word == "peerPtr" || word == "ncclLLA2ASession")
      use.lsa = true;
  }
  return use;
}

CUCO_EVOLVE_INLINE std::string line_ranges(std::string_view code, bool mutable_ones) {
  auto const blocks = find_evolve_blocks(code);
  return blocks ? line_ranges(code, *blocks, mutable_ones) : "none";
}

CUCO_EVOLVE_INLINE std::string line_ranges(std::string_view code,
                                           std::vector<EvolveBlock> const& blocks,
                                           bool mutable_ones) {
  auto const lines = static_cast<std::uint32_t>(std::count(code.begin(), code.end(), '\n')) +
                     (code.empty() || code.back() == '\n' ? 0U : 1U);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
  std::uint32_t next = 1;
  for (auto const& block : blocks) {
    if (mutable_ones) {
      ranges.emplace_back(block.start_line + 1, block.end_line - 1);
    } else {
      ranges.emplace_back(next, block.start_line);
    }
    next = block.end_line;
  }
  if (!mutable_ones) ranges.emplace_back(next, lines);
  std::string out;
  for (auto const& [first, last] : ranges) {
    if (first > last) continue;  // an empty block
    if (!out.empty()) out += ", ";
    out += first == last ? fmt::format("{}", first) : fmt::format("{} to {}", first, last);
  }
  return out.empty() ? "none" : out;
}

CUCO_EVOLVE_INLINE Result<std::string> fill_prompt(PromptLibrary const& prompts,
                                                   std::string_view name,
                                                   std::map<std::string, std::string> const& values) {
  auto text = prompts.fill(name, values);
  if (!text && text.error().code == ErrorCode::kNotFound) text.error().code = ErrorCode::kToolMissing;
  return text;
}

/// A prompt in the making: text that stays, and sections that may go.
class PromptDraft {
 public:
  PromptDraft(PromptLibrary const& prompts,
              MutationContext const& context,
              LlmMutatorOptions const& options,
              PromptPlan const& plan)
      : prompts_(prompts), context_(context), options_(options), plan_(plan) {}

  Result<MutationPrompt> write() {
    system_text();
    parent_text();
    inspiration_items();
    failure_items();
    if (plan_.edit != LlmEdit::kFix) recommendations_text();
    feedback_text();
    if (error_) return tl::unexpected<Error>(*error_);

    MutationPrompt out;
    auto const budget = static_cast<std::size_t>(std::max(0, options_.prompt_tokens));
    for (auto const& item : drop_order()) {
      if (estimated_tokens(system_.size() + user().size()) <= budget) break;
      *item.text = {};
      out.dropped.push_back(item.name);
    }
    out.user = user();
    if (error_) return tl::unexpected<Error>(*error_);
    if (auto const needed = estimated_tokens(system_.size() + out.user.size()); needed > budget)
      return fail(
          ErrorCode::kRefused,
          fmt::format(
              "the {} prompt needs about {} tokens for program and format alone, over the budget of {}",
              to_string(plan_.edit),
              needed,
              budget),
          "allow more prompt tokens");
    out.system = std::move(system_);
    return out;
  }

 private:
  struct Item {
    std::string name;
    std::string text;  ///< Empty: dropped.
  };
  struct Droppable {
    std::string name;
    std::string* text;
  };
  static constexpr std::size_t kFeedbackCharacters = 6000;
  static constexpr std::size_t kFailureCharacters = 1500;
  static constexpr std::size_t kChangeCharacters = 4000;

  std::string fill(std::string_view name, std::map<std::string, std::string> const& values = {}) {
    auto text = fill_prompt(prompts_, name, values);
    if (text) return *std::move(text);
    if (!error_) error_ = std::move(text).error();
    return {};
  }

  void system_text() {
    auto const use = api_use(context_.parent.code);
    bool const neither = !use.lsa && !use.gin;
    std::string format;
    if (plan_.edit == LlmEdit::kFull) {
      format = fill(plan_.format, {{"reply_format", fill("mutate_code_reply")}});
    } else if (plan_.edit == LlmEdit::kDiff) {
      format = fill(plan_.format, {{"reply_format", fill("mutate_diff_reply")}});
    } else if (plan_.edit == LlmEdit::kCross) {
      format = fill(plan_.format, {{"reply_format", fill("mutate_code_reply")}});
    } else {
      format = fill(plan_.format,
                    {{"diff_reply", fill("mutate_diff_reply")}, {"code_reply", fill("mutate_code_reply")}});
    }
    system_ = paragraphs({fill("mutate_system"),
                          context_.task.empty() ? "" : fill("mutate_task", {{"task", context_.task}}),
                          fill("api_card_common"),
                          use.lsa || neither ? fill("api_card_lsa") : "",
                          use.gin || neither ? fill("api_card_gin") : "",
                          options_.hardware.empty() ? "" : fill("hardware", {{"facts", options_.hardware}}),
                          format});
  }

  void parent_text() {
    auto const& parent = context_.parent;
    auto const lines = [&](bool mutable_ones) {
      return plan_.blocks != nullptr ? line_ranges(parent.code, *plan_.blocks, mutable_ones)
                                     : line_ranges(parent.code, mutable_ones);
    };
    parent_ = fill("mutate_parent",
                   {{"result", result_line(parent)},
                    {"mutable_lines", lines(true)},
                    {"frozen_lines", lines(false)},
                    {"code", fenced(parent.code)}});
    if (plan_.partner != nullptr)
      partner_ = fill("mutate_cross_partner",
                      {{"title", program_title(*plan_.partner)},
                       {"result", result_line(*plan_.partner)},
                       {"code", fenced(plan_.partner->code)}});
    iteration_ = fill(std::string("mutate_iteration_") + to_string(plan_.edit));
  }

  void add_inspirations(std::vector<Program> const& programs, char const* kind, std::vector<Item>& to) {
    for (auto const& program : programs) {
      if (plan_.partner != nullptr && program.id == plan_.partner->id) continue;
      to.push_back({fmt::format("{} inspiration {}", kind, program.id.value),
                    fill("mutate_history_item",
                         {{"title", program_title(program)},
                          {"result", result_line(program)},
                          {"code", fenced(program.code)}})});
    }
  }
  void inspiration_items() {
    add_inspirations(context_.archive_inspirations, "archive", archive_);
    add_inspirations(context_.top_k_inspirations, "top-k", top_k_);
  }

  void failure_items() {
    if (context_.failures == nullptr) return;
    for (auto const& failure : *context_.failures) {
      auto const description =
          attribute_or(failure.metadata, "patch_description", "(Its author did not describe it.)");
      failures_.push_back(
          {"failure " + failure.id.value,
           fill("mutate_failure_item",
                {{"title", program_title(failure)},
                 {"description", shorten_lines(description, kFailureCharacters)},
                 {"result", result_line(failure)},
                 {"feedback",
                  failure.text_feedback.empty() ? "(No details.)"
                                                : shorten_lines(failure.text_feedback, kFailureCharacters)},
                 {"change", change_of(failure)}})});
    }
  }

  static std::string change_of(Program const& failure) {
    auto const& diff = failure.code_diff;
    if (diff.size() <= kChangeCharacters) return fenced(diff, "diff");
    return fmt::format("(a change of {} lines, not shown)", std::count(diff.begin(), diff.end(), '\n'));
  }

  void recommendations_text() {
    if (!context_.recommendations.empty())
      recommendations_ = fill("mutate_recommendations", {{"recommendations", context_.recommendations}});
  }

  void feedback_text() {
    if (context_.parent.text_feedback.empty()) return;
    feedback_ = fill("mutate_feedback",
                     {{"feedback", shorten_lines(context_.parent.text_feedback, kFeedbackCharacters)}});
  }

  /// What goes first when it is too much. The text of a repair is the feedback, so there it stays.
  std::vector<Droppable> drop_order() {
    std::vector<Droppable> out;
    auto add = [&out](Item& item) {
      if (!item.text.empty()) out.push_back({item.name, &item.text});
    };
    for (auto item = failures_.rbegin(); item != failures_.rend(); ++item) add(*item);
    for (std::size_t i = archive_.size(); i > 1; --i) add(archive_[i - 1]);
    for (auto item = top_k_.rbegin(); item != top_k_.rend(); ++item) add(*item);
    if (!recommendations_.empty()) out.push_back({"recommendations", &recommendations_});
    if (!feedback_.empty() && plan_.edit != LlmEdit::kFix) out.push_back({"feedback", &feedback_});
    if (!archive_.empty()) add(archive_.front());
    return out;
  }

  static std::string joined(std::vector<Item> const& items, std::vector<Item> const& more = {}) {
    std::vector<std::string> texts;
    for (auto const& item : items) texts.push_back(item.text);
    for (auto const& item : more) texts.push_back(item.text);
    return paragraphs(texts);
  }

  std::string user() {
    auto const inspirations = joined(archive_, top_k_);
    auto const failures = joined(failures_);
    return paragraphs({inspirations.empty() ? "" : fill("mutate_inspirations", {{"items", inspirations}}),
                       recommendations_,
                       partner_,
                       parent_,
                       feedback_,
                       failures.empty() ? "" : fill("mutate_failures", {{"items", failures}}),
                       iteration_});
  }

  PromptLibrary const& prompts_;
  MutationContext const& context_;
  LlmMutatorOptions const& options_;
  PromptPlan const& plan_;
  std::optional<Error> error_{};
  std::string system_{};
  std::vector<Item> archive_{};
  std::vector<Item> top_k_{};
  std::vector<Item> failures_{};
  std::string recommendations_{};
  std::string partner_{};
  std::string parent_{};
  std::string feedback_{};
  std::string iteration_{};
};

CUCO_EVOLVE_INLINE Result<MutationPrompt> write_mutation_prompt(PromptLibrary const& prompts,
                                                                MutationContext const& context,
                                                                LlmMutatorOptions const& options,
                                                                PromptPlan const& plan) {
  return PromptDraft(prompts, context, options, plan).write();
}

}  // namespace cuco::impl
