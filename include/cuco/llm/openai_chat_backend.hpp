// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/backend_options.hpp"
#include "cuco/llm/impl/provider_client.hpp"

namespace cuco {

/// OpenAI, and every server that speaks its Chat Completions API.
///
/// Keys and addresses are read from the environment or a key file when it is made (docs/models.md). Copies
/// share what they learn about the server. Errors: llm_error.hpp. Any number of threads may call at the same
/// time.
class OpenAiChatBackend {
 public:
  using Options = BackendOptions;
  explicit OpenAiChatBackend(std::string model);
  /// @param provider openai-chat, deepseek, openrouter, ollama, vllm, or compatible for any other server,
  /// which
  ///                 then needs `BackendOptions::base_url`.
  explicit OpenAiChatBackend(BackendOptions const& options, std::string const& provider = "openai-chat");
  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) const { return client_->ask(request); }
  /// `provider:model`.
  [[nodiscard]] std::string model() const { return client_->name(); }
  /// Errors: why no call can be made; kRefused without a key, kInvalidArgument without a base URL.
  [[nodiscard]] Status ready() const { return client_->ready(); }

 private:
  std::shared_ptr<impl::ProviderClient> client_;
};

static_assert(explain_llm_backend<OpenAiChatBackend>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/openai_chat_backend-inl.hpp"
#endif
