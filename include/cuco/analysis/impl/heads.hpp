// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/words.hpp"
#include "cuco/analysis/report.hpp"

namespace cuco::impl {

/// What a `{` after a declaration head opens.
enum class HeadKind : std::uint8_t {
  kFunction,
  kNamespace,
  kClass,
  kEnum,
  kInitializer,
  kMemberInitializer,
  kUnknown
};

struct Head {
  HeadKind kind = HeadKind::kUnknown;
  int name = -1;        ///< Token of the (last part of the) name.
  int parameters = -1;  ///< The `(` of the parameter list.
  std::string text{};   ///< The name, `operator` symbols and `~` included; `a::b` for a nested namespace.
};

/// The name of a parameter or a declared variable, or -1 when it has none.
inline int parameter_name(Code const& code, Range r) {
  // The default value is no part of it.
  for (int i = r.begin; i < r.end; i = code.next(i)) {
    if (code.is(i, "<") && code.template_close(i, r.end) > 0) {
      i = code.template_close(i, r.end);
    } else if (code.is(i, "=")) {
      r.end = i;
    }
  }
  while (r.end - 1 > r.begin && code.is(r.end - 1, "]")) r.end = code.partner(r.end - 1);
  if (r.size() < 2) return -1;
  // Pointer to function or array: T (*name)(…).
  for (int i = r.begin; i + 2 < r.end; i = code.next(i)) {
    if (!code.is(i, "(") || i == r.begin) continue;
    Range const in = code.inside(i);
    if (in.size() >= 2 && (code.is(in.begin, "*") || code.is(in.begin, "&")) && code.is_word(in.end - 1))
      return in.end - 1;
  }
  int const last = r.end - 1;
  std::string_view const word = code.text(last);
  if (!code.is_word(last) || is_builtin_type(word) || is_cv(word) || code.is(last - 1, "::")) return -1;
  for (int i = r.begin; i < last; ++i) {
    std::string_view const w = code.text(i);
    if (!is_cv(w) && !is_specifier(w) && w != "struct" && w != "class" && w != "enum") return last;
  }
  return -1;
}

/// Reads the tokens between the end of the previous declaration and a `{`.
class HeadReader {
 public:
  explicit HeadReader(Code const& code) : code_(code) {}

  [[nodiscard]] Head read(Range r) const {
    constexpr int kLongestHead = 4096;
    Head head;
    if (r.size() > kLongestHead) return head;
    std::vector<Candidate> candidates;
    int angle = 0;
    int angle_open = -1;  // The `<` of the last outermost template argument list, and its `>`.
    int angle_close = -1;
    int class_key = -1;
    int init_list = -1;
    for (int i = r.begin; i < r.end; i = code_.next(i)) {
      std::string_view const t = code_.text(i);
      if (t == "operator" && angle == 0) {
        int const open = operator_parameters(i, r.end);
        if (open > 0) {
          candidates.push_back({i, open});
          i = open;
        }
        continue;
      }
      if (t == "<" && angle++ == 0) angle_open = i;
      if (t == ">" && angle > 0 && --angle == 0) angle_close = i;
      if (angle != 0) continue;
      if (t == "namespace") return namespace_head(i, r.end);
      if (t == "enum") return Head{HeadKind::kEnum, -1, -1, {}};
      if (t == "class" || t == "struct" || t == "union") class_key = i;
      if (t == "=" && candidates.empty()) return Head{HeadKind::kInitializer, -1, -1, {}};
      if (t == ":" && candidates.empty() && class_key >= 0) break;
      if (t == ":" && !candidates.empty() && init_list < 0) init_list = i;
      if (t == "->" || t == ":") break;
      if (t != "(") continue;
      int const name = angle_close == i - 1 ? angle_open - 1 : i - 1;  // foo<int>(…) { specialises.
      std::string_view const word = code_.text(name);
      if (name >= r.begin && code_.is_word(name) && !is_control_word(word) && !is_attribute_call(word) &&
          !is_builtin_type(word) && word != "template")
        candidates.push_back({name, i});
    }
    if (!candidates.empty()) {
      if (init_list >= 0) {
        std::string_view const before = code_.text(r.end - 1);
        if (code_.is_word(r.end - 1) || before == ">") return Head{HeadKind::kMemberInitializer, -1, -1, {}};
      }
      return function_head(candidates, r);
    }
    if (class_key >= 0) return class_head(class_key, r.end);
    if (r.size() == 2 && code_.is(r.begin, "extern") && code_.at(r.begin + 1).kind == TokenKind::kString)
      return Head{HeadKind::kNamespace, -1, -1, {}};
    return head;
  }

  /// The `(` of the parameters of the operator named at `i`, or -1.
  [[nodiscard]] int operator_parameters(int i, int end) const {
    int j = i + 1;
    if (code_.is(j, "(") && code_.is(j + 1, ")") && code_.is(j + 2, "(")) return j + 2;
    for (int steps = 0; j < end && steps < 16; ++steps, ++j) {
      if (code_.is(j, "(")) return j;
      if (code_.is(j, "[") || code_.is(j, "{")) j = code_.partner(j);
    }
    return -1;
  }

 private:
  [[nodiscard]] Head namespace_head(int i, int end) const {
    Head head{HeadKind::kNamespace, -1, -1, {}};
    for (int j = i + 1; j < end; j = code_.next(j))
      if (code_.is_word(j) || code_.is(j, "::")) head.text += code_.text(j);
    return head;
  }

