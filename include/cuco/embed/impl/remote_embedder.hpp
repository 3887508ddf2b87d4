// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cuco/core/embedding.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

struct RemoteEmbedding;

/// What all copies of one embedder share. Any thread.
class RemoteEmbedder {
 public:
  explicit RemoteEmbedder(RemoteEmbedding how);
  RemoteEmbedder(RemoteEmbedder const&) = delete;
  RemoteEmbedder& operator=(RemoteEmbedder const&) = delete;
  ~RemoteEmbedder();
  [[nodiscard]] Result<Embedding> embed(std::string_view text);
  [[nodiscard]] std::string const& name() const;
  [[nodiscard]] Status ready() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/embed/impl/remote_embedder-inl.hpp"
#endif
