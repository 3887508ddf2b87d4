// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cuco/core/api.hpp"
#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/prompt_library.hpp"
#include "cuco/transform/rewrite.hpp"

/// @file
/// What a model is told about a transformation, and what its answer means.

namespace cuco::impl::transforming {

/// What of the prompts does not depend on the attempt.
struct TransformPrompts {
  PromptLibrary const& library;
  Api api;
  std::string const& reference;  ///< A device-initiated program to learn from; may be empty.
  std::string const& hardware;   ///< Facts about the machine; may be empty.
};

/// `text` in a code fence that is longer than every run of backticks in it.
[[nodiscard]] std::string fenced(std::string_view text);

/// What kernels may call: the parts of the card for `api`. Errors: those of `PromptLibrary::fill`.
[[nodiscard]] Result<std::string> api_card(PromptLibrary const& library, Api api);

/// The system text. Errors: those of `PromptLibrary::fill`.
[[nodiscard]] Result<std::string> system_text(TransformPrompts const& prompts);

/// A section with an example program; empty without one.
[[nodiscard]] std::string reference_text(std::string const& reference);

/// What `stage` asks for, right for the stage and the interface. Errors: those of `PromptLibrary::fill`.
[[nodiscard]] Result<std::string> stage_task(PromptLibrary const& library, Api api, TransformStage stage);

/// How an attempt ended, with the errors or the head and tail of the output, and what a rerun found.
[[nodiscard]] std::string outcome_text(TransformIteration const& iteration);

/// One line per attempt of the request's history; "none" without any.
[[nodiscard]] std::string history_text(RewriteRequest const& request);

/// The attempt before the requested one at the same stage, or null.
[[nodiscard]] TransformIteration const* last_attempt(RewriteRequest const& request);

/// The conversation that asks for the request's next attempt. Every attempt is a conversation of its own: the
/// first turn, and after a failure the latest program and what became of it.
/// @param diagnosis of the attempt before; may be empty.
/// Errors: those of `PromptLibrary::fill`.
[[nodiscard]] Result<ChatRequest> conversation(TransformPrompts const& prompts,
                                               RewriteRequest const& request,
                                               std::string const& diagnosis);

/// The program in a reply, or why there is none: it was cut off or withheld, holds no code, or is not whole.
[[nodiscard]] Rewrite read_program(ChatReply const& reply, RewriteRequest const& request);

/// The turns of a conversation as one text, for people.
[[nodiscard]] std::string turns_text(ChatRequest const& chat);

/// At most `words` words of `text`, without fenced blocks and blanks at its ends.
[[nodiscard]] std::string prose(std::string_view text, std::size_t words);

/// Adds what a call cost; unknown stays unknown.
void add_cost(std::optional<double>& sum, std::optional<double> const& cost);

}  // namespace cuco::impl::transforming

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/impl/conversation-inl.hpp"
#endif
