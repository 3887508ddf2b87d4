// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "cuco/analysis/impl/code.hpp"

namespace cuco::impl {

/// Why the token at `i` may not be in an EVOLVE block outside generated text; empty when it may.
inline std::string frozen_reason(Code const& code, int i) {
  if (!code.is_word(i)) return {};
  std::string_view const t = code.text(i);
  if (t == "main" && code.is(i + 1, "(")) return "main";
  if (t.substr(0, 4) == "MPI_") return "an MPI call";
  static constexpr std::array<std::string_view, 9> kTimers = {"cudaEventRecord",
                                                              "cudaEventRecordWithFlags",
                                                              "cudaEventElapsedTime",
                                                              "cudaEventCreate",
                                                              "cudaEventDestroy",
                                                              "cudaEventSynchronize",
                                                              "cudaEventCreateWithFlags",
                                                              "cudaEventQuery",
                                                              "high_resolution_clock"};
  for (auto word : kTimers)
    if (t == word) return "a timer";
  static constexpr std::array<std::string_view, 9> kOutput = {
      "printf",
      "fprintf",
      "puts",
      "fputs",
      "cout",
      "cerr",
      "exit",
      "_exit",
      "abort",
  };
  for (auto word : kOutput)
    if (!word.empty() && t == word) return "output or program end";
  static constexpr std::array<std::string_view, 12> kMemory = {"cudaMalloc",
                                                               "cudaMallocManaged",
                                                               "cudaMallocHost",
                                                               "cudaMallocAsync",
                                                               "cudaHostAlloc",
                                                               "cudaFree",
                                                               "cudaFreeHost",
                                                               "cudaFreeAsync",
                                                               "ncclMemAlloc",
                                                               "ncclMemFree",
                                                               "cudaMemcpyDeviceToHost",
                                                               "cudaMemcpyDefault"};
  for (auto word : kMemory)
    if (t == word) return t.substr(0, 10) == "cudaMemcpy" ? "a copy to the host" : "allocation";
  if (t.substr(0, 8) == "ncclComm" || t == "ncclGetUniqueId" || t.substr(0, 11) == "ncclDevComm")
    return code.is(i + 1, "(") && t != "ncclCommCount" ? "communicator set-up" : std::string();
  static constexpr std::array<std::string_view, 6> kHelpers = {
      "prepare", "allocate", "allocate_largest", "release", "mem_alloc", "mem_free"};
  if (t == "device_nccl" && code.is(i + 1, "::")) {
    if (code.text(i + 2).substr(0, 5) == "comm_") return "communicator set-up";
    for (auto word : kHelpers)
      if (code.is(i + 2, word)) return "allocation or registration";
  }
  return {};
}

}  // namespace cuco::impl
