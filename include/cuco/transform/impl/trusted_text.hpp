// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/transform/generated_section-inl.hpp"  // finds the section; compiled in the same file
#include "cuco/transform/impl/work.hpp"

namespace cuco::impl::transforming {

/// The generated text of a program, where it is what the rules write, byte for byte. Tags alone prove
/// nothing: whoever writes a program can write them too.
class TrustedText {
 public:
  explicit TrustedText(SourceModel const& m) : m_(m) {
    GeneratedText const found = generated_text(m);
    check(found.infrastructure, is_infrastructure(found.infrastructure));
    check(found.section, is_section(found.section));
    for (Comment const& c : m.stream.comments) {
      bool const tag = c.text.starts_with("// cuco: ");
      if (c.active && tag && !holds(c.offset) && bad_line_ == 0) bad_line_ = c.line;
    }
  }

  [[nodiscard]] std::vector<Span> const& spans() const { return spans_; }
  [[nodiscard]] bool empty() const { return spans_.empty(); }
  [[nodiscard]] bool holds(std::uint32_t offset) const {
    for (Span s : spans_)
      if (s.begin <= offset && offset < s.end) return true;
    return false;
  }
  /// The first line that claims to be generated and is not; 0 without one.
  [[nodiscard]] std::uint32_t bad_line() const { return bad_line_; }

 private:
  void check(Span span, bool good) {
    if (!span.empty() && good) spans_.push_back(span);
  }
  [[nodiscard]] std::string_view text(Span s) const {
    return std::string_view(m_.source).substr(s.begin, s.size());
  }

  [[nodiscard]] bool is_section(Span span) const {
    auto const section = find_section(m_.source, m_.stream);
    if (span.empty() || !section || section->lines.begin != span.begin || section->lines.end != span.end)
      return false;
    auto const annotations = parse_annotations(*section, m_.report.file);
    if (!annotations) return false;
    auto const launchers = launchers_of(*annotations);
    for (bool kernels : {false, true})
      if (without_calls(text(span)) == section_text(section->api, launchers, kernels)) return true;
    return false;
  }
  /// What stage A notes for stage B is comments.
  static std::string without_calls(std::string_view section) {
    std::string out;
    for (std::size_t at = 0; at < section.size();) {
      std::size_t const end = std::min(section.find('\n', at), section.size() - 1) + 1;
      std::string_view const line = section.substr(at, end - at);
      if (!line.starts_with("// cuco: call line=")) out += line;
      at = end;
    }
    return out;
  }

  [[nodiscard]] bool is_infrastructure(Span span) const {
    if (span.empty()) return false;
    std::string_view const t = text(span);
    auto has = [&](std::string const& part) { return t.find(part) != std::string_view::npos; };
    InfrastructureOptions o;
    std::string_view const tag = kInfrastructureBegin;
    std::string_view const name = t.substr(tag.size(), t.find('\n') - tag.size());
    o.api = name == to_string(Api::GIN) ? Api::GIN : name == to_string(Api::Auto) ? Api::Auto : Api::LSA;
    o.uses_nccl_mem_alloc = has(kNcclAllocate);
    o.uses_nccl_mem_free = has(kNcclRelease);
    o.landing = has("int scratch_areas;");
    o.exchanges = has("open_pipes(comm, device);");
    o.uses_largest = has("allocate_largest(");
    o.creates_in_groups = has("creation_group_start()");
    o.endings = in_order(t, {"ncclCommDestroy", "ncclCommFinalize", "ncclCommAbort"}, ending_name);
    o.creations =
        in_order(t,
                 {"ncclCommInitRank", "ncclCommInitRankConfig", "ncclCommInitRankScalable", "ncclCommSplit"},
                 creation_name);
    return t == infrastructure_text(o);
  }
  /// Those of `calls` whose replacement is defined in `t`, in the order of the definitions.
  template <class Name>
  static std::vector<std::string> in_order(std::string_view t,
                                           std::vector<std::string> const& calls,
                                           Name name) {
    std::vector<std::pair<std::size_t, std::string>> found;
    for (std::string const& call : calls) {
      std::size_t const at = t.find("inline ncclResult_t " + name(call) + "(");
      if (at != std::string_view::npos) found.emplace_back(at, call);
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> out;
    for (auto& [at, call] : found) out.push_back(std::move(call));
    return out;
  }

  SourceModel const& m_;
  std::vector<Span> spans_{};
  std::uint32_t bad_line_ = 0;
};

}  // namespace cuco::impl::transforming
