// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "cuco/core/chat.hpp"
#include "cuco/transform/transform_stage.hpp"

namespace cuco {

/// One program on the way: the input, or what a rewriter proposed for a stage, with what became of it.
struct TransformIteration {
  std::string label;  ///< "input", or "iteration_<k>".
  TransformStage stage = TransformStage::kInfrastructure;
  bool built = false;
  bool ran = false;
  bool verified = false;  ///< Passes its own verification, in every run.
  /// Verified, and with everything that its stage asks for. Nothing else goes on to the next stage.
  bool accepted = false;
  bool host_communication = false;
  double slowest_ms = 0;
  double seconds = 0;         ///< Wall clock of rewriting, building and running.
  std::string message{};      ///< One line: why it was not accepted.
  std::string diagnostics{};  ///< The compiler's errors, or what the run said; may be long.
  std::string output{};       ///< Head and tail of what the last run printed, all ranks.
  std::string rerun{};        ///< Which kernel failed, from a run with a synchronisation after each launch.
  std::string diagnosis{};    ///< A judge's words on what is wrong.
  std::string rewriter{};     ///< Who proposed it; empty for the input and for markers.
  std::string code{};         ///< What was built; empty when the proposal held no program.
  std::optional<double> cost_usd = 0.0;  ///< Of the calls to models behind it. Empty: unknown.
  TokenUsage usage{};                    ///< Of these calls.
};

/// One line about `iteration` for who makes the next attempt.
[[nodiscard]] inline std::string history_line(TransformIteration const& iteration) {
  std::string out = iteration.label + ", " + to_string(iteration.stage) + " stage";
  if (!iteration.rewriter.empty()) out += ", by " + iteration.rewriter;
  if (iteration.accepted) return out + ": accepted";
  char const* what = iteration.code.empty() ? "no program"
                     : iteration.verified   ? "passes its verification, but is not done"
                     : !iteration.built     ? "does not build"
                     : !iteration.ran       ? "fails at run time"
                                            : "fails its verification";
  out += std::string(": ") + what;
  constexpr std::size_t kLongest = 200;
  std::string const reason = iteration.message.substr(0, iteration.message.find('\n'));
  if (!reason.empty()) out += ": " + reason.substr(0, kLongest);
  return out;
}

}  // namespace cuco
