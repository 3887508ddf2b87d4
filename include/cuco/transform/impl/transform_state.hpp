// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cuco/core/metric.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evaluate/contract_output.hpp"
#include "cuco/transform/rewrite.hpp"
#include "cuco/transform/transform_iteration.hpp"

namespace cuco::impl::transforming {

/// The accepted result of one stage.
struct FinishedStage {
  TransformStage stage = TransformStage::kInfrastructure;
  std::string label;  ///< `<label>.cu` in the work directory holds the code.
  std::string code;
  double slowest_ms = 0;
  std::vector<Change> changes;
};

/// How far a transformation has come: what a later call needs to go on with it. Kept as transform_state.json
/// in the work directory, replaced in one piece after every verdict. Programs are in files beside it, by
/// their hash; the word that one of them is verified is only in the state.
struct TransformState {
  std::string key;  ///< Of input and options; a state with another one is of another transformation.
  bool input_verified = false;
  ContractShape shape = ContractShape::kEveryRank;
  double input_ms = 0;
  Origin origin = Origin::kNone;
  std::vector<TransformIteration> iterations;
  std::vector<FinishedStage> finished;  ///< In order.
  int number = 0;                       ///< Of the last iteration.
  int attempts = 0;                     ///< At the stage that is not finished.
  bool restarted = false;               ///< The rules began anew with what they had learned.
  std::string feedback;                 ///< Of the attempt that failed last.
};

/// Names what is transformed and how. Who rewrites is no part of it: what another one has finished is
/// verified all the same.
[[nodiscard]] std::string transform_key(std::vector<std::string> const& parts);

/// Errors: kIo.
[[nodiscard]] Status save_state(std::string const& directory, TransformState const& state);

/// Removes what an earlier call left, so that nobody goes on with it.
void drop_state(std::string const& directory);

/// The state in `directory` when it has the key. A program whose file is gone or has another hash is not
/// there: a finished stage without its program is not finished, nor are those after it.
[[nodiscard]] std::optional<TransformState> load_state(std::string const& directory, std::string const& key);

}  // namespace cuco::impl::transforming

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/impl/transform_state-inl.hpp"
#endif
