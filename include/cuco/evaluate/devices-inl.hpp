// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/devices.hpp"
#include "cuco/evaluate/impl/cuda_backend.hpp"
#include "cuco/evaluate/impl/emulated_backend.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Devices Devices::emulated(EmulatedOptions options) {
  return Devices(std::make_shared<impl::evaluating::EmulatedBackend>(std::move(options)));
}

CUCO_EVOLVE_INLINE Devices Devices::cuda(CudaOptions options) {
  return Devices(std::make_shared<impl::evaluating::CudaBackend>(std::move(options)));
}

CUCO_EVOLVE_INLINE Devices Devices::detect(EmulatedOptions emulated, CudaOptions cuda) {
  constexpr int kLeastGpus = 2;
  auto const gpus = impl::evaluating::list_gpus();
  bool const enough = gpus && gpus->count >= kLeastGpus && (cuda.gpus == 0 || cuda.gpus >= kLeastGpus);
  if (enough && impl::evaluating::find_cuda_toolchain(cuda) && impl::evaluating::find_launcher(cuda.mpirun))
    return Devices::cuda(std::move(cuda));
  return Devices::emulated(std::move(emulated));
}

}  // namespace cuco
