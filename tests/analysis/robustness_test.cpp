// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <pthread.h>

#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "analyze.hpp"
#include "cuco/analysis/lint.hpp"
#include "support.hpp"

namespace {

using cuco::testing::read_file;
using cuco::testing::seed_files;

/// Everything the folder offers, on one input. The entry a fuzzer would call.
void fuzz_one(std::string const& source) {
  auto const in_range = [&](cuco::Span s) { return s.begin <= s.end && s.end <= source.size(); };
  (void)cuco::lint(source);
  auto const report = cuco::Analyzer{}.analyze(source);
  if (!report) {
    EXPECT_EQ(report.error().code, cuco::ErrorCode::kParse);
    EXPECT_FALSE(report.error().cause.empty());
    return;
  }
  auto const index_ok = [](cuco::Index i, std::size_t n) {
    return i == cuco::kNone || (i >= 0 && static_cast<std::size_t>(i) < n);
  };
  for (auto const& f : report->functions)
    EXPECT_TRUE(in_range(f.span) && in_range(f.body) && f.line <= f.end_line);
  for (auto const& l : report->loops) {
    EXPECT_TRUE(in_range(l.span) && in_range(l.body)) << l.header;
    EXPECT_TRUE(index_ok(l.function, report->functions.size()) && index_ok(l.parent, report->loops.size()));
  }
  for (auto const& c : report->calls) {
    EXPECT_TRUE(in_range(c.span) && in_range(c.statement));
    EXPECT_LE(c.statement.begin, c.span.begin);
    EXPECT_GE(c.statement.end, c.span.end);
    EXPECT_TRUE(index_ok(c.function, report->functions.size()) && index_ok(c.loop, report->loops.size()));
  }
  for (auto const& n : report->graph) {
    EXPECT_GT(n.confidence, 0);
    EXPECT_LE(n.confidence, 1);
    EXPECT_EQ(n.confidence < 1, !n.guesses.empty());
    EXPECT_TRUE(index_ok(n.send.allocation, report->allocations.size()));
  }
  EXPECT_TRUE(nlohmann::json::accept(to_json(*report)));
  EXPECT_FALSE(to_text(*report).empty());
  EXPECT_FALSE(to_prompt(*report).empty());
}

std::string repeat(std::string const& s, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += s;
  return out;
}

/// Runs `f` on a thread with a stack of `bytes`.
template <class F>
void on_small_stack(std::size_t bytes, F f) {
  pthread_attr_t attributes;
  ASSERT_EQ(::pthread_attr_init(&attributes), 0);
  ASSERT_EQ(::pthread_attr_setstacksize(&attributes, bytes), 0);
  pthread_t thread{};
  auto const run = [](void* what) -> void* {
    (*static_cast<F*>(what))();
    return nullptr;
  };
  ASSERT_EQ(::pthread_create(&thread, &attributes, run, &f), 0);
  ::pthread_join(thread, nullptr);
  ::pthread_attr_destroy(&attributes);
}

// 10000 levels on 256 KiB leave 26 bytes for each: less than any recursion needs.
constexpr std::size_t kDeep = 10000;

void nest_deeply() {
  auto nested = [&](std::string const& open,
                    std::string const& middle,
                    std::string const& close,
                    std::size_t depth = kDeep) {
    auto const start = std::chrono::steady_clock::now();
    std::string const source = "void f() { " + repeat(open, depth) + middle + repeat(close, depth) + " }";
    (void)cuco::lint("// EVOLVE-BLOCK-START\n" + source + "\n// EVOLVE-BLOCK-END\n");
    (void)cuco::Analyzer{}.analyze(source);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << open;
  };
  nested("{", "", "}");
  nested("(", "x", ")");
  nested("[", "x", "]");
  nested("if (x) ", ";", "");
  nested("if (x) ; else ", ";", "");
  nested("for (;;) ", ";", "");
  nested("do ", ";", "while (0);");
  nested("[] { ", ";", "}();");
  nested("f(", "", ")");
  nested("ncclSend(", "", ")");
  nested("k<<<1, ", "", "");
  nested("a < ", "b;", "", 1000);
  nested("struct A {", "", "};");
  nested("ncclBcast((float*)", "p", ")");
  nested("x ? y : ", "z;", "");
  fuzz_one(repeat("{", kDeep) + repeat("}", kDeep));
  fuzz_one(repeat("{", kDeep));
  fuzz_one("int a" + repeat("{1}, b", kDeep) + ";");
  fuzz_one(repeat("#if X\n", kDeep) + repeat("#endif\n", kDeep));
  fuzz_one("#if " + repeat("(", kDeep) + "0" + repeat(")", kDeep) + "\n#endif\n");
  fuzz_one("#if 0\n" + repeat("R\"(", kDeep) + repeat("\"\\", kDeep) + "\n#endif\n");
  fuzz_one("void f() { ncclBcast(" + repeat("(float*)", kDeep) + "p, n, t, 0, c, s); }");
  fuzz_one("void f() { ncclBcast(" + repeat("&", kDeep) + "p, n, t, 0, c, s); }");
}

TEST(Robustness, DeepNestingCostsNoStack) {
  on_small_stack(std::size_t{256} << 10U, nest_deeply);
}

TEST(Robustness, MacroBombsAreBounded) {
  std::string source = "#define M0(x) ncclBcast(x, n, t, 0, c, s);\n";
  for (int i = 1; i < 40; ++i) {
    std::string const previous = "M" + std::to_string(i - 1) + "(x)";
    source += "#define M" + std::to_string(i) + "(x) " + previous + " " + previous + " " + previous + "\n";
  }
  fuzz_one(source + "void f() { M39(a) M5(b) M2(c) }\n");
  fuzz_one("#define A(x) B(x) ncclGroupStart()\n#define B(x) A(x)\nvoid f() { A(1); B(2); }\n");
}

TEST(Robustness, RandomBytes) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    cuco::Rng rng(seed);
    std::string source;
    for (std::size_t n = rng.below(600); n > 0; --n) source += static_cast<char>(rng.below(256));
    fuzz_one(source);
  }
}

