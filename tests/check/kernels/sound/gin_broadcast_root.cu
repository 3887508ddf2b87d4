// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Rank 0 streams blocks of data to all others from one source buffer. Before it refills the buffer it flushes the
// puts that read it; before it puts again it awaits one credit of every receiver, sent when the last block was
// copied out. Every credit signal belongs to one receiver, data has one sender, totals continue over launches.
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <vector>

using Word = unsigned;
constexpr int kWords = 80, kBlocksOfData = 4, kThreads = 64;
constexpr size_t kBytes = kWords * sizeof(Word);
constexpr ncclGinSignal_t kData = 0;
__host__ __device__ constexpr ncclGinSignal_t credit_of(int rank) { return 1 + rank; }
__host__ __device__ constexpr Word word_of(int number, int i) { return number * 1000u + i; }

__device__ void root(ncclGin const& gin, ncclTeam world, ncclWindow_t win, int first) {
  Word* source = (Word*)ncclGetLocalPointer(win, 0);
  for (int number = first; number < first + kBlocksOfData; ++number) {
    for (int i = threadIdx.x; i < kWords; i += blockDim.x) source[i] = word_of(number, i);
    for (int r = 1; r < world.nRanks; ++r) gin.waitSignal(ncclCoopCta(), credit_of(r), number);
    __syncthreads();
    for (int r = 1 + threadIdx.x; r < world.nRanks; r += blockDim.x)
      gin.put(world, r, win, kBytes, win, 0, kBytes, ncclGin_SignalAdd{kData, 1});
    gin.flush(ncclCoopCta());
  }
  for (int r = 1; r < world.nRanks; ++r) gin.waitSignal(ncclCoopCta(), credit_of(r), first + kBlocksOfData);
}

__device__ void receiver(ncclGin const& gin, ncclTeam world, ncclWindow_t win, int first, Word* log) {
  const Word* inbox = (const Word*)ncclGetLocalPointer(win, kBytes);
  for (int number = first; number < first + kBlocksOfData; ++number) {
    gin.waitSignal(ncclCoopCta(), kData, number + 1);
    for (int i = threadIdx.x; i < kWords; i += blockDim.x) log[(number - first) * kWords + i] = inbox[i];
    __syncthreads();
    if (threadIdx.x == 0) gin.signal(world, 0, ncclGin_SignalInc{credit_of(world.rank)});
  }
}

__global__ void broadcast(ncclWindow_t win, int first, Word* log, ncclDevComm dc) {
  ncclGin gin(dc, 0);
  ncclTeam world = ncclTeamWorld(dc);
  if (world.rank == 0)
    root(gin, world, win, first);
  else
    receiver(gin, world, win, first, log);
}

struct Rank {
  int id = 0, count = 1;
  ncclComm_t comm = nullptr;
  template <class T>
  void operator()(T status, const char* what) const {  // rank(call, "call")
    if (static_cast<int>(status) == 0) return;
    std::fprintf(stderr, "rank %d: %s: %d\n", id, what, static_cast<int>(status));
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
};

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  Rank rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank.id);
  MPI_Comm_size(MPI_COMM_WORLD, &rank.count);
  int devices = 1;
  rank(cudaGetDeviceCount(&devices), "device count");
  rank(cudaSetDevice(rank.id % devices), "set device");
  ncclUniqueId id;
  if (rank.id == 0) rank(ncclGetUniqueId(&id), "unique id");
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  rank(ncclCommInitRank(&rank.comm, rank.count, id, rank.id), "init");
  void* memory = nullptr;
  ncclWindow_t win = nullptr;
  rank(ncclMemAlloc(&memory, 2 * kBytes), "memory");
  rank(ncclCommWindowRegister(rank.comm, memory, 2 * kBytes, &win, NCCL_WIN_COLL_SYMMETRIC), "window");
  Word* log = nullptr;
  std::vector<Word> seen(kBlocksOfData * kWords);
  rank(cudaMalloc(&log, seen.size() * sizeof(Word)), "log");
  ncclDevCommRequirements reqs{};
  reqs.ginSignalCount = 1 + rank.count;
  ncclDevComm dc;
  rank(ncclDevCommCreate(rank.comm, &reqs, &dc), "devcomm");

  int wrong = 0;
  for (int launch = 0; launch < 3; ++launch) {
    const int first = launch * kBlocksOfData;
    broadcast<<<1, kThreads>>>(win, first, log, dc);
    rank(cudaGetLastError(), "launch");
    rank(cudaDeviceSynchronize(), "synchronize");
    if (rank.id == 0) continue;
    rank(cudaMemcpy(seen.data(), log, seen.size() * sizeof(Word), cudaMemcpyDeviceToHost), "copy");
    for (int k = 0; k < kBlocksOfData; ++k)
      for (int i = 0; i < kWords; ++i) wrong += seen[k * kWords + i] != word_of(first + k, i);
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank.id == 0) std::printf("%s\n", wrong ? "FAIL" : "PASS");
  rank(ncclDevCommDestroy(rank.comm, &dc), "destroy devcomm");
  rank(ncclCommWindowDeregister(rank.comm, win), "deregister");
  rank(ncclMemFree(memory), "free");
  rank(cudaFree(log), "free log");
  rank(ncclCommDestroy(rank.comm), "destroy");
  MPI_Finalize();
  return wrong ? 1 : 0;
}
