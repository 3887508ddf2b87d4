// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/impl/provider_client.hpp"

namespace cuco::impl {

struct ProviderClient::State {
  ProviderCall call{};
  SharedDialect dialect{};
};

CUCO_EVOLVE_INLINE ProviderClient::ProviderClient(ProviderCall call) : state_(std::make_unique<State>()) {
  state_->call = std::move(call);
}
CUCO_EVOLVE_INLINE ProviderClient::~ProviderClient() = default;

CUCO_EVOLVE_INLINE Result<ChatReply> ProviderClient::ask(ChatRequest const& request) {
  return impl::ask(state_->call, state_->dialect, request);
}

CUCO_EVOLVE_INLINE std::string const& ProviderClient::name() const {
  return state_->call.name;
}

CUCO_EVOLVE_INLINE Status ProviderClient::ready() const {
  if (state_->call.endpoint.missing) return tl::unexpected<Error>(*state_->call.endpoint.missing);
  return {};
}

}  // namespace cuco::impl
