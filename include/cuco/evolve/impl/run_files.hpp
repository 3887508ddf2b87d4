// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/core/run_directory.hpp"
#include "cuco/evolve/impl/proposal.hpp"
#include "cuco/process/scratch_folder.hpp"

namespace cuco::impl {

/// Where the candidates of a run live: a run directory that outlasts it, or a temporary folder that does not.
///
/// In a run directory a proposal is complete once its proposal.json exists, and an evaluation once its
/// evaluation.json exists; both appear in one step and after everything they refer to.
class RunFiles {
 public:
  /// `directory` null: a temporary folder. Errors: kIo.
  [[nodiscard]] static Result<RunFiles> open(RunDirectory const* directory);

  [[nodiscard]] bool durable() const { return directory_ != nullptr; }
  [[nodiscard]] std::string path() const { return durable() ? directory_->path() : std::string(); }
  [[nodiscard]] GenerationPaths paths(int generation, int seed_slot) const;

  /// Writes the candidate's sources and its record. What another run left in the folder is removed first.
  [[nodiscard]] Status store(Proposal const& proposal,
                             std::string const& parent_code,
                             std::string_view run) const;
  /// The complete proposal of `run` there; nullopt when there is none.
  [[nodiscard]] std::optional<Proposal> load(GenerationPaths const& at, std::string_view run) const;

  /// Writes metrics.json, correct.json and then evaluation.json. Several threads, different folders.
  [[nodiscard]] Status store(GenerationPaths const& at, Evaluation const& evaluation) const;
  /// The finished evaluation there; nullopt when there is none. A damaged one counts as none.
  [[nodiscard]] std::optional<Evaluation> load_evaluation(GenerationPaths const& at) const;

  /// Called when a candidate is in storage: temporary files are removed, durable ones stay.
  void release(GenerationPaths const& at) const;
  [[nodiscard]] Status update_best(GenerationPaths const& at) const;

 private:
  RunDirectory const* directory_ = nullptr;
  std::shared_ptr<ScratchFolder> temporary_;
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/impl/run_files-inl.hpp"
#endif
