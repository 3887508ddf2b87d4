// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "compose.hpp"
#include "cuco/core/atomic_file.hpp"

namespace cuco::tool {
namespace {

struct Texts {
  std::string reference;
  std::string hardware;
};

template <Api A>
LlmRewriter<A> model_rewriter(Models const& models, Texts const& texts) {
  LlmRewriterOptions options;
  options.effort = models.effort;
  options.reference = texts.reference;
  options.hardware = texts.hardware;
  return LlmRewriter<A>(models.backend, std::move(options));
}

template <Api A>
Result<PipelineResult> run_for(Devices const& devices,
                               TransformOptions const& options,
                               RewriterChoice const& choice,
                               Models const& models,
                               Texts const& texts,
                               SourceProgram const& program,
                               std::string const& output_directory) {
  auto const run = [&](auto rewriter) {
    PipelineModels steps;
    TransformOptions with = options;
    if (models && choice.model_steps) {
      LlmStepOptions step;
      step.effort = models.effort;
      steps.markers = with.markers = LlmMarkers{models.backend, step};
      steps.warmup = LlmWarmup{models.backend, step};
    }
    using R = decltype(rewriter);
    return Pipeline{Transformer<A, R>{std::move(rewriter), devices, std::move(with)},
                    {"analyze", "host_to_device", "evolve_markers", "warmup"},
                    std::move(steps)}
        .run(program, output_directory);
  };
  if (choice.rewriter == "agent") {
    AgentOptions agent = claude_agent(choice.agent_model);
    agent.reference = texts.reference;
    agent.hardware = texts.hardware;
    std::error_code unknown;
    agent.instructions =
        agent_instructions(devices, std::filesystem::read_symlink("/proc/self/exe", unknown).string());
    agent.pass_environment = choice.agent_environment;
    return run(AgentRewriter<A>{std::move(agent)});
  }
  if (choice.rewriter == "model") return run(model_rewriter<A>(models, texts));
  if (choice.rewriter == "auto" && models)
    return run(FirstThat{RuleRewriter<A>{}, model_rewriter<A>(models, texts)});
  return run(RuleRewriter<A>{});
}

}  // namespace

void add_rewriter_choice(CLI::App& app, RewriterChoice& choice) {
  app.add_option("--rewriter",
                 choice.rewriter,
                 "Who rewrites: rules, model, agent (the claude command line, whose cost is not limited), or "
                 "auto: the rules, and the model where they stop")
      ->check(CLI::IsMember({"auto", "rules", "model", "agent"}))
      ->capture_default_str();
  app.add_option(
      "--reference", choice.reference, "Device-initiated program for models and agents to learn from");
  app.add_flag("--single-stage", choice.single_stage, "With a model: infrastructure and kernels in one step");
  app.add_flag("--model-steps", choice.model_steps, "Markers and warm-up by the model, checked by the rules");
  app.add_option("--agent-model", choice.agent_model, "Model of the agent, in its own naming");
  app.add_option(
      "--agent-environment", choice.agent_environment, "Variables that the agent may see, such as its key");
}

Status check(RewriterChoice const& choice, ModelChoice const& asked, Models const& models) {
  if (choice.rewriter == "agent") {
    // An agent is a program of its own: it reaches the network, and what it says is not a call that could be
    // recorded.
    if (!asked.record.empty() || !asked.replay.empty())
      return fail(
          ErrorCode::kInvalidArgument,
          std::string("an agent's work cannot be ") + (asked.replay.empty() ? "recorded" : "replayed"),
          "use --rewriter model, or leave the option out");
    if ((asked.budget_usd > 0 || asked.budget_tokens > 0) && !asked.allow_unpriced)
      return fail(ErrorCode::kInvalidArgument,
                  "what an agent spends is not counted, so a budget cannot be kept",
                  "use --rewriter model, or --allow-unpriced to limit the other calls only");
  }
  if (models) return {};
  if (choice.rewriter == "model" || choice.model_steps)
    return fail(
        ErrorCode::kInvalidArgument,
        choice.rewriter == "model" ? "--rewriter model without a model" : "--model-steps without a model",
        "name one with --model");
  return {};
}

std::string hardware_text(Devices const& devices, int ranks) {
  return fmt::format("- {} ranks, one GPU each; times are {}\n- {}",
                     ranks,
                     devices.is_emulated() ? "modelled from the machine's description" : "measured",
                     fmt::join(devices.facts(), "\n- "));
}

Result<PipelineResult> run_pipeline(Api api,
                                    Devices const& devices,
                                    TransformOptions options,
                                    RewriterChoice const& choice,
                                    Models const& models,
                                    SourceProgram const& program,
                                    std::string const& output_directory) {
  Texts texts;
  texts.hardware = hardware_text(devices, options.ranks);
  if (!choice.reference.empty()) {
    auto reference = read_file(choice.reference);
    if (!reference) return forward_error(std::move(reference));
    texts.reference = *std::move(reference);
  }
  options.single_stage = choice.single_stage;
  // What was paid for is not asked again.
  options.resume = static_cast<bool>(models) || choice.rewriter == "agent";
  if (api == Api::LSA)
    return run_for<Api::LSA>(devices, options, choice, models, texts, program, output_directory);
  if (api == Api::GIN)
    return run_for<Api::GIN>(devices, options, choice, models, texts, program, output_directory);
  return run_for<Api::Auto>(devices, options, choice, models, texts, program, output_directory);
}

}  // namespace cuco::tool
