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

/// Embeddings of Gemini. Dimension: 3072 for gemini-embedding-001, the default, or what is asked for. Vectors
/// cut shorter are not of length one.
///
/// Keys and addresses as for the backends (docs/models.md). Copies share their state; any number of threads
/// may call at the same time.
class GeminiEmbedder {
 public:
  using Options = BackendOptions;
  /// @param dimension 0: the model's own.
  explicit GeminiEmbedder(BackendOptions const& options = {}, int dimension = 0);
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

static_assert(explain_embedder<GeminiEmbedder>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/embed/gemini_embedder-inl.hpp"
#endif
