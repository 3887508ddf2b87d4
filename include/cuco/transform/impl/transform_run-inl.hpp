// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/transform/impl/transform_files.hpp"
#include "cuco/transform/impl/transform_run.hpp"

namespace cuco::impl::transforming {

CUCO_EVOLVE_INLINE Result<TransformResult> run_transform(TransformParts const& parts,
                                                         Api api,
                                                         TransformOptions const& options,
                                                         SourceProgram const& program) {
  auto const start = std::chrono::steady_clock::now();
  auto directory = impl::WorkDirectory::open(options.work_directory);
  if (!directory) return forward_error(std::move(directory));
  TransformRun run(parts, options, program, directory->path());
  auto result = run.run(api);
  std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
  if (result) result->seconds = seconds.count();
  auto const& iterations = result ? result->iterations : run.iterations();
  std::string const summary = impl::transform_summary_json(
      iterations, seconds.count(), result ? std::string() : to_line(result.error()));
  auto written = write_file_atomic(directory->path() + "/transform_summary.json", summary);
  if (!written && result) return forward_error(std::move(written));
  return result;
}

}  // namespace cuco::impl::transforming
