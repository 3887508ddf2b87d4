// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/lambdas.hpp"
#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// Whether one process makes communicators on several GPUs: it chooses another device between two of them.
class DeviceCount {
 public:
  explicit DeviceCount(SourceModel const& m) : m_(m), lambdas_(m.code, m.structure) {
    for (int i = 0; i + 1 < m.code.size(); ++i) {
      if (m.function_of(i) == kNone || !m.code.is(i + 1, "(")) continue;
      if (m.code.is(i, "cudaSetDevice")) add_choice(i, {m.code.inside(i + 1)}, 0);
      if (m.code.text(i).starts_with("ncclCommInitRank")) add_creation(i, 0);
    }
  }

  /// The token that chooses the second device, or -1.
  [[nodiscard]] int second() const {
    for (Choice const& c : choices_)
      for (Index l = m_.structure.loop_of[at(c.token)]; l != kNone; l = loop(l).parent)
        if (changes_in(c.words, m_.tokens_in(loop(l).span)) && creates_in(m_.tokens_in(loop(l).span)))
          return c.token;
    for (Choice const& a : choices_)
      for (Choice const& b : choices_)
        if (a.token < b.token && a.text != b.text && m_.function_of(a.token) == m_.function_of(b.token) &&
            between(a.token, b.token))
          return b.token;
    return -1;
  }

 private:
  static constexpr int kDeepest = 6;
  struct Choice {
    int token;
    std::string text;             ///< What says which device.
    std::set<std::string> words;  ///< What that depends on in its function.
  };

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  [[nodiscard]] Loop const& loop(Index l) const { return m_.report.loops[at(l)]; }

  /// @param args what decides about the device at `token`: of cudaSetDevice, or of a call that comes to it.
  void add_choice(int token, std::vector<Range> const& args, int depth) {
    Choice c{token, {}, {}};
    for (Range const& r : args) {
      c.text += m_.code.squeezed(r) + ",";
      for (int i = r.begin; i < r.end; ++i)
        if (m_.code.is_word(i)) c.words.emplace(m_.code.text(i));
    }
    Index const f = m_.function_of(token);
    if (f == kNone) return;
    follow_locals(m_.structure.function_tokens[at(f)].body, c.words);
    choices_.push_back(c);
    if (depth > kDeepest) return;
    for (Lambda const& l : lambdas_.all()) {
      if (token < l.body.begin || token >= l.body.end) continue;
      for (LambdaCall const& call : l.calls) {
        std::vector<Range> decisive;
        for (std::size_t p = 0; p < l.parameters.size() && p < call.args.size(); ++p)
          if (!l.parameters[p].empty() &&
              c.words.count(std::string(m_.code.text(l.parameters[p].end - 1))) != 0)
            decisive.push_back(call.args[p]);
        add_choice(call.position, decisive, depth + 1);
      }
    }
    if (m_.function(f).name == "main") return;
    auto const& names = m_.function(f).parameter_names;
    for (CallSite const& site : m_.sites_of(f)) {
      std::vector<Range> decisive;
      for (std::size_t p = 0; p < names.size() && p < site.args.size(); ++p)
        if (c.words.count(names[p]) != 0) decisive.push_back(site.args[p]);
      add_choice(site.position, decisive, depth + 1);
    }
  }

  void add_creation(int token, int depth) {
    if (!creations_.insert(token).second || depth > kDeepest) return;
    for (Lambda const& l : lambdas_.all())
      if (l.body.begin <= token && token < l.body.end)
        for (LambdaCall const& call : l.calls) add_creation(call.position, depth + 1);
    Index const f = m_.function_of(token);
    if (f == kNone || m_.function(f).name == "main") return;
    for (CallSite const& site : m_.sites_of(f)) add_creation(site.position, depth + 1);
  }

  /// Adds what the variables in `words` are set to in `body`.
  void follow_locals(Range body, std::set<std::string>& words) const {
    for (int round = 0; round < kDeepest; ++round) {
      std::size_t const before = words.size();
      for (int i = body.begin; i + 1 < body.end; ++i) {
        if (!m_.code.is_word(i) || !m_.code.is(i + 1, "=") || words.count(std::string(m_.code.text(i))) == 0)
          continue;
        for (int k = i + 2; k < body.end && !m_.code.is(k, ";"); ++k)
          if (m_.code.is_word(k)) words.emplace(m_.code.text(k));
      }
      if (words.size() == before) return;
    }
  }

  /// Whether one of `words` is set or counted in the loop `r`, its head included.
  [[nodiscard]] bool changes_in(std::set<std::string> const& words, Range r) const {
    int const head = r.begin + 1;
    int const head_end = m_.code.is(head, "(") ? m_.code.partner(head) : head;
    for (int i = r.begin; i < r.end; ++i) {
      if (!m_.code.is_word(i) || words.count(std::string(m_.code.text(i))) == 0) continue;
      bool const counted = m_.code.is(i + 1, "++") || m_.code.is(i - 1, "++") || m_.code.is(i + 1, "+=") ||
                           m_.code.is(i + 1, "--") || m_.code.is(i - 1, "--");
      bool const each = i < head_end && m_.code.is(i + 1, ":");
      if (counted || each) return true;
    }
    return false;
  }
  [[nodiscard]] bool creates_in(Range r) const {
    auto const first = creations_.lower_bound(r.begin);
    return first != creations_.end() && *first < r.end;
  }

  /// Whether a communicator is made after the choice at `a` and, always after that, one after the choice at
  /// `b`.
  [[nodiscard]] bool between(int a, int b) const {
    for (int made : creations_) {
      if (made < a || made >= b || m_.function_of(made) != m_.function_of(a)) continue;
      int open = m_.code.enclosing(made);
      while (open >= 0 && !m_.code.is(open, "{")) open = m_.code.enclosing(open);
      bool const reaches = open >= 0 && b < m_.code.partner(open);
      auto const next = creations_.lower_bound(b);
      if (reaches && next != creations_.end() && m_.function_of(*next) == m_.function_of(b)) return true;
    }
    return false;
  }

  SourceModel const& m_;
  Lambdas lambdas_;
  std::vector<Choice> choices_{};
  std::set<int> creations_{};
};

}  // namespace cuco::impl
