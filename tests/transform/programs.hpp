// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

/// @file
/// Small host-driven programs in many styles. All follow the program contract and verify every element.

namespace cuco::testing {

/// Includes, checks, a hash of (position, rank, round), and the lines that end every program.
inline std::string prelude() {
  return R"(#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#define CUDA_CHECK(x) do { cudaError_t e_ = (x); if (e_ != cudaSuccess) { fprintf(stderr, "line %d: %s\n", __LINE__, cudaGetErrorString(e_)); MPI_Abort(MPI_COMM_WORLD, 2); } } while (0)
#define NCCL_CHECK(x) do { ncclResult_t r_ = (x); if (r_ != ncclSuccess) { fprintf(stderr, "line %d: %s\n", __LINE__, ncclGetErrorString(r_)); MPI_Abort(MPI_COMM_WORLD, 2); } } while (0)

static int value_at(size_t i, int rank, int round) {
  uint64_t z = i * 0x9e3779b97f4a7c15ULL + uint64_t(rank + 1) * 0xbf58476d1ce4e5b9ULL + uint64_t(round) * 0x94d049bb133111ebULL;
  z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9ULL;
  return int((z >> 32) % 50);
}
static ncclComm_t make_comm(int rank, int nranks) {
  int devices = 0;
  CUDA_CHECK(cudaGetDeviceCount(&devices));
  CUDA_CHECK(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) ncclGetUniqueId(&id);
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NCCL_CHECK(ncclCommInitRank(&comm, nranks, id, rank));
  return comm;
}
static int verdict(size_t wrong, double ms) {
  int mine = wrong == 0, all = 0;
  MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  printf("Time: %.6f ms\n", ms);
  printf("Verification: %s\n", all ? "PASS" : "FAIL");
  return all ? 0 : 1;
}
)";
}

inline std::string start_of_main() {
  return R"(int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, nranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  ncclComm_t comm = make_comm(rank, nranks);
  cudaStream_t stream;
  CUDA_CHECK(cudaStreamCreate(&stream));
  cudaEvent_t start, stop;
  CUDA_CHECK(cudaEventCreate(&start));
  CUDA_CHECK(cudaEventCreate(&stop));
  float ms = 0;
  size_t wrong = 0;
)";
}

inline std::string end_of_main() {
  return R"(  const int status = verdict(wrong, ms);
  NCCL_CHECK(ncclCommDestroy(comm));
  MPI_Finalize();
  return status;
}
)";
}

/// A main that sums `n` floats of every rank with whatever `sum` says, three rounds.
inline std::string sum_program(std::string const& before_main,
                               std::string const& allocate,
                               std::string const& sum,
                               std::string const& release,
                               std::string const& in = "in",
                               std::string const& out = "out") {
  return prelude() + before_main + start_of_main() +
         "  const size_t n = 1003;\n  std::vector<float> host(n);\n" + allocate +
         R"(  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < n; ++i) host[i] = float(value_at(i, rank, round));
    CUDA_CHECK(cudaMemcpy()" +
         in + R"(, host.data(), n * sizeof(float), cudaMemcpyHostToDevice));
)" + (in == out ? "" : "    CUDA_CHECK(cudaMemset(" + out + ", 0xff, n * sizeof(float)));\n") +
         R"(    MPI_Barrier(MPI_COMM_WORLD);
    CUDA_CHECK(cudaEventRecord(start, stream));
)" + sum +
         R"(    CUDA_CHECK(cudaEventRecord(stop, stream));
    CUDA_CHECK(cudaEventSynchronize(stop));
    CUDA_CHECK(cudaEventElapsedTime(&ms, start, stop));
    CUDA_CHECK(cudaMemcpy(host.data(), )" +
         out + R"(, n * sizeof(float), cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < n; ++i) {
      float expected = 0;
      for (int r = 0; r < nranks; ++r) expected += float(value_at(i, r, round));
      if (!(host[i] == expected)) ++wrong;
    }
  }
)" + release +
         end_of_main();
}

inline constexpr char const* kPlainAllocate =
    "  float *in, *out;\n  CUDA_CHECK(cudaMalloc(&in, n * sizeof(float)));\n  CUDA_CHECK(cudaMalloc(&out, n "
    "* sizeof(float)));\n";
inline constexpr char const* kPlainFree = "  CUDA_CHECK(cudaFree(in));\n  CUDA_CHECK(cudaFree(out));\n";
inline constexpr char const* kPlainSum =
    "    NCCL_CHECK(ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream));\n";

inline std::string plain_sum() {
  return sum_program("", kPlainAllocate, kPlainSum, kPlainFree);
}

struct Style {
  char const* name;
  std::string code;
};

}  // namespace cuco::testing
