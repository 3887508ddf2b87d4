// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/openai_chat_wire.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"

namespace cuco::wire {

CUCO_EVOLVE_INLINE Error chat_error(std::string const& provider, Json const& json) {
  Json const& error = at(json, "error");
  long status = status_at(error, "code").value_or(500);
  std::string const kind = text_at(error, "type") + " " + text_at(error, "code");
  auto const is = [&](char const* word) { return kind.find(word) != std::string::npos; };
  if (is("rate_limit") || is("insufficient_quota")) status = 429;
  if (is("authentication") || is("invalid_api_key")) status = 401;
  if (is("invalid_request") || is("context_length_exceeded")) status = 400;
  return provider_error(provider, status, std::nullopt, error_words(dump(json)));
}

/// Some servers leave the model's thinking in its text, between tags at the very beginning.
CUCO_EVOLVE_INLINE void split_off_thinking(ChatReply& reply) {
  auto const start = reply.text.find_first_not_of(" \t\r\n");
  if (start == std::string::npos) return;
  for (std::string const tag : {"think", "thought"}) {
    std::string const open = "<" + tag + ">";
    std::string const close = "</" + tag + ">";
    if (reply.text.compare(start, open.size(), open) != 0) continue;
    auto const begin = start + open.size();
    auto const end = reply.text.find(close, begin);
    // Cut off while it thought: there is no answer.
    reply.thinking += reply.text.substr(begin, end == std::string::npos ? end : end - begin);
    if (end == std::string::npos) {
      reply.text.clear();
    } else {
      auto const answer = reply.text.find_first_not_of("\r\n", end + close.size());
      reply.text = answer == std::string::npos ? std::string() : reply.text.substr(answer);
    }
    return;
  }
}

/// Text that is a string, or a list of parts.
CUCO_EVOLVE_INLINE std::string chat_text(Json const& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (content.is_array())
    for (Json const& part : content) text += text_at(part, "text");
  return text;
}

CUCO_EVOLVE_INLINE TokenUsage chat_usage(Json const& json) {
  TokenUsage usage;
  usage.input = count_at(json, "prompt_tokens");
  usage.output = count_at(json, "completion_tokens");
  Json const& prompt = at(json, "prompt_tokens_details");
  usage.cache_read = std::max(count_at(prompt, "cached_tokens"), count_at(json, "prompt_cache_hit_tokens"));
  usage.cache_written = count_at(prompt, "cache_write_tokens");
  usage.thinking = count_at(at(json, "completion_tokens_details"), "reasoning_tokens");
  return usage;
}

/// What OpenRouter says a reply cost. With a key of one's own, the provider behind it bills its part itself.
CUCO_EVOLVE_INLINE std::optional<double> openrouter_cost(Json const& usage) {
  auto const price = [](Json const& value) -> std::optional<double> {
    if (!value.is_number() || !(value.get<double>() >= 0)) return std::nullopt;
    return value.get<double>();
  };
  auto const cost = price(at(usage, "cost"));
  if (!cost || at(usage, "is_byok") != Json(true)) return cost;
  auto const upstream = price(at(at(usage, "cost_details"), "upstream_inference_cost"));
  // Without it only a part of the price is known.
  return upstream ? std::optional(*cost + *upstream) : std::nullopt;
}

CUCO_EVOLVE_INLINE Result<ChatReply> chat_read(std::string const& provider, Json const& json) {
  if (!json.is_object()) return malformed(provider, "it is not a JSON object");
  if (!at(json, "error").is_null()) return tl::unexpected<Error>(chat_error(provider, json));
  Json const& choice = item(at(json, "choices"), 0);
  if (!choice.is_object()) return malformed(provider, "it has no choice");
  if (!at(choice, "error").is_null()) return tl::unexpected<Error>(chat_error(provider, choice));
  Json const& message = at(choice, "message");
  ChatReply reply;
  reply.text = chat_text(at(message, "content"));
  reply.thinking = text_at(message, "reasoning_content");
  if (reply.thinking.empty()) reply.thinking = text_at(message, "reasoning");
  split_off_thinking(reply);
  int number = 0;
  for (Json const& call : at(message, "tool_calls")) {
    Json const& function = at(call, "function");
    Json const& arguments = at(function, "arguments");
    std::string text = arguments.is_string() ? arguments.get<std::string>() : dump(arguments);
    if (arguments.is_null() || text.empty()) text = "{}";
    // Without an id the answer could not say which call it belongs to.
    std::string id = text_at(call, "id");
    ++number;
    if (id.empty()) id = "call_" + std::to_string(number);
    reply.tool_calls.push_back({std::move(id), text_at(function, "name"), std::move(text)});
  }
  Json state{{"provider", "chat"}};
  if (at(message, "reasoning_details").is_array() && !at(message, "reasoning_details").empty())
    state["reasoning_details"] = at(message, "reasoning_details");
  // DeepSeek wants its thinking back in the turns that called tools, and only there.
  if (!reply.tool_calls.empty() && !text_at(message, "reasoning_content").empty())
    state["reasoning_content"] = at(message, "reasoning_content");
  if (state.size() > 1) reply.provider_state = dump(state);

  Json const& usage = at(json, "usage");
  reply.usage = chat_usage(usage);
  if (provider == "openrouter") reply.cost_usd = openrouter_cost(usage);

  std::string const reason = text_at(choice, "finish_reason");
  std::string const refusal = text_at(message, "refusal");
  if (reason == "length") {
    reply.finish = FinishReason::kLength;
  } else if (reason == "content_filter" || (reason == "stop" && !refusal.empty())) {
    reply.finish = FinishReason::kFiltered;
    if (reply.text.empty()) reply.text = refusal;
  } else if (reason == "tool_calls" || (reason == "stop" && !reply.tool_calls.empty())) {
    reply.finish = FinishReason::kToolUse;
  } else if (reason == "stop" || reason == "eos") {
    reply.finish = FinishReason::kEnd;
  } else if (reason == "insufficient_system_resource") {
    return counted(tl::unexpected<Error>(provider_error(provider, 503, std::nullopt, reason)), reply);
  } else if (reason == "error") {
    return counted(
        tl::unexpected<Error>(provider_error(provider, 502, std::nullopt, "the model failed midway")), reply);
  } else if (reason.empty()) {
    return counted(no_finish(provider), reply, false);
  } else {
    return counted(unknown_finish(provider, reason), reply);
  }
  return reply;
}

CUCO_EVOLVE_INLINE Result<ChatReply> chat_reply(std::string const& provider, std::string_view body) {
  Json const json = parse(body);
  if (json.is_discarded()) return malformed(provider, "it is not JSON");
  return guarded(provider, [&] { return chat_read(provider, json); });
}

/// Merges the chunks into the completion that a whole reply would have been.
class ChatDecoder final : public SseDecoder {
 public:
  ChatDecoder(std::string provider, OnText on_text) : SseDecoder(std::move(provider), std::move(on_text)) {}
  [[nodiscard]] std::optional<TokenUsage> counted() const override {
    if (!begun_ && !usage_.is_object()) return std::nullopt;
    return chat_usage(usage_);
  }

