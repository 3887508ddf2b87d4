// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// What holds for every program and every reply, over many random ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/lexer.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/edit/diff_patch.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/frozen_check.hpp"
#include "cuco/edit/full_rewrite.hpp"
#include "cuco/edit/impl/excerpt.hpp"
#include "cuco/edit/reply_text.hpp"

namespace {

using cuco::EditFault;
using cuco::Rng;
using Units = std::vector<std::string>;

/// Pieces of code that are whole in themselves. Few, so that texts repeat; many of them look like something
/// else.
std::string_view constexpr kUnits[] = {
    "int a;\n",
    "int a = 1;\n",
    "  f(x); // note\n",
    "\tf(x);\n",
    "\n",
    "{\n  f(x);\n}\n",
    "  if (x) { f(x); }\n",
    "  int i = threadIdx.x;\n",
    "kernel<<<1, 2>>>(p);\n",
    "  \n",
    "int a; \t\n",
    "char const* s = \"// EVOLVE-BLOCK-START\";\n",
    "/*\n// EVOLVE-BLOCK-END\n*/\n",
    "/*\n// EVOLVE-BLOCK-START\n*/ int b;\n",
    "g(); // EVOLVE-BLOCK-END\n",
    "/*\n=======\n*/\n",
    "/*\n<<<<<<< SEARCH\n*/\n",
    "/*\n>>>>>>> REPLACE\n=========\n<<<<<<<<<<< SEARCH\n*/\n",
    "/*\n<DIFF>\n</DIFF>\n</CODE>\n*/\n",
    "/*\n```\n*/\n",
    "/*\n```cuda\nint c;\n```\n*/\n",
    "#if 0\nisn't code\n#endif\n",
    "#ifdef X\nint d;\n#else\nint e;\n#endif\n",
    "#define M \\\n  1\n",
    "char const* r = R\"(\n  // EVOLVE-BLOCK-END\n)\";\n",
    "int \xC3\xA4; // \xFF\n",
};

/// What only frozen text may have: brackets that reach from one block to the next.
constexpr std::string_view kLooseUnits[] = {"}\n", "{\n", "void g(int x) {\n"};

struct Program {
  std::vector<Units> frozen;  ///< One more than there are blocks.
  std::vector<Units> blocks;
  std::string newline = "\n";
  bool last_newline = true;

