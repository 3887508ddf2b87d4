// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/failed_call.hpp"

namespace cuco::impl {

inline constexpr std::string_view kUsageLabel = "usage: ";
inline constexpr std::string_view kCostLabel = "cost-usd: ";

/// Takes a number off the front of `text`, with the blank behind it.
template <class Number>
std::optional<Number> take_number(std::string_view& text) {
  Number value = 0;
  auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || !(value >= 0)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return value;
}

/// The lines at the head of a detail that are ours.
struct DetailHead {
  long long status = 0;
  FailedCall call{};
  std::string others{};  ///< Those that are about something else.
  std::size_t size = 0;  ///< Of all of them.
};

CUCO_EVOLVE_INLINE bool read_usage(std::string_view text, FailedCall& call) {
  TokenUsage usage;
  for (std::int64_t* part :
       {&usage.input, &usage.output, &usage.cache_read, &usage.cache_written, &usage.thinking}) {
    auto const number = take_number<std::int64_t>(text);
    if (!number) return false;
    *part = *number;
  }
  if (!text.empty() && text != "+") return false;
  call.usage = usage;
  call.broke_off = !text.empty();
  return true;
}

CUCO_EVOLVE_INLINE DetailHead read_detail_head(std::string const& detail) {
  DetailHead head;
  for (std::string_view rest = detail; !rest.empty();) {
    auto const end = std::min(rest.find('\n'), rest.size());
    auto const line = rest.substr(0, end);
    auto const whole = rest.substr(0, std::min(end + 1, rest.size()));
    rest.remove_prefix(whole.size());
    auto const after = [&](std::string_view label) {
      return line.starts_with(label) ? std::optional(line.substr(label.size())) : std::nullopt;
    };
    if (auto status = after("http-status: ")) {
      head.status = take_number<long long>(*status).value_or(0);
      head.others += whole;
    } else if (auto wait = after("retry-after-ms: ");
               wait && take_number<long long>(*wait) && wait->empty()) {
      head.others += whole;
    } else if (auto const usage = after(kUsageLabel)) {
      if (!read_usage(*usage, head.call)) break;
    } else if (auto cost = after(kCostLabel)) {
      auto const usd = take_number<double>(*cost);
      if (!usd || !cost->empty() || !std::isfinite(*usd)) break;
      head.call.usd = *usd;
    } else {
      break;
    }
    head.size += whole.size();
  }
  return head;
}

CUCO_EVOLVE_INLINE FailedCall failed_call_of(Error const& error) {
  return read_detail_head(error.detail).call;
}

CUCO_EVOLVE_INLINE Error with_failed_call(Error error, FailedCall const& call) {
  auto head = read_detail_head(error.detail);
  if (!head.others.empty() && head.others.back() != '\n') head.others += '\n';
  if (auto const& u = call.usage)
    head.others += fmt::format("{}{} {} {} {} {}{}\n",
                               kUsageLabel,
                               u->input,
                               u->output,
                               u->cache_read,
                               u->cache_written,
                               u->thinking,
                               call.broke_off ? " +" : "");
  if (call.usd) head.others += fmt::format("{}{}\n", kCostLabel, *call.usd);
  error.detail = head.others + error.detail.substr(head.size);
  return error;
}

CUCO_EVOLVE_INLINE Error unbilled(Error error) {
  return with_failed_call(std::move(error), FailedCall{{}, false, 0.0});
}

CUCO_EVOLVE_INLINE bool is_free(Error const& error) {
  auto const head = read_detail_head(error.detail);
  if (head.call.usd) return *head.call.usd == 0;
  if (head.call.usage) return !head.call.broke_off && *head.call.usage == TokenUsage{};
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kRefused:
    case ErrorCode::kNotFound:
    case ErrorCode::kToolMissing:
    case ErrorCode::kConflict:
    case ErrorCode::kBudget: return true;
    default: return head.status >= 300;
  }
}