  [[nodiscard]] Head class_head(int key, int end) const {
    Head head{HeadKind::kClass, -1, -1, {}};
    for (int j = key + 1; j < end && !code_.is(j, ":"); j = code_.next(j)) {
      if (code_.is(j, "<")) break;
      if (code_.is_word(j) && !code_.is(j, "final") && !is_attribute_call(code_.text(j)))
        head.text = code_.text(j);
    }
    return head;
  }

  struct Candidate {
    int name;
    int parameters;
  };

  [[nodiscard]] Head function_head(std::vector<Candidate> const& candidates, Range r) const {
    Candidate best = candidates.front();
    int best_rank = -1;
    for (Candidate const& c : candidates) {
      // A macro around the name or after the parameters looks like a function too.
      int rank = is_all_caps(code_.text(c.name)) && candidates.size() > 1 ? 0 : 2;
      rank += has_type_before(c.name, r.begin) ? 1 : 0;
      if (rank > best_rank) {
        best = c;
        best_rank = rank;
      }
    }
    Head head{HeadKind::kFunction, best.name, best.parameters, std::string(code_.text(best.name))};
    if (head.text == "operator") {
      head.text = code_.squeezed({best.name, head.parameters});
    } else if (code_.is(best.name - 1, "~")) {
      head.text = "~" + head.text;
    }
    return head;
  }

  [[nodiscard]] bool has_type_before(int name, int begin) const {
    int i = name - 1;
    while (i >= begin && code_.is(i, "::")) {
      --i;
      if (code_.is_word(i)) --i;
    }
    if (i >= begin && code_.is(i, ")") && is_attribute_call(code_.text(code_.partner(i) - 1)))
      i = code_.partner(i) - 2;
    while (i >= begin && code_.is_word(i) && is_specifier(code_.text(i))) --i;
    if (i < begin) return false;
    std::string_view const t = code_.text(i);
    return code_.is_word(i) || t == "*" || t == "&" || t == "&&" || t == ">";
  }

  Code const& code_;
};

/// Fills in what the head of a function says.
inline Function describe_function(Code const& code,
                                  Head const& head,
                                  Range head_range,
                                  int open,
                                  std::set<std::string, std::less<>> const& kernel_macros) {
  Function f;
  f.name = head.text;
  Range const inside = code.inside(head.parameters);
  f.parameters = code.text(inside);
  for (Range p : code.split(inside)) {
    if (p.size() == 1 && code.is(p.begin, "void")) continue;
    int const name = parameter_name(code, p);
    f.parameter_names.emplace_back(name < 0 ? std::string_view() : code.text(name));
  }
  int const close = code.partner(open);
  f.line = code.at(head.name).line;
  f.end_line = code.at(close).line;
  f.span = code.span({head_range.begin, close + 1});
  f.body = code.span({open, close + 1});
  bool host = false;
  bool device = false;
  std::string type;
  int i = head_range.begin;
  while (code.is(i, "template") && code.is(i + 1, "<")) {
    f.is_template = true;
    int const end = code.close_angle(i + 1, head.name);
    if (end < 0) break;
    i = end + 1;
  }
  int name_begin = head.name;
  while (name_begin - 1 >= i && (code.is(name_begin - 1, "::") || code.is(name_begin - 1, "~"))) {
    --name_begin;
    if (!code.is(name_begin, "::")) continue;
    if (code.is(name_begin - 1, ">")) {
      int depth = 0;
      for (int j = name_begin - 1; j > i && j > name_begin - 200; --j) {
        depth += code.is(j, ">") ? 1 : code.is(j, "<") ? -1 : 0;
        if (depth != 0) continue;
        name_begin = j;
        break;
      }
    }
    if (name_begin - 1 >= i && code.is_word(name_begin - 1)) --name_begin;
  }
  int type_begin = -1;
  int type_end = -1;
  for (; i < name_begin; i = code.next(i)) {
    std::string_view const t = code.text(i);
    f.is_kernel |= t == "__global__" || kernel_macros.count(t) != 0;
    device |= t == "__device__";
    host |= t == "__host__";
    bool const decoration = is_specifier(t) || t == "[" || (code.is_word(i) && is_attribute_call(t)) ||
                            t == "(" || code.at(i).kind == TokenKind::kString || kernel_macros.count(t) != 0;
    if (decoration) continue;
    if (type_begin < 0) type_begin = i;
    type_end = i + 1;
  }
  if (type_begin >= 0) {
    // A decoration between the type and the name splits the two; the text up to it is the type.
    for (i = type_begin; i < type_end; i = code.next(i)) {
      if (is_specifier(code.text(i)) || is_attribute_call(code.text(i)) || code.is(i, "(") || code.is(i, "["))
        continue;
      if (!type.empty() && is_identifier_char(type.back()) && is_identifier_char(code.text(i).front()))
        type += ' ';
      type += code.text(i);
      if (type.size() > 4096) break;
    }
  }
  int const after = code.partner(head.parameters) + 1;
  for (int j = after; j < open; j = code.next(j)) {
    if (!code.is(j, "->")) continue;
    type = code.squeezed({j + 1, open});
    break;
  }
  if (f.is_kernel && type.empty()) type = "void";
  f.return_type = type;
  f.is_device = device && !host;
  return f;
}

}  // namespace cuco::impl
