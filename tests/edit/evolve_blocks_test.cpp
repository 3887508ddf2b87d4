// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/edit/evolve_blocks.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuco/core/rng.hpp"
#include "cuco/edit/frozen_check.hpp"

namespace {

using Texts = std::vector<std::string>;

std::string const kStart = "// EVOLVE-BLOCK-START\n";
std::string const kEnd = "// EVOLVE-BLOCK-END\n";

Texts blocks_of(std::string const& source) {
  auto texts = cuco::extract_evolve_blocks(source, "p.cu");
  return texts ? *texts : Texts{to_line(texts.error())};
}

TEST(EvolveBlocks, AreTheLinesBetweenTheMarkers) {
  std::string const source =
      "a\n" + kStart + "b\nc\n" + kEnd + "d\n  //EVOLVE-BLOCK-START \nx\n\t//  EVOLVE-BLOCK-END";
  EXPECT_EQ(blocks_of(source), (Texts{"b\nc\n", "x\n"}));
  auto const blocks = cuco::find_evolve_blocks(source);
  ASSERT_TRUE(blocks);
  EXPECT_EQ((*blocks)[0].start_line, 2U);
  EXPECT_EQ((*blocks)[0].end_line, 5U);
  EXPECT_EQ((*blocks)[1].start_line, 7U);
  EXPECT_EQ((*blocks)[1].end_line, 9U);
  EXPECT_TRUE(blocks_of("int main() {}\n").empty());
  EXPECT_EQ(blocks_of(kStart + kEnd), (Texts{""}));
}

TEST(EvolveBlocks, MarkerWordsElsewhereAreNotMarkers) {
  EXPECT_TRUE(blocks_of("char const* s = \"// EVOLVE-BLOCK-START\";\n").empty());
  EXPECT_TRUE(blocks_of("/* EVOLVE-BLOCK-START */\n/*\n// EVOLVE-BLOCK-END\n*/\n").empty());
  EXPECT_TRUE(blocks_of("int a;  // EVOLVE-BLOCK-START\n").empty());
  EXPECT_TRUE(blocks_of("// see EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-STARTS\n/// EVOLVE-BLOCK-END\n").empty());
  EXPECT_TRUE(blocks_of("R\"(\n// EVOLVE-BLOCK-START\n)\";\n").empty());
  EXPECT_TRUE(blocks_of("// continued \\\n// EVOLVE-BLOCK-START\n").empty());
}

TEST(EvolveBlocks, ErrorsNameTheLine) {
  EXPECT_EQ(
      blocks_of("a\n" + kStart + "b\n"),
      (Texts{"p.cu:2: EVOLVE-BLOCK-START without an END after it; write // EVOLVE-BLOCK-END after it"}));
  EXPECT_EQ(
      blocks_of("a\n\n" + kEnd),
      (Texts{"p.cu:3: EVOLVE-BLOCK-END without a START before it; write // EVOLVE-BLOCK-START before it"}));
  EXPECT_EQ(blocks_of(kStart + "b\n" + kStart + kEnd + kEnd),
            (Texts{"p.cu:3: EVOLVE-BLOCK-START inside the block that starts at line 1; write // "
                   "EVOLVE-BLOCK-END before it"}));
  EXPECT_EQ(blocks_of(kStart + "/* open\n" + kEnd),
            (Texts{"p.cu:2: a comment is not closed; close it with */"}));
  EXPECT_EQ(cuco::find_evolve_blocks(kEnd).error().code, cuco::ErrorCode::kParse);
  EXPECT_FALSE(cuco::frozen_text(kEnd));
  EXPECT_FALSE(cuco::frozen_hash(kStart));
}

TEST(EvolveBlocks, FrozenTextKeepsEverythingElse) {
  std::string const source = "a\n" + kStart + "b\n" + kEnd + "c";
  EXPECT_EQ(*cuco::frozen_text(source), "a\n" + kStart + std::string(1, '\0') + kEnd + "c");
  EXPECT_EQ(*cuco::frozen_text("plain"), "plain");
}

TEST(EvolveBlocks, HashChangesWithFrozenTextOnly) {
  std::string const source = "a\n" + kStart + "b\n" + kEnd + "c";
  std::string const hash = *cuco::frozen_hash(source);
  EXPECT_EQ(hash.size(), 16U);
  EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(*cuco::frozen_hash("a\n" + kStart + "other\n\n" + kEnd + "c"), hash);
  EXPECT_NE(*cuco::frozen_hash("a\n" + kStart + "b\n" + kEnd + "c\n"), hash);
  EXPECT_NE(*cuco::frozen_hash("a \n" + kStart + "b\n" + kEnd + "c"), hash);
  // Text may not move over the border unseen.
  EXPECT_NE(*cuco::frozen_hash("a\nb\n" + kStart + kEnd + "c"), hash);
}

TEST(EvolveBlocks, ReplaceKeepsLineEnds) {
  std::string const source = "a\r\n// EVOLVE-BLOCK-START\r\nb\r\n// EVOLVE-BLOCK-END\r\nc";
  EXPECT_EQ(*cuco::replace_evolve_blocks(source, {"x"}),
            "a\r\n// EVOLVE-BLOCK-START\r\nx\r\n// EVOLVE-BLOCK-END\r\nc");
  EXPECT_EQ(*cuco::replace_evolve_blocks(source, {""}),
            "a\r\n// EVOLVE-BLOCK-START\r\n// EVOLVE-BLOCK-END\r\nc");
  std::string const unix_source = kStart + kEnd + "no newline at the end";
  EXPECT_EQ(*cuco::replace_evolve_blocks(unix_source, {"x"}),
            kStart + "x\n" + kEnd + "no newline at the end");
}

TEST(EvolveBlocks, ReplaceRefusesWhatChangesFrozenText) {
  std::string const source = kStart + "a\n" + kEnd + kStart + "b\n" + kEnd;
  EXPECT_EQ(cuco::replace_evolve_blocks(source, {"x"}).error().cause, "1 texts for 2 EVOLVE blocks");
  EXPECT_EQ(cuco::replace_evolve_blocks(source, {"x"}).error().code, cuco::ErrorCode::kInvalidArgument);
  for (std::string bad : {kEnd + kStart,
                          kEnd,
                          kStart,
                          std::string("/* open"),
                          std::string("x // \\"),
                          std::string("\"open"),
                          std::string("R\"(")}) {
    auto const result = cuco::replace_evolve_blocks(source, {bad, "b\n"});
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, cuco::ErrorCode::kInvalidArgument) << bad;
  }
  // A comment that opens in one block and closes in the next would hide the frozen text between them.
  EXPECT_FALSE(cuco::replace_evolve_blocks(source, {"/*\n", "*/\n"}));
}

