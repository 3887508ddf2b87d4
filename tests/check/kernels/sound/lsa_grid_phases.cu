// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Gather, then a dot product that needs all blocks' data: after the LSA barriers the blocks of a GPU meet in a
// grid-wide barrier, therefore the launch is cooperative and no larger than what fits on the device at once. The
// grid barrier orders the blocks' writes to `gathered` before the reads of all blocks.
#include <cooperative_groups.h>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace cg = cooperative_groups;

#define RUN(x)                                                                   \
  do {                                                                           \
    auto code = (x);                                                             \
    if ((int)code != 0) {                                                        \
      std::fprintf(stderr, "%s failed with %d\n", #x, (int)code);                \
      MPI_Abort(MPI_COMM_WORLD, 1);                                              \
    }                                                                            \
  } while (0)

constexpr int kWanted = 4, kThreads = 32, kPerBlock = kThreads;
constexpr size_t kSharedBytes = 100 * 1024;  // the real kernel keeps its tile there

__global__ void gather_and_dot(ncclWindow_t win, int* gathered, long* dots, ncclDevComm dc) {
  extern __shared__ int tile[];
  const cg::grid_group grid = cg::this_grid();
  const ncclTeam team = ncclTeamLsa(dc);
  const int b = blockIdx.x, share = gridDim.x * kPerBlock;
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, ncclTeamTagLsa(), b);
  bar.sync(ncclCoopCta(), cuda::memory_order_acquire);
  for (int p = 0; p < team.nRanks; ++p) {
    tile[threadIdx.x] = ((const int*)ncclGetLsaPointer(win, 0, p))[b * kPerBlock + threadIdx.x];
    gathered[p * share + b * kPerBlock + threadIdx.x] = tile[threadIdx.x];
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);  // the peers may change their values again
  grid.sync();
  long dot = 0;
  for (int i = threadIdx.x; i < team.nRanks * share; i += blockDim.x) dot += (long)gathered[i] * (b + 1);
  atomicAdd((unsigned long long*)&dots[b], (unsigned long long)dot);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, nranks, devices;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  RUN(cudaGetDeviceCount(&devices));
  const int device = rank % devices;
  RUN(cudaSetDevice(device));
  ncclUniqueId id;
  if (rank == 0) RUN(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  RUN(ncclCommInitRank(&comm, nranks, id, rank));

  RUN(cudaFuncSetAttribute(gather_and_dot, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)kSharedBytes));
  int per_sm = 0, sms = 0;
  RUN(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_sm, gather_and_dot, kThreads, kSharedBytes));
  RUN(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device));
  int blocks = std::min(kWanted, per_sm * sms);
  MPI_Allreduce(MPI_IN_PLACE, &blocks, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);  // the same grid on every rank

  const int share = blocks * kPerBlock;
  int *values, *gathered;
  long* dots;
  ncclWindow_t win = nullptr;
  RUN(ncclMemAlloc((void**)&values, share * sizeof(int)));
  RUN(ncclCommWindowRegister(comm, values, share * sizeof(int), &win, NCCL_WIN_COLL_SYMMETRIC));
  RUN(cudaMalloc(&gathered, nranks * share * sizeof(int)));
  RUN(cudaMalloc(&dots, blocks * sizeof(long)));
  ncclDevCommRequirements reqs{};
  reqs.lsaBarrierCount = blocks;
  ncclDevComm dc;
  RUN(ncclDevCommCreate(comm, &reqs, &dc));

  int wrong = 0;
  for (int it = 0; it < 3; ++it) {
    std::vector<int> host(share);
    for (int i = 0; i < share; ++i) host[i] = rank * 10 + i % 7 + it;
    RUN(cudaMemcpy(values, host.data(), share * sizeof(int), cudaMemcpyHostToDevice));
    RUN(cudaMemset(dots, 0, blocks * sizeof(long)));
    void* args[] = {&win, &gathered, &dots, &dc};
    RUN(cudaLaunchCooperativeKernel((const void*)gather_and_dot, dim3(blocks), dim3(kThreads), args, kSharedBytes, nullptr));
    RUN(cudaDeviceSynchronize());
    std::vector<long> got(blocks);
    RUN(cudaMemcpy(got.data(), dots, blocks * sizeof(long), cudaMemcpyDeviceToHost));
    long sum = 0;
    for (int r = 0; r < nranks; ++r)
      for (int i = 0; i < share; ++i) sum += r * 10 + i % 7 + it;
    for (int b = 0; b < blocks; ++b) wrong += got[b] != sum * (b + 1);
  }

  int all = 0;
  MPI_Allreduce(&wrong, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) std::printf("%s with %d blocks\n", all ? "FAIL" : "PASS", blocks);
  RUN(ncclDevCommDestroy(comm, &dc));
  RUN(ncclCommWindowDeregister(comm, win));
  RUN(ncclMemFree(values));
  RUN(cudaFree(gathered));
  RUN(cudaFree(dots));
  RUN(ncclCommDestroy(comm));
  MPI_Finalize();
  return all ? 1 : 0;
}
