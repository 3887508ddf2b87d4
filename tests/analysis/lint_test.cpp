// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/analysis/lint.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "support.hpp"

namespace {

using Rules = std::vector<std::string>;

/// A program whose first block holds `top` and whose second, inside the timed loop, holds `inner`.
std::string program(std::string const& top, std::string const& inner) {
  return R"(#include <cstdio>
#define CHECK(x) do { if ((x) != 0) exit(1); } while (0)
// EVOLVE-BLOCK-START
)" + top +
         R"(
// EVOLVE-BLOCK-END
static int count_errors(float const* c) { return c[0] != 1.0f; }
int verify_twice(float* c);
static int run(Context& ctx, int iterations) {
  cudaEvent_t start, stop;
  cudaEventCreate(&start); cudaEventCreate(&stop);
  float total_ms = 0, ms = 0;
  int wrong = 0;
  for (int it = 0; it < iterations; ++it) {
    cudaEventRecord(start, ctx.stream);
    // EVOLVE-BLOCK-START
)" + inner +
         R"(
    // EVOLVE-BLOCK-END
    cudaEventRecord(stop, ctx.stream);
    cudaEventElapsedTime(&ms, start, stop);
    total_ms += ms;
    wrong += count_errors(c) + verify_twice(c) + launcher(c);
  }
  printf("Time: %f ms\n", total_ms / iterations);
  return wrong;
}
int main() { int all = run(ctx, 3); printf("Verification: %s\n", all == 0 ? "PASS" : "FAIL"); }
)";
}

Rules rules(std::string const& source, bool errors_only = true) {
  Rules out;
  for (auto const& f : cuco::lint(source))
    if (!errors_only || f.severity == cuco::LintSeverity::kError) out.push_back(f.rule);
  return out;
}
Rules top(std::string const& text) {
  return rules(program(text, ""));
}
Rules inner(std::string const& text) {
  return rules(program("", text));
}

TEST(Lint, OrdinaryCandidatesAreClean) {
  EXPECT_TRUE(rules(program("", ""), false).empty());
  EXPECT_EQ(rules(program(R"(#include <nccl_device.h>
#include <cooperative_groups.h>
#include <algorithm>
#define CHUNK 4096
#ifdef NDEBUG
#else
#endif
constexpr int kCtas = 4;
__device__ void signal(int peer) { asm volatile("fence.acq_rel.sys;"); }
template <class T> __global__ void exchange(T* p, int start, int stop) {
  for (int i = start; i < stop; ++i) { if (p == nullptr) continue; if (i > 3) break; p[i] = 0; }
  #pragma unroll
  for (int wrong = 0; wrong < 4; wrong++) p[wrong] += 1;
  signal(3);
  if (p) return;
}
static void launcher(float* c) { exchange<<<kCtas, 256>>>(c, 0, 4); if (c) return; }
struct Helper { int write(int x) { return x; } void open() {} };
)",
                          R"(    CHECK(ncclAllReduce(a, c, n, ncclFloat, ncclSum, ctx.comm, ctx.stream));
    for (int k = 0; k < 3; ++k) { if (k == 1) continue; launcher(c + k); }
    auto each = [&](int k) { return k + 1; };
    switch (n) { case 1: break; default: launcher(c); }
    cudaEvent_t mine; cudaEventCreate(&mine); cudaEventRecord(mine, ctx.stream);
    cudaStreamWaitEvent(side, start, 0);
    Helper h; h.write(3); h.open(); grid.sync();
    { int wrong = 3; (void)wrong; }
)"),
                  false),
            Rules{});
}

TEST(Lint, NothingToCheckWithoutBlocks) {
  EXPECT_TRUE(cuco::lint("int main() { exit(1); }").empty());
}

TEST(Lint, VerdictText) {
  EXPECT_EQ(top("char const* s = \"Time: 1 ms\";"), Rules{"verdict"});
  EXPECT_EQ(top("char const* s = \"Ti\" \"me:\";"), Rules{"verdict"});
  EXPECT_EQ(top("char const* s = \"\\x54ime: 1\";"), Rules{"verdict"});
  EXPECT_EQ(top("char const* s = \"\\126erification\";"), Rules{"verdict"});
  EXPECT_EQ(top("char const* s = \"\\u0056erification\";"), Rules{"verdict"});
  EXPECT_EQ(top("char const* s = R\"(Verification: PASS)\";"), Rules{"verdict"});
  EXPECT_TRUE(top("// Time: is told by the harness\nint Verification;").empty());
  EXPECT_TRUE(top("char const* s = \"time\";").empty());
}