TEST(FrozenCheck, NamesTheFirstLineThatDiffers) {
  std::string const original = "one\n" + kStart + "b\n" + kEnd + "two\nthree\n" + kStart + kEnd + "four\n";
  EXPECT_TRUE(cuco::check_frozen(
      original, "one\n" + kStart + "x\ny\nz\n" + kEnd + "two\nthree\n" + kStart + "q\n" + kEnd + "four\n"));
  auto error = [&](std::string const& candidate) {
    return to_line(cuco::check_frozen(original, candidate, "c.cu").error());
  };
  std::string const tail =
      ": frozen text differs from the original; change only what is between the EVOLVE markers";
  EXPECT_EQ(error("One\n" + kStart + "b\n" + kEnd + "two\nthree\n" + kStart + kEnd + "four\n"),
            "c.cu:1" + tail);
  EXPECT_EQ(error("one\n" + kStart + "b\nb\n" + kEnd + "two\nThree\n" + kStart + kEnd + "four\n"),
            "c.cu:7" + tail);
  EXPECT_EQ(error("one\n" + kStart + "b\n" + kEnd + "two\nthree\n" + kStart + "1\n2\n" + kEnd + "five\n"),
            "c.cu:11" + tail);
  EXPECT_EQ(cuco::check_frozen(original, "one\n").error().code, cuco::ErrorCode::kRefused);
  EXPECT_EQ(cuco::check_frozen(original, kEnd).error().code, cuco::ErrorCode::kParse);
}

/// A random program: frozen and mutable lines, decoys included, in one line-end style.
std::string random_program(cuco::Rng& rng, Texts& texts) {
  std::string const eol = rng.chance(0.3) ? "\r\n" : "\n";
  Texts const lines = {"int a;",
                       "",
                       "  f(x); // note",
                       "\"// EVOLVE-BLOCK-START\";",
                       "/* EVOLVE-BLOCK-END */",
                       "#if 0",
                       "#endif",
                       "\t}",
                       "#define M \\",
                       "x // EVOLVE-BLOCK-END",
                       "s = \"\\\\\";"};
  auto some = [&] {
    std::string out;
    for (std::size_t n = rng.below(5); n > 0; --n) {
      std::string const line = lines[rng.below(lines.size())];
      out += line + eol;
      if (line.ends_with('\\')) out += "1" + eol;  // A continued line must not run into a marker.
    }
    return out;
  };
  std::string source = some();
  for (std::size_t n = rng.below(4); n > 0; --n) {
    texts.push_back(some());
    source += "  // EVOLVE-BLOCK-START" + eol + texts.back() + "// EVOLVE-BLOCK-END" + eol + some();
  }
  if (rng.chance(0.5)) source += "last line without newline";
  return source;
}

