// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/gemini_backend.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/impl/provider_info.hpp"
#include "cuco/llm/wire/gemini_wire.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE GeminiBackend::GeminiBackend(std::string model)
    : GeminiBackend([&] {
        BackendOptions options;
        options.model = std::move(model);
        return options;
      }()) {}

CUCO_EVOLVE_INLINE GeminiBackend::GeminiBackend(BackendOptions const& options) {
  impl::ProviderCall call;
  call.endpoint = impl::gemini_endpoint(options);
  call.name = "gemini:" + options.model;
  // "models/NAME" is how the API itself lists them.
  std::string name = options.model;
  if (name.rfind("models/", 0) == 0) name.erase(0, 7);
  call.path = "/v1beta/models/" + impl::url_segment(name) + ":generateContent";
  call.stream_path = "/v1beta/models/" + impl::url_segment(name) + ":streamGenerateContent?alt=sse";
  call.knobs = wire::kGeminiKnobs;
  call.body = [name](auto const& request, auto const& dialect, bool) {
    return wire::gemini_body(name, request, dialect);
  };
  call.reply = wire::gemini_reply;
  call.decoder = wire::gemini_decoder;
  client_ = std::make_shared<impl::ProviderClient>(std::move(call));
}

}  // namespace cuco
