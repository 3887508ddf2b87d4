// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// AllGather + GEMM, host-driven, as in tensor parallelism: the rows of A are spread over the ranks, every rank
// gathers all of A and multiplies it by its own columns: C_r (M x N) = A (M x K) * B_r (K x N).
//
// usage: mpirun -np R ./allgather_gemm [M] [N] [K] [iterations], R divides M

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define CHECKED(call, ok, text)                                                                   \
  do {                                                                                            \
    auto status_ = (call);                                                                        \
    if (status_ != (ok)) {                                                                        \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, text);                                   \
      MPI_Abort(MPI_COMM_WORLD, 2);                                                               \
    }                                                                                             \
  } while (0)
#define CUDA_CHECK(call) CHECKED(call, cudaSuccess, cudaGetErrorString(status_))
#define NCCL_CHECK(call) CHECKED(call, ncclSuccess, ncclGetErrorString(status_))
#define MPI_CHECK(call) CHECKED(call, MPI_SUCCESS, "MPI call failed")

constexpr int kTile = 16;

// A value in [-1, 1) for element `index` of matrix `which`.
__host__ __device__ inline float value_at(uint64_t index, uint32_t which, uint32_t iteration) {
  uint64_t z = index * 0x9e3779b97f4a7c15ULL + (uint64_t{which} << 40) + (uint64_t{iteration} << 52) + 1;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return static_cast<float>((z ^ (z >> 31)) & 0xffffff) * (2.0f / 0x1000000) - 1.0f;
}

__global__ void fill(float* out, size_t first, size_t count, uint32_t which, uint32_t iteration) {
  const size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < count) out[i] = value_at(first + i, which, iteration);
}

__global__ void gemm(const float* a, const float* b, float* c, int m, int n, int k) {
  __shared__ float tile_a[kTile][kTile], tile_b[kTile][kTile];
  const int row = blockIdx.y * kTile + threadIdx.y;
  const int column = blockIdx.x * kTile + threadIdx.x;
  float sum = 0;
  for (int k0 = 0; k0 < k; k0 += kTile) {
    const int ka = k0 + threadIdx.x, kb = k0 + threadIdx.y;
    tile_a[threadIdx.y][threadIdx.x] = row < m && ka < k ? a[size_t(row) * k + ka] : 0.0f;
    tile_b[threadIdx.y][threadIdx.x] = kb < k && column < n ? b[size_t(kb) * n + column] : 0.0f;
    __syncthreads();
    for (int i = 0; i < kTile; ++i) sum += tile_a[threadIdx.y][i] * tile_b[i][threadIdx.x];
    __syncthreads();
  }
  if (row < m && column < n) c[size_t(row) * n + column] = sum;
}

// C_r on the host, from the definition of the inputs alone; returns how many of `c` are off.
static size_t wrong_elements(const std::vector<float>& c, int rank, int m, int n, int k, uint32_t iteration) {
  std::vector<float> a(size_t(m) * k), b(size_t(k) * n);
  for (size_t i = 0; i < a.size(); ++i) a[i] = value_at(i, 0, iteration);
  for (size_t i = 0; i < b.size(); ++i) b[i] = value_at(i, rank + 1, iteration);
  size_t wrong = 0;
  std::vector<double> row(n);
  for (int i = 0; i < m; ++i) {
    row.assign(n, 0.0);
    for (int l = 0; l < k; ++l)
      for (int j = 0; j < n; ++j) row[j] += double(a[size_t(i) * k + l]) * b[size_t(l) * n + j];
    for (int j = 0; j < n; ++j)
      if (!(std::fabs(c[size_t(i) * n + j] - row[j]) <= 1e-6 * k + 1e-5)) ++wrong;
  }
  return wrong;
}

