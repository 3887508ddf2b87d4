// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/program.hpp"

/// @file
/// How programs and diagnostics are written into prompts.

namespace cuco::impl {

/// `code` between fence lines that are longer than any run of backticks in it.
[[nodiscard]] std::string fenced(std::string_view code, std::string_view label = "cuda");

/// At most about `most` characters of `text`: whole lines from its beginning and from its end, and how many
/// were left out between them. Only a single line that is too long by itself is cut.
[[nodiscard]] std::string shorten_lines(std::string_view text, std::size_t most);

/// What the harness found, on one line: score and public metrics of a correct program, else outcome and
/// error.
[[nodiscard]] std::string result_line(Program const& program);

/// What a program is called in a prompt: its patch name and generation.
[[nodiscard]] std::string program_title(Program const& program);

/// The texts that are not empty, with a blank line between each two.
[[nodiscard]] std::string paragraphs(std::vector<std::string> const& texts);

/// Tokens of a text, estimated.
[[nodiscard]] constexpr std::size_t estimated_tokens(std::size_t characters) {
  return (characters + 3) / 4;
}

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/mutate/impl/prompt_text-inl.hpp"
#endif
