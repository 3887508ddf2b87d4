// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/lexer.hpp"
#include "cuco/core/result.hpp"
#include "cuco/transform/impl/source_edit.hpp"

/// @file
/// Checks around kernel launches, at the level of tokens, and the helper that they call.

namespace cuco::impl::transforming {

inline constexpr char const* kRerunMark = "cuco-diagnostic: ";

/// Goes before everything else in the program. A signal handler ends a hang, because nothing else runs while
/// the host waits for the GPU.
inline constexpr char const* kRerunHelper = R"(#include <cuda_runtime.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
namespace cuco_diagnostic {
inline char running[512];
inline const char* rank() {
  const char* text = getenv("OMPI_COMM_WORLD_RANK");
  return text != nullptr ? text : "?";
}
inline void give_up(int) {
  if (write(2, running, strlen(running)) < 0) _exit(97);
  _exit(97);
}
inline void check(const char* kernel, int line) {
  snprintf(running, sizeof running, "cuco-diagnostic: rank %s: kernel %.300s, launched in line %d, is not over after @seconds@ s\n",
           rank(), kernel, line);
  cudaError_t status = cudaGetLastError();
  const char* when = "cannot be launched";
  if (status == cudaSuccess) {
    signal(SIGALRM, give_up);
    alarm(@seconds@);
    status = cudaDeviceSynchronize();
    alarm(0);
    when = "fails";
  }
  if (status == cudaSuccess) return;
  if (static_cast<int>(status) == 900 || static_cast<int>(status) == 901) return;  // a graph is being captured
  fprintf(stderr, "cuco-diagnostic: rank %s: kernel %.300s, launched in line %d, %s: %s\n", rank(), kernel, line, when,
          cudaGetErrorString(status));
  fflush(stderr);
  _exit(96);
}
template <class Status>
inline Status after(Status status, const char* kernel, int line) {
  check(kernel, line);
  return status;
}
}  // namespace cuco_diagnostic
#line 1 "@file@"
)";

inline std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

inline bool is_launch_call(std::string_view word) {
  return word == "cudaLaunchKernel" || word == "cudaLaunchCooperativeKernel" ||
         word == "cudaLaunchKernelEx" || word == "cudaLaunchKernelExC" || word == "cuLaunchKernel" ||
         word == "cuLaunchKernelEx" || word == "cuLaunchCooperativeKernel";
}

/// Puts checks around the launches of one piece of text: the program, or the value of a macro.
class LaunchChecker {
 public:
  /// @param base offset of `text` in the program.
  LaunchChecker(std::string_view text, std::uint32_t base, SourceEdits& edits)
      : text_(text), base_(base), edits_(edits) {}