// Everything between communicator and verdict, on this rank. Returns the number of wrong elements.
static size_t gather_and_multiply(ncclComm_t comm, int rank, int nranks, int m, int n, int k, int iterations) {
  const size_t shard = size_t(m) / nranks * k, all_a = size_t(m) * k, all_b = size_t(k) * n, all_c = size_t(m) * n;
  float *a_shard = nullptr, *a = nullptr, *b = nullptr, *c = nullptr;
  CUDA_CHECK(cudaMalloc((void**)&a_shard, shard * sizeof(float)));
  CUDA_CHECK(cudaMalloc((void**)&a, all_a * sizeof(float)));
  CUDA_CHECK(cudaMalloc((void**)&b, all_b * sizeof(float)));
  CUDA_CHECK(cudaMalloc((void**)&c, all_c * sizeof(float)));
  cudaStream_t stream;
  CUDA_CHECK(cudaStreamCreate(&stream));
  cudaEvent_t start, stop;
  CUDA_CHECK(cudaEventCreate(&start));
  CUDA_CHECK(cudaEventCreate(&stop));
  const dim3 block(kTile, kTile), grid((n + kTile - 1) / kTile, (m + kTile - 1) / kTile);

  std::vector<float> result(all_c);
  double total_ms = 0;
  size_t wrong = 0;
  for (int it = 0; it < iterations; it++) {
    fill<<<unsigned((shard + 255) / 256), 256, 0, stream>>>(a_shard, rank * shard, shard, 0, it);
    fill<<<unsigned((all_b + 255) / 256), 256, 0, stream>>>(b, 0, all_b, rank + 1, it);
    CUDA_CHECK(cudaMemsetAsync(a, 0xff, all_a * sizeof(float), stream));
    CUDA_CHECK(cudaMemsetAsync(c, 0xff, all_c * sizeof(float), stream));
    CUDA_CHECK(cudaStreamSynchronize(stream));
    MPI_CHECK(MPI_Barrier(MPI_COMM_WORLD));

    CUDA_CHECK(cudaEventRecord(start, stream));
    NCCL_CHECK(ncclAllGather(a_shard, a, shard, ncclFloat32, comm, stream));
    gemm<<<grid, block, 0, stream>>>(a, b, c, m, n, k);
    CUDA_CHECK(cudaGetLastError());
    CUDA_CHECK(cudaEventRecord(stop, stream));

    CUDA_CHECK(cudaStreamSynchronize(stream));
    float ms = 0;
    CUDA_CHECK(cudaEventElapsedTime(&ms, start, stop));
    total_ms += ms;
    CUDA_CHECK(cudaMemcpy(result.data(), c, all_c * sizeof(float), cudaMemcpyDeviceToHost));
    wrong += wrong_elements(result, rank, m, n, k, it);
  }
  printf("Time: %.6f ms\n", total_ms / iterations);

  CUDA_CHECK(cudaEventDestroy(start));
  CUDA_CHECK(cudaEventDestroy(stop));
  CUDA_CHECK(cudaStreamDestroy(stream));
  for (float* p : {a_shard, a, b, c}) CUDA_CHECK(cudaFree(p));
  return wrong;
}

int main(int argc, char** argv) {
  MPI_CHECK(MPI_Init(&argc, &argv));
  int rank = 0, nranks = 1, devices = 0;
  MPI_CHECK(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  MPI_CHECK(MPI_Comm_size(MPI_COMM_WORLD, &nranks));
  const int m = argc > 1 ? atoi(argv[1]) : 128, n = argc > 2 ? atoi(argv[2]) : 64, k = argc > 3 ? atoi(argv[3]) : 64;
  const int iterations = argc > 4 ? atoi(argv[4]) : 3;
  if (m < 1 || n < 1 || k < 1 || iterations < 1 || m % nranks != 0) {
    if (rank == 0) fprintf(stderr, "usage: allgather_gemm [M: multiple of %d] [N] [K] [iterations]\n", nranks);
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  CUDA_CHECK(cudaGetDeviceCount(&devices));
  CUDA_CHECK(cudaSetDevice(rank % devices));

  ncclUniqueId id;
  if (rank == 0) NCCL_CHECK(ncclGetUniqueId(&id));
  MPI_CHECK(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD));
  ncclComm_t comm;
  NCCL_CHECK(ncclCommInitRank(&comm, nranks, id, rank));

  const size_t wrong = gather_and_multiply(comm, rank, nranks, m, n, k, iterations);
  int mine = wrong == 0, all = 0;
  MPI_CHECK(MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD));
  if (wrong != 0) fprintf(stderr, "rank %d: %zu wrong elements of C\n", rank, wrong);
  printf("Verification: %s\n", all ? "PASS" : "FAIL");

  NCCL_CHECK(ncclCommDestroy(comm));
  MPI_CHECK(MPI_Finalize());
  return all ? 0 : 1;
}
