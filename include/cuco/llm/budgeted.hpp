// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/budget.hpp"
#include "cuco/llm/impl/spending_account.hpp"
#include "cuco/llm/model_prices.hpp"

namespace cuco {

struct BudgetOptions {
  /// A file that gets one line per call, and whose lines count as spent when it is opened: a resumed run goes
  /// on where it was. Empty: nothing is remembered. One process at a time.
  std::string ledger{};
  /// With a limit in USD: call models of unknown price all the same. What they cost is then not limited.
  bool allow_unpriced = false;
  std::optional<ModelPrices> prices{};  ///< Empty: `ModelPrices::load()`.
};

/// Refuses calls when a budget is used up.
///
/// Before a call its expected cost is put aside, so that calls in flight count: a third of the prompt's
/// characters, and all tokens the reply may have, at the model's price. A call begins only while what is
/// spent and what is in flight is below every limit; the budget is therefore exceeded by no more than the
/// calls in flight at the moment it is reached. What a call really cost replaces the estimate: what the
/// backend tells, else by tokens and price; tokens that it does not count are estimated from the texts.
/// Replies that are cut off or withheld count like others. A call that ends in an error counts as far as it
/// may be billed: with what its detail tells (lines `usage:` and `cost-usd:`, see
/// docs/budgets-and-recordings.md), else with the whole estimate; with nothing only when it surely is free:
/// refused by the provider with a status of 300 or more, or never sent. What a recording answers is booked
/// unless the ledger has that call.
///
/// With a limit in USD and a model whose price is unknown the call is refused, because the limit could not be
/// kept.
///
/// Errors: kBudget, which ends a run; those of the prices file and the ledger; those of the inner backend.
/// Copies share the account. Any thread, if the inner backend may.
template <LLMBackend B>
class Budgeted {
 public:
  Budgeted(B backend, Budget budget, BudgetOptions options = {})
      : backend_(std::move(backend)),
        account_(std::make_shared<impl::SpendingAccount>(
            budget, std::move(options.ledger), options.allow_unpriced, std::move(options.prices))) {}

  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) {
    auto const name = model();
    auto const reserved = account_->reserve(name, request);
    if (!reserved) return tl::unexpected<Error>(reserved.error());
    Result<ChatReply> reply = backend_.complete(request);
    account_->settle(*reserved, name, reply);
    return reply;
  }
  [[nodiscard]] std::string model() const { return model_of(backend_); }
  [[nodiscard]] Spending spent() const { return account_->spent(); }
  /// Another backend that spends from the same budget.
  template <LLMBackend C>
  [[nodiscard]] Budgeted<C> around(C backend) const {
    return Budgeted<C>(std::move(backend), account_);
  }

 private:
  template <LLMBackend C>
  friend class Budgeted;
  Budgeted(B backend, std::shared_ptr<impl::SpendingAccount> account)
      : backend_(std::move(backend)), account_(std::move(account)) {}

  B backend_;
  std::shared_ptr<impl::SpendingAccount> account_;
};

static_assert(explain_llm_backend<Budgeted<AnyBackend>>());

}  // namespace cuco