  /// @param parameters of the macro; their arguments are named as the use has them.
  /// @param host whether the byte of the program is host code.
  template <class Host>
  Result<std::size_t> run(std::set<std::string, std::less<>> const& parameters, Host host) {
    auto stream = lex(text_);
    if (!stream) return forward_error(std::move(stream));
    for (Token const& t : stream->tokens)
      if (t.active && t.kind != TokenKind::kDirective) tokens_.push_back(t);
    std::size_t count = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      bool const launch = tokens_[i].is("<<<");
      if (!launch && !is_launch_call(tokens_[i].text)) continue;
      if (!host(base_ + tokens_[i].offset)) continue;
      if (launch ? around_launch(i, parameters) : around_call(i)) ++count;
    }
    return count;
  }

 private:
  /// The token that closes the bracket at `open`, or 0.
  [[nodiscard]] std::size_t close(std::size_t open) const {
    int depth = 0;
    for (std::size_t i = open; i < tokens_.size(); ++i) {
      Token const& t = tokens_[i];
      if (t.is("(") || t.is("[") || t.is("{")) ++depth;
      if ((t.is(")") || t.is("]") || t.is("}")) && --depth == 0) return i;
    }
    return 0;
  }
  /// The token that opens what is closed at `at`, for `)` and `>`; `at` when there is none.
  [[nodiscard]] std::size_t open(std::size_t at) const {
    bool const angle = tokens_[at].is(">");
    int depth = 0;
    for (std::size_t i = at + 1; i-- > 0;) {
      Token const& t = tokens_[i];
      if (angle && t.is(";")) return at;
      if (angle ? t.is(">") : t.is(")")) ++depth;
      if ((angle ? t.is("<") : t.is("(")) && --depth == 0) return i;
    }
    return at;
  }
  /// The first token of the kernel's name, which ends before the `<<<` at `mark`.
  [[nodiscard]] std::optional<std::size_t> kernel_begin(std::size_t mark) const {
    if (mark == 0) return std::nullopt;
    std::size_t i = mark - 1;
    if (tokens_[i].is(">")) {
      std::size_t const angle = open(i);
      if (angle == i || angle == 0) return std::nullopt;
      i = angle - 1;
    } else if (tokens_[i].is(")")) {
      return open(i) == i ? std::nullopt : std::optional<std::size_t>(open(i));
    }
    if (tokens_[i].kind != TokenKind::kIdentifier) return std::nullopt;
    while (i >= 2 && (tokens_[i - 1].is("::") || tokens_[i - 1].is(".") || tokens_[i - 1].is("->")) &&
           tokens_[i - 2].kind == TokenKind::kIdentifier)
      i -= 2;
    return i > 0 && tokens_[i - 1].is("::") ? i - 1 : i;
  }

  /// `kernel<<<…>>>(…)` becomes `(kernel<<<…>>>(…), check(…))`.
  bool around_launch(std::size_t mark, std::set<std::string, std::less<>> const& parameters) {
    auto const begin = kernel_begin(mark);
    std::size_t end = mark + 1;
    while (end < tokens_.size() && !tokens_[end].is(">>>") && !tokens_[end].is(";")) ++end;
    if (!begin || end + 1 >= tokens_.size() || !tokens_[end].is(">>>") || !tokens_[end + 1].is("("))
      return false;
    std::size_t const last = close(end + 1);
    if (last == 0) return false;
    std::uint32_t const from = tokens_[*begin].offset;
    std::string_view const name = text_.substr(from, tokens_[mark].offset - from);
    bool const argument = mark - *begin == 1 && parameters.count(name) != 0;
    edits_.insert(base_ + from, "(");
    edits_.insert(
        base_ + tokens_[last].span().end,
        ", ::cuco_diagnostic::check(" + (argument ? "#" + std::string(name) : quoted(name)) + ", __LINE__))");
    return true;
  }

  /// `cudaLaunchKernel(f, …)` becomes `after(cudaLaunchKernel(f, …), "f", …)`.
  bool around_call(std::size_t at) {
    bool const member = at > 0 && (tokens_[at - 1].is(".") || tokens_[at - 1].is("->"));
    if (member || at + 1 >= tokens_.size() || !tokens_[at + 1].is("(")) return false;
    std::size_t const last = close(at + 1);
    if (last == 0) return false;
    std::size_t begin = at;
    if (begin > 0 && tokens_[begin - 1].is("::")) --begin;
    // The configuration comes first in the …Ex forms.
    bool const second = tokens_[at].text.find("Ex") != std::string_view::npos;
    std::size_t first = at + 2;
    int depth = 0;
    for (std::size_t i = at + 2; second && i < last; ++i) {
      if (tokens_[i].is("(") || tokens_[i].is("{")) ++depth;
      if (tokens_[i].is(")") || tokens_[i].is("}")) --depth;
      if (depth == 0 && tokens_[i].is(",")) {
        first = i + 1;
        break;
      }
    }
    std::size_t stop = first;
    for (depth = 0; stop < last && !(depth == 0 && tokens_[stop].is(",")); ++stop) {
      if (tokens_[stop].is("(") || tokens_[stop].is("<")) ++depth;
      if (tokens_[stop].is(")") || tokens_[stop].is(">")) --depth;
    }
    if (stop <= first) return false;
    std::uint32_t const from = tokens_[first].offset;
    edits_.insert(base_ + tokens_[begin].offset, "::cuco_diagnostic::after(");
    edits_.insert(base_ + tokens_[last].span().end,
                  ", " + quoted(text_.substr(from, tokens_[stop - 1].span().end - from)) + ", __LINE__)");
    return true;
  }

  std::string_view text_;
  std::uint32_t base_;
  SourceEdits& edits_;
  std::vector<Token> tokens_{};
};

}  // namespace cuco::impl::transforming
