// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/bedrock_backend.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/impl/provider_info.hpp"
#include "cuco/llm/wire/bedrock_wire.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE BedrockBackend::BedrockBackend(std::string model)
    : BedrockBackend([&] {
        BackendOptions options;
        options.model = std::move(model);
        return options;
      }()) {}

CUCO_EVOLVE_INLINE BedrockBackend::BedrockBackend(BackendOptions const& options) {
  impl::ProviderCall call;
  call.endpoint = impl::bedrock_endpoint(options);
  call.name = "bedrock:" + options.model;
  std::string const path = "/model/" + impl::url_segment(options.model);
  call.path = path + "/converse";
  call.stream_path = path + "/converse-stream";
  call.stream_type = "application/vnd.amazon.eventstream";
  call.knobs = wire::kBedrockKnobs;
  call.body = [model = options.model](auto const& request, auto const& dialect, bool) {
    return wire::bedrock_body(model, request, dialect);
  };
  call.reply = wire::bedrock_reply;
  call.decoder = wire::bedrock_decoder;
  client_ = std::make_shared<impl::ProviderClient>(std::move(call));
}

}  // namespace cuco
