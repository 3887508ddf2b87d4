// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/transform/agent_rewriter.hpp"
#include "cuco/analysis/analyzer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "transform_llm/model_run.hpp"

namespace cuco::testing {
namespace {

class AgentTest : public ModelRun {
 protected:
  void SetUp() override {
    ModelRun::SetUp();
    std::filesystem::create_directories(folder_ + "/agents");
    std::filesystem::create_directories(folder_ + "/kept");
    std::filesystem::create_directories(folder_ + "/seen");
  }
  /// An agent that is a shell script. Besides its own folder it may write to `seen`.
  [[nodiscard]] AgentOptions script(std::string const& text) const {
    AgentOptions o;
    o.argv = {"/bin/sh", "-c", text};
    o.called = "agent sh";
    o.prompts = std::string(CUCO_SOURCE_DIR) + "/prompts";
    o.folders_in = folder_ + "/agents";
    o.writable = {folder_ + "/seen"};
    o.deadline = std::chrono::seconds(20);
    return o;
  }
  [[nodiscard]] Result<Rewrite> ask(AgentOptions const& o) {
    auto const report = Analyzer{}.analyze(program_.code).value();
    RewriteRequest request{program_.code, program_.path, report, TransformStage::kDevice};
    request.artifacts = folder_ + "/kept/iteration_1";
    request.args = {"4096"};
    auto out = AgentRewriter<Api::LSA>{o}.rewrite(request);
    EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/agents")) << "its folder is gone";
    return out;
  }
  [[nodiscard]] std::string problem(std::string const& text) {
    auto const out = ask(script(text));
    if (!out) return "error: " + to_line(out.error());
    EXPECT_EQ(out->code, "");
    EXPECT_FALSE(out->cost_usd) << "what an agent costs is not known";
    return out->problem;
  }
  [[nodiscard]] std::string put(std::string const& name, std::string const& text) const {
    EXPECT_TRUE(write_file_atomic(folder_ + "/" + name, text));
    return folder_ + "/" + name;
  }
};

TEST_F(AgentTest, TakesTheFileItWrites) {
  std::string const answer = put("answer.cu", device_alltoall());
  auto const out = ask(script("cat > task_seen; cp " + answer + " alltoall_device.cu; cp task_seen " +
                              folder_ + "/seen/task; cp TASK.md " + folder_ +
                              "/seen/task_file; cp alltoall.cu " + folder_ + "/seen/given"));
  ASSERT_TRUE(out) << to_line(out.error());
  EXPECT_EQ(out->problem, "");
  EXPECT_EQ(out->code, device_alltoall());
  EXPECT_EQ(out->by, "agent sh");
  EXPECT_FALSE(out->by_rules);
  std::string const task = file("seen/task");
  EXPECT_EQ(file("seen/task_file"), task);
  EXPECT_EQ(file("seen/given"), program_.code);
  EXPECT_TRUE(has(task, "Write the rewritten program to alltoall_device.cu"));
  EXPECT_TRUE(has(task, "Replace every host collective"));
  EXPECT_TRUE(has(task, "ncclGetLsaPointer"));
  EXPECT_TRUE(has(task, "mpirun -np 2 ./alltoall_device 4096"));
  EXPECT_EQ(file("kept/iteration_1.prompt.txt"), task);
}

TEST_F(AgentTest, NoFileIsAFailedAttempt) {
  EXPECT_TRUE(has(problem("echo done"), "left no alltoall_device.cu"));
  EXPECT_TRUE(has(problem("echo why >&2; exit 3"), "exit code 3"));
  EXPECT_TRUE(has(problem("echo why >&2; exit 3"), "why")) << "with what it said";
  EXPECT_TRUE(has(problem("cp alltoall.cu alltoall_device.cu; exit 1"), "exit code 1")) << "whatever it left";
  EXPECT_TRUE(has(problem("cp alltoall.cu alltoall_device.cu"), "is the program it was given"));
  EXPECT_TRUE(has(problem("(echo '// better'; cat alltoall.cu) > alltoall_device.cu"),
                  "is the program it was given"));
  EXPECT_TRUE(has(problem(": > alltoall_device.cu"), "is empty"));
  EXPECT_TRUE(has(problem("head -c 9000000 /dev/zero > alltoall_device.cu"), "larger"));
}

TEST_F(AgentTest, AFileOfAnotherPlaceIsNotTaken) {
  std::string const answer = put("answer.cu", device_alltoall());
  EXPECT_TRUE(has(problem("ln -s " + answer + " alltoall_device.cu"), "not a plain file of its folder"));
  EXPECT_TRUE(has(problem("mkdir alltoall_device.cu"), "not a plain file of its folder"));
  EXPECT_TRUE(has(problem("mkfifo alltoall_device.cu"), "not a plain file of its folder"));
  EXPECT_TRUE(has(problem("cp " + answer + " ../elsewhere.cu; rm -f ../elsewhere.cu"), "left no"));
}

TEST_F(AgentTest, TheDeadlineEndsItAndAllItStarted) {
  auto o = script("(sleep 30; echo late > " + folder_ + "/seen/late) & sleep 30");
  o.deadline = std::chrono::milliseconds(200);
  auto const start = std::chrono::steady_clock::now();
  auto const out = ask(o);
  ASSERT_TRUE(out) << to_line(out.error());
  EXPECT_TRUE(has(out->problem, "timed out"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
  EXPECT_EQ(file("seen/late"), "no seen/late");
}

TEST_F(AgentTest, ItGetsTheEnvironmentThatTheUserNames) {
  ::setenv("CUCO_TEST_SECRET_KEY", "not for it", 1);
  ::setenv("CUCO_TEST_AGENT_KEY", "for it", 1);
  auto o = script("env > " + folder_ + "/seen/environment");
  o.pass_environment = {"CUCO_TEST_AGENT_KEY", "CUCO_TEST_NOT_SET"};
  ASSERT_TRUE(ask(o));
  std::string const seen = file("seen/environment");
  EXPECT_TRUE(has(seen, "CUCO_TEST_AGENT_KEY=for it"));
  EXPECT_TRUE(has(seen, "HOME="));
  EXPECT_FALSE(has(seen, "SECRET_KEY"));
  EXPECT_FALSE(has(seen, "NOT_SET"));
  ::unsetenv("CUCO_TEST_SECRET_KEY");
  ::unsetenv("CUCO_TEST_AGENT_KEY");
}

TEST_F(AgentTest, ArgumentsNameItsFiles) {
  auto o = script("");
  o.argv = {"/bin/sh",
            "-c",
            "cp \"$1\" \"$2\"; printf x >> \"$2\"; test \"$3\" = \"$PWD\"",
            "sh",
            "{{source}}",
            "{{result}}",
            "{{folder}}"};
  auto const out = ask(o);
  ASSERT_TRUE(out) << to_line(out.error());
  EXPECT_EQ(out->code, program_.code + "x");
}

TEST_F(AgentTest, AMissingCommandIsAnError) {
  auto o = script("");
  o.argv = {"cuco-no-such-agent"};
  auto const out = ask(o);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, ErrorCode::kToolMissing);
}

TEST_F(AgentTest, WhatItMadeIsVerifiedLikeAnythingElse) {
  std::string const a = put("a.cu", infrastructure_alltoall());
  std::string const wrong =
      put("wrong.cu", with_changes(device_alltoall(), {{"dev.rank * count", "0 * count"}}));
  std::string const right = put("right.cu", device_alltoall());
  verifier_.verdict = [](VerifyOutcome& out, auto const& asked) {
    if (has(asked.code, "0 * count")) is_wrong(out);
  };
  // Stage A; then a wrong program whose author is sure of it; then, told so, a right one.
  auto o = script("if grep -q 'The host collectives stay' TASK.md; then cp " + a +
                  " alltoall_device.cu; elif grep -q "
                  "'Verification: FAIL' TASK.md; then cp " +
                  right + " alltoall_device.cu; else cp " + wrong +
                  " alltoall_device.cu; echo 'Verification: PASS'; fi");
  auto const result =
      Transformer<Api::LSA, AgentRewriter<Api::LSA>, ModelVerifier>{
          AgentRewriter<Api::LSA>{o}, verifier_, options()}
          .transform(program_);
  ASSERT_TRUE(result) << to_line(result.error());
  EXPECT_EQ(verifier_.labels(),
            (std::vector<std::string>{"input", "iteration_1", "iteration_2", "iteration_3"}));
  EXPECT_EQ(result->iterations[3].rewriter, "agent sh");
  EXPECT_FALSE(result->cost_usd);
  EXPECT_TRUE(has(file("iteration_2.reply.txt"), "Verification: PASS"));
}

TEST_F(AgentTest, WhatIsKeptHasNoSecrets) {
  ::setenv("CUCO_TEST_AGENT_KEY", "a-key-of-many-letters", 1);
  auto o = script("echo said $CUCO_TEST_AGENT_KEY; echo wrote $CUCO_TEST_AGENT_KEY >&2; exit 1");
  o.pass_environment = {"CUCO_TEST_AGENT_KEY"};
  auto const out = ask(o);
  ASSERT_TRUE(out) << to_line(out.error());
  EXPECT_TRUE(has(out->problem, "wrote [redacted]")) << out->problem;
  EXPECT_FALSE(has(out->problem, "many-letters"));
  EXPECT_EQ(file("kept/iteration_1.reply.txt"), "said [redacted]\nwrote [redacted]\n");
  ::unsetenv("CUCO_TEST_AGENT_KEY");
}

TEST_F(AgentTest, InstructionsAreThoseOfTheDevices) {
  auto o = script("cat > " + folder_ + "/seen/task; exit 1");
  o.instructions = agent_instructions(Devices::emulated());
  ASSERT_TRUE(ask(o));
  std::string const emulated = file("seen/task");
  EXPECT_TRUE(has(emulated, "its GPUs are emulated"));
  EXPECT_TRUE(has(emulated, "with 2 ranks (alltoall_device 4096)"));
  EXPECT_FALSE(has(emulated, "mpirun -np"));
  EXPECT_FALSE(has(emulated, "{{"));
  o.instructions = agent_instructions(Devices::emulated(), "/opt/bin/cuco");
  ASSERT_TRUE(ask(o));
  EXPECT_TRUE(has(file("seen/task"), "    /opt/bin/cuco check alltoall_device.cu --np 2 --args \" 4096\""));
  o.instructions = agent_instructions(Devices::cuda());
  ASSERT_TRUE(ask(o));
  EXPECT_TRUE(has(file("seen/task"), "mpirun -np 2 ./alltoall_device 4096"));
}

/// Where the machine lets it.
TEST_F(AgentTest, ItWritesToItsFolderOnly) {
  bool const works = !impl::transforming::isolated({"true"}, folder_, {}).empty();
  auto o = script("echo x > " + folder_ +
                  "/outside; cp alltoall.cu alltoall_device.cu; echo x >> alltoall_device.cu");
  auto const out = ask(o);
  ASSERT_TRUE(out) << to_line(out.error());
  EXPECT_EQ(out->problem, "");
  ASSERT_FALSE(out->changes.empty());
  EXPECT_EQ(has(out->changes[0].why, "a folder of its own only"), works) << out->changes[0].why;
  EXPECT_EQ(file("outside") == "no outside", works);
}

TEST(ClaudeAgent, HasNoUnlimitedPermissions) {
  auto const o = claude_agent("some-model");
  for (auto const& word : o.argv) EXPECT_EQ(word.find("dangerously"), std::string::npos);
  EXPECT_EQ(o.argv.back(), "some-model");
  EXPECT_EQ(o.called, "agent claude some-model");
}

}  // namespace
}  // namespace cuco::testing
