// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cuco/core/chat.hpp"

namespace cuco::wire {

/// How a request asks for a JSON reply. Each falls back to the next when the server does not know it.
enum class JsonMode : std::uint8_t {
  kSchema,  ///< The provider's own structured output, with the schema.
  kLoose,   ///< A weaker feature: JSON without a schema, or a tool that must be called.
  kPrompt,  ///< Only the instruction in the prompt.
};

/// What a server has shown that it does not take. Models of one provider differ, names do not tell all of it,
/// and servers that imitate a provider lack parts: a request that is refused with status 400 for one of these
/// is sent again without it, and later requests of the same backend leave it out from the start.
struct Dialect {
  JsonMode json = JsonMode::kSchema;
  bool no_temperature = false;
  bool other_max_tokens = false;  ///< The other of "max_tokens" and "max_completion_tokens".
  bool no_stream_options = false;
  bool no_cache = false;
  bool no_encrypted_state = false;
  /// Claude: take budgets ("manual") or the adaptive mode, against what the name of the model suggests.
  enum class Thinking : std::uint8_t { kByName, kAdaptive, kManual, kLeaveOut } thinking = Thinking::kByName;
  int effort_step = 0;    ///< How many of the words for an effort were refused.
  bool no_state = false;  ///< Leaves `provider_state` out. Of one conversation, so it is never remembered.
  bool operator==(Dialect const&) const = default;
};

/// Which of these a wire format can change: the others' names in an error are about something else.
struct Knobs {
  bool temperature = true;
  bool max_tokens = false;
  bool stream_options = false;
  bool cache = false;
  bool encrypted_state = false;
  bool claude_thinking = false;
  bool effort = false;
};

/// Adapts `dialect` to the refusal `message` of `request`. False when nothing in it can be changed; it
/// changes at least one thing otherwise, and only a bounded number of times.
[[nodiscard]] bool learn(Dialect& dialect,
                         Knobs const& knobs,
                         ChatRequest const& request,
                         std::string_view message);

/// `known` with what `learned` has in addition, but for `no_state`, which is of one conversation.
[[nodiscard]] Dialect joined(Dialect known, Dialect const& learned);

/// What requests in `after` lack that those in `before` had, in words for a log.
[[nodiscard]] std::string what_is_left_out(Dialect const& before, Dialect const& after);

/// A request as JSON, and how it asks for a JSON reply.
struct Body {
  std::string text{};
  JsonMode json = JsonMode::kSchema;
};

/// The instruction of `JsonMode::kPrompt`, to be appended to the system text.
[[nodiscard]] std::string json_instruction(std::string const& schema);

/// Name of the tool that carries a JSON reply in `JsonMode::kLoose` of Anthropic and Bedrock.
inline constexpr char const* kJsonTool = "json_reply";

}  // namespace cuco::wire

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/wire/dialect-inl.hpp"
#endif
