// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// The templates of the transformation: all are used, every placeholder is filled, and they are short enough
/// to be read.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cuco/llm/prompt_library.hpp"
#include "cuco/transform/impl/conversation.hpp"
#include "transform_llm/model_run.hpp"

namespace cuco::testing {
namespace {

PromptLibrary const& library() {
  static auto const loaded = PromptLibrary::load(std::string(CUCO_SOURCE_DIR) + "/prompts").value();
  return loaded;
}

/// Placeholders of each template; what the code fills, and nothing else.
std::map<std::string, std::set<std::string>> const& expected() {
  static std::map<std::string, std::set<std::string>> const all{
      {"transform_system", {"api_card", "hardware"}},
      {"transform_first", {"program", "analysis", "reference", "task"}},
      {"transform_retry", {"outcome", "diagnosis", "history", "task"}},
      {"transform_task_infrastructure", {"api_part", "place"}},
      {"transform_task_infrastructure_first", {}},
      {"transform_task_infrastructure_lsa", {}},
      {"transform_task_infrastructure_gin", {}},
      {"transform_task_infrastructure_auto", {}},
      {"transform_task_device", {"api_part", "place"}},
      {"transform_task_device_second", {}},
      {"transform_task_device_lsa", {}},
      {"transform_task_device_gin", {}},
      {"transform_task_device_auto", {"lsa", "gin"}},
      {"transform_task_single", {"infrastructure", "device"}},
      {"transform_judge_system", {"api_card"}},
      {"transform_judge", {"task", "original", "program", "outcome"}},
      {"transform_agent",
       {"file", "result", "system", "analysis", "reference", "task", "history", "instructions"}},
      {"transform_markers", {"program"}},
      {"transform_warmup", {"program"}}};
  return all;
}

TEST(TransformPrompts, AreTheOnesThatTheCodeFills) {
  std::set<std::string> found;
  for (auto const& name : library().names()) {
    if (name.rfind("transform_", 0) != 0) continue;
    found.insert(name);
    ASSERT_TRUE(expected().count(name)) << name << " is used by nothing";
    auto const placeholders = library().placeholders(name).value();
    EXPECT_EQ(std::set<std::string>(placeholders.begin(), placeholders.end()), expected().at(name)) << name;
  }
  EXPECT_EQ(found.size(), expected().size());
}

TEST(TransformPrompts, FillWithoutARest) {
  for (Api api : {Api::LSA, Api::GIN, Api::Auto}) {
    for (auto stage : {TransformStage::kInfrastructure, TransformStage::kDevice, TransformStage::kSingle}) {
      auto const task = impl::transforming::stage_task(library(), api, stage);
      ASSERT_TRUE(task) << to_line(task.error());
      EXPECT_FALSE(has(*task, "{{")) << *task;
      EXPECT_FALSE(has(*task, "#!"));
      EXPECT_LT(task->size(), 12000U) << to_string(api) << ", " << to_string(stage);
    }
    std::string const none;
    auto const system = impl::transforming::system_text({library(), api, none, none});
    ASSERT_TRUE(system) << to_line(system.error());
    EXPECT_LT(system->size(), 16000U);
  }
}

/// What goes wrong most often, said rightly.
TEST(TransformPrompts, TeachTheRulesOfSynchronisation) {
  auto const task = [](Api api, TransformStage stage) {
    return impl::transforming::stage_task(library(), api, stage).value();
  };
  std::string const gin = task(Api::GIN, TransformStage::kDevice);
  EXPECT_TRUE(has(gin, "The baseline is read before the opening barrier"));
  EXPECT_TRUE(
      has(gin, "flush says that my sources may be overwritten. It does not say that the data has arrived"));
  EXPECT_TRUE(has(gin, "advance the shadow on every use of the signal, in warm-up rounds too"));
  EXPECT_TRUE(has(gin, "putValue"));
  std::string const lsa = task(Api::LSA, TransformStage::kDevice);
  EXPECT_TRUE(has(lsa, "the barrier between them needs cuda::memory_order_acq_rel"));
  for (std::string const name : {"putValue", "waitSignal", "ncclGin "}) EXPECT_FALSE(has(lsa, name)) << name;
  std::string const a = task(Api::GIN, TransformStage::kInfrastructure);
  EXPECT_TRUE(has(a, "cudaGetLastError"));
  EXPECT_TRUE(has(a, "ginSignalCount"));
  EXPECT_FALSE(has(a, "lsaBarrierCount"));
}

TEST(TransformPrompts, OneStepKnowsNoOther) {
  for (Api api : {Api::LSA, Api::GIN, Api::Auto}) {
    auto const one = impl::transforming::stage_task(library(), api, TransformStage::kSingle).value();
    for (char const* text : {"two steps", "next step", "are there.", "collectives stay"})
      EXPECT_FALSE(has(one, text)) << text;
    auto const second = impl::transforming::stage_task(library(), api, TransformStage::kDevice).value();
    EXPECT_EQ(second.find(
                  "This is the second of two steps: the kernels. Windows and device communicator are there. "
                  "Replace every host collective"),
              0U)
        << second.substr(0, 200);
    auto const first =
        impl::transforming::stage_task(library(), api, TransformStage::kInfrastructure).value();
    EXPECT_TRUE(has(first, "write no communicating kernel yet.\n\n1. Include")) << first.substr(0, 400);
  }
}

TEST(TransformPrompts, FittedNumbersAreCalledSo) {
  auto const text = library().fill("hardware", {{"facts", "none"}}).value();
  EXPECT_TRUE(has(text, "1.6 us"));
  EXPECT_TRUE(has(text, "not measured one by one"));
}

TEST(TransformPrompts, ProseIsShortAndHasNoCode) {
  using impl::transforming::prose;
  EXPECT_EQ(prose("  one two\n```\ncode\n```\nthree ", 200), "one two\nthree");
  EXPECT_EQ(prose("one two three four", 2), "one two [...]");
  EXPECT_EQ(prose("", 5), "");
  std::string many;
  for (int i = 0; i < 500; ++i) many += "word ";
  EXPECT_LE(prose(many, 200).size(), 200 * 5 + 5U);
}

}  // namespace
}  // namespace cuco::testing
