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

/// Models of OpenAI on Azure; `BackendOptions::model` is the name of the deployment.
///
/// Keys and addresses are read from the environment or a key file when it is made (docs/models.md). Copies
/// share what they learn about the server. Errors: llm_error.hpp. Any number of threads may call at the same
/// time.
class AzureOpenAiBackend {
 public:
  using Options = BackendOptions;
  explicit AzureOpenAiBackend(std::string model);
  explicit AzureOpenAiBackend(BackendOptions const& options);
  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) const { return client_->ask(request); }
  /// `provider:model`.
  [[nodiscard]] std::string model() const { return client_->name(); }
  /// Errors: why no call can be made; kRefused without a key, kInvalidArgument without a base URL.
  [[nodiscard]] Status ready() const { return client_->ready(); }

 private:
  std::shared_ptr<impl::ProviderClient> client_;
};

static_assert(explain_llm_backend<AzureOpenAiBackend>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/azure_openai_backend-inl.hpp"
#endif
