// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Machines on which something is not installed.
#include <algorithm>

#include "tool/tool.hpp"

namespace cuco::tool_test {
namespace {

class MissingTools : public testing::Test {
 protected:
  [[nodiscard]] Args transform() const {
    return Args{"transform", seed("allreduce"), "--api", "lsa", "--out", folder / "out"} + kSmall;
  }
  [[nodiscard]] Where with(std::string const& name, Args const& programs) const {
    return {folder.path, {path_of(folder, name, programs)}};
  }
  TemporaryFolder folder;
};

TEST_F(MissingTools, NoLauncher) {
  if (!find_program("g++") || !find_program("mpicxx")) GTEST_SKIP() << "g++ or mpicxx is not installed";
  auto const here = with("no_launcher", {"g++", "as", "ld", "mpicxx", "pkg-config"});
  expect_fails(kToolMissing, transform(), {"mpirun", "openmpi-bin"}, here);
  EXPECT_FALSE(fs::exists(folder / "out")) << "it is said before anything is built";
}

TEST_F(MissingTools, OnlyTheCompiler) {
  if (!find_program("g++")) GTEST_SKIP() << "g++ is not installed";
  auto const here = with("only_compiler", {"g++", "as", "ld"});
  expect_fails(kToolMissing, transform(), {"mpirun", "openmpi-bin"}, here);
  expect_fails(kToolMissing, run_call(folder / "run", 2), {"mpirun", "openmpi-bin"}, here);
  EXPECT_FALSE(fs::exists(folder / "run"));
  auto const doctor = cuco_json({"doctor"}, kToolMissing, here);
  EXPECT_EQ(doctor.value("emulated", true), false);
  EXPECT_THAT(cuco({"doctor"}, here).out, testing::HasSubstr("MISSING  mpirun"));
}

TEST_F(MissingTools, NoDevelopmentFiles) {
  if (!find_program("g++") || !find_program("mpirun")) GTEST_SKIP() << "g++ or mpirun is not installed";
  auto const here = with("no_headers", {"g++", "as", "ld", "mpirun"});
  expect_fails(kToolMissing, transform(), {"mpicxx", "libopenmpi-dev"}, here);
}

TEST_F(MissingTools, NoCompiler) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  auto const here = with("no_compiler", {"mpirun", "mpicxx"});
  expect_fails(kToolMissing, transform(), {"compiler", "g++"}, here);
  EXPECT_EQ(cuco({"doctor"}, here).exit_code, kToolMissing);
}

TEST_F(MissingTools, AnalysisNeedsNone) {
  auto const here = with("nothing", {});
  EXPECT_EQ(cuco({"analyze", seed("alltoall")}, here).exit_code, kOk);
}

TEST_F(MissingTools, ALauncherThatFailsIsQuoted) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  fs::create_directories(folder / "bin");
  write_text(folder / "bin/mpirun",
             "#!/bin/sh\n"
             "case \"$1\" in --version) echo 'mpirun (Open MPI) 4.1.4'; exit 0 ;; esac\n"
             "echo '[host:4711] no network interfaces here' >&2\n"
             "exit 1\n");
  fs::permissions(folder / "bin/mpirun", fs::perms::owner_all);
  char const* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  Where const here{folder.path, {"PATH=" + (folder / "bin") + ":" + (path != nullptr ? path : "/usr/bin:/bin")}};
  expect_fails(kNotVerified, transform(), {"the launcher says: no network interfaces here"}, here);
}

TEST_F(MissingTools, WithoutTheCudaToolkitEverythingRunsAndNvccIsSkipped) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  int const code = in_child([&] {
    // The default place is looked into without PATH, so it has to be empty.
    if (fs::exists("/usr/local/cuda/bin/nvcc") && !mount_small("/usr/local/cuda", "size=64k"))
      return kCannotTestHere;
    Where const here{folder.path, {"PATH=" + path_without_nvcc(), "CUDA_HOME=/nonexistent"}};
    if (find_program("nvcc", path_without_nvcc())) return kCannotTestHere;

    auto const doctor = cuco({"doctor"}, here);
    EXPECT_EQ(doctor.exit_code, kOk) << doctor.out << doctor.err;
    EXPECT_THAT(doctor.out, testing::HasSubstr("absent   nvcc"));
    EXPECT_THAT(doctor.out, testing::HasSubstr("programs run on: emulated ranks"));

    auto const transformed = cuco(transform(), here);
    EXPECT_EQ(transformed.exit_code, kOk) << transformed.err;
    EXPECT_THAT(transformed.out, testing::ContainsRegex("nvcc +SKIPPED: .*nvcc"));
    EXPECT_TRUE(fs::exists(folder / "out/allreduce_device.cu"));

    auto on_gpus = transform();
    std::replace(on_gpus.begin(), on_gpus.end(), std::string("emulated"), std::string("cuda"));
    expect_fails(kToolMissing, on_gpus, {"nvcc", "emulated devices"}, here);

    auto run = run_call(folder / "run", 2);
    std::replace(run.begin(), run.end(), std::string("--no-nvcc-check"), std::string("--nvcc-check"));
    auto const evolved = cuco(run, here);
    EXPECT_EQ(evolved.exit_code, kOk) << evolved.err;
    EXPECT_THAT(evolved.out, testing::HasSubstr("nvcc: SKIPPED: "));
    return 0;
  });
  if (code == kCannotTestHere) GTEST_SKIP() << "nvcc cannot be hidden: mounting over it is not allowed here";
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace cuco::tool_test
