// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cuco/core/chat.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/backend_options.hpp"
#include "cuco/llm/impl/event_stream.hpp"
#include "cuco/llm/make_backend.hpp"
#include "cuco/llm/wire/anthropic_wire.hpp"
#include "cuco/llm/wire/bedrock_wire.hpp"
#include "cuco/llm/wire/gemini_wire.hpp"
#include "cuco/llm/wire/openai_chat_wire.hpp"
#include "cuco/llm/wire/openai_responses_wire.hpp"

/// @file
/// The providers' formats from the server's side, written down from their documentation.

namespace cuco_test {

using Json = nlohmann::ordered_json;

/// What a model says in one reply.
struct Say {
  std::vector<std::string> text{};  ///< In pieces, as a stream would bring it.
  std::string thinking{};
  std::string signature{};
  std::vector<cuco::ToolCall> calls{};
  cuco::FinishReason finish = cuco::FinishReason::kEnd;
  cuco::TokenUsage usage{};
  [[nodiscard]] std::string whole_text() const {
    std::string all;
    for (auto const& piece : text) all += piece;
    return all;
  }
};

inline std::string sse(Json const& data, std::string const& event = {}) {
  return (event.empty() ? "" : "event: " + event + "\n") + "data: " + data.dump() + "\n\n";
}

/// A frame of AWS's binary stream, with text headers.
inline std::string aws_frame(std::vector<std::pair<std::string, std::string>> const& headers,
                             std::string const& payload) {
  auto const number = [](std::size_t value, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
    return out;
  };
  std::string head;
  for (auto const& [name, value] : headers)
    head += number(name.size(), 1) + name + '\x07' + number(value.size(), 2) + value;
  std::string frame = number(12 + head.size() + payload.size() + 4, 4) + number(head.size(), 4);
  frame += number(cuco::impl::crc32(frame), 4);
  frame += head + payload;
  return frame + number(cuco::impl::crc32(frame), 4);
}

inline std::string aws_event(std::string const& type, Json const& payload) {
  return aws_frame({{":event-type", type}, {":content-type", "application/json"}, {":message-type", "event"}},
                   payload.dump());
}

/// Half of a text, as a server would cut a tool's arguments.
inline std::array<std::string, 2> halves(std::string const& text) {
  return {text.substr(0, text.size() / 2), text.substr(text.size() / 2)};
}

/// One provider, from the server's side.
struct Format {
  std::string provider{};
  std::string model{};
  std::string base_path{};  ///< Part of the base URL.
  std::string path{};       ///< Of a whole reply.
  std::string stream_path{};
  std::string stream_type{};
  std::string key_variable{};
  std::string key_header{};
  std::string key_prefix{};
  std::function<std::string(Say const&)> whole{};
  std::function<std::string(Say const&)> stream{};
  std::function<std::string(int status, std::string const& message)> error{};
  std::function<std::unique_ptr<cuco::wire::ReplyDecoder>(cuco::wire::OnText)> decoder{};
  std::function<cuco::Result<cuco::ChatReply>(std::string_view)> read{};
};

inline std::ostream& operator<<(std::ostream& out, Format const& format) {
  return out << format.provider;
}

inline Json anthropic_usage(cuco::TokenUsage const& usage) {
  return Json{{"input_tokens", usage.input - usage.cache_read - usage.cache_written},
              {"cache_creation_input_tokens", usage.cache_written},
              {"cache_read_input_tokens", usage.cache_read},
              {"output_tokens", usage.output}};
}

inline std::string anthropic_reason(cuco::FinishReason finish) {
  switch (finish) {
    case cuco::FinishReason::kEnd: return "end_turn";
    case cuco::FinishReason::kLength: return "max_tokens";
    case cuco::FinishReason::kFiltered: return "refusal";
    case cuco::FinishReason::kToolUse: return "tool_use";
  }
  return "";
}

inline std::string anthropic_whole(Say const& say) {
  Json content = Json::array();
  if (!say.thinking.empty())
    content.push_back(Json{{"type", "thinking"}, {"thinking", say.thinking}, {"signature", say.signature}});
  if (!say.text.empty()) content.push_back(Json{{"type", "text"}, {"text", say.whole_text()}});
  for (auto const& call : say.calls)
    content.push_back(Json{
        {"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", Json::parse(call.arguments)}});
  return Json{{"id", "msg_1"},
              {"type", "message"},
              {"role", "assistant"},
              {"model", "claude"},
              {"content", content},
              {"stop_reason", anthropic_reason(say.finish)},
              {"stop_sequence", nullptr},
              {"usage", anthropic_usage(say.usage)}}
      .dump();
}

inline std::string anthropic_stream(Say const& say) {
  std::string out;
  auto const event = [&](Json const& json) { out += sse(json, json["type"].get<std::string>()); };
  Json usage = anthropic_usage(say.usage);
  usage["output_tokens"] = 1;
  event(Json{{"type", "message_start"},
             {"message",
              Json{{"id", "msg_1"},
                   {"type", "message"},
                   {"role", "assistant"},
                   {"content", Json::array()},
                   {"model", "claude"},
                   {"stop_reason", nullptr},
                   {"stop_sequence", nullptr},
                   {"usage", usage}}}});
  int index = 0;
  auto const block = [&](Json const& start, std::vector<Json> const& deltas) {
    event(Json{{"type", "content_block_start"}, {"index", index}, {"content_block", start}});
    for (Json const& delta : deltas)
      event(Json{{"type", "content_block_delta"}, {"index", index}, {"delta", delta}});
    event(Json{{"type", "content_block_stop"}, {"index", index}});
    ++index;
  };
  if (!say.thinking.empty())
    block(Json{{"type", "thinking"}, {"thinking", ""}, {"signature", ""}},
          {Json{{"type", "thinking_delta"}, {"thinking", halves(say.thinking)[0]}},
           Json{{"type", "thinking_delta"}, {"thinking", halves(say.thinking)[1]}},
           Json{{"type", "signature_delta"}, {"signature", say.signature}}});
  out += "event: ping\ndata: {\"type\": \"ping\"}\n\n: a comment\n\n";
  if (!say.text.empty()) {
    std::vector<Json> deltas;
    for (auto const& piece : say.text) deltas.push_back(Json{{"type", "text_delta"}, {"text", piece}});
    block(Json{{"type", "text"}, {"text", ""}}, deltas);
  }
  for (auto const& call : say.calls)
    block(Json{{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", Json::object()}},
          {Json{{"type", "input_json_delta"}, {"partial_json", ""}},
           Json{{"type", "input_json_delta"}, {"partial_json", halves(call.arguments)[0]}},
           Json{{"type", "input_json_delta"}, {"partial_json", halves(call.arguments)[1]}}});
  event(Json{{"type", "message_delta"},
             {"delta", Json{{"stop_reason", anthropic_reason(say.finish)}, {"stop_sequence", nullptr}}},
             {"usage", Json{{"output_tokens", say.usage.output}}}});
  event(Json{{"type", "message_stop"}});
  return out;
}

inline std::string anthropic_error(int status, std::string const& message) {
  std::string const type = status == 429   ? "rate_limit_error"
                           : status == 401 ? "authentication_error"
                           : status == 400 ? "invalid_request_error"
                           : status == 529 ? "overloaded_error"
                                           : "api_error";
  return Json{{"type", "error"}, {"error", Json{{"type", type}, {"message", message}}}}.dump();
}

inline Json chat_usage(cuco::TokenUsage const& usage) {
  return Json{{"prompt_tokens", usage.input},
              {"completion_tokens", usage.output},
              {"total_tokens", usage.input + usage.output},
              {"prompt_tokens_details", Json{{"cached_tokens", usage.cache_read}}},
              {"completion_tokens_details", Json{{"reasoning_tokens", usage.thinking}}}};
}

inline std::string chat_reason(cuco::FinishReason finish) {
  switch (finish) {
    case cuco::FinishReason::kEnd: return "stop";
    case cuco::FinishReason::kLength: return "length";
    case cuco::FinishReason::kFiltered: return "content_filter";
    case cuco::FinishReason::kToolUse: return "tool_calls";
  }
  return "";
}

inline std::string chat_whole(Say const& say) {
  Json message{{"role", "assistant"}, {"content", say.text.empty() ? Json() : Json(say.whole_text())}};
  if (!say.thinking.empty()) message["reasoning_content"] = say.thinking;
  for (auto const& call : say.calls)
    message["tool_calls"].push_back(
        Json{{"id", call.id},
             {"type", "function"},
             {"function", Json{{"name", call.name}, {"arguments", call.arguments}}}});
  return Json{
      {"id", "c1"},
      {"object", "chat.completion"},
      {"choices",
       Json::array({Json{{"index", 0}, {"message", message}, {"finish_reason", chat_reason(say.finish)}}})},
      {"usage", chat_usage(say.usage)}}
      .dump();
}

inline std::string chat_stream(Say const& say) {
  std::string out;
  auto const chunk = [&](Json const& delta, Json const& finish) {
    out +=
        sse(Json{{"id", "c1"},
                 {"object", "chat.completion.chunk"},
                 {"choices", Json::array({Json{{"index", 0}, {"delta", delta}, {"finish_reason", finish}}})},
                 {"usage", nullptr}});
  };
  chunk(Json{{"role", "assistant"}, {"content", ""}}, nullptr);
  if (!say.thinking.empty())
    for (auto const& half : halves(say.thinking)) chunk(Json{{"reasoning_content", half}}, nullptr);
  for (auto const& piece : say.text) chunk(Json{{"content", piece}}, nullptr);
  for (std::size_t i = 0; i < say.calls.size(); ++i) {
    auto const& call = say.calls[i];
    auto const piece = [&](Json const& function, Json id) {
      Json one{{"index", i}};
      if (!id.is_null()) one["id"] = id;
      one["type"] = "function";
      one["function"] = function;
      chunk(Json{{"tool_calls", Json::array({one})}}, nullptr);
    };
    piece(Json{{"name", call.name}, {"arguments", ""}}, call.id);
    for (auto const& half : halves(call.arguments)) piece(Json{{"arguments", half}}, nullptr);
  }
  chunk(Json::object(), chat_reason(say.finish));
  out += sse(Json{{"id", "c1"}, {"choices", Json::array()}, {"usage", chat_usage(say.usage)}});
  return out + "data: [DONE]\n\n";
}

inline std::string openai_error(int status, std::string const& message) {
  std::string const type = status == 429   ? "rate_limit_exceeded"
                           : status == 400 ? "invalid_request_error"
                                           : "";
  return Json{{"error", Json{{"message", message}, {"type", type}, {"param", nullptr}, {"code", nullptr}}}}
      .dump();
}

inline Json responses_object(Say const& say) {
  Json output = Json::array();
  if (!say.thinking.empty())
    output.push_back(Json{{"type", "reasoning"},
                          {"id", "rs_1"},
                          {"summary", Json::array({Json{{"type", "summary_text"}, {"text", say.thinking}}})},
                          {"encrypted_content", say.signature}});
  bool const filtered = say.finish == cuco::FinishReason::kFiltered;
  if (!say.text.empty())
    output.push_back(Json{
        {"type", "message"},
        {"id", "m_1"},
        {"role", "assistant"},
        {"status", "completed"},
        {"content",
         Json::array(
             {Json{{"type", "output_text"}, {"text", say.whole_text()}, {"annotations", Json::array()}}})}});
  for (auto const& call : say.calls)
    output.push_back(Json{{"type", "function_call"},
                          {"id", "fc_1"},
                          {"call_id", call.id},
                          {"name", call.name},
                          {"arguments", call.arguments}});
  bool const cut = say.finish == cuco::FinishReason::kLength;
  Json details;
  if (cut) details = Json{{"reason", "max_output_tokens"}};
  if (filtered) details = Json{{"reason", "content_filter"}};
  return Json{{"id", "resp_1"},
              {"object", "response"},
              {"status", cut || filtered ? "incomplete" : "completed"},
              {"error", nullptr},
              {"incomplete_details", details},
              {"output", output},
              {"usage",
               Json{{"input_tokens", say.usage.input},
                    {"input_tokens_details", Json{{"cached_tokens", say.usage.cache_read}}},
                    {"output_tokens", say.usage.output},
                    {"output_tokens_details", Json{{"reasoning_tokens", say.usage.thinking}}}}}};
}

inline std::string responses_whole(Say const& say) {
  return responses_object(say).dump();
}

inline std::string responses_stream(Say const& say) {
  std::string out;
  int number = 0;
  auto const event = [&](Json json) {
    json["sequence_number"] = number++;
    out += sse(json, json["type"].get<std::string>());
  };
  Json const done = responses_object(say);
  Json begun = done;
  begun["status"] = "in_progress";
  begun["output"] = Json::array();
  begun["usage"] = nullptr;
  event(Json{{"type", "response.created"}, {"response", begun}});
  event(Json{{"type", "response.in_progress"}, {"response", begun}});
  for (auto const& piece : say.text)
    event(Json{{"type", "response.output_text.delta"}, {"item_id", "m_1"}, {"delta", piece}});
  for (auto const& item : done["output"]) event(Json{{"type", "response.output_item.done"}, {"item", item}});
  event(Json{{"type", "response." + done["status"].get<std::string>()}, {"response", done}});
  return out;
}

inline Json gemini_usage(cuco::TokenUsage const& usage) {
  return Json{{"promptTokenCount", usage.input},
              {"cachedContentTokenCount", usage.cache_read},
              {"candidatesTokenCount", usage.output - usage.thinking},
              {"thoughtsTokenCount", usage.thinking},
              {"totalTokenCount", usage.input + usage.output}};
}

inline std::string gemini_reason(cuco::FinishReason finish) {
  switch (finish) {
    case cuco::FinishReason::kLength: return "MAX_TOKENS";
    case cuco::FinishReason::kFiltered: return "SAFETY";
    default: return "STOP";
  }
}

inline Json gemini_call(cuco::ToolCall const& call, std::string const& signature) {
  Json part{
      {"functionCall", Json{{"id", call.id}, {"name", call.name}, {"args", Json::parse(call.arguments)}}}};
  if (!signature.empty()) part["thoughtSignature"] = signature;
  return part;
}

inline std::string gemini_whole(Say const& say) {
  Json parts = Json::array();
  if (!say.thinking.empty()) parts.push_back(Json{{"text", say.thinking}, {"thought", true}});
  if (!say.text.empty()) parts.push_back(Json{{"text", say.whole_text()}});
  if (!say.text.empty() && !say.signature.empty() && say.calls.empty())
    parts.back()["thoughtSignature"] = say.signature;
  for (auto const& call : say.calls) parts.push_back(gemini_call(call, say.signature));
  return Json{{"candidates",
               Json::array({Json{{"content", Json{{"role", "model"}, {"parts", parts}}},
                                 {"finishReason", gemini_reason(say.finish)},
                                 {"index", 0}}})},
              {"usageMetadata", gemini_usage(say.usage)}}
      .dump();
}

inline std::string gemini_stream(Say const& say) {
  std::string out;
  auto const event = [&](Json const& part, bool last) {
    Json candidate{{"content", Json{{"role", "model"}, {"parts", Json::array({part})}}}, {"index", 0}};
    if (last) candidate["finishReason"] = gemini_reason(say.finish);
    Json json{{"candidates", Json::array({candidate})}, {"usageMetadata", gemini_usage(say.usage)}};
    // The real server ends its lines with CRLF.
    out += "data: " + json.dump() + "\r\n\r\n";
  };
  if (!say.thinking.empty())
    for (auto const& half : halves(say.thinking)) event(Json{{"text", half}, {"thought", true}}, false);
  for (auto const& piece : say.text) event(Json{{"text", piece}}, false);
  for (auto const& call : say.calls) event(gemini_call(call, say.signature), false);
  Json last{{"text", ""}};
  if (!say.signature.empty() && say.calls.empty()) last["thoughtSignature"] = say.signature;
  event(last, true);
  return out;
}

inline std::string gemini_error(int status, std::string const& message) {
  return Json{{"error", Json{{"code", status}, {"message", message}, {"status", "SOME_STATUS"}}}}.dump();
}

inline Json bedrock_usage(cuco::TokenUsage const& usage) {
  return Json{{"inputTokens", usage.input - usage.cache_read - usage.cache_written},
              {"outputTokens", usage.output},
              {"totalTokens", usage.input + usage.output},
              {"cacheReadInputTokens", usage.cache_read},
              {"cacheWriteInputTokens", usage.cache_written}};
}

inline std::string bedrock_reason(cuco::FinishReason finish) {
  return finish == cuco::FinishReason::kFiltered ? "content_filtered" : anthropic_reason(finish);
}

inline std::string bedrock_whole(Say const& say) {
  Json content = Json::array();
  if (!say.thinking.empty())
    content.push_back(
        Json{{"reasoningContent",
              Json{{"reasoningText", Json{{"text", say.thinking}, {"signature", say.signature}}}}}});
  if (!say.text.empty()) content.push_back(Json{{"text", say.whole_text()}});
  for (auto const& call : say.calls)
    content.push_back(
        Json{{"toolUse",
              Json{{"toolUseId", call.id}, {"name", call.name}, {"input", Json::parse(call.arguments)}}}});
  return Json{{"output", Json{{"message", Json{{"role", "assistant"}, {"content", content}}}}},
              {"stopReason", bedrock_reason(say.finish)},
              {"usage", bedrock_usage(say.usage)},
              {"metrics", Json{{"latencyMs", 5}}}}
      .dump();
}

inline std::string bedrock_stream(Say const& say) {
  std::string out = aws_event("messageStart", Json{{"role", "assistant"}});
  int index = 0;
  auto const delta = [&](Json const& json) {
    out += aws_event("contentBlockDelta", Json{{"contentBlockIndex", index}, {"delta", json}});
  };
  auto const stop = [&] {
    out += aws_event("contentBlockStop", Json{{"contentBlockIndex", index}});
    ++index;
  };
  if (!say.thinking.empty()) {
    for (auto const& half : halves(say.thinking)) delta(Json{{"reasoningContent", Json{{"text", half}}}});
    delta(Json{{"reasoningContent", Json{{"signature", say.signature}}}});
    stop();
  }
  if (!say.text.empty()) {
    for (auto const& piece : say.text) delta(Json{{"text", piece}});
    stop();
  }
  for (auto const& call : say.calls) {
    out += aws_event("contentBlockStart",
                     Json{{"contentBlockIndex", index},
                          {"start", Json{{"toolUse", Json{{"toolUseId", call.id}, {"name", call.name}}}}}});
    for (auto const& half : halves(call.arguments)) delta(Json{{"toolUse", Json{{"input", half}}}});
    stop();
  }
  out += aws_event("messageStop", Json{{"stopReason", bedrock_reason(say.finish)}});
  return out + aws_event("metadata",
                         Json{{"usage", bedrock_usage(say.usage)}, {"metrics", Json{{"latencyMs", 5}}}});
}

inline std::string bedrock_error(int, std::string const& message) {
  return Json{{"message", message}}.dump();
}

inline Format chat_format(std::string const& provider,
                          std::string const& model,
                          std::string const& variable) {
  Format f;
  f.provider = provider;
  f.model = model;
  f.base_path = "/v1";
  f.path = f.stream_path = "/v1/chat/completions";
  f.stream_type = "text/event-stream";
  f.key_variable = variable;
  f.key_header = "authorization";
  f.key_prefix = "Bearer ";
  f.whole = chat_whole;
  f.stream = chat_stream;
  f.error = openai_error;
  f.decoder = [provider](cuco::wire::OnText on_text) {
    return cuco::wire::chat_decoder(provider, std::move(on_text));
  };
  f.read = [provider](std::string_view body) { return cuco::wire::chat_reply(provider, body); };
  return f;
}

inline std::vector<Format> formats() {
  std::vector<Format> all;
  Format anthropic;
  anthropic.provider = "anthropic";
  anthropic.model = "claude-sonnet-4-5";
  anthropic.path = anthropic.stream_path = "/v1/messages";
  anthropic.stream_type = "text/event-stream; charset=utf-8";
  anthropic.key_variable = "ANTHROPIC_API_KEY";
  anthropic.key_header = "x-api-key";
  anthropic.whole = anthropic_whole;
  anthropic.stream = anthropic_stream;
  anthropic.error = anthropic_error;
  anthropic.decoder = cuco::wire::anthropic_decoder;
  anthropic.read = cuco::wire::anthropic_reply;
  all.push_back(anthropic);

  Format openai;
  openai.provider = "openai";
  openai.model = "gpt-5.1";
  openai.base_path = "/v1";
  openai.path = openai.stream_path = "/v1/responses";
  openai.stream_type = "text/event-stream; charset=utf-8";
  openai.key_variable = "OPENAI_API_KEY";
  openai.key_header = "authorization";
  openai.key_prefix = "Bearer ";
  openai.whole = responses_whole;
  openai.stream = responses_stream;
  openai.error = openai_error;
  openai.decoder = cuco::wire::responses_decoder;
  openai.read = cuco::wire::responses_reply;
  all.push_back(openai);

  all.push_back(chat_format("openai-chat", "gpt-4.1", "OPENAI_API_KEY"));
  Format azure = chat_format("azure", "my deployment", "AZURE_OPENAI_API_KEY");
  azure.base_path = "";
  azure.path = azure.stream_path = "/openai/v1/chat/completions";
  azure.key_header = "api-key";
  azure.key_prefix = "";
  all.push_back(azure);

  Format gemini;
  gemini.provider = "gemini";
  gemini.model = "gemini-2.5-pro";
  gemini.path = "/v1beta/models/gemini-2.5-pro:generateContent";
  gemini.stream_path = "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse";
  gemini.stream_type = "text/event-stream";
  gemini.key_variable = "GEMINI_API_KEY";
  gemini.key_header = "x-goog-api-key";
  gemini.whole = gemini_whole;
  gemini.stream = gemini_stream;
  gemini.error = gemini_error;
  gemini.decoder = cuco::wire::gemini_decoder;
  gemini.read = cuco::wire::gemini_reply;
  all.push_back(gemini);

  Format bedrock;
  bedrock.provider = "bedrock";
  bedrock.model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
  bedrock.path = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse";
  bedrock.stream_path = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream";
  bedrock.stream_type = "application/vnd.amazon.eventstream";
  bedrock.key_variable = "AWS_BEARER_TOKEN_BEDROCK";
  bedrock.key_header = "authorization";
  bedrock.key_prefix = "Bearer ";
  bedrock.whole = bedrock_whole;
  bedrock.stream = bedrock_stream;
  bedrock.error = bedrock_error;
  bedrock.decoder = cuco::wire::bedrock_decoder;
  bedrock.read = cuco::wire::bedrock_reply;
  all.push_back(bedrock);

  all.push_back(chat_format("deepseek", "deepseek-chat", "DEEPSEEK_API_KEY"));
  all.push_back(chat_format("openrouter", "qwen/qwen3-coder", "OPENROUTER_API_KEY"));
  all.push_back(chat_format("ollama", "qwen3:8b", "OLLAMA_API_KEY"));
  all.push_back(chat_format("vllm", "Qwen/Qwen3-8B", "VLLM_API_KEY"));
  all.push_back(chat_format("compatible", "some-model", "COMPATIBLE_API_KEY"));
  return all;
}

/// One provider per format: the others speak Chat Completions too.
inline std::vector<Format> different_formats() {
  std::vector<Format> different;
  auto all = formats();
  for (Format& format : all)
    if (format.provider == "openai-chat" || format.stream_path.find("chat/completions") == std::string::npos)
      different.push_back(std::move(format));
  return different;
}

/// The key that tests give every provider.
inline constexpr char const* kKey = "sk-secret-0123456789-do-not-leak";

}  // namespace cuco_test
