// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with what the user gave: one line, a documented exit code, nothing written.
#include "tool/tool.hpp"

namespace cuco::tool_test {
namespace {

class BadInput : public testing::Test {
 protected:
  /// Writes `text` to a file and returns its path.
  std::string file(std::string const& name, std::string const& text) {
    write_text(folder / name, text);
    return folder / name;
  }

  /// Every command that reads a program says the same about `path`.
  void expect_all_fail(int code, std::string const& path, Args const& parts) {
    expect_fails(code, {"analyze", path}, parts);
    expect_fails(code, Args{"transform", path, "--api", "lsa", "--out", folder / "out"} + kSmall, parts);
    expect_fails(code, run_call(folder / "run", 2, "1", path), parts);
    expect_fails(code, Args{"evolve", path, "--dir", folder / "evolve"} + kSmall, parts);
    for (auto const* made : {"out", "run", "evolve"}) EXPECT_FALSE(fs::exists(folder / made)) << made;
  }

  TemporaryFolder folder;
};

TEST_F(BadInput, MissingFile) {
  expect_all_fail(kBadInput, folder / "none.cu", {folder / "none.cu", "no such file"});
}

TEST_F(BadInput, FolderInPlaceOfAFile) {
  fs::create_directories(folder / "programs");
  expect_all_fail(kBadInput, folder / "programs", {folder / "programs:", "folder", "give the .cu file"});
}

TEST_F(BadInput, EmptyFile) {
  auto const path = file("empty.cu", "");
  expect_all_fail(kBadInput, path, {path, "empty"});
}

TEST_F(BadInput, BinaryFile) {
  auto const path = file("binary.cu", std::string("int main() {}\0\x7f\x45", 16));
  expect_all_fail(kBadInput, path, {path, "binary"});
}

TEST_F(BadInput, UnbalancedBraceNamesItsLine) {
  auto const code =
      replaced(read_text(seed("allreduce")), "  return all ? 0 : 1;\n}", "  return all ? 0 : 1;\n");
  auto const path = file("open.cu", code);
  expect_all_fail(
      kBadInput, path, {path + ":" + std::to_string(line_of(code, code.find("int main("))), "'{'"});

  auto const extra = file("extra.cu", "int main() {\n}\n}\n");
  expect_all_fail(kBadInput, extra, {extra + ":3", "'}'"});
}

TEST_F(BadInput, NoCollectives) {
  auto const path = file("alone.cu", "int main() { return 0; }\n");
  auto const report = cuco_json({"analyze", path});  // is no error: there is nothing to say
  EXPECT_TRUE(report.at("graph").empty());
  expect_fails(kBadInput,
               Args{"transform", path, "--api", "gin", "--out", folder / "out"} + kSmall,
               {path, "no NCCL collective"});
  expect_fails(kBadInput, run_call(folder / "run", 2, "1", path), {path, "no NCCL collective"});
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST_F(BadInput, SeedThatFailsItsOwnVerification) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  auto const path = file("wrong.cu",
                         replaced(read_text(seed("allreduce")),
                                  "expected += gradient_at(i, r, iteration)",
                                  "expected += gradient_at(i, r, iteration) + 1"));
  expect_fails(kNotVerified,
               Args{"transform", path, "--api", "lsa", "--out", folder / "out"} + kSmall,
               {path, "does not pass its own verification"});
  EXPECT_FALSE(fs::exists(folder / "out/wrong_device.cu")) << "half a result";
  auto const run = cuco(run_call(folder / "run", 2, "1", path));
  EXPECT_EQ(run.exit_code, kNotVerified) << run.err;
  EXPECT_EQ(error_lines(run.err).size(), 1U) << run.err;
  EXPECT_FALSE(fs::exists(folder / "run/gen_0"));
}

TEST_F(BadInput, WhatTheRulesDoNotCoverIsRefusedAtItsLine) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  auto code = read_text(seed("allreduce"));
  code = replaced(code, "ncclFloat, ncclSum,", "(ncclDataType_t)7, (ncclRedOp_t)0,");
  code = replaced(code, "ncclFloat, ncclSum,", "(ncclDataType_t)7, (ncclRedOp_t)0,");
  auto const path = file("numbers.cu", code);
  auto const place = path + ":" + std::to_string(line_of(code, code.find("ncclAllReduce"))) + ":";
  expect_fails(kRefused,
               Args{"transform", path, "--api", "lsa", "--out", folder / "out"} + kSmall,
               {place, "the element type of ncclAllReduce is not known"});
  EXPECT_FALSE(fs::exists(folder / "out/numbers_device.cu")) << "half a result";
  EXPECT_EQ(read_text(path), code) << "the input was changed";
}

TEST_F(BadInput, EvolveMarkers) {
  auto const none = file("none.cu", "int main() {\n  return 0;\n}\n");
  expect_fails(kBadInput, {"evolve", none, "--dir", folder / "run"}, {none, "no EVOLVE-BLOCK markers"});
  auto const nested = file("nested.cu",
                           "int main() {\n// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-START\n  return 0;\n"
                           "// EVOLVE-BLOCK-END\n}\n");
  expect_fails(kBadInput, {"evolve", nested, "--dir", folder / "run"}, {nested + ":3:", "line 2"});
  auto const open = file("open.cu", "int main() {\n// EVOLVE-BLOCK-START\n  return 0;\n}\n");
  expect_fails(kBadInput,
               {"evolve", open, "--dir", folder / "run"},
               {open + ":2:", "EVOLVE-BLOCK-START without an END"});
  auto const closed = file("closed.cu", "int main() {\n  return 0;\n// EVOLVE-BLOCK-END\n}\n");
  expect_fails(kBadInput, {"evolve", closed, "--dir", folder / "run"}, {closed + ":3:", "EVOLVE-BLOCK-END"});
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST_F(BadInput, UnknownCommandIsNamed) {
  auto const help = std::string("see cuco --help");
  expect_fails(kUsage, {"frobnicate"}, {"frobnicate", help});
  expect_fails(kUsage, {}, {help});
}

TEST_F(BadInput, UsageErrors) {
  auto const s = seed("allreduce");
  expect_fails(kUsage, {"transform", s, "--api", "lsa", "--frobnicate"}, {"--frobnicate"});
  expect_fails(kUsage, {"transform", s}, {"--api"});
  expect_fails(kUsage, {"transform", s, "--api"}, {"--api"});
  expect_fails(kUsage, {"run", s, "--api", "ipc"}, {"--api", "ipc"});
  expect_fails(kUsage, {"transform", s, "--api", "lsa", "--ranks", "0"}, {"--ranks", "0"});
  expect_fails(kUsage, {"transform", s, "--api", "lsa", "--ranks", "two"}, {"--ranks", "two"});
  expect_fails(kUsage, {"run", s, "--api", "lsa", "--generations", "-1"}, {"--generations", "-1"});
  expect_fails(kUsage, {"run", s, "--api", "lsa", "--selector", "best"}, {"--selector", "best"});
  expect_fails(kUsage, {"analyze"}, {"file"});
}

TEST_F(BadInput, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(cuco({"--help"}).exit_code, kOk);
  EXPECT_EQ(cuco({"--version"}).exit_code, kOk);
  for (auto const* command : {"doctor", "analyze", "transform", "evolve", "run", "show"}) {
    auto const help = cuco({command, "--help"});
    EXPECT_EQ(help.exit_code, kOk) << command;
    EXPECT_THAT(help.out, testing::HasSubstr("--json")) << command;
    EXPECT_THAT(cuco({"--help"}).out, testing::HasSubstr(command));
  }
}

TEST_F(BadInput, Machine) {
  auto const transform = [&](std::string const& machine) {
    return Args{"transform",
                seed("allreduce"),
                "--api",
                "lsa",
                "--out",
                folder / "out",
                "--machine",
                machine} +
           kSmall;
  };
  expect_fails(kBadInput, transform("abacus"), {"'abacus'", "h200-nvlink"});
  expect_fails(kBadInput, transform(folder / "none.toml"), {folder / "none.toml"});
  auto const malformed = file("malformed.toml", "name = \"x\"\nnot toml [[[\n");
  expect_fails(kBadInput, transform(malformed), {malformed + ":2:"});
  auto const unknown = file("unknown.toml", "[gpu]\nwarp_drive = 9\n");
  expect_fails(kBadInput, transform(unknown), {unknown + ":2:", "warp_drive"});
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(BadInput, ShowWithoutARun) {
  expect_fails(kBadInput, {"show", folder / "none"}, {folder / "none: there is no such run directory"});
  fs::create_directories(folder / "empty");
  expect_fails(kBadInput, {"show", folder / "empty"}, {folder / "empty"});
  EXPECT_TRUE(fs::is_empty(folder / "empty")) << "show writes nothing";
}

TEST_F(BadInput, ShowOfAFileThatIsNoDatabase) {
  fs::create_directories(folder / "run");
  file("run/evolution_db.sqlite", "garbage, and plenty of it: " + std::string(5000, 'x'));
  expect_fails(kIo, {"show", folder / "run"}, {folder / "run/evolution_db.sqlite", "not a SQLite database"});
  EXPECT_EQ(read_text(folder / "run/evolution_db.sqlite").size(), 5027U);
}

}  // namespace
}  // namespace cuco::tool_test
