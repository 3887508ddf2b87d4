// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "cuco/analysis/impl/words.hpp"

namespace cuco::impl {

/// Position of each argument of a collective; -1 for those it does not take.
struct CollectiveSignature {
  std::string_view function;
  std::string_view collective;
  int arguments;
  int send, recv, count, datatype, op, root, peer, comm, stream;
};

inline CollectiveSignature const* find_collective(std::string_view function) {
  static constexpr std::array<CollectiveSignature, 12> kTable = {{
      //                                          n  se  re  co  dt  op  ro  pe  cm  st
      {"ncclAllReduce", "AllReduce", 7, 0, 1, 2, 3, 4, -1, -1, 5, 6},
      {"ncclBroadcast", "Broadcast", 7, 0, 1, 2, 3, -1, 4, -1, 5, 6},
      {"ncclBcast", "Broadcast", 6, 0, 0, 1, 2, -1, 3, -1, 4, 5},
      {"ncclReduce", "Reduce", 8, 0, 1, 2, 3, 4, 5, -1, 6, 7},
      {"ncclAllGather", "AllGather", 6, 0, 1, 2, 3, -1, -1, -1, 4, 5},
      {"ncclReduceScatter", "ReduceScatter", 7, 0, 1, 2, 3, 4, -1, -1, 5, 6},
      {"ncclAlltoAll", "AlltoAll", 6, 0, 1, 2, 3, -1, -1, -1, 4, 5},
      {"ncclAllToAll", "AlltoAll", 6, 0, 1, 2, 3, -1, -1, -1, 4, 5},
      {"ncclGather", "Gather", 7, 0, 1, 2, 3, -1, 4, -1, 5, 6},
      {"ncclScatter", "Scatter", 7, 0, 1, 2, 3, -1, 4, -1, 5, 6},
      {"ncclSend", "Send", 6, 0, -1, 1, 2, -1, -1, 3, 4, 5},
      {"ncclRecv", "Recv", 6, -1, 0, 1, 2, -1, -1, 3, 4, 5},
  }};
  if (function.starts_with("pnccl")) function.remove_prefix(1);
  for (CollectiveSignature const& s : kTable)
    if (s.function == function) return &s;
  return nullptr;
}

inline bool is_group_call(std::string_view w) {
  return w == "ncclGroupStart" || w == "ncclGroupEnd";
}

inline bool is_setup_call(std::string_view w) {
  static constexpr std::array<std::string_view, 20> kNames = {"ncclGetUniqueId",
                                                              "ncclCommInitRank",
                                                              "ncclCommInitAll",
                                                              "ncclCommInitRankConfig",
                                                              "ncclCommInitRankScalable",
                                                              "ncclCommSplit",
                                                              "ncclCommShrink",
                                                              "ncclCommDestroy",
                                                              "ncclCommAbort",
                                                              "ncclCommFinalize",
                                                              "ncclMemAlloc",
                                                              "ncclMemFree",
                                                              "ncclCommRegister",
                                                              "ncclCommDeregister",
                                                              "ncclCommWindowRegister",
                                                              "ncclCommWindowDeregister",
                                                              "ncclDevCommCreate",
                                                              "ncclDevCommDestroy",
                                                              "ncclCommUserRank",
                                                              "ncclCommCount"};
  return one_of(w, kNames);
}

inline bool is_sync_call(std::string_view w) {
  return (w.starts_with("cuda") && w.ends_with("Synchronize")) || w == "cudaEventRecord" ||
         w == "cudaEventRecordWithFlags" || w == "cudaStreamWaitEvent";
}

/// Which argument takes the pointer and which says the size; `size` < 0 for pitched memory (width 2, height
/// 3).
struct AllocatorSignature {
  std::string_view function;
  int pointer, size;
};
inline AllocatorSignature const* find_allocator(std::string_view function) {
  static constexpr std::array<AllocatorSignature, 8> kTable = {{{"cudaMalloc", 0, 1},
                                                                {"cudaMallocManaged", 0, 1},
                                                                {"cudaMallocHost", 0, 1},
                                                                {"cudaHostAlloc", 0, 1},
                                                                {"cudaMallocAsync", 0, 1},
                                                                {"cudaMallocFromPoolAsync", 0, 1},
                                                                {"cudaMallocPitch", 0, -1},
                                                                {"ncclMemAlloc", 0, 1}}};
  for (AllocatorSignature const& s : kTable)
    if (s.function == function) return &s;
  return nullptr;
}

/// Which arguments a copy or fill writes and reads; -1 for none. `stream` is the argument of the asynchronous
/// forms; the others, but not the fills, return when they are done.
struct CopySignature {
  std::string_view function;
  int written, read, stream;
};
inline CopySignature const* find_copy(std::string_view function) {
  static constexpr std::array<CopySignature, 14> kTable = {{{"cudaMemcpy", 0, 1, -1},
                                                            {"cudaMemcpyAsync", 0, 1, 4},
                                                            {"cudaMemcpy2D", 0, 2, -1},
                                                            {"cudaMemcpy2DAsync", 0, 2, 7},
                                                            {"cudaMemcpyPeer", 0, 2, -1},
                                                            {"cudaMemcpyPeerAsync", 0, 2, 5},
                                                            {"cudaMemcpyToSymbol", -1, 1, -1},
                                                            {"cudaMemcpyToSymbolAsync", -1, 1, 5},
                                                            {"cudaMemcpyFromSymbol", 0, -1, -1},
                                                            {"cudaMemcpyFromSymbolAsync", 0, -1, 5},
                                                            {"cudaMemset", 0, -1, -1},
                                                            {"cudaMemsetAsync", 0, -1, 3},
                                                            {"cudaMemset2D", 0, -1, -1},
                                                            {"cudaMemset2DAsync", 0, -1, 5}}};
  for (CopySignature const& s : kTable)
    if (s.function == function) return &s;
  return nullptr;
}

}  // namespace cuco::impl
