// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/analysis/lexer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/rng.hpp"
#include "support.hpp"

namespace {

using cuco::TokenKind;
using cuco::testing::read_file;
using cuco::testing::seed_files;
using Texts = std::vector<std::string>;

Texts active_texts(std::string const& source) {
  auto const stream = cuco::lex(source, "t.cu");
  if (!stream) return {"error: " + to_line(stream.error())};
  Texts out;
  for (auto const& t : stream->tokens)
    if (t.active) out.emplace_back(t.text);
  return out;
}

std::string error_of(std::string const& source) {
  auto const stream = cuco::lex(source, "t.cu");
  return stream ? "none" : to_line(stream.error());
}

/// Tokens and comments lie in order without overlap, what is between them is blank, line numbers are right.
void expect_covers(std::string const& source) {
  auto const stream = cuco::lex(source);
  if (!stream) return;
  struct Piece {
    std::size_t offset, size;
    std::uint32_t line;
    char const* data;
  };
  std::vector<Piece> pieces;
  for (auto const& t : stream->tokens) pieces.push_back({t.offset, t.text.size(), t.line, t.text.data()});
  for (auto const& c : stream->comments) pieces.push_back({c.offset, c.text.size(), c.line, c.text.data()});
  std::sort(pieces.begin(), pieces.end(), [](Piece const& a, Piece const& b) { return a.offset < b.offset; });
  std::string rebuilt;
  auto gap = [&](std::size_t end) {
    ASSERT_LE(rebuilt.size(), end) << "overlap at " << end;
    for (char c : source.substr(rebuilt.size(), end - rebuilt.size())) {
      EXPECT_NE(std::string(" \t\n\r\v\f\\\xEF\xBB\xBF").find(c), std::string::npos)
          << "lost byte " << int(c);
      rebuilt += c;
    }
  };
  std::uint32_t line = 1;
  std::size_t counted = 0;
  for (Piece const& p : pieces) {
    gap(p.offset);
    EXPECT_GT(p.size, 0U);
    EXPECT_EQ(p.data, source.data() + p.offset);
    line += static_cast<std::uint32_t>(std::count(source.begin() + static_cast<std::ptrdiff_t>(counted),
                                                  source.begin() + static_cast<std::ptrdiff_t>(p.offset),
                                                  '\n'));
    counted = p.offset;
    EXPECT_EQ(p.line, line);
    rebuilt.append(p.data, p.size);
  }
  gap(source.size());
  EXPECT_EQ(rebuilt, source);
}

TEST(Lexer, SplitsOrdinaryCode) {
  EXPECT_EQ(active_texts("int x=a->b+0x1Fu; y<<=2;z=a<=>b;"),
            (Texts{"int",
                   "x",
                   "=",
                   "a",
                   "->",
                   "b",
                   "+",
                   "0x1Fu",
                   ";",
                   "y",
                   "<<=",
                   "2",
                   ";",
                   "z",
                   "=",
                   "a",
                   "<=>",
                   "b",
                   ";"}));
  EXPECT_TRUE(active_texts("").empty());
  EXPECT_TRUE(active_texts(" \t\r\n // only\n /* comments */").empty());
}

TEST(Lexer, NumbersKeepSeparatorsExponentsAndSuffixes) {
  EXPECT_EQ(active_texts("1'000'000ull .5f 1.e+5 0x1p-3 1e-6 3.f 0b1'01"),
            (Texts{"1'000'000ull", ".5f", "1.e+5", "0x1p-3", "1e-6", "3.f", "0b1'01"}));
  EXPECT_EQ(active_texts("a.x...5"), (Texts{"a", ".", "x", "...", "5"}));
}

TEST(Lexer, LiteralsHideTheirContent) {
  EXPECT_EQ(
      active_texts(R"(f("a//b\"/*", '\'', u8"x", L'y', "");)"),
      (Texts{"f", "(", R"("a//b\"/*")", ",", R"('\'')", ",", "u8\"x\"", ",", "L'y'", ",", "\"\"", ")", ";"}));
  EXPECT_EQ(active_texts("R\"(a\n\")\" uR\"x(b)\")x\" c"), (Texts{"R\"(a\n\")\"", "uR\"x(b)\")x\"", "c"}));
  EXPECT_EQ(active_texts("\"a\\\nb\" c"), (Texts{"\"a\\\nb\"", "c"}));
  EXPECT_EQ(active_texts("u8x R \"s\""), (Texts{"u8x", "R", "\"s\""}));
}

TEST(Lexer, CommentsAreNotTokens) {
  std::string const source = "a // b \\\n c\nd /* e\n */ f // \r\n";
  auto const stream = cuco::lex(source);
  ASSERT_TRUE(stream);
  EXPECT_EQ(active_texts(source), (Texts{"a", "d", "f"}));
  ASSERT_EQ(stream->comments.size(), 3U);
  EXPECT_EQ(stream->comments[0].text, "// b \\\n c");
  EXPECT_EQ(stream->comments[1].text, "/* e\n */");
  EXPECT_EQ(stream->comments[1].line, 3U);
  EXPECT_EQ(stream->comments[2].text, "// ");
}

TEST(Lexer, LaunchBracketsAreOneToken) {
  EXPECT_EQ(active_texts("k<<<g,b>>>(x)"), (Texts{"k", "<<<", "g", ",", "b", ">>>", "(", "x", ")"}));
  EXPECT_EQ(active_texts("k<A<B<int>>><<<f(a>>b), N<2>>>>(x>>1)"),
            (Texts{"k", "<", "A", "<", "B", "<", "int", ">", ">",   ">", "<<<", "f", "(", "a", ">",
                   ">", "b", ")", ",", "N", "<", "2",   ">", ">>>", "(", "x",   ">", ">", "1", ")"}));
  EXPECT_EQ(active_texts("k<<<1, sizeof(A<B<C<int>>>)>>>()"),
            (Texts{"k", "<<<", "1",   ",", "sizeof", "(", "A", "<",   "B", "<",
                   "C", "<",   "int", ">", ">",      ">", ")", ">>>", "(", ")"}));
  EXPECT_EQ(
      active_texts("a >>= 1; b >= c; v<v<int>> w;"),
      (Texts{"a", ">>=", "1", ";", "b", ">=", "c", ";", "v", "<", "v", "<", "int", ">", ">", "w", ";"}));
  // An unfinished launch does not change what follows.
  EXPECT_EQ(active_texts("k<<<1; A<B<C<int>>> x;").back(), ";");
  EXPECT_EQ(active_texts("k<<<1; A<B<C<int>>> x;")[11], ">");
}

TEST(Lexer, DirectivesAreOneTokenPerLogicalLine) {
  EXPECT_EQ(active_texts("#include <a//b.h> // why\n  # define F(x) \\\n  g(x) /* in */ h /* out\n */\nz"),
            (Texts{"#include <a//b.h>", "# define F(x) \\\n  g(x) /* in */ h", "z"}));
  EXPECT_EQ(active_texts("#error don't\n#define Q '\"' // \"\nx"),
            (Texts{"#error don't", "#define Q '\"'", "x"}));
  EXPECT_EQ(active_texts("a # b"), (Texts{"a", "#", "b"}));
  EXPECT_EQ(active_texts("/* c */ #pragma once\n"), (Texts{"#pragma once"}));
  EXPECT_EQ(active_texts("#define N 1'000 // don't\nx"), (Texts{"#define N 1'000", "x"}));
}

TEST(Lexer, MarksWhatIsCertainlySkipped) {
  auto active = [](std::string const& s) {
    Texts out;
    for (auto const& t : active_texts(s))
      if (t.front() != '#') out.push_back(t);
    return out;
  };
  EXPECT_EQ(active("#if 0\na\n#else\nb\n#endif\nc"), (Texts{"b", "c"}));
  EXPECT_EQ(active("#if 1\na\n#elif X\nb\n#else\nc\n#endif"), (Texts{"a"}));
  EXPECT_EQ(active("#if X\na\n#elif 1\nb\n#else\nc\n#endif"), (Texts{"a", "b"}));
  EXPECT_EQ(active("#ifdef X\na\n#else\nb\n#endif"), (Texts{"a", "b"}));
  EXPECT_EQ(active("#if 0\n#if 1\na\n#else\nb\n#endif\nc\n#endif\nd"), (Texts{"d"}));
  EXPECT_EQ(active("#if 0 && defined(A)\na\n#endif\n#if 1 || B\nb\n#else\nc\n#endif"), (Texts{"b"}));
  EXPECT_EQ(active("#if !(0)\na\n#else\nb\n#endif"), (Texts{"a"}));
  EXPECT_EQ(active("#if (0) /* off */ // off\na\n#endif\nb"), (Texts{"b"}));
  EXPECT_EQ(active("#if 00L\na\n#endif\n#if 2U\nb\n#endif"), (Texts{"b"}));
  EXPECT_EQ(active("#if 0 == 0\na\n#endif"), (Texts{"a"}));
  EXPECT_EQ(active("#else\n#endif\n#endif\na"), (Texts{"a"}));
  // Prose in a skipped group may hold lone quotes.
  EXPECT_EQ(active("#if 0\nit isn't \" code\n#endif\nx"), (Texts{"x"}));
}

TEST(Lexer, ErrorsNameTheLine) {
  EXPECT_EQ(error_of("a\n/* b\n c"), "t.cu:2: a comment is not closed; close it with */");
  EXPECT_EQ(error_of("x = \"abc\n;"),
            "t.cu:1: a string literal is not closed on its line; close it, or escape the quote");
  EXPECT_EQ(error_of("\n\nx = 'a\n"),
            "t.cu:3: a character literal is not closed on its line; close it, or escape the quote");
  EXPECT_EQ(error_of("R\"x(abc)y\""),
            "t.cu:1: a raw string literal is not closed; close it, or escape the quote");
  EXPECT_EQ(error_of("#define A /* b"), "t.cu:1: a comment is not closed; close it with */");
  EXPECT_EQ(error_of(std::string("a\nb\0c", 5)),
            "t.cu:2: a NUL byte: this is a binary file; pass a CUDA source file");
  EXPECT_EQ(cuco::lex("\"").error().code, cuco::ErrorCode::kParse);
}

TEST(Lexer, KeepsWindowsLineEndsAndContinuations) {
  EXPECT_EQ(active_texts("#define A \\\r\n 1\r\nab\\\r\ncd x\r\n"),
            (Texts{"#define A \\\r\n 1", "ab\\\r\ncd", "x"}));
  expect_covers("\xEF\xBB\xBFint a;\r\n\"x\\\r\ny\";\r\n");
}

TEST(Lexer, RejectsWhatIsTooLarge) {
  std::string const large((std::size_t{64} << 20U) + 1, ' ');
  EXPECT_NE(error_of(large).find("larger than 64 MiB"), std::string::npos);
}

TEST(LexerProperty, TokensAndGapsRebuildTheSeeds) {
  auto const seeds = seed_files();
  ASSERT_FALSE(seeds.empty());
  for (auto const& path : seeds) {
    std::string const source = read_file(path);
    ASSERT_TRUE(cuco::lex(source)) << path;
    expect_covers(source);
  }
}

TEST(LexerProperty, RandomBytesNeverBreakIt) {
  std::string const alphabet = "{}()[]<>;:,ab0.#\n\"'/*\\ &=-+?'R(uL8_x\r\t!|1e";
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    cuco::Rng rng(seed);
    std::string source;
    std::size_t const size = rng.below(400);
    bool const any = seed % 2 == 0;
    for (std::size_t i = 0; i < size; ++i)
      source += any ? static_cast<char>(1 + rng.below(255)) : alphabet[rng.below(alphabet.size())];
    SCOPED_TRACE(seed);
    expect_covers(source);
  }
}

TEST(LexerProperty, MutatedSeedsNeverBreakIt) {
  for (auto const& path : seed_files()) {
    std::string const original = read_file(path);
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      SCOPED_TRACE(path + " " + std::to_string(seed));
      expect_covers(cuco::testing::mutate_bytes(original, seed));
    }
  }
}

}  // namespace
