// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/token.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// Replacements of spans of one source. Everything else stays as written, byte for byte.
class SourceEdits {
 public:
  void replace(Span span, std::string text) { edits_.push_back({span, std::move(text), edits_.size()}); }
  void insert(std::uint32_t at, std::string text) { replace({at, at}, std::move(text)); }
  [[nodiscard]] bool empty() const { return edits_.empty(); }

  /// Insertions at one place keep the order in which they were added.
  [[nodiscard]] Result<std::string> apply(std::string_view source) const {
    auto edits = edits_;
    std::sort(edits.begin(), edits.end(), [](Edit const& a, Edit const& b) {
      return a.span.begin != b.span.begin       ? a.span.begin < b.span.begin
             : a.span.empty() != b.span.empty() ? a.span.empty()
                                                : a.order < b.order;
    });
    std::string out;
    std::uint32_t at = 0;
    for (Edit const& e : edits) {
      if (e.span.begin < at || e.span.end > source.size())
        return fail(ErrorCode::kInternal, "two edits overlap at byte " + std::to_string(e.span.begin));
      out += source.substr(at, e.span.begin - at);
      out += e.text;
      at = e.span.end;
    }
    return out += source.substr(at);
  }

 private:
  struct Edit {
    Span span;
    std::string text;
    std::size_t order;
  };
  std::vector<Edit> edits_{};
};

/// Offset of the first byte of the line that holds `at`.
inline std::uint32_t line_begin(std::string_view source, std::uint32_t at) {
  std::size_t const newline = at == 0 ? std::string_view::npos : source.rfind('\n', at - 1);
  return newline == std::string_view::npos ? 0 : static_cast<std::uint32_t>(newline + 1);
}

/// Offset after the newline of the line that holds `at`.
inline std::uint32_t line_end(std::string_view source, std::uint32_t at) {
  std::size_t const newline = source.find('\n', at);
  return static_cast<std::uint32_t>(newline == std::string_view::npos ? source.size() : newline + 1);
}

/// The blanks that the line of `at` begins with.
inline std::string indentation_at(std::string_view source, std::uint32_t at) {
  std::uint32_t const begin = line_begin(source, at);
  std::size_t const end = std::min(source.find_first_not_of(" \t", begin), source.size());
  return std::string(source.substr(begin, end - begin));
}

}  // namespace cuco::impl
