// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "proposers.hpp"

#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/embed/ngram_embedder.hpp"
#include "cuco/mutate/cross_mutator.hpp"
#include "cuco/mutate/diff_mutator.hpp"
#include "cuco/mutate/directive_mutator.hpp"
#include "cuco/mutate/fix_mutator.hpp"
#include "cuco/mutate/full_mutator.hpp"
#include "cuco/mutate/mixture.hpp"
#include "cuco/mutate/novel.hpp"

namespace cuco::tool {
namespace {

struct PhaseWeights {
  double explore = 0;
  double exploit = 0;
};
using Weights = std::map<std::string, PhaseWeights>;

/// While exploring most proposals are written anew, later more are small changes.
Weights usual_weights(bool generated) {
  Weights weights = {{"full", {.55, .45}}, {"diff", {.15, .25}}, {"cross", {.15, .15}}, {"fix", {.15, .15}}};
  if (generated) weights["directive"] = {.15, .15};
  return weights;
}

Result<Weights> read_weights(std::string const& text, bool generated) {
  if (text.empty()) return usual_weights(generated);
  Weights out;
  auto const bad = [&](std::string const& cause) {
    return fail(ErrorCode::kInvalidArgument,
                "--mutators: " + cause,
                "write for example full=0.5,diff=0.2,cross=0.1,fix=0.1,directive=0.1");
  };
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t const end = std::min(text.find(',', begin), text.size());
    std::string const item = text.substr(begin, end - begin);
    std::size_t const equals = item.find('=');
    std::string const name = item.substr(0, equals);
    double weight = 1;
    if (equals != std::string::npos) {
      char const* const last = item.data() + item.size();
      auto const [stop, error] = std::from_chars(item.data() + equals + 1, last, weight);
      if (error != std::errc{} || stop != last || !(weight >= 0)) return bad("'" + item + "' has no weight");
    }
    if (usual_weights(true).count(name) == 0) return bad("there is no mutator '" + name + "'");
    if (name == "directive" && !generated)
      return bad("the program has no generated section that directives could vary");
    out[name] = {weight, weight};
    begin = end + 1;
  }
  if (std::none_of(out.begin(), out.end(), [](auto const& w) { return w.second.explore > 0; }))
    return bad("no weight is above 0");
  return out;
}

}  // namespace

void add_proposer_choice(CLI::App& app, ProposerChoice& choice) {
  app.add_option("--mutators",
                 choice.mutators,
                 "With a model: weights of full, diff, cross, fix, directive, as name=weight,name=weight");
  app.add_option("--novelty",
                 choice.novelty,
                 "With a model: draw again what is nearer than this to a known program (cosine); 1: never")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_flag(
      "--novelty-judge", choice.novelty_judge, "Ask the model whether such a proposal is new after all");
  app.add_option("--meta-every", choice.meta_every, "With a model: programs between two summaries; 0: none")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  app.add_option(
      "--task", choice.task, "With a model: what to know about the program; @FILE for the text of a file");
}

Status check(ProposerChoice const& choice, Models const& models) {
  if (!models && !choice.mutators.empty())
    return fail(ErrorCode::kInvalidArgument,
                "--mutators without a model: only directives propose then",
                "name one with --model, or leave the option out");
  if (auto weights = read_weights(choice.mutators, true); !weights) return forward_error(std::move(weights));
  if (auto task = task_text(choice); !task) return forward_error(std::move(task));
  return {};
}

Result<std::string> task_text(ProposerChoice const& choice) {
  if (!choice.task.starts_with("@")) return choice.task;
  return read_file(choice.task.substr(1));
}

Result<AnyMutator> make_proposer(ProposerChoice const& choice,
                                 Models const& models,
                                 bool generated,
                                 std::string const& hardware) {
  if (!models) return AnyMutator(DirectiveMutator{});
  auto weights = read_weights(choice.mutators, generated);
  if (!weights) return forward_error(std::move(weights));
  LlmMutatorOptions options;
  options.effort = models.effort;
  options.hardware = hardware;

  std::vector<Weighted<AnyMutator>> asked;
  PhaseWeights all;
  auto const add = [&](char const* name, auto mutator) {
    auto const at = weights->find(name);
    if (at == weights->end()) return;
    all.explore += at->second.explore;
    all.exploit += at->second.exploit;
    asked.push_back(weighted(at->second.explore, at->second.exploit, AnyMutator(std::move(mutator))));
  };
  add("full", FullMutator{models.backend, options});
  add("diff", DiffMutator{models.backend, options});
  add("cross", CrossMutator{models.backend, options});
  add("fix", FixMutator{models.backend, options});
  std::vector<Weighted<AnyMutator>> members;
  if (!asked.empty()) {
    Mixture mixture{std::move(asked)};
    AnyMutator member(std::move(mixture));
    if (choice.novelty < 1) {
      NovelOptions novel;
      novel.threshold = choice.novelty;
      if (choice.novelty_judge) novel.judge = models.adviser;
      member = AnyMutator(Novel{std::move(member), NgramEmbedder{}, std::move(novel)});
    }
    members.push_back(weighted(all.explore, all.exploit, std::move(member)));
  }
  // What directives give is new by construction, and near what it was made of.
  if (auto const at = weights->find("directive"); at != weights->end())
    members.push_back(weighted(at->second.explore, at->second.exploit, AnyMutator(DirectiveMutator{})));
  return AnyMutator(Mixture{std::move(members)});
}

}  // namespace cuco::tool
