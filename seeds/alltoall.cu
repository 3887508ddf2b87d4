// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// AlltoAll, host-driven: every rank sends a different slice of its buffer to every other rank.
//
// usage: mpirun -np N ./alltoall [bytes-per-rank] [iterations]

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define CUDA_CHECK(call)                                                                          \
  do {                                                                                            \
    cudaError_t status_ = (call);                                                                 \
    if (status_ != cudaSuccess) {                                                                 \
      fprintf(stderr, "%s:%d: CUDA: %s\n", __FILE__, __LINE__, cudaGetErrorString(status_));      \
      MPI_Abort(MPI_COMM_WORLD, 2);                                                               \
    }                                                                                             \
  } while (0)

#define NCCL_CHECK(call)                                                                          \
  do {                                                                                            \
    ncclResult_t status_ = (call);                                                                \
    if (status_ != ncclSuccess) {                                                                 \
      fprintf(stderr, "%s:%d: NCCL: %s\n", __FILE__, __LINE__, ncclGetErrorString(status_));      \
      MPI_Abort(MPI_COMM_WORLD, 2);                                                               \
    }                                                                                             \
  } while (0)

#define MPI_CHECK(call)                                                                           \
  do {                                                                                            \
    if ((call) != MPI_SUCCESS) {                                                                  \
      fprintf(stderr, "%s:%d: MPI call failed\n", __FILE__, __LINE__);                            \
      MPI_Abort(MPI_COMM_WORLD, 2);                                                               \
    }                                                                                             \
  } while (0)

// What rank `rank` sends at position `index` in iteration `iteration`. 31 bits, so the poison never occurs.
static uint32_t input_at(uint64_t index, uint32_t rank, uint32_t iteration) {
  uint64_t z = index * 0x9e3779b97f4a7c15ULL + (uint64_t{rank} << 40) + (uint64_t{iteration} << 52) + 1;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return static_cast<uint32_t>((z ^ (z >> 31)) & 0x7fffffffU);
}

int main(int argc, char** argv) {
  MPI_CHECK(MPI_Init(&argc, &argv));
  int rank, nranks;
  MPI_CHECK(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  MPI_CHECK(MPI_Comm_size(MPI_COMM_WORLD, &nranks));

  const size_t bytes_per_rank = argc > 1 ? strtoull(argv[1], nullptr, 10) : (size_t{1} << 20);
  const int iterations = argc > 2 ? atoi(argv[2]) : 5;
  const size_t count = bytes_per_rank / sizeof(uint32_t) / nranks;  // elements for each peer
  const size_t total = count * nranks;
  if (count == 0 || iterations < 1) {
    if (rank == 0) fprintf(stderr, "usage: alltoall [bytes-per-rank >= 4 * ranks] [iterations >= 1]\n");
    MPI_Abort(MPI_COMM_WORLD, 2);
  }

  int devices = 0;
  CUDA_CHECK(cudaGetDeviceCount(&devices));
  CUDA_CHECK(cudaSetDevice(rank % devices));

  ncclUniqueId id;
  if (rank == 0) NCCL_CHECK(ncclGetUniqueId(&id));
  MPI_CHECK(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD));
  ncclComm_t comm;
  NCCL_CHECK(ncclCommInitRank(&comm, nranks, id, rank));

  uint32_t *d_send, *d_recv;
  CUDA_CHECK(cudaMalloc(&d_send, total * sizeof(uint32_t)));
  CUDA_CHECK(cudaMalloc(&d_recv, total * sizeof(uint32_t)));
  cudaStream_t stream;
  CUDA_CHECK(cudaStreamCreate(&stream));
  cudaEvent_t start, stop;
  CUDA_CHECK(cudaEventCreate(&start));
  CUDA_CHECK(cudaEventCreate(&stop));

  std::vector<uint32_t> h_send(total), h_recv(total);
  std::vector<float> times;
  size_t errors = 0;

  for (int it = 0; it < iterations; ++it) {
    for (size_t i = 0; i < total; ++i) h_send[i] = input_at(i, rank, it);
    CUDA_CHECK(cudaMemcpyAsync(d_send, h_send.data(), total * sizeof(uint32_t), cudaMemcpyHostToDevice, stream));
    CUDA_CHECK(cudaMemsetAsync(d_recv, 0xff, total * sizeof(uint32_t), stream));
    CUDA_CHECK(cudaStreamSynchronize(stream));
    MPI_CHECK(MPI_Barrier(MPI_COMM_WORLD));

    CUDA_CHECK(cudaEventRecord(start, stream));
    NCCL_CHECK(ncclAlltoAll(d_send, d_recv, count, ncclUint32, comm, stream));
    CUDA_CHECK(cudaEventRecord(stop, stream));

    CUDA_CHECK(cudaEventSynchronize(stop));
    float ms = 0;
    CUDA_CHECK(cudaEventElapsedTime(&ms, start, stop));
    times.push_back(ms);

    // Slice p of the result is slice `rank` of what rank p sent.
    CUDA_CHECK(cudaMemcpy(h_recv.data(), d_recv, total * sizeof(uint32_t), cudaMemcpyDeviceToHost));
    for (int peer = 0; peer < nranks; ++peer)
      for (size_t i = 0; i < count; ++i)
        if (h_recv[peer * count + i] != input_at(rank * count + i, peer, it)) ++errors;
  }

  int mine = errors == 0, all = 0;
  MPI_CHECK(MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD));
  std::sort(times.begin(), times.end());
  if (errors != 0) fprintf(stderr, "rank %d: %zu wrong elements\n", rank, errors);
  printf("Time: %.6f ms\n", times[times.size() / 2]);
  printf("Verification: %s\n", all ? "PASS" : "FAIL");

  CUDA_CHECK(cudaEventDestroy(start));
  CUDA_CHECK(cudaEventDestroy(stop));
  CUDA_CHECK(cudaStreamDestroy(stream));
  CUDA_CHECK(cudaFree(d_send));
  CUDA_CHECK(cudaFree(d_recv));
  NCCL_CHECK(ncclCommDestroy(comm));
  MPI_CHECK(MPI_Finalize());
  return all ? 0 : 1;
}
