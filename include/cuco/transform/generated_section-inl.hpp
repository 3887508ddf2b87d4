// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "cuco/analysis/lexer.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/transform/codegen/section.hpp"
#include "cuco/transform/generated_section.hpp"
#include "cuco/transform/impl/source_edit.hpp"

namespace cuco {

namespace impl {

struct FoundSection {
  Span lines;
  Api api = Api::LSA;
  std::vector<Comment> annotations;
};

/// The first generated section of `stream`, tags included.
CUCO_EVOLVE_INLINE std::optional<FoundSection> find_section(std::string_view code,
                                                            TokenStream const& stream) {
  FoundSection found;
  bool open = false;
  std::string_view const begin = kSectionBegin;
  std::string_view const tag = kLauncherTag;
  for (Comment const& c : stream.comments) {
    if (!c.active) continue;
    if (!open && c.text.substr(0, begin.size()) == begin) {
      auto const api = api_named(c.text.substr(begin.size()));
      if (!api) continue;
      open = true;
      found.lines.begin = line_begin(code, c.offset);
      found.api = *api;
    } else if (open && c.text.substr(0, tag.size()) == tag) {
      found.annotations.push_back(c);
    } else if (open && c.text == kSectionEnd) {
      found.lines.end = line_end(code, c.offset);
      return found;
    }
  }
  return std::nullopt;
}

CUCO_EVOLVE_INLINE Result<GeneratedCollective> parse_annotation(Comment const& comment,
                                                                std::string_view file) {
  std::string_view text = comment.text;
  text.remove_prefix(std::string_view(kLauncherTag).size());
  std::size_t const name_end = std::min(text.find(' '), text.size());
  GeneratedCollective out;
  out.name = text.substr(0, name_end);
  std::size_t const split = text.find(" backend=");
  if (split == std::string_view::npos || split < name_end)
    return fail_at(ErrorCode::kParse,
                   std::string(file),
                   comment.line,
                   "annotation of launcher '" + out.name + "' is incomplete",
                   "restore it or transform the program again");
  auto site = parse_site(text.substr(name_end, split - name_end));
  auto directives = parse_directives(text.substr(split));
  if (!site || !directives) {
    Error error = !site ? site.error() : directives.error();
    error.file = file;
    error.line = comment.line;
    return tl::unexpected<Error>(std::move(error));
  }
  out.site = *site;
  out.directives = *directives;
  return out;
}

CUCO_EVOLVE_INLINE std::vector<Launcher> launchers_of(std::vector<GeneratedCollective> const& collectives) {
  std::vector<Launcher> out;
  for (auto const& c : collectives) out.push_back({c.name, c.site, c.directives});
  return out;
}

CUCO_EVOLVE_INLINE Result<std::vector<GeneratedCollective>> parse_annotations(FoundSection const& section,
                                                                              std::string_view file) {
  std::vector<GeneratedCollective> out;
  for (Comment const& c : section.annotations) {
    auto one = parse_annotation(c, file);
    if (!one) return forward_error(std::move(one));
    out.push_back(std::move(*one));
  }
  return out;
}

/// Writes the section of one program any number of times; the program is read once. Refers to its text.
class SectionWriter {
 public:
  static Result<SectionWriter> open(std::string_view code) {
    auto stream = lex(code);
    if (!stream) return forward_error(std::move(stream));
    auto const section = find_section(code, *stream);
    if (!section || section->annotations.empty())
      return fail(ErrorCode::kNotFound,
                  "the program has no generated section",
                  "transform a host-driven program first");
    auto present = parse_annotations(*section, "<source>");
    if (!present) return forward_error(std::move(present));
    return SectionWriter(code, section->lines, section->api, std::move(*present));
  }

  [[nodiscard]] std::vector<GeneratedCollective> const& collectives() const { return present_; }

  [[nodiscard]] Result<std::string> write(std::vector<GeneratedCollective> const& collectives) const {
    bool same = present_.size() == collectives.size();
    for (std::size_t i = 0; same && i < collectives.size(); ++i)
      same = present_[i].name == collectives[i].name;
    if (!same)
      return fail(ErrorCode::kInvalidArgument, "the launchers asked for are not those of the program");
    for (auto const& c : collectives)
      if (auto const reason = legal(c.directives, c.site))
        return fail(ErrorCode::kInvalidArgument,
                    c.name + ": " + reason->text,
                    "choose another point of the design space");
    std::string out(code_.substr(0, lines_.begin));
    out += section_text(api_, launchers_of(collectives), true);
    return out += code_.substr(lines_.end);
  }

 private:
  SectionWriter(std::string_view code, Span lines, Api api, std::vector<GeneratedCollective> present)
      : code_(code), lines_(lines), api_(api), present_(std::move(present)) {}
  std::string_view code_;
  Span lines_;
  Api api_;
  std::vector<GeneratedCollective> present_;
};

}  // namespace impl

CUCO_EVOLVE_INLINE Result<std::vector<GeneratedCollective>> read_annotations(std::string_view code,
                                                                             std::string_view file) {
  auto stream = lex(code, file);
  if (!stream) return forward_error(std::move(stream));
  auto const section = impl::find_section(code, *stream);
  if (!section) return std::vector<GeneratedCollective>{};
  return impl::parse_annotations(*section, file);
}

CUCO_EVOLVE_INLINE std::optional<Api> generated_api(std::string_view code) {
  auto stream = lex(code);
  if (!stream) return std::nullopt;
  auto const section = impl::find_section(code, *stream);
  if (!section) return std::nullopt;
  return section->api;
}

CUCO_EVOLVE_INLINE Result<std::string> regenerate(std::string_view code,
                                                  std::vector<GeneratedCollective> const& collectives) {
  auto writer = impl::SectionWriter::open(code);
  if (!writer) return forward_error(std::move(writer));
  return writer->write(collectives);
}

CUCO_EVOLVE_INLINE Result<std::string> regenerate(std::string_view code,
                                                  std::string_view name,
                                                  Directives const& directives) {
  auto all = read_annotations(code);
  if (!all) return forward_error(std::move(all));
  auto const at = std::find_if(all->begin(), all->end(), [&](auto const& c) { return c.name == name; });
  if (at == all->end())
    return fail(ErrorCode::kNotFound,
                "the program has no launcher '" + std::string(name) + "'",
                "see its generated section");
  at->directives = directives;
  return regenerate(code, *all);
}

}  // namespace cuco
