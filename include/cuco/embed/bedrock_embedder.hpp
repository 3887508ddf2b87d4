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

/// Embeddings of Titan and Cohere models on Amazon Bedrock. Dimension: 1024 for amazon.titan-embed-text-v2:0,
/// the default (256 and 512 can be asked for); 1536 for amazon.titan-embed-text-v1; 1024 for
/// cohere.embed-*-v3.
///
/// Keys and addresses as for the backends (docs/models.md). Copies share their state; any number of threads
/// may call at the same time.
class BedrockEmbedder {
 public:
  using Options = BackendOptions;
  /// @param dimension 0: the model's own. Titan v2 takes another.
  explicit BedrockEmbedder(BackendOptions const& options = {}, int dimension = 0);
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

static_assert(explain_embedder<BedrockEmbedder>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/embed/bedrock_embedder-inl.hpp"
#endif
