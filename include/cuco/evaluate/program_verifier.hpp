// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evaluate/contract_output.hpp"
#include "cuco/evaluate/devices.hpp"

namespace cuco {

/// How a program is built and run to see whether it works.
struct VerifyOptions {
  int ranks = 2;
  std::vector<std::string> args{};
  std::chrono::milliseconds deadline{std::chrono::minutes(2)};  ///< Of each run.
  std::chrono::milliseconds build_deadline{std::chrono::minutes(5)};
  std::optional<ContractShape> shape{};  ///< Unset: detected from this run, for programs that are trusted.
  int schedules = 0;  ///< Emulated devices: further runs under reordered delivery, all of which must pass.
  std::uint64_t seed = 1;  ///< Of the first of them; the next has the next number.
  double skew_us = 300;    ///< Their start skew, real microseconds.
};

/// What became of a program.
struct VerifyOutcome {
  bool built = false;
  bool ran = false;       ///< Ended by itself with exit code 0.
  bool verified = false;  ///< And every rank that must said PASS, in every run.
  Outcome outcome = Outcome::kCompileFailed;
  std::string message{};          ///< One line: why it is not verified; empty when it is.
  std::string diagnostics{};      ///< For whoever repairs it; may be long; empty when verified.
  std::vector<double> rank_ms{};  ///< Index = rank. Empty unless verified.
  double slowest_ms = 0;          ///< 0 unless verified.
  ContractShape shape = ContractShape::kEveryRank;
  Origin origin = Origin::kNone;  ///< Of the times.
};

/// Builds a program, runs it and reads its verdict on itself (program contract). Used on programs that are
/// trusted to verify honestly: seeds and what the transformer makes of them.
class ProgramVerifier {
 public:
  ProgramVerifier(Devices devices, VerifyOptions options)
      : devices_(std::move(devices)), options_(std::move(options)) {}

  /// Writes `code` to `directory`/`label`.cu, with `label`.bin and `label`.log beside it; creates
  /// `directory`. A program that fails is a value. Errors: kToolMissing, kIo, kProcess, kInvalidArgument.
  /// Several callers at once with different directories or labels.
  [[nodiscard]] Result<VerifyOutcome> verify(std::string_view code,
                                             std::string const& directory,
                                             std::string const& label) const;

  [[nodiscard]] Devices const& devices() const { return devices_; }
  [[nodiscard]] VerifyOptions const& options() const { return options_; }

 private:
  Devices devices_;
  VerifyOptions options_;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/program_verifier-inl.hpp"
#endif
