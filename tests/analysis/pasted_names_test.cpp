// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Names that macros paste together are written out when a program is loaded. The oracle is the preprocessor:
// it makes the same tokens of both texts.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "analyze.hpp"
#include "cuco/analysis/flatten.hpp"
#include "cuco/analysis/impl/pasted_names.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"

namespace {

namespace fs = std::filesystem;

cuco::FlatSource written_out(std::string const& text) {
  auto const path =
      fs::temp_directory_path() / (std::string("cuco_pasted_") + std::to_string(::getpid()) + "_" +
                                   ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".cu");
  std::ofstream(path, std::ios::binary) << text;
  auto result = cuco::flatten_includes(path.string());
  fs::remove(path);
  if (!result) ADD_FAILURE() << to_line(result.error());
  return result ? *result : cuco::FlatSource{};
}

/// What the preprocessor makes of `text`, without blanks.
std::string preprocessed(std::string const& text) {
  cuco::Command command;
  command.argv = {"g++", "-E", "-P", "-x", "c++", "-"};
  command.standard_input = text;
  auto const result = cuco::run_process(command);
  if (!result || !result->ok()) {
    ADD_FAILURE() << (result ? result->err : to_line(result.error()));
    return {};
  }
  std::string out;
  std::copy_if(result->out.begin(), result->out.end(), std::back_inserter(out), [](unsigned char c) {
    return std::isspace(c) == 0;
  });
  return out;
}

void expect_same_program(std::string const& before, std::string const& after) {
  if (!cuco::find_program("g++")) GTEST_SKIP() << "g++ is not installed";
  EXPECT_EQ(preprocessed(before), preprocessed(after)) << after;
}

std::size_t collectives(std::string const& code) {
  auto const report = cuco::Analyzer{}.analyze(code, "main.cu");
  return report ? report->graph.size() : 0;
}

TEST(PastedNames, ACheckingMacroGetsOneForEachFunction) {
  std::string const source =
      "#define CALL(f, ...)                 \\\n"
      "  if (nccl##f(__VA_ARGS__) != 0) {   \\\n"
      "    die(\"nccl\" #f, #__VA_ARGS__); \\\n"
      "  }\n"
      "void go() {\n"
      "  CALL(Send, p, n, ncclFloat, 1, comm, s);\n"
      "  CALL(Recv, (q), n,\n"
      "       ncclFloat, 1, comm, s);\n"
      "  CALL(GroupEnd);\n"
      "}\n";
  auto const flat = written_out(source);
  EXPECT_NE(flat.code.find("CALL_Send(p, n, ncclFloat, 1, comm, s);"), std::string::npos) << flat.code;
  EXPECT_NE(flat.code.find("#define CALL_Send(...)"), std::string::npos) << flat.code;
  EXPECT_NE(flat.code.find("if (ncclSend(__VA_ARGS__) != 0)"), std::string::npos) << flat.code;
  EXPECT_NE(flat.code.find("die(\"nccl\" \"Send\", #__VA_ARGS__)"), std::string::npos) << flat.code;
  EXPECT_NE(flat.code.find("CALL_GroupEnd();"), std::string::npos) << flat.code;
  EXPECT_EQ(flat.code.find("##"), std::string::npos) << flat.code;
  expect_same_program(source, flat.code);
  EXPECT_EQ(collectives(source), 0U);
  EXPECT_EQ(collectives(flat.code), 2U);
}

TEST(PastedNames, WhatAllUsesBuild) {
  std::string const code =
      "#define CALL(f, ...) check(nccl##f(__VA_ARGS__))\n"
      "#define AGAIN(g, p) CALL(g, p)\n"
      "#define UNUSED(f) nccl##f\n"
      "void go() {\n"
      "  CALL(GetUniqueId, &id);\n"
      "  CALL(Send, p, n);\n"
      "}\n";
  std::vector<std::string> names;
  cuco::impl::PastedNames pasted(code);
  for (auto const& use : pasted.built()) names.push_back(use.macro + " " + use.name);
  // Which name the body of AGAIN builds is up to its callers.
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("CALL ncclGetUniqueId", "CALL ncclSend", "CALL "));
  EXPECT_TRUE(pasted.reads("CALL"));
  EXPECT_FALSE(pasted.reads("go"));
  EXPECT_TRUE(cuco::impl::PastedNames("int a;").built().empty());
}

TEST(PastedNames, LinesAreThoseOfTheFile) {
  std::string const source =
      "int first;\n"
      "#define CALL(f, ...) \\\n"
      "  check(nccl##f(__VA_ARGS__))\n"
      "int fourth;\n"
      "void a() { CALL(Send, p, n, t, r, c, s); }\n"
      "void b() { CALL(Recv, p, n, t, r, c, s); }\n"
      "int last;\n";
  auto const flat = written_out(source);
  std::vector<std::string> lines(1);
  for (char c : flat.code) {
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  }
  auto const line_of = [&](std::string const& what) {
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (lines[i].find(what) != std::string::npos) return flat.map.locate(static_cast<std::uint32_t>(i + 1));
    return cuco::SourcePlace{};
  };
  EXPECT_EQ(line_of("first"), (cuco::SourcePlace{"", 1}));
  EXPECT_EQ(line_of("#define CALL_Recv"), (cuco::SourcePlace{"", 2}));
  EXPECT_EQ(line_of("ncclRecv("), (cuco::SourcePlace{"", 3}));
  EXPECT_EQ(line_of("#define CALL_Send"), (cuco::SourcePlace{"", 2}));
  EXPECT_EQ(line_of("ncclSend("), (cuco::SourcePlace{"", 3}));
  EXPECT_EQ(line_of("fourth"), (cuco::SourcePlace{"", 4}));
  EXPECT_EQ(line_of("void b()"), (cuco::SourcePlace{"", 6}));
  EXPECT_EQ(line_of("last"), (cuco::SourcePlace{"", 7}));
}

