// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/emu/impl/front_rewriter.hpp"

namespace cuco::impl::emulating {

/// First token of the expression before the `<<<` at `open`, or kNone.
inline std::size_t Rewriter::callable_begin(std::size_t open) const {
  static constexpr std::array<std::string_view, 8> kNotNames = {
      "return", "else", "do", "case", "goto", "throw", "co_return", "co_await"};
  auto const name = [&](std::size_t i) {
    if (!t_.identifier(i)) return false;
    for (std::string_view word : kNotNames)
      if (t_.is(i, word)) return false;
    return true;
  };
  std::size_t i = open;
  while (i > 0) {
    std::size_t j = i - 1;
    if (t_.is(j, ">")) {
      j = t_.match_angle_back(j);
      if (j == TokenView::kNone || j == 0 || !name(j - 1)) return TokenView::kNone;
      --j;
    } else if (t_.is(j, ")") || t_.is(j, "]")) {
      j = t_.match_back(j);
      if (j == TokenView::kNone) return TokenView::kNone;
      bool const postfix = j > 0 && (name(j - 1) || t_.is(j - 1, ")") || t_.is(j - 1, "]"));
      if (postfix) {
        i = j;
        continue;
      }
      return j;
    } else if (!name(j)) {
      return TokenView::kNone;
    }
    if (j > 0 && t_.is(j - 1, "template")) --j;
    if (j > 0 && (t_.is(j - 1, ".") || t_.is(j - 1, "->"))) {
      i = j - 1;
      continue;
    }
    if (j > 0 && t_.is(j - 1, "::")) {
      if (j > 1 && (name(j - 2) || t_.is(j - 2, ">"))) {
        i = j - 1;
        continue;
      }
      return j - 1;
    }
    return j;
  }
  return TokenView::kNone;
}

/// Whether the kernel expression names a function only together with its arguments.
inline bool Rewriter::needs_lambda(std::size_t begin, std::size_t end) const {
  std::size_t last = end - 1;
  std::size_t explicit_arguments = 0;
  if (t_.is(last, ">")) {
    std::size_t const open = t_.match_angle_back(last);
    explicit_arguments = t_.split(open + 1, last).size();
    last = open - 1;
  }
  if (!t_.identifier(last)) return false;
  for (std::string const& parameter : c_.macro_parameters)
    if (t_.is(last, parameter)) return true;
  if (last > begin && (t_.is(last - 1, ".") || t_.is(last - 1, "->"))) return false;
  auto const facts = c_.kernels.find(t_[last].text);
  return facts != c_.kernels.end() && !facts->second.names_one_function(explicit_arguments);
}

inline Status Rewriter::launch(std::size_t open) {
  std::size_t const begin = callable_begin(open);
  if (begin == TokenView::kNone)
    return problem(
        ErrorCode::kParse, open, "no kernel name before <<<", "write kernel<<<grid, block>>>(...)");
  std::size_t close = open + 1;
  for (; close < t_.size() && !t_.is(close, ">>>"); ++close) {
    if (t_.opens(close)) close = t_.match(close);
    if (close == TokenView::kNone || t_.is(close, ";")) break;
  }
  if (close >= t_.size() || !t_.is(close, ">>>"))
    return problem(ErrorCode::kParse, open, "<<< without >>>", "write kernel<<<grid, block>>>(...)");
  if (!t_.is(close + 1, "(") && !(c_.macro && close + 1 == t_.size()))
    return problem(
        ErrorCode::kParse, close, "no argument list after >>>", "write kernel<<<grid, block>>>(...)");
  auto const parts = t_.split(open + 1, close);
  if (parts.size() < 2 || parts.size() > 4) {
    return problem(ErrorCode::kParse,
                   open,
                   "a launch configuration with " + std::to_string(parts.size()) + " arguments",
                   "give grid, block and at most shared memory and stream");
  }
  if (scopes_.back().device && !c_.macro)
    return not_emulated(open, "kernel launch from device code", "launch from the host");

  bool const lambda = needs_lambda(begin, open);
  bool const parameter = open - begin == 1 && c_.macro && lambda && c_.kernels.count(t_[begin].text) == 0;
  std::string const name =
      parameter ? "#" + std::string(t_[begin].text) : string_literal(t_.flat(begin, open));
  std::string head = "::cuco::emu::launch_site(" + name + ", __LINE__, ";
  if (lambda) head += "[=](auto... cuco_arguments) { ";
  c_.edits.insert(t_[begin].offset, std::move(head));

  static constexpr std::array<std::string_view, 4> kTypes = {
      "dim3", "dim3", "static_cast<::std::size_t>", "(cudaStream_t)"};
  std::string text = lambda ? "(cuco_arguments...); })(" : ")(";
  for (std::size_t p = 0; p < parts.size(); ++p) {
    auto const [first, last] = parts[p];
    if (first == last) return problem(ErrorCode::kParse, open, "an empty launch argument");
    bool const braces = t_.is(first, "{") && t_.match(first) == last - 1;
    text += kTypes[p];
    if (braces) {
      // dim3{n, m} would reject signed values as narrowing.
      c_.edits.replace(t_[first].span(), "(");
      c_.edits.replace(t_[last - 1].span(), ")");
    } else {
      text += "(";
    }
    c_.edits.replace(t_[first - 1].span(), std::move(text));
    text = braces ? "" : ")";
    text += p + 1 < parts.size() ? ", " : ")";
  }
  c_.edits.replace(t_[close].span(), std::move(text));
  ++c_.out.launches;
  return {};
}

}  // namespace cuco::impl::emulating
