// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Heat on a ring: an explicit 1-D diffusion step on a periodic rod that is cut into equal segments, one per rank.
// The one-cell ghosts of both ends travel in a single NCCL group before every step.
//
// usage: halo_ring [cells per rank] [steps]

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#define CUDA_OK(expr)                                                             \
  do {                                                                            \
    const cudaError_t e_ = (expr);                                                \
    if (e_ != cudaSuccess) {                                                      \
      std::fprintf(stderr, "[%s:%d] CUDA: %s\n", __FILE__, __LINE__, cudaGetErrorString(e_)); \
      MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);                                    \
    }                                                                             \
  } while (0)

#define NCCL_OK(expr)                                                             \
  do {                                                                            \
    const ncclResult_t e_ = (expr);                                               \
    if (e_ != ncclSuccess) {                                                      \
      std::fprintf(stderr, "[%s:%d] NCCL: %s\n", __FILE__, __LINE__, ncclGetErrorString(e_)); \
      MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);                                    \
    }                                                                             \
  } while (0)

// Initial temperature of global cell `g`: a whole number of kelvin below 4096. All weights of the scheme are powers of
// two, so a few steps stay exact in double precision and the comparison below can be exact as well.
__host__ __device__ inline double initial_temperature(uint64_t g) {
  uint64_t h = g + 0x632be59bd9b4e019ull;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  h ^= h >> 32;
  return static_cast<double>(h & 0xfff);
}

__global__ void set_initial(double* field, long n, uint64_t first_cell) {
  const long i = blockIdx.x * static_cast<long>(blockDim.x) + threadIdx.x;
  if (i < n) field[1 + i] = initial_temperature(first_cell + i);
}

// Cells 1..n are owned, 0 and n+1 are ghosts.  Not symmetric on purpose: there is a slight drift to the right.
__global__ void diffuse(const double* __restrict__ now, double* __restrict__ next, long n) {
  const long i = blockIdx.x * static_cast<long>(blockDim.x) + threadIdx.x + 1;
  if (i <= n) next[i] = 0.375 * now[i - 1] + 0.5 * now[i] + 0.125 * now[i + 1];
}

int main(int argc, char* argv[]) {
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);

  const long n = argc > 1 ? std::atol(argv[1]) : 2000;
  const int steps = argc > 2 ? std::atoi(argv[2]) : 7;

  int devices = 0;
  CUDA_OK(cudaGetDeviceCount(&devices));
  CUDA_OK(cudaSetDevice(rank % devices));

  ncclUniqueId id;
  if (rank == 0) NCCL_OK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NCCL_OK(ncclCommInitRank(&comm, size, id, rank));

  const int left = (rank - 1 + size) % size;
  const int right = (rank + 1) % size;

  cudaStream_t stream;
  CUDA_OK(cudaStreamCreate(&stream));
  double *field, *scratch;
  const size_t bytes = (n + 2) * sizeof(double);
  CUDA_OK(cudaMalloc(&field, bytes));
  CUDA_OK(cudaMalloc(&scratch, bytes));
  CUDA_OK(cudaMemsetAsync(field, 0xff, bytes, stream));  // NaN until somebody writes it
  CUDA_OK(cudaMemsetAsync(scratch, 0xff, bytes, stream));

  const int threads = 128;
  const int blocks = static_cast<int>((n + threads - 1) / threads);
  set_initial<<<blocks, threads, 0, stream>>>(field, n, static_cast<uint64_t>(rank) * n);
  CUDA_OK(cudaGetLastError());
  CUDA_OK(cudaStreamSynchronize(stream));
  MPI_Barrier(MPI_COMM_WORLD);

  const double t0 = MPI_Wtime();
  for (int step = 0; step < steps; ++step) {
    NCCL_OK(ncclGroupStart());
    NCCL_OK(ncclSend(field + 1, 1, ncclDouble, left, comm, stream));
    NCCL_OK(ncclRecv(field + n + 1, 1, ncclDouble, right, comm, stream));
    NCCL_OK(ncclSend(field + n, 1, ncclDouble, right, comm, stream));
    NCCL_OK(ncclRecv(field, 1, ncclDouble, left, comm, stream));
    NCCL_OK(ncclGroupEnd());

    diffuse<<<blocks, threads, 0, stream>>>(field, scratch, n);
    CUDA_OK(cudaGetLastError());
    std::swap(field, scratch);
  }
  CUDA_OK(cudaStreamSynchronize(stream));
  const double elapsed_ms = (MPI_Wtime() - t0) * 1e3;

  // The whole ring, serially, on the host.
  const long total = n * size;
  std::vector<double> ring(total), ring_next(total);
  for (long g = 0; g < total; ++g) ring[g] = initial_temperature(g);
  for (int step = 0; step < steps; ++step) {
    for (long g = 0; g < total; ++g) {
      const long w = g == 0 ? total - 1 : g - 1;
      const long e = g == total - 1 ? 0 : g + 1;
      ring_next[g] = 0.375 * ring[w] + 0.5 * ring[g] + 0.125 * ring[e];
    }
    ring.swap(ring_next);
  }

  std::vector<double> mine(n);
  CUDA_OK(cudaMemcpy(mine.data(), field + 1, n * sizeof(double), cudaMemcpyDeviceToHost));
  long bad = 0;
  for (long i = 0; i < n; ++i) {
    if (!(mine[i] == ring[rank * n + i])) {
      if (bad++ == 0) std::fprintf(stderr, "rank %d, cell %ld: %.17g, expected %.17g\n", rank, i, mine[i], ring[rank * n + i]);
    }
  }

  std::printf("Time: %.4f ms\n", elapsed_ms);
  std::printf("Verification: %s\n", bad ? "FAIL" : "PASS");

  CUDA_OK(cudaFree(field));
  CUDA_OK(cudaFree(scratch));
  CUDA_OK(cudaStreamDestroy(stream));
  NCCL_OK(ncclCommDestroy(comm));
  MPI_Finalize();
  return bad ? 1 : 0;
}
