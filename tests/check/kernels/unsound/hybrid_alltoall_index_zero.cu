// expect: barrier-shared-index
// twin: hybrid_alltoall.cu
// mistake: both blocks construct the hybrid barrier on slot 0
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

#define CUDA_TRY(e) do { cudaError_t c_ = (e); if (c_ != cudaSuccess) abort_with(__LINE__, cudaGetErrorString(c_)); } while (0)
#define NCCL_TRY(e) do { ncclResult_t n_ = (e); if (n_ != ncclSuccess) abort_with(__LINE__, ncclGetErrorString(n_)); } while (0)
static void abort_with(int line, const char* text) {
  fprintf(stderr, "line %d: %s\n", line, text);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

constexpr int kBlocks = 2, kThreads = 64, kElems = 90;  // elements per block and peer

__global__ void alltoall(ncclWindow_t send, ncclWindow_t recv, ncclDevComm dc) {
  ncclGin gin(dc, 0);
  const ncclTeam world = ncclTeamWorld(dc), lsa = ncclTeamLsa(dc);
  const int remote = world.nRanks - lsa.nRanks;
  const unsigned b = blockIdx.x;
  const size_t bytes = kElems * sizeof(float), plane = (size_t)b * world.nRanks * bytes;
  const uint64_t base = gin.readSignal(b);
  ncclBarrierSession<ncclCoopCta> bar(ncclCoopCta(), ncclTeamTagWorld(), gin, 0);  // DEFECT
  bar.sync(ncclCoopCta(), cuda::memory_order_acquire, ncclGinFenceLevel::Relaxed);

  for (int k = threadIdx.x; k < remote; k += blockDim.x) {
    const int p = ncclTeamRankInDifference(world, lsa, k);
    gin.put(world, p, recv, plane + world.rank * bytes, send, plane + p * bytes, bytes, ncclGin_SignalInc{b});
  }
  for (int l = 0; l < lsa.nRanks; ++l) {
    const int p = ncclTeamRankToWorld(dc, lsa, l);
    const float* from = (const float*)ncclGetLocalPointer(send, plane + p * bytes);
    float* to = (float*)ncclGetLsaPointer(recv, plane + world.rank * bytes, l);
    for (int i = threadIdx.x; i < kElems; i += blockDim.x) to[i] = from[i];
  }
  gin.waitSignal(ncclCoopCta(), b, base + remote);
  gin.flush(ncclCoopCta());
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
}

static float value(int from, int to, int k, int it) { return it * 10000.0f + from * 1000.0f + to * 100.0f + k % 100; }

int main(int argc, char** argv) {
  int rank, nranks, devices;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  CUDA_TRY(cudaGetDeviceCount(&devices));
  CUDA_TRY(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) NCCL_TRY(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NCCL_TRY(ncclCommInitRank(&comm, nranks, id, rank));

  const int total = kBlocks * nranks * kElems;
  float *send, *recv;
  ncclWindow_t send_win = nullptr, recv_win = nullptr;
  NCCL_TRY(ncclMemAlloc((void**)&send, total * sizeof(float)));
  NCCL_TRY(ncclMemAlloc((void**)&recv, total * sizeof(float)));
  NCCL_TRY(ncclCommWindowRegister(comm, send, total * sizeof(float), &send_win, NCCL_WIN_COLL_SYMMETRIC));
  NCCL_TRY(ncclCommWindowRegister(comm, recv, total * sizeof(float), &recv_win, NCCL_WIN_COLL_SYMMETRIC));
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof(reqs));
  reqs.barrierCount = kBlocks;
  reqs.ginSignalCount = kBlocks;
  ncclDevComm dc;
  NCCL_TRY(ncclDevCommCreate(comm, &reqs, &dc));

  int wrong = 0;
  std::vector<float> host(total);
  for (int it = 0; it < 4; ++it) {
    for (int k = 0; k < total; ++k) host[k] = value(rank, k / kElems % nranks, k, it);
    CUDA_TRY(cudaMemcpy(send, host.data(), total * sizeof(float), cudaMemcpyHostToDevice));
    alltoall<<<kBlocks, kThreads>>>(send_win, recv_win, dc);
    CUDA_TRY(cudaGetLastError());
    CUDA_TRY(cudaDeviceSynchronize());
    CUDA_TRY(cudaMemcpy(host.data(), recv, total * sizeof(float), cudaMemcpyDeviceToHost));
    for (int b = 0; b < kBlocks; ++b)
      for (int r = 0; r < nranks; ++r)
        for (int i = 0; i < kElems; ++i)
          wrong += host[(b * nranks + r) * kElems + i] != value(r, rank, (b * nranks + rank) * kElems + i, it);
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", wrong == 0 ? "PASS" : "FAIL");
  NCCL_TRY(ncclDevCommDestroy(comm, &dc));
  NCCL_TRY(ncclCommWindowDeregister(comm, send_win));
  NCCL_TRY(ncclCommWindowDeregister(comm, recv_win));
  NCCL_TRY(ncclMemFree(send));
  NCCL_TRY(ncclMemFree(recv));
  NCCL_TRY(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong == 0 ? 0 : 1;
}