/// Random but balanced token soup, so that the analysis is reached.
TEST(Robustness, RandomBalancedTokens) {
  std::vector<std::string> const words = {"a",
                                          "b",
                                          "ncclAllReduce",
                                          "(",
                                          "{",
                                          "[",
                                          "<",
                                          ">",
                                          ",",
                                          ";",
                                          ";",
                                          "for",
                                          "while",
                                          "do",
                                          "if",
                                          "else",
                                          "struct",
                                          "X",
                                          "void",
                                          "f",
                                          "=",
                                          "->",
                                          ".",
                                          "::",
                                          "&",
                                          "*",
                                          "+",
                                          "<<<1,1>>>",
                                          "k",
                                          "template",
                                          "cudaMalloc",
                                          "return",
                                          "0",
                                          "\"s\"",
                                          "#define M(x) x\n",
                                          "M",
                                          "operator",
                                          ":",
                                          "~",
                                          "cudaLaunchKernel",
                                          "class",
                                          "// EVOLVE-BLOCK-START\n",
                                          "// EVOLVE-BLOCK-END\n",
                                          "\n",
                                          "#if X\n",
                                          "\n#endif\n",
                                          "main",
                                          "switch",
                                          "case",
                                          "auto",
                                          "int",
                                          "const"};
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(seed);
    cuco::Rng rng(seed);
    std::string source = seed % 2 == 0 ? "void f() {" : "";
    std::string close = seed % 2 == 0 ? "}" : "";
    for (std::size_t n = rng.below(200); n > 0; --n) {
      if (!close.empty() && rng.chance(0.15)) {
        source += close.back();
        close.pop_back();
        continue;
      }
      std::string const& w = words[rng.below(words.size())];
      if (w == "(") close += ')';
      if (w == "{") close += '}';
      if (w == "[") close += ']';
      if (w.front() == '#' || w.front() == '/') source += '\n';
      source += w;
      source += ' ';
    }
    for (; !close.empty(); close.pop_back()) source += close.back();
    fuzz_one(source);
  }
}

TEST(Robustness, MutatedSeeds) {
  for (auto const& path : seed_files()) {
    std::string const original = read_file(path);
    for (std::uint64_t seed = 0; seed < 70; ++seed) {
      SCOPED_TRACE(path + " " + std::to_string(seed));
      fuzz_one(cuco::testing::mutate_bytes(original, seed));
    }
  }
}

TEST(Robustness, LargeInputsTakeLinearTime) {
  auto seconds = [](std::string const& source) {
    auto const start = std::chrono::steady_clock::now();
    EXPECT_TRUE(cuco::Analyzer{}.analyze(source));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::string const body =
      "__global__ void k@(float* a) { a[0] = 1; }\nvoid f@(float* p) { for (int i = 0; i < 3; ++i) { k@<<<1, "
      "1>>>(p); "
      "NCCL_CHECK(ncclAllReduce(p, p, n, ncclFloat, ncclSum, comm, s)); } }\n";
  auto program = [&](int n) {
    std::string out;
    for (int i = 0; i < n; ++i)
      for (char c : body) out += c == '@' ? std::to_string(i) : std::string(1, c);
    return out;
  };
  double const small = seconds(program(1000));
  double const large = seconds(program(8000));
  EXPECT_LT(large, 8 * 4 * small + 0.5);
}

}  // namespace
