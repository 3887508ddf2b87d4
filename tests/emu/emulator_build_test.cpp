// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/emu/emulator_build.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "contract/hostile_file_system.hpp"
#include "cuco/emu/impl/build_cache_folder.hpp"
#include "emulated_program.hpp"

namespace {

namespace fs = std::filesystem;
using cuco::BuildOutcome;
using cuco::EmulatorBuild;
using cuco::EmulatorBuildRequest;
using cuco::ErrorCode;
using cuco::Result;
using testing::HasSubstr;
using testing::Not;

class Build : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string const reason = emulated::missing_tool(); !reason.empty()) GTEST_SKIP() << reason;
    folder_ = testing::TempDir() + "/emulator_build_" + std::to_string(::getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  [[nodiscard]] EmulatorBuildRequest request(std::string const& text,
                                             std::string const& name = "main.cu") const {
    EmulatorBuildRequest r;
    r.source_path = folder_ + "/" + name;
    r.output_path = folder_ + "/" + name + ".program";
    std::ofstream(r.source_path) << text;
    return r;
  }
  [[nodiscard]] BuildOutcome built(EmulatorBuildRequest const& r) const {
    Result<BuildOutcome> outcome = emulated::builder().build(r);
    EXPECT_TRUE(outcome) << cuco::to_line(outcome.error()) << outcome.error().detail;
    return outcome.value_or(BuildOutcome{});
  }
  /// Exit code of a program as one process without MPI.
  [[nodiscard]] int exit_code(std::string const& binary) const {
    cuco::Command command;
    command.argv = {binary};
    auto const result = cuco::run_process(command);
    EXPECT_TRUE(result);
    return result ? result->exit_code : -1;
  }
  std::string folder_;
};

TEST_F(Build, AProgramWithoutAnyInclude) {
  // nvcc includes cuda_runtime.h by itself.
  EmulatorBuildRequest const r = request(
      "__global__ void k(int* p) { *p = 42; }\n"
      "int main() { int* p; int v = 0; cudaMalloc(&p, 4); k<<<1, 1>>>(p); cudaMemcpy(&v, p, 4, "
      "cudaMemcpyDeviceToHost); return v; }\n");
  BuildOutcome const outcome = built(r);
  ASSERT_TRUE(outcome.ok) << outcome.diagnostics;
  EXPECT_EQ(outcome.binary, r.output_path);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(exit_code(outcome.binary), 42);
}

TEST_F(Build, DefinesStandardAndOwnHeaders) {
  std::ofstream(folder_ + "/own.h") << "#define OWN 5\n";
  EmulatorBuildRequest r =
      request("#include \"own.h\"\nint main() { return VALUE + OWN + (__cplusplus > 201703L ? 100 : 0); }\n");
  r.defines = {"VALUE=7"};
  ASSERT_TRUE(built(r).ok);
  EXPECT_EQ(exit_code(r.output_path), 12);
  r.standard = 20;
  ASSERT_TRUE(built(r).ok);
  EXPECT_EQ(exit_code(r.output_path), 112);
  r.standard = 14;
  Result<BuildOutcome> const outcome = emulated::builder().build(r);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Build, DiagnosticsNameTheProgramAndItsLineAndNoOtherPath) {
  BuildOutcome const outcome =
      built(request("__global__ void k(int* p) {\n  __shared__ int a[4];\n  a[0] = undeclared;\n}\nint "
                    "main() {\n  k<<<1,\n      1>>>(nullptr, 3);\n}\n"));
  EXPECT_FALSE(outcome.ok);
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_TRUE(outcome.binary.empty());
  EXPECT_THAT(outcome.diagnostics, HasSubstr("main.cu:3:"));
  EXPECT_THAT(outcome.diagnostics, HasSubstr("undeclared"));
  EXPECT_THAT(outcome.diagnostics, Not(HasSubstr(folder_)));
}

