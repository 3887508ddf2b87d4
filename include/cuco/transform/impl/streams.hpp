// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

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
      return;
    }
  }
  out.insert(text);
}

/// Which streams a program makes. Answers whether some expressions are one and the same stream for sure.
class StreamReader {
 public:
  explicit StreamReader(SourceModel const& m) : m_(m) {
    for (Call const& c : m.report.calls)
      if (c.name.starts_with("cudaStreamCreate")) made_.push_back(&c);
  }

  [[nodiscard]] bool is_one_stream(std::set<std::string> const& texts) const {
    if (texts.size() != 1) return texts.empty();
    if (*texts.begin() == "0") return true;
    if (made_.size() != 1 || runs_often(*made_.front()) || made_.front()->args.empty()) return false;
    return is_made(*texts.begin());
  }

 private:
  [[nodiscard]] bool runs_often(Call const& c) const {
    if (c.loop != kNone) return true;
    for (Index f = c.function; f != kNone && m_.function(f).name != "main";) {
      auto const& sites = m_.sites_of(f);
      if (sites.size() != 1 || m_.structure.loop_of[static_cast<std::size_t>(sites[0].position)] != kNone)
        return true;
      f = sites[0].caller == f ? kNone : sites[0].caller;
    }
    return false;
  }

  /// The one call that makes a stream stores it to `text`, and nothing else sets it.
  [[nodiscard]] bool is_made(std::string const& text) const {
    if (text.find_first_of("[(?") != std::string::npos) return false;
    std::size_t const dot = text.find_last_of(".>");
    std::string const name = dot == std::string::npos ? text : text.substr(dot + 1);
    if (!made_.front()->args[0].text.ends_with(name)) return false;
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

  SourceModel const& m_;
  std::vector<Call const*> made_{};
};

}  // namespace cuco::impl
