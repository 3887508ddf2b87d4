// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/evaluate/devices.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cuco/evaluate/impl/cuda_toolchain.hpp"
#include "cuco/evaluate/impl/mpirun.hpp"
#include "fake_backend.hpp"

namespace cuco::testing {
namespace {

using namespace std::chrono_literals;
using impl::evaluating::parse_gpu_list;
using impl::evaluating::to_nvcc_flags;
using ::testing::Contains;
using ::testing::HasSubstr;

/// Sets a variable for the length of a test.
class ScopedVariable {
 public:
  ScopedVariable(char const* name, std::string const& value) : name_(name) {
    if (char const* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ScopedVariable(ScopedVariable const&) = delete;
  ScopedVariable& operator=(ScopedVariable const&) = delete;
  ~ScopedVariable() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

 private:
  char const* name_;
  std::optional<std::string> old_;
};

/// A PATH on which only the tools are that the test puts there, next to the shell's.
class ToolsTest : public ::testing::Test {
 protected:
  void tool(std::string const& name, std::string const& script) {
    make_script(directory_ / name, "#!/bin/sh\n" + script);
  }
  std::string path() { return directory_.path(); }
  TemporaryDirectory directory_;
};

constexpr char const* kFakeMpirun = R"(
if [ "$1" = --version ]; then echo 'mpirun (Open MPI) 4.1.4'; exit 0; fi
)";

RunSpec two_ranks() {
  RunSpec spec;
  spec.binary = "/bin/true";
  return spec;
}

TEST_F(ToolsTest, MissingLauncherNamesThePackage) {
  ScopedVariable const only("PATH", path());
  auto const result = Devices::emulated().run(two_ranks());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kToolMissing);
  EXPECT_NE(to_line(result.error()).find("openmpi-bin"), std::string::npos) << to_line(result.error());
}

TEST_F(ToolsTest, AnotherMpiIsNotOpenMpi) {
  tool("mpirun", "echo 'HYDRA build details: Version: 4.0.2'");
  ScopedVariable const only("PATH", path() + ":/bin:/usr/bin");
  auto const result = Devices::emulated().run(two_ranks());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kToolMissing);
  EXPECT_NE(result.error().cause.find("HYDRA"), std::string::npos) << result.error().cause;
}

TEST_F(ToolsTest, NewerLauncherIsAskedInItsOwnSpelling) {
  auto const argv = impl::evaluating::launch_argv({"/usr/bin/mpirun", 5, ""}, two_ranks(), false);
  EXPECT_NE(std::find(argv.begin(), argv.end(), "--output"), argv.end());
  EXPECT_EQ(std::find(argv.begin(), argv.end(), "--xml"), argv.end());
}

TEST_F(ToolsTest, RanksBelowOneAreRefused) {
  tool("mpirun", kFakeMpirun);
  ScopedVariable const only("PATH", path() + ":/bin:/usr/bin");
  auto spec = two_ranks();
  spec.ranks = 0;
  EXPECT_EQ(Devices::emulated().run(spec).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ToolsTest, UnknownMachineIsRefusedBeforeAnythingRuns) {
  tool("mpirun", std::string(kFakeMpirun) + "touch \"$TMPDIR/../started\"");
  ScopedVariable const only("PATH", path() + ":/bin:/usr/bin");
  EmulatedOptions options;
  options.machine = "no-such-machine";
  auto const result = Devices::emulated(options).run(two_ranks());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
}

TEST_F(ToolsTest, EmulatorGetsItsVariables) {
  tool("mpirun",
       std::string(kFakeMpirun) +
           "echo \"<stdout rank=\\\"0\\\">$CUCO_EMU_GIN_MODE $CUCO_EMU_SEED $CUCO_EMU_SKEW_US "
           "$OMP_NUM_THREADS "
           "$(head -c 1 $CUCO_EMU_MACHINE | wc -c) $EXTRA</stdout>\"\n");
  ScopedVariable const only("PATH", path() + ":/bin:/usr/bin");
  auto spec = two_ranks();
  spec.gin_mode = GinMode::kRandom;
  spec.seed = 18446744073709551615ULL;
  spec.skew_us = 12.5;
  spec.environment = {{"EXTRA", "more"}};
  auto const result = Devices::emulated().run(spec);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(result->rank_stdout[0], "random 18446744073709551615 12.5 1 1 more");
}

TEST_F(ToolsTest, ExitCodesOfTheEmulatorAreUnderstood) {
  struct Case {
    int code;
    bool RunResult::*flag;
  };
  ScopedVariable const only("PATH", path() + ":/bin:/usr/bin");
  for (Case const c : {Case{90, &RunResult::deadlock},
                       Case{91, &RunResult::not_emulated},
                       Case{92, &RunResult::illegal_use},
                       Case{93, &RunResult::out_of_bounds}}) {
    tool("mpirun", std::string(kFakeMpirun) + "exit " + std::to_string(c.code));
    auto const result = Devices::emulated().run(two_ranks());
    ASSERT_TRUE(result);
    EXPECT_TRUE((*result).*c.flag);
    EXPECT_EQ(result->deadlock + result->not_emulated + result->illegal_use + result->out_of_bounds, 1);
    EXPECT_FALSE(result->ok());
  }
  // Another rank's exit code won the race.
  tool("mpirun",
       std::string(kFakeMpirun) +
           "echo '<stderr rank=\"1\">cuco-emu: deadlock: rank 1&#010;</stderr>'; exit 143");
  EXPECT_TRUE(Devices::emulated().run(two_ranks())->deadlock);
  tool("mpirun",
       std::string(kFakeMpirun) +
           "echo '<stderr rank=\"1\">cuco-emu: deadlock: rank 1&#010;</stderr>'; exit 0");
  EXPECT_FALSE(Devices::emulated().run(two_ranks())->deadlock);
}

TEST_F(ToolsTest, LauncherThatIsKilledOrHangsIsAValue) {
  ScopedVariable const only("PATH", path() + ":/bin:/usr/bin");
  tool("mpirun", std::string(kFakeMpirun) + "kill -KILL $$");
  auto killed = Devices::emulated().run(two_ranks());
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->signal, 9);
  EXPECT_FALSE(killed->ok());
  tool("mpirun", std::string(kFakeMpirun) + "sleep 60");
  auto spec = two_ranks();
  spec.deadline = 300ms;
  auto hung = Devices::emulated().run(spec);
  ASSERT_TRUE(hung);
  EXPECT_TRUE(hung->timed_out);
  EXPECT_LT(hung->seconds, 30);
  tool("mpirun",
       std::string(kFakeMpirun) +
           "echo 'mpirun noticed that process rank 1 exited on signal 6 (Aborted).'; exit 134");
  EXPECT_EQ(Devices::emulated().run(two_ranks())->signal, 6);
}

TEST_F(ToolsTest, DetectFallsBackToEmulation) {
  ScopedVariable const only("PATH", path() + ":/bin:/usr/bin");
  EXPECT_TRUE(Devices::detect().is_emulated());
  tool("nvidia-smi", "echo 'NVIDIA H200, 9.0'");
  tool("mpirun", kFakeMpirun);
  EXPECT_TRUE(Devices::detect().is_emulated()) << "one GPU is not enough";
  EXPECT_EQ(Devices::emulated().origin(), Origin::kModelled);
}

/// A CUDA toolkit that only pretends.
class CudaToolsTest : public ToolsTest {
 protected:
  CudaToolsTest() {
    tool("nvidia-smi", "echo 'NVIDIA H200, 9.0'; echo 'NVIDIA H200, 9.0'");
    tool("nvcc",
         "if [ \"$1\" = --version ]; then echo 'Build cuda_x'; exit 0; fi\necho \"$@\" > " +
             (directory_ / "argv") +
             "\nwhile [ $# -gt 0 ]; do [ \"$1\" = -o ] && echo x > \"$2\"; shift; done");
    tool("mpicxx",
         "case $1 in *compile) echo '-I/mpi/include -pthread';; *link) echo '-L/mpi/lib -Wl,-rpath,/mpi/lib "
         "-lmpi';; esac");
    tool("mpirun", kFakeMpirun);
    std::filesystem::create_directories(directory_ / "nccl/include");
    std::filesystem::create_directories(directory_ / "nccl/lib");
    spit(directory_ / "nccl/include/nccl.h", "");
    spit(directory_ / "nccl/lib/libnccl.so.2", "");
    options_.nvcc = directory_ / "nvcc";
    options_.nccl_include = directory_ / "nccl/include";
    options_.nccl_lib = directory_ / "nccl/lib";
  }
  BuildSpec spec() {
    BuildSpec spec;
    spec.source_path = directory_ / "main.cu";
    spec.output_path = directory_ / "program";
    spec.defines = {"N=3"};
    return spec;
  }
  CudaOptions options_;
  ScopedVariable path_{"PATH", directory_.path() + ":/bin:/usr/bin"};
};

TEST_F(CudaToolsTest, AreDetectedAndNamed) {
  auto const devices = Devices::detect({}, options_);
  EXPECT_FALSE(devices.is_emulated());
  EXPECT_EQ(devices.origin(), Origin::kMeasured);
  EXPECT_EQ(devices.name(), "2 x NVIDIA H200 (sm_90)");
  EXPECT_EQ(devices.capacity(), 2);
  EXPECT_NE(devices.fingerprint().find("sm_90"), std::string::npos);
}

TEST_F(CudaToolsTest, BuildCommandHasEverythingOnce) {
  auto const result = Devices::cuda(options_).build(spec());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_TRUE(result->built) << result->diagnostics;
  EXPECT_EQ(slurp(directory_ / "program"), "x\n");
  auto const argv = slurp(directory_ / "argv");
  for (std::string const part : {"-std=c++17 -arch=sm_90 -O3 -DN=3",
                                 "-I/mpi/include -Xcompiler -pthread",
                                 "main.cu -o ",
                                 "/nccl/lib -Xlinker",
                                 "libnccl.so.2 -L/mpi/lib -Xlinker -rpath -Xlinker /mpi/lib -lmpi"})
    EXPECT_NE(argv.find(part), std::string::npos) << part << " in " << argv;
}

TEST_F(CudaToolsTest, CompilerThatFailsLeavesNoBinary) {
  tool("nvcc",
       "while [ $# -gt 0 ]; do [ \"$1\" = -o ] && echo x > \"$2\"; shift; done; echo 'main.cu(3): error: no' "
       ">&2; exit 2");
  auto const result = Devices::cuda(options_).build(spec());
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->built);
  EXPECT_EQ(result->exit_code, 2);
  EXPECT_EQ(result->diagnostics, "main.cu(3): error: no\n");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "program"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "program.part"));
}

