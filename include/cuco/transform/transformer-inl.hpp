// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "cuco/transform/impl/transform_run.hpp"
#include "cuco/transform/transformer.hpp"

namespace cuco {

template <Api A, Rewriter R, Verifier V>
Result<TransformResult> Transformer<A, R, V>::transform(SourceProgram const& program) {
  auto const start = std::chrono::steady_clock::now();
  auto directory = impl::WorkDirectory::open(options_.work_directory);
  if (!directory) return forward_error(std::move(directory));
  impl::transforming::TransformRun<R, V> run(rewriter_, verifier_, options_, program, directory->path());
  auto result = run.run(A);
  std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
  if (result) result->seconds = seconds.count();
  auto const& iterations = result ? result->iterations : run.iterations();
  std::string const summary = impl::transform_summary_json(
      iterations, seconds.count(), result ? std::string() : to_line(result.error()));
  auto written = write_file_atomic(directory->path() + "/transform_summary.json", summary);
  if (!written && result) return forward_error(std::move(written));
  return result;
}

}  // namespace cuco
