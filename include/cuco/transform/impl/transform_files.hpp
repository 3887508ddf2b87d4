// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/result.hpp"
#include "cuco/process/scratch_folder.hpp"
#include "cuco/transform/pipeline_step.hpp"
#include "cuco/transform/transform_iteration.hpp"

namespace cuco::impl {

/// A folder for artifacts. A temporary one is removed when this goes.
class WorkDirectory {
 public:
  /// @param path empty: a new temporary folder. Errors: kIo.
  static Result<WorkDirectory> open(std::string path);

  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  WorkDirectory(std::string path, std::optional<ScratchFolder> temporary)
      : path_(std::move(path)), temporary_(std::move(temporary)) {}
  std::string path_;
  std::optional<ScratchFolder> temporary_;
};

/// `alltoall.cu` -> `alltoall_device.cu`.
[[nodiscard]] std::string device_name(std::string const& name);

/// Whether two sources differ in comments and blanks only.
[[nodiscard]] bool same_tokens(std::string const& a, std::string const& b);

/// What several calls cost together; empty when one of them is unknown.
[[nodiscard]] std::optional<double> total_cost(std::vector<TransformIteration> const& iterations);

/// What a run printed, from the log that a verifier left: head and tail of its last run, so that a late
/// verdict is not lost. Empty without a log.
[[nodiscard]] std::string output_of_log(std::string const& path);

/// The text of transform_summary.json. @param error empty: it succeeded.
[[nodiscard]] std::string transform_summary_json(std::vector<TransformIteration> const& iterations,
                                                 double seconds,
                                                 std::string const& error);

/// The text of a pipeline step's result.json.
[[nodiscard]] std::string pipeline_step_json(PipelineStep const& step);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/impl/transform_files-inl.hpp"
#endif
