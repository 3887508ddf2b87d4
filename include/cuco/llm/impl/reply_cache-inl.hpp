// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/llm/impl/canonical_request.hpp"
#include "cuco/llm/impl/chat_json.hpp"
#include "cuco/llm/impl/line_file.hpp"
#include "cuco/llm/impl/reply_cache.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE ReplyCache::ReplyCache(std::string folder) : folder_(std::move(folder)) {
  if (folder_.empty()) return;
  if (Status made = make_folder(folder_); !made) {
    report(to_line(made.error()));
    folder_.clear();
  }
}

CUCO_EVOLVE_INLINE std::string ReplyCache::key(std::string const& model, ChatRequest const& request) {
  return request_key(model, request);
}

CUCO_EVOLVE_INLINE void ReplyCache::report(std::string const& what) {
  if (reported_) return;
  reported_ = true;
  log_warning("cache of replies: " + what);
}

CUCO_EVOLVE_INLINE std::optional<ChatReply> ReplyCache::find(std::string const& key) {
  std::lock_guard const lock(mutex_);
  auto found = replies_.find(key);
  if (found == replies_.end() && !folder_.empty()) {
    std::string const path = folder_ + "/" + key + ".json";
    auto const bytes = read_file(path);
    auto answer = bytes ? answer_from_json(*bytes) : std::nullopt;
    if (answer && *answer) {
      found = replies_.emplace(key, **std::move(answer)).first;
    } else if (bytes || bytes.error().code != ErrorCode::kNotFound) {
      report(bytes ? path + ": this is not a reply" : to_line(bytes.error()));
    }
  }
  if (found == replies_.end()) return std::nullopt;
  ChatReply reply = found->second;
  reply.usage = {};
  reply.cost_usd = 0;
  reply.recorded_as.clear();
  reply.from_record = false;
  return reply;
}

CUCO_EVOLVE_INLINE void ReplyCache::store(std::string const& key, ChatReply const& reply) {
  if (reply.finish != FinishReason::kEnd && reply.finish != FinishReason::kToolUse) return;
  std::lock_guard const lock(mutex_);
  replies_.emplace(key, reply);
  if (folder_.empty()) return;
  Status const written = write_file_atomic(folder_ + "/" + key + ".json",
                                           answer_to_json(redacted(Result<ChatReply>(reply))) + "\n");
  if (!written) report(to_line(written.error()));
}

}  // namespace cuco::impl
