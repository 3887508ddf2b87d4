// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>

namespace cuco {

/// A key or token. It has no text form: only `reveal` gives the value, and only what puts it on the wire
/// calls that. The memory is cleared when the last use ends.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(Secret const&) = default;
  Secret& operator=(Secret const& other) {
    if (this != &other) {
      wipe();
      value_ = other.value_;
    }
    return *this;
  }
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      value_ = std::move(other.value_);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  [[nodiscard]] bool empty() const { return value_.empty(); }
  /// The value, for a header or the environment of a helper program. Never for a log, an error or a file.
  [[nodiscard]] std::string const& reveal() const { return value_; }

  /// Replaces every occurrence of the value in `text` by "[key]". Values of under 6 bytes stay: they are
  /// words that text may hold anyway.
  void scrub(std::string& text) const {
    if (value_.size() < 6) return;
    for (std::size_t at = text.find(value_); at != std::string::npos; at = text.find(value_, at + 5))
      text.replace(at, value_.size(), "[key]");
  }

  /// The same for the beginning of the value at the end of a text that was cut, with or without "..." there.
  void scrub_cut(std::string& text) const {
    if (value_.size() < 6) return;
    bool const dots = text.size() > 3 && text.compare(text.size() - 3, 3, "...") == 0;
    std::size_t const end = text.size() - (dots ? 3 : 0);
    for (std::size_t size = value_.size() - 1; size >= 4; --size)
      if (size <= end && text.compare(end - size, size, value_, 0, size) == 0) {
        text.replace(end - size, size, "[key]");
        return;
      }
  }

  /// Cannot be printed.
  template <class Stream>
  friend Stream& operator<<(Stream&, Secret const&) = delete;

 private:
  void wipe() noexcept {
    // All of the capacity: a short value that was moved from is still in the string's own buffer. Volatile,
    // because a compiler drops writes to memory that nobody reads again.
    value_.resize(value_.capacity());
    for (char volatile& c : value_) c = '\0';
    value_.clear();
  }
  std::string value_;
};

}  // namespace cuco
