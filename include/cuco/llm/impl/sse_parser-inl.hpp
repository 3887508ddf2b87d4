// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/sse_parser.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE void SseParser::end_event(std::vector<SseEvent>& events) {
  if (has_data_) events.push_back(std::move(event_));
  event_ = {};
  has_data_ = false;
}

CUCO_EVOLVE_INLINE void SseParser::end_line(std::vector<SseEvent>& events) {
  std::string_view line = line_;
  if (std::exchange(first_line_, false) && line.substr(0, 3) == "\xEF\xBB\xBF") line.remove_prefix(3);
  if (line.empty()) {
    end_event(events);
  } else {
    auto const colon = std::min(line.find(':'), line.size());
    auto const field = line.substr(0, colon);
    auto value = colon == line.size() ? std::string_view() : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (field == "data") {
      if (has_data_) event_.data += '\n';
      event_.data += value;
      has_data_ = true;
    } else if (field == "event") {
      event_.event = value;
    }
  }
  line_.clear();
}

CUCO_EVOLVE_INLINE Status SseParser::feed(std::string_view bytes, std::vector<SseEvent>& events) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    auto const end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    line_ += bytes.substr(0, end);
    if (line_.size() + event_.data.size() > most_bytes_)
      return fail(ErrorCode::kParse,
                  "an event of the stream is longer than " + std::to_string(most_bytes_) + " bytes");
    if (end == bytes.size()) break;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_line(events);
  }
  return {};
}

CUCO_EVOLVE_INLINE void SseParser::finish(std::vector<SseEvent>& events) {
  if (!line_.empty()) end_line(events);
  end_event(events);
}

}  // namespace cuco::impl
