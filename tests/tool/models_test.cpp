// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Runs with a language model as a user starts them: recorded, replayed without a network, limited, with keys
// around. The models are scripts; the wire formats of real ones are tested in llm_wire.
#include <iostream>

#include "tool/database.hpp"
#include "tool/tool.hpp"

namespace cuco::tool_test {
namespace {

constexpr int kGenerations = 20;

/// What the rules made of the all-to-all seed, one text for each stage, as replies.
struct Stages {
  std::string infrastructure, device;
};

std::string fenced(std::string const& code) {
  return "Here it is.\n\n```cuda\n" + code + "```\n";
}

Stages stages_by_rules(TemporaryFolder const& folder) {
  auto const result = cuco(
      Args{"transform", seed("alltoall"), "--api", "lsa", "--schedules", "0", "--out", folder / "rules"} +
      kSmall);
  EXPECT_EQ(result.exit_code, kOk) << result.err;
  return {read_text(folder / "rules/_transform_work/iteration_1.cu"),
          read_text(folder / "rules/_transform_work/iteration_2.cu")};
}

/// One program that is new and right for each number.
std::string small_change(int number) {
  std::string const line = "namespace device_nccl {\n";
  return "<NAME>constant_" + std::to_string(number) +
         "</NAME>\n<DESCRIPTION>one more constant</DESCRIPTION>\n<DIFF>\n<<<<<<< SEARCH\n" + line +
         "=======\n" + line + "constexpr int kConstant" + std::to_string(number) + " = " +
         std::to_string(number) + ";\n>>>>>>> REPLACE\n</DIFF>\n";
}

std::string script(TemporaryFolder const& folder, nlohmann::json const& replies) {
  write_text(folder / "script.json", replies.dump());
  return "scripted:" + (folder / "script.json");
}

Args model_run(std::string const& directory, int generations = kGenerations) {
  return Args{"run",
              seed("alltoall"),
              "--api",
              "lsa",
              "--rewriter",
              "model",
              "--mutators",
              "diff=1",
              "--meta-every",
              "0",
              "--schedules",
              "0",
              "--no-nvcc-check",
              "--generations",
              std::to_string(generations),
              "--dir",
              directory} +
         kSmall;
}

/// The command in a network namespace of its own, where only programs of this machine can be reached.
Args without_network(Args const& args) {
  Args const isolate = {"unshare", "-rn", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"};
  return isolate + Args{CUCO_TOOL} + args;
}

std::string why_no_isolation() {
  for (auto const* program : {"unshare", "ip"})
    if (!find_program(program)) return std::string(program) + " is not installed";
  Command command;
  command.argv = {"unshare", "-rn", "sh", "-c", "ip link set lo up"};
  auto const result = run_process(command);
  return result && result->ok() ? std::string() : "network namespaces are not allowed here";
}

bool holds_times(fs::path const& path) {
  static Args const kNames = {"result.json",
                              "transform_state.json",
                              "transform_summary.json",
                              "events.jsonl",
                              "evolution_run.log",
                              "llm_ledger.jsonl",
                              ".lock"};
  return std::find(kNames.begin(), kNames.end(), path.filename()) != kNames.end() ||
         path.filename().string().starts_with("evolution_db.sqlite");
}

/// Path within the run -> contents, of all files without times of day in them.
std::map<std::string, std::string> artifacts(std::string const& directory) {
  std::map<std::string, std::string> out;
  for (auto const& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file())
      out[fs::relative(entry.path(), directory)] =
          holds_times(entry.path()) ? "with times" : content_hash(read_text(entry.path()));
  return out;
}

/// Files below `folder` that contain `text`.
Args files_with(std::string const& folder, std::string const& text) {
  Args out;
  for (auto const& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && read_text(entry.path()).find(text) != std::string::npos)
      out.push_back(entry.path());
  return out;
}

TEST(ModelRun, ARecordedRunReplaysWithoutANetwork) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  if (auto const why = why_no_isolation(); !why.empty()) GTEST_SKIP() << why;
  TemporaryFolder folder;
  auto const stages = stages_by_rules(folder);
  // A wrong attempt on the way, and replies that are no edits: errors and feedback are part of a recording.
  nlohmann::json replies = {"I cannot do that.", fenced(stages.infrastructure), fenced(stages.device)};
  for (int i = 0; i < kGenerations + 4; ++i) {
    if (i % 5 == 3) replies.push_back("It is fast enough.");
    replies.push_back(small_change(i));
  }
  auto const first = cuco(model_run(folder / "first") +
                          Args{"--model", script(folder, replies), "--record", folder / "record"});
  ASSERT_EQ(first.exit_code, kOk) << first.err;
  fs::remove(folder / "script.json");

  auto const replay = model_run(folder / "second") + Args{"--replay", folder / "record"};
  auto const second = start(without_network(replay));
  ASSERT_EQ(second.exit_code, kOk) << second.err;

  auto const left = contents_of(folder / "first");
  EXPECT_GE(left.at("programs").size(), static_cast<std::size_t>(kGenerations));
  expect_same(left, contents_of(folder / "second"));
  auto const files = artifacts(folder / "first");
  EXPECT_GT(files.size(), 100U);
  auto const again = artifacts(folder / "second");
  for (auto const& [path, hash] : files)
    EXPECT_TRUE(again.count(path) != 0 && again.at(path) == hash) << path << " differs or is missing";
  EXPECT_EQ(files.size(), again.size());
  EXPECT_THAT(
      files,
      testing::Contains(testing::Key("_pre_transform_pipeline/_transform_work/iteration_1.reply.txt")));
}

TEST(ModelRun, ABudgetEndsItCleanlyAndALargerOneGoesOn) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  auto const stages = stages_by_rules(folder);
  auto const with_cost = [](std::string const& text) {
    return nlohmann::json{{"text", text}, {"cost_usd", 0.25}};
  };
  nlohmann::json replies = {with_cost(fenced(stages.infrastructure)), with_cost(fenced(stages.device))};
  for (int i = 0; i < 12; ++i) replies.push_back(with_cost(small_change(i)));
  std::string const model = script(folder, replies);
  // Two stages and two or three proposals; with two slots one more call may be on its way.
  auto const call = [&](char const* usd) {
    return model_run(folder / "run", 8) +
           Args{"--model", model, "--record", folder / "record", "--budget-usd", usd, "--allow-unpriced"};
  };
  auto const spent = [&] {
    double sum = 0;
    std::istringstream ledger(read_text(folder / "run/llm_ledger.jsonl"));
    for (std::string line; std::getline(ledger, line);)
      sum += nlohmann::json::parse(line).at("cost_usd").get<double>();
    return sum;
  };
  auto const first = cuco(call("1.1"));
  EXPECT_EQ(first.exit_code, kOk) << first.err;
  EXPECT_THAT(first.out, testing::HasSubstr("budget"));
  EXPECT_GE(spent(), 1.1);
  EXPECT_LE(spent(), 1.1 + 2 * 0.25);
  auto const json = cuco_json({"show", folder / "run"});
  int const before = json.at("programs");
  EXPECT_GE(before, 2);
  EXPECT_LT(before, 8);

