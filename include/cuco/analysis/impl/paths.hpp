// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/words.hpp"

namespace cuco::impl {

/// What a pointer expression denotes: a variable and the way from it, offsets left out. `&ctx->bufs[i]` is
/// root ctx, steps `.bufs`; `->` and `.` are the same step.
struct AccessPath {
  std::string root;
  std::vector<std::string> steps;    ///< ".member", "[index]" (also for `*p`, index empty), "&".
  std::string doubt;                 ///< What had to be guessed.
  bool offset = false;               ///< An offset was left out.
  bool call = false;                 ///< The root is the result of a function called `root`.
  std::vector<AccessPath> others{};  ///< Further terms of a sum, any of which may be the pointer.
  [[nodiscard]] bool ok() const { return !root.empty(); }

  void take_address() { steps.emplace_back("&"); }
  /// As the address of data, `&p[i]` is `p + i`, which is `p`.
  void drop_offset() {
    while (steps.size() >= 2 && steps.back() == "&" && steps[steps.size() - 2].front() == '[') {
      steps.resize(steps.size() - 2);
      offset = true;
    }
  }
  void dereference(std::string index) {
    if (!steps.empty() && steps.back() == "&") {
      steps.pop_back();
    } else {
      steps.push_back("[" + std::move(index) + "]");
    }
  }
  void member(std::string const& name, bool arrow) {
    if (arrow && !steps.empty() && steps.back() == "&") steps.pop_back();
    steps.push_back("." + name);
  }
  /// Goes on from this path with `more`, the steps from a variable that this path is the value of.
  void append(std::vector<std::string> const& more) {
    for (std::string const& step : more) {
      if (step == "&") {
        take_address();
      } else if (step.front() == '[') {
        dereference(step.substr(1, step.size() - 2));
      } else {
        member(step.substr(1), true);
      }
    }
  }
};

class PathReader {
 public:
  explicit PathReader(Code const& code) : code_(code) {}

  [[nodiscard]] AccessPath read(Range r) const { return expression(r, 0); }

  /// Whether the tokens can only be a type, as in a cast.
  [[nodiscard]] bool looks_like_type(Range r) const {
    if (r.empty()) return false;
    for (int i = r.begin; i < r.end; i = code_.next(i)) {
      std::string_view const t = code_.text(i);
      bool const fits = code_.is_word(i) || t == "*" || t == "&" || t == "&&" || t == "::" || t == "<" ||
                        t == ">" || t == "," || t == "[";
      if (!fits) return false;
    }
    std::string_view const last = code_.text(r.end - 1);
    return last == "*" || last == "&" || last == "&&" || is_builtin_type(last) || is_cv(last) ||
           last.ends_with("_t");
  }

 private:
  static constexpr int kDeepest = 32;

  [[nodiscard]] bool ends_operand(int i) const {
    std::string_view const t = code_.text(i);
    return i >= 0 &&
           (t == ")" || t == "]" || t == "}" || (code_.is_word(i) && t != "return" && t != "sizeof") ||
            code_.at(i).kind == TokenKind::kNumber);
  }

  [[nodiscard]] AccessPath expression(Range r, int depth) const {
    AccessPath none;
    if (depth > kDeepest) return none;
    while (r.size() >= 2 && code_.is(r.begin, "(") && code_.partner(r.begin) == r.end - 1) ++r.begin, --r.end;
    if (r.empty()) return none;
    std::vector<Range> terms;
    bool sum = false;
    bool number = false;
    bool truth = false;
    int begin = r.begin;
    for (int i = r.begin; i < r.end; i = code_.next(i)) {
      std::string_view const t = code_.text(i);
      if (t == "<" && code_.template_close(i, r.end) > 0) {
        i = code_.template_close(i, r.end);
        continue;
      }
      if (t == "?") {
        int const colon = colon_after(i, r.end);
        AccessPath first = expression({i + 1, colon}, depth + 1);
        AccessPath second = expression({colon + 1, r.end}, depth + 1);
        bool const same = first.root == second.root && first.steps == second.steps;
        AccessPath& path = first.ok() ? first : second;
        if (!same) path.doubt = "one of two buffers, by a condition";
        return path;
      }
      if (i == r.begin || !ends_operand(i - 1) || is_cast_end(i - 1, r.begin)) continue;
      if (t == "+" || t == "-") {
        if (!number) terms.push_back({begin, i});
        begin = i + 1;
        sum = true;
        number = false;
      } else if (t == "*" || t == "/" || t == "%" || t == "<<" || t == "|" || t == "^") {
        number = true;  // Not a place; as a term of a sum it is an offset.
      } else if (t == "==" || t == "!=" || t == "&&" || t == "||" || t == "=") {
        truth = true;
      }
    }
    if (truth) return none;
    if (!sum) return number ? none : unary(r, depth);
    if (!number) terms.push_back({begin, r.end});
    constexpr std::size_t kMostTerms = 8;
    AccessPath path_of_sum;
    for (std::size_t i = 0; i < std::min(terms.size(), kMostTerms); ++i) {
      AccessPath path = expression(terms[i], depth + 1);
      if (!path.ok() || path.call) continue;
      path.offset = true;
      if (!path_of_sum.ok()) {
        path_of_sum = std::move(path);
        continue;
      }
      std::vector<AccessPath> nested = std::exchange(path.others, {});
      path_of_sum.others.push_back(std::move(path));
      for (AccessPath& other : nested) path_of_sum.others.push_back(std::move(other));
      if (path_of_sum.others.size() > kMostTerms) path_of_sum.others.resize(kMostTerms);
    }
    return path_of_sum;
  }

