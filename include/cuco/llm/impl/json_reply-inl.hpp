// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/impl/json_reply.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/wire/dialect.hpp"
#include "cuco/llm/wire/json.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE Status check_request(ChatRequest const& request) {
  if (request.messages.empty()) return fail(ErrorCode::kInvalidArgument, "the request has no messages");
  if (request.max_tokens <= 0)
    return fail(ErrorCode::kInvalidArgument,
                "max_tokens is " + std::to_string(request.max_tokens) + ", which leaves no room for a reply");
  if (!request.json_schema.empty() && !wire::parse(request.json_schema).is_object())
    return fail(ErrorCode::kInvalidArgument, "the JSON Schema of the reply is not a JSON object");
  for (ToolSpec const& tool : request.tools)
    if (!wire::parse(tool.parameters).is_object())
      return fail(ErrorCode::kInvalidArgument,
                  "the parameters of tool '" + tool.name + "' are not a JSON object");
  return {};
}

CUCO_EVOLVE_INLINE std::optional<std::string> json_value_in(std::string_view text,
                                                            std::string const& schema,
                                                            std::string& problem) {
  constexpr std::string_view kBlanks = " \t\r\n";
  auto const is_value = [](std::string_view part) { return !wire::parse(part).is_discarded(); };
  auto const begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    problem = "it is empty";
    return std::nullopt;
  }
  std::string_view value = text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
  if (!is_value(value)) {
    // From the first bracket to the last of its kind: fences and prose fall away.
    auto const open = value.find_first_of("{[");
    auto const close =
        open == std::string_view::npos ? open : value.find_last_of(value[open] == '{' ? '}' : ']');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open ||
        !is_value(value.substr(open, close - open + 1))) {
      problem = "it is not one JSON value";
      return std::nullopt;
    }
    value = value.substr(open, close - open + 1);
  }
  wire::Json const wanted = wire::parse(schema);
  wire::Json const given = wire::parse(value);
  std::string const type = wire::text_at(wanted, "type");
  if ((type == "object" && !given.is_object()) || (type == "array" && !given.is_array())) {
    problem = "it is not an " + type;
    return std::nullopt;
  }
  wire::Json const& required = wire::at(wanted, "required");
  if (required.is_array() && given.is_object())
    for (wire::Json const& name : required)
      if (name.is_string() && !given.contains(name.get_ref<std::string const&>())) {
        problem = "it lacks the member '" + name.get<std::string>() + "'";
        return std::nullopt;
      }
  return std::string(value);
}

CUCO_EVOLVE_INLINE Result<ChatReply> with_json_checked(
    std::string const& provider,
    ChatRequest const& request,
    std::function<Result<ChatReply>(ChatRequest const&)> const& ask_once) {
  auto reply = ask_once(request);
  // A reply that is cut off or withheld is not worth repairing: the caller sees why.
  if (!reply || request.json_schema.empty() || reply->finish != FinishReason::kEnd) return reply;
  std::string problem;
  if (auto value = json_value_in(reply->text, request.json_schema, problem)) {
    reply->text = std::move(*value);
    return reply;
  }
  ChatRequest again = request;
  again.on_text = nullptr;
  ChatMessage said;
  said.role = ChatMessage::Role::kAssistant;
  said.text = reply->text.empty() ? "(nothing)" : reply->text;
  again.messages.push_back(std::move(said));
  ChatMessage asked;
  asked.text = "Your answer cannot be used: " + problem + ". " + wire::json_instruction(request.json_schema);
  again.messages.push_back(std::move(asked));
  auto repaired = ask_once(again);
  Discarded first(again);
  first.add(*reply);
  first.charge_to(repaired);
  if (!repaired || repaired->finish != FinishReason::kEnd) return repaired;
  if (auto value = json_value_in(repaired->text, request.json_schema, problem)) {
    repaired->text = std::move(*value);
    return repaired;
  }
  Error error;
  error.code = ErrorCode::kParse;
  error.cause =
      provider + ": the model's answer is no JSON that can be used, also when asked again: " + problem;
  error.remedy = "use a model with structured output";
  error.detail = "http-status: 200\n" + as_words(repaired->text);
  return tl::unexpected<Error>(with_price_of(std::move(error), repaired, again));
}

}  // namespace cuco::impl