 private:
  [[nodiscard]] Status take(std::string const&, Json& chunk) override {
    if (!at(chunk, "error").is_null()) return tl::unexpected<Error>(chat_error(provider_, chunk));
    if (at(chunk, "usage").is_object()) usage_ = std::move(chunk["usage"]);
    Json const& choice = item(at(chunk, "choices"), 0);
    if (!choice.is_object()) return {};
    if (!at(choice, "error").is_null()) return tl::unexpected<Error>(chat_error(provider_, choice));
    begun_ = true;
    Json const& delta = at(choice, "delta");
    for (char const* key : {"content", "refusal", "reasoning_content", "reasoning"})
      append_text(message_, delta, key);
    tell(text_at(delta, "content"));
    for (Json const& detail : at(delta, "reasoning_details")) add_detail(detail);
    for (Json const& call : at(delta, "tool_calls")) {
      // A few servers send each call whole and without an index.
      bool const indexed = at(call, "index").is_number_integer();
      add_call(indexed ? count_at(call, "index") : static_cast<std::int64_t>(calls_.size()), call);
    }
    if (at(choice, "finish_reason").is_string()) finish_reason_ = at(choice, "finish_reason");
    return {};
  }

  [[nodiscard]] Result<ChatReply> complete() override {
    for (auto& [index, call] : calls_) message_["tool_calls"].push_back(std::move(call));
    Json choice{{"message", std::move(message_)}, {"finish_reason", finish_reason_}};
    Json json;
    json["choices"] = Json::array();
    json["choices"].push_back(std::move(choice));
    json["usage"] = std::move(usage_);
    return chat_read(provider_, json);
  }

  void add_call(std::int64_t index, Json const& piece) {
    Json& call = calls_[index];
    if (call.is_null()) call = Json::object();
    if (!text_at(piece, "id").empty()) call["id"] = at(piece, "id");
    Json const& function = at(piece, "function");
    if (!at(function, "name").is_null()) append_text(call["function"], function, "name");
    Json const& arguments = at(function, "arguments");
    if (arguments.is_object()) {
      call["function"]["arguments"] = arguments;
    } else {
      append_text(call["function"], function, "arguments");
    }
  }

  /// Pieces of one detail have the same index and type; their texts are joined.
  void add_detail(Json const& piece) {
    Json& details = message_["reasoning_details"];
    if (details.is_array() && !details.empty()) {
      Json& last = details.back();
      bool const same = at(piece, "index").is_number() && at(last, "index") == at(piece, "index") &&
                        text_at(last, "type") == text_at(piece, "type");
      if (same) {
        for (char const* key : {"text", "summary", "data"}) append_text(last, piece, key);
        if (at(piece, "signature").is_string()) last["signature"] = at(piece, "signature");
        return;
      }
    }
    if (piece.is_object()) details.push_back(piece);
  }

  Json message_ = Json::object();
  Json usage_{};
  Json finish_reason_{};
  bool begun_ = false;
  std::map<std::int64_t, Json> calls_{};
};

CUCO_EVOLVE_INLINE std::unique_ptr<ReplyDecoder> chat_decoder(std::string const& provider, OnText on_text) {
  return std::make_unique<ChatDecoder>(provider, std::move(on_text));
}

}  // namespace cuco::wire
