// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

/// @file
/// Parts of the host helper that only some programs need: communicators that are set up when they are made,
/// and allocations that differ in size.

namespace cuco::impl {

inline constexpr char const* kAllocateLargest = R"(
// In place of cudaMalloc where ranks ask for different sizes: all get the largest, because a window has one size. All
// ranks call it.
template <class T>
cudaError_t allocate_largest(T** pointer, size_t bytes) {
  unsigned long long mine = bytes, largest = 0;
  if (MPI_Allreduce(&mine, &largest, 1, MPI_UNSIGNED_LONG_LONG, MPI_MAX, MPI_COMM_WORLD) != MPI_SUCCESS)
    stop("MPI_Allreduce", "the size of an allocation cannot be agreed on");
  return allocate(pointer, static_cast<size_t>(largest));
}
)";

/// The name that replaces an NCCL call which makes a communicator.
inline std::string creation_name(std::string const& call) {
  return call == "ncclCommSplit"              ? "comm_split"
         : call == "ncclCommInitRankConfig"   ? "comm_init_rank_config"
         : call == "ncclCommInitRankScalable" ? "comm_init_rank_scalable"
                                              : "comm_init_rank";
}

/// Creation in groups of NCCL's: the communicators are there at the end of the outermost one.
inline constexpr char const* kCreationGroups = R"(// Communicators that an open group makes.
inline std::vector<ncclComm_t*> in_the_making;
inline int creation_groups = 0;

// A communicator that is made. Sets up its memory, at once or when the open group has ended.
inline void made(ncclComm_t* comm) {
  if (creation_groups == 0)
    prepare(*comm, {});
  else
    in_the_making.push_back(comm);
}

// In place of ncclGroupStart and ncclGroupEnd around them.
inline ncclResult_t creation_group_start() {
  ++creation_groups;
  return ncclGroupStart();
}
inline ncclResult_t creation_group_end() {
  const ncclResult_t status = ncclGroupEnd();
  if (--creation_groups != 0) return status;
  std::vector<ncclComm_t*> comms;
  comms.swap(in_the_making);
  if (status == ncclSuccess)
    for (ncclComm_t* comm : comms) prepare(*comm, {});
  return status;
}

)";

/// @param grouped whether the program makes communicators in groups.
inline std::string creation_text(std::string const& call, bool grouped) {
  std::string parameters, arguments, made = "comm";
  if (call == "ncclCommSplit") {
    parameters = "ncclComm_t comm, int color, int key, ncclComm_t* part, ncclConfig_t* config";
    arguments = "comm, color, key, part, config";
    made = "part";
  } else if (call == "ncclCommInitRankConfig") {
    parameters = "ncclComm_t* comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t* config";
    arguments = "comm, ranks, id, rank, config";
  } else if (call == "ncclCommInitRankScalable") {
    parameters = "ncclComm_t* comm, int ranks, int rank, int ids, ncclUniqueId* id, ncclConfig_t* config";
    arguments = "comm, ranks, rank, ids, id, config";
  } else {
    parameters = "ncclComm_t* comm, int ranks, ncclUniqueId id, int rank";
    arguments = "comm, ranks, id, rank";
  }
  return "inline ncclResult_t " + creation_name(call) + "(" + parameters +
         ") {\n  const ncclResult_t status = " + call + "(" + arguments +
         ");\n  if (status == ncclSuccess) " +
         (grouped ? "made(" + made + ")" : "prepare(*" + made + ", {})") + ";\n  return status;\n}\n";
}

inline std::string creations_text(std::vector<std::string> const& creations, bool grouped) {
  std::string out;
  for (auto const& call : creations) out += creation_text(call, grouped);
  if (out.empty()) return out;
  return (grouped ? kCreationGroups : std::string()) +
         "// In place of the NCCL calls that make a communicator. Its ranks are all here now, which they "
         "need not be when\n"
         "// the first of them sends.\n" +
         out + "\n";
}

}  // namespace cuco::impl
