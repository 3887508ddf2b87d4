// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/event_stream.hpp"
#include "cuco/llm/wire/bedrock_wire.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"

namespace cuco::wire {

CUCO_EVOLVE_INLINE TokenUsage bedrock_usage(Json const& json) {
  TokenUsage usage;
  usage.cache_read = count_at(json, "cacheReadInputTokens");
  usage.cache_written = count_at(json, "cacheWriteInputTokens");
  usage.input = count_at(json, "inputTokens") + usage.cache_read + usage.cache_written;
  usage.output = count_at(json, "outputTokens");
  return usage;
}

CUCO_EVOLVE_INLINE Result<ChatReply> bedrock_read(Json const& json) {
  if (!json.is_object()) return malformed("bedrock", "it is not a JSON object");
  Json const& content = at(at(at(json, "output"), "message"), "content");
  std::string const reason = text_at(json, "stopReason");
  ChatReply reply;
  if (!content.is_array() && reason.empty()) return malformed("bedrock", "it has no message");
  bool keep = false;
  bool has_json = false;
  for (Json const& block : content) {
    reply.text += text_at(block, "text");
    Json const& use = at(block, "toolUse");
    if (use.is_object()) {
      Json const& input = at(use, "input");
      std::string arguments = input.is_string() ? input.get<std::string>() : dump(input);
      if (input.is_null()) arguments = "{}";
      if (text_at(use, "name") == kJsonTool) {
        reply.text = std::move(arguments);
        has_json = true;
      } else {
        reply.tool_calls.push_back({text_at(use, "toolUseId"), text_at(use, "name"), std::move(arguments)});
      }
    }
    Json const& reasoning = at(block, "reasoningContent");
    if (reasoning.is_object()) {
      reply.thinking += text_at(at(reasoning, "reasoningText"), "text");
      keep = true;
    }
  }
  if (keep) reply.provider_state = dump(Json{{"provider", "bedrock"}, {"content", content}});
  reply.usage = bedrock_usage(at(json, "usage"));
  if (reason == "end_turn" || reason == "stop_sequence") {
    // Some models say so after a call too.
    reply.finish = reply.tool_calls.empty() ? FinishReason::kEnd : FinishReason::kToolUse;
  } else if (reason == "max_tokens" || reason == "model_context_window_exceeded") {
    reply.finish = FinishReason::kLength;
  } else if (reason == "guardrail_intervened" || reason == "content_filtered" || reason == "refusal") {
    reply.finish = FinishReason::kFiltered;
  } else if (reason == "tool_use") {
    reply.finish = has_json && reply.tool_calls.empty() ? FinishReason::kEnd : FinishReason::kToolUse;
  } else if (reason == "malformed_model_output" || reason == "malformed_tool_use") {
    return counted(tl::unexpected<Error>(provider_error(
                       "bedrock", 200, std::nullopt, "the model failed: stop reason " + reason)),
                   reply);
  } else if (reason.empty()) {
    return counted(no_finish("bedrock"), reply, false);
  } else {
    return counted(unknown_finish("bedrock", reason), reply);
  }
  return reply;
}

CUCO_EVOLVE_INLINE Result<ChatReply> bedrock_reply(std::string_view body) {
  Json const json = parse(body);
  if (json.is_discarded()) return malformed("bedrock", "it is not JSON");
  return guarded("bedrock", [&] { return bedrock_read(json); });
}

/// Merges the messages of the binary stream into the reply that a whole one would have been.
class BedrockDecoder final : public ReplyDecoder {
 public:
  explicit BedrockDecoder(OnText on_text) : on_text_(std::move(on_text)) {}

  [[nodiscard]] Status feed(std::string_view bytes) override {
    std::vector<impl::StreamMessage> messages;
    auto const fed = parser_.feed(bytes, messages);
    for (impl::StreamMessage const& message : messages) {
      auto taken = guarded("bedrock", [&] { return take(message); });
      if (!taken) return taken;
    }
    if (!fed) return malformed("bedrock", fed.error().cause);
    return {};
  }
  /// The stream has no last message of its own: usage follows the stop reason.
  [[nodiscard]] bool ended() const override { return has_usage_ && !reason_.is_null(); }

