// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/impl/build_command.hpp"
#include "cuco/evaluate/impl/cuda_toolchain.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/evaluate/nvcc_check.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<NvccVerdict> check_with_nvcc(std::string const& source_path,
                                                       CudaOptions const& options,
                                                       int standard,
                                                       std::vector<std::string> const& defines) {
  NvccVerdict verdict;
  auto toolchain = impl::evaluating::find_cuda_toolchain(options);
  if (!toolchain) {
    verdict.reason = toolchain.error().cause;
    return verdict;
  }
  auto scratch = impl::evaluating::make_private_folder();
  if (!scratch) return forward_error(std::move(scratch));
  BuildSpec spec;
  spec.source_path = source_path;
  spec.output_path = scratch->path() + "/program.o";
  spec.defines = defines;
  spec.standard = standard;
  auto built = impl::evaluating::run_build(
      impl::evaluating::nvcc_argv(*toolchain, spec, options.arch.empty() ? "sm_90" : options.arch, true),
      spec);
  if (!built) return forward_error(std::move(built));
  verdict.available = true;
  verdict.result = std::move(*built);
  return verdict;
}

}  // namespace cuco
