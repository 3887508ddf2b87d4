// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/budget.hpp"
#include "cuco/llm/impl/line_file.hpp"
#include "cuco/llm/model_prices.hpp"

namespace cuco::impl {

/// What a call is expected to cost at most.
struct CallEstimate {
  std::optional<double> usd{};  ///< Empty: the price is unknown.
  std::int64_t input = 0;       ///< Tokens of the prompt.
  std::int64_t tokens = 0;      ///< Those and the reply's.
};

/// A third of the characters of a prompt, and all the tokens the reply may have.
[[nodiscard]] TokenUsage expected_usage(ChatRequest const& request);

/// A budget and what has been spent of it. Any thread.
class SpendingAccount {
 public:
  SpendingAccount(Budget budget, std::string ledger, bool allow_unpriced, std::optional<ModelPrices> prices);

  /// Puts the expected cost of a call aside. Errors: kBudget when a limit is reached, or the call's cost
  /// could not be checked against it; those of the prices and of the ledger.
  [[nodiscard]] Result<CallEstimate> reserve(std::string const& model, ChatRequest const& request);
  /// Books what a reserved call cost.
  void settle(CallEstimate const& reserved, std::string const& model, Result<ChatReply> const& answer);
  [[nodiscard]] Spending spent() const;

 private:
  void restore(std::string const& bytes, std::string const& path);
  [[nodiscard]] Status within_limits() const;

  mutable std::mutex mutex_{};
  Budget budget_;
  bool allow_unpriced_;
  ModelPrices prices_{};
  Status ready_{};  ///< Why nothing can be spent; a ledger that cannot be kept up included.
  std::optional<LineFile> ledger_{};
  Spending spending_{};
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/spending_account-inl.hpp"
#endif
