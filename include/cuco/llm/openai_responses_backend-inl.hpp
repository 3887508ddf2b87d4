// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/impl/provider_info.hpp"
#include "cuco/llm/openai_responses_backend.hpp"
#include "cuco/llm/wire/openai_responses_wire.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE OpenAiResponsesBackend::OpenAiResponsesBackend(std::string model)
    : OpenAiResponsesBackend([&] {
        BackendOptions options;
        options.model = std::move(model);
        return options;
      }()) {}

CUCO_EVOLVE_INLINE OpenAiResponsesBackend::OpenAiResponsesBackend(BackendOptions const& options) {
  impl::ProviderCall call;
  call.endpoint = impl::bearer_endpoint("openai", options);
  call.name = "openai:" + options.model;
  call.path = call.stream_path = "/responses";
  call.knobs = wire::kResponsesKnobs;
  call.body = [model = options.model](auto const& request, auto const& dialect, bool stream) {
    return wire::responses_body(model, request, dialect, stream);
  };
  call.reply = wire::responses_reply;
  call.decoder = wire::responses_decoder;
  client_ = std::make_shared<impl::ProviderClient>(std::move(call));
}

}  // namespace cuco
