// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <tl/expected.hpp>

#include "cuco/core/chat.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/diff_patch.hpp"
#include "cuco/edit/edit_result.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/frozen_check.hpp"
#include "cuco/edit/full_rewrite.hpp"
#include "cuco/edit/reply_text.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/mutate/impl/prompt_text.hpp"
#include "cuco/mutate/impl/propose_edit.hpp"

namespace cuco::impl {

/// Whether some line of `reply` opens a SEARCH/REPLACE block.
CUCO_EVOLVE_INLINE bool has_search_block(std::string_view reply) {
  constexpr std::string_view kOpening = "<<<<<<<";
  for (auto at = reply.find(kOpening); at != std::string_view::npos; at = reply.find(kOpening, at + 1)) {
    auto const line = at == 0 ? 0 : reply.rfind('\n', at - 1) + 1;  // npos + 1 is 0
    if (reply.substr(line, at - line).find_first_not_of(" \t") == std::string_view::npos) return true;
  }
  return false;
}

/// Tokens that each turn after the first may add to a request, besides the replies that still fit.
inline constexpr int kTurnTokens = 900;
inline constexpr std::size_t kTurnFeedbackCharacters = 2800;

/// One conversation about one parent.
class EditConversation {
 public:
  EditConversation(LlmEdit edit,
                   MutationContext const& context,
                   LlmMutatorOptions const& options,
                   LlmMutatorMemory& memory,
                   AskModel const& ask)
      : edit_(edit), context_(context), options_(options), memory_(memory), ask_(ask) {}

  Result<Mutation> run(MutationPrompt prompt, std::optional<double> temperature) {
    prompt_ = std::move(prompt);
    std::string last;  // why the last reply was of no use
    int const attempts = std::max(1, options_.attempts);
    for (int attempt = 1; attempt <= attempts && !give_up_; ++attempt) {
      ChatRequest request;
      request.system = prompt_.system;
      request.messages = messages();
      request.temperature = temperature;
      request.max_tokens = options_.max_tokens;
      request.effort = options_.effort;
      auto reply = ask_(request);
      if (!reply) return failed(std::move(reply).error());
      spent_.add(reply->cost_usd);
      auto edited = read(*reply);
      if (edited) return mutation(*std::move(edited), *reply, attempt, temperature);
      last = edited.error().cause;
      if (auto told = tell(*std::move(reply), std::move(edited).error(), attempts - attempt); !told)
        return forward_error(std::move(told));
    }
    return tl::unexpected<Error>(
        with_spent(Error{ErrorCode::kNotFound,
                         fmt::format("no reply for a {} could be used: {}", to_string(edit_), last)},
                   spent_));
  }

 private:
  /// A reply that is no mutation: why, and the template of the turn that says so.
  struct Refusal {
    std::string cause;
    char const* text;
    std::map<std::string, std::string> values{};
    bool repeat = true;  ///< Whether the reply is worth showing to its author again.
  };
  struct Turn {
    ChatMessage reply;     ///< Without text: not repeated.
    std::size_t size = 0;  ///< Of the reply, characters.
    std::string feedback;
  };

  /// A kNotFound of the backend says nothing about the parent: a replay or a script lacks the answer.
  tl::unexpected<Error> failed(Error error) {
    spent_.add(billed_usd(error));
    if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kInvalidArgument;
    return tl::unexpected<Error>(with_spent(std::move(error), spent_));
  }

