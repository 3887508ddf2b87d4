// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "cuco/core/chat.hpp"

namespace cuco::impl {

/// Whole replies by request. Any thread.
class ReplyCache {
 public:
  explicit ReplyCache(std::string folder);
  [[nodiscard]] static std::string key(std::string const& model, ChatRequest const& request);
  [[nodiscard]] std::optional<ChatReply> find(std::string const& key);
  void store(std::string const& key, ChatReply const& reply);

 private:
  void report(std::string const& what);
  std::mutex mutex_{};
  std::string folder_;
  std::unordered_map<std::string, ChatReply> replies_{};
  bool reported_ = false;
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/reply_cache-inl.hpp"
#endif
