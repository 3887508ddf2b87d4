// expect: uninitialized-read
// twin: gin_tree_allreduce.cu
// mistake: every rank adds both children, also the slot of a child that does not exist and never writes
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

#define NCCLCHECK(x) if ((x) != ncclSuccess) { fprintf(stderr, "NCCL error, line %d\n", __LINE__); MPI_Abort(MPI_COMM_WORLD, 1); }
#define CUDACHECK(x) if ((x) != cudaSuccess) { fprintf(stderr, "CUDA error, line %d\n", __LINE__); MPI_Abort(MPI_COMM_WORLD, 1); }

#define LEN 48
#define BYTES (LEN * sizeof(long))

struct Node {
  long sum[LEN];      // of my subtree; what goes up
  long child[2][LEN]; // sums of my children
  long total[LEN];    // comes down
};

__global__ void tree_allreduce(ncclWindow_t win, const long* input, uint64_t launch, ncclDevComm dc) {
  const ncclGinSignal_t kUp[2] = {0, 1}, kDown = 2;
  ncclGin gin{dc, 0};
  ncclTeam world = ncclTeamWorld(dc);
  Node* node = (Node*)ncclGetLocalPointer(win, 0);
  int parent = (world.rank - 1) / 2, side = (world.rank + 1) % 2;
  int i = threadIdx.x;

  long sum = input[i];
  for (int c = 0; c < 2; c++) {
    if (2 * world.rank + 1 + c < world.nRanks) gin.waitSignal(ncclCoopCta(), kUp[c], launch + 1);
    sum += node->child[c][i];  // DEFECT
  }
  if (world.rank == 0) {
    node->total[i] = sum;
  } else {
    node->sum[i] = sum;
    gin.put(world, parent, win, offsetof(Node, child) + side * BYTES, win, offsetof(Node, sum), BYTES,
            ncclGin_SignalInc{kUp[side]}, ncclGin_None{}, ncclCoopCta());
    gin.waitSignal(ncclCoopCta(), kDown, launch + 1);
  }
  for (int c = 0; c < 2; c++) {
    int peer = 2 * world.rank + 1 + c;
    if (peer < world.nRanks)
      gin.put(world, peer, win, offsetof(Node, total), win, offsetof(Node, total), BYTES, ncclGin_SignalInc{kDown},
              ncclGin_None{}, ncclCoopCta());
  }
  gin.flush(ncclCoopCta());
}

int main(int argc, char** argv) {
  int rank, nranks, devices;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  CUDACHECK(cudaGetDeviceCount(&devices));
  CUDACHECK(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) NCCLCHECK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NCCLCHECK(ncclCommInitRank(&comm, nranks, id, rank));

  Node* node;
  long* input;
  ncclWindow_t win = NULL;
  NCCLCHECK(ncclMemAlloc((void**)&node, sizeof(Node)));
  NCCLCHECK(ncclCommWindowRegister(comm, node, sizeof(Node), &win, NCCL_WIN_COLL_SYMMETRIC));
  CUDACHECK(cudaMalloc((void**)&input, BYTES));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof reqs);
  reqs.ginSignalCount = 3;
  ncclDevComm dc;
  NCCLCHECK(ncclDevCommCreate(comm, &reqs, &dc));
  cudaStream_t stream;
  CUDACHECK(cudaStreamCreate(&stream));

  int errors = 0;
  std::vector<long> host(LEN);
  for (uint64_t launch = 0; launch < 4; launch++) {
    for (int i = 0; i < LEN; i++) host[i] = (long)launch * 1000 + rank * 50 + i;
    CUDACHECK(cudaMemcpyAsync(input, host.data(), BYTES, cudaMemcpyHostToDevice, stream));
    tree_allreduce<<<1, LEN, 0, stream>>>(win, input, launch, dc);
    CUDACHECK(cudaGetLastError());
    CUDACHECK(cudaMemcpyAsync(host.data(), node->total, BYTES, cudaMemcpyDeviceToHost, stream));
    CUDACHECK(cudaStreamSynchronize(stream));
    for (int i = 0; i < LEN; i++)
      if (host[i] != nranks * ((long)launch * 1000 + i) + 50 * (nranks * (nranks - 1) / 2)) errors++;
  }

  int total = 0;
  MPI_Allreduce(&errors, &total, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", total ? "FAIL" : "PASS");
  CUDACHECK(cudaStreamDestroy(stream));
  NCCLCHECK(ncclDevCommDestroy(comm, &dc));
  NCCLCHECK(ncclCommWindowDeregister(comm, win));
  NCCLCHECK(ncclMemFree(node));
  CUDACHECK(cudaFree(input));
  NCCLCHECK(ncclCommDestroy(comm));
  MPI_Finalize();
  return total ? 1 : 0;
}
