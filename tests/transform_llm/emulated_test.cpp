// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// What a scripted model answers, really built and run on emulated devices.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuco/process/find_program.hpp"
#include "cuco/transform/diagnostic_rerun.hpp"
#include "transform_llm/model_run.hpp"

namespace cuco::testing {
namespace {

class EmulatedModel : public ModelRun {
 protected:
  void SetUp() override {
    if (!find_program("mpirun")) GTEST_SKIP() << "mpirun is not installed";
    ModelRun::SetUp();
  }
  [[nodiscard]] TransformOptions real(int schedules) const {
    auto o = options();
    o.args = {"8192", "2"};
    o.schedules = schedules;
    return o;
  }
};

TEST_F(EmulatedModel, ARepairedProgramIsVerified) {
  // The slot of rank 0 for all: a wrong result. Then one past the end: an access outside the window.
  std::string const wrong = with_changes(device_alltoall(), {{"dev.rank * count * sizeof(uint32_t)", "0"}});
  std::string const outside =
      with_changes(device_alltoall(), {{"dev.rank * count * sizeof", "(dev.rank + 1000) * count * sizeof"}});
  ScriptedBackend const model(
      {program(infrastructure_alltoall()), program(wrong), program(outside), program(device_alltoall())});
  ScriptedBackend const judge({said("Everybody stores to slot 0."), said("The offset is too large.")});
  auto const result =
      Transformer<Api::LSA, FirstThat<LlmRewriter<Api::LSA>>>{
          FirstThat{LlmRewriter<Api::LSA>{model, judged(judge)}}, Devices::emulated(), real(0)}
          .transform(program_);
  ASSERT_TRUE(result) << to_line(result.error()) << "\n" << result.error().detail;
  ASSERT_EQ(result->iterations.size(), 5U);
  EXPECT_TRUE(result->iterations[2].ran || !result->iterations[2].verified);
  EXPECT_FALSE(result->iterations[3].ran);
  EXPECT_GT(result->output_ms, 0.0);
  EXPECT_EQ(result->origin, Origin::kModelled);
  auto const asked = model.requests();
  ASSERT_EQ(asked.size(), 4U);
  EXPECT_TRUE(has(asked[2].messages[2].text, "Verification: FAIL")) << asked[2].messages[2].text;
  EXPECT_TRUE(has(asked[3].messages[2].text, "kernel exchange")) << asked[3].messages[2].text;
  EXPECT_TRUE(has(judge.requests().at(1).messages[0].text, "kernel exchange"))
      << "the emulator names it by itself";
}

TEST_F(EmulatedModel, PutsAreVerifiedUnderReorderedDelivery) {
  // Does not wait for the data: passes when everything arrives at once, which it does not have to.
  std::string const hasty =
      with_changes(device_alltoall(true),
                   {{"  gin.waitSignal(ncclCoopCta(), 0, before + dev.nRanks);\n", "  (void)before;\n"}});
  ScriptedBackend const model({program(hasty), program(device_alltoall(true))});
  auto o = real(2);
  o.single_stage = true;
  EmulatedOptions machine;
  machine.machine = "h200-ib400";
  auto const result =
      Transformer<Api::GIN, LlmRewriter<Api::GIN>>{
          LlmRewriter<Api::GIN>{model, silent()}, Devices::emulated(machine), o}
          .transform(program_);
  ASSERT_TRUE(result) << to_line(result.error()) << "\n" << result.error().detail;
  EXPECT_EQ(model.requests().size(), 2U) << "the hasty one must not pass";
  EXPECT_EQ(summary()["iterations"][1]["verification_passed"], false);
  EXPECT_TRUE(has(result->code, "waitSignal"));
}

TEST_F(EmulatedModel, ALaunchThatFailsIsFound) {
  ProgramVerifier const verifier(Devices::emulated(), VerifyOptions{.ranks = 2, .args = {"8192", "2"}});
  std::string const bad = with_changes(device_alltoall(), {{"exchange<<<4, 128,", "exchange<<<4, 4096,"}});
  auto const failed = verifier.verify(bad, folder_ + "/bad", "bad");
  ASSERT_TRUE(failed) << to_line(failed.error());
  ASSERT_TRUE(failed->built);
  ASSERT_FALSE(failed->ran);
  auto const found = diagnostic_rerun(verifier, bad, *failed);
  ASSERT_TRUE(found) << to_line(found.error());
  EXPECT_TRUE(has(*found, "exchange")) << *found << failed->diagnostics;
  // And a program without fault passes with the checks in it.
  auto const sound = impl::transforming::with_checked_launches(device_alltoall(), "alltoall.cu");
  ASSERT_TRUE(sound);
  auto const passed = verifier.verify(sound->code, folder_ + "/sound", "sound");
  ASSERT_TRUE(passed) << to_line(passed.error());
  EXPECT_TRUE(passed->verified) << passed->diagnostics;
}

}  // namespace
}  // namespace cuco::testing
