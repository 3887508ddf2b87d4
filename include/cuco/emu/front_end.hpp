// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"

namespace cuco {

/// A CUDA program as C++17 that a host compiler accepts together with the emulator's headers.
struct EmulatedSource {
  std::string text;  ///< Starts with a `#line`; every token is on its line of the original.
  std::vector<std::string>
      headers{};             ///< `<x>` includes that open the file before any other directive or code.
  std::size_t launches = 0;  ///< `<<<…>>>` rewritten.
  std::size_t shared_variables = 0;  ///< `__shared__` variables rewritten.
};

/// Rewrites the CUDA program `cuda` for the emulator, token by token.
///
/// - `k<<<grid, block, bytes, stream>>>(args)` becomes a call of `cuco::emu::launch_site`;
/// - `__shared__` variables become references to storage of the running block, `extern __shared__` arrays
/// pointers;
///   lambdas that use them capture them by reference;
/// - casts of a kernel to `void*` in cudaLaunchCooperativeKernel, cudaFuncSetAttribute, cudaOccupancy… go
/// away,
///   so that the kernel's type stays known; elsewhere the kernel is recorded under its untyped pointer.
/// Everything else, and everything inactive (`#if 0`), stays as it is. Macro bodies are rewritten too.
///
/// @param file names the program in diagnostics of this function and of the compiler (`#line`, `__FILE__`).
/// Errors: kParse for malformed text; kRefused with "not emulated: X" for inline PTX, cp.async pipelines,
/// matrix instructions, textures, graphs, clusters, launches from device code and the like. Where such a
/// construct stands under an `#if` of unknown value, the result holds an error directive in its place
/// instead.
[[nodiscard]] Result<EmulatedSource> to_emulated_source(std::string_view cuda, std::string const& file);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/emu/front_end-inl.hpp"
#endif
