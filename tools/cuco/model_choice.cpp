// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "model_choice.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/llm/asymmetric_ucb.hpp"
#include "cuco/llm/budgeted.hpp"
#include "cuco/llm/cost_aware_ucb.hpp"
#include "cuco/llm/ensemble.hpp"
#include "cuco/llm/make_backend.hpp"
#include "cuco/llm/model_prices.hpp"
#include "cuco/llm/priced.hpp"
#include "cuco/llm/recorded.hpp"
#include "cuco/llm/replay_backend.hpp"
#include "cuco/llm/retrying.hpp"
#include "cuco/llm/scripted_backend.hpp"
#include "cuco/llm/thompson_policy.hpp"
#include "cuco/llm/uniform_policy.hpp"
#include "cuco/llm/weighted_policy.hpp"
#include "interrupt.hpp"

namespace cuco::tool {
namespace {

struct Arm {
  std::string name;
  double weight = 1;
};

/// `provider:model=2.5`. Model names may hold colons, dots and slashes, but no `=`.
Result<Arm> read_arm(std::string const& text) {
  auto const equals = text.rfind('=');
  Arm arm{text.substr(0, equals), 1};
  if (arm.name.find(':') == std::string::npos)
    return fail(ErrorCode::kInvalidArgument,
                "'" + text + "' is not provider:model",
                "write for example anthropic:claude-sonnet-4-6; cuco models lists the providers");
  if (equals == std::string::npos) return arm;
  std::string const number = text.substr(equals + 1);
  auto const [end, error] = std::from_chars(number.data(), number.data() + number.size(), arm.weight);
  if (error != std::errc{} || end != number.data() + number.size() || !(arm.weight > 0))
    return fail(ErrorCode::kInvalidArgument, "'" + number + "' is no weight", "use a number above 0");
  return arm;
}

/// The answers of a script: a JSON array of texts, or of objects with `text` and, if wanted, `finish`
/// ("length" for a reply that was cut off) and `cost_usd`.
Result<AnyBackend> read_script(std::string const& path) {
  auto const text = read_file(path);
  if (!text) return tl::unexpected<Error>(text.error());
  auto const json = nlohmann::json::parse(*text, nullptr, false);
  auto const bad = [&](std::string const& cause) {
    return fail_at(ErrorCode::kParse, path, 0, cause, "write a JSON array of replies");
  };
  if (!json.is_array()) return bad("is not a JSON array");
  std::vector<ScriptedBackend::Answer> answers;
  for (auto const& item : json) {
    ChatReply reply;
    reply.cost_usd = 0;
    if (item.is_string()) {
      reply.text = item.get<std::string>();
    } else if (item.is_object() && item.value("text", nlohmann::json()).is_string()) {
      reply.text = item["text"].get<std::string>();
      if (item.value("finish", nlohmann::json()) == "length") reply.finish = FinishReason::kLength;
      if (auto const cost = item.find("cost_usd"); cost != item.end()) {
        if (!cost->is_number() || cost->get<double>() < 0) return bad("has a cost that is no number");
        reply.cost_usd = cost->get<double>();
      }
    } else {
      return bad("has an element that is neither a text nor an object with a text");
    }
    answers.emplace_back(std::move(reply));
  }
  return AnyBackend(ScriptedBackend(std::move(answers)));
}

Result<AnyBackend> open_arm(Arm const& arm, ModelChoice const& choice) {
  constexpr std::string_view kScript = "scripted:";
  if (arm.name.starts_with(kScript)) return read_script(arm.name.substr(kScript.size()));
  BackendOptions options;
  options.base_url = choice.base_url;
  options.key_file = choice.key_file;
  options.ca_file = choice.ca_file;
  options.cancel = &interrupted();
  return make_backend(arm.name, options);
}

template <class Policy>
void use_ensemble(Models& out, std::vector<AnyBackend> arms, Policy policy, std::uint64_t seed) {
  Ensemble<Policy> ensemble(
      std::move(arms), std::move(policy), EnsembleOptions{.seed = seed, .next_on_error = true});
  out.observers.emplace_back(
      [observer = ensemble.observer()](Event const& event) mutable { observer.on(event); });
  out.adviser = AnyBackend(ensemble.aside());
  out.backend = AnyBackend(std::move(ensemble));
}

Status choose_among(Models& out,
                    std::vector<AnyBackend> arms,
                    std::vector<double> const& weights,
                    std::string const& policy,
                    std::uint64_t seed) {
  if (arms.size() == 1) {
    out.backend = std::move(arms[0]);
    out.adviser = out.backend;
  } else if (policy == "weighted") {
    use_ensemble(out, std::move(arms), WeightedPolicy(weights), seed);
  } else if (policy == "ucb") {
    use_ensemble(out, std::move(arms), AsymmetricUcb{}, seed);
  } else if (policy == "cost_ucb") {
    use_ensemble(out, std::move(arms), CostAwareUcb{}, seed);
  } else if (policy == "thompson") {
    use_ensemble(out, std::move(arms), ThompsonPolicy{}, seed);
  } else {
    use_ensemble(out, std::move(arms), UniformPolicy{}, seed);
  }
  return {};
}

Effort effort_named(std::string const& text) {
  for (Effort const effort : {Effort::kNone, Effort::kLow, Effort::kMedium, Effort::kHigh, Effort::kMax})
    if (text == to_string(effort)) return effort;
  return Effort::kDefault;
}

}  // namespace

void add_model_choice(CLI::App& app, ModelChoice& choice) {
  auto* model = app.add_option(
      "--model",
      choice.models,
      "Language model, provider:model, or provider:model=WEIGHT; several share the work. See cuco models");
  app.add_option("--model-policy", choice.policy, "How one of several models is chosen")
      ->check(CLI::IsMember({"uniform", "weighted", "ucb", "cost_ucb", "thompson"}))
      ->capture_default_str();
  app.add_option("--effort", choice.effort, "How long models think")
      ->check(CLI::IsMember({"default", "none", "low", "medium", "high", "max"}))
      ->capture_default_str();
  app.add_option("--budget-usd", choice.budget_usd, "Stop asking models when so much is spent; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--budget-tokens", choice.budget_tokens, "The same in tokens; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--allow-unpriced",
               choice.allow_unpriced,
               "With --budget-usd: ask models of unknown price too, whose cost is not limited");
  app.add_option("--prices", choice.prices, "TOML file with prices of models, besides those that are known");
  auto* record =
      app.add_option("--record", choice.record, "Folder that gets every call to a model and its answer");
  app.add_option(
         "--replay", choice.replay, "Folder of an earlier --record: its answers, and no model and no network")
      ->excludes(record);
  app.add_option(
      "--key-file", choice.key_file, "File of NAME=value lines with keys, read before the environment");
  app.add_option("--base-url", choice.base_url, "Address of the provider, in place of its usual one")
      ->needs(model);
  app.add_option(
      "--ca-file", choice.ca_file, "PEM file with the authorities to trust, in place of the system's");
}

Result<Models> make_models(ModelChoice const& choice, std::uint64_t seed, std::string const& ledger) {
  Models out;
  out.effort = effort_named(choice.effort);
  if (!choice.any()) {
    if (!choice.record.empty() || choice.budget_usd > 0 || choice.budget_tokens > 0)
      return fail(ErrorCode::kInvalidArgument,
                  "there is no model to record or to limit",
                  "name one with --model, or leave the option out");
    return out;
  }
  auto prices = ModelPrices::load(choice.prices);
  if (!prices) return forward_error(std::move(prices));

  std::optional<Recording> recording;
  if (std::string const& path = choice.replay.empty() ? choice.record : choice.replay; !path.empty()) {
    auto opened =
        Recording::open(path, choice.replay.empty() ? Recording::Use::kRecord : Recording::Use::kReplay);
    if (!opened) return forward_error(std::move(opened));
    recording = *std::move(opened);
    out.observers.emplace_back(
        [observer = recording->observer()](Event const& event) mutable { observer.on(event); });
  }
  std::vector<Arm> wanted;
  std::string policy = choice.policy;
  for (std::string const& text : choice.models) {
    auto arm = read_arm(text);
    if (!arm) return forward_error(std::move(arm));
    wanted.push_back(*std::move(arm));
  }
  if (wanted.empty() && recording->setup()) {
    auto const setup = *recording->setup();
    for (auto const& arm : setup.arms) wanted.push_back({arm.model, arm.weight});
    if (!setup.policy.empty()) policy = setup.policy;
    out.effort = setup.effort;
  } else if (wanted.empty()) {
    for (auto const& name : recording->models()) wanted.push_back({name});
  }
  std::vector<AnyBackend> arms;
  std::vector<double> weights;
  RecordingSetup setup{{}, policy, out.effort};
  for (Arm const& one : wanted) {
    auto const* const arm = &one;
    weights.push_back(arm->weight);
    if (!choice.replay.empty()) {
      // A script has one name, whatever its file is called.
      std::string const name = arm->name.starts_with("scripted:") ? ScriptedBackend::model() : arm->name;
      arms.emplace_back(ReplayBackend(*recording, name));
      out.names.push_back(name);
      continue;
    }
    auto opened = open_arm(*arm, choice);
    if (!opened) return forward_error(std::move(opened));
    out.names.push_back(opened->model());
    setup.arms.push_back({opened->model(), arm->weight});
    // Prices inside, so that a replay tells what the calls cost then.
    Priced priced{*std::move(opened), *prices};
    if (recording) {
      arms.emplace_back(Recorded{std::move(priced), *recording});
    } else {
      arms.emplace_back(std::move(priced));
    }
  }
  if (arms.empty())
    return fail_at(ErrorCode::kParse, choice.replay, 0, "the recording holds no calls", "record a run first");
  if (recording && choice.replay.empty())
    if (Status written = recording->set_up(setup); !written) return forward_error(std::move(written));
  if (auto done = choose_among(out, std::move(arms), weights, policy, seed); !done)
    return forward_error(std::move(done));

  Budget budget;
  if (choice.budget_usd > 0) budget.usd = choice.budget_usd;
  if (choice.budget_tokens > 0) budget.tokens = choice.budget_tokens;
  Budgeted budgeted{
      std::move(out.backend),
      budget,
      BudgetOptions{.ledger = ledger, .allow_unpriced = choice.allow_unpriced, .prices = *prices}};
  out.spent = [budgeted] { return budgeted.spent(); };
  RetryOptions retry;
  retry.seed = seed;
  retry.cancel = &interrupted();
  if (!choice.replay.empty()) retry.sleep = [](std::chrono::milliseconds) {};
  out.adviser = AnyBackend(Retrying{budgeted.around(std::move(out.adviser)), retry});
  out.backend = AnyBackend(Retrying{std::move(budgeted), std::move(retry)});
  if (!choice.replay.empty()) out.replay = recording;
  return out;
}

Status Models::replayed() const {
  auto missed = replay ? replay->missed() : std::nullopt;
  if (missed) return tl::unexpected<Error>(*std::move(missed));
  return {};
}

std::string spending_text(Spending const& spending) {
  return fmt::format("{} call{}, {} tokens, {}{:.4f} USD",
                     spending.calls,
                     spending.calls == 1 ? "" : "s",
                     spending.tokens,
                     spending.unpriced_calls > 0 ? "at least " : "",
                     spending.usd);
}

}  // namespace cuco::tool
