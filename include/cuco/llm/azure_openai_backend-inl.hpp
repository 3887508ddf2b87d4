// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/azure_openai_backend.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/impl/provider_info.hpp"
#include "cuco/llm/wire/openai_chat_wire.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE AzureOpenAiBackend::AzureOpenAiBackend(std::string model)
    : AzureOpenAiBackend([&] {
        BackendOptions options;
        options.model = std::move(model);
        return options;
      }()) {}

CUCO_EVOLVE_INLINE AzureOpenAiBackend::AzureOpenAiBackend(BackendOptions const& options) {
  impl::ProviderCall call;
  call.endpoint = impl::azure_endpoint(options);
  call.name = "azure:" + options.model;
  std::string const version = call.endpoint.limits.api_version;
  call.path = call.stream_path = version.empty()
                                     ? "/openai/v1/chat/completions"
                                     : "/openai/deployments/" + impl::url_segment(options.model) +
                                           "/chat/completions?api-version=" + impl::url_segment(version);
  call.knobs = wire::kChatKnobs;
  call.body = [model = options.model](auto const& request, auto const& dialect, bool stream) {
    return wire::chat_body(model, wire::ChatFlavor::kAzure, request, dialect, stream);
  };
  call.reply = [](std::string_view text) { return wire::chat_reply("azure", text); };
  call.decoder = [](wire::OnText on_text) { return wire::chat_decoder("azure", std::move(on_text)); };
  client_ = std::make_shared<impl::ProviderClient>(std::move(call));
}

}  // namespace cuco