TEST(Lint, Output) {
  auto all = [](std::string const& s) { return rules(program("", s), false); };
  EXPECT_EQ(all("printf(\"x\");"), Rules{"stdout"});
  EXPECT_TRUE(inner("printf(\"x\");").empty()) << "plain output is a warning";
  EXPECT_EQ(all("std::cout << 1;"), Rules{"stdout"});
  EXPECT_EQ(all("fputs(\"x\", stdout);"), Rules{"stdout"});
  EXPECT_TRUE(all("fprintf(stderr, \"x\");").empty());
  EXPECT_EQ(inner("write(1, p, 3);"), Rules{"stdout"});
  EXPECT_EQ(inner("dup2(3, 1);"), Rules{"stdout"});
}

TEST(Lint, ProcessesFilesAndLibraries) {
  for (std::string call : {"exit(0)",
                           "abort()",
                           "_exit(0)",
                           "std::quick_exit(0)",
                           "system(\"x\")",
                           "popen(\"x\", \"r\")",
                           "fork()",
                           "execvp(a, b)",
                           "dlopen(a, 1)",
                           "socket(1, 2, 3)",
                           "ptrace(0)",
                           "signal(11, h)",
                           "MPI_Abort(c, 1)",
                           "MPI_Finalize()",
                           "::kill(1, 9)",
                           "syscall(60, 0)",
                           "atexit(f)"})
    EXPECT_EQ(inner(call + ";"), Rules{"process"}) << call;
  EXPECT_EQ(inner("auto f = _exit;"), Rules{"process"});
  EXPECT_EQ(inner("auto* f = fopen(\"x\", \"w\");"), Rules{"file"});
  EXPECT_EQ(inner("std::ofstream f(\"x\");"), Rules{"file"});
}

TEST(Lint, FrozenClock) {
  EXPECT_EQ(inner("cudaEventRecord(start, ctx.stream);"), Rules{"timing"});
  EXPECT_EQ(inner("cudaEventElapsedTime(&x, start, mine);"), Rules{"timing"});
  EXPECT_EQ(inner("cudaEventCreate(&stop);"), Rules{"timing"});
  EXPECT_EQ(inner("auto e = stop;"), Rules{"timing"});
  EXPECT_EQ(inner("ms = 0;"), Rules{"timing"});
  EXPECT_TRUE(inner("launch(ctx.stream, chunk.begin);").empty());
}

TEST(Lint, WhatTheFrozenCodeReports) {
  for (std::string text : {"total_ms = 0;",
                           "total_ms -= 1;",
                           "iterations = 1000;",
                           "wrong = 0;",
                           "--wrong;",
                           "it += 3;",
                           "f(&wrong);",
                           "*(&total_ms) = 0;"})
    EXPECT_EQ(inner(text), Rules{"protected"}) << text;
  EXPECT_TRUE(inner("if (it == iterations - 1 && wrong == 0) launcher(c);").empty());
}

TEST(Lint, LeavingTheBlock) {
  for (std::string text : {"continue;",
                           "if (it) break;",
                           "return 0;",
                           "goto out;",
                           "throw 1;",
                           "if (x) { { return 0; } }",
                           "switch (x) { case 1: continue; }"})
    EXPECT_EQ(inner(text), Rules{"control-flow"}) << text;
}

