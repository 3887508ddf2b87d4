// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cuco/edit/impl/excerpt.hpp"
#include "cuco/edit/impl/text_line.hpp"

namespace cuco::impl {

/// How alike two lines are: the share of three-letter groups that both have, blanks left out. Only the first
/// characters of a long line count, so that a comparison has a bounded cost.
class LineShape {
 public:
  explicit LineShape(std::string_view line) {
    std::string letters;
    for (char c : line.substr(0, 400)) {
      if (!is_space(c)) letters += c;
      if (letters.size() == 200) break;
    }
    auto byte = [&](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(letters[i]));
    };
    if (letters.size() < 3) {
      if (!letters.empty()) groups_.push_back(byte(0) << 8U | (letters.size() > 1 ? byte(1) : 0));
      return;
    }
    for (std::size_t i = 0; i + 2 < letters.size(); ++i)
      groups_.push_back(byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2));
    std::sort(groups_.begin(), groups_.end());
  }
  [[nodiscard]] double likeness(LineShape const& other) const {
    if (groups_.empty() || other.groups_.empty()) return 0;
    std::size_t common = 0;
    for (auto a = groups_.begin(), b = other.groups_.begin();
         a != groups_.end() && b != other.groups_.end();) {
      if (*a == *b)
        ++common, ++a, ++b;
      else if (*a < *b)
        ++a;
      else
        ++b;
    }
    return 2.0 * static_cast<double>(common) / static_cast<double>(groups_.size() + other.groups_.size());
  }

 private:
  std::vector<std::uint32_t> groups_{};
};

/// A stretch of mutable lines and how it relates to what was searched for.
struct Nearest {
  std::size_t begin = 0;
  std::size_t end = 0;    ///< Empty: nothing is alike.
  std::size_t shift = 0;  ///< Line `shift` of the searched lines lies over line `begin`.
};

/// The mutable lines that `search` most likely means. O(lines), with bounded work for likeness.
inline Nearest find_nearest(std::vector<TextLine> const& lines, std::vector<TextLine> const& search) {
  constexpr std::size_t kIndented = static_cast<std::size_t>(Match::kIndentation);
  constexpr std::size_t kMostLines = 10000;            // That are compared for likeness.
  std::unordered_map<std::size_t, std::size_t> where;  // Hash of a line -> its first place in `search`.
  for (std::size_t i = 0; i < search.size(); ++i)
    if (trim(search[i].text).size() > 3) where.try_emplace(search[i].hash[kIndented], i);
  // Lines that are equal vote for how far the two texts are apart.
  std::unordered_map<std::ptrdiff_t, std::size_t> votes;
  std::pair<std::size_t, std::ptrdiff_t> best{0, 0};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].frozen()) continue;
    auto const found = where.find(lines[i].hash[kIndented]);
    if (found == where.end()) continue;
    auto const distance = static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(found->second);
    std::size_t const count = ++votes[distance];
    if (count > best.first) best = {count, distance};
  }
  if (best.first == 0) {
    std::vector<std::pair<std::size_t, LineShape>> wanted;  // The longest lines tell most.
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < std::min(search.size(), kMostLines); ++i)
      if (!search[i].blank()) order.push_back(i);
    std::size_t const n = std::min<std::size_t>(3, order.size());
    std::partial_sort(
        order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(), [&](auto a, auto b) {
          return std::pair(search[a].text.size(), b) > std::pair(search[b].text.size(), a);
        });
    for (std::size_t k = 0; k < n; ++k) wanted.emplace_back(order[k], LineShape(search[order[k]].text));
    double likeness = 0.4;  // Below, lines have little in common.
    std::size_t compared = 0;
    bool any = false;
    for (std::size_t i = 0; i < lines.size() && compared < kMostLines; ++i) {
      if (lines[i].frozen() || lines[i].blank()) continue;
      ++compared;
      LineShape const shape(lines[i].text);
      for (auto const& [at, want] : wanted) {
        double const is = want.likeness(shape);
        if (is <= likeness) continue;
        likeness = is;
        best.second = static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(at);
        any = true;
      }
    }
    if (!any) return {};
  }
  // The part of the stretch that lies in one block.
  std::ptrdiff_t const first = std::max<std::ptrdiff_t>(best.second, 0);
  std::ptrdiff_t const last = std::min(best.second + static_cast<std::ptrdiff_t>(search.size()),
                                       static_cast<std::ptrdiff_t>(lines.size()));
  Nearest out;
  for (std::ptrdiff_t i = first; i < last; ++i) {
    if (lines[static_cast<std::size_t>(i)].frozen()) continue;
    if (out.begin == out.end) out.begin = static_cast<std::size_t>(i);
    out.end = static_cast<std::size_t>(i) + 1;
  }
  out.shift = out.begin - static_cast<std::size_t>(first) + static_cast<std::size_t>(first - best.second);
  return out;
}

/// Line numbers as the model knows them: those of the program it was given.
inline std::string name_of(TextLine const& line) {
  return line.number != 0 ? "line " + std::to_string(line.number)
                          : "a line that edit " + std::to_string(line.edit) + " wrote";
}

/// Lines for the model: what is nearest to `search`, and where the first difference is. Empty when nothing
/// is.
inline std::string describe_nearest(std::vector<TextLine> const& lines, std::vector<TextLine> const& search) {
  constexpr std::size_t kMostShown = 12;
  Nearest const near = find_nearest(lines, search);
  if (near.begin >= near.end) return {};
  std::string out = "the nearest lines are\n";
  std::size_t const end = std::min(near.end, near.begin + kMostShown);
  for (std::size_t i = near.begin; i < end; ++i) {
    std::string number =
        lines[i].number != 0 ? std::to_string(lines[i].number) : "edit " + std::to_string(lines[i].edit);
    number.insert(0, number.size() < 6 ? 6 - number.size() : 0, ' ');
    out += number + " | " + excerpt(trim_right(lines[i].text)) + "\n";
  }
  if (near.end > end) out += "   ... | (" + std::to_string(near.end - end) + " more)\n";
  for (std::size_t i = near.begin; i < near.end; ++i) {
    std::size_t const k = near.shift + (i - near.begin);
    if (k < search.size() && !same_line(lines[i], search[k], Match::kIndentation)) {
      out += "the first difference: " + name_of(lines[i]) + " is\n  " + excerpt(trim(lines[i].text)) +
             "\nwhere SEARCH has\n  " + excerpt(trim(search[k].text)) + "\n";
      return out;
    }
  }
  out += "SEARCH has further lines, which do not follow there\n";
  return out;
}

}  // namespace cuco::impl
