// expect: signal-threshold-low
// twin: gin_moe_dispatch.cu
// mistake: the expected number of tokens leaves out source rank 0
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <vector>

#define MAXRANKS 8
#define CAPACITY 8
#define HIDDEN 16
enum { SIG_COUNTS, SIG_TOKENS, NUM_SIGNALS };

struct Token {
  int values[HIDDEN];
};
struct Exchange {
  int outCounts[MAXRANKS];
  int inCounts[MAXRANKS];
  Token out[MAXRANKS][CAPACITY];
  Token in[MAXRANKS][CAPACITY];
};

__global__ void dispatch(ncclWindow_t win, ncclDevComm dc) {
  ncclGin gin{dc, 0};
  ncclTeam world = ncclTeamWorld(dc);
  Exchange* x = (Exchange*)ncclGetLocalPointer(win, 0);
  uint64_t baseCounts = gin.readSignal(SIG_COUNTS), baseTokens = gin.readSignal(SIG_TOKENS);
  ncclBarrierSession<ncclCoopCta> bar{ncclCoopCta(), ncclTeamTagWorld(), gin, 0};
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);

  int peer = threadIdx.x;
  if (peer < world.nRanks) {
    gin.put(world, peer, win, offsetof(Exchange, inCounts) + world.rank * sizeof(int), win,
            offsetof(Exchange, outCounts) + peer * sizeof(int), sizeof(int), ncclGin_SignalInc{SIG_COUNTS});
    int count = x->outCounts[peer];
    if (count > 0)
      gin.put(world, peer, win, offsetof(Exchange, in) + world.rank * sizeof(x->in[0]), win,
              offsetof(Exchange, out) + peer * sizeof(x->out[0]), count * sizeof(Token),
              ncclGin_SignalAdd{SIG_TOKENS, (uint64_t)count});
  }
  gin.waitSignal(ncclCoopCta(), SIG_COUNTS, baseCounts + world.nRanks);
  uint64_t expected = 0;
  for (int r = 1; r < world.nRanks; r++) expected += x->inCounts[r];  // DEFECT
  gin.waitSignal(ncclCoopCta(), SIG_TOKENS, baseTokens + expected);
  gin.flush(ncclCoopCta());
}

// The experts' work: every received token is doubled in place.
__global__ void experts(Exchange* x) {
  int r = blockIdx.x;
  for (int i = threadIdx.x; i < x->inCounts[r] * HIDDEN; i += blockDim.x) x->in[r][i / HIDDEN].values[i % HIDDEN] *= 2;
}

static int count_for(int from, int to, int it) { return (from * 3 + to * 5 + it) % (CAPACITY + 1); }
static int value_for(int from, int to, int it, int k) { return from * 10000 + to * 1000 + it * 200 + k; }

#define CU(x) { cudaError_t e = x; if (e) { fprintf(stderr, "cuda %d line %d\n", e, __LINE__); MPI_Abort(MPI_COMM_WORLD, 1); } }
#define NC(x) { ncclResult_t e = x; if (e) { fprintf(stderr, "nccl %d line %d\n", e, __LINE__); MPI_Abort(MPI_COMM_WORLD, 1); } }

int main(int argc, char** argv) {
  int rank, nranks, dev;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  CU(cudaGetDeviceCount(&dev));
  CU(cudaSetDevice(rank % dev));
  ncclUniqueId id;
  if (rank == 0) NC(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NC(ncclCommInitRank(&comm, nranks, id, rank));
  Exchange* x;
  ncclWindow_t win = NULL;
  NC(ncclMemAlloc((void**)&x, sizeof(Exchange)));
  NC(ncclCommWindowRegister(comm, x, sizeof(Exchange), &win, NCCL_WIN_COLL_SYMMETRIC));
  CU(cudaMemset(x, 0, sizeof(Exchange)));
  CU(cudaDeviceSynchronize());
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof(reqs));
  reqs.barrierCount = 1;
  reqs.ginSignalCount = NUM_SIGNALS;
  ncclDevComm dc;
  NC(ncclDevCommCreate(comm, &reqs, &dc));

  static Exchange h;
  int wrong = 0;
  for (int it = 0; it < 4; it++) {
    for (int p = 0; p < nranks; p++) {
      h.outCounts[p] = count_for(rank, p, it);
      for (int k = 0; k < CAPACITY * HIDDEN; k++) h.out[p][k / HIDDEN].values[k % HIDDEN] = value_for(rank, p, it, k);
    }
    CU(cudaMemcpy(x->outCounts, h.outCounts, sizeof(h.outCounts), cudaMemcpyHostToDevice));
    CU(cudaMemcpy(x->out, h.out, sizeof(h.out), cudaMemcpyHostToDevice));
    dispatch<<<1, 64>>>(win, dc);
    experts<<<nranks, 32>>>(x);
    CU(cudaGetLastError());
    CU(cudaDeviceSynchronize());
    CU(cudaMemcpy(&h, x, sizeof(h), cudaMemcpyDeviceToHost));
    for (int r = 0; r < nranks; r++) {
      if (h.inCounts[r] != count_for(r, rank, it)) wrong++;
      for (int k = 0; k < count_for(r, rank, it) * HIDDEN; k++)
        if (h.in[r][k / HIDDEN].values[k % HIDDEN] != 2 * value_for(r, rank, it, k)) wrong++;
    }
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", wrong ? "FAIL" : "PASS");
  NC(ncclDevCommDestroy(comm, &dc));
  NC(ncclCommWindowDeregister(comm, win));
  NC(ncclMemFree(x));
  NC(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong ? 1 : 0;
}
