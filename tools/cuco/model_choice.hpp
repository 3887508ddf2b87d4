// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/budget.hpp"
#include "cuco/llm/recording.hpp"

namespace CLI {
class App;
}

namespace cuco::tool {

/// Which language models are asked, and under which limits.
struct ModelChoice {
  std::vector<std::string> models;  ///< `provider:model`, or `provider:model=weight`.
  std::string policy = "uniform";   ///< How one of several is chosen.
  std::string effort = "default";
  std::string base_url;
  std::string key_file;
  std::string ca_file;
  std::string prices;
  std::string record;  ///< Folder that gets every call and answer.
  std::string replay;  ///< Folder whose answers are used in place of any model.
  double budget_usd = 0;
  std::int64_t budget_tokens = 0;
  bool allow_unpriced = false;

  [[nodiscard]] bool any() const { return !models.empty() || !replay.empty(); }
};
void add_model_choice(CLI::App& app, ModelChoice& choice);

/// The models of one command, behind one backend that retries, counts and records.
struct Models {
  AnyBackend backend;  ///< Empty: no model was chosen.
  /// The same for conversations of a search that no program comes of: summaries, judgements. They leave alone
  /// which of several models proposes.
  AnyBackend adviser;
  Effort effort = Effort::kDefault;
  std::vector<std::string> names;
  /// To be told of a run's events, in this order, before other observers.
  std::vector<std::function<void(Event const&)>> observers;
  std::function<Spending()> spent;
  std::optional<Recording> replay{};

  /// To be asked when a command is done, whatever it thinks of its outcome. Errors: kNotFound when a replay
  /// was asked what was not recorded.
  [[nodiscard]] Status replayed() const;

  [[nodiscard]] explicit operator bool() const { return static_cast<bool>(backend); }
};

/// Nothing is sent. Without models of its own, a replay asks those of the recording in the way that they were
/// asked. What was spent is remembered in `ledger`, and counts when the command is repeated.
///
/// Errors: kInvalidArgument for names, weights and combinations without meaning; kRefused without a key;
/// kParse and kNotFound for prices, recordings and scripts; kConflict while another process records there.
[[nodiscard]] Result<Models> make_models(ModelChoice const& choice,
                                         std::uint64_t seed,
                                         std::string const& ledger);

/// "3 calls, 12345 tokens, 0.0421 USD", or with "at least" when prices are unknown.
[[nodiscard]] std::string spending_text(Spending const& spending);

}  // namespace cuco::tool