  [[nodiscard]] int colon_after(int question, int end) const {
    int nested = 0;
    for (int i = question + 1; i < end; i = code_.next(i)) {
      if (code_.is(i, "?")) ++nested;
      if (code_.is(i, ":") && nested-- == 0) return i;
    }
    return end;
  }

  [[nodiscard]] bool is_cast_end(int close, int begin) const {
    int const open = code_.partner(close);
    return code_.is(close, ")") && open >= begin && (open == begin || !ends_operand(open - 1)) &&
           !code_.is(open - 1, ">") && looks_like_type(code_.inside(open));
  }

  [[nodiscard]] AccessPath unary(Range r, int depth) const {
    // Casts in a row are skipped here so that they cost no depth.
    while (code_.is(r.begin, "(") && code_.partner(r.begin) < r.end - 1 &&
           is_cast_end(code_.partner(r.begin), r.begin) && !code_.is(code_.partner(r.begin) + 1, ".") &&
           !code_.is(code_.partner(r.begin) + 1, "->"))
      r.begin = code_.partner(r.begin) + 1;
    bool const address = code_.is(r.begin, "&");
    bool const dereferenced = code_.is(r.begin, "*");
    if (!address && !dereferenced) return postfix(r, depth);
    AccessPath path = expression({r.begin + 1, r.end}, depth + 1);
    if (!path.ok()) return path;
    if (address) path.take_address();
    if (dereferenced) path.dereference("");
    return path;
  }

  [[nodiscard]] AccessPath postfix(Range r, int depth) const {
    AccessPath path;
    int i = r.begin;
    if (code_.is(i, "(")) {
      path = expression(code_.inside(i), depth + 1);
      i = code_.partner(i) + 1;
    } else if (code_.is_word(i) || code_.is(i, "::")) {
      if (code_.is(i, "this") && code_.is(i + 1, "->")) i += 2;
      if (code_.is(i, "template") && code_.is_word(i + 1)) ++i;
      if (code_.is(i, "::")) ++i;
      while (i + 2 < r.end && code_.is(i + 1, "::")) i += 2;
      if (!code_.is_word(i)) return {};
      std::string_view const word = code_.text(i);
      int after = i + 1;
      if (code_.is(after, "<") && code_.close_angle(after, r.end) > 0 &&
          code_.is(code_.close_angle(after, r.end) + 1, "("))
        after = code_.close_angle(after, r.end) + 1;
      int brace = i + 1;
      if (code_.is(brace, "<") && code_.close_angle(brace, r.end) > 0)
        brace = code_.close_angle(brace, r.end) + 1;
      if (brace < r.end && code_.is(brace, "{")) {
        // Owner{pointer}
        auto const args = code_.split(code_.inside(brace));
        if (args.size() == 1) path = expression(args.front(), depth + 1);
        i = code_.partner(brace) + 1;
      } else if (after < r.end && code_.is(after, "(")) {
        static constexpr std::array<std::string_view, 11> kTransparent = {"static_cast",
                                                                          "reinterpret_cast",
                                                                          "const_cast",
                                                                          "dynamic_cast",
                                                                          "raw_pointer_cast",
                                                                          "data",
                                                                          "move",
                                                                          "forward",
                                                                          "addressof",
                                                                          "to_address",
                                                                          "get"};
        std::vector<Range> const args = code_.split(code_.inside(after));
        if (one_of(word, kTransparent) && args.size() == 1) {
          path = expression(args.front(), depth + 1);
          if (word == "addressof" && path.ok()) path.take_address();
        } else {
          path.root = word;
          path.call = true;
        }
        i = code_.partner(after) + 1;
      } else {
        if (word == "nullptr" || word == "NULL" || word == "new" || word == "true" || word == "false" ||
            is_builtin_type(word))
          return {};
        path.root = word;
        ++i;
      }
    }
    if (!path.ok()) return path;
    while (i < r.end) {
      if (code_.is(i, "[")) {
        path.dereference(code_.squeezed(code_.inside(i), 256));
        i = code_.partner(i) + 1;
      } else if (code_.is(i, ".") || code_.is(i, "->")) {
        bool const arrow = code_.is(i, "->");
        if (!code_.is_word(i + 1) || i + 1 >= r.end) return {};
        std::string name(code_.text(i + 1));
        i += 2;
        if (i < r.end && code_.is(i, "<")) {
          // arena.at<float>(offset)
          int const close = code_.close_angle(i, r.end);
          if (close < 0 || !code_.is(close + 1, "(")) return {};
          i = close + 1;
        }
        if (i < r.end && code_.is(i, "(")) {
          bool const plain = code_.inside(i).empty();
          static constexpr std::array<std::string_view, 6> kPointerOf = {
              "get", "data", "begin", "ptr", "device_ptr", "raw"};
          i = code_.partner(i) + 1;
          if (plain && one_of(std::string_view(name), kPointerOf)) continue;
          path.doubt = "the result of " + name + "() stands for its buffer";
          name += "()";
        }
        path.member(name, arrow);
      } else {
        return {};
      }
    }
    return path;
  }

  Code const& code_;
};

}  // namespace cuco::impl