TEST(EvolveBlocksProperty, ReplaceUndoesExtractAndKeepsFrozenBytes) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    cuco::Rng rng(seed);
    Texts texts;
    std::string const source = random_program(rng, texts);
    auto const extracted = cuco::extract_evolve_blocks(source);
    ASSERT_TRUE(extracted) << to_line(extracted.error()) << "\n" << source;
    EXPECT_EQ(*extracted, texts);
    EXPECT_EQ(*cuco::replace_evolve_blocks(source, *extracted), source);
    Texts other;
    // What was there stays, so that brackets are as open or closed as before.
    for (std::string const& text : texts) other.push_back(text + "y" + std::to_string(rng.below(1000)) + ";\n");
    auto const replaced = cuco::replace_evolve_blocks(source, other);
    ASSERT_TRUE(replaced);
    EXPECT_EQ(*cuco::extract_evolve_blocks(*replaced), other);
    EXPECT_EQ(*cuco::frozen_text(*replaced), *cuco::frozen_text(source));
    EXPECT_EQ(*cuco::frozen_hash(*replaced), *cuco::frozen_hash(source));
    EXPECT_TRUE(cuco::check_frozen(source, *replaced));
    EXPECT_EQ(*cuco::replace_evolve_blocks(*replaced, texts), source);
  }
}

TEST(FrozenCheck, FrozenTextStaysInItsPlace) {
  std::string const original = "void f() {\n" + kStart + "  a();\n" + kEnd + "  verify();\n}\n";
  auto const with = [&](std::string const& text) {
    return "void f() {\n" + kStart + text + kEnd + "  verify();\n}\n";
  };
  for (char const* fine : {"",
                           "  if (x) { b(); } else { c(y[0]); }\n",
                           "#if A\n  while (x) {\n#else\n  while (y) {\n#endif\n    b();\n  }\n",
                           "  s = \"} {\"; c = '}';  // }\n#if 0\n}\n#endif\n",
                           "#if 0\n} {\n#else\n  b();\n#endif\n",
                           "#ifdef A\n#ifdef B\n  if (x) {\n#else\n  if (y) {\n#endif\n  }\n#endif\n",
                           "#define TWICE(x) do { x; x; } while (0)\n  TWICE(b());\n",
                           "#define BEGIN if (x) {\n#define END }\n  BEGIN b(); END\n",
                           "  m = a < ::b && c % d > e ? f<::g>() : h;\n"}) {
    auto const checked = cuco::check_frozen(original, with(fine));
    EXPECT_TRUE(checked) << fine << (checked ? "" : to_line(checked.error()));
    EXPECT_TRUE(cuco::replace_evolve_blocks(original, {fine})) << fine;
  }
  for (char const* moved : {"}\nvoid unused() {\n",
                            "  if (false) {\n",
                            "  }\n",
                            "  auto never = [&] {\n",
                            "  g(\n",
                            "#if 0\n",
                            "#endif\n#if 1\n",
                            "%>\nint unused() <%\n",
                            "  a(); b<:0:>;\n",
                            "#define END }\n#define BEGIN {\nEND int unused() BEGIN\n",
                            "#define END }\n#define MOVE END int unused() {\nMOVE\n",
                            "#define END(x) }\nEND(1) int unused() {\n",
                            "#ifdef NEVER\nint a = 1;\n#else\n} int unused() {\n#endif\n",
                            "#ifdef NEVER\n} int unused() {\n#else\n#endif\n",
                            "#ifdef A\n  if (x) {\n#elif B\n  if (y) {\n#endif\n  }\n",
                            "#ifdef A\n#define END }\n#else\n#define END\n#endif\n  if (x) { END\n",
                            "#else\n"}) {
    auto const checked = cuco::check_frozen(original, with(moved), "c.cu");
    ASSERT_FALSE(checked) << moved;
    EXPECT_TRUE(checked.error().code == cuco::ErrorCode::kRefused || checked.error().code == cuco::ErrorCode::kParse)
        << to_line(checked.error());
    EXPECT_FALSE(cuco::replace_evolve_blocks(original, {moved})) << moved;
  }
  // A block may be one side of a bracket from the start.
  std::string const half = kStart + "void f() {\n  a();\n" + kEnd + "  verify();\n}\n";
  EXPECT_TRUE(cuco::check_frozen(half, kStart + "void f() {\n  b();\n" + kEnd + "  verify();\n}\n"));
  EXPECT_FALSE(cuco::check_frozen(half, kStart + "void f() {\n  if (x) {\n" + kEnd + "  verify();\n}\n"));
}

TEST(EvolveBlocksProperty, RandomTextsNeverBreakIt) {
  std::string const alphabet = "/*\"\\\n E-VOLBCKSTARND#'()R";
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    cuco::Rng rng(seed);
    std::string source = "f\n" + kStart + "old\n" + kEnd + "g\n";
    std::string text;
    for (std::size_t n = rng.below(60); n > 0; --n)
      text += rng.chance(0.1) ? (rng.chance(0.5) ? kStart : kEnd)
                              : std::string(1, alphabet[rng.below(alphabet.size())]);
    auto const replaced = cuco::replace_evolve_blocks(source, {text});
    if (replaced) {
      EXPECT_EQ(*cuco::frozen_text(*replaced), *cuco::frozen_text(source)) << seed;
    }
  }
}

}  // namespace