  nlohmann::json more;
  for (int i = 20; i < 40; ++i) more.push_back(with_cost(small_change(i)));
  script(folder, more);
  auto const second = cuco(call("9"));
  EXPECT_EQ(second.exit_code, kOk) << second.err;
  EXPECT_THAT(second.err, testing::HasSubstr("fast path: done before, not repeated"));
  EXPECT_GE(cuco_json({"show", folder / "run"}).at("programs"), 8);
  EXPECT_LE(spent(), 9);
}

TEST(ModelRun, AReplayThatLacksAnAnswerEndsWithAnError) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  auto const stages = stages_by_rules(folder);
  nlohmann::json replies = {fenced(stages.infrastructure), fenced(stages.device)};
  for (int i = 0; i < 3; ++i) replies.push_back(small_change(i));
  auto const first = cuco(model_run(folder / "first", 3) +
                          Args{"--model", script(folder, replies), "--record", folder / "record"});
  ASSERT_EQ(first.exit_code, kOk) << first.err;
  // More generations than were recorded.
  auto const second = cuco(model_run(folder / "second", 6) + Args{"--replay", folder / "record"});
  EXPECT_EQ(second.exit_code, kBadInput) << second.err;
  ASSERT_EQ(error_lines(second.err).size(), 1U) << second.err;
  EXPECT_THAT(error_lines(second.err)[0], testing::HasSubstr("no recorded answer"));
  EXPECT_THAT(second.out, testing::HasSubstr("best program: ")) << "what was found so far is shown";
}