TEST_F(Build, KernelsAndLaunchesInOwnHeaders) {
  std::filesystem::create_directory(folder_ + "/parts");
  std::ofstream(folder_ + "/parts/kernels.cuh") << "#pragma once\n#include \"types.h\"\n__global__ void "
                                                   "k(Number* p) {\n  __shared__ Number s;\n  s = 40;\n"
                                                   "  *p = s + 2;\n}\n";
  std::ofstream(folder_ + "/parts/types.h") << "#pragma once\nusing Number = int;\n";
  std::ofstream(folder_ + "/launch.h") << "#define LAUNCH(kernel, ...) kernel<<<1, 1>>>(__VA_ARGS__)\n"
                                          "inline void start(int* p) { LAUNCH(k, p); }\n";
  std::string const main =
      "#include \"parts/kernels.cuh\"\n#include \"parts/types.h\"\n#include \"launch.h\"\n"
      "int main() { int* p; int v = 0; cudaMalloc(&p, 4); start(p); cudaMemcpy(&v, p, 4, "
      "cudaMemcpyDeviceToHost); return v; }\n";
  EmulatorBuildRequest const r = request(main);
  BuildOutcome outcome = built(r);
  ASSERT_TRUE(outcome.ok) << outcome.diagnostics;
  EXPECT_EQ(exit_code(r.output_path), 42);
  // Each file's errors are its own.
  outcome = built(request(main + "int x = undeclared_here;\n"));
  EXPECT_THAT(outcome.diagnostics, HasSubstr("main.cu:5:"));
  std::ofstream(folder_ + "/parts/types.h")
      << "#pragma once\nusing Number = int;\nint y = undeclared_there;\n";
  outcome = built(request(main));
  EXPECT_THAT(outcome.diagnostics, HasSubstr("types.h:3:"));
  std::ofstream(folder_ + "/parts/types.h") << "#pragma once\nusing Number = int;\ncudaGraph_t g;\n";
  outcome = built(request(main));
  EXPECT_THAT(outcome.diagnostics, HasSubstr("types.h:3: not emulated: CUDA graphs"));
}

TEST_F(Build, AFailedBuildLeavesTheOldBinary) {
  EmulatorBuildRequest r = request("int main() { return 3; }\n");
  ASSERT_TRUE(built(r).ok);
  r = request("int main() { return x; }\n");
  EXPECT_FALSE(built(r).ok);
  EXPECT_EQ(exit_code(r.output_path), 3);
}

TEST_F(Build, WhatIsNotEmulatedIsAValueWithTheLine) {
  BuildOutcome const outcome = built(request("int main() {\n  cudaGraph_t g;\n}\n"));
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.diagnostics, "main.cu:2: not emulated: CUDA graphs\n");
}

TEST_F(Build, TheSecondBuildFindsEverythingInTheCache) {
  EmulatorBuildRequest const r = request("#include <cstdio>\nint main() { return 0; }\n");
  ASSERT_TRUE(built(r).ok);
  BuildOutcome const again = built(r);
  EXPECT_TRUE(again.ok);
  EXPECT_TRUE(again.cached);
  EXPECT_FALSE(emulated::builder().fingerprint().empty());
}

// The compiler here is the real one, but that it copies the runtime's object, which takes long, from the
// usual cache; and it notes what it is called for.
TEST_F(Build, ThreadsAndBuildersShareOneEmptyCache) {
  auto const real = cuco::find_program("g++");
  if (!real) GTEST_SKIP() << "g++ is not installed";
  cuco::EmulatorBuildOptions usual;
  usual.compiler = *real;
  EmulatorBuild const prepared(usual);
  ASSERT_TRUE(prepared.prepare());
  auto const usual_cache = cuco::impl::emulating::find_cache_folder("");
  ASSERT_TRUE(usual_cache);
  std::string const runtime = *usual_cache + "/emulator/" + prepared.fingerprint() + "/runtime.o";
  ASSERT_TRUE(fs::exists(runtime));
  std::ofstream(folder_ + "/g++") << "#!/bin/sh\nfor last; do :; done\n"
                                     "case \"$*\" in\n"
                                     "  *-O2*-g1*) cat >/dev/null; sleep 0.3; echo runtime >>'"
                                  << folder_ << "/log'; exec cp '" << runtime
                                  << "' \"$last\";;\n"
                                     "  *c++-header*) echo headers >>'"
                                  << folder_
                                  << "/log';;\n"
                                     "esac\nexec '"
                                  << *real << "' \"$@\"\n";
  fs::permissions(folder_ + "/g++", fs::perms::owner_all);
  std::string const cache = folder_ + "/cache";
  std::vector<std::thread> threads;
  std::vector<int> ok(3, 0);
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      cuco::EmulatorBuildOptions options;
      options.cache_directory = cache;
      options.compiler = folder_ + "/g++";
      EmulatorBuild const build(options);
      auto const outcome = build.build(
          request("int main() { return " + std::to_string(i) + "; }\n", "p" + std::to_string(i) + ".cu"));
      ok[static_cast<std::size_t>(i)] = outcome && outcome->ok ? 1 : 0;
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(ok, std::vector<int>(3, 1));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(exit_code(folder_ + "/p" + std::to_string(i) + ".cu.program"), i);
  EXPECT_EQ(cuco::read_file(folder_ + "/log").value_or(""), "runtime\nheaders\n") << "built more than once";
  // Nothing half-made stays behind.
  for (auto const& entry : fs::recursive_directory_iterator(cache))
    EXPECT_THAT(entry.path().filename().string(), Not(testing::StartsWith("cuco-")));
}

