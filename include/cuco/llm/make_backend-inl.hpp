// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/anthropic_backend.hpp"
#include "cuco/llm/azure_openai_backend.hpp"
#include "cuco/llm/bedrock_backend.hpp"
#include "cuco/llm/claude_cli_backend.hpp"
#include "cuco/llm/gemini_backend.hpp"
#include "cuco/llm/impl/provider_info.hpp"
#include "cuco/llm/make_backend.hpp"
#include "cuco/llm/openai_chat_backend.hpp"
#include "cuco/llm/openai_responses_backend.hpp"

namespace cuco {

namespace impl {

template <class Backend>
Result<AnyBackend> usable(Backend backend) {
  if (auto ready = backend.ready(); !ready) return forward_error(std::move(ready));
  return AnyBackend(std::move(backend));
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<AnyBackend> make_backend(std::string const& name, BackendOptions options) {
  auto const colon = name.find(':');
  std::string const provider = name.substr(0, colon);
  if (impl::find_provider(provider) == nullptr)
    return fail(ErrorCode::kInvalidArgument, impl::unknown_provider(provider), "write provider:model");
  if (colon == std::string::npos || colon + 1 == name.size())
    return fail(ErrorCode::kInvalidArgument, "'" + name + "' names no model", "write provider:model");
  options.model = name.substr(colon + 1);
  if (provider == "anthropic") return impl::usable(AnthropicBackend(options));
  if (provider == "openai") return impl::usable(OpenAiResponsesBackend(options));
  if (provider == "azure") return impl::usable(AzureOpenAiBackend(options));
  if (provider == "gemini") return impl::usable(GeminiBackend(options));
  if (provider == "bedrock") return impl::usable(BedrockBackend(options));
  if (provider == "claude-cli") return impl::usable(ClaudeCliBackend(options));
  return impl::usable(OpenAiChatBackend(options, provider));
}

}  // namespace cuco
