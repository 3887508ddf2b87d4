// expect: data-race
// also: barrier-divergent
// twin: lsa_work_queue.cu
// mistake: thread 0 takes the next job while other threads may still read the present one from shared memory
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <vector>

#define REQUIRE(ok)                                                     \
  do {                                                                  \
    if (!(ok)) {                                                        \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #ok);     \
      MPI_Abort(MPI_COMM_WORLD, 1);                                     \
    }                                                                   \
  } while (false)

constexpr unsigned kTiles = 6, kTile = 32, kBlocks = 3;

struct Queue {
  unsigned ticket;
};

__global__ void drain(Queue* queue, ncclWindow_t inbox, int launch, ncclDevComm dc) {
  __shared__ unsigned job;
  const ncclTeam team = ncclTeamLsa(dc);
  ncclLsaBarrierSession<ncclCoopCta> bar{ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x};
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
  while (true) {
    if (threadIdx.x == 0) job = atomicAdd(&queue->ticket, 1u);  // DEFECT
    __syncthreads();
    const unsigned mine = job;
    if (mine >= kTiles * team.nRanks) break;
    const int peer = mine / kTiles, tile = mine % kTiles;
    int* to = (int*)ncclGetLsaPointer(inbox, (team.rank * kTiles + tile) * kTile * sizeof(int), peer);
    to[threadIdx.x] = launch * 100000 + team.rank * 10000 + peer * 1000 + tile * 100 + threadIdx.x;
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
}

// Runs after drain(): its launch waits for all blocks of the kernel before it.
__global__ void collect(const int* inbox, int* sums, int nranks) {
  int sum = 0;
  for (unsigned k = 0; k < nranks * kTiles; ++k) sum += inbox[k * kTile + threadIdx.x];
  sums[threadIdx.x] = sum;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, nranks = 1, devices = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  REQUIRE(cudaGetDeviceCount(&devices) == cudaSuccess);
  REQUIRE(cudaSetDevice(rank % devices) == cudaSuccess);
  ncclUniqueId id;
  REQUIRE(rank != 0 || ncclGetUniqueId(&id) == ncclSuccess);
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  REQUIRE(ncclCommInitRank(&comm, nranks, id, rank) == ncclSuccess);

  const size_t bytes = nranks * kTiles * kTile * sizeof(int);
  int *inbox, *sums;
  Queue* queue;
  ncclWindow_t win = nullptr;
  REQUIRE(ncclMemAlloc((void**)&inbox, bytes) == ncclSuccess);
  REQUIRE(ncclCommWindowRegister(comm, inbox, bytes, &win, NCCL_WIN_COLL_SYMMETRIC) == ncclSuccess);
  REQUIRE(cudaMalloc(&sums, kTile * sizeof(int)) == cudaSuccess);
  REQUIRE(cudaMalloc(&queue, sizeof(Queue)) == cudaSuccess);
  ncclDevCommRequirements reqs{};
  reqs.lsaBarrierCount = kBlocks;
  ncclDevComm dc;
  REQUIRE(ncclDevCommCreate(comm, &reqs, &dc) == ncclSuccess);
  cudaStream_t stream;
  REQUIRE(cudaStreamCreate(&stream) == cudaSuccess);

  int wrong = 0;
  std::vector<int> got(kTile);
  for (int launch = 0; launch < 4; ++launch) {
    REQUIRE(cudaMemsetAsync(queue, 0, sizeof(Queue), stream) == cudaSuccess);
    drain<<<kBlocks, kTile, 0, stream>>>(queue, win, launch, dc);
    collect<<<1, kTile, 0, stream>>>(inbox, sums, nranks);
    REQUIRE(cudaGetLastError() == cudaSuccess);
    REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);
    REQUIRE(cudaMemcpy(got.data(), sums, kTile * sizeof(int), cudaMemcpyDeviceToHost) == cudaSuccess);
    for (int t = 0; t < int(kTile); ++t) {
      int want = 0;
      for (int r = 0; r < nranks; ++r)
        for (int k = 0; k < int(kTiles); ++k) want += launch * 100000 + r * 10000 + rank * 1000 + k * 100 + t;
      wrong += got[t] != want;
    }
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) std::printf("%s\n", wrong == 0 ? "PASS" : "FAIL");
  REQUIRE(ncclDevCommDestroy(comm, &dc) == ncclSuccess);
  REQUIRE(ncclCommWindowDeregister(comm, win) == ncclSuccess);
  REQUIRE(ncclMemFree(inbox) == ncclSuccess);
  REQUIRE(cudaFree(sums) == cudaSuccess && cudaFree(queue) == cudaSuccess);
  REQUIRE(cudaStreamDestroy(stream) == cudaSuccess && ncclCommDestroy(comm) == ncclSuccess);
  MPI_Finalize();
  return wrong == 0 ? 0 : 1;
}
