// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/lambdas.hpp"
#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// Adds the texts of all streams that the expression `r`, used at token `position`, may stand for. Parameters
/// are followed to the callers.
inline void collect_streams(SourceModel const& m,
                            Code const& code,
                            Range r,
                            int position,
                            std::set<std::string>& out,
                            int depth = 0) {
  constexpr int kDeepest = 8;
  std::string const text = code.squeezed(r);
  if (text == "0" || text == "NULL" || text == "nullptr" || text == "cudaStreamLegacy") {
    out.insert("0");
    return;
  }
  Index const f = m.function_of(position);
  if (r.size() == 1 && f != kNone && depth < kDeepest) {
    auto const& names = m.function(f).parameter_names;
    auto const at = std::find(names.begin(), names.end(), text);
    if (at != names.end() && !m.sites_of(f).empty()) {
      auto const argument = static_cast<std::size_t>(at - names.begin());
      for (CallSite const& site : m.sites_of(f))
        if (argument < site.args.size())
          collect_streams(m, m.code, site.args[argument], site.position, out, depth + 1);
        else
          out.insert("?");  // A default argument.
      return;
    }
  }
  out.insert(text);
}

/// Which streams a program makes. Answers whether some expressions are one and the same stream for sure.
class StreamReader {
 public:
  explicit StreamReader(SourceModel const& m) : m_(m), lambdas_(m.code, m.structure) {
    for (Call const& c : m.report.calls)
      if (c.name.starts_with("cudaStreamCreate")) made_.push_back(&c);
    for (int i = 0; i < m.code.size(); ++i) jumps_ = jumps_ || (m.code.is(i, "goto") && goes_back(i));
  }

  [[nodiscard]] bool is_one_stream(std::set<std::string> const& texts) const {
    if (texts.empty() || (texts.size() == 1 && *texts.begin() == "0")) return true;
    if (made_.size() != 1 || !made_.front()->macro.empty() || made_.front()->args.empty()) return false;
    if (!runs_once(m_.token_at(made_.front()->span.begin))) return false;
    return std::all_of(
        texts.begin(), texts.end(), [&](std::string const& text) { return is_made(text) || converts(text); });
  }

 private:
  static constexpr int kDeepest = 16;

  /// Whether the goto at `i` may make a loop.
  [[nodiscard]] bool goes_back(int i) const {
    for (int k = i; k < m_.code.size() && m_.function_of(k) == m_.function_of(i); ++k)
      if (k > i + 1 && m_.code.is(k, m_.code.text(i + 1)) && m_.code.is(k + 1, ":")) return false;
    return true;
  }

  /// Whether token `i` is passed at most once for sure.
  [[nodiscard]] bool runs_once(int i, int depth = 0) const {
    if (jumps_ || depth > kDeepest || m_.structure.loop_of[static_cast<std::size_t>(i)] != kNone)
      return false;
    for (Lambda const& l : lambdas_.all())
      if (l.body.begin <= i && i < l.body.end) return false;
    Index const f = m_.function_of(i);
    if (f == kNone || m_.function(f).name == "main") return f != kNone;
    auto const& sites = m_.sites_of(f);
    std::string const owner = m_.places->classes().around(f);
    if (!owner.empty() && m_.function(f).name == owner) return made_once(owner, depth + 1);
    return sites.size() == 1 && mentions(m_.function(f).name) == 2 && runs_once(sites[0].position, depth + 1);
  }

  [[nodiscard]] int mentions(std::string_view name) const {
    int n = 0;
    for (int i = 0; i < m_.code.size(); ++i) n += m_.code.is(i, name) ? 1 : 0;
    return n;
  }

  /// Whether the text makes one object of class `type`, and that once: `Context context(…);`.
  [[nodiscard]] bool made_once(std::string const& type, int depth = 0) const {
    int made = -1;
    for (int i = 0; i < m_.code.size(); ++i) {
      if (!m_.code.is(i, type)) continue;
      std::string_view const next = m_.code.text(i + 1), before = m_.code.text(i - 1);
      // Its own members, and references to it.
      bool const key = before == "struct" || before == "class";
      bool const harmless =
          (key && next == "{") || (key && next == ";") || (key && next == ":") || before == "}" ||
          next == "&" || next == "*" || next == "&&" || next == "::" || before == "~" ||
          before == "explicit" || m_.places->classes().around(m_.function_of(i)) == type ||
          (next == "(" && is_constructor(i, type)) || (next == "const" && m_.code.is(i + 2, "&"));
      if (harmless) continue;
      bool const declares =
          m_.code.is_word(i + 1) &&
          (m_.code.is(i + 2, ";") ||
           ((m_.code.is(i + 2, "(") || m_.code.is(i + 2, "{")) &&
            m_.code.is(m_.code.partner(i + 2) + 1, ";")) ||
           (m_.code.is(i + 2, "=") && m_.code.is(i + 3, "{") && m_.code.is(m_.code.partner(i + 3) + 1, ";")));
      if (!declares || made >= 0 || m_.code.is(i - 1 - (key ? 1 : 0), "typedef")) return false;
      made = i;
    }
    if (made < 0) return false;
    bool const global = m_.function_of(made) == kNone && m_.code.enclosing(made) < 0;
    return global || (m_.function_of(made) != kNone && runs_once(made, depth));
  }
  /// `Context(…)` at `i` where its class declares the constructor.
  [[nodiscard]] bool is_constructor(int i, std::string const& type) const {
    if (m_.function_of(i) != kNone) return false;
    int const open = m_.code.enclosing(i);
    for (int k = open - 1; open > 0 && k >= 0 && k > open - 64 && !m_.code.is(k, ";") && !m_.code.is(k, "}");
         --k)
      if (m_.code.is(k, type)) return true;
    return m_.code.is(i - 1, "::");
  }

