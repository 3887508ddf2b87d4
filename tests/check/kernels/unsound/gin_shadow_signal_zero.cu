// expect: signal-wrong-id
// twin: gin_shadow_alltoall.cu
// mistake: all blocks signal id 0 while each waits on its own id
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>

#define CHK(x) if (int err = int(x)) { std::fprintf(stderr, "%s = %d at line %d\n", #x, err, __LINE__); MPI_Abort(MPI_COMM_WORLD, err); }

constexpr int kBlocks = 2, kThreads = 32, kPart = 24, kIterations = 5;

__host__ __device__ constexpr int value(int from, int to, int block, int i, int it) {
  return ((it * 8 + from) * 8 + to) * 1000 + block * 100 + i;
}

__global__ void fill(int* out, int rank, int nranks, int it) {
  for (int p = 0; p < nranks; ++p)
    for (int i = threadIdx.x; i < kPart; i += blockDim.x)
      out[(blockIdx.x * nranks + p) * kPart + i] = value(rank, p, blockIdx.x, i, it);
}

__global__ void exchange(ncclSymPtr<int> out, ncclSymPtr<int> in, ncclDevComm dc) {
  const unsigned b = blockIdx.x;
  ncclGin gin{dc, int(b)};
  const ncclTeam world = ncclTeamWorld(dc);
  ncclBarrierSession<ncclCoopCta> bar{ncclCoopCta(), ncclTeamTagWorld(), gin, b};
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  const int mine = (b * world.nRanks + world.rank) * kPart;
  for (int p = threadIdx.x; p < world.nRanks; p += blockDim.x)
    gin.put(world, p, in + mine, out + (b * world.nRanks + p) * kPart, kPart, ncclGin_SignalInc{0});  // DEFECT
  if (threadIdx.x == 0) gin.increaseSignalShadow(b, world.nRanks);
  gin.waitSignalMeetShadow(ncclCoopCta(), b);
  gin.flush(ncclCoopCta());
}

__global__ void check(const int* in, int rank, int nranks, int it, int* wrong) {
  for (int r = 0; r < nranks; ++r)
    for (int i = threadIdx.x; i < kPart; i += blockDim.x)
      if (in[(blockIdx.x * nranks + r) * kPart + i] != value(r, rank, blockIdx.x, i, it)) atomicAdd(wrong, 1);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, nranks, devices;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  CHK(cudaGetDeviceCount(&devices));
  CHK(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) CHK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  CHK(ncclCommInitRank(&comm, nranks, id, rank));

  const size_t bytes = sizeof(int) * kBlocks * nranks * kPart;
  int *out, *in, *wrong;
  ncclWindow_t outWindow = nullptr, inWindow = nullptr;
  CHK(ncclMemAlloc((void**)&out, bytes));
  CHK(ncclMemAlloc((void**)&in, bytes));
  CHK(ncclCommWindowRegister(comm, out, bytes, &outWindow, NCCL_WIN_COLL_SYMMETRIC));
  CHK(ncclCommWindowRegister(comm, in, bytes, &inWindow, NCCL_WIN_COLL_SYMMETRIC));
  CHK(cudaMalloc((void**)&wrong, sizeof(int)));
  CHK(cudaMemset(wrong, 0, sizeof(int)));
  ncclDevCommRequirements reqs{};
  reqs.barrierCount = kBlocks;
  reqs.ginSignalCount = kBlocks;
  ncclDevComm dc;
  CHK(ncclDevCommCreate(comm, &reqs, &dc));

  // No host synchronisation inside: the stream orders the kernels of a rank, the barriers those of different ranks.
  for (int it = 0; it < kIterations; ++it) {
    fill<<<kBlocks, kThreads>>>(out, rank, nranks, it);
    exchange<<<kBlocks, kThreads>>>({outWindow, 0}, {inWindow, 0}, dc);
    check<<<kBlocks, kThreads>>>(in, rank, nranks, it, wrong);
    CHK(cudaGetLastError());
  }
  CHK(cudaDeviceSynchronize());

  int errors = 0, all = 0;
  CHK(cudaMemcpy(&errors, wrong, sizeof(int), cudaMemcpyDeviceToHost));
  MPI_Allreduce(&errors, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) std::puts(all ? "FAIL" : "PASS");
  CHK(ncclDevCommDestroy(comm, &dc));
  CHK(ncclCommWindowDeregister(comm, outWindow));
  CHK(ncclCommWindowDeregister(comm, inWindow));
  CHK(ncclMemFree(out));
  CHK(ncclMemFree(in));
  CHK(cudaFree(wrong));
  CHK(ncclCommDestroy(comm));
  MPI_Finalize();
  return all != 0;
}
