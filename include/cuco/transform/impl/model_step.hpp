// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/prompt_library.hpp"
#include "cuco/transform/llm_step_options.hpp"

/// @file
/// Steps in which a model only adds lines: what it may add, checked by the rules. The bytes of the result are
/// always those of the program; of the reply only the added lines are taken.

namespace cuco::impl::transforming {

/// A program, or one line on why the reply is no good.
using Accepted = tl::expected<std::string, std::string>;

/// `code` with the marker lines of `reply`, which must be `code` line for line but for them (blanks at line
/// ends and at the ends of the text aside), and whose blocks must hold some of the work and nothing that has
/// to be frozen.
[[nodiscard]] Accepted with_markers_of(std::string_view code,
                                       std::string_view reply,
                                       std::string const& file);

/// `code` with the lines that `reply` adds, which must be one run of lines before the timed region, in frozen
/// text, that does some of the timed work and neither prints, allocates, times, leaves nor assigns to
/// anything of its surroundings.
[[nodiscard]] Accepted with_warmup_of(std::string_view code, std::string_view reply, std::string const& file);

/// The code of a whole reply, or why there is none.
[[nodiscard]] Accepted code_of(ChatReply const& reply);

/// What one call said and cost.
struct Asked {
  Accepted code = tl::unexpected<std::string>("nobody was asked");
  std::optional<double> cost_usd = 0.0;
};

/// Asks for a program. Whatever goes wrong is a reason to do without the model.
template <class B>
[[nodiscard]] Asked ask_for_program(B& backend,
                                    LlmStepOptions const& options,
                                    std::string const& name,
                                    std::map<std::string, std::string> const& values) {
  Asked out;
  auto refuse = [&](Error const& error) {
    out.code = tl::unexpected<std::string>(to_line(error));
    return out;
  };
  auto library = PromptLibrary::load(options.prompts);
  if (!library) return refuse(library.error());
  auto question = library->fill(name, values);
  if (!question) return refuse(question.error());
  ChatRequest chat;
  chat.messages.push_back({ChatMessage::Role::kUser, std::move(*question)});
  chat.max_tokens = options.max_tokens;
  chat.temperature = options.temperature;
  chat.effort = options.effort;
  auto reply = backend.complete(chat);
  if (!reply) return refuse(reply.error());
  out.cost_usd = reply->cost_usd;
  out.code = code_of(*reply);
  return out;
}

}  // namespace cuco::impl::transforming

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/impl/model_step-inl.hpp"
#endif
