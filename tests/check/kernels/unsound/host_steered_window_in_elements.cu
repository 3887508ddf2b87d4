// expect: window-bounds
// twin: host_steered_rotation.cu
// mistake: the target window is registered with the number of elements instead of bytes
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 128
#define OK(x) assert_ok((long)(x), #x, __LINE__)
static void assert_ok(long status, const char* what, int line) {
  if (status) {
    fprintf(stderr, "%d: %s = %ld\n", line, what, status);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

struct Plan {
  int distance;
  int factor;
};

__global__ void rotate(ncclWindow_t from, ncclWindow_t to, Plan plan, ncclDevComm dc) {
  ncclTeam team = ncclTeamLsa(dc);
  int peer = (team.rank + plan.distance) % team.nRanks;
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x);
  bar.sync(ncclCoopCta(), cuda::memory_order_acquire);
  const short* source = (const short*)ncclGetLocalPointer(from, 0);
  short* target = (short*)ncclGetLsaPointer(to, 0, peer);
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < COUNT; i += gridDim.x * blockDim.x)
    target[i] = (short)(source[i] * plan.factor);  // DEFECT
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}

static Plan make_plan(int it, int size) {
  Plan plan;
  plan.distance = (it * 3 + 1) % size;
  plan.factor = it + 1;
  return plan;
}

int main(int argc, char** argv) {
  int rank, size, devices, wrong = 0;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  OK(cudaGetDeviceCount(&devices));
  OK(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) OK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  OK(ncclCommInitRank(&comm, size, id, rank));

  short *from, *to;
  ncclWindow_t from_win = NULL, to_win = NULL;
  OK(ncclMemAlloc((void**)&from, COUNT * sizeof(short)));
  OK(ncclMemAlloc((void**)&to, COUNT * sizeof(short)));
  OK(ncclCommWindowRegister(comm, from, COUNT * sizeof(short), &from_win, NCCL_WIN_COLL_SYMMETRIC));
  OK(ncclCommWindowRegister(comm, to, COUNT, &to_win, NCCL_WIN_COLL_SYMMETRIC));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof reqs);
  reqs.lsaBarrierCount = 2;
  ncclDevComm dc;
  OK(ncclDevCommCreate(comm, &reqs, &dc));
  cudaStream_t stream;
  OK(cudaStreamCreate(&stream));

  short host[COUNT];
  for (int i = 0; i < COUNT; i++) host[i] = (short)(rank * 200 + i);
  OK(cudaMemcpyAsync(from, host, sizeof host, cudaMemcpyHostToDevice, stream));
  OK(cudaStreamSynchronize(stream));
  for (int it = 0; it < 4; it++) {
    Plan plan;
    memset(&plan, 0, sizeof plan);
    if (rank == 0) plan = make_plan(it, size);
    MPI_Bcast(&plan, sizeof plan, MPI_BYTE, 0, MPI_COMM_WORLD);
    rotate<<<2, 32, 0, stream>>>(from_win, to_win, plan, dc);
    OK(cudaGetLastError());
    OK(cudaStreamSynchronize(stream));
    OK(cudaMemcpy(host, to, sizeof host, cudaMemcpyDeviceToHost));
    int source = (rank - plan.distance + size) % size;
    for (int i = 0; i < COUNT; i++)
      if (host[i] != (short)((source * 200 + i) * plan.factor)) wrong++;
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", wrong ? "FAIL" : "PASS");
  OK(cudaStreamDestroy(stream));
  OK(ncclDevCommDestroy(comm, &dc));
  OK(ncclCommWindowDeregister(comm, from_win));
  OK(ncclCommWindowDeregister(comm, to_win));
  OK(ncclMemFree(from));
  OK(ncclMemFree(to));
  OK(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
