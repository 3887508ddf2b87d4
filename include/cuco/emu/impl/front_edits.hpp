// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/token.hpp"

namespace cuco::impl::emulating {

/// Changes of one text, applied at once. Line breaks of replaced text are kept, so that no later line moves.
class TextEdits {
 public:
  void insert(std::uint32_t at, std::string text) { edits_.push_back({at, at, std::move(text)}); }
  void replace(Span span, std::string text) { edits_.push_back({span.begin, span.end, std::move(text)}); }
  void erase(Token const& token) { replace(token.span(), " "); }

  [[nodiscard]] std::string apply(std::string_view source) {
    // At one place, insertions come before replacements.
    std::stable_sort(edits_.begin(), edits_.end(), [](Edit const& a, Edit const& b) {
      return a.begin != b.begin ? a.begin < b.begin : (a.begin == a.end) > (b.begin == b.end);
    });
    std::string out;
    out.reserve(source.size() + source.size() / 4);
    std::uint32_t position = 0;
    for (Edit const& edit : edits_) {
      if (edit.begin < position) continue;
      out += source.substr(position, edit.begin - position);
      out += edit.text;
      for (std::uint32_t i = edit.begin; i < edit.end; ++i) {
        if (source[i] != '\n') continue;
        // Inside a macro body the break is a continuation.
        if (i != 0 && source[i - 1] == '\\') out += '\\';
        out += '\n';
      }
      position = edit.end;
    }
    out += source.substr(position);
    return out;
  }

 private:
  struct Edit {
    std::uint32_t begin;
    std::uint32_t end;
    std::string text;
  };
  std::vector<Edit> edits_{};
};

}  // namespace cuco::impl::emulating
