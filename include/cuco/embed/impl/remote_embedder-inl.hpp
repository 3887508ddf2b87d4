// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/embed/impl/remote_embedder.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/wire/json.hpp"

namespace cuco::impl {

/// How a provider is asked for an embedding.
struct RemoteEmbedding {
  Endpoint endpoint{};
  std::string name{};  ///< `provider:model`
  std::string path{};
  std::function<wire::Json(std::string const& text)> body{};
  std::function<wire::Json(wire::Json const& reply)> values{};  ///< The list of numbers in a reply.
};

struct RemoteEmbedder::State {
  RemoteEmbedding how{};
  std::mutex mutex{};
  std::size_t dimension = 0;  ///< Of the first reply; 0: none came yet.
};

CUCO_EVOLVE_INLINE RemoteEmbedder::RemoteEmbedder(RemoteEmbedding how) : state_(std::make_unique<State>()) {
  state_->how = std::move(how);
}
CUCO_EVOLVE_INLINE RemoteEmbedder::~RemoteEmbedder() = default;

CUCO_EVOLVE_INLINE std::string const& RemoteEmbedder::name() const {
  return state_->how.name;
}

CUCO_EVOLVE_INLINE Status RemoteEmbedder::ready() const {
  if (state_->how.endpoint.missing) return tl::unexpected<Error>(*state_->how.endpoint.missing);
  return {};
}

CUCO_EVOLVE_INLINE Result<Embedding> RemoteEmbedder::embed(std::string_view text) {
  RemoteEmbedding const& how = state_->how;
  if (text.empty()) return fail(ErrorCode::kInvalidArgument, how.name + " cannot embed an empty text");
  auto replied = exchange_json(how.endpoint, "POST", how.path, wire::dump(how.body(std::string(text))));
  if (!replied) return forward_error(std::move(replied));
  auto const malformed = [&](char const* what) {
    return tl::unexpected<Error>(provider_error(
        how.endpoint.provider, 200, std::nullopt, std::string("malformed embedding: ") + what));
  };
  wire::Json const reply = wire::parse(*replied);
  if (!reply.is_object()) return malformed("the reply is not a JSON object");
  wire::Json const values = how.values(reply);
  if (!values.is_array() || values.empty()) return malformed("it has no values");
  Embedding embedding;
  embedding.values.reserve(values.size());
  for (wire::Json const& value : values) {
    double const number = value.is_number() ? value.get<double>() : std::nan("");
    if (!(std::abs(number) < 1e30)) return malformed("a value is not a number");
    embedding.values.push_back(static_cast<float>(number));
  }
  std::lock_guard const lock(state_->mutex);
  if (state_->dimension == 0) state_->dimension = embedding.values.size();
  if (state_->dimension != embedding.values.size())
    return malformed("its dimension differs from the first one's");
  return embedding;
}

}  // namespace cuco::impl