  [[nodiscard]] std::optional<TokenUsage> counted() const override {
    if (!begun_) return std::nullopt;
    return bedrock_usage(usage_);
  }

  [[nodiscard]] Result<ChatReply> finish() override {
    if (!parser_.at_boundary() || reason_.is_null()) return no_finish("bedrock");
    return guarded("bedrock", [&]() -> Result<ChatReply> {
      Json json;
      Json& content = json["output"]["message"]["content"];
      content = Json::array();
      for (auto& [index, block] : blocks_) {
        if (block.contains("toolUse")) {
          Json& input = block["toolUse"]["input"];
          Json parsed = input.is_string() ? parse(input.get_ref<std::string const&>()) : Json::object();
          if (!parsed.is_discarded()) input = std::move(parsed);
        }
        content.push_back(std::move(block));
      }
      json["stopReason"] = std::move(reason_);
      json["usage"] = std::move(usage_);
      return bedrock_read(json);
    });
  }

 private:
  [[nodiscard]] Status take(impl::StreamMessage const& message) {
    std::string const kind = message.header(":message-type");
    if (kind == "exception" || kind == "error") return exception(message);
    Json const json = parse(message.payload);
    if (!json.is_object()) return malformed("bedrock", "a message of the stream is not a JSON object");
    std::string const type = message.header(":event-type");
    begun_ = true;
    if (type == "contentBlockStart") {
      Json& block = block_of(json);
      Json const& use = at(at(json, "start"), "toolUse");
      if (use.is_object()) {
        block["toolUse"] = use;
        block["toolUse"]["input"] = std::string();
      }
    } else if (type == "contentBlockDelta") {
      Json& block = block_of(json);
      Json const& delta = at(json, "delta");
      append_text(block, delta, "text");
      if (on_text_ && !text_at(delta, "text").empty()) on_text_(text_at(delta, "text"));
      if (at(delta, "toolUse").is_object()) append_text(block["toolUse"], at(delta, "toolUse"), "input");
      Json const& reasoning = at(delta, "reasoningContent");
      if (reasoning.is_object()) {
        Json& kept = block["reasoningContent"];
        if (reasoning.contains("redactedContent")) append_text(kept, reasoning, "redactedContent");
        for (char const* key : {"text", "signature"})
          if (reasoning.contains(key)) append_text(kept["reasoningText"], reasoning, key);
      }
    } else if (type == "messageStop") {
      if (at(json, "stopReason").is_string()) reason_ = at(json, "stopReason");
    } else if (type == "metadata") {
      usage_ = at(json, "usage");
      has_usage_ = true;
    }
    return {};
  }

  [[nodiscard]] static Status exception(impl::StreamMessage const& message) {
    static std::map<std::string, long> const statuses = {{"validationException", 400},
                                                         {"accessDeniedException", 403},
                                                         {"resourceNotFoundException", 404},
                                                         {"modelTimeoutException", 408},
                                                         {"modelStreamErrorException", 424},
                                                         {"modelErrorException", 424},
                                                         {"throttlingException", 429},
                                                         {"modelNotReadyException", 429},
                                                         {"internalServerException", 500},
                                                         {"serviceUnavailableException", 503}};
    std::string type = message.header(":exception-type");
    if (type.empty()) type = message.header(":error-code");
    std::string words = error_words(message.payload);
    if (words.empty()) words = message.header(":error-message");
    auto const known = statuses.find(type);
    return tl::unexpected<Error>(provider_error("bedrock",
                                                known == statuses.end() ? 500 : known->second,
                                                std::nullopt,
                                                words.empty() ? type : words + " (" + type + ")"));
  }

  [[nodiscard]] Json& block_of(Json const& event) {
    Json& block = blocks_[count_at(event, "contentBlockIndex")];
    if (!block.is_object()) block = Json::object();
    return block;
  }

  impl::EventStreamParser parser_{};
  OnText on_text_;
  std::map<std::int64_t, Json> blocks_{};
  Json reason_{};
  Json usage_{};
  bool has_usage_ = false;
  bool begun_ = false;
};

CUCO_EVOLVE_INLINE std::unique_ptr<ReplyDecoder> bedrock_decoder(OnText on_text) {
  return std::make_unique<BedrockDecoder>(std::move(on_text));
}

}  // namespace cuco::wire
