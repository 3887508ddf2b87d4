// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/program.hpp"
#include "cuco/llm/impl/canonical_request.hpp"
#include "cuco/llm/impl/ensemble_book.hpp"
#include "cuco/llm/impl/policy_json.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE EnsembleBook::EnsembleBook(std::vector<std::string> models, std::uint64_t seed)
    : seed_(seed), pulls_(models.size(), 0), no_pulls_(models.size(), 0) {
  for (std::string const& model : models) {
    std::string name = model;
    for (int copy = 2; std::find(names_.begin(), names_.end(), name) != names_.end(); ++copy)
      name = model + "#" + std::to_string(copy);
    names_.push_back(std::move(name));
  }
}

CUCO_EVOLVE_INLINE std::string EnsembleBook::model() const {
  std::string out = "ensemble:";
  for (std::string const& name : names_) out += (out.size() == 9 ? "" : "|") + name;
  return out;
}

CUCO_EVOLVE_INLINE std::optional<std::size_t> EnsembleBook::arm_of(Program const& program) const {
  auto const found = std::find(names_.begin(), names_.end(), attribute_or(program.metadata, "model_name"));
  if (found == names_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names_.begin());
}

/// A parent may be a copy on another island, which no event announces; its id is the original's with ".i3".
CUCO_EVOLVE_INLINE std::optional<double> EnsembleBook::score_of(std::string id) const {
  auto found = scores_.find(id);
  auto const dot = id.rfind(".i");
  if (found == scores_.end() && dot != std::string::npos &&
      id.find_first_not_of("0123456789", dot + 2) == std::string::npos)
    found = scores_.find(id.substr(0, dot));
  if (found == scores_.end()) return std::nullopt;
  return found->second;
}

CUCO_EVOLVE_INLINE void EnsembleBook::remember(Program const& program) {
  if (!program.correct || !std::isfinite(program.combined_score)) return;
  scores_[program.id.value] = program.combined_score;
  if (program.generation == 0)
    baseline_ = std::max(baseline_.value_or(program.combined_score), program.combined_score);
}

CUCO_EVOLVE_INLINE ArmResult EnsembleBook::result_of(Program const& program) const {
  ArmResult result;
  if (program.correct && std::isfinite(program.combined_score)) result.reward = program.combined_score;
  result.parent = score_of(program.parent_id.value);
  result.baseline = baseline_;
  std::string const cost = attribute_or(program.metadata, "api_costs");
  double value = 0;
  auto const [end, error] = std::from_chars(cost.data(), cost.data() + cost.size(), value);
  if (error == std::errc{} && end == cost.data() + cost.size() && !cost.empty()) result.cost_usd = value;
  return result;
}

CUCO_EVOLVE_INLINE void EnsembleBook::forget_run() {
  scores_.clear();
  baseline_.reset();
  conversations_.clear();
  std::fill(pulls_.begin(), pulls_.end(), 0);
}

CUCO_EVOLVE_INLINE ArmNews EnsembleBook::on(Event const& event) {
  ArmNews news;
  bool const restored = event.kind == Event::Kind::kRestored;
  if (restored && !restoring_) {
    news.restart = true;
    forget_run();
  }
  // A fresh run in the same process: what the arms have shown stays, the programs are others.
  if (event.kind == Event::Kind::kStarted && event.generation == 0) forget_run();
  restoring_ = restored;
  if (scope_.on(event)) {
    conversations_.clear();
    std::fill(pulls_.begin(), pulls_.end(), 0);
  }
  if (event.program == nullptr) return news;
  Program const& program = *event.program;
  if (restored || event.kind == Event::Kind::kEvaluated) {
    // Copies on other islands are told after a restart only.
    if (!attribute_or(program.metadata, "_is_island_copy").empty()) return news;
    news.completed = arm_of(program);
    if (restored) news.submitted = news.completed;
    news.result = result_of(program);
    remember(program);
  } else if (event.kind == Event::Kind::kProposed) {
    news.submitted = arm_of(program);
  }
  return news;
}

CUCO_EVOLVE_INLINE EnsembleBook::Turn EnsembleBook::turn(ChatRequest const& request, bool aside) {
  Turn out;
  out.aside = aside;
  // A name of its own: the same question of a mutator and of somebody else are two conversations.
  out.conversation = (aside ? "aside " : "") + conversation_key(request);
  bool const more = continues_conversation(request);
  auto const found = conversations_.find(out.conversation);
  if (more && found != conversations_.end()) out.arm = found->second.arm;
  int const begun = more ? 0 : conversations_[out.conversation].begun++;
  out.rng = Rng(seed_).split("arm " + scope_.name() + (more ? " more " : " ") + out.conversation,
                             static_cast<std::uint64_t>(begun));
  return out;
}

CUCO_EVOLVE_INLINE void EnsembleBook::assign(Turn const& turn, std::size_t arm) {
  conversations_[turn.conversation].arm = arm;
  if (!turn.arm && !turn.aside) ++pulls_[arm];
}

CUCO_EVOLVE_INLINE std::string EnsembleBook::wrap(std::string_view policy, std::string const& state) const {
  PolicyJson json = PolicyJson::object();
  json["policy"] = std::string(policy);
  json["arms"] = names_;
  json["state"] = PolicyJson::parse(state, nullptr, false);
  return json.dump(-1, ' ', false, PolicyJson::error_handler_t::replace);
}

CUCO_EVOLVE_INLINE Result<std::string> EnsembleBook::unwrap(std::string_view policy,
                                                            std::string_view text) const {
  auto const json = PolicyJson::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("state") || !json["state"].is_object() || !json.contains("arms") ||
      !json["arms"].is_array() || json.value("policy", PolicyJson()) != policy)
    return fail(ErrorCode::kParse,
                "this is not the state of an ensemble with the policy " + std::string(policy));
  PolicyJson state = json["state"];
  if (!state.contains("arms")) return state.dump();
  PolicyJson arms = PolicyJson::array();
  for (std::string const& name : names_) {
    PolicyJson found;
    for (std::size_t i = 0; i < json["arms"].size() && i < state["arms"].size(); ++i)
      if (json["arms"][i] == name) found = state["arms"][i];
    arms.push_back(std::move(found));
  }
  state["arms"] = std::move(arms);
  return state.dump();
}

CUCO_EVOLVE_INLINE ChatRequest without_provider_state(ChatRequest request) {
  for (ChatMessage& message : request.messages) message.provider_state.clear();
  return request;
}

}  // namespace cuco::impl
