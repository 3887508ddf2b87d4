// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cuco {

/// A tool the model wants to be called.
struct ToolCall {
  std::string id;  ///< The provider's; empty where it has none.
  std::string name;
  std::string arguments;  ///< A JSON object.
  bool operator==(ToolCall const&) const = default;
};

/// One turn of a conversation with a language model.
struct ChatMessage {
  enum class Role : std::uint8_t { kUser, kAssistant, kTool };
  Role role = Role::kUser;
  std::string text;
  std::vector<ToolCall> tool_calls{};  ///< Of an assistant's turn.
  std::string tool_call_id{};          ///< Of a tool's turn: the call that `text` answers.
  /// Of an assistant's turn: what the provider wants back unchanged in the next request (signed thinking), as
  /// JSON. Empty is always allowed.
  std::string provider_state{};
  bool operator==(ChatMessage const&) const = default;
};

/// A function the model may ask for.
struct ToolSpec {
  std::string name;
  std::string description;
  std::string parameters;  ///< JSON Schema of the arguments, an object.
  bool operator==(ToolSpec const&) const = default;
};

/// How long a model may think before it answers. Models that cannot think ignore it.
enum class Effort : std::uint8_t { kDefault, kNone, kLow, kMedium, kHigh, kMax };
constexpr char const* to_string(Effort effort) {
  switch (effort) {
    case Effort::kDefault: return "default";
    case Effort::kNone: return "none";
    case Effort::kLow: return "low";
    case Effort::kMedium: return "medium";
    case Effort::kHigh: return "high";
    case Effort::kMax: return "max";
  }
  return "default";
}

/// What an `LLMBackend` is asked.
struct ChatRequest {
  std::string system;
  std::vector<ChatMessage> messages;
  std::optional<double> temperature{};  ///< Empty: the provider's default.
  int max_tokens = 16384;               ///< Of the reply, thinking included.
  Effort effort = Effort::kDefault;
  int thinking_tokens = 0;  ///< Thinking budget for providers that count it; 0: follows from `effort`.
  std::vector<ToolSpec> tools{};
  std::string json_schema{};  ///< Not empty: the reply's text is one JSON value of this JSON Schema.
  bool cache_prompt = true;   ///< Lets the provider keep system text and earlier turns, where it can.
  /// Gets the reply's text piece by piece while it arrives. Not part of what the request *is*: not recorded,
  /// not hashed, not compared.
  std::function<void(std::string_view)> on_text{};
};

/// Why a model stopped writing.
enum class FinishReason : std::uint8_t {
  kEnd,
  kLength,    ///< The text is cut off; it must not be used as code.
  kFiltered,  ///< The provider withheld the reply, or the rest of it.
  kToolUse,   ///< `tool_calls` want answers.
};
constexpr char const* to_string(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEnd: return "end";
    case FinishReason::kLength: return "length";
    case FinishReason::kFiltered: return "filtered";
    case FinishReason::kToolUse: return "tool_use";
  }
  return "end";
}

/// Tokens of one call, as the provider counts them.
struct TokenUsage {
  std::int64_t input = 0;          ///< All of the prompt, cached parts included.
  std::int64_t output = 0;         ///< Text, tool calls and thinking.
  std::int64_t cache_read = 0;     ///< Part of `input` that was read from the provider's cache.
  std::int64_t cache_written = 0;  ///< Part of `input` that was written to it.
  std::int64_t thinking = 0;       ///< Part of `output`, where the provider tells.
  bool operator==(TokenUsage const&) const = default;
  TokenUsage& operator+=(TokenUsage const& more) {
    input += more.input;
    output += more.output;
    cache_read += more.cache_read;
    cache_written += more.cache_written;
    thinking += more.thinking;
    return *this;
  }
};

/// What an `LLMBackend` answers.
struct ChatReply {
  std::string text;
  FinishReason finish = FinishReason::kEnd;
  std::vector<ToolCall> tool_calls{};
  std::string thinking{};        ///< What the provider shows of the model's reasoning; never code.
  std::string provider_state{};  ///< For `ChatMessage::provider_state` of the turn that follows.
  std::string model{};           ///< `provider:model` that answered.
  TokenUsage usage{};
  std::optional<double> cost_usd{};  ///< Empty: unknown, which is not free.
  std::string recorded_as{};         ///< The name of the call in a recording; empty: it is in none.
  bool from_record = false;          ///< The recording answered; nobody was asked.
};

}  // namespace cuco
