// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Reduce-scatter: every rank puts its partial of slice p into a slot of its own on rank p; the owner adds all slots.
// Sub-slices belong to blocks, and with them signals and barrier slots. The source comes from a computation of the
// same block, published by __syncthreads() before one thread per peer posts. The closing acq_rel barrier lets the
// next round start only when all owners have added up.
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#define BLOCKS 2
#define THREADS 64
#define ROUNDS 3

typedef struct {
  ncclWindow_t partials; /* [peer][BLOCKS][THREADS] */
  ncclWindow_t slots;    /* [source][BLOCKS][THREADS] */
  float* result;         /* [ROUNDS][BLOCKS][THREADS] */
  int seed;
} params_t;

__device__ float partial(int rank, int owner, int element, int seed) { return rank * 2 + owner * 3 + element % 11 + seed; }

__global__ void reduce_scatter(params_t p, ncclDevComm dc) {
  ncclGin gin(dc, 0);
  ncclTeam world = ncclTeamWorld(dc);
  const unsigned b = blockIdx.x;
  const size_t share = THREADS * sizeof(float), row = BLOCKS * share;
  const uint64_t base = gin.readSignal(b);
  ncclBarrierSession<ncclCoopCta> bar(ncclCoopCta(), ncclTeamTagWorld(), gin, b);
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  for (int round = 0; round < ROUNDS; round++) {
    for (int owner = 0; owner < world.nRanks; owner++) {
      float* mine = (float*)ncclGetLocalPointer(p.partials, owner * row + b * share);
      mine[threadIdx.x] = partial(world.rank, owner, b * THREADS + threadIdx.x, p.seed + round);
    }
    __syncthreads();
    if (threadIdx.x < world.nRanks)
      gin.put(world, threadIdx.x, p.slots, world.rank * row + b * share, p.partials, threadIdx.x * row + b * share, share,
              ncclGin_SignalInc{b});
    gin.waitSignal(ncclCoopCta(), b, base + (uint64_t)(round + 1) * world.nRanks);
    float sum = 0;
    for (int source = 0; source < world.nRanks; source++)
      sum += ((const float*)ncclGetLocalPointer(p.slots, source * row + b * share))[threadIdx.x];
    p.result[(round * BLOCKS + b) * THREADS + threadIdx.x] = sum;
    gin.flush(ncclCoopCta());
    bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  }
}

static void expect(int status, int line) {
  if (status == 0) return;
  printf("line %d: status %d\n", line, status);
  MPI_Abort(MPI_COMM_WORLD, 1);
}
#define EXPECT(call) expect((int)(call), __LINE__)

int main(int argc, char** argv) {
  int rank, n, devices, bad = 0;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  EXPECT(cudaGetDeviceCount(&devices));
  EXPECT(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) EXPECT(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  EXPECT(ncclCommInitRank(&comm, n, id, rank));

  size_t bytes = (size_t)n * BLOCKS * THREADS * sizeof(float);
  void *partials, *slots;
  params_t p;
  memset(&p, 0, sizeof p);
  EXPECT(ncclMemAlloc(&partials, bytes));
  EXPECT(ncclMemAlloc(&slots, bytes));
  EXPECT(ncclCommWindowRegister(comm, partials, bytes, &p.partials, NCCL_WIN_COLL_SYMMETRIC));
  EXPECT(ncclCommWindowRegister(comm, slots, bytes, &p.slots, NCCL_WIN_COLL_SYMMETRIC));
  const int results = ROUNDS * BLOCKS * THREADS;
  EXPECT(cudaMalloc((void**)&p.result, results * sizeof(float)));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof reqs);
  reqs.barrierCount = BLOCKS;
  reqs.ginSignalCount = BLOCKS;
  ncclDevComm dc;
  EXPECT(ncclDevCommCreate(comm, &reqs, &dc));

  float* host = (float*)malloc(results * sizeof(float));
  for (int launch = 0; launch < 3; launch++) {
    p.seed = launch * ROUNDS;
    reduce_scatter<<<BLOCKS, THREADS>>>(p, dc);
    EXPECT(cudaGetLastError());
    EXPECT(cudaDeviceSynchronize());
    EXPECT(cudaMemcpy(host, p.result, results * sizeof(float), cudaMemcpyDeviceToHost));
    for (int k = 0; k < results; k++) {
      int round = k / (BLOCKS * THREADS), element = k % (BLOCKS * THREADS);
      float want = 0;
      for (int r = 0; r < n; r++) want += r * 2 + rank * 3 + element % 11 + p.seed + round;
      if (host[k] != want) bad++;
    }
  }
  free(host);

  int total = 0;
  MPI_Allreduce(&bad, &total, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("reduce-scatter on %d ranks: %s\n", n, total ? "FAIL" : "PASS");
  EXPECT(ncclDevCommDestroy(comm, &dc));
  EXPECT(ncclCommWindowDeregister(comm, p.partials));
  EXPECT(ncclCommWindowDeregister(comm, p.slots));
  EXPECT(ncclMemFree(partials));
  EXPECT(ncclMemFree(slots));
  EXPECT(cudaFree(p.result));
  EXPECT(ncclCommDestroy(comm));
  MPI_Finalize();
  return total ? 1 : 0;
}
