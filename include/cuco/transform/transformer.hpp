// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <utility>

#include "cuco/core/api.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/transform/load_program.hpp"
#include "cuco/transform/rule_rewriter.hpp"
#include "cuco/transform/transform_options.hpp"
#include "cuco/transform/transform_result.hpp"
#include "cuco/transform/verifier.hpp"

namespace cuco {

/// Makes a device-initiated program for one API out of a host-driven one, in two stages. The input is
/// verified first, then what each stage made; nothing unverified is returned.
///
/// A program that rules alone have made counts as a stage's result when it passes its verification. Of others
/// more is asked: that they are not what was given, have what the stage is about, move data through the
/// device interface and no other way, and leave alone what decides about the verdict. What is missing is
/// feedback.
///
/// Writes to the work directory: input.cu, iteration_<k>.cu with logs beside them (and what the rewriter
/// asked and heard, `.judge.txt`, `.rerun.txt`), `<stem>_device.cu`, transform_summary.json (also after a
/// failure), and transform_state.json, from which a later call can resume.
template <Api A, Rewriter R = RuleRewriter<A>, Verifier V = ProgramVerifier>
class Transformer {
 public:
  static constexpr Api kApi = A;

  Transformer(R rewriter,
              Devices devices,
              TransformOptions options = {}) requires std::same_as<V, ProgramVerifier>
      : rewriter_(std::move(rewriter)),
        verifier_(std::move(devices),
                  VerifyOptions{.ranks = options.ranks,
                                .args = options.args,
                                .deadline = options.deadline,
                                .shape = {},
                                .schedules = options.schedules}),
        options_(std::move(options)) {}
  Transformer(R rewriter, V verifier, TransformOptions options = {})
      : rewriter_(std::move(rewriter)), verifier_(std::move(verifier)), options_(std::move(options)) {}

  /// Errors: kNotVerified when the input or a stage's result does not pass its own verification; kRefused
  /// with file, line and construct from the rewriter; what else the rewriter returns, kBudget for example;
  /// kIo, kToolMissing, kProcess from the devices.
  [[nodiscard]] Result<TransformResult> transform(SourceProgram const& program);

  [[nodiscard]] V const& verifier() const { return verifier_; }
  [[nodiscard]] TransformOptions const& options() const { return options_; }

 private:
  R rewriter_;
  V verifier_;
  TransformOptions options_;
};

}  // namespace cuco

#include "cuco/transform/transformer-inl.hpp"