CUCO_EVOLVE_INLINE TokenUsage expected_usage(ChatRequest const& request) {
  std::size_t characters = request.system.size() + request.json_schema.size();
  for (ChatMessage const& m : request.messages) {
    characters += m.text.size() + m.provider_state.size();
    for (ToolCall const& call : m.tool_calls) characters += call.name.size() + call.arguments.size();
  }
  for (ToolSpec const& tool : request.tools)
    characters += tool.name.size() + tool.description.size() + tool.parameters.size();
  TokenUsage usage;
  usage.input = static_cast<std::int64_t>(characters / 3 + 1);
  usage.output = std::max(0, request.max_tokens);
  return usage;
}

CUCO_EVOLVE_INLINE TokenUsage counted_usage(ChatReply const& reply, std::int64_t input) {
  if (!(reply.usage == TokenUsage{})) return reply.usage;
  std::size_t characters = reply.text.size() + reply.thinking.size();
  for (ToolCall const& call : reply.tool_calls) characters += call.name.size() + call.arguments.size();
  TokenUsage usage;
  usage.input = input;
  usage.output = static_cast<std::int64_t>(characters / 3 + 1);
  return usage;
}

CUCO_EVOLVE_INLINE TokenUsage billed_usage(Error const& error, TokenUsage const& expected) {
  auto const call = failed_call_of(error);
  if (!call.usage) return is_free(error) ? TokenUsage{} : expected;
  if (!call.broke_off) return *call.usage;
  TokenUsage usage = *call.usage;
  if (usage.input == 0) usage.input = expected.input;
  usage.output = std::max(usage.output, expected.output);
  return usage;
}

CUCO_EVOLVE_INLINE std::optional<double> billed_usd(Error const& error) {
  auto const call = failed_call_of(error);
  return call.usd || !is_free(error) ? call.usd : 0.0;
}

CUCO_EVOLVE_INLINE Error with_price(Error error,
                                    ChatRequest const& request,
                                    ModelPrices const& prices,
                                    std::string const& model) {
  if (billed_usd(error)) return error;
  auto call = failed_call_of(error);
  call.usd = prices.cost_usd(model, billed_usage(error, expected_usage(request)));
  return call.usd ? with_failed_call(std::move(error), call) : error;
}

CUCO_EVOLVE_INLINE Error with_price_of(Error error,
                                       Result<ChatReply> const& answer,
                                       ChatRequest const& request) {
  auto const expected = expected_usage(request);
  FailedCall call;
  if (answer) {
    call.usage = counted_usage(*answer, expected.input);
    call.usd = answer->cost_usd;
  } else {
    call.usage = billed_usage(answer.error(), expected);
    call.usd = billed_usd(answer.error());
  }
  return with_failed_call(std::move(error), call);
}

CUCO_EVOLVE_INLINE void Discarded::add(TokenUsage const& usage, std::optional<double> usd) {
  usage_ += usage;
  if (usd_ && usd) {
    *usd_ += *usd;
  } else {
    usd_.reset();
  }
}

CUCO_EVOLVE_INLINE void Discarded::add(Error const& error) {
  add(billed_usage(error, expected_), billed_usd(error));
}

CUCO_EVOLVE_INLINE void Discarded::add(ChatReply const& reply) {
  add(counted_usage(reply, expected_.input), reply.cost_usd);
}

CUCO_EVOLVE_INLINE void Discarded::charge_to(Result<ChatReply>& answer) const {
  if (usage_ == TokenUsage{} && usd_ == 0.0) return;
  auto total = *this;
  if (answer) {
    total.add(*answer);
    answer->usage = total.usage_;
    answer->cost_usd = total.usd_;
  } else {
    total.add(answer.error());
    answer = tl::unexpected<Error>(
        with_failed_call(std::move(answer).error(), FailedCall{total.usage_, false, total.usd_}));
  }
}

}  // namespace cuco::impl
