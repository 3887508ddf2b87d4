// expect: livelock
// twin: lsa_ring_allgather_flags.cu
// mistake: the flag is read once before the loop, which then spins on the old value
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#define CK(call, good)                                           \
  if ((call) != (good)) {                                        \
    fprintf(stderr, "%s:%d: " #call " failed\n", __FILE__, __LINE__); \
    MPI_Abort(MPI_COMM_WORLD, 1);                                \
  }
#define SLOT 128
#define MAX_RANKS 8
#define FLAG_OFFSET (MAX_RANKS * SLOT * sizeof(int))
#define WINDOW_BYTES (FLAG_OFFSET + MAX_RANKS * sizeof(int))

__device__ void wait_for(volatile int* flag, int value) {
  if (threadIdx.x == 0) {
    const int seen = *flag;
    while (seen < value) {  // DEFECT
      __nanosleep(100);
    }
    __threadfence_system();
  }
  __syncthreads();
}

__global__ void ring(ncclWindow_t win, int epoch, ncclDevComm dc) {
  ncclTeam team = ncclTeamLsa(dc);
  int right = (team.rank + 1) % team.nRanks;
  int* mine = (int*)ncclGetLocalPointer(win, 0);
  int* theirs = (int*)ncclGetLsaPointer(win, 0, right);
  volatile int* my_flags = (volatile int*)ncclGetLocalPointer(win, FLAG_OFFSET);
  volatile int* right_flags = (volatile int*)ncclGetLsaPointer(win, FLAG_OFFSET, right);

  for (int step = 0; step < team.nRanks - 1; step++) {
    int slot = (team.rank - step + team.nRanks) % team.nRanks;
    if (step > 0) wait_for(&my_flags[slot], epoch);
    for (int i = threadIdx.x; i < SLOT; i += blockDim.x) theirs[slot * SLOT + i] = mine[slot * SLOT + i];
    __syncthreads();
    if (threadIdx.x == 0) {
      __threadfence_system();
      right_flags[slot] = epoch;
    }
  }
  wait_for(&my_flags[right], epoch);  // the last slot to come is the right neighbour's
}

int main(int argc, char** argv) {
  int rank, nranks, ndev;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  if (nranks > MAX_RANKS) MPI_Abort(MPI_COMM_WORLD, 1);
  CK(cudaGetDeviceCount(&ndev), cudaSuccess);
  CK(cudaSetDevice(rank % ndev), cudaSuccess);
  ncclUniqueId id;
  if (rank == 0) CK(ncclGetUniqueId(&id), ncclSuccess);
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  CK(ncclCommInitRank(&comm, nranks, id, rank), ncclSuccess);

  char* buffer;
  ncclWindow_t win = NULL;
  CK(ncclMemAlloc((void**)&buffer, WINDOW_BYTES), ncclSuccess);
  CK(ncclCommWindowRegister(comm, buffer, WINDOW_BYTES, &win, NCCL_WIN_COLL_SYMMETRIC), ncclSuccess);
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof reqs);
  ncclDevComm dc;
  CK(ncclDevCommCreate(comm, &reqs, &dc), ncclSuccess);

  CK(cudaMemset(buffer, 0, WINDOW_BYTES), cudaSuccess);
  CK(cudaDeviceSynchronize(), cudaSuccess);
  MPI_Barrier(MPI_COMM_WORLD);  // all flags are zero before anybody stores one

  int errors = 0;
  static int host[MAX_RANKS * SLOT];
  for (int epoch = 1; epoch <= 4; epoch++) {
    for (int i = 0; i < SLOT; i++) host[i] = 100000 * epoch + 1000 * rank + i;
    CK(cudaMemcpy(buffer + rank * SLOT * sizeof(int), host, SLOT * sizeof(int), cudaMemcpyHostToDevice), cudaSuccess);
    ring<<<1, 64>>>(win, epoch, dc);
    CK(cudaGetLastError(), cudaSuccess);
    CK(cudaDeviceSynchronize(), cudaSuccess);
    CK(cudaMemcpy(host, buffer, nranks * SLOT * sizeof(int), cudaMemcpyDeviceToHost), cudaSuccess);
    for (int r = 0; r < nranks; r++)
      for (int i = 0; i < SLOT; i++)
        if (host[r * SLOT + i] != 100000 * epoch + 1000 * r + i) errors++;
    MPI_Barrier(MPI_COMM_WORLD);
  }

  int total = 0;
  MPI_Allreduce(&errors, &total, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s (%d errors)\n", total ? "FAIL" : "PASS", total);
  CK(ncclDevCommDestroy(comm, &dc), ncclSuccess);
  CK(ncclCommWindowDeregister(comm, win), ncclSuccess);
  CK(ncclMemFree(buffer), ncclSuccess);
  CK(ncclCommDestroy(comm), ncclSuccess);
  MPI_Finalize();
  return total != 0;
}