TEST(ModelRun, AModelThatFailsEndsTheRunWhichCanGoOn) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  auto const stages = stages_by_rules(folder);
  nlohmann::json replies = {fenced(stages.infrastructure), fenced(stages.device), small_change(1)};
  auto const call = [&](nlohmann::json const& script_of) {
    return model_run(folder / "run", 4) + Args{"--model", script(folder, script_of)};
  };
  auto const first = cuco(call(replies));  // the script is too short
  EXPECT_NE(first.exit_code, kOk);
  EXPECT_EQ(error_lines(first.err).size(), 1U) << first.err;
  nlohmann::json more;
  for (int i = 10; i < 20; ++i) more.push_back(small_change(i));
  auto const second = cuco(call(more));
  EXPECT_EQ(second.exit_code, kOk) << second.err;
  auto const shown = cuco_json({"show", folder / "run"});
  EXPECT_EQ(shown.at("generations_done"), 4);
  EXPECT_GE(shown.at("programs"), 4) << "no generation was given up";
}

TEST(ModelRun, KeysAreInNoFile) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  std::string const secret = "sk-ant-0123456789abcdefSECRETvalue";
  auto const stages = stages_by_rules(folder);
  // A model that repeats the key, as text and in the code that is kept.
  auto const tell = [&](std::string const& code) {
    return "Your key is " + secret + ".\n" + fenced("// " + secret + "\n" + code);
  };
  std::string const model =
      script(folder, {tell(stages.infrastructure), tell(stages.device), small_change(1)});
  Where const where{{}, {"ANTHROPIC_API_KEY=" + secret}};
  auto const result =
      cuco(model_run(folder / "run", 2) + Args{"--model", model, "--record", folder / "record"}, where);
  EXPECT_EQ(result.exit_code, kOk) << result.err;
  EXPECT_THAT(files_with(folder / "run", secret), testing::IsEmpty());
  EXPECT_THAT(files_with(folder / "record", secret), testing::IsEmpty());
  EXPECT_THAT(result.out + result.err, testing::Not(testing::HasSubstr(secret)));
  EXPECT_THAT(files_with(folder / "run", "[redacted]"), testing::Not(testing::IsEmpty()));
}

TEST(ModelRun, RepliesThatAreNoProgramsEndWithoutOne) {
  CUCO_EVOLVE_NEEDS_MPIRUN();
  TemporaryFolder folder;
  nlohmann::json const replies = {"Barriers are subtle.",
                                  "```python\nprint(1)\n```",
                                  "```cuda\nint main() {}\n```\n```cuda\nint main() { return 1; }\n```",
                                  nlohmann::json{{"text", "```cuda\n#include <cstdio"}, {"finish", "length"}},
                                  std::string(1 << 20, '{'),
                                  "<<<<<<< SEARCH\nint",
                                  fenced("int main() { return 0; }\n"),
                                  fenced(read_text(seed("alltoall"))),
                                  "",
                                  "?",
                                  "?",
                                  "?"};
  auto const call = Args{"transform",
                         seed("alltoall"),
                         "--api",
                         "lsa",
                         "--rewriter",
                         "model",
                         "--model",
                         script(folder, replies),
                         "--schedules",
                         "0",
                         "--out",
                         folder / "out"} +
                    kSmall;
  auto const result = cuco(call);
  EXPECT_EQ(result.exit_code, kNotVerified) << result.err;
  EXPECT_EQ(error_lines(result.err).size(), 1U) << result.err;
  EXPECT_FALSE(fs::exists(folder / "out/alltoall_device.cu"));
}

