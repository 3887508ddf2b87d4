// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "cuco/edit/impl/text_line.hpp"

namespace cuco::impl {

/// Indents lines of a reply as the program does, learnt from lines that are the same in both but for it.
class Reindent {
 public:
  /// A line that is indented by `reply` in the reply and by `program` in the program.
  void learn(std::string_view reply, std::string_view program) {
    if (reply.size() > kLongest || program.size() > kLongest || known_.size() >= kMost) return;
    bool const added = known_.try_emplace(std::string(reply), program).second;
    if (!added || unit_ != 0) return;
    if (only(reply, ' ') && only(program, '\t') && reply.size() % program.size() == 0) {
      unit_ = reply.size() / program.size();
      to_tabs_ = true;
    } else if (only(reply, '\t') && only(program, ' ') && program.size() % reply.size() == 0) {
      unit_ = program.size() / reply.size();
      to_tabs_ = false;
    }
  }

  /// `line`, without newline, as the program would indent it. Blank lines become empty.
  [[nodiscard]] std::string operator()(std::string_view line) const {
    std::string_view const indent = indentation(line);
    std::string_view const rest = line.substr(indent.size());
    if (rest.empty()) return {};
    if (indent.size() > kLongest || known_.empty()) return std::string(line);
    return indented(indent) + std::string(rest);
  }

 private:
  static constexpr std::size_t kLongest = 256;
  static constexpr std::size_t kMost = 64;

  static bool only(std::string_view s, char c) {
    return !s.empty() && s.find_first_not_of(c) == std::string_view::npos;
  }

  /// Indentation beyond what is known.
  [[nodiscard]] std::string converted(std::string_view indent) const {
    if (unit_ != 0 && to_tabs_ && only(indent, ' '))
      return std::string(indent.size() / unit_, '\t') + std::string(indent.size() % unit_, ' ');
    if (unit_ != 0 && !to_tabs_ && only(indent, '\t')) return std::string(indent.size() * unit_, ' ');
    return std::string(indent);
  }

  [[nodiscard]] std::string indented(std::string_view indent) const {
    for (std::size_t n = indent.size() + 1; n-- > 0;)
      if (auto const found = known_.find(indent.substr(0, n)); found != known_.end())
        return found->second + converted(indent.substr(n));
    // Less than all that is known: moved by as much as the least of them.
    auto const least = std::min_element(known_.begin(), known_.end(), [](auto const& a, auto const& b) {
      return a.first.size() < b.first.size();
    });
    std::string_view const reply = least->first;
    std::string_view const program = least->second;
    if (program.ends_with(reply))
      return std::string(program.substr(0, program.size() - reply.size())) + std::string(indent);
    if (reply.ends_with(program))
      return std::string(indent.substr(std::min(reply.size() - program.size(), indent.size())));
    return converted(indent);
  }

  std::map<std::string, std::string, std::less<>> known_{};
  std::size_t unit_ = 0;  ///< Blanks that stand for one tab; 0: not known.
  bool to_tabs_ = true;
};

}  // namespace cuco::impl
