// expect: weak-order
// twin: gin_producer_consumer.cu
// mistake: the consumer awaits the signal relaxed and then reads the message with plain loads
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cassert>
#include <cstdio>
#include <vector>

constexpr int kDepth = 2;
constexpr int kWords = 64;
constexpr int kMessages = 6;  // per launch, a multiple of kDepth
constexpr int kLaunches = 3;
constexpr ncclGinSignal_t kData = 0, kCredit = 1;

struct Slots {
  int words[kDepth][kWords];
};

__host__ __device__ int word(int rank, int message, int i) { return rank * 1000000 + message * 1000 + i; }

__device__ void produce(const ncclGin& gin, ncclTeam world, ncclWindow_t source, ncclWindow_t destination, int m) {
  ncclCoopCta cta;
  const int slot = m % kDepth;
  if (m >= kDepth) {
    gin.waitCounter(cta, slot, m / kDepth);
    gin.waitSignal(cta, kCredit, m - kDepth + 1);
  }
  Slots* mine = (Slots*)ncclGetLocalPointer(source, 0);
  for (int i = threadIdx.x; i < kWords; i += blockDim.x) mine->words[slot][i] = word(world.rank, m, i);
  __syncthreads();
  if (threadIdx.x == 0) {
    const size_t offset = slot * sizeof(Slots::words[0]);
    gin.put(world, (world.rank + 1) % world.nRanks, destination, offset, source, offset, sizeof(Slots::words[0]),
            ncclGin_SignalInc{kData}, ncclGin_CounterInc{(ncclGinCounter_t)slot});
  }
}

__device__ void consume(const ncclGin& gin, ncclTeam world, ncclWindow_t destination, int m, int* log) {
  ncclCoopCta cta;
  gin.waitSignal(cta, kData, m + 1, 64, cuda::memory_order_relaxed);  // DEFECT
  const Slots* mine = (const Slots*)ncclGetLocalPointer(destination, 0);
  for (int i = threadIdx.x; i < kWords; i += blockDim.x) log[i] = mine->words[m % kDepth][i];
  __syncthreads();
  if (threadIdx.x == 0)
    gin.signal(world, (world.rank + world.nRanks - 1) % world.nRanks, ncclGin_SignalInc{kCredit});
}

__global__ void stream_messages(ncclWindow_t source, ncclWindow_t destination, int first, int* log, ncclDevComm dc) {
  ncclGin gin(dc, 0);
  const ncclTeam world = ncclTeamWorld(dc);
  for (int m = first; m < first + kMessages; ++m) {
    produce(gin, world, source, destination, m);
    consume(gin, world, destination, m, log + (m - first) * kWords);
  }
  gin.waitSignal(ncclCoopCta(), kCredit, first + kMessages);
  for (int slot = 0; slot < kDepth; ++slot) gin.waitCounter(ncclCoopCta(), slot, (first + kMessages) / kDepth);
}

#define E(call)                                                                    \
  if (auto status = (call)) {                                                      \
    std::fprintf(stderr, "%s: error %d\n", #call, static_cast<int>(status));       \
    MPI_Abort(MPI_COMM_WORLD, 1);                                                  \
  }

int main(int argc, char** argv) {
  static_assert(kMessages % kDepth == 0, "the counters' totals assume whole turns");
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int count = 0;
  E(cudaGetDeviceCount(&count));
  E(cudaSetDevice(rank % count));
  ncclUniqueId id;
  if (rank == 0) E(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  E(ncclCommInitRank(&comm, size, id, rank));

  Slots* slots[2];
  std::vector<ncclWindow_t> windows(2, nullptr);
  for (int w = 0; w < 2; ++w) {
    E(ncclMemAlloc((void**)&slots[w], sizeof(Slots)));
    E(ncclCommWindowRegister(comm, slots[w], sizeof(Slots), &windows[w], NCCL_WIN_COLL_SYMMETRIC));
  }
  int* log;
  E(cudaMalloc(&log, kMessages * kWords * sizeof(int)));
  ncclDevCommRequirements reqs{};
  reqs.ginSignalCount = 2;
  reqs.ginCounterCount = kDepth;
  ncclDevComm dc;
  E(ncclDevCommCreate(comm, &reqs, &dc));

  const int left = (rank + size - 1) % size;
  int wrong = 0;
  std::vector<int> seen(kMessages * kWords);
  for (int launch = 0; launch < kLaunches; ++launch) {
    stream_messages<<<1, 32>>>(windows[0], windows[1], launch * kMessages, log, dc);
    E(cudaGetLastError());
    E(cudaDeviceSynchronize());
    E(cudaMemcpy(seen.data(), log, seen.size() * sizeof(int), cudaMemcpyDeviceToHost));
    for (int m = 0; m < kMessages; ++m)
      for (int i = 0; i < kWords; ++i) wrong += seen[m * kWords + i] != word(left, launch * kMessages + m, i);
  }

  int sum = 0;
  MPI_Allreduce(&wrong, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) std::printf(sum == 0 ? "PASS\n" : "FAIL\n");
  E(ncclDevCommDestroy(comm, &dc));
  for (int w = 0; w < 2; ++w) {
    E(ncclCommWindowDeregister(comm, windows[w]));
    E(ncclMemFree(slots[w]));
  }
  E(cudaFree(log));
  E(ncclCommDestroy(comm));
  MPI_Finalize();
  return sum == 0 ? 0 : 1;
}
