// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/report/graph_view.hpp"
#include "cuco/report/impl/printable.hpp"

namespace cuco::impl {

enum class Style : std::uint8_t {
  kPlain,
  kFaint,
  kFrame,
  kCollective,
  kBuffer,
  kCompute,
  kWarning,
  kHeading
};

/// A line in pieces of one style each. Text must be printable.
class StyledLine {
 public:
  StyledLine() = default;
  StyledLine(Style style, std::string text) { add(style, std::move(text)); }
  StyledLine& add(Style style, std::string text) {
    columns_ += columns_of(text);
    pieces_.emplace_back(style, std::move(text));
    return *this;
  }
  StyledLine& plain(std::string text) { return add(Style::kPlain, std::move(text)); }
  StyledLine& faint(std::string text) { return add(Style::kFaint, std::move(text)); }
  /// Blanks up to column `column`; one at least.
  StyledLine& tab(std::size_t column) {
    return plain(std::string(column > columns_ ? column - columns_ : 1, ' '));
  }
  StyledLine& append(StyledLine const& other) {
    for (auto const& [style, text] : other.pieces_) add(style, text);
    return *this;
  }
  /// Cuts to `columns`; `...` says so.
  void fit(std::size_t columns) {
    if (columns_ <= columns) return;
    std::size_t const room = columns > 3 ? columns - 3 : columns;
    std::size_t used = 0;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      std::size_t const width = columns_of(pieces_[i].second);
      if (used + width <= room) {
        used += width;
        continue;
      }
      pieces_[i].second = std::string(clip(pieces_[i].second, room - used)) + (columns > 3 ? "..." : "");
      pieces_.resize(i + 1);
      break;
    }
    columns_ = 0;
    for (auto const& piece : pieces_) columns_ += columns_of(piece.second);
  }
  [[nodiscard]] std::size_t columns() const { return columns_; }

  void write(std::string& out, bool colour) const {
    static constexpr std::string_view kCodes[] = {"", "2", "34", "1;35", "36", "32", "33", "1"};
    for (auto const& [style, text] : pieces_) {
      std::string_view const code = kCodes[static_cast<std::size_t>(style)];
      if (colour && !code.empty() && !text.empty()) {
        out += "\x1b[";
        out += code;
        out += 'm';
        out += text;
        out += "\x1b[0m";
      } else {
        out += text;
      }
    }
  }

 private:
  std::vector<std::pair<Style, std::string>> pieces_{};
  std::size_t columns_ = 0;
};

/// The strokes of a picture.
struct Strokes {
  std::string_view rail, down, from, tee, last, right, left;
  std::string_view loop_top, loop_side, loop_bottom;
  /// Top left, top right, bottom left, bottom right, horizontal, vertical.
  std::string_view group[6];
  std::string_view box[6];
  std::string_view box_in, box_out;  ///< Where data enter and leave a box.
  std::string_view kernel, copy, collective, lane, warning, dot;
};

inline constexpr Strokes kUnicodeStrokes = {"│",
                                            "▼",
                                            "├── ",
                                            "├─▶ ",
                                            "└─▶ ",
                                            "▶",
                                            "◀",
                                            "╭─ ",
                                            "│ ",
                                            "╰─",
                                            {"┌", "┐", "└", "┘", "─", "│"},
                                            {"┏", "┓", "┗", "┛", "━", "┃"},
                                            "▼",
                                            "┯",
                                            "●",
                                            "○",
                                            "◆",
                                            "│",
                                            "⚠",
                                            " · "};
inline constexpr Strokes kAsciiStrokes = {"|",
                                          "v",
                                          "|-- ",
                                          "|-> ",
                                          "`-> ",
                                          "-->",
                                          "<--",
                                          ",- ",
                                          "| ",
                                          "`-",
                                          {"+", "+", "+", "+", "-", "|"},
                                          {"#", "#", "#", "#", "=", "#"},
                                          "v",
                                          "+",
                                          "o",
                                          ".",
                                          "@",
                                          "|",
                                          "!",
                                          ", "};

