// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/budget.hpp"
#include "cuco/llm/impl/line_file.hpp"
#include "cuco/llm/model_prices.hpp"

namespace cuco::impl {

/// What a call is expected to cost at most.
struct CallEstimate {
  std::optional<double> usd{};  ///< Empty: the price is unknown.
  TokenUsage expected{};
};

/// A budget and what has been spent of it. Any thread.
class SpendingAccount {
 public:
  SpendingAccount(Budget budget, std::string ledger, bool allow_unpriced, std::optional<ModelPrices> prices);

  /// Puts the expected cost of a call aside. Errors: kBudget when a limit is reached, or the call's cost
  /// could not be checked against it; those of the prices and of the ledger.
  [[nodiscard]] Result<CallEstimate> reserve(std::string const& model, ChatRequest const& request);
  /// Books what a reserved call cost, or, of one that failed, what it may have cost. A reply from a recording
  /// is booked once: not when the ledger has that call already.
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
  std::unordered_set<std::string> booked_{};  ///< Calls of a recording that are part of `spending_`.
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/spending_account-inl.hpp"
#endif
