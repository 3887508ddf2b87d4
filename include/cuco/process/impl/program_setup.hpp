// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/core/result.hpp"

extern char** environ;

/// @file
/// What the caller of a program needs on its own side: its streams, its environment, its signals.

namespace cuco::impl {

/// Keeps the head and the tail of a stream and counts what falls out between them.
class CappedText {
 public:
  explicit CappedText(std::size_t cap) : head_cap_(cap - cap / 2), tail_cap_(cap / 2) {}

  void append(char const* data, std::size_t size) {
    std::size_t const to_head = std::min(size, head_cap_ - head_.size());
    head_.append(data, to_head);
    tail_.append(data + to_head, size - to_head);
    // Trimmed at twice the cap, so that a flood costs one move per `tail_cap_` bytes.
    if (tail_.size() > 2 * tail_cap_) trim();
  }

  [[nodiscard]] std::string take() {
    if (tail_.size() > tail_cap_) trim();
    if (cut_ == 0) return std::move(head_) + tail_;
    return std::move(head_) + "\n[... " + std::to_string(cut_) + " bytes cut ...]\n" + tail_;
  }
  [[nodiscard]] bool truncated() const { return cut_ != 0 || tail_.size() > tail_cap_; }

 private:
  void trim() {
    std::size_t const extra = tail_.size() - tail_cap_;
    cut_ += extra;
    tail_.erase(0, extra);
  }
  std::size_t head_cap_, tail_cap_;
  std::string head_, tail_;
  std::uint64_t cut_ = 0;
};

/// Writes to a pipe without reader must be an error code here, not a signal for the whole process.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigset_t pending;
    ::sigemptyset(&pending);
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &old_);
  }
  SigpipeGuard(SigpipeGuard const&) = delete;
  SigpipeGuard& operator=(SigpipeGuard const&) = delete;
  ~SigpipeGuard() {
    timespec const now{0, 0};
    while (!was_pending_ && ::sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
    }
    ::pthread_sigmask(SIG_SETMASK, &old_, nullptr);
  }

 private:
  sigset_t pipe_{}, old_{};
  bool was_pending_ = false;
};

inline bool is_passed_on(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "XDG_CACHE_HOME"};
  constexpr std::string_view kPrefixes[] = {"CUDA_", "NCCL_", "OMPI_", "CCACHE_"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](auto n) { return n == name; }) ||
         std::any_of(std::begin(kPrefixes), std::end(kPrefixes), [&](auto p) {
           return name.substr(0, p.size()) == p;
         });
}

/// The scrubbed environment with `added` on top; later entries win.
inline Result<std::vector<std::string>> program_environment(std::vector<std::string> const& added) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view const text = *entry;
    if (is_passed_on(text.substr(0, text.find('=')))) result.emplace_back(text);
  }
  for (auto const& text : added) {
    auto const equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || text.find('\0') != std::string::npos)
      return fail(ErrorCode::kInvalidArgument, "environment entry '" + text + "' is not NAME=VALUE");
    auto const same = [&](std::string const& other) {
      return other.compare(0, equals + 1, text, 0, equals + 1) == 0;
    };
    result.erase(std::remove_if(result.begin(), result.end(), same), result.end());
    result.push_back(text);
  }
  return result;
}

inline std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (auto& s : strings) result.push_back(s.data());
  result.push_back(nullptr);
  return result;
}

inline bool make_pipe(UniqueFd& reader, UniqueFd& writer) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return false;
  reader = UniqueFd(fds[0]);
  writer = UniqueFd(fds[1]);
  return true;
}

inline void set_nonblocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/// Moves what is there from `fd` to `text`; closes `fd` at its end.
inline void drain(UniqueFd& fd, CappedText& text) {
  char buffer[65536];
  while (fd) {
    ssize_t const got = ::read(fd.get(), buffer, sizeof buffer);
    if (got > 0) {
      text.append(buffer, static_cast<std::size_t>(got));
    } else if (got == 0) {
      fd.reset();
    } else if (errno != EINTR) {
      if (errno != EAGAIN) fd.reset();
      return;
    }
  }
}

}  // namespace cuco::impl
