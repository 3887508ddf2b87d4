// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// AllReduce (sum of floats), host-driven, as in data-parallel training.
//
// usage: mpirun -np N ./allreduce [bytes-per-rank] [iterations]

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define MPI_CHECK(call)                                                                           \
  do {                                                                                            \
    if ((call) != MPI_SUCCESS) {                                                                  \
      fprintf(stderr, "%s:%d: MPI call failed\n", __FILE__, __LINE__);                            \
      MPI_Abort(MPI_COMM_WORLD, 2);                                                               \
    }                                                                                             \
  } while (0)

#define CUDA_CHECK(call)                                                                          \
  do {                                                                                            \
    cudaError_t status_ = (call);                                                                 \
    if (status_ != cudaSuccess) {                                                                 \
      fprintf(stderr, "%s:%d: CUDA: %s\n", __FILE__, __LINE__, cudaGetErrorString(status_));      \
      MPI_Abort(MPI_COMM_WORLD, 2);                                                               \
    }                                                                                             \
  } while (0)

#define NCCL_CHECK(call)                                                                          \
  do {                                                                                            \
    ncclResult_t status_ = (call);                                                                \
    if (status_ != ncclSuccess) {                                                                 \
      fprintf(stderr, "%s:%d: NCCL: %s\n", __FILE__, __LINE__, ncclGetErrorString(status_));      \
      MPI_Abort(MPI_COMM_WORLD, 2);                                                               \
    }                                                                                             \
  } while (0)

constexpr int kWarmups = 2;

// What rank `rank` contributes at `index`: multiples of 1/8 below 128, so that sums over up to 16384 ranks are
// exact in single precision, whatever their order.
__host__ __device__ inline float gradient_at(uint64_t index, uint32_t rank, uint32_t iteration) {
  uint64_t z = index * 0x9e3779b97f4a7c15ULL + (uint64_t{rank} << 40) + (uint64_t{iteration} << 52) + 1;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return static_cast<float>((z ^ (z >> 31)) & 1023) * 0.125f;
}

__global__ void fill_gradients(float* out, size_t count, uint32_t rank, uint32_t iteration) {
  const size_t stride = size_t{gridDim.x} * blockDim.x;
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += stride)
    out[i] = gradient_at(i, rank, iteration);
}

struct Buffers {
  float* gradients = nullptr;
  float* sums = nullptr;
  size_t count = 0;
};

struct Context {
  int rank = 0;
  int nranks = 1;
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;
};

static void prepare(const Context& ctx, const Buffers& buf, uint32_t iteration) {
  fill_gradients<<<32, 128, 0, ctx.stream>>>(buf.gradients, buf.count, ctx.rank, iteration);
  CUDA_CHECK(cudaGetLastError());
  CUDA_CHECK(cudaMemsetAsync(buf.sums, 0xff, buf.count * sizeof(float), ctx.stream));  // NaN
  CUDA_CHECK(cudaStreamSynchronize(ctx.stream));
  MPI_CHECK(MPI_Barrier(MPI_COMM_WORLD));
}

static size_t count_errors(const Context& ctx, const Buffers& buf, uint32_t iteration) {
  std::vector<float> sums(buf.count);
  CUDA_CHECK(cudaMemcpy(sums.data(), buf.sums, buf.count * sizeof(float), cudaMemcpyDeviceToHost));
  size_t errors = 0;
  for (size_t i = 0; i < buf.count; ++i) {
    float expected = 0;
    for (int r = 0; r < ctx.nranks; ++r) expected += gradient_at(i, r, iteration);
    if (!(sums[i] == expected)) ++errors;
  }
  return errors;
}

// Runs and verifies `iterations` reductions; returns the number of wrong elements.
static size_t run_allreduce(const Context& ctx, const Buffers& buf, int iterations, std::vector<float>& times) {
  cudaEvent_t begin, end;
  CUDA_CHECK(cudaEventCreate(&begin));
  CUDA_CHECK(cudaEventCreate(&end));

  prepare(ctx, buf, 0);
  for (int i = 0; i < kWarmups; ++i)
    NCCL_CHECK(ncclAllReduce(buf.gradients, buf.sums, buf.count, ncclFloat, ncclSum, ctx.comm, ctx.stream));
  CUDA_CHECK(cudaStreamSynchronize(ctx.stream));

  size_t errors = 0;
  for (int it = 1; it <= iterations; ++it) {
    prepare(ctx, buf, it);

    CUDA_CHECK(cudaEventRecord(begin, ctx.stream));
    NCCL_CHECK(ncclAllReduce(buf.gradients, buf.sums, buf.count, ncclFloat, ncclSum, ctx.comm, ctx.stream));
    CUDA_CHECK(cudaEventRecord(end, ctx.stream));

    CUDA_CHECK(cudaEventSynchronize(end));
    float ms = 0;
    CUDA_CHECK(cudaEventElapsedTime(&ms, begin, end));
    times.push_back(ms);
    errors += count_errors(ctx, buf, it);
  }
  CUDA_CHECK(cudaEventDestroy(begin));
  CUDA_CHECK(cudaEventDestroy(end));
  return errors;
}

int main(int argc, char* argv[]) {
  Context ctx;
  MPI_CHECK(MPI_Init(&argc, &argv));
  MPI_CHECK(MPI_Comm_rank(MPI_COMM_WORLD, &ctx.rank));
  MPI_CHECK(MPI_Comm_size(MPI_COMM_WORLD, &ctx.nranks));

  Buffers buf;
  buf.count = (argc > 1 ? strtoull(argv[1], nullptr, 10) : (size_t{1} << 20)) / sizeof(float);
  const int iterations = argc > 2 ? atoi(argv[2]) : 5;
  if (buf.count == 0 || iterations < 1) {
    if (ctx.rank == 0) fprintf(stderr, "usage: allreduce [bytes-per-rank >= 4] [iterations >= 1]\n");
    MPI_Abort(MPI_COMM_WORLD, 2);
  }

  int devices = 0;
  CUDA_CHECK(cudaGetDeviceCount(&devices));
  CUDA_CHECK(cudaSetDevice(ctx.rank % devices));
  CUDA_CHECK(cudaStreamCreate(&ctx.stream));
  CUDA_CHECK(cudaMalloc(&buf.gradients, buf.count * sizeof(float)));
  CUDA_CHECK(cudaMalloc(&buf.sums, buf.count * sizeof(float)));

  ncclUniqueId id;
  if (ctx.rank == 0) NCCL_CHECK(ncclGetUniqueId(&id));
  MPI_CHECK(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD));
  NCCL_CHECK(ncclCommInitRank(&ctx.comm, ctx.nranks, id, ctx.rank));

  std::vector<float> times;
  const size_t errors = run_allreduce(ctx, buf, iterations, times);

  int mine = errors == 0, all = 0;
  MPI_CHECK(MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD));
  if (errors != 0) fprintf(stderr, "rank %d: %zu wrong sums\n", ctx.rank, errors);
  std::sort(times.begin(), times.end());
  printf("Time: %.6f ms\n", times[times.size() / 2]);
  printf("Verification: %s\n", all ? "PASS" : "FAIL");

  NCCL_CHECK(ncclCommDestroy(ctx.comm));
  CUDA_CHECK(cudaFree(buf.gradients));
  CUDA_CHECK(cudaFree(buf.sums));
  CUDA_CHECK(cudaStreamDestroy(ctx.stream));
  MPI_CHECK(MPI_Finalize());
  return all ? 0 : 1;
}
