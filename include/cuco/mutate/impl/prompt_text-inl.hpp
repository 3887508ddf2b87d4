// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cuco/core/impl/inline.hpp"
#include "cuco/mutate/impl/prompt_text.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string fenced(std::string_view code, std::string_view label) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (char c : code) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  std::string const fence(std::max<std::size_t>(3, longest + 1), '`');
  std::string out = fence;
  out.append(label).append("\n").append(code);
  if (!code.empty() && code.back() != '\n') out.push_back('\n');
  return out.append(fence);
}

CUCO_EVOLVE_INLINE std::string shorten_lines(std::string_view text, std::size_t most) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  if (text.size() <= most) return std::string(text);
  // Two thirds from the beginning, where compilers say what is wrong first; the rest from the end, where runs
  // do.
  std::size_t head = most - most / 3;
  std::size_t tail = text.size() - most / 3;
  if (auto const line = text.rfind('\n', head); line != std::string_view::npos && line > 0) {
    head = line;
  } else {
    while (head > 0 && (static_cast<unsigned char>(text[head]) & 0xc0U) == 0x80U)
      --head;  // whole UTF-8 characters
  }
  auto const next = text.find('\n', tail);
  tail = next == std::string_view::npos ? text.size() : next + 1;
  auto const left_out = text.substr(head, tail - head);
  auto const lines = std::count(left_out.begin(), left_out.end(), '\n');
  std::string out(text.substr(0, head));
  out += lines > 1 ? fmt::format("\n[{} lines left out]\n", lines - 1)
                   : fmt::format("\n[{} characters left out]\n", left_out.size());
  out.append(text.substr(tail));
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

CUCO_EVOLVE_INLINE std::string result_line(Program const& program) {
  if (!program.correct) {
    auto out = "failed: " + attribute_or(program.metadata, "outcome", "not correct");
    if (auto const error = attribute_or(program.metadata, "error"); !error.empty())
      out += ": " + shorten_lines(error, 400);
    return out;
  }
  std::string out = fmt::format("combined_score {:.6g}", program.combined_score);
  for (auto const& metric : program.public_metrics)
    if (metric.name != "combined_score") out += fmt::format("; {} {:.6g}", metric.name, metric.value);
  auto const origin = attribute_or(program.metadata, "origin");
  if (origin == "measured" || origin == "modelled") out += " (times are " + origin + ")";
  return out;
}

CUCO_EVOLVE_INLINE std::string program_title(Program const& program) {
  auto const name =
      attribute_or(program.metadata, "patch_name", program.parent_id.empty() ? "seed" : "unnamed");
  return fmt::format("{} (generation {})", name, program.generation);
}

CUCO_EVOLVE_INLINE std::string paragraphs(std::vector<std::string> const& texts) {
  std::string out;
  for (auto const& text : texts) {
    if (text.empty()) continue;
    if (!out.empty()) out += "\n\n";
    out += text;
  }
  return out;
}

}  // namespace cuco::impl
