// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/embed/gemini_embedder.hpp"
#include "cuco/embed/impl/remote_embedder-inl.hpp"
#include "cuco/llm/impl/provider_info.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE GeminiEmbedder::GeminiEmbedder(BackendOptions const& options, int dimension) {
  std::string model = options.model.empty() ? "gemini-embedding-001" : options.model;
  if (model.rfind("models/", 0) == 0) model.erase(0, 7);
  impl::RemoteEmbedding how;
  how.endpoint = impl::gemini_endpoint(options);
  how.name = "gemini:" + model;
  how.path = "/v1beta/models/" + impl::url_segment(model) + ":embedContent";
  how.body = [dimension](std::string const& text) {
    wire::Json json;
    json["content"]["parts"] = wire::Json::array({wire::Json{{"text", text}}});
    json["taskType"] = "SEMANTIC_SIMILARITY";
    if (dimension > 0) json["outputDimensionality"] = dimension;
    return json;
  };
  how.values = [](wire::Json const& reply) { return wire::at(wire::at(reply, "embedding"), "values"); };
  shared_ = std::make_shared<impl::RemoteEmbedder>(std::move(how));
}

}  // namespace cuco