TEST_F(Build, ErrorsOfTheHarness) {
  EmulatorBuildRequest r = request("int main() {}\n");
  r.source_path = folder_ + "/none.cu";
  Result<BuildOutcome> outcome = emulated::builder().build(r);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kNotFound);

  r = request("int main() {}\n");
  r.output_path = folder_ + "/none/program";
  outcome = emulated::builder().build(r);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kIo);

  cuco::EmulatorBuildOptions options;
  options.compiler = "no-such-compiler";
  outcome = EmulatorBuild(options).build(request("int main() {}\n"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kToolMissing);
  EXPECT_TRUE(EmulatorBuild(options).fingerprint().empty());
  EXPECT_FALSE(EmulatorBuild(options).prepare());

  options = {};
  std::ofstream(folder_ + "/file") << "x";
  options.cache_directory = folder_ + "/file/cache";
  outcome = EmulatorBuild(options).build(request("int main() {}\n"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kIo);
}

TEST_F(Build, AFullDiskIsNamedWithThePathAndTheRemedy) {
  ASSERT_TRUE(built(request("int main() {}\n")).ok);  // What the cache needs is there.
  fs::create_directories(folder_ + "/small");
  int const code = cuco::in_child([&] {
    if (!cuco::mount_small(folder_ + "/small", "size=64k")) return cuco::kCannotTestHere;
    EmulatorBuildRequest r = request("int main() {}\n");
    r.output_path = folder_ + "/small/program";
    auto const outcome = emulated::builder().build(r);
    EXPECT_FALSE(outcome);
    if (outcome) return 1;
    EXPECT_EQ(outcome.error().code, ErrorCode::kIo);
    EXPECT_EQ(outcome.error().file, r.output_path);
    EXPECT_THAT(outcome.error().cause, HasSubstr("no space left on device"));
    EXPECT_THAT(outcome.error().remedy, HasSubstr("free some space"));
    EXPECT_TRUE(fs::is_empty(folder_ + "/small")) << "half a program stays";
    return 0;
  });
  if (code == cuco::kCannotTestHere) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(code, 0);
}

TEST_F(Build, MissingOpenMpiNamesThePackage) {
  // A PATH with the compiler and nothing else.
  fs::create_directories(folder_ + "/bin");
  auto const compiler = cuco::find_program("g++");
  if (!compiler) GTEST_SKIP() << "g++ is not installed";
  fs::create_symlink(*compiler, folder_ + "/bin/g++");
  std::string const path = std::getenv("PATH");
  ::setenv("PATH", (folder_ + "/bin").c_str(), 1);
  ::unsetenv("CXX");
  auto const outcome = EmulatorBuild().build(request("int main() {}\n"));
  fs::remove(folder_ + "/bin/g++");
  auto const nothing = EmulatorBuild().build(request("int main() {}\n"));
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kToolMissing);
  EXPECT_THAT(outcome.error().remedy, HasSubstr("libopenmpi-dev"));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kToolMissing);
  EXPECT_THAT(nothing.error().remedy, HasSubstr("g++"));
}

TEST_F(Build, ClangBuildsTheSamePrograms) {
  if (!cuco::find_program("clang++")) GTEST_SKIP() << "clang++ is not installed";
  cuco::EmulatorBuildOptions options;
  options.compiler = "clang++";
  EmulatorBuild const build(options);
  EmulatorBuildRequest r = request(
      "#include <cuda_fp16.h>\n__global__ void k(int* p, volatile int* flag) { __shared__ int s[32]; "
      "s[threadIdx.x] = 1; __syncthreads();\n"
      "  if (threadIdx.x == 0) { while (*flag == 0) {} } else if (threadIdx.x == 1) { *flag = 1; }\n"
      "  if (threadIdx.x == 0) for (int i = 0; i < 32; ++i) *p += s[i]; }\n"
      "int main() { int* p; int v = 0; cudaMalloc(&p, 8); cudaMemset(p, 0, 8); k<<<1, 32>>>(p, p + 1); "
      "cudaMemcpy(&v, p, 4, cudaMemcpyDeviceToHost); return v; }\n");
  auto outcome = build.build(r);
  ASSERT_TRUE(outcome) << cuco::to_line(outcome.error()) << outcome.error().detail;
  ASSERT_TRUE(outcome->ok) << outcome->diagnostics;
  EXPECT_EQ(exit_code(outcome->binary), 32);
  r.defines = {"UNUSED=1"};
  outcome = build.build(r);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->ok) << outcome->diagnostics;
}

}  // namespace
