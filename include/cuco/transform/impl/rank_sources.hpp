// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/calls.hpp"

namespace cuco::impl {

/// Library calls whose results differ between ranks, and the argument they store it to.
struct RankOutput {
  std::string_view function;
  int argument;
};
inline constexpr std::array kRankOutputs{RankOutput{"MPI_Comm_rank", 1},
                                         RankOutput{"MPI_Group_rank", 1},
                                         RankOutput{"ncclCommUserRank", 1},
                                         RankOutput{"ncclCommCuDevice", 1},
                                         RankOutput{"cudaGetDevice", 0},
                                         RankOutput{"MPI_Cart_coords", 3},
                                         RankOutput{"MPI_Cart_shift", 3},
                                         RankOutput{"MPI_Cart_shift", 4},
                                         RankOutput{"MPI_Recv", 0},
                                         RankOutput{"MPI_Irecv", 0},
                                         RankOutput{"MPI_Sendrecv", 5},
                                         RankOutput{"MPI_Scatter", 3},
                                         RankOutput{"MPI_Scatterv", 4},
                                         RankOutput{"MPI_Alltoall", 3},
                                         RankOutput{"MPI_Alltoallv", 4},
                                         RankOutput{"MPI_Gather", 3},
                                         RankOutput{"MPI_Gatherv", 3},
                                         RankOutput{"MPI_Reduce", 1},
                                         RankOutput{"MPI_Reduce_scatter", 1},
                                         RankOutput{"MPI_Reduce_scatter_block", 1},
                                         RankOutput{"MPI_Scan", 1},
                                         RankOutput{"MPI_Exscan", 1},
                                         RankOutput{"MPI_Get_processor_name", 0},
                                         RankOutput{"MPI_Comm_split", 3},
                                         RankOutput{"MPI_Comm_split_type", 4},
                                         RankOutput{"cudaMemGetInfo", 0},
                                         RankOutput{"cudaMemGetInfo", 1}};

/// The arguments of `call` that get or are a value that differs between ranks.
inline std::vector<int> rank_outputs(Call const& call, CallTokens const& tokens) {
  std::vector<int> out;
  for (RankOutput const& o : kRankOutputs)
    if (call.name == o.function) out.push_back(o.argument);
  // ncclCommInitRank(comm, ranks, id, rank): the rank is what its name says.
  if (call.name.rfind("ncclCommInitRank", 0) == 0 && tokens.args.size() >= 4) out.push_back(3);
  if (call.name.rfind("cudaMemcpy", 0) == 0) {
    bool const to_host = std::any_of(call.args.begin(), call.args.end(), [](Argument const& a) {
      return a.text.find("cudaMemcpyDeviceToHost") != std::string::npos ||
             a.text.find("cudaMemcpyDefault") != std::string::npos;
    });
    if (to_host) out.push_back(0);
  }
  return out;
}

/// MPI calls that return only when all ranks of the communicator have called them, or need them all to end.
inline bool is_world_collective(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kNames = {"MPI_Barrier",
                                                             "MPI_Bcast",
                                                             "MPI_Allreduce",
                                                             "MPI_Allgather",
                                                             "MPI_Allgatherv",
                                                             "MPI_Alltoall",
                                                             "MPI_Alltoallv",
                                                             "MPI_Reduce"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

/// Whether the call of the function named at `i` has a result that differs between processes.
inline bool is_rank_source(Code const& code, int i) {
  std::string_view const name = code.text(i);
  static constexpr std::array<std::string_view, 7> kFunctions = {
      "rand", "random", "getpid", "gethostid", "clock", "time", "omp_get_thread_num"};
  for (std::string_view f : kFunctions)
    if (name == f) return true;
  // Environment variables of a launcher, for example OMPI_COMM_WORLD_LOCAL_RANK.
  return (name == "getenv" || name == "secure_getenv") &&
         (code.text(i + 2).find("RANK") != std::string_view::npos ||
          code.text(i + 2).find("PROCID") != std::string_view::npos);
}

}  // namespace cuco::impl
