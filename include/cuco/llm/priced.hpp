// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/model_prices.hpp"

namespace cuco {

/// Fills in what a call cost when the backend does not tell, from the tokens it reports: by the model that
/// answered, else by the one that was asked. An unknown price leaves the cost empty. A failed call that may
/// be billed gets its price too, as the line `cost-usd: N` of the error's detail.
///
/// Errors: those of the inner backend. Copies share the inner backend. Any thread, if the inner one may.
template <LLMBackend B>
class Priced {
 public:
  Priced(B backend, ModelPrices prices) : backend_(std::move(backend)), prices_(std::move(prices)) {}

  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) {
    Result<ChatReply> reply = backend_.complete(request);
    if (!reply)
      return tl::unexpected<Error>(impl::with_price(std::move(reply).error(), request, prices_, model()));
    if (reply->cost_usd) return reply;
    reply->cost_usd = prices_.cost_usd(reply->model, reply->usage);
    if (!reply->cost_usd) reply->cost_usd = prices_.cost_usd(model(), reply->usage);
    return reply;
  }
  [[nodiscard]] std::string model() const { return model_of(backend_); }

 private:
  B backend_;
  ModelPrices prices_;
};

static_assert(explain_llm_backend<Priced<AnyBackend>>());

}  // namespace cuco
