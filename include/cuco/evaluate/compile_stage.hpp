// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evaluate/build_cache.hpp"
#include "cuco/evaluate/devices.hpp"

namespace cuco {

/// Settings of `CompileStage`.
struct CompileOptions {
  std::vector<std::string> defines{};
  int standard = 17;
  std::chrono::milliseconds deadline{std::chrono::minutes(5)};
  /// On emulated devices, also compile with nvcc where it is installed. Costs seconds per candidate.
  bool nvcc_check = true;
  CudaOptions cuda{};             ///< For that check.
  std::string cache_directory{};  ///< Of the `BuildCache`.
};

/// The rung that builds the candidate, each source once. Leaves `Evidence::binary_path` and appends to
/// `results/build.log`.
class CompileStage {
 public:
  explicit CompileStage(Devices devices, CompileOptions options = {})
      : devices_(std::move(devices)), options_(std::move(options)), cache_(options_.cache_directory) {}

  [[nodiscard]] std::string_view name() const { return "compile"; }
  [[nodiscard]] Result<Verdict> run(Candidate const& candidate, Evidence& evidence) const;

 private:
  Devices devices_;
  CompileOptions options_;
  BuildCache cache_;
};

static_assert(explain_stage<CompileStage>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/compile_stage-inl.hpp"
#endif
