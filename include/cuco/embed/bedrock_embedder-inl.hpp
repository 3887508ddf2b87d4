// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/embed/bedrock_embedder.hpp"
#include "cuco/embed/impl/remote_embedder-inl.hpp"
#include "cuco/llm/impl/provider_info.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE BedrockEmbedder::BedrockEmbedder(BackendOptions const& options, int dimension) {
  std::string const model = options.model.empty() ? "amazon.titan-embed-text-v2:0" : options.model;
  bool const cohere = model.find("cohere.") != std::string::npos;
  bool const first_titan = model.find("titan-embed-text-v1") != std::string::npos;
  impl::RemoteEmbedding how;
  how.endpoint = impl::bedrock_endpoint(options);
  how.name = "bedrock:" + model;
  how.path = "/model/" + impl::url_segment(model) + "/invoke";
  how.body = [cohere, first_titan, dimension](std::string const& text) {
    wire::Json json;
    if (cohere) {
      json["texts"] = wire::Json::array({text});
      json["input_type"] = "clustering";
      json["truncate"] = "END";
      return json;
    }
    json["inputText"] = text;
    if (!first_titan && dimension > 0) json["dimensions"] = dimension;
    if (!first_titan) json["normalize"] = true;
    return json;
  };
  how.values = [cohere](wire::Json const& reply) {
    if (!cohere) return wire::at(reply, "embedding");
    // A list, or, when types were asked for, an object of lists.
    wire::Json const& all = wire::at(reply, "embeddings");
    return wire::item(all.is_object() ? wire::at(all, "float") : all, 0);
  };
  shared_ = std::make_shared<impl::RemoteEmbedder>(std::move(how));
}

}  // namespace cuco
