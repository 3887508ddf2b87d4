// expect: data-race
// twin: lsa_transpose_alltoall.cu
// mistake: the shared tile is drained without __syncthreads() after it was filled
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>
#include <nccl_device.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#define T 16
#define PLANES 3
#define CUDA_OK(x) do { cudaError_t err_ = (x); if (err_ != cudaSuccess) { printf("CUDA %s\n", cudaGetErrorString(err_)); MPI_Abort(MPI_COMM_WORLD, 1); } } while (0)
#define NCCL_OK(x) do { ncclResult_t err_ = (x); if (err_ != ncclSuccess) { printf("NCCL %s\n", ncclGetErrorString(err_)); MPI_Abort(MPI_COMM_WORLD, 1); } } while (0)

// Plane-major: element (plane, tile, row, column) of a rank's T x (T*nranks) panel.
__host__ __device__ inline size_t at(int plane, int ntiles, int tile, int row, int column) {
  return (((size_t)plane * ntiles + tile) * T + row) * T + column;
}

__global__ void transpose(ncclWindow_t from, ncclWindow_t to, ncclDevComm dc) {
  __shared__ float tile[T][T + 1];
  ncclTeam team = ncclTeamLsa(dc);
  int peer = blockIdx.x;
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x);
  bar.sync(ncclCoopCta(), cuda::memory_order_acquire);
  const float* src = (const float*)ncclGetLocalPointer(from, 0);
  float* dst = (float*)ncclGetLsaPointer(to, 0, peer);
  for (int plane = 0; plane < PLANES; plane++) {
    for (int k = threadIdx.x; k < T * T; k += blockDim.x)
      tile[k / T][k % T] = src[at(plane, team.nRanks, peer, k / T, k % T)];
    for (int k = threadIdx.x; k < T * T; k += blockDim.x)
      dst[at(plane, team.nRanks, team.rank, k / T, k % T)] = tile[k % T][k / T];  // DEFECT
    __syncthreads();
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}

static float element(int plane, int row, int column, int it) { return plane * 5000.0f + row * 100.0f + column + it * 0.5f; }

int main(int argc, char** argv) {
  int rank, n, devices;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  CUDA_OK(cudaGetDeviceCount(&devices));
  CUDA_OK(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (!rank) NCCL_OK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NCCL_OK(ncclCommInitRank(&comm, n, id, rank));

  size_t count = (size_t)PLANES * n * T * T;
  float* buf[2];
  ncclWindow_t win[2] = {nullptr, nullptr};
  for (int k = 0; k < 2; k++) {
    NCCL_OK(ncclMemAlloc((void**)&buf[k], count * sizeof(float)));
    NCCL_OK(ncclCommWindowRegister(comm, buf[k], count * sizeof(float), &win[k], NCCL_WIN_COLL_SYMMETRIC));
  }
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof reqs);
  reqs.lsaBarrierCount = n;
  ncclDevComm dc;
  NCCL_OK(ncclDevCommCreate(comm, &reqs, &dc));

  long wrong = 0;
  std::unique_ptr<float[]> host(new float[count]);
  for (int it = 0; it < 3; it++) {
    for (int pl = 0; pl < PLANES; pl++)
      for (int t = 0; t < n; t++)
        for (int r = 0; r < T; r++)
          for (int c = 0; c < T; c++) host[at(pl, n, t, r, c)] = element(pl, rank * T + r, t * T + c, it);
    CUDA_OK(cudaMemcpy(buf[0], host.get(), count * sizeof(float), cudaMemcpyHostToDevice));
    transpose<<<n, 64>>>(win[0], win[1], dc);
    CUDA_OK(cudaGetLastError());
    CUDA_OK(cudaDeviceSynchronize());
    CUDA_OK(cudaMemcpy(host.get(), buf[1], count * sizeof(float), cudaMemcpyDeviceToHost));
    // My panel of the transposed matrix: row r, column c of tile t is old (t*T+c, rank*T+r).
    for (int pl = 0; pl < PLANES; pl++)
      for (int t = 0; t < n; t++)
        for (int r = 0; r < T; r++)
          for (int c = 0; c < T; c++) wrong += host[at(pl, n, t, r, c)] != element(pl, t * T + c, rank * T + r, it);
  }

  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
  if (!rank) printf(wrong ? "FAIL %ld\n" : "PASS\n", wrong);
  NCCL_OK(ncclDevCommDestroy(comm, &dc));
  for (int k = 0; k < 2; k++) {
    NCCL_OK(ncclCommWindowDeregister(comm, win[k]));
    NCCL_OK(ncclMemFree(buf[k]));
  }
  NCCL_OK(ncclCommDestroy(comm));
  MPI_Finalize();
  return wrong ? 1 : 0;
}
