// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Two-shot all-reduce: reduce my slice, then pull the slices of the others. Phase 2 of a block reads only what the
// same block index wrote on the peers, so a barrier slot per block is enough. The middle barrier is acq_rel because
// the kernel goes on reading what peers wrote; the last one keeps `sums` unchanged until all peers have pulled.
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#define MUST(x) must((x), #x, __LINE__)
static void die(const char* what, int line, const char* why) {
  std::fprintf(stderr, "line %d: %s: %s\n", line, what, why);
  MPI_Abort(MPI_COMM_WORLD, 3);
}
static void must(cudaError_t e, const char* what, int line) {
  if (e != cudaSuccess) die(what, line, cudaGetErrorString(e));
}
static void must(ncclResult_t e, const char* what, int line) {
  if (e != ncclSuccess) die(what, line, ncclGetErrorString(e));
}

constexpr int kSlice = 96;  // elements each rank reduces
constexpr int kBlocks = 2;
constexpr int kThreads = 32;
constexpr int kRounds = 4;

template <class Window>
__device__ int* lsa(Window w, int peer) {
  return static_cast<int*>(ncclGetLsaPointer(w, 0, peer));
}

__global__ void two_shot(ncclWindow_t values, ncclWindow_t sums, ncclDevComm dc) {
  ncclCoopCta cta;
  ncclTeam team = ncclTeamLsa(dc);
  ncclLsaBarrierSession<ncclCoopCta> bar{cta, dc, ncclTeamTagLsa(), blockIdx.x};
  bar.sync(cta, cuda::memory_order_acq_rel);

  int begin = blockIdx.x * blockDim.x + threadIdx.x, step = gridDim.x * blockDim.x;
  for (int i = begin; i < kSlice; i += step) {
    int at = team.rank * kSlice + i, sum = 0;
    for (int p = 0; p < team.nRanks; ++p) sum += lsa(values, p)[at];
    lsa(sums, team.rank)[at] = sum;
  }
  bar.sync(cta, cuda::memory_order_acq_rel);

  for (int k = 1; k < team.nRanks; ++k) {
    int p = (team.rank + k) % team.nRanks;
    for (int i = begin; i < kSlice; i += step) lsa(sums, team.rank)[p * kSlice + i] = lsa(sums, p)[p * kSlice + i];
  }
  bar.sync(cta, cuda::memory_order_acq_rel);
}

struct Symmetric {
  int* data = nullptr;
  ncclWindow_t window = nullptr;
  size_t bytes;
  ncclComm_t comm;
  Symmetric(ncclComm_t c, size_t count) : bytes(count * sizeof(int)), comm(c) {
    MUST(ncclMemAlloc(reinterpret_cast<void**>(&data), bytes));
    MUST(ncclCommWindowRegister(comm, data, bytes, &window, NCCL_WIN_COLL_SYMMETRIC));
  }
  ~Symmetric() {
    ncclCommWindowDeregister(comm, window);
    ncclMemFree(data);
  }
};

static int run(ncclComm_t comm, int rank, int size) {
  Symmetric values(comm, size * kSlice), sums(comm, size * kSlice);
  ncclDevCommRequirements reqs{};
  reqs.lsaBarrierCount = kBlocks;
  ncclDevComm dc;
  MUST(ncclDevCommCreate(comm, &reqs, &dc));
  cudaStream_t stream;
  MUST(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));

  int wrong = 0;
  std::vector<int> host(size * kSlice);
  for (int round = 0; round < kRounds; ++round) {
    std::iota(host.begin(), host.end(), 1000 * rank + 10 * round);
    MUST(cudaMemcpyAsync(values.data, host.data(), values.bytes, cudaMemcpyHostToDevice, stream));
    two_shot<<<kBlocks, kThreads, 0, stream>>>(values.window, sums.window, dc);
    MUST(cudaGetLastError());
    MUST(cudaMemcpyAsync(host.data(), sums.data, sums.bytes, cudaMemcpyDeviceToHost, stream));
    MUST(cudaStreamSynchronize(stream));
    for (int i = 0; i < size * kSlice; ++i) {
      int want = size * (10 * round + i) + 1000 * (size * (size - 1) / 2);
      wrong += host[i] != want;
    }
  }
  MUST(cudaStreamDestroy(stream));
  MPI_Barrier(MPI_COMM_WORLD);
  MUST(ncclDevCommDestroy(comm, &dc));
  return wrong;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Comm node;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
  int local_rank = 0;
  MPI_Comm_rank(node, &local_rank);
  MUST(cudaSetDevice(local_rank));
  ncclUniqueId id;
  if (rank == 0) MUST(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  MUST(ncclCommInitRank(&comm, size, id, rank));
  int wrong = run(comm, rank, size);
  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) std::puts(wrong ? "FAIL" : "PASS");
  MUST(ncclCommDestroy(comm));
  MPI_Comm_free(&node);
  MPI_Finalize();
  return wrong ? 1 : 0;
}