  tl::expected<Edited, Refusal> read(ChatReply const& reply) {
    auto refuse = [](Refusal refusal) { return tl::unexpected<Refusal>(std::move(refusal)); };
    switch (reply.finish) {
      case FinishReason::kLength:
        return refuse({fmt::format("the reply was cut off at {} tokens", options_.max_tokens),
                       "mutate_reply_cut_off",
                       {{"max_tokens", std::to_string(options_.max_tokens)}},
                       false});
      case FinishReason::kFiltered:
        return refuse({"the provider withheld the reply", "mutate_reply_withheld", {}, false});
      case FinishReason::kToolUse:
        return refuse({"the model asked for a tool", "mutate_reply_tools", {}, false});
      case FinishReason::kEnd: break;
    }
    auto const& parent = context_.parent.code;
    bool const patch = edit_ == LlmEdit::kDiff || (edit_ == LlmEdit::kFix && has_search_block(reply.text));
    auto edited = patch ? apply_diff_patch(parent, reply.text) : apply_full_rewrite(parent, reply.text);
    if (edited)
      if (auto frozen = check_frozen(parent, edited->code); !frozen)
        edited = tl::unexpected<EditProblem>(EditProblem{EditFault::kFrozen, to_line(frozen.error())});
    if (!edited)
      return refuse({fmt::format("{}: {}", to_string(edited.error().fault), edited.error().cause),
                     "mutate_failed_edit",
                     {{"feedback", shorten_lines(to_feedback(edited.error()), kTurnFeedbackCharacters)}}});
    if (memory_.known.holds(edited->code, parent, context_.known_codes)) {
      give_up_ = std::exchange(told_known_, true);
      return refuse({"the proposed program exists already", "mutate_known_program"});
    }
    return *std::move(edited);
  }

  Status tell(ChatReply&& reply, Refusal&& refusal, int left) {
    refusal.values["left"] = std::to_string(left);
    auto feedback = fill_prompt(*memory_.prompts, refusal.text, refusal.values);
    if (!feedback) return tl::unexpected<Error>(with_spent(std::move(feedback).error(), spent_));
    Turn turn;
    turn.reply.role = ChatMessage::Role::kAssistant;
    turn.size = reply.text.size();
    if (refusal.repeat) {
      turn.reply.text = std::move(reply.text);
      turn.reply.provider_state = std::move(reply.provider_state);
    }
    turn.feedback = *std::move(feedback);
    turns_.push_back(std::move(turn));
    return {};
  }

  /// The conversation so far. What the model wrote is repeated as far as it fits, the newest first.
  std::vector<ChatMessage> messages() {
    std::vector<ChatMessage> out{{ChatMessage::Role::kUser, prompt_.user}};
    auto const budget = static_cast<std::size_t>(std::max(0, options_.prompt_tokens)) * 4;
    auto used = prompt_.system.size() + prompt_.user.size() +
                turns_.size() * static_cast<std::size_t>(kTurnTokens) * 4;
    // Earlier thinking goes back to the provider with its reply, and may be longer than that.
    auto size_of = [](Turn const& turn) { return turn.reply.text.size() + turn.reply.provider_state.size(); };
    std::size_t first = turns_.size();
    while (first > 0 && used + size_of(turns_[first - 1]) <= budget) used += size_of(turns_[--first]);
    for (std::size_t i = 0; i < turns_.size(); ++i) {
      auto const& turn = turns_[i];
      if (i >= first && !turn.reply.text.empty()) {
        out.push_back(turn.reply);
      } else {
        auto text =
            memory_.prompts->fill("mutate_reply_left_out", {{"characters", std::to_string(turn.size)}});
        out.push_back({ChatMessage::Role::kAssistant, text ? *std::move(text) : "(left out)"});
      }
      out.push_back({ChatMessage::Role::kUser, turn.feedback});
    }
    return out;
  }

  Mutation mutation(Edited&& edited,
                    ChatReply const& reply,
                    int attempt,
                    std::optional<double> temperature) const {
    Mutation out;
    auto title = read_title(reply.text);
    out.code = std::move(edited.code);
    out.patch_type = to_string(edit_);
    out.name = std::move(title.name);
    out.description = std::move(title.description);
    out.cost_usd = spent_.usd;
    auto& metadata = out.metadata;
    metadata.push_back({"model_name", reply.model});
    if (temperature) metadata.push_back({"temperature", fmt::format("{}", *temperature)});
    metadata.push_back({"patch_attempt", std::to_string(attempt)});
    metadata.push_back({"num_applied", std::to_string(edited.edits)});
    if (!edited.notes.empty())
      metadata.push_back({"notes", fmt::format("{}", fmt::join(edited.notes, "\n"))});
    if (!prompt_.dropped.empty())
      metadata.push_back({"prompt_trimmed", fmt::format("{}", fmt::join(prompt_.dropped, ", "))});
    return out;
  }