TEST_F(CudaToolsTest, CompilerThatHangsIsAValue) {
  tool("nvcc", "[ \"$1\" = --version ] || sleep 60");
  auto slow = spec();
  slow.deadline = 300ms;
  options_.arch = "sm_90";
  auto const result = Devices::cuda(options_).build(slow);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_FALSE(result->built);
  EXPECT_TRUE(result->timed_out);
}

TEST_F(CudaToolsTest, RunPutsNcclFirstAndKeepsMulticastOff) {
  tool("mpirun",
       std::string(kFakeMpirun) +
           "echo \"<stdout rank=\\\"0\\\">$NCCL_NVLS_ENABLE $LD_LIBRARY_PATH</stdout>\"");
  ScopedVariable const inherited("LD_LIBRARY_PATH", "/elsewhere");
  auto const result = Devices::cuda(options_).run(two_ranks());
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(result->rank_stdout[0], "0 " + (directory_ / "nccl/lib") + ":/elsewhere");
}

TEST_F(CudaToolsTest, MoreRanksThanGpusAreRefused) {
  auto spec = two_ranks();
  spec.ranks = 3;
  auto const result = Devices::cuda(options_).run(spec);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(result.error().cause.find("there are 2"), std::string::npos);
}

TEST_F(CudaToolsTest, WhatIsMissingIsNamed) {
  auto options = options_;
  options.nccl_include = directory_ / "nowhere";
  auto result = Devices::cuda(options).build(spec());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kToolMissing);
  EXPECT_NE(to_line(result.error()).find("libnccl-dev"), std::string::npos) << to_line(result.error());
  options = options_;
  options.mpicxx = "no-such-wrapper";
  EXPECT_NE(to_line(Devices::cuda(options).build(spec()).error()).find("libopenmpi-dev"), std::string::npos);
  options = options_;
  options.nvcc = directory_ / "no-nvcc";
  EXPECT_EQ(Devices::cuda(options).build(spec()).error().code, ErrorCode::kToolMissing);
  tool("nvidia-smi", "exit 9");
  EXPECT_NE(Devices::cuda(options_).name().find("lists no GPU"), std::string::npos);
}

