// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// The files of one candidate, below `path`.
struct GenerationPaths {
  std::string path;  ///< <run>/gen_<N> or <run>/gen_0_island<i>.
  int generation = 0;
  int seed_island = -1;  ///< i of gen_0_island<i>; -1 otherwise.

  [[nodiscard]] std::string main() const { return path + "/main.cu"; }
  [[nodiscard]] std::string original() const { return path + "/original.cu"; }  ///< The parent's source.
  [[nodiscard]] std::string diff() const { return path + "/edit.diff"; }
  [[nodiscard]] std::string results() const { return path + "/results"; }
  [[nodiscard]] std::string metrics() const { return results() + "/metrics.json"; }
  [[nodiscard]] std::string correct() const { return results() + "/correct.json"; }
  [[nodiscard]] std::string evaluation() const { return results() + "/evaluation.json"; }
  [[nodiscard]] std::string build_log() const { return results() + "/build.log"; }
  [[nodiscard]] std::string run_log() const { return results() + "/run.log"; }
  [[nodiscard]] std::string job_out() const { return results() + "/job_log.out"; }
  [[nodiscard]] std::string job_err() const { return results() + "/job_log.err"; }
};

/// Owns the folder of one run: every path in it, and the right to write there.
///
/// Holds an exclusive lock until destruction; the lock ends with the process, however it ends. Movable. Calls
/// that only name paths may come from any thread; the others from one at a time.
class RunDirectory {
 public:
  /// Creates the folder with its parents, or reopens it.
  /// Errors: kConflict when another run uses it; kIo when it cannot be created or written (missing
  /// permission, read-only file system, full disk), with the reason.
  [[nodiscard]] static Result<RunDirectory> open(std::string path);
  /// Names the files of an existing run for a reader: creates nothing and takes no lock. Errors: kNotFound.
  [[nodiscard]] static Result<RunDirectory> inspect(std::string path);

  [[nodiscard]] std::string const& path() const { return path_; }
  [[nodiscard]] std::string database() const { return path_ + "/evolution_db.sqlite"; }
  [[nodiscard]] std::string log_file() const { return path_ + "/evolution_run.log"; }
  [[nodiscard]] std::string config() const { return path_ + "/experiment_config.json"; }
  [[nodiscard]] std::string best() const { return path_ + "/best"; }
  [[nodiscard]] std::string pipeline() const { return path_ + "/_pre_transform_pipeline"; }

  /// The files of generation `n`. Creates nothing.
  [[nodiscard]] GenerationPaths generation(int n) const;
  /// The files of the seed of island `i` in runs with several seeds. Creates nothing.
  [[nodiscard]] GenerationPaths seed(int i) const;
  /// Creates the folder of `paths` and its results folder. Existing files stay. Errors: kIo.
  [[nodiscard]] Status create(GenerationPaths const& paths) const;
  /// The candidates that have a folder, in order of generation, then island. Errors: kIo.
  [[nodiscard]] Result<std::vector<GenerationPaths>> generations() const;

  /// Makes best/ a copy of `paths`; a reader sees the old copy or the new one. Errors: kIo, best/ is then as
  /// before.
  [[nodiscard]] Status update_best(GenerationPaths const& paths) const;
  /// Appends one line to the log. Errors: kIo.
  [[nodiscard]] Status append_log(std::string_view line) const;

 private:
  RunDirectory(std::string path, impl::UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  impl::UniqueFd lock_;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/core/run_directory-inl.hpp"
#endif
