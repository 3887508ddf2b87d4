// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/impl/reply_cache.hpp"

namespace cuco {

struct CacheOptions {
  std::string
      folder{};  ///< Replies are kept here too, one file each, for later processes; empty: in memory only.
  bool any_temperature =
      false;  ///< Also requests that are not at temperature 0: the same question, the same reply.
};

/// Answers a repeated request with the reply it got first.
///
/// Only requests at temperature 0, unless the options say otherwise, and only replies that are whole: no
/// errors, nothing cut off or withheld. A reply from the cache costs nothing (`cost_usd` 0, no tokens) and
/// holds no secrets when it comes from a file. A file that cannot be read or written is reported in the log
/// and does without.
///
/// Errors: those of the inner backend. Copies share the cache. Any thread, if the inner backend may.
template <LLMBackend B>
class Cached {
 public:
  explicit Cached(B backend, CacheOptions options = {})
      : backend_(std::move(backend)),
        any_temperature_(options.any_temperature),
        cache_(std::make_shared<impl::ReplyCache>(std::move(options.folder))) {}

  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) {
    if (!any_temperature_ && request.temperature != 0.0) return backend_.complete(request);
    auto const key = impl::ReplyCache::key(model(), request);
    if (auto kept = cache_->find(key)) {
      if (request.on_text) request.on_text(kept->text);
      return *std::move(kept);
    }
    Result<ChatReply> reply = backend_.complete(request);
    if (reply) cache_->store(key, *reply);
    return reply;
  }
  [[nodiscard]] std::string model() const { return model_of(backend_); }

 private:
  B backend_;
  bool any_temperature_;
  std::shared_ptr<impl::ReplyCache> cache_;
};

static_assert(explain_llm_backend<Cached<AnyBackend>>());

}  // namespace cuco