TEST(CudaTools, GpuListIsRead) {
  auto const list = parse_gpu_list("NVIDIA H200, 9.0\nNVIDIA H200, 9.0\n\n");
  EXPECT_EQ(list.count, 2);
  EXPECT_EQ(list.name, "NVIDIA H200");
  EXPECT_EQ(list.arch, "sm_90");
  EXPECT_EQ(parse_gpu_list("NVIDIA B200, 10.0\n").arch, "sm_100");
  EXPECT_EQ(parse_gpu_list("No devices were found\n").count, 0);
  EXPECT_EQ(parse_gpu_list("").count, 0);
}

TEST(Toolchain, TopologyIsOneLine) {
  using impl::evaluating::topology_fact;
  std::string const legend =
      "\nLegend:\n\n  X    = Self\n  SYS  = Connection traversing PCIe\n  NV#  = Connection traversing a "
      "bonded set of # NVLinks\n";
  EXPECT_EQ(topology_fact("\t\x1b[4mGPU0\tGPU1\tNIC0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\x1b[0m\n"
                          "GPU0\t X \tNV18\tPIX\t0-31\t0\tN/A\nGPU1\tNV18\t X \tSYS\t0-31\t0\tN/A\n"
                          "NIC0\tPIX\tSYS\t X \n" +
                          legend + "\nNIC Legend:\n\n  NIC0: mlx5_0\n  NIC1: mlx5_1\n"),
            "the GPUs are linked by NV18; NICs: mlx5_0, mlx5_1");
  EXPECT_EQ(topology_fact("\tGPU0\tCPU Affinity\nGPU0\t X \t0-3\n" + legend), "one GPU; NICs: none");
  EXPECT_EQ(
      topology_fact("\tGPU0\tGPU1\tGPU2\nGPU0\t X \tNV4\tSYS\nGPU1\tNV4\t X \tSYS\nGPU2\tSYS\tSYS\t X \n"),
      "the GPUs are linked by NV4, SYS; NICs: none");
  EXPECT_EQ(topology_fact("No devices were found\n"), "");
}

