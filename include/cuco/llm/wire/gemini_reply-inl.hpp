// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/wire/gemini_wire.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"

namespace cuco::wire {

CUCO_EVOLVE_INLINE Error gemini_error(Json const& json) {
  auto const code = status_at(at(json, "error"), "code");
  return provider_error("gemini", code.value_or(500), std::nullopt, error_words(dump(json)));
}

CUCO_EVOLVE_INLINE TokenUsage gemini_usage(Json const& json) {
  TokenUsage usage;
  usage.input = count_at(json, "promptTokenCount") + count_at(json, "toolUsePromptTokenCount");
  usage.cache_read = count_at(json, "cachedContentTokenCount");
  usage.thinking = count_at(json, "thoughtsTokenCount");
  usage.output = count_at(json, "candidatesTokenCount") + usage.thinking;
  return usage;
}

CUCO_EVOLVE_INLINE Result<ChatReply> gemini_read(Json const& json) {
  if (!json.is_object()) return malformed("gemini", "it is not a JSON object");
  if (at(json, "error").is_object()) return tl::unexpected<Error>(gemini_error(json));
  ChatReply reply;
  reply.usage = gemini_usage(at(json, "usageMetadata"));
  Json const& candidate = item(at(json, "candidates"), 0);
  if (!candidate.is_object()) {
    std::string const blocked = text_at(at(json, "promptFeedback"), "blockReason");
    if (blocked.empty()) return counted(malformed("gemini", "it has no candidate"), reply, false);
    reply.finish = FinishReason::kFiltered;
    return reply;
  }
  Json const& parts = at(at(candidate, "content"), "parts");
  bool keep = false;
  for (Json const& part : parts) {
    keep = keep || !text_at(part, "thoughtSignature").empty();
    Json const& call = at(part, "functionCall");
    if (call.is_object()) {
      std::string id = text_at(call, "id");
      if (id.empty()) id = kOwnCallId + std::to_string(reply.tool_calls.size() + 1);
      Json const& arguments = at(call, "args");
      reply.tool_calls.push_back(
          {std::move(id), text_at(call, "name"), arguments.is_object() ? dump(arguments) : "{}"});
    } else if (at(part, "thought") == Json(true)) {
      reply.thinking += text_at(part, "text");
    } else {
      reply.text += text_at(part, "text");
    }
  }
  if (keep) reply.provider_state = dump(Json{{"provider", "gemini"}, {"parts", parts}});
  std::string const reason = text_at(candidate, "finishReason");
  auto const is = [&](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), reason) != words.end();
  };
  if (reason == "STOP") {
    reply.finish = reply.tool_calls.empty() ? FinishReason::kEnd : FinishReason::kToolUse;
  } else if (reason == "MAX_TOKENS") {
    reply.finish = FinishReason::kLength;
  } else if (is({"SAFETY",
                 "RECITATION",
                 "LANGUAGE",
                 "BLOCKLIST",
                 "PROHIBITED_CONTENT",
                 "SPII",
                 "IMAGE_SAFETY"})) {
    reply.finish = FinishReason::kFiltered;
  } else if (is({"MALFORMED_FUNCTION_CALL",
                 "MALFORMED_RESPONSE",
                 "UNEXPECTED_TOOL_CALL",
                 "TOO_MANY_TOOL_CALLS",
                 "MISSING_THOUGHT_SIGNATURE",
                 "OTHER"})) {
    return counted(tl::unexpected<Error>(provider_error(
                       "gemini", 200, std::nullopt, "the model failed: finish reason " + reason)),
                   reply);
  } else if (reason.empty()) {
    return counted(no_finish("gemini"), reply, false);
  } else {
    return counted(unknown_finish("gemini", reason), reply);
  }
  return reply;
}

CUCO_EVOLVE_INLINE Result<ChatReply> gemini_reply(std::string_view body) {
  Json const json = parse(body);
  if (json.is_discarded()) return malformed("gemini", "it is not JSON");
  return guarded("gemini", [&] { return gemini_read(json); });
}

/// Every event is a reply of its own; their parts are joined.
class GeminiDecoder final : public SseDecoder {
 public:
  explicit GeminiDecoder(OnText on_text) : SseDecoder("gemini", std::move(on_text)) {}
  [[nodiscard]] std::optional<TokenUsage> counted() const override {
    if (!has_candidate_ && !usage_.is_object()) return std::nullopt;
    return gemini_usage(usage_);
  }

 private:
  [[nodiscard]] Status take(std::string const&, Json& event) override {
    if (at(event, "error").is_object()) return tl::unexpected<Error>(gemini_error(event));
    if (at(event, "usageMetadata").is_object()) usage_ = std::move(event["usageMetadata"]);
    if (at(event, "promptFeedback").is_object()) feedback_ = std::move(event["promptFeedback"]);
    Json const& candidate = item(at(event, "candidates"), 0);
    if (!candidate.is_object()) return {};
    has_candidate_ = true;
    for (Json const& part : at(at(candidate, "content"), "parts")) add(part);
    if (at(candidate, "finishReason").is_string()) reason_ = at(candidate, "finishReason");
    return {};
  }

  void add(Json const& part) {
    if (!part.is_object()) return;
    bool const thought = at(part, "thought") == Json(true);
    if (!thought && at(part, "text").is_string()) tell(text_at(part, "text"));
    // A part with a signature stays as it came.
    bool const joins = !parts_.empty() && at(part, "text").is_string() &&
                       at(parts_.back(), "text").is_string() &&
                       (at(parts_.back(), "thought") == Json(true)) == thought &&
                       !parts_.back().contains("thoughtSignature") && !part.contains("thoughtSignature");
    if (joins) {
      append_text(parts_.back(), part, "text");
    } else {
      parts_.push_back(part);
    }
  }

  [[nodiscard]] Result<ChatReply> complete() override {
    Json json;
    if (has_candidate_) {
      Json candidate;
      candidate["content"]["parts"] = std::move(parts_);
      candidate["finishReason"] = std::move(reason_);
      json["candidates"] = Json::array();
      json["candidates"].push_back(std::move(candidate));
    }
    json["usageMetadata"] = std::move(usage_);
    json["promptFeedback"] = std::move(feedback_);
    return gemini_read(json);
  }

  Json parts_ = Json::array();
  Json usage_{};
  Json feedback_{};
  Json reason_{};
  bool has_candidate_ = false;
};

CUCO_EVOLVE_INLINE std::unique_ptr<ReplyDecoder> gemini_decoder(OnText on_text) {
  return std::make_unique<GeminiDecoder>(std::move(on_text));
}

}  // namespace cuco::wire
