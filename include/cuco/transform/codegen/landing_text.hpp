// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/transform/codegen/render.hpp"

/// @file
/// Landing buffers, as text: symmetric memory that belongs to a kernel instead of the program.

namespace cuco::impl {

inline constexpr char const* kScratchState = R"(
// Landing buffers: where puts of a kernel arrive, or in place of a buffer of the program that peers cannot reach.
struct Scratch {
  ncclComm_t comm;
  int area;
  char* base;
  size_t bytes;
};
inline std::vector<Scratch> scratches;
)";

inline constexpr char const* kScratchText = R"(
// Landing buffer number `area`, of at least `bytes`. Grows when it must, on all ranks alike.
inline char* landing(ncclComm_t comm, int area, size_t bytes) {
  for (size_t i = 0; i < scratches.size(); ++i) {
    if (scratches[i].comm != comm || scratches[i].area != area) continue;
    if (scratches[i].bytes >= bytes) return scratches[i].base;
    bytes = std::max(bytes, 2 * scratches[i].bytes);  // so that counts that grow slowly do not allocate each time
    if (release(scratches[i].base) != cudaSuccess) stop("landing buffer", "cannot be freed");
    scratches.erase(scratches.begin() + i);
    break;
  }
  char* base = nullptr;
  if (allocate(&base, bytes) != cudaSuccess) stop("landing buffer", "out of device memory");
  scratches.push_back({comm, area, base, bytes});
  return base;
}

inline Place scratch_of(ncclComm_t comm, int area, size_t bytes) {
  return place_of(comm, landing(comm, area, bytes), bytes);
}
)";

inline constexpr char const* kPrepareScratch = R"(@lsa_needs_none@  size_t largest = 0;
  for (const void* buffer : buffers)
    if (const Allocation* a = allocation_of(buffer)) largest = std::max(largest, a->bytes);
  largest = std::min(largest, size_t{64} << 20);  // a call that needs more gets it when it comes
  const Requirements wanted = requirements(device.nRanks, largest);
  for (int area = 0; largest != 0 && area < wanted.scratch_areas; ++area) scratch_of(comm, area, wanted.scratch_bytes);
)";

/// `chooses`: kernels put on some communicators only.
inline std::string prepare_scratch_text(bool chooses) {
  return render(kPrepareScratch,
                {{"lsa_needs_none",
                  chooses ? "  if (loads_and_stores(device)) return;  // nothing arrives by puts\n" : ""}});
}

inline constexpr char const* kForgetScratch = R"(  for (size_t i = scratches.size(); i-- > 0;) {
    if (scratches[i].comm != comm) continue;
    if (release(scratches[i].base) != cudaSuccess) stop("landing buffer", "cannot be freed");
    scratches.erase(scratches.begin() + i);
  }
)";

}  // namespace cuco::impl
