// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/result.hpp"
#include "cuco/transform/pipeline_step.hpp"
#include "cuco/transform/transform_iteration.hpp"

namespace cuco::impl {

/// A folder for artifacts. A temporary one is removed when this goes.
class WorkDirectory {
 public:
  /// @param path empty: a new temporary folder. Errors: kIo.
  static Result<WorkDirectory> open(std::string path);

  WorkDirectory(WorkDirectory&& other) noexcept
      : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, false)) {}
  WorkDirectory& operator=(WorkDirectory&&) = delete;
  WorkDirectory(WorkDirectory const&) = delete;
  WorkDirectory& operator=(WorkDirectory const&) = delete;
  ~WorkDirectory();
  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  WorkDirectory(std::string path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}
  std::string path_;
  bool temporary_;
};

/// `alltoall.cu` -> `alltoall_device.cu`.
[[nodiscard]] std::string device_name(std::string const& name);

/// Whether two sources differ in comments and blanks only.
[[nodiscard]] bool same_tokens(std::string const& a, std::string const& b);

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
