// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/progress.hpp"

namespace cuco {

namespace impl {

/// The first `columns` characters of UTF-8 `text`; a wrapped line could not be redrawn in place.
CUCO_EVOLVE_INLINE std::string_view fit(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (std::size_t shown = 0; at < text.size(); ++at) {
    bool const starts = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (starts && ++shown > columns) break;
  }
  return text.substr(0, at);
}

}  // namespace impl

CUCO_EVOLVE_INLINE TerminalStyle detect_terminal(int fd) {
  TerminalStyle style;
  if (::isatty(fd) == 0) return style;
  char const* term = std::getenv("TERM");
  style.live = term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
  char const* no_colour = std::getenv("NO_COLOR");
  style.colour = style.live && (no_colour == nullptr || *no_colour == '\0');
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.columns = size.ws_col;
  return style;
}

CUCO_EVOLVE_INLINE std::string progress_bar(std::size_t done, std::size_t total, std::size_t width) {
  std::size_t const full = total == 0 ? 0 : std::min(done, total) * width / total;
  return "[" + std::string(full, '#') + std::string(width - full, '-') + "]";
}

CUCO_EVOLVE_INLINE Progress::Progress(Progress&& other) noexcept
    : fd_(other.fd_),
      style_(other.style_),
      shown_(std::exchange(other.shown_, {})),
      last_(std::move(other.last_)) {}

CUCO_EVOLVE_INLINE void Progress::write(std::string_view text) const {
  while (!text.empty()) {
    ssize_t const put = ::write(fd_, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

CUCO_EVOLVE_INLINE void Progress::erase() {
  if (!shown_.empty()) write("\r\x1b[K");
}

CUCO_EVOLVE_INLINE void Progress::update(std::size_t done, std::size_t total, std::string_view text) {
  std::string const count = std::to_string(done) + "/" + std::to_string(total);
  if (!style_.live) {
    std::string line = count + " ";
    line += text;
    if (line == last_) return;
    last_ = line;
    write(line + "\n");
    return;
  }
  std::string line = progress_bar(done, total, 20) + " " + count + "  ";
  line += text;
  // The last column stays free: some terminals wrap as soon as it is written.
  line = impl::fit(line, static_cast<std::size_t>(std::max(style_.columns - 1, 1)));
  if (line == shown_) return;
  erase();
  write(line);
  shown_ = std::move(line);
}

CUCO_EVOLVE_INLINE void Progress::note(std::string_view line) {
  erase();
  write(std::string(line) + "\n");
  write(shown_);
}

CUCO_EVOLVE_INLINE void Progress::finish() {
  erase();
  shown_.clear();
}

}  // namespace cuco