TEST(ModelRun, WhatMakesNoSenseIsToldBeforeAnythingRuns) {
  TemporaryFolder folder;
  std::string const model = script(folder, {"a"});
  write_text(folder / "bad.json", "{");
  write_text(folder / "number.json", "[1]");
  auto const transform =
      Args{"transform", seed("alltoall"), "--api", "lsa", "--out", folder / "out"} + kSmall;
  Where const no_keys{{}, {"ANTHROPIC_API_KEY=", "ANTHROPIC_AUTH_TOKEN="}};
  expect_fails(kBadInput, transform + Args{"--model", "claude"}, {"'claude' is not provider:model"});
  expect_fails(
      kBadInput, transform + Args{"--model", "nobody:claude"}, {"unknown provider 'nobody'", "anthropic"});
  expect_fails(kBadInput, transform + Args{"--model", model + "=0"}, {"'0' is no weight"});
  expect_fails(kRefused,
               transform + Args{"--model", "anthropic:claude-sonnet-4-6"},
               {"no key", "ANTHROPIC_API_KEY"},
               no_keys);
  expect_fails(kBadInput, transform + Args{"--replay", folder / "nowhere"}, {"nowhere", "recording"});
  expect_fails(kBadInput, transform + Args{"--record", folder / "r"}, {"no model to record"});
  expect_fails(kBadInput, transform + Args{"--budget-usd", "3"}, {"no model"});
  auto const agent = transform + Args{"--rewriter", "agent"};
  expect_fails(kBadInput, agent + Args{"--model", model, "--record", folder / "r"}, {"agent", "recorded"});
  expect_fails(kBadInput, agent + Args{"--model", model, "--budget-usd", "1"}, {"agent", "budget"});
  expect_fails(kBadInput, transform + Args{"--rewriter", "model"}, {"without a model", "--model"});
  expect_fails(kBadInput,
               transform + Args{"--model", "scripted:" + (folder / "bad.json")},
               {"bad.json", "JSON array"});
  expect_fails(
      kBadInput, transform + Args{"--model", "scripted:" + (folder / "number.json")}, {"neither a text"});
  auto const run = run_call(folder / "run", 2);
  expect_fails(kBadInput, run + Args{"--mutators", "diff=1"}, {"--mutators without a model"});
  expect_fails(
      kBadInput, run + Args{"--model", model, "--mutators", "wish=1"}, {"no mutator 'wish'", "diff=0.2"});
  expect_fails(kBadInput, run + Args{"--model", model, "--mutators", "diff=0"}, {"no weight is above 0"});
  expect_fails(kBadInput, run + Args{"--model", model, "--task", "@" + (folder / "none.txt")}, {"none.txt"});
  for (auto const& name : {"out", "run"}) {
    if (!fs::exists(folder / name)) continue;
    EXPECT_THAT(files_with(folder / name, "// SPDX"), testing::IsEmpty()) << "a program was begun";
  }
}

TEST(ModelsCommand, TellsWhatIsConfiguredAndNoKey) {
  std::string const secret = "sk-0123456789abcdefSECRETvalue";
  Where const where{{}, {"OPENAI_API_KEY=" + secret, "ANTHROPIC_API_KEY="}};
  auto const text = cuco({"models"}, where);
  EXPECT_EQ(text.exit_code, kOk) << text.err;
  EXPECT_THAT(text.out + text.err, testing::Not(testing::HasSubstr(secret)));
  EXPECT_THAT(text.out, testing::HasSubstr("ANTHROPIC_API_KEY"));
  auto const json = cuco_json({"models"}, kOk, where);
  std::map<std::string, std::string> states;
  for (auto const& provider : json.at("providers")) states[provider.at("name")] = provider.at("state");
  EXPECT_EQ(states.at("openai"), "configured");
  EXPECT_EQ(states.at("anthropic"), "not configured");
}

}  // namespace
}  // namespace cuco::tool_test
