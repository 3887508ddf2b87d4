// expect: flush-is-not-delivery
// also: unawaited-data
// twin: gin_barrier_rounds.cu
// mistake: the rows are awaited by flush and the GIN barrier instead of the signal
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstring>
#include <vector>

#define BAIL_IF(cond)                                       \
  if (cond) {                                               \
    fprintf(stderr, "line %d: " #cond "\n", __LINE__);      \
    MPI_Abort(MPI_COMM_WORLD, 1);                           \
  }

constexpr int kRow = 32, kRounds = 4, kLaunches = 3;
constexpr size_t kRowBytes = kRow * sizeof(int);

__global__ void rounds(ncclWindow_t row, ncclWindow_t table, int* sums, int seed, ncclDevComm dc) {
  ncclCoopCta cta;
  ncclGin gin(dc, 3);
  ncclTeam world = ncclTeamWorld(dc);
  int* mine = (int*)ncclGetLocalPointer(row, 0);
  const int* all = (const int*)ncclGetLocalPointer(table, 0);
  uint64_t base = gin.readSignal(0);
  ncclGinBarrierSession<ncclCoopCta> bar(cta, gin, world, dc.railGinBarrier, 0);
  bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  for (int round = 0; round < kRounds; ++round) {
    mine[threadIdx.x] = (world.rank + 1) * (seed + round) + threadIdx.x;
    __syncthreads();
    if (threadIdx.x < world.nRanks)
      gin.put(world, threadIdx.x, table, world.rank * kRowBytes, row, 0, kRowBytes, ncclGin_SignalInc{0});
    gin.flush(cta);  // DEFECT
    bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
    int sum = 0;
    for (int r = 0; r < world.nRanks; ++r) sum += all[r * kRow + threadIdx.x];
    sums[round * kRow + threadIdx.x] = sum;
    gin.flush(cta);
    bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  }
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int me, n, devices;
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  BAIL_IF(cudaGetDeviceCount(&devices) != cudaSuccess);
  BAIL_IF(cudaSetDevice(me % devices) != cudaSuccess);
  ncclUniqueId id;
  BAIL_IF(me == 0 && ncclGetUniqueId(&id) != ncclSuccess);
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  BAIL_IF(ncclCommInitRank(&comm, n, id, me) != ncclSuccess);

  void *row, *table;
  ncclWindow_t rowWin = nullptr, tableWin = nullptr;
  BAIL_IF(ncclMemAlloc(&row, kRowBytes) != ncclSuccess);
  BAIL_IF(ncclMemAlloc(&table, n * kRowBytes) != ncclSuccess);
  BAIL_IF(ncclCommWindowRegister(comm, row, kRowBytes, &rowWin, NCCL_WIN_COLL_SYMMETRIC) != ncclSuccess);
  BAIL_IF(ncclCommWindowRegister(comm, table, n * kRowBytes, &tableWin, NCCL_WIN_COLL_SYMMETRIC) != ncclSuccess);
  int* sums;
  BAIL_IF(cudaMalloc((void**)&sums, kRounds * kRowBytes) != cudaSuccess);
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof reqs);
  reqs.railGinBarrierCount = 1;
  reqs.ginSignalCount = 1;
  ncclDevComm dc;
  BAIL_IF(ncclDevCommCreate(comm, &reqs, &dc) != ncclSuccess);

  int wrong = 0;
  std::vector<int> got(kRounds * kRow);
  for (int launch = 0; launch < kLaunches; ++launch) {
    const int seed = launch * 100;
    rounds<<<1, kRow>>>(rowWin, tableWin, sums, seed, dc);
    BAIL_IF(cudaGetLastError() != cudaSuccess);
    BAIL_IF(cudaDeviceSynchronize() != cudaSuccess);
    BAIL_IF(cudaMemcpy(got.data(), sums, kRounds * kRowBytes, cudaMemcpyDeviceToHost) != cudaSuccess);
    for (int round = 0; round < kRounds; ++round)
      for (int i = 0; i < kRow; ++i) wrong += got[round * kRow + i] != n * (n + 1) / 2 * (seed + round) + n * i;
  }

  int total = 0;
  MPI_Allreduce(&wrong, &total, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (me == 0) printf("%s\n", total ? "FAIL" : "PASS");
  BAIL_IF(ncclDevCommDestroy(comm, &dc) != ncclSuccess);
  BAIL_IF(ncclCommWindowDeregister(comm, rowWin) != ncclSuccess);
  BAIL_IF(ncclCommWindowDeregister(comm, tableWin) != ncclSuccess);
  BAIL_IF(ncclMemFree(row) != ncclSuccess || ncclMemFree(table) != ncclSuccess);
  BAIL_IF(cudaFree(sums) != cudaSuccess);
  BAIL_IF(ncclCommDestroy(comm) != ncclSuccess);
  MPI_Finalize();
  return total ? 1 : 0;
}
