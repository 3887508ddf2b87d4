// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cuco/analysis/report.hpp"
#include "cuco/directives/directives.hpp"

namespace cuco {

/// The two halves of a transformation; each result is built, run and verified before the next begins.
enum class TransformStage : std::uint8_t {
  kInfrastructure,  ///< A: symmetric memory, windows, device communicator. Host collectives stay.
  kDevice,          ///< B: kernels in place of the host collectives.
};
constexpr char const* to_string(TransformStage stage) {
  return stage == TransformStage::kInfrastructure ? "infrastructure" : "device";
}

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
};

}  // namespace cuco
