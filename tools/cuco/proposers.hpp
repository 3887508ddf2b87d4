// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/core/result.hpp"
#include "cuco/mutate/any_mutator.hpp"
#include "model_choice.hpp"

namespace CLI {
class App;
}

namespace cuco::tool {

/// How candidates are proposed when a model may be asked.
struct ProposerChoice {
  std::string mutators;  ///< `name=weight,…`; empty: the usual mixture.
  double novelty =
      0.995;  ///< Proposals whose cosine with a known program is above this are drawn again; 1: none.
  bool novelty_judge = false;
  int meta_every = 10;  ///< Programs between two summaries; 0: none.
  std::string task;     ///< What to say about the program; `@FILE` for the text of a file.
};
void add_proposer_choice(CLI::App& app, ProposerChoice& choice);

/// What can be told before anything is run. Errors: kInvalidArgument as of `make_proposer`; those of
/// `task_text`.
[[nodiscard]] Status check(ProposerChoice const& choice, Models const& models);

/// The mutator of a search: directives alone without a model, else a mixture.
/// @param generated whether the program has a section that directives could vary.
/// @param hardware lines about the machine, for prompts.
/// Errors: kInvalidArgument for unknown mutators and weights without meaning.
[[nodiscard]] Result<AnyMutator> make_proposer(ProposerChoice const& choice,
                                               Models const& models,
                                               bool generated,
                                               std::string const& hardware);

/// The text of `--task`. Errors: those of reading a file.
[[nodiscard]] Result<std::string> task_text(ProposerChoice const& choice);

}  // namespace cuco::tool
