// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "contract/hostile_file_system.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/emu/emulator_build.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"

#ifndef CUCO_EXAMPLES_DIR
#define CUCO_EXAMPLES_DIR ""
#endif

namespace cuco::tool_test {

namespace fs = std::filesystem;
using Args = std::vector<std::string>;

/// Documented in docs/getting-started.md; written out again here because they are a promise to scripts.
enum Exit : int {
  kOk = 0,
  kNotVerified = 1,
  kUsage = 2,
  kBadInput = 3,
  kRefused = 4,
  kToolMissing = 5,
  kIo = 6,
  kInUse = 7
};

inline std::string seed(std::string const& name) {
  return std::string(CUCO_SOURCE_DIR) + "/seeds/" + name + ".cu";
}

inline std::string read_text(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_text(std::string const& path, std::string const& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// `text` with its first `from` replaced. The test fails when there is none.
inline std::string replaced(std::string text, std::string const& from, std::string const& to) {
  auto const at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

inline int line_of(std::string const& text, std::size_t offset) {
  return 1 +
         static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

inline Args operator+(Args left, Args const& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// Where a call runs, and what it finds there.
struct Where {
  std::string directory{};
  Args environment{};
};

inline ProcessResult start(Args argv, Where const& where = {}) {
  Command command;
  command.argv = std::move(argv);
  command.directory = where.directory;
  command.environment = where.environment;
  command.deadline = std::chrono::seconds(240);
  auto result = run_process(command);
  if (!result) {
    ADD_FAILURE() << to_line(result.error());
    return {};
  }
  EXPECT_EQ(result->signal, 0) << describe(*result) << "\n" << result->err;
  EXPECT_FALSE(result->timed_out) << result->err;
  return std::move(*result);
}

inline ProcessResult cuco(Args const& args, Where const& where = {}) {
  return start(Args{CUCO_TOOL} + args, where);
}

/// Standard output as the one JSON object that it has to be.
inline nlohmann::json object_of(ProcessResult const& result) {
  auto json = nlohmann::json::parse(result.out, nullptr, false);
  EXPECT_TRUE(json.is_object()) << "standard output: " << result.out << "\nstandard error: " << result.err;
  return json.is_object() ? json : nlohmann::json::object();
}

/// Same call with --json. Its exit code is the documented one and the object repeats it.
inline nlohmann::json cuco_json(Args const& args, int code = kOk, Where const& where = {}) {
  auto const result = cuco(args + Args{"--json"}, where);
  EXPECT_EQ(result.exit_code, code) << result.out << result.err;
  auto json = object_of(result);
  EXPECT_EQ(json.value("exit_code", code), code);
  return json;
}

/// The lines of `text` that start with "cuco: ".
inline Args error_lines(std::string const& text) {
  Args out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (line.rfind("cuco: ", 0) == 0) out.push_back(line);
  return out;
}

/// Calls the command twice, as text and with --json, and expects the same complaint: `code`, one line with
/// all of `parts`, a cause and a remedy.
inline void expect_fails(int code, Args const& args, Args const& parts, Where const& where = {}) {
  SCOPED_TRACE("cuco " + testing::PrintToString(args));
  auto const text = cuco(args, where);
  EXPECT_EQ(text.exit_code, code) << text.err;
  auto const errors = error_lines(text.err);
  ASSERT_EQ(errors.size(), 1U) << text.err;
  EXPECT_TRUE(text.err.size() > errors[0].size() &&
              text.err.compare(text.err.size() - errors[0].size() - 1, std::string::npos, errors[0] + "\n") ==
                  0)
      << "is not the last line: " << text.err;
  for (auto const& part : parts) EXPECT_THAT(errors[0], testing::HasSubstr(part));
  auto const remedy = errors[0].find("; ");
  EXPECT_TRUE(remedy != std::string::npos && remedy + 2 < errors[0].size()) << "no remedy: " << errors[0];
  EXPECT_THAT(text.err, testing::Not(testing::HasSubstr("terminate called")));

  auto const result = cuco(args + Args{"--json"}, where);
  EXPECT_EQ(result.exit_code, code) << result.out << result.err;
  auto const json = object_of(result);
  EXPECT_EQ(json.value("exit_code", -1), code) << result.out;
  auto const error = json.value("error", nlohmann::json::object());
  EXPECT_NE(error.value("cause", ""), "") << result.out;
  EXPECT_THAT(error_lines(result.err), testing::IsEmpty());
}

inline bool have_mpirun() {
  return find_program("mpirun").has_value();
}

/// PATH entries without those that hold nvcc.
inline std::string path_without_nvcc() {
  char const* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  std::istringstream in(path != nullptr ? path : "/usr/bin:/bin");
  std::string out;
  for (std::string entry; std::getline(in, entry, ':');)
    if (!entry.empty() && !fs::exists(entry + "/nvcc")) out += (out.empty() ? "" : ":") + entry;
  return out;
}

/// A folder of links to the named programs, to be all of PATH.
inline std::string path_of(TemporaryFolder const& folder, std::string const& name, Args const& programs) {
  fs::create_directories(folder / name);
  for (auto const& program : programs) {
    auto const found = find_program(program);
    if (found) fs::create_symlink(*found, (folder / name) + "/" + program);
  }
  return "PATH=" + (folder / name);
}

/// What keeps programs small and calls short.
inline Args const kSmall{"--devices", "emulated", "--ranks", "2", "--args", "16384 1"};

/// `run` of the AllReduce seed in `directory`.
inline Args run_call(std::string const& directory,
                     int generations,
                     std::string const& random_seed = "3",
                     std::string const& source = seed("allreduce")) {
  return Args{"run",
              source,
              "--api",
              "lsa",
              "--dir",
              directory,
              "--generations",
              std::to_string(generations),
              "--seed",
              random_seed,
              "--parallel",
              "2",
              "--schedules",
              "0",
              "--no-nvcc-check"} +
         kSmall;
}

/// What decides how a run comes out: the command, the seed and the emulator.
inline std::string version_of_runs() {
  struct stat info {};
  EXPECT_EQ(::stat(CUCO_TOOL, &info), 0);
  return content_hash(std::to_string(info.st_size) + " " + std::to_string(info.st_mtim.tv_sec) + "." +
                      std::to_string(info.st_mtim.tv_nsec) + read_text(seed("allreduce")) +
                      EmulatorBuild().fingerprint());
}

/// `run` of the AllReduce seed to its end, in `folder`. It is made once per version of the command; every
/// test, which is a process of its own, gets a copy.
inline std::string undisturbed_run(TemporaryFolder const& folder,
                                   int generations,
                                   std::string const& random_seed) {
  std::string const kept = CUCO_BINARY_DIR "/tool_runs";
  std::string const kind = std::to_string(generations) + "-" + random_seed + "-";
  std::string const made = kept + "/" + kind + version_of_runs();
  if (!fs::exists(made)) {
    fs::create_directories(kept);
    for (auto const& old : fs::directory_iterator(kept))
      if (old.path().filename().string().rfind(kind, 0) == 0) fs::remove_all(old.path());
    auto const result = cuco(run_call(folder / "new", generations, random_seed) + Args{"--json"});
    EXPECT_EQ(result.exit_code, kOk) << result.err;
    if (result.exit_code != kOk) return folder / "new";
    std::string const beside = kept + "/" + std::to_string(::getpid());
    fs::copy(folder / "new", beside, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    std::error_code another_test_was_first;
    fs::rename(beside, made, another_test_was_first);
    if (another_test_was_first) fs::remove_all(beside);
  }
  fs::copy(made, folder / "run", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  return folder / "run";
}

/// A run that came to its end.
inline std::string const& finished_run() {
  static TemporaryFolder folder;
  static std::string const path = undisturbed_run(folder, 3, "3");
  return path;
}

}  // namespace cuco::tool_test

#define CUCO_EVOLVE_NEEDS_MPIRUN()       \
  if (!::cuco::tool_test::have_mpirun()) \
  GTEST_SKIP() << "mpirun is not installed: apt-get install openmpi-bin"