TEST(PastedNames, AMacroThatIsOnlyTheNameGoes) {
  std::string const source =
      "#define FN(x) nccl##x\n"
      "#define JOIN_(a, b) a##b\n"
      "#define JOIN(a, b) JOIN_(a, b)\n"
      "void go() {\n"
      "  FN(AllReduce)(p, q, n, ncclFloat, ncclSum, comm, s);\n"
      "  JOIN(nccl, Broadcast)(p, q, n, ncclFloat, 0, comm, s);\n"
      "  JOIN_(cuda, Malloc)(&p, 4);\n"
      "  int JOIN(unrelated, Name) = 0;\n"
      "}\n";
  auto const flat = written_out(source);
  EXPECT_NE(flat.code.find("  ncclAllReduce(p, q"), std::string::npos) << flat.code;
  EXPECT_NE(flat.code.find("  ncclBroadcast(p, q"), std::string::npos) << flat.code;
  EXPECT_NE(flat.code.find("  cudaMalloc(&p"), std::string::npos) << flat.code;
  EXPECT_NE(flat.code.find("JOIN(unrelated, Name)"), std::string::npos) << flat.code;
  expect_same_program(source, flat.code);
}

TEST(PastedNames, OtherShapesOfMacros) {
  for (std::string const source : {
           // The name comes last, and through a macro that joins.
           "#define JOIN(a, b) a##b\n"
           "#define DO(where, what) JOIN(nccl, what) where; note(#what)\n"
           "void go() { DO((p, q, n, t, o, c, s), AllReduce); }\n",
           // Other macros use it.
           "#define CALL(f, ...) check(nccl##f(__VA_ARGS__))\n"
           "#define SHARE(p) CALL(Broadcast, p, p, n, ncclFloat, 0, comm, s)\n"
           "void go() { SHARE(x); CALL(Send, x, n, t, r, c, s); }\n",
           // Two definitions.
           "#ifdef LOUD\n"
           "#define CALL(f, ...) say(#f), nccl##f(__VA_ARGS__)\n"
           "#else\n"
           "#define CALL(f, ...) nccl##f(__VA_ARGS__)\n"
           "#endif\n"
           "void go() { CALL(Send, p, n, t, r, c, s); }\n",
           // Services of the library keep the macro.
           "#define CALL(f, ...) check(nccl##f(__VA_ARGS__))\n"
           "void go() { CALL(GetUniqueId, &id); CALL(Send, p, n, t, r, c, s); }\n",
           // An argument over several lines, comments, a name that is taken.
           "#define CALL(f, ...) check(nccl##f(__VA_ARGS__))\n"
           "int CALL_Send;\n"
           "void go() { CALL( /* which */ Send ,\n p, n, t, r, c, s); }\n",
       }) {
    auto const flat = written_out(source);
    EXPECT_NE(flat.code, source);
    expect_same_program(source, flat.code);
    expect_same_program("#define LOUD\n" + source, "#define LOUD\n" + flat.code);
  }
}

TEST(PastedNames, WhatIsBeyondItStaysByteForByte) {
  for (std::string const source : {
           "#define CALL(f, ...) check(nccl##f(__VA_ARGS__))\n"
           "#define ANY(f) CALL(f, p, n, t, r, c, s)\n"
           "void go() { ANY(Send); CALL(Recv, p, n, t, r, c, s); }\n",
           "#define CALL(f, ...) check(nccl##f(__VA_ARGS__))\n"
           "#undef CALL\n"
           "void go() { CALL(Recv, p, n, t, r, c, s); }\n",
           "#define OTHER Send\n"
           "#define CALL(f, ...) check(nccl##f(__VA_ARGS__))\n"
           "void go() { CALL(OTHER, p, n, t, r, c, s); }\n",
           "#define CALL(f, g, ...) nccl##f(__VA_ARGS__), nccl##g()\n"
           "void go() { CALL(Send, GroupEnd, p, n, t, r, c, s); }\n",
           "#define ITEM(x) item_##x\nvoid go() { ITEM(ncclSend); }\n",
           "#define CALL(f, ...) nccl##f##Config(__VA_ARGS__)\n"
           "void go() { CALL(CommInitRank, c); }\n",
           "#if 0\n#define CALL(f, ...) nccl##f(__VA_ARGS__)\n#endif\nvoid go() { CALL(Send, p); }\n",
           "// #define CALL(f) nccl##f\nchar const* s = \"CALL(Send)\";\n",
       })
    EXPECT_EQ(written_out(source).code, source);
}

}  // namespace
