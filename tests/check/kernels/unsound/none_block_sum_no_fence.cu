// expect: data-race
// also: weak-order
// twin: none_last_block_sum.cu
// mistake: no fence between the block's partial sum and its ticket, so the last block may add up an old one
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <cstdio>
#include <cstring>
#include <vector>

#define N 600
#define BLOCKS 4
#define THREADS 64

#define CHECK(call)                                                      \
  do {                                                                   \
    if ((call) != 0) {                                                   \
      fprintf(stderr, "%s failed (line %d)\n", #call, __LINE__);         \
      MPI_Abort(MPI_COMM_WORLD, 1);                                      \
    }                                                                    \
  } while (0)

__device__ unsigned ticket = 0;

__global__ void sum_squares(const double* x, int n, double* partial, double* sum) {
  __shared__ double cache[THREADS];
  __shared__ bool last;
  double mine = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) mine += x[i] * x[i];
  cache[threadIdx.x] = mine;
  __syncthreads();
  for (int half = THREADS / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) cache[threadIdx.x] += cache[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = cache[0];
    last = atomicAdd(&ticket, 1u) == gridDim.x - 1;  // DEFECT
    __threadfence();
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    double total = 0;
    for (int b = 0; b < gridDim.x; b++) total += ((volatile double*)partial)[b];
    *sum = total;
    ticket = 0;
  }
}

__global__ void scale(double* x, int n, const double* sum) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = x[i] * 1024.0 / *sum;
}

int main(int argc, char** argv) {
  int rank, nranks, devices;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  CHECK(cudaGetDeviceCount(&devices));
  CHECK(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) CHECK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  CHECK(ncclCommInitRank(&comm, nranks, id, rank));

  double *x, *partial, *sum, *total;
  CHECK(cudaMalloc((void**)&x, N * sizeof(double)));
  CHECK(cudaMalloc((void**)&partial, BLOCKS * sizeof(double)));
  CHECK(cudaMalloc((void**)&sum, sizeof(double)));
  CHECK(cudaMalloc((void**)&total, sizeof(double)));
  cudaStream_t stream;
  CHECK(cudaStreamCreate(&stream));

  int bad = 0;
  std::vector<double> h(N);
  for (int it = 0; it < 4; it++) {
    for (int i = 0; i < N; i++) h[i] = (rank + i + it) % 5;
    CHECK(cudaMemcpyAsync(x, h.data(), N * sizeof(double), cudaMemcpyHostToDevice, stream));
    sum_squares<<<BLOCKS, THREADS, 0, stream>>>(x, N, partial, sum);
    CHECK(cudaGetLastError());
    CHECK(ncclAllReduce(sum, total, 1, ncclDouble, ncclSum, comm, stream));
    scale<<<(N + THREADS - 1) / THREADS, THREADS, 0, stream>>>(x, N, total);
    CHECK(cudaGetLastError());
    CHECK(cudaMemcpyAsync(h.data(), x, N * sizeof(double), cudaMemcpyDeviceToHost, stream));
    CHECK(cudaStreamSynchronize(stream));
    double want = 0;
    for (int r = 0; r < nranks; r++)
      for (int i = 0; i < N; i++) want += ((r + i + it) % 5) * ((r + i + it) % 5);
    for (int i = 0; i < N; i++)
      if (h[i] != ((rank + i + it) % 5) * 1024.0 / want) bad++;
  }

  MPI_Allreduce(MPI_IN_PLACE, &bad, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s\n", bad ? "FAIL" : "PASS");
  CHECK(cudaFree(x));
  CHECK(cudaFree(partial));
  CHECK(cudaFree(sum));
  CHECK(cudaFree(total));
  CHECK(cudaStreamDestroy(stream));
  CHECK(ncclCommDestroy(comm));
  MPI_Finalize();
  return bad ? 1 : 0;
}
