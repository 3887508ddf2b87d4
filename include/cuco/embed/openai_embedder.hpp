// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cuco/core/concepts.hpp"
#include "cuco/core/embedding.hpp"
#include "cuco/core/result.hpp"
#include "cuco/embed/impl/remote_embedder.hpp"
#include "cuco/llm/backend_options.hpp"

namespace cuco {

/// Embeddings of OpenAI, or of a server that speaks its API. Dimension: 1536 for text-embedding-3-small, the
/// default; 3072 for text-embedding-3-large; or what is asked for.
///
/// Keys and addresses as for the backends (docs/models.md). Copies share their state; any number of threads
/// may call at the same time.
class OpenAiEmbedder {
 public:
  using Options = BackendOptions;
  /// @param dimension 0: the model's own. Only models that can be cut shorter take another.
  /// @param provider openai, or one of those of `OpenAiChatBackend`: ollama, vllm, compatible, …
  explicit OpenAiEmbedder(BackendOptions const& options = {},
                          int dimension = 0,
                          std::string const& provider = "openai");
  /// Errors: those of llm_error.hpp; kInvalidArgument for an empty text or one that is too long for the
  /// model.
  [[nodiscard]] Result<Embedding> embed(std::string_view text) const { return shared_->embed(text); }
  /// `provider:model`.
  [[nodiscard]] std::string model() const { return shared_->name(); }
  /// Errors: why no call can be made; kRefused without a key.
  [[nodiscard]] Status ready() const { return shared_->ready(); }

 private:
  std::shared_ptr<impl::RemoteEmbedder> shared_;
};

static_assert(explain_embedder<OpenAiEmbedder>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/embed/openai_embedder-inl.hpp"
#endif
