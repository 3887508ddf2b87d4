// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/embed/impl/remote_embedder-inl.hpp"
#include "cuco/embed/openai_embedder.hpp"
#include "cuco/llm/impl/provider_info.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE OpenAiEmbedder::OpenAiEmbedder(BackendOptions const& options,
                                                  int dimension,
                                                  std::string const& provider) {
  std::string const model = options.model.empty() ? "text-embedding-3-small" : options.model;
  impl::RemoteEmbedding how;
  how.endpoint = impl::bearer_endpoint(provider, options);
  how.name = provider + ":" + model;
  how.path = "/embeddings";
  how.body = [model, dimension](std::string const& text) {
    wire::Json json;
    json["model"] = model;
    json["input"] = text;
    json["encoding_format"] = "float";
    if (dimension > 0) json["dimensions"] = dimension;
    return json;
  };
  how.values = [](wire::Json const& reply) {
    return wire::at(wire::item(wire::at(reply, "data"), 0), "embedding");
  };
  shared_ = std::make_shared<impl::RemoteEmbedder>(std::move(how));
}

}  // namespace cuco
