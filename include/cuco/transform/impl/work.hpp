// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/codegen/infrastructure.hpp"
#include "cuco/transform/codegen/section.hpp"
#include "cuco/transform/impl/source_edit.hpp"
#include "cuco/transform/impl/source_model.hpp"

namespace cuco::impl {

/// Where generated text lies in a program; empty spans when there is none.
struct GeneratedText {
  Span infrastructure;  ///< Whole lines, tags included.
  Span section;
};

/// The lines from the comment that begins with `begin` to the one that is `end`.
inline Span tagged_lines(SourceModel const& m, std::string_view begin, std::string_view end) {
  Span out;
  for (Comment const& c : m.stream.comments) {
    if (!c.active) continue;
    if (out.end == 0 && c.text.substr(0, begin.size()) == begin) out.begin = line_begin(m.source, c.offset);
    if (c.text.substr(0, begin.size()) == begin && out.end == 0) out.end = out.begin + 1;
    if (out.end != 0 && c.text == end) {
      out.end = line_end(m.source, c.offset);
      return out;
    }
  }
  return {};
}

inline GeneratedText generated_text(SourceModel const& m) {
  return {tagged_lines(m, kInfrastructureBegin, kInfrastructureEnd),
          tagged_lines(m, kSectionBegin, kSectionEnd)};
}

/// Where the program communicates and computes: tokens of calls, also of calls of functions that do so.
class Work {
 public:
  explicit Work(SourceModel const& m) : m_(m), generated_(generated_text(m)), launchers_(launcher_names(m)) {
    std::set<int> communication;
    std::set<int> launches;
    for (CommunicationNode const& n : m.report.graph)
      communication.insert(m.token_at(m.call(n.call).span.begin));
    for (int i = 0; i + 3 < m.code.size(); ++i) {
      if (is_launcher_call(i)) communication.insert(i);
    }
    for (Launch const& l : m.report.launches)
      if (!inside(l.span.begin)) launches.insert(m.token_at(l.span.begin));
    communication_ = closure(communication);
    all_ = communication_;
    for (int i : closure(launches)) all_.insert(i);
    direct_ = communication;
  }

  /// Calls that communicate themselves: host collectives and launchers.
  [[nodiscard]] std::set<int> const& direct_communication() const { return direct_; }
  [[nodiscard]] bool communicates(Range r) const { return any(communication_, r); }
  [[nodiscard]] bool works(Range r) const { return any(all_, r); }
  [[nodiscard]] bool any_communication() const { return !communication_.empty(); }
  [[nodiscard]] GeneratedText const& generated() const { return generated_; }

  /// The end of the call at `i`: after its `)`.
  [[nodiscard]] int call_end(int i) const {
    while (i < m_.code.size() && !m_.code.is(i, "(")) ++i;
    return m_.code.partner(i) + 1;
  }

 private:
  [[nodiscard]] bool inside(std::uint32_t offset) const {
    auto in = [&](Span s) { return offset >= s.begin && offset < s.end; };
    return in(generated_.infrastructure) || in(generated_.section);
  }
  /// `device_nccl::launcher(`.
  [[nodiscard]] bool is_launcher_call(int i) const {
    return m_.code.is(i, "device_nccl") && m_.code.is(i + 1, "::") && m_.code.is(i + 3, "(") &&
           launchers_.count(m_.code.text(i + 2)) != 0;
  }
  /// The names after `// cuco: launcher name=`; point-to-point calls have several.
  [[nodiscard]] static std::set<std::string_view> launcher_names(SourceModel const& m) {
    std::set<std::string_view> names;
    std::string_view const tag = kLauncherTag;
    for (Comment const& c : m.stream.comments) {
      if (!c.active || c.text.substr(0, tag.size()) != tag) continue;
      std::string_view const name = c.text.substr(tag.size(), c.text.find(' ', tag.size()) - tag.size());
      names.insert(name);
      if (name == to_string(Collective::kSendRecv))
        names.insert({"send", "recv", "group_start", "group_end"});
    }
    return names;
  }
  static bool any(std::set<int> const& at, Range r) {
    auto const first = at.lower_bound(r.begin);
    return first != at.end() && *first < r.end;
  }
  /// `at` and every call of a function that holds one of them, and so on.
  [[nodiscard]] std::set<int> closure(std::set<int> at) const {
    std::set<Index> functions;
    std::vector<int> open(at.begin(), at.end());
    while (!open.empty()) {
      int const i = open.back();
      open.pop_back();
      Index const f = m_.function_of(i);
      if (f == kNone || !functions.insert(f).second) continue;
      for (CallSite const& site : m_.sites_of(f))
        if (at.insert(site.position).second) open.push_back(site.position);
    }
    return at;
  }

  SourceModel const& m_;
  GeneratedText generated_;
  std::set<std::string_view> launchers_;
  std::set<int> communication_{}, all_{}, direct_{};
};

}  // namespace cuco::impl
