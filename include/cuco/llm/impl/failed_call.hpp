// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cuco/core/chat.hpp"
#include "cuco/core/error.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/model_prices.hpp"

/// @file
/// What a call costs of which nothing came: a provider bills a reply that broke off all the same.

namespace cuco::impl {

/// What an error tells of the price of its call, in lines at the head of `Error::detail`. They stand behind
/// `http-status` and `retry-after-ms` (llm_error.hpp) and before the provider's own words, which therefore
/// cannot be taken for them:
///
///     usage: INPUT OUTPUT CACHE_READ CACHE_WRITTEN THINKING     as the provider counted
///     usage: INPUT OUTPUT CACHE_READ CACHE_WRITTEN THINKING +   likewise, of a reply that broke off
///     cost-usd: N
struct FailedCall {
  std::optional<TokenUsage> usage{};
  bool broke_off = false;  ///< More than `usage` may be billed.
  std::optional<double> usd{};
};
[[nodiscard]] FailedCall failed_call_of(Error const& error);
/// Makes `failed_call_of(error)` what `call` says.
[[nodiscard]] Error with_failed_call(Error error, FailedCall const& call);
/// An error of a call that was not made.
[[nodiscard]] Error unbilled(Error error);

/// Whether surely nothing is billed: the provider refused (status 300 or more), nothing was sent, or the
/// error is one that comes before a call. Any other failed call may have been worked on.
[[nodiscard]] bool is_free(Error const& error);

/// A third of the characters of a prompt, and all the tokens the reply may have.
[[nodiscard]] TokenUsage expected_usage(ChatRequest const& request);
/// What the backend counted, or, where it counts nothing, `input` and a third of the reply's characters.
[[nodiscard]] TokenUsage counted_usage(ChatReply const& reply, std::int64_t input);
/// The most that may be billed for the call behind `error`: what was counted, as far as it was, else
/// `expected`.
[[nodiscard]] TokenUsage billed_usage(Error const& error, TokenUsage const& expected);
/// The price in USD: 0 when it is free, empty when it is not known.
[[nodiscard]] std::optional<double> billed_usd(Error const& error);

/// `error` with its price, if that is known of `model` and not told yet.
[[nodiscard]] Error with_price(Error error,
                               ChatRequest const& request,
                               ModelPrices const& prices,
                               std::string const& model);
/// `error`, which says that a paid answer cannot be passed on, with what that answer cost.
[[nodiscard]] Error with_price_of(Error error, Result<ChatReply> const& answer, ChatRequest const& request);

/// Answers that were paid for and thrown away before the one that the caller gets.
class Discarded {
 public:
  explicit Discarded(ChatRequest const& request) : expected_(expected_usage(request)) {}
  void add(Error const& error);
  void add(ChatReply const& reply);
  /// Makes them part of what `answer` cost.
  void charge_to(Result<ChatReply>& answer) const;

 private:
  void add(TokenUsage const& usage, std::optional<double> usd);
  TokenUsage expected_;  ///< Of one call.
  TokenUsage usage_{};
  std::optional<double> usd_ = 0;
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/failed_call-inl.hpp"
#endif
