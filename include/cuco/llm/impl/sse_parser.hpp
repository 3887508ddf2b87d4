// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"

namespace cuco::impl {

/// One server-sent event.
struct SseEvent {
  std::string event{};  ///< Its name; empty when the server gave none.
  std::string data{};   ///< Lines of data, joined by newlines.
  bool operator==(SseEvent const&) const = default;
};

/// Reads server-sent events from a body that arrives in pieces, cut anywhere. Lines end in CR, LF or CRLF;
/// comments, ids and unknown fields are skipped, and so are events without data.
class SseParser {
 public:
  /// @param most_bytes of one event; more is an error.
  explicit SseParser(std::size_t most_bytes = std::size_t{64} << 20U) : most_bytes_(most_bytes) {}

  /// Appends the events that `bytes` completes to `events`. Errors: kParse for an event that is too long.
  [[nodiscard]] Status feed(std::string_view bytes, std::vector<SseEvent>& events);

  /// To be called at the end of the body: completes an event whose last blank line is missing.
  void finish(std::vector<SseEvent>& events);

 private:
  void end_line(std::vector<SseEvent>& events);
  void end_event(std::vector<SseEvent>& events);
  std::size_t most_bytes_;
  std::string line_{};
  SseEvent event_{};
  bool has_data_ = false;
  bool after_cr_ = false;   ///< An LF that follows belongs to the line that ended already.
  bool first_line_ = true;  ///< May begin with a byte order mark.
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/sse_parser-inl.hpp"
#endif
