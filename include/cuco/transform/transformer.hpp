// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/api.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/transform/generated_section.hpp"
#include "cuco/transform/load_program.hpp"
#include "cuco/transform/rewrite.hpp"
#include "cuco/transform/rule_rewriter.hpp"
#include "cuco/transform/transform_iteration.hpp"

namespace cuco {

/// Builds and runs a program and reads its verdict: `v.verify(code, directory, label) ->
/// Result<VerifyOutcome>`.
template <class V>
concept Verifier = std::movable<V> && requires(V const& v, std::string const& text) {
  { v.verify(text, text, text) } -> std::same_as<Result<VerifyOutcome>>;
};

/// How a program is transformed.
struct TransformOptions {
  int ranks = 2;                           ///< MPI processes of every run.
  std::vector<std::string> args{};         ///< The program's arguments.
  std::string work_directory{};            ///< For artifacts; empty: a temporary one, removed afterwards.
  std::optional<Directives> directives{};  ///< Where to generate; empty: conservative.
  int attempts = 1;   ///< Of each stage; more than one only helps rewriters that read feedback.
  int schedules = 2;  ///< On emulated devices: runs under reordered delivery, besides the plain one.
};

/// A verified device-initiated program, with EVOLVE markers.
struct TransformResult {
  std::string code;
  std::string name;     ///< `<stem>_device.cu`.
  bool changed = true;  ///< False: there was no host communication, and the code is the input's.
  std::vector<TransformIteration> iterations;
  std::vector<Change> changes;
  std::vector<GeneratedCollective> collectives;
  double input_ms = 0;   ///< Slowest rank of the host-driven program.
  double output_ms = 0;  ///< Slowest rank of the result.
  Origin origin = Origin::kNone;
  double seconds = 0;
};

/// Makes a device-initiated program for one API out of a host-driven one, in two stages. The input is
/// verified first, then what each stage made; nothing unverified is returned.
///
/// Writes to the work directory: input.cu, iteration_<k>.cu with logs beside them, `<stem>_device.cu` and
/// transform_summary.json (also after a failure).
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
                                .shape = {},
                                .schedules = options.schedules}),
        options_(std::move(options)) {}
  Transformer(R rewriter, V verifier, TransformOptions options = {})
      : rewriter_(std::move(rewriter)), verifier_(std::move(verifier)), options_(std::move(options)) {}

  /// Errors: kNotVerified when the input or a stage's result does not pass its own verification; kRefused
  /// with file, line and construct from the rewriter; kIo, kToolMissing, kProcess from the devices.
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
