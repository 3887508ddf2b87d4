// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/impl/excerpt.hpp"
#include "cuco/edit/impl/fences.hpp"
#include "cuco/edit/impl/found_code.hpp"
#include "cuco/edit/impl/text_line.hpp"
#include "cuco/edit/reply_text.hpp"

namespace cuco {
namespace impl {

/// The text of an element, or what follows an opening tag that nothing closes, up to `stop`.
inline std::string_view title_text(std::string_view reply, std::string_view tag, std::string_view stop) {
  auto const elements = find_elements(reply, tag);
  if (!elements.empty()) return trim(elements.front().text);
  std::string const open = "<" + std::string(tag) + ">";
  std::size_t const at = reply.find(open);
  if (at == std::string_view::npos) return {};
  std::string_view const rest = reply.substr(at + open.size());
  return trim(rest.substr(0, rest.find(stop)));
}

}  // namespace impl

CUCO_EVOLVE_INLINE std::vector<CodeFence> find_code_fences(std::string_view reply) {
  std::vector<CodeFence> fences;
  for (impl::Fence& f : impl::find_fences(reply)) fences.push_back({std::move(f.label), f.text, f.closed});
  return fences;
}

CUCO_EVOLVE_INLINE tl::expected<std::string, EditProblem> extract_code(std::string_view reply) {
  auto code = impl::CodeFinder(reply).run(nullptr);
  if (!code) return tl::unexpected<EditProblem>(std::move(code).error());
  return std::string(code->text);
}

CUCO_EVOLVE_INLINE std::optional<std::string> extract_element(std::string_view reply, std::string_view tag) {
  auto const elements = impl::find_elements(reply, tag);
  if (elements.empty()) return std::nullopt;
  return std::string(impl::trim(elements.front().text));
}

CUCO_EVOLVE_INLINE ReplyTitle read_title(std::string_view reply) {
  constexpr std::size_t kLongestName = 64;
  constexpr std::size_t kLongestDescription = 2000;
  ReplyTitle title;
  for (char c : impl::title_text(reply, "NAME", "\n")) {
    bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter) {
      title.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!title.name.empty() && title.name.back() != '_') {
      title.name += '_';
    }
    if (title.name.size() == kLongestName) break;
  }
  while (title.name.ends_with('_')) title.name.pop_back();
  if (title.name.empty()) title.name = "unnamed";
  std::string paragraph;
  for (char c : impl::title_text(reply, "DESCRIPTION", "\n\n")) {
    bool const blank = impl::is_space(c);
    if (!blank)
      paragraph += c;
    else if (!paragraph.empty() && paragraph.back() != ' ')
      paragraph += ' ';
    if (paragraph.size() > 2 * kLongestDescription) break;
  }
  while (paragraph.ends_with(' ')) paragraph.pop_back();
  title.description = impl::excerpt(paragraph, kLongestDescription - 3);
  return title;
}

}  // namespace cuco
