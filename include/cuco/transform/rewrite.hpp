// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cuco/analysis/report.hpp"
#include "cuco/core/chat.hpp"
#include "cuco/directives/directives.hpp"
#include "cuco/transform/transform_iteration.hpp"
#include "cuco/transform/transform_stage.hpp"

namespace cuco {

/// What a `Rewriter` is asked.
struct RewriteRequest {
  std::string source;    ///< The whole program. Stage B gets what stage A made.
  std::string file;      ///< Its name, for messages.
  Report const& report;  ///< Of `source`; owned by the caller.
  TransformStage stage = TransformStage::kInfrastructure;
  /// The point of the design space to generate. A collective at which it is not legal, and every one when it
  /// is empty, gets its conservative point.
  std::optional<Directives> directives{};
  int ranks = 2;           ///< The program will be run with this many.
  std::string feedback{};  ///< Why the attempt before failed; empty on the first.
  int attempt = 1;         ///< Of this stage, counted from 1.
  /// All that was built so far, the input first. The last `attempt - 1` are attempts at this stage. Owned by
  /// the caller; null: nothing is told.
  std::vector<TransformIteration> const* history = nullptr;
  std::string original{};           ///< The host-driven program; empty: `source` is that.
  std::vector<std::string> args{};  ///< The program will be run with these.
  /// Where files about this attempt go, as the folder and the first part of their names; empty: none are
  /// written.
  std::string artifacts{};
};

/// One thing a rewriter did.
struct Change {
  std::uint32_t line = 0;  ///< In the request's source.
  std::string what;        ///< Imperative, one line.
  std::string why;
};

/// The whole rewritten program and what was done to it, by line.
struct Rewrite {
  std::string code;
  std::vector<Change> changes;
  /// Not empty: there is no program, for this reason (a reply that was cut off, say). That is an attempt that
  /// failed, and feedback for the next one, not an `Error`.
  std::string problem{};
  std::string by{};                      ///< Who made it.
  bool by_rules = false;                 ///< Rules alone did, whose results need fewer checks.
  std::string diagnosis{};               ///< What was wrong with the attempt before, when somebody was asked.
  std::optional<double> cost_usd = 0.0;  ///< Of the calls to models behind it. Empty: unknown.
  TokenUsage usage{};                    ///< Of these calls.
};

}  // namespace cuco