TEST(Lint, PreprocessorLines) {
  EXPECT_EQ(top("#define count_errors(x) 0"), Rules{"macro"});
  EXPECT_EQ(top("#define printf(...)"), Rules{"macro"});
  EXPECT_EQ(top("#define float double"), Rules{"macro"});
  EXPECT_EQ(top("#define exit(x)"), Rules{"macro"}) << "used inside a frozen macro";
  EXPECT_EQ(top("#undef CHECK"), Rules{"macro"});
  EXPECT_EQ(top("#line 3"), Rules{"macro"});
  EXPECT_TRUE(top("#define MINE 3\n#undef MINE").empty());
  EXPECT_EQ(top("#include <unistd.h>"), Rules{"include"});
  EXPECT_EQ(top("#include \"mine.h\""), Rules{"include"});
  EXPECT_EQ(top("#include \"/etc/passwd\""), Rules{"include"});
  EXPECT_EQ(top("#include \"cuda/../../x\""), Rules{"include"});
  EXPECT_EQ(top("#pragma weak count_errors"), Rules{"pragma"});
  EXPECT_EQ(top("_Pragma(\"GCC optimize(3)\") int x;"), Rules{"pragma"});
}

TEST(Lint, MainConstructorsAssembly) {
  EXPECT_EQ(top("int main() { }").front(), "main");
  EXPECT_EQ(top("__attribute__((constructor)) void early() {}"), Rules{"constructor"});
  EXPECT_EQ(top("[[gnu::destructor]] void late() {}"), Rules{"constructor"});
  EXPECT_EQ(inner("asm volatile(\"nop\");"), Rules{"asm"});
  EXPECT_EQ(top("__device__ void f() { asm(\"sys\" \"call\"); asm(\"syscall\"); }"), Rules{"asm"});
  EXPECT_EQ(top("namespace std { int x; }"), Rules{"shadow"});
}

TEST(Lint, HidingWhatTheFrozenCodeCalls) {
  EXPECT_EQ(top("int count_errors(float* c) { return 0; }"), Rules{"shadow"});
  EXPECT_EQ(top("template <class... A> int printf(A...) { return 0; }"), Rules{"shadow"});
  EXPECT_EQ(top("cudaError_t cudaEventRecord(int, int) { return 0; }"), Rules{"shadow"});
  EXPECT_EQ(top("void* operator new(size_t n) { return 0; }"), Rules{"shadow"});
  EXPECT_EQ(inner("auto count_errors = [](auto*) { return 0; };"), Rules{"shadow"});
  EXPECT_EQ(inner("int wrong = 0;"), Rules{"shadow"});
  // The program may call what only the block defines.
  EXPECT_TRUE(top("int launcher(float* c) { return 0; }").empty());
}

TEST(Lint, BracketsAndConditionsStayInside) {
  EXPECT_EQ(inner("} if (false) {"), Rules{"unbalanced"});
  EXPECT_EQ(inner("}\nfor (;;) {"), Rules{"unbalanced"});
  EXPECT_EQ(rules(program("#ifdef A", "#endif")), (Rules{"unbalanced", "unbalanced"}));
  EXPECT_TRUE(has_errors(cuco::lint(program("#if 0", "#endif"))));
  EXPECT_EQ(inner("{"), Rules{"parse"});
  EXPECT_EQ(inner("/*"), Rules{"parse"});
  EXPECT_EQ(inner("// EVOLVE-BLOCK-END"), Rules{"parse"});
}

TEST(Lint, FindingsHaveLinesAndText) {
  auto const findings = cuco::lint(program("", "    launcher(c);\n    exit(1);"), "c.cu");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(to_line(findings[0], "c.cu"),
            "c.cu:17: error: 'exit' ends, starts or steers a process [process]");
  EXPECT_TRUE(has_errors(findings));
  EXPECT_FALSE(has_errors(cuco::lint(program("", "puts(\"x\");"))));
}

TEST(Lint, AgainstTheOriginalOnlyNewFindingsCount) {
  std::string const original = program("", "if (failed) return 1;");
  EXPECT_TRUE(cuco::lint_against(program("", "launcher(c); if (failed) return 1;"), original).empty());
  EXPECT_EQ(cuco::lint_against(program("", "exit(2); if (failed) return 1;"), original).size(), 1U);
  EXPECT_EQ(cuco::lint_against("\"", "\"").size(), 1U) << "what does not lex is never accepted";
}

TEST(Lint, SeedsAreClean) {
  for (auto const& path : cuco::testing::seed_files())
    EXPECT_TRUE(cuco::lint(cuco::testing::read_file(path)).empty()) << path;
}

}  // namespace