  LlmEdit edit_;
  MutationContext const& context_;
  LlmMutatorOptions const& options_;
  LlmMutatorMemory& memory_;
  AskModel const& ask_;
  MutationPrompt prompt_{};
  std::vector<Turn> turns_{};
  Spent spent_{};
  bool told_known_ = false;
  bool give_up_ = false;
};

CUCO_EVOLVE_INLINE Status need_prompts(std::shared_ptr<PromptLibrary const>& prompts,
                                       std::string const& folder) {
  if (prompts) return {};
  auto loaded = PromptLibrary::load(folder);
  if (!loaded) {
    auto error = std::move(loaded).error();
    if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kToolMissing;
    return tl::unexpected<Error>(std::move(error));
  }
  prompts = std::make_shared<PromptLibrary const>(*std::move(loaded));
  return {};
}

/// Programs that the parent can be combined with.
CUCO_EVOLVE_INLINE std::vector<Program const*> partners(MutationContext const& context) {
  std::vector<Program const*> out;
  for (auto const* list : {&context.archive_inspirations, &context.top_k_inspirations})
    for (auto const& program : *list)
      if (program.code != context.parent.code) out.push_back(&program);
  return out;
}

CUCO_EVOLVE_INLINE Result<Mutation> propose_edit(LlmEdit edit,
                                                 MutationContext const& context,
                                                 Rng& rng,
                                                 LlmMutatorOptions const& options,
                                                 LlmMutatorMemory& memory,
                                                 AskModel const& ask) {
  static constexpr std::array<char const*, 5> kVariants = {
      "default", "different", "motivated", "structural", "parametric"};
  auto const blocks = find_evolve_blocks(context.parent.code, "<parent>");
  if (!blocks || blocks->empty())
    return fail(ErrorCode::kNotFound,
                blocks ? "the parent has no EVOLVE block"
                       : "the parent's markers are unsound: " + to_line(blocks.error()),
                "put EVOLVE-BLOCK markers around what may change");
  if (edit == LlmEdit::kFix && context.parent.correct)
    return fail(ErrorCode::kNotFound, "the parent is correct, there is nothing to repair");

  PromptPlan plan;
  plan.edit = edit;
  plan.blocks = &*blocks;
  Attributes drawn;
  if (edit == LlmEdit::kFull) {
    auto const* variant = kVariants[rng.below(kVariants.size())];
    plan.format = std::string("mutate_full_format_") + variant;
    drawn.push_back({"patch_variant", variant});
  } else {
    plan.format = std::string("mutate_") + to_string(edit) + "_format";
  }
  if (edit == LlmEdit::kCross) {
    auto const others = partners(context);
    if (others.empty())
      return fail(ErrorCode::kNotFound, "there is no other program to combine the parent with");
    plan.partner = others[rng.below(others.size())];
    drawn.push_back({"cross_inspiration", plan.partner->id.value});
  }
  auto const& temperatures =
      context.phase == Phase::kExplore ? options.explore_temperatures : options.exploit_temperatures;
  std::optional<double> temperature;
  if (!temperatures.empty()) temperature = temperatures[rng.below(temperatures.size())];

  if (auto loaded = need_prompts(memory.prompts, options.prompts); !loaded)
    return forward_error(std::move(loaded));
  auto first = options;
  first.prompt_tokens -= kTurnTokens * (std::max(1, options.attempts) - 1);
  auto prompt = write_mutation_prompt(*memory.prompts, context, first, plan);
  if (!prompt) {
    auto error = std::move(prompt).error();
    // Another program, or another pair, may fit; when a seed does not, nothing will.
    bool const seed = context.parent.parent_id.empty() && edit != LlmEdit::kCross;
    if (error.code == ErrorCode::kRefused && !seed) error.code = ErrorCode::kNotFound;
    return tl::unexpected<Error>(std::move(error));
  }
  auto mutation = EditConversation(edit, context, options, memory, ask).run(*std::move(prompt), temperature);
  if (mutation) mutation->metadata.insert(mutation->metadata.end(), drawn.begin(), drawn.end());
  return mutation;
}

}  // namespace cuco::impl
