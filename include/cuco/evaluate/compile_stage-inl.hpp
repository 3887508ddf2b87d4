// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/compile_stage.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/evaluate/nvcc_check.hpp"

namespace cuco {

namespace impl::evaluating {

/// A verdict on a compilation that failed. `directory` is cut from messages, `who` says whose words they are.
CUCO_EVOLVE_INLINE Verdict compile_verdict(BuildResult const& build,
                                           std::string const& directory,
                                           std::string const& who,
                                           std::chrono::milliseconds deadline) {
  std::string const said = without_paths(build.diagnostics, {directory});
  Verdict verdict;
  verdict.outcome = Outcome::kCompileFailed;
  verdict.message = who + (build.timed_out ? "the compiler did not end within " + seconds_text(deadline)
                                           : first_compiler_error(said));
  verdict.feedback = who + "\n" + relevant_compiler_lines(said);
  return verdict;
}

}  // namespace impl::evaluating

CUCO_EVOLVE_INLINE Result<Verdict> CompileStage::run(Candidate const& candidate, Evidence& evidence) const {
  std::string const log_path = candidate.directory + "/results/build.log";
  BuildSpec spec;
  spec.defines = options_.defines;
  spec.standard = options_.standard;
  spec.deadline = options_.deadline;
  auto built = cache_.build(devices_, candidate.code, spec);
  if (!built) return forward_error(std::move(built));
  std::string const directory = built->source_path.substr(0, built->source_path.rfind('/'));
  std::string log = "== build for " + devices_.name() + (built->result.built ? ": built\n" : ": failed\n") +
                    impl::evaluating::without_paths(built->result.diagnostics, {directory}) + "\n";
  auto logged = impl::evaluating::append_text(log_path, log);
  if (!logged) return forward_error(std::move(logged));
  if (!built->result.built)
    return impl::evaluating::compile_verdict(built->result, directory, "", options_.deadline);
  evidence.binary_path = built->binary_path;

  Verdict verdict;
  verdict.message = "built for " + devices_.name();
  if (!devices_.is_emulated()) return verdict;
  if (!options_.nvcc_check) {
    verdict.message += "; nvcc check off";
    return verdict;
  }
  auto checked = check_with_nvcc(built->source_path, options_.cuda, options_.standard, options_.defines);
  if (!checked) return forward_error(std::move(checked));
  if (!checked->available) {
    verdict.message += "; nvcc check skipped: " + checked->reason;
    return verdict;
  }
  log = std::string("== nvcc: ") + (checked->result.built ? "accepted\n" : "rejected\n") +
        impl::evaluating::without_paths(checked->result.diagnostics, {directory}) + "\n";
  logged = impl::evaluating::append_text(log_path, log);
  if (!logged) return forward_error(std::move(logged));
  if (!checked->result.built)
    return impl::evaluating::compile_verdict(
        checked->result, directory, "nvcc rejects what the emulator accepts: ", std::chrono::minutes(5));
  verdict.message += "; nvcc accepts it";
  return verdict;
}

}  // namespace cuco
