// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/emu/impl/front_rewriter.hpp"

namespace cuco::impl::emulating {

/// Rewrites the declaration that the `__shared__` at `i` belongs to, and moves `i` to its semicolon.
inline Status Rewriter::shared(std::size_t& i) {
  std::size_t const keyword = i;
  if (!scopes_.back().function) {
    return problem(ErrorCode::kRefused,
                   keyword,
                   "not emulated: __shared__ outside a function",
                   "declare it inside the kernel");
  }
  std::size_t begin = keyword;
  while (begin > head_ && !t_.is(begin - 1, ":") && !t_.is(begin - 1, ";")) --begin;
  std::size_t end = keyword;
  for (; end < t_.size() && !t_.is(end, ";"); ++end) {
    if (t_.opens(end)) end = t_.match(end);
    if (end == TokenView::kNone) break;
  }
  // In a macro body the semicolon may be the user's.
  if (end == TokenView::kNone || (end == t_.size() && !c_.macro))
    return problem(ErrorCode::kParse, keyword, "a __shared__ declaration without ;");
  bool dynamic = false;
  std::string alignment;
  std::vector<std::size_t> names;
  std::vector<std::size_t> ends;
  std::size_t name = TokenView::kNone;
  auto const finish = [&](std::size_t at) {
    names.push_back(name);
    ends.push_back(at);
    name = TokenView::kNone;
  };
  bool sized = false;
  for (std::size_t j = begin; j < end; ++j) {
    std::string_view const text = t_[j].text;
    bool const attribute = text == "alignas" || text == "__align__" || text == "__attribute__";
    if (attribute || text == "decltype" || text == "typeof" || text == "__typeof__") {
      std::size_t const close = t_.match(j + 1);
      if (close == TokenView::kNone || close >= end)
        return problem(ErrorCode::kParse, keyword, "a __shared__ declaration with an open bracket");
      if (attribute) {
        std::size_t first = j + 2;
        while (t_.is(first, "(") || t_.is(first, "aligned")) ++first;
        std::size_t last = first;
        while (last < close && !t_.is(last, ")")) last = t_.is(last, "(") ? t_.match(last) + 1 : last + 1;
        alignment = t_.flat(first, last);
        for (std::size_t k = j; k <= close; ++k) c_.edits.erase(t_[k]);
      }
      j = close;
    } else if (text == "extern") {
      dynamic = true;
      c_.edits.erase(t_[j]);
    } else if (text == "__shared__" || text == "static") {
      c_.edits.erase(t_[j]);
    } else if (text == "#" || text == "##") {
      return problem(ErrorCode::kRefused, keyword, "not emulated: a __shared__ variable with a pasted name");
    } else if (text == "=") {
      return problem(ErrorCode::kParse,
                     keyword,
                     "a __shared__ variable with an initialiser",
                     "assign it in the kernel, then __syncthreads()");
    } else if (text == "<" && j > begin && t_.identifier(j - 1)) {
      std::size_t const close = t_.match_angle(j, end);
      if (close != TokenView::kNone) j = close;
    } else if (text == "[" || text == "{") {
      sized = sized || text == "[";
      j = t_.match(j);
      if (j == TokenView::kNone || j >= end)
        return problem(ErrorCode::kParse, keyword, "a __shared__ declaration with an open bracket");
    } else if (text == ",") {
      finish(j);
      sized = false;
    } else if (t_.identifier(j) && !sized) {
      name = j;
    }
  }
  finish(end);
  for (std::size_t n = 0; n < names.size(); ++n) {
    std::size_t const at = names[n];
    if (at == TokenView::kNone || at == begin)
      return problem(ErrorCode::kParse, keyword, "a __shared__ declaration without a name");
    std::string const variable(t_[at].text);
    std::uint32_t const after = t_[ends[n] - 1].span().end;
    std::string const align = alignment.empty() ? "" : ", (" + alignment + ")";
    if (dynamic) {
      if (!t_.is(at + 1, "[") || !t_.is(at + 2, "]")) {
        return problem(
            ErrorCode::kParse, keyword, "extern __shared__ without []", "write extern __shared__ T name[];");
      }
      bool const more = t_.is(at + 3, "[");
      c_.edits.replace(t_[at].span(), (more ? "(*" : "*") + variable + (more ? ")" : ""));
      c_.edits.erase(t_[at + 1]);
      c_.edits.erase(t_[at + 2]);
      c_.edits.insert(
          after, " = ::cuco::emu::shared_dynamic<::std::remove_pointer_t<decltype(" + variable + ")>>()");
    } else {
      c_.edits.replace(t_[at].span(), "(&" + variable + ")");
      c_.edits.insert(after,
                      " = ::cuco::emu::shared_static<::std::remove_reference_t<decltype(" + variable + ")>" +
                          align + ">(__PRETTY_FUNCTION__, " + std::to_string(c_.out.shared_variables) + ")");
    }
    shared_.push_back({t_[at].text, scopes_.size(), !dynamic});
    ++c_.out.shared_variables;
  }
  i = end == t_.size() ? end : end - 1;
  return {};
}

/// A `__shared__` variable has static storage, so a lambda uses it without capturing it; the local names that
/// stand for it here have to be captured.
inline void Rewriter::capture_shared(std::size_t open) {
  if (shared_.empty() || t_.is(open + 1, "[") || (open > 0 && t_.is(open - 1, "["))) return;
  bool const subscript = open > 0 && (t_.is(open - 1, ")") || t_.is(open - 1, "]") || t_.is(open - 1, ">") ||
                                      (t_.identifier(open - 1) && !t_.is(open - 1, "return")));
  std::size_t const close = t_.match(open);
  if (subscript || close == TokenView::kNone || t_.is(open + 1, "&")) {
    bool const by_reference = t_.is(open + 1, "&") && (t_.is(open + 2, "]") || t_.is(open + 2, ","));
    if (subscript || close == TokenView::kNone || by_reference) return;
  }
  std::size_t body = close + 1;
  if (t_.is(body, "(")) body = t_.match(body);
  while (body < t_.size() && !t_.is(body, "{") && !t_.is(body, ";")) ++body;
  std::size_t const end = t_.is(body, "{") ? t_.match(body) : TokenView::kNone;
  if (end == TokenView::kNone) return;
  bool const by_value = t_.is(open + 1, "=");
  std::string captures;
  for (SharedName const& variable : shared_) {
    if (by_value && !variable.array) continue;
    bool used = false;
    bool listed = false;
    for (std::size_t i = body; i < end; ++i) used = used || (t_.is(i, variable.name) && !t_.is(i - 1, "."));
    for (std::size_t i = open; i < close; ++i) listed = listed || t_.is(i, variable.name);
    if (used && !listed) captures += (captures.empty() ? "&" : ", &") + std::string(variable.name);
  }
  if (captures.empty()) return;
  c_.edits.insert(t_[close].offset, (close == open + 1 ? "" : ", ") + captures);
}

}  // namespace cuco::impl::emulating
