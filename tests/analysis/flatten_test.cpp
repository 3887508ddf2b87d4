// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "analyze.hpp"
#include "cuco/analysis/flatten.hpp"

namespace {

namespace fs = std::filesystem;
using cuco::flatten_includes;
using cuco::SourcePlace;

class Flatten : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("cuco_flatten_" + std::to_string(::getpid()) + "_" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string write(std::string const& name, std::string const& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  cuco::FlatSource flat(std::string const& main) {
    auto result = flatten_includes(write("main.cu", main));
    if (!result) ADD_FAILURE() << to_line(result.error());
    return result ? *result : cuco::FlatSource{};
  }
  cuco::Error error(std::string const& main) {
    auto result = flatten_includes(write("main.cu", main));
    if (result) ADD_FAILURE() << result->code;
    return result ? cuco::Error{} : result.error();
  }
  fs::path folder_;
};

std::size_t count(std::string const& text, std::string const& what) {
  std::size_t n = 0;
  for (std::size_t i = text.find(what); i != std::string::npos; i = text.find(what, i + 1)) ++n;
  return n;
}

TEST_F(Flatten, ASourceWithoutLocalIncludesStaysAsItIs) {
  write("there.h", "int there;\n");
  std::string const source =
      "#include <nccl.h>\r\n#include \"missing.h\"\n#include <there.h>\n// #include "
      "\"there.h\"\n/*\n#include "
      "\"there.h\"\n*/\n#if 0\n#include \"there.h\"\n#endif\n#define H \"there.h\"\n#include H\nchar const* "
      "s = "
      "\"#include \\\"there.h\\\"\";\n#pragma once\nint main() {}";
  auto const f = flat(source);
  EXPECT_EQ(f.code, source);
  EXPECT_TRUE(f.map.empty());
  EXPECT_EQ(f.map.locate(7), (SourcePlace{"", 7}));
}

TEST_F(Flatten, PutsTheTextInPlace) {
  write("util.h", "#pragma once\nint util;\n");
  auto const f = flat("int a;\n#include \"util.h\"\nint b;\n");
  EXPECT_EQ(f.code, "int a;\n// from \"util.h\"\n// #pragma once\nint util;\n// end of \"util.h\"\nint b;\n");
  EXPECT_EQ(f.map.locate(1), (SourcePlace{"", 1}));
  EXPECT_EQ(f.map.locate(4), (SourcePlace{"util.h", 2}));
  EXPECT_EQ(f.map.locate(6), (SourcePlace{"", 3}));
}

TEST_F(Flatten, EveryLineIsTracedToItsFile) {
  write("sub/inner.h", "#ifndef INNER\n#define INNER\nint inner; // sub/inner.h:3\n#endif\n");
  write("sub/outer.cuh",
        "int outer1; // sub/outer.cuh:1\n#include \"inner.h\" // helpers\nint outer3; // sub/outer.cuh:3");
  auto const f = flat(
      "int m1; // :1\n#include \"sub/outer.cuh\"\nint m3; // :3\n/* two\nlines */ #\\\ninclude "
      "\"sub/inner.h\"\nint m7; // "
      ":7\n#include \"sub/outer.cuh\"\nint m9; // :9\n");
  EXPECT_EQ(count(f.code, "int inner;"), 1U);
  EXPECT_EQ(count(f.code, "int outer1;"), 2U);  // It has no guard.
  EXPECT_EQ(count(f.code, "// helpers"), 2U);
  std::uint32_t line = 0;
  std::size_t checked = 0;
  std::string text;
  for (std::stringstream in(f.code); std::getline(in, text);) {
    ++line;
    std::size_t const mark = text.find("; // ");
    if (mark == std::string::npos) continue;
    auto const place = f.map.locate(line);
    // The names are those of the include that brought the file.
    std::string const wanted = text.substr(mark + 5);
    std::string const name = place.file == "inner.h" ? "sub/inner.h" : place.file;
    EXPECT_EQ(name + ":" + std::to_string(place.line), wanted) << f.code;
    ++checked;
  }
  EXPECT_EQ(checked, 9U);
}

TEST_F(Flatten, GuardsHoldAgainstCycles) {
  write("a.h", "#pragma once\n#include \"b.h\"\nint a;\n");
  write("b.h", "#ifndef B_H\n#define B_H\n#include \"a.h\"\nint b;\n#endif  // B_H\n");
  auto const f = flat("#include \"a.h\"\n#include \"b.h\"\n");
  EXPECT_EQ(count(f.code, "int a;"), 1U);
  EXPECT_EQ(count(f.code, "int b;"), 1U);
}

TEST_F(Flatten, ConditionalIncludesKeepTheirMeaning) {
  write("once.h", "#pragma once\nint once;\n");
  auto const f = flat("#ifdef X\n#include \"once.h\"\n#endif\n#include \"once.h\"\n#include \"once.h\"\n");
  // The preprocessor decides which of the two counts.
  EXPECT_EQ(count(f.code, "int once;"), 2U);
  EXPECT_EQ(count(f.code, "#ifndef FLATTENED_FILE_0\n#define FLATTENED_FILE_0\n"), 2U);
  EXPECT_EQ(count(f.code, "see above"), 1U);
}

TEST_F(Flatten, Errors) {
  write("self.h", "#include \"self.h\"\n");
  auto const cycle = error("int x;\n#include \"self.h\"\n");
  EXPECT_EQ(cycle.code, cuco::ErrorCode::kParse);
  EXPECT_EQ(cycle.file, "self.h");
  EXPECT_EQ(cycle.line, 1U);
  EXPECT_NE(cycle.cause.find("includes itself"), std::string::npos);
  write("broken.h", "int y;\nchar* s = \"open;\n");
  auto const broken = error("#include \"broken.h\"\n");
  EXPECT_EQ(broken.file, "broken.h");
  EXPECT_EQ(broken.line, 2U);
  for (int i = 0; i < 80; ++i)
    write("deep" + std::to_string(i) + ".h", "#include \"deep" + std::to_string(i + 1) + ".h\"\n");
  EXPECT_NE(error("#include \"deep0.h\"\n").cause.find("deeper than 64"), std::string::npos);
  for (int i = 0; i < 40; ++i) {
    std::string const next = "#include \"twice" + std::to_string(i + 1) + ".h\"\n";
    write("twice" + std::to_string(i) + ".h", next + next);
  }
  write("twice40.h", "\n");
  EXPECT_NE(error("#include \"twice0.h\"\n").cause.find("10000 files"), std::string::npos);
  EXPECT_FALSE(flatten_includes((folder_ / "nowhere.cu").string()));
}

TEST_F(Flatten, ReportsNameTheOriginalPlace) {
  write("comm.cuh",
        "#pragma once\ninline void share(float* p) {\n  ncclBcast(p, n, ncclFloat, 0, comm, s);\n  auto f = "
        "ncclSend;\n}\n");
  auto const f = flat(
      "#include <nccl.h>\n#include \"comm.cuh\"\nint main() { float* x; cudaMalloc(&x, 4); share(x); }\n");
  auto const r = cuco::Analyzer{}.analyze(f, "main.cu");
  ASSERT_TRUE(r) << to_line(r.error());
  EXPECT_EQ(r->graph.size(), 1U);
  EXPECT_EQ(cuco::testing::allocated_by(*r, r->graph[0].send), "cudaMalloc(x)");
  std::string const text = to_text(*r);
  EXPECT_NE(text.find("[1] Broadcast at line 3 of comm.cuh, in share()"), std::string::npos) << text;
  EXPECT_NE(text.find("cudaMalloc at line 3, 4 bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("comm.cuh line 4: ncclSend is used as a value"), std::string::npos) << text;
  auto const j = nlohmann::json::parse(to_json(*r));
  for (auto const& c : j["calls"]) {
    EXPECT_EQ(c["line"], 3) << c;
    EXPECT_EQ(c.value("file", ""), c["name"] == "ncclBcast" ? "comm.cuh" : "");
  }
  write("open.h", "void f() {\n");
  auto const bad = cuco::Analyzer{}.analyze(flat("int x;\n#include \"open.h\"\nint y;\n"), "main.cu");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().file, "open.h");
  EXPECT_EQ(bad.error().line, 1U);
}

}  // namespace
