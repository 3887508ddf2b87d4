// expect: peer-outside-team
// also: window-race
// twin: lsa_pair_then_team.cu
// mistake: the partner's rank inside its pair is used as an LSA rank
// ranks: 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstring>
#include <vector>

#define WORDS 64
#define THREADS 64
#define OUT_OFFSET (WORDS * sizeof(int))

#define CHECK_CUDA(x) check_cuda((x), __LINE__)
#define CHECK_NCCL(x) check_nccl((x), __LINE__)
void check_cuda(cudaError_t e, int line) {
  if (e != cudaSuccess) fprintf(stderr, "line %d: %s\n", line, cudaGetErrorString(e)), MPI_Abort(MPI_COMM_WORLD, 1);
}
void check_nccl(ncclResult_t e, int line) {
  if (e != ncclSuccess) fprintf(stderr, "line %d: %s\n", line, ncclGetErrorString(e)), MPI_Abort(MPI_COMM_WORLD, 1);
}

__global__ void two_level_sum(ncclWindow_t win, int* result, ncclTeam pair, ncclLsaBarrierHandle_t pairs, ncclDevComm dc) {
  const ncclTeam lsa = ncclTeamLsa(dc);
  const int t = threadIdx.x;
  ncclLsaBarrierSession<ncclCoopCta> team_bar(ncclCoopCta(), dc, ncclTeamTagLsa(), 0);
  {
    ncclLsaBarrierSession<ncclCoopCta> pair_bar(ncclCoopCta(), dc, pair, pairs, 0);
    pair_bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
    const int partner = 1 - pair.rank;  // DEFECT
    const int* mine = (const int*)ncclGetLocalPointer(win, 0);
    const int* theirs = (const int*)ncclGetLsaPointer(win, 0, partner);
    ((int*)ncclGetLocalPointer(win, OUT_OFFSET))[t] = mine[t] + theirs[t];
  }
  team_bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
  int sum = 0;
  for (int leader = 0; leader < lsa.nRanks; leader += 2) sum += ((const int*)ncclGetLsaPointer(win, OUT_OFFSET, leader))[t];
  result[t] = sum;
  team_bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
}

int main(int argc, char** argv) {
  int rank, nranks, devices;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  CHECK_CUDA(cudaGetDeviceCount(&devices));
  CHECK_CUDA(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) CHECK_NCCL(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  CHECK_NCCL(ncclCommInitRank(&comm, nranks, id, rank));

  const size_t bytes = 2 * WORDS * sizeof(int);
  int *memory, *result;
  ncclWindow_t win = nullptr;
  CHECK_NCCL(ncclMemAlloc((void**)&memory, bytes));
  CHECK_NCCL(ncclCommWindowRegister(comm, memory, bytes, &win, NCCL_WIN_COLL_SYMMETRIC));
  CHECK_CUDA(cudaMalloc((void**)&result, WORDS * sizeof(int)));

  const ncclTeam pair = ncclTeamInnerFactor(ncclTeamLsa(comm), 2);
  ncclLsaBarrierHandle_t pairs;
  ncclDevResourceRequirements_t pair_reqs;
  CHECK_NCCL(ncclLsaBarrierCreateRequirement(pair, 1, &pairs, &pair_reqs));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof reqs);
  reqs.lsaBarrierCount = 1;
  reqs.resourceRequirementsList = &pair_reqs;
  ncclDevComm dc;
  CHECK_NCCL(ncclDevCommCreate(comm, &reqs, &dc));

  int wrong = 0;
  std::vector<int> host(WORDS);
  for (int it = 0; it < 4; it++) {
    for (int i = 0; i < WORDS; i++) host[i] = (rank + 1) * (i + 1) + it;
    CHECK_CUDA(cudaMemcpy(memory, host.data(), WORDS * sizeof(int), cudaMemcpyHostToDevice));
    two_level_sum<<<1, THREADS>>>(win, result, pair, pairs, dc);
    CHECK_CUDA(cudaGetLastError());
    CHECK_CUDA(cudaDeviceSynchronize());
    CHECK_CUDA(cudaMemcpy(host.data(), result, WORDS * sizeof(int), cudaMemcpyDeviceToHost));
    for (int i = 0; i < WORDS; i++) wrong += host[i] != nranks * (nranks + 1) / 2 * (i + 1) + nranks * it;
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", wrong ? "FAIL" : "PASS");
  CHECK_NCCL(ncclDevCommDestroy(comm, &dc));
  CHECK_NCCL(ncclCommWindowDeregister(comm, win));
  CHECK_NCCL(ncclMemFree(memory));
  CHECK_CUDA(cudaFree(result));
  CHECK_NCCL(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong ? 1 : 0;
}