  /// The one call that makes a stream stores it to `text`, and nothing else sets it.
  [[nodiscard]] bool is_made(std::string const& text) const {
    if (text.find_first_of("[(?") != std::string::npos) return false;
    std::string const name = last_of(text);
    if (last_of(made_.front()->args[0].text) != name) return false;
    if (!one_holder(name)) return false;
    for (int i = 0; i + 1 < m_.code.size(); ++i) {
      if (!m_.code.is(i, name)) continue;
      bool const set = m_.code.is(i + 1, "=") && !m_.code.is(i + 2, "nullptr") && !m_.code.is(i + 2, "0") &&
                       !m_.code.is(i + 2, "NULL") && !m_.code.is(i + 2, "{");
      bool const ranged = m_.code.is(i + 1, ":") && !m_.code.is(i + 2, ":");
      bool const swapped =
          m_.code.is(m_.code.enclosing(i) - 1, "swap") || m_.code.is(m_.code.enclosing(i) - 1, "exchange");
      if (set || ranged || swapped) return false;
    }
    return true;
  }
  /// `session` of a class with one object, whose `operator cudaStream_t` returns the stream that is made.
  [[nodiscard]] bool converts(std::string const& text) const {
    std::string const made = last_of(made_.front()->args[0].text);
    Classes const& classes = m_.places->classes();
    for (int i = 0; i + 1 < m_.code.size(); ++i)
      if (m_.code.is(i, "cudaStream_t") && m_.code.is(i + 1, text)) return false;
    for (std::size_t f = 0; f < m_.report.functions.size(); ++f) {
      if (m_.report.functions[f].name != "operator cudaStream_t") continue;
      Range const body = m_.structure.function_tokens[f].body;
      if (m_.code.squeezed({body.begin, body.end}).find("return " + made + ";") == std::string::npos)
        continue;
      std::string const type = classes.around(static_cast<Index>(f));
      auto const& objects = classes.objects_of(type);
      bool const one = std::any_of(
          objects.begin(), objects.end(), [&](auto const& object) { return object.second == text; });
      if (one && is_made(made)) return made_once(type);
    }
    return false;
  }
  [[nodiscard]] static std::string last_of(std::string const& text) {
    std::size_t end = text.size();
    while (end > 0 && !is_identifier_char(text[end - 1])) --end;
    std::size_t begin = end;
    while (begin > 0 && is_identifier_char(text[begin - 1])) --begin;
    return text.substr(begin, end - begin);
  }

  /// Whether `name` is no member, or one of a class with one object.
  [[nodiscard]] bool one_holder(std::string const& name) const {
    std::set<std::string> owners;
    for (std::string const& type : m_.places->classes().names())
      if (m_.places->classes().has_member(type, name)) owners.insert(type);
    return owners.empty() || (owners.size() == 1 && made_once(*owners.begin()));
  }

  SourceModel const& m_;
  Lambdas lambdas_;
  std::vector<Call const*> made_{};
  bool jumps_ = false;
};

/// Which launchers may be called on more than one stream of one communicator.
class StreamUses {
 public:
  /// @param communicator an index; `kNone` when it may be any.
  void add(std::size_t launcher, Index communicator, std::set<std::string> const& streams) {
    uses_.push_back({launcher, communicator});
    streams_[communicator].insert(streams.begin(), streams.end());
  }
  [[nodiscard]] bool several(std::size_t launcher, StreamReader const& reader) const {
    std::set<std::string> all;
    for (auto const& [communicator, texts] : streams_) all.insert(texts.begin(), texts.end());
    bool const apart = streams_.count(kNone) == 0;
    return std::any_of(uses_.begin(), uses_.end(), [&](Use const& use) {
      return use.launcher == launcher &&
             !reader.is_one_stream(apart ? streams_.find(use.communicator)->second : all);
    });
  }

 private:
  struct Use {
    std::size_t launcher;
    Index communicator;
  };
  std::vector<Use> uses_{};
  std::map<Index, std::set<std::string>> streams_{};
};

}  // namespace cuco::impl
