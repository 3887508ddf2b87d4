// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/anthropic_backend.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/impl/provider_info.hpp"
#include "cuco/llm/wire/anthropic_wire.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE AnthropicBackend::AnthropicBackend(std::string model)
    : AnthropicBackend([&] {
        BackendOptions options;
        options.model = std::move(model);
        return options;
      }()) {}

CUCO_EVOLVE_INLINE AnthropicBackend::AnthropicBackend(BackendOptions const& options) {
  impl::ProviderCall call;
  call.endpoint = impl::anthropic_endpoint(options);
  call.name = "anthropic:" + options.model;
  call.path = call.stream_path = "/v1/messages";
  call.knobs = wire::kAnthropicKnobs;
  call.body = [model = options.model](auto const& request, auto const& dialect, bool stream) {
    return wire::anthropic_body(model, request, dialect, stream);
  };
  call.reply = wire::anthropic_reply;
  call.decoder = wire::anthropic_decoder;
  client_ = std::make_shared<impl::ProviderClient>(std::move(call));
}

}  // namespace cuco
