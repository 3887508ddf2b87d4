// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/impl/provider_info.hpp"
#include "cuco/llm/openai_chat_backend.hpp"
#include "cuco/llm/wire/openai_chat_wire.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE OpenAiChatBackend::OpenAiChatBackend(std::string model)
    : OpenAiChatBackend([&] {
        BackendOptions options;
        options.model = std::move(model);
        return options;
      }()) {}

CUCO_EVOLVE_INLINE OpenAiChatBackend::OpenAiChatBackend(BackendOptions const& options,
                                                        std::string const& provider) {
  impl::ProviderCall call;
  call.endpoint = impl::bearer_endpoint(provider, options);
  call.name = provider + ":" + options.model;
  call.path = call.stream_path = "/chat/completions";
  call.knobs = wire::kChatKnobs;
  auto const flavor = provider == "openai-chat"  ? wire::ChatFlavor::kOpenAi
                      : provider == "deepseek"   ? wire::ChatFlavor::kDeepSeek
                      : provider == "openrouter" ? wire::ChatFlavor::kOpenRouter
                                                 : wire::ChatFlavor::kOther;
  call.body = [model = options.model, flavor](auto const& request, auto const& dialect, bool stream) {
    return wire::chat_body(model, flavor, request, dialect, stream);
  };
  call.reply = [provider](std::string_view text) { return wire::chat_reply(provider, text); };
  call.decoder = [provider](wire::OnText on_text) {
    return wire::chat_decoder(provider, std::move(on_text));
  };
  client_ = std::make_shared<impl::ProviderClient>(std::move(call));
}

}  // namespace cuco