  [[nodiscard]] std::string text() const {
    std::string out = "#include <a>\n";
    auto add = [&](Units const& units) {
      for (std::string const& unit : units) out += unit;
    };
    for (std::size_t i = 0; i < frozen.size(); ++i) {
      add(frozen[i]);
      if (i == blocks.size()) break;
      out += "  // EVOLVE-BLOCK-START\n";
      add(blocks[i]);
      out += "// EVOLVE-BLOCK-END\n";
    }
    if (!last_newline) out.pop_back();
    if (newline == "\n") return out;
    std::string with_returns;
    for (char c : out) {
      if (c == '\n') with_returns += '\r';
      with_returns += c;
    }
    return with_returns;
  }
};

Units some_units(Rng& rng, std::size_t most) {
  Units out;
  for (std::size_t n = rng.below(most + 1); n > 0; --n)
    out.emplace_back(kUnits[rng.below(std::size(kUnits))]);
  return out;
}

Program random_program(Rng& rng) {
  Program p;
  std::size_t const blocks = 1 + rng.below(3);
  for (std::size_t i = 0; i <= blocks; ++i) {
    p.frozen.push_back(some_units(rng, 5));
    if (rng.chance(0.4)) p.frozen.back().emplace_back(kLooseUnits[rng.below(std::size(kLooseUnits))]);
  }
  for (std::size_t i = 0; i < blocks; ++i) p.blocks.push_back(some_units(rng, 12));
  if (rng.chance(0.2)) p.blocks.back() = p.blocks.front();
  p.last_newline = rng.chance(0.8);
  if (rng.chance(0.2)) p.newline = "\r\n";
  return p;
}

void change(Program& p, Rng& rng) {
  for (std::size_t n = 1 + rng.below(5); n > 0; --n) {
    Units& units = p.blocks[rng.below(p.blocks.size())];
    std::size_t const at = rng.below(units.size() + 1);
    auto const place = units.begin() + static_cast<std::ptrdiff_t>(at);
    switch (rng.below(4)) {
      case 0: units.insert(place, std::string(kUnits[rng.below(std::size(kUnits))])); break;
      case 1:
        if (at < units.size()) units.erase(place);
        break;
      case 2:
        if (at < units.size()) *place = kUnits[rng.below(std::size(kUnits))];
        break;
      default: units = some_units(rng, 12); break;
    }
  }
}

/// The same but for comments, layout and what is skipped.
bool same_code(std::string const& a, std::string const& b) {
  auto tokens = [](std::string const& text) {
    std::vector<std::string> out;
    auto const stream = cuco::lex(text);
    for (auto const& t : stream->tokens)
      if (t.active) out.emplace_back(t.text);
    return out;
  };
  return tokens(a) == tokens(b);
}

bool is_text(std::string_view s) {
  while (!s.empty()) {
    std::size_t const n = cuco::impl::utf8_length(s);
    if (n == 0 || s[0] == '\0') return false;
    s.remove_prefix(n);
  }
  return true;
}

/// What every outcome has in common.
void check_outcome(std::string const& source, cuco::EditResult const& result) {
  if (result) {
    auto const frozen = cuco::check_frozen(source, result->code);
    EXPECT_TRUE(frozen) << to_line(frozen.error()) << "\n" << result->code;
    EXPECT_EQ(*cuco::frozen_text(source), *cuco::frozen_text(result->code));
    EXPECT_FALSE(same_code(source, result->code));
    EXPECT_GT(result->edits, 0U);
    for (std::string const& note : result->notes) EXPECT_TRUE(is_text(note)) << note;
    return;
  }
  std::string const feedback = to_feedback(result.error());
  EXPECT_FALSE(result.error().cause.empty());
  EXPECT_EQ(result.error().cause.find('\n'), std::string::npos) << result.error().cause;
  EXPECT_TRUE(is_text(feedback)) << feedback;
  EXPECT_LT(feedback.size(), 8000U);
}

TEST(EditProperty, ApplyUndoesWrite) {
  std::size_t changed = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    Program program = random_program(rng);
    std::string from = program.text();
    change(program, rng);
    std::string to = program.text();
    if (rng.chance(0.2)) {
      // Mixed newlines inside the blocks.
      program.newline = "\n";
      for (Units& units : program.blocks)
        for (std::string& unit : units)
          if (rng.chance(0.3)) unit.insert(unit.size() - 1, "\r");
      to = program.text();
      program.blocks = std::vector<Units>(program.blocks.size(), some_units(rng, 6));
      from = program.text();
    }
    auto const patch = cuco::write_diff_patch(from, to);
    ASSERT_TRUE(patch) << to_line(patch.error()) << "\n" << from << "\n--\n" << to;
    auto const result = cuco::apply_diff_patch(from, *patch);
    if (same_code(from, to)) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().fault, from == to ? EditFault::kNothing : EditFault::kNoChange);
      continue;
    }
    ++changed;
    ASSERT_TRUE(result) << to_string(result.error().fault) << ": " << to_feedback(result.error()) << "\n"
                        << *patch << "\n--\n"
                        << from;
    EXPECT_EQ(result->code, to) << *patch;
    check_outcome(from, result);
  }
  EXPECT_GT(changed, 2000U);
}

/// A fence that nothing in `code` closes.
std::string fenced(std::string const& code, Rng& rng) {
  char const mark = rng.chance(0.5) ? '`' : '~';
  std::size_t longest = 2;
  for (std::size_t i = 0, run = 0; i < code.size(); ++i) {
    run = code[i] == mark ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  std::string const line(longest + 1, mark);
  static constexpr std::string_view kLabels[] = {"cuda", "cpp", "", "C++", "text"};
  return line + std::string(kLabels[rng.below(std::size(kLabels))]) + "\n" + code +
         (code.ends_with('\n') ? "" : "\n") + line + "\n";
}

TEST(EditProperty, ARewriteWithTheWholeProgramGivesThatProgram) {
  std::size_t changed = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    Program program = random_program(rng);
    std::string const from = program.text();
    change(program, rng);
    std::string const to = program.text();
    std::string const reply = "<NAME>x</NAME>\n" + fenced(to, rng);
    auto const result = cuco::apply_full_rewrite(from, reply);
    check_outcome(from, result);
    bool emptied = false;
    auto const before = *cuco::extract_evolve_blocks(from);
    auto const after = *cuco::extract_evolve_blocks(to);
    for (std::size_t i = 0; i < before.size(); ++i)
      emptied = emptied || (same_code(after[i], "") && cuco::lex(after[i])->tokens.empty() &&
                            !cuco::lex(before[i])->tokens.empty());
    if (emptied || same_code(from, to)) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().fault, emptied ? EditFault::kNothing : EditFault::kNoChange);
      continue;
    }
    ++changed;
    ASSERT_TRUE(result) << to_string(result.error().fault) << ": " << to_feedback(result.error()) << "\n"
                        << reply;
    EXPECT_EQ(result->code, to);
    EXPECT_TRUE(result->notes.empty() ||
                result->notes == std::vector<std::string>{"the fence is labelled text"});
  }
  EXPECT_GT(changed, 2000U);
}