TEST(Toolchain, FactsOfAModelledMachine) {
  auto const facts = Devices::emulated({.machine = "h200-2x4"}).facts();
  ASSERT_GE(facts.size(), 5U);
  EXPECT_THAT(facts[0], HasSubstr("two nodes with four H200 GPUs each"));
  EXPECT_THAT(facts, Contains(HasSubstr("132 SMs")));
  EXPECT_THAT(facts, Contains(HasSubstr("up to 4 GPUs per node")));
  EXPECT_THAT(facts, Contains(HasSubstr("4 contexts")));
  EXPECT_EQ(Devices::emulated({.machine = "no such machine"}).facts().size(), 1U);
}

TEST(CudaTools, WrapperFlagsAreTranslated) {
  EXPECT_EQ(to_nvcc_flags("-I/a -DX -pthread -L/b -lmpi -Wl,-rpath,/b -fPIC\n"),
            (std::vector<std::string>{"-I/a",
                                      "-DX",
                                      "-Xcompiler",
                                      "-pthread",
                                      "-L/b",
                                      "-lmpi",
                                      "-Xlinker",
                                      "-rpath",
                                      "-Xlinker",
                                      "/b",
                                      "-Xcompiler",
                                      "-fPIC"}));
  EXPECT_TRUE(to_nvcc_flags("").empty());
}

}  // namespace
}  // namespace cuco::testing
