// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/wire/anthropic_wire.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"

namespace cuco::wire {

CUCO_EVOLVE_INLINE Error anthropic_error(Json const& json) {
  static std::map<std::string, long> const statuses = {{"invalid_request_error", 400},
                                                       {"authentication_error", 401},
                                                       {"billing_error", 402},
                                                       {"permission_error", 403},
                                                       {"not_found_error", 404},
                                                       {"request_too_large", 413},
                                                       {"rate_limit_error", 429},
                                                       {"api_error", 500},
                                                       {"timeout_error", 504},
                                                       {"overloaded_error", 529}};
  auto const known = statuses.find(text_at(at(json, "error"), "type"));
  return provider_error(
      "anthropic", known == statuses.end() ? 500 : known->second, std::nullopt, error_words(dump(json)));
}

CUCO_EVOLVE_INLINE TokenUsage anthropic_usage(Json const& json) {
  TokenUsage usage;
  usage.cache_read = count_at(json, "cache_read_input_tokens");
  usage.cache_written = count_at(json, "cache_creation_input_tokens");
  usage.input = count_at(json, "input_tokens") + usage.cache_read + usage.cache_written;
  usage.output = count_at(json, "output_tokens");
  usage.thinking = count_at(at(json, "output_tokens_details"), "thinking_tokens");
  return usage;
}

/// Everything that a whole reply and a merged stream have in common.
CUCO_EVOLVE_INLINE Result<ChatReply> anthropic_read(Json const& json) {
  if (!json.is_object()) return malformed("anthropic", "it is not a JSON object");
  if (at(json, "error").is_object()) return tl::unexpected<Error>(anthropic_error(json));
  Json const& content = at(json, "content");
  if (!content.is_array()) return malformed("anthropic", "it has no content");
  ChatReply reply;
  bool keep = false;
  bool has_json = false;
  for (Json const& block : content) {
    std::string const type = text_at(block, "type");
    if (type == "text") {
      reply.text += text_at(block, "text");
    } else if (type == "tool_use") {
      Json const& input = at(block, "input");
      // Cut off in the middle, its arguments are text that is no JSON.
      std::string arguments = input.is_string() ? input.get<std::string>() : dump(input);
      if (input.is_null()) arguments = "{}";
      if (text_at(block, "name") == kJsonTool) {
        reply.text = std::move(arguments);
        has_json = true;
      } else {
        reply.tool_calls.push_back({text_at(block, "id"), text_at(block, "name"), std::move(arguments)});
      }
    } else {
      reply.thinking += text_at(block, "thinking");
      keep = true;
    }
  }
  if (keep) reply.provider_state = dump(Json{{"provider", "anthropic"}, {"content", content}});
  reply.usage = anthropic_usage(at(json, "usage"));
  std::string const reason = text_at(json, "stop_reason");
  if (reason == "end_turn" || reason == "stop_sequence") {
    reply.finish = FinishReason::kEnd;
  } else if (reason == "max_tokens" || reason == "model_context_window_exceeded") {
    reply.finish = FinishReason::kLength;
  } else if (reason == "refusal") {
    reply.finish = FinishReason::kFiltered;
  } else if (reason == "tool_use") {
    reply.finish = has_json && reply.tool_calls.empty() ? FinishReason::kEnd : FinishReason::kToolUse;
  } else if (reason.empty()) {
    return counted(no_finish("anthropic"), reply, false);
  } else {
    return counted(unknown_finish("anthropic", reason), reply);
  }
  return reply;
}

CUCO_EVOLVE_INLINE Result<ChatReply> anthropic_reply(std::string_view body) {
  Json const json = parse(body);
  if (json.is_discarded()) return malformed("anthropic", "it is not JSON");
  return guarded("anthropic", [&] { return anthropic_read(json); });
}

/// Merges the events into the message that a whole reply would have been.
class AnthropicDecoder final : public SseDecoder {
 public:
  explicit AnthropicDecoder(OnText on_text) : SseDecoder("anthropic", std::move(on_text)) {}
  [[nodiscard]] std::optional<TokenUsage> counted() const override {
    if (!message_.is_object()) return std::nullopt;
    return anthropic_usage(at(message_, "usage"));
  }

 private:
  [[nodiscard]] Status take(std::string const&, Json& event) override {
    std::string const type = text_at(event, "type");
    if (type == "message_start") {
      if (!at(event, "message").is_object()) return malformed(provider_, "a stream begins without a message");
      message_ = std::move(event["message"]);
      message_["content"] = Json::array();
    } else if (type == "content_block_start") {
      Json* block = block_at(event, true);
      if (block == nullptr) return malformed(provider_, "blocks of the stream are out of order");
      *block = at(event, "content_block");
      tell(text_at(*block, "text"));
    } else if (type == "content_block_delta") {
      Json* block = block_at(event, false);
      if (block == nullptr) return malformed(provider_, "blocks of the stream are out of order");
      Json const& delta = at(event, "delta");
      std::string const kind = text_at(delta, "type");
      if (kind == "text_delta") {
        append_text(*block, delta, "text");
        tell(text_at(delta, "text"));
      } else if (kind == "thinking_delta") {
        append_text(*block, delta, "thinking");
      } else if (kind == "signature_delta") {
        append_text(*block, delta, "signature");
      } else if (kind == "input_json_delta") {
        inputs_[block - &message_["content"][0]] += text_at(delta, "partial_json");
      }
    } else if (type == "message_delta") {
      if (!message_.is_object()) return malformed(provider_, "a stream begins without a message");
      message_["stop_reason"] = at(at(event, "delta"), "stop_reason");
      Json const& usage = at(event, "usage");
      if (usage.is_object())
        for (auto const& [key, value] : usage.items())
          if (!value.is_null()) message_["usage"][key] = value;
    } else if (type == "message_stop") {
      ended_ = true;
    } else if (type == "error") {
      return tl::unexpected<Error>(anthropic_error(event));
    }
    return {};
  }

  [[nodiscard]] Result<ChatReply> complete() override {
    if (!ended_ || !message_.is_object()) return no_finish(provider_);
    for (auto& [index, text] : inputs_) {
      if (text.empty()) continue;
      Json input = parse(text);
      message_["content"][static_cast<std::size_t>(index)]["input"] =
          input.is_discarded() ? Json(std::move(text)) : std::move(input);
    }
    return anthropic_read(message_);
  }

  [[nodiscard]] Json* block_at(Json const& event, bool fresh) {
    if (!message_.is_object()) return nullptr;
    Json& content = message_["content"];
    auto const index = static_cast<std::size_t>(count_at(event, "index"));
    if (index > content.size() || (index == content.size()) != fresh) return nullptr;
    if (fresh) content.push_back(Json::object());
    return content[index].is_object() ? &content[index] : nullptr;
  }

  Json message_{};
  std::map<std::ptrdiff_t, std::string> inputs_{};
};

CUCO_EVOLVE_INLINE std::unique_ptr<ReplyDecoder> anthropic_decoder(OnText on_text) {
  return std::make_unique<AnthropicDecoder>(std::move(on_text));
}

}  // namespace cuco::wire