TEST(EditProperty, BlocksAloneGiveTheProgramToo) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    Program program = random_program(rng);
    std::string const from = program.text();
    change(program, rng);
    for (Units& units : program.blocks) units.emplace_back("int last = 3;\n");
    Program blocks = program;
    for (Units& units : blocks.frozen) units.clear();
    blocks.last_newline = true;
    // Without the first line, which is frozen too.
    std::string const text = blocks.text();
    auto const result = cuco::apply_full_rewrite(from, fenced(text.substr(text.find('\n') + 1), rng));
    ASSERT_TRUE(result) << to_feedback(result.error());
    EXPECT_EQ(result->code, program.text());
    check_outcome(from, result);
  }
}

std::string mutated(std::string text, Rng& rng) {
  static constexpr std::string_view kSpice[] = {"// EVOLVE-BLOCK-START\n",
                                                "// EVOLVE-BLOCK-END\n",
                                                "<<<<<<< SEARCH\n",
                                                "=======\n",
                                                ">>>>>>> REPLACE\n",
                                                "```\n",
                                                "```cuda\n",
                                                "<DIFF>\n",
                                                "</DIFF>\n",
                                                "<CODE>\n",
                                                "</CODE>\n",
                                                "/*\n",
                                                "*/\n",
                                                "\"",
                                                "R\"(",
                                                "#if 0\n",
                                                "#else\n",
                                                "#endif\n",
                                                "\\\n",
                                                "\r",
                                                "\n",
                                                "int main() {\n",
                                                "}\n"};
  for (std::size_t n = 1 + rng.below(6); n > 0; --n) {
    std::size_t const at = rng.below(text.size() + 1);
    switch (rng.below(7)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(rng.below(256));
        break;
      case 1: text.erase(at, rng.below(40)); break;
      case 2: text.insert(rng.below(text.size() + 1), text.substr(at, rng.below(200))); break;
      case 3: text.insert(at, kSpice[rng.below(std::size(kSpice))]); break;
      case 4: {
        std::size_t const line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
        text.insert(line, kSpice[rng.below(std::size(kSpice))]);
        break;
      }
      case 5: {
        // A whole line goes.
        std::size_t const line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
        std::size_t const end = text.find('\n', line);
        text.erase(line, end == std::string::npos ? end : end + 1 - line);
        break;
      }
      default:
        if (rng.chance(0.2)) text.resize(at);
        break;
    }
  }
  return text;
}

TEST(EditProperty, NoReplyChangesFrozenBytes) {
  std::size_t applied = 0;
  std::size_t faults[8] = {};
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    Program program = random_program(rng);
    std::string const from = program.text();
    change(program, rng);
    std::string const to = program.text();
    auto const patch = cuco::write_diff_patch(from, to);
    ASSERT_TRUE(patch) << to_line(patch.error());
    std::string const reply = mutated(rng.chance(0.5) ? *patch : fenced(to, rng), rng);
    for (bool const diff : {true, false}) {
      auto const result = diff ? cuco::apply_diff_patch(from, reply) : cuco::apply_full_rewrite(from, reply);
      check_outcome(from, result);
      if (result)
        ++applied;
      else
        ++faults[static_cast<std::size_t>(result.error().fault)];
    }
    if (HasFailure()) break;
  }
  // The replies are neither all good nor all bad in one way.
  EXPECT_GT(applied, 300U);
  for (EditFault const fault : {EditFault::kNothing,
                                EditFault::kMalformed,
                                EditFault::kLanguage,
                                EditFault::kNotFound,
                                EditFault::kAmbiguous,
                                EditFault::kFrozen,
                                EditFault::kMarkers,
                                EditFault::kNoChange})
    EXPECT_GT(faults[static_cast<std::size_t>(fault)], 0U) << to_string(fault);
}

TEST(EditProperty, UnsoundProgramsAreRefusedNotCrashed) {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    Program program = random_program(rng);
    std::string const reply =
        fenced(program.text(), rng) + "<<<<<<< SEARCH\nint a;\n=======\nint b;\n>>>>>>> REPLACE\n";
    std::string const source = mutated(program.text(), rng);
    for (auto const& result :
         {cuco::apply_diff_patch(source, reply), cuco::apply_full_rewrite(source, reply)})
      check_outcome(source, result);
    (void)cuco::write_diff_patch(source, program.text());
    (void)cuco::read_title(source);
  }
}

}  // namespace
