// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Edits on any bytes. An input is a program, a line `%%%% REPLY` and what a model answered; without that line
// it is both in turn. A libFuzzer target; mutation_main.cpp runs it where the compiler has no libFuzzer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cuco/edit/diff_patch.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/frozen_check.hpp"
#include "cuco/edit/full_rewrite.hpp"
#include "cuco/edit/reply_text.hpp"

namespace {

using cuco::EditFault;

void require(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

bool is_utf8(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    auto const c = static_cast<unsigned char>(s[i]);
    std::size_t const n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    if (n == 0 || i + n > s.size()) return false;
    for (std::size_t k = 1; k < n; ++k)
      if ((static_cast<unsigned char>(s[i + k]) & 0xC0U) != 0x80U) return false;
    i += n;
  }
  return true;
}

void check_title(std::string_view reply) {
  auto const title = cuco::read_title(reply);
  require(!title.name.empty() && title.name.size() <= 64, "there is a name");
  require(title.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos,
          "names are plain");
  require(title.description.size() <= 2000 && is_utf8(title.description), "descriptions are short and text");
}

void check_fences(std::string_view reply) {
  char const* at = reply.data();
  for (auto const& fence : cuco::find_code_fences(reply)) {
    require(fence.text.data() >= at && fence.text.data() + fence.text.size() <= reply.data() + reply.size(),
            "fences are in order and within the reply");
    at = fence.text.data() + fence.text.size();
  }
  for (char const* tag : {"NAME", "CODE", "X"}) (void)cuco::extract_element(reply, tag);
  auto const code = cuco::extract_code(reply);
  require(code || !code.error().cause.empty(), "faults say why");
}

/// The whole program as a reply, in a fence that nothing in it closes.
std::string fenced(std::string const& code) {
  std::size_t longest = 2;
  for (std::size_t i = 0, run = 0; i < code.size(); ++i) {
    run = code[i] == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  std::string const line(longest + 1, '`');
  return line + "cuda\n" + code + "\n" + line + "\n";
}

void check_result(std::string_view source, cuco::EditResult const& result) {
  if (!result) {
    std::string const feedback = to_feedback(result.error());
    require(!result.error().cause.empty() && result.error().cause.find('\n') == std::string::npos,
            "faults say why");
    require(is_utf8(feedback) && feedback.find('\0') == std::string::npos, "feedback is text");
    require(feedback.size() < 10000, "feedback is short");
    return;
  }
  require(cuco::check_frozen(source, result->code).has_value(), "frozen text stays");
  require(result->code != source && result->edits > 0, "an edit changes something");
  auto const patch = cuco::write_diff_patch(source, result->code);
  require(patch.has_value(), "there are edits from one program to another with the same frozen text");
  auto const again = cuco::apply_diff_patch(source, *patch);
  require(again && again->code == result->code, "written edits lead where they should");
  auto const whole = cuco::apply_full_rewrite(source, fenced(result->code));
  if (whole) {
    require(result->code.find('\r') != std::string::npos || whole->code == result->code,
            "a rewrite with the whole program gives that program");
  } else {
    // Random bytes need not look like C++, and a rewrite empties no block.
    EditFault const fault = whole.error().fault;
    require(fault == EditFault::kLanguage || fault == EditFault::kNothing,
            "a whole program can be sent back");
  }
}

void check_edits(std::string_view source, std::string_view reply) {
  check_result(source, cuco::apply_diff_patch(source, reply));
  check_result(source, cuco::apply_full_rewrite(source, reply));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static constexpr std::string_view kProgram =
      "#include <a>\n// EVOLVE-BLOCK-START\nvoid f() {\n  g();\n}\n// EVOLVE-BLOCK-END\nint main() { f(); }\n"
      "// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-END\n";
  static constexpr std::string_view kReply =
      "<<<<<<< SEARCH\n  g();\n=======\n  h();\n>>>>>>> REPLACE\n```cuda\n// EVOLVE-BLOCK-START\nint a;\n"
      "// EVOLVE-BLOCK-END\n```\n";
  static constexpr std::string_view kBorder = "%%%% REPLY\n";
  std::string const input(reinterpret_cast<char const*>(data), size);
  std::string_view const text = input;
  check_title(text);
  check_fences(text);
  std::size_t const border = text.find(kBorder);
  if (border != std::string_view::npos) {
    check_edits(text.substr(0, border), text.substr(border + kBorder.size()));
  } else {
    check_edits(kProgram, text);
    check_edits(text, kReply);
  }
  return 0;
}
