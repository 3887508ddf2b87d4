// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/impl/generation_scope.hpp"
#include "cuco/llm/impl/line_file.hpp"
#include "cuco/llm/recording_setup.hpp"

namespace cuco::impl {

/// The name of one call in a recording: scope, request and how often it was asked before in that scope.
struct CallName {
  std::string scope{};
  std::string request{};  ///< `request_key` without secrets.
  int occurrence = 0;
  [[nodiscard]] std::string text() const;
};

/// The calls of one file, on disk; in memory only where they are. Any thread.
class RecordBook {
 public:
  /// `path`: a file that ends in .jsonl, or a folder that holds `calls.jsonl`. For writing, both are created.
  [[nodiscard]] Status open(std::string const& path, bool write);

  void on(Event const& event);
  /// Names the next call of `request` and counts it.
  [[nodiscard]] CallName name(std::string const& model, ChatRequest const& redacted_request);
  /// The recorded answer of `call`. Empty: there is none.
  [[nodiscard]] std::optional<Result<ChatReply>> find(CallName const& call) const;
  /// Writes an answer down. Errors: kIo.
  [[nodiscard]] Status store(CallName const& call,
                             std::string const& model,
                             ChatRequest const& redacted_request,
                             Result<ChatReply> const& redacted_answer);
  /// Why `call` cannot be replayed; the first reason is kept.
  [[nodiscard]] Error missing(CallName const& call,
                              std::string const& model,
                              ChatRequest const& redacted_request);
  [[nodiscard]] std::optional<Error> missed() const;

  /// See `Recording::set_up`.
  [[nodiscard]] Status set_up(RecordingSetup const& setup);
  [[nodiscard]] std::optional<RecordingSetup> setup() const;

  [[nodiscard]] std::vector<std::string> models() const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct Place {
    std::int64_t offset = 0;
    std::int64_t length = 0;
    std::string model{};
  };
  [[nodiscard]] Status index_lines();
  [[nodiscard]] Result<std::string> line_at(Place const& place) const;
  [[nodiscard]] Error why_missing(CallName const& call,
                                  std::string const& model,
                                  ChatRequest const& redacted_request) const;
  [[nodiscard]] Status append(std::string const& line);

  mutable std::mutex mutex_{};
  std::string path_{};
  UniqueFd reader_{};
  std::optional<LineFile> writer_{};
  std::int64_t size_ = 0;
  GenerationScope scope_{};
  std::unordered_map<std::string, int> asked_{};  ///< Scope and request -> times.
  std::map<std::string, Place> calls_{};          ///< `CallName::text` -> the last line of that name.
  std::optional<RecordingSetup> setup_{};
  std::optional<Error> missed_{};
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/record_book-inl.hpp"
#endif
