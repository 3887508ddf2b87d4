// expect: grid-not-coresident
// twin: lsa_allreduce_striped.cu
// mistake: 160 blocks with 200 KiB of shared memory each wait for peers, more than the device holds at once
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#define CUDA_CHECK(call)                                                                       \
  do {                                                                                         \
    cudaError_t e_ = (call);                                                                   \
    if (e_ != cudaSuccess) {                                                                   \
      fprintf(stderr, "%s:%d CUDA error %s\n", __FILE__, __LINE__, cudaGetErrorString(e_));    \
      MPI_Abort(MPI_COMM_WORLD, 2);                                                            \
    }                                                                                          \
  } while (0)
#define NCCL_CHECK(call)                                                                       \
  do {                                                                                         \
    ncclResult_t r_ = (call);                                                                  \
    if (r_ != ncclSuccess) {                                                                   \
      fprintf(stderr, "%s:%d NCCL error %s\n", __FILE__, __LINE__, ncclGetErrorString(r_));    \
      MPI_Abort(MPI_COMM_WORLD, 2);                                                            \
    }                                                                                          \
  } while (0)

#define N 1000
#define BLOCKS 160
#define THREADS 32
#define SHARED_BYTES (200 * 1024)

__global__ void allreduce(ncclWindow_t in, ncclWindow_t out, int n, ncclDevComm dc) {
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x);
  bar.sync(ncclCoopCta(), cuda::memory_order_acquire);

  const ncclTeam team = ncclTeamLsa(dc);
  const int first = (blockIdx.x * team.nRanks + team.rank) * blockDim.x + threadIdx.x;
  const int stride = gridDim.x * team.nRanks * blockDim.x;
  for (int i = first; i < n; i += stride) {
    float sum = 0.0f;
    for (int p = 0; p < team.nRanks; p++) sum += ((const float*)ncclGetLsaPointer(in, 0, p))[i];
    for (int p = 0; p < team.nRanks; p++) ((float*)ncclGetLsaPointer(out, 0, p))[i] = sum;
  }

  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, nranks, devices;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  CUDA_CHECK(cudaGetDeviceCount(&devices));
  CUDA_CHECK(cudaSetDevice(rank % devices));

  ncclUniqueId id;
  if (rank == 0) NCCL_CHECK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NCCL_CHECK(ncclCommInitRank(&comm, nranks, id, rank));

  float *in, *out;
  NCCL_CHECK(ncclMemAlloc((void**)&in, N * sizeof(float)));
  NCCL_CHECK(ncclMemAlloc((void**)&out, N * sizeof(float)));
  ncclWindow_t win_in = NULL, win_out = NULL;
  NCCL_CHECK(ncclCommWindowRegister(comm, in, N * sizeof(float), &win_in, NCCL_WIN_COLL_SYMMETRIC));
  NCCL_CHECK(ncclCommWindowRegister(comm, out, N * sizeof(float), &win_out, NCCL_WIN_COLL_SYMMETRIC));

  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof(reqs));
  reqs.lsaBarrierCount = BLOCKS;
  ncclDevComm dc;
  NCCL_CHECK(ncclDevCommCreate(comm, &reqs, &dc));

  CUDA_CHECK(cudaFuncSetAttribute(allreduce, cudaFuncAttributeMaxDynamicSharedMemorySize, SHARED_BYTES));
  cudaStream_t stream;
  CUDA_CHECK(cudaStreamCreate(&stream));
  std::vector<float> host(N);
  int errors = 0;
  for (int it = 0; it < 4; it++) {  // the first one is the warm-up
    for (int i = 0; i < N; i++) host[i] = (float)(rank * 7 + it * 3 + i % 50);
    CUDA_CHECK(cudaMemcpy(in, host.data(), N * sizeof(float), cudaMemcpyHostToDevice));
    CUDA_CHECK(cudaDeviceSynchronize());
    allreduce<<<BLOCKS, THREADS, SHARED_BYTES, stream>>>(win_in, win_out, N, dc);  // DEFECT
    CUDA_CHECK(cudaGetLastError());
    CUDA_CHECK(cudaStreamSynchronize(stream));
    CUDA_CHECK(cudaMemcpy(host.data(), out, N * sizeof(float), cudaMemcpyDeviceToHost));
    for (int i = 0; i < N; i++) {
      float want = 0.0f;
      for (int r = 0; r < nranks; r++) want += (float)(r * 7 + it * 3 + i % 50);
      if (host[i] != want) errors++;
    }
  }

  int all = 0;
  MPI_Allreduce(&errors, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", all == 0 ? "PASS" : "FAIL");

  NCCL_CHECK(ncclDevCommDestroy(comm, &dc));
  NCCL_CHECK(ncclCommWindowDeregister(comm, win_in));
  NCCL_CHECK(ncclCommWindowDeregister(comm, win_out));
  NCCL_CHECK(ncclMemFree(in));
  NCCL_CHECK(ncclMemFree(out));
  CUDA_CHECK(cudaStreamDestroy(stream));
  NCCL_CHECK(ncclCommDestroy(comm));
  MPI_Finalize();
  return all == 0 ? 0 : 1;
}
