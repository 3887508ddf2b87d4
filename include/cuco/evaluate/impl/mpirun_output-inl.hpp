// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/impl/mpirun_output.hpp"

namespace cuco::impl::evaluating {

CUCO_EVOLVE_INLINE std::string unescape_xml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '&') {
      out += text[i];
      continue;
    }
    std::size_t const end = text.find(';', i);
    if (end == std::string_view::npos || end - i > 6) {
      out += '&';
      continue;
    }
    std::string_view const name = text.substr(i + 1, end - i - 1);
    int code = -1;
    if (name == "lt") code = '<';
    if (name == "gt") code = '>';
    if (name == "amp") code = '&';
    if (name.size() > 1 && name[0] == '#') {
      int number = 0;
      auto const [last, error] = std::from_chars(name.data() + 1, name.data() + name.size(), number);
      if (error == std::errc{} && last == name.data() + name.size() && number >= 0 && number < 256)
        code = number;
    }
    if (code < 0) {
      out += '&';
      continue;
    }
    out += static_cast<char>(static_cast<unsigned char>(code));
    i = end;
  }
  return out;
}

/// The value of rank="N" in an opening tag; -1 when it has none.
CUCO_EVOLVE_INLINE int rank_attribute(std::string_view tag) {
  constexpr std::string_view kKey = "rank=\"";
  std::size_t const at = tag.find(kKey);
  if (at == std::string_view::npos) return -1;
  int rank = -1;
  char const* const first = tag.data() + at + kKey.size();
  auto const [last, error] = std::from_chars(first, tag.data() + tag.size(), rank);
  return error == std::errc{} && last != tag.data() + tag.size() && *last == '"' ? rank : -1;
}

CUCO_EVOLVE_INLINE MpirunOutput parse_mpirun_xml(std::string_view text, int ranks) {
  MpirunOutput out;
  auto const count = static_cast<std::size_t>(ranks < 0 ? 0 : ranks);
  out.rank_stdout.resize(count);
  out.rank_stderr.resize(count);
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t const open = text.find('<', at);
    std::string_view outside = text.substr(at, open == std::string_view::npos ? open : open - at);
    if (outside.find_first_not_of(" \r\n\t") != std::string_view::npos) out.launcher_text += outside;
    if (open == std::string_view::npos) break;
    std::size_t const close = text.find('>', open);
    if (close == std::string_view::npos) break;
    std::string_view const tag = text.substr(open + 1, close - open - 1);
    at = close + 1;
    bool const is_stdout = tag.substr(0, 6) == "stdout";
    bool const is_stderr = tag.substr(0, 6) == "stderr";
    if (!is_stdout && !is_stderr) continue;  // <mpirun>, </mpirun> and whatever else the launcher frames.
    std::size_t const end = text.find('<', at);
    std::string const piece =
        unescape_xml(text.substr(at, end == std::string_view::npos ? std::string_view::npos : end - at));
    at = end == std::string_view::npos ? text.size() : end;
    int const rank = rank_attribute(tag);
    if (rank < 0) {
      out.launcher_text += piece;
    } else if (static_cast<std::size_t>(rank) < count) {
      (is_stdout ? out.rank_stdout : out.rank_stderr)[static_cast<std::size_t>(rank)] += piece;
    }
  }
  return out;
}

CUCO_EVOLVE_INLINE std::string join_by_rank(std::vector<std::string> const& texts) {
  std::string out;
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    std::string_view rest = texts[rank];
    while (!rest.empty()) {
      std::size_t const end = rest.find('\n');
      out += "[" + std::to_string(rank) + "] ";
      out += rest.substr(0, end);
      out += '\n';
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }
  return out;
}

CUCO_EVOLVE_INLINE int launcher_signal(std::string_view launcher_text) {
  constexpr std::string_view kKey = "exited on signal ";
  std::size_t const at = launcher_text.find(kKey);
  if (at == std::string_view::npos) return 0;
  int signal = 0;
  std::from_chars(
      launcher_text.data() + at + kKey.size(), launcher_text.data() + launcher_text.size(), signal);
  return signal;
}

}  // namespace cuco::impl::evaluating
