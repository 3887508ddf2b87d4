// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cuco {

/// What a stream can show.
struct TerminalStyle {
  bool live = false;    ///< A line may be redrawn in place.
  bool colour = false;  ///< Colours are wanted and understood.
  int columns = 80;
};

/// Looks at file descriptor `fd`: live on a terminal unless TERM is "dumb" or unset; colour if, besides,
/// NO_COLOR is unset or empty. A pipe or a file gets plain lines of any length.
[[nodiscard]] TerminalStyle detect_terminal(int fd);

/// "[#####-----]" with `width` cells between the brackets. `total` 0 gives an empty bar.
[[nodiscard]] std::string progress_bar(std::size_t done, std::size_t total, std::size_t width);

/// Shows how far a run is: one line redrawn in place on a terminal, a plain line per step elsewhere.
///
/// One thread at a time. Writes to `fd` only; an unwritable `fd` is ignored, a run must not fail for it.
class Progress {
 public:
  Progress(int fd, TerminalStyle style) : fd_(fd), style_(style) {}
  explicit Progress(int fd) : Progress(fd, detect_terminal(fd)) {}
  Progress(Progress&& other) noexcept;
  Progress& operator=(Progress&&) = delete;
  ~Progress() { finish(); }

  /// Step `done` of `total`, with a few words about it.
  void update(std::size_t done, std::size_t total, std::string_view text);
  /// A line that stays, above the bar.
  void note(std::string_view line);
  /// Removes the bar from a terminal. `update` brings it back.
  void finish();

 private:
  void write(std::string_view text) const;
  void erase();
  int fd_;
  TerminalStyle style_;
  std::string shown_;  // the line on the terminal now
  std::string last_;   // the last plain line
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/core/progress-inl.hpp"
#endif