inline std::string repeated(std::string_view s, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += s;
  return out;
}

/// Lines between brackets and boxes that are open around them, with a lane per stream at the left.
class Canvas {
 public:
  Canvas(PictureOptions const& options, Strokes const& strokes)
      : width_(std::max<std::size_t>(options.width, 50)), colour_(options.colour), s_(strokes) {}

  void lanes(std::size_t count) { lanes_ = count; }
  [[nodiscard]] std::size_t lanes() const { return lanes_; }
  /// Columns between the frames.
  [[nodiscard]] std::size_t room() const {
    std::size_t const used = gutter() + 2 * frames_.size() + (groups() > 0 ? 2 * groups() : 0);
    return std::max<std::size_t>(width_ > used ? width_ - used : 0, 30);
  }

  /// `mark` is drawn in lane `lane`, when there is one.
  void line(StyledLine content = {}, std::size_t lane = kNoLane, std::string_view mark = {}) {
    content.fit(room());
    emit(frames_.size(), content, lane, mark);
  }
  void open(bool group, std::string const& title) {
    StyledLine top;
    if (group) {
      std::size_t const inner = room();
      std::string const text = shorten(title, inner - 6);
      top.add(Style::kFrame, std::string(s_.group[0]) + std::string(s_.group[4]) + " ");
      top.add(Style::kFrame, text + " ");
      top.add(Style::kFrame, repeated(s_.group[4], inner - columns_of(text) - 5) + std::string(s_.group[1]));
    } else {
      top.add(Style::kFrame, std::string(s_.loop_top)).faint(title);
      top.fit(room());
    }
    emit(frames_.size(), top, kNoLane, {});
    frames_.push_back(group);
  }
  void close() {
    bool const group = frames_.back();
    frames_.pop_back();
    StyledLine bottom;
    if (group)
      bottom.add(Style::kFrame,
                 std::string(s_.group[2]) + repeated(s_.group[4], room() - 2) + std::string(s_.group[3]));
    else
      bottom.add(Style::kFrame, std::string(s_.loop_bottom));
    emit(frames_.size(), bottom, kNoLane, {});
  }
  std::string take() { return std::move(out_); }
  static constexpr std::size_t kNoLane = static_cast<std::size_t>(-1);

 private:
  [[nodiscard]] std::size_t gutter() const { return lanes_ == 0 ? 0 : 2 * lanes_ + 1; }
  [[nodiscard]] std::size_t groups() const {
    return static_cast<std::size_t>(std::count(frames_.begin(), frames_.end(), true));
  }

  void emit(std::size_t depth, StyledLine const& content, std::size_t lane, std::string_view mark) {
    StyledLine whole;
    if (lanes_ > 0) {
      for (std::size_t i = 0; i < lanes_; ++i) {
        bool const here = i == lane;
        whole.add(here ? Style::kHeading : Style::kFaint, std::string(here ? mark : s_.lane)).plain(" ");
      }
      whole.plain(" ");
    }
    std::size_t open_groups = 0;
    for (std::size_t i = 0; i < depth; ++i) {
      whole.add(Style::kFrame, std::string(frames_[i] ? s_.group[5] : s_.loop_side));
      if (frames_[i]) {
        whole.plain(" ");
        ++open_groups;
      }
    }
    whole.append(content);
    for (; open_groups > 0; --open_groups) {
      std::size_t const column = width_ - 2 * (open_groups - 1) - 1;
      if (whole.columns() < column) whole.tab(column);
      whole.add(Style::kFrame, std::string(s_.group[5]));
    }
    std::string text;
    whole.write(text, colour_);
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out_ += text;
    out_ += '\n';
  }

  std::size_t width_;
  bool colour_;
  Strokes s_;
  std::size_t lanes_ = 0;
  std::vector<bool> frames_{};  // true: a group
  std::string out_{};
};

}  // namespace cuco::impl
