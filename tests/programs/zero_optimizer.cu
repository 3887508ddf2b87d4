// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// ZeRO stage 1: the optimizer state is sharded. Each training step reduce-scatters the gradients, lets every rank
// run Adam on its own shard of the (padded) flat parameter vector, and all-gathers the updated parameters.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cuda_runtime.h"
#include "mpi.h"
#include "nccl.h"

#define CUDACHECK(cmd) do {                                                    \
  cudaError_t e = cmd;                                                         \
  if (e != cudaSuccess) {                                                      \
    printf("Failed: Cuda error %s:%d '%s'\n", __FILE__, __LINE__,              \
           cudaGetErrorString(e));                                             \
    exit(EXIT_FAILURE);                                                        \
  }                                                                            \
} while (0)

#define NCCLCHECK(cmd) do {                                                    \
  ncclResult_t r = cmd;                                                        \
  if (r != ncclSuccess) {                                                      \
    printf("Failed, NCCL error %s:%d '%s'\n", __FILE__, __LINE__,              \
           ncclGetErrorString(r));                                             \
    exit(EXIT_FAILURE);                                                        \
  }                                                                            \
} while (0)

struct AdamConfig {
  float lr = 0.05f;
  float beta1 = 0.9f;
  float beta2 = 0.95f;
  float eps = 0.05f;
  float weight_decay = 0.01f;
};

__host__ __device__ static unsigned mix(unsigned a, unsigned b, unsigned c) {
  unsigned h = a * 0x85ebca6bu ^ (b + 1) * 0xc2b2ae35u ^ (c + 7) * 0x27d4eb2fu;
  h ^= h >> 15; h *= 0x2c1b3c6du;
  h ^= h >> 12; h *= 0x297a2d39u;
  return h ^ (h >> 15);
}

__host__ __device__ static float initial_param(unsigned i) {
  return ((int)(mix(i, 0, 12345) % 1024) - 512) / 512.0f;
}

// What this rank's micro-batch adds to the gradient at element i.
__host__ __device__ static float batch_noise(unsigned i, int rank, int step) {
  return ((int)(mix(i, rank, step) % 257) - 128) / 64.0f;
}

__global__ void init_params(float* params, int numel) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < numel) params[i] = initial_param(i);
}

// Stand-in for the backward pass: the gradient depends on the current parameters and on this rank's data.
__global__ void backward(const float* params, float* grads, int numel, int padded, int rank, int step) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= padded) return;
  grads[i] = i < numel ? 0.25f * params[i] + batch_noise(i, rank, step) : 0.0f;
}

__global__ void adam_step(float* param_shard, const float* grad_shard, float* exp_avg, float* exp_avg_sq,
                          int shard_numel, float inv_world, AdamConfig cfg, float bias1, float bias2) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= shard_numel) return;
  float g = grad_shard[i] * inv_world;
  float m = exp_avg[i] = cfg.beta1 * exp_avg[i] + (1.0f - cfg.beta1) * g;
  float v = exp_avg_sq[i] = cfg.beta2 * exp_avg_sq[i] + (1.0f - cfg.beta2) * g * g;
  float update = (m / bias1) / (sqrtf(v / bias2) + cfg.eps);
  param_shard[i] -= cfg.lr * (update + cfg.weight_decay * param_shard[i]);
}

class ZeroOptimizer {
 public:
  ZeroOptimizer(ncclComm_t comm, cudaStream_t stream, int rank, int world_size, float* params, float* grads,
                int padded_numel)
      : comm_(comm), stream_(stream), rank_(rank), world_size_(world_size), shard_numel_(padded_numel / world_size),
        params_(params), grads_(grads) {
    CUDACHECK(cudaMalloc(&grad_shard_, shard_numel_ * sizeof(float)));
    CUDACHECK(cudaMalloc(&exp_avg_, shard_numel_ * sizeof(float)));
    CUDACHECK(cudaMalloc(&exp_avg_sq_, shard_numel_ * sizeof(float)));
    CUDACHECK(cudaMalloc(&param_shard_, shard_numel_ * sizeof(float)));
    CUDACHECK(cudaMemsetAsync(exp_avg_, 0, shard_numel_ * sizeof(float), stream_));
    CUDACHECK(cudaMemsetAsync(exp_avg_sq_, 0, shard_numel_ * sizeof(float), stream_));
    CUDACHECK(cudaMemcpyAsync(param_shard_, params_ + (size_t)rank_ * shard_numel_, shard_numel_ * sizeof(float),
                              cudaMemcpyDeviceToDevice, stream_));
  }

  ~ZeroOptimizer() {
    cudaFree(grad_shard_);
    cudaFree(exp_avg_);
    cudaFree(exp_avg_sq_);
    cudaFree(param_shard_);
  }

  void step() {
    ++t_;
    NCCLCHECK(ncclReduceScatter(grads_, grad_shard_, shard_numel_, ncclFloat, ncclSum, comm_, stream_));
    const float bias1 = 1.0f - powf(cfg_.beta1, (float)t_);
    const float bias2 = 1.0f - powf(cfg_.beta2, (float)t_);
    adam_step<<<(shard_numel_ + 255) / 256, 256, 0, stream_>>>(param_shard_, grad_shard_, exp_avg_, exp_avg_sq_,
                                                              shard_numel_, 1.0f / world_size_, cfg_, bias1, bias2);
    CUDACHECK(cudaGetLastError());
    NCCLCHECK(ncclAllGather(param_shard_, params_, shard_numel_, ncclFloat, comm_, stream_));
  }

 private:
  ncclComm_t comm_;
  cudaStream_t stream_;
  int rank_, world_size_;
  int shard_numel_;
  float* params_;
  float* grads_;
  float* grad_shard_ = nullptr;
  float* exp_avg_ = nullptr;
  float* exp_avg_sq_ = nullptr;
  float* param_shard_ = nullptr;
  AdamConfig cfg_;
  int t_ = 0;
};

// The same training run for one parameter, in double precision.
static double reference_param(int i, int world_size, int steps) {
  const AdamConfig cfg;
  double p = initial_param(i), m = 0, v = 0;
  for (int t = 1; t <= steps; t++) {
    double g = 0;
    for (int r = 0; r < world_size; r++) g += 0.25 * p + batch_noise(i, r, t);
    g /= world_size;
    m = (double)cfg.beta1 * m + (1.0 - cfg.beta1) * g;
    v = (double)cfg.beta2 * v + (1.0 - cfg.beta2) * g * g;
    double update = m / (1.0 - pow(cfg.beta1, t)) / (sqrt(v / (1.0 - pow(cfg.beta2, t))) + cfg.eps);
    p -= cfg.lr * (update + cfg.weight_decay * p);
  }
  return p;
}

int main(int argc, char* argv[]) {
  int rank, world_size;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world_size);

  const int numel = argc > 1 ? atoi(argv[1]) : 10007;
  const int steps = argc > 2 ? atoi(argv[2]) : 4;

  int local_rank = rank, device_count;
  CUDACHECK(cudaGetDeviceCount(&device_count));
  CUDACHECK(cudaSetDevice(local_rank % device_count));

  ncclUniqueId nccl_id;
  if (rank == 0) NCCLCHECK(ncclGetUniqueId(&nccl_id));
  MPI_Bcast(&nccl_id, sizeof(nccl_id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  NCCLCHECK(ncclCommInitRank(&comm, world_size, nccl_id, rank));
  cudaStream_t stream;
  CUDACHECK(cudaStreamCreate(&stream));

  // Shards are a multiple of 32 elements; the tail of the last one(s) is padding.
  const int align = 32 * world_size;
  const int padded = (numel + align - 1) / align * align;

  float *params, *grads;
  CUDACHECK(cudaMalloc(&params, padded * sizeof(float)));
  CUDACHECK(cudaMalloc(&grads, padded * sizeof(float)));
  CUDACHECK(cudaMemsetAsync(params, 0, padded * sizeof(float), stream));
  const int threads = 256, blocks = (padded + threads - 1) / threads;
  init_params<<<blocks, threads, 0, stream>>>(params, numel);
  CUDACHECK(cudaGetLastError());

  float elapsed_ms = 0.0f;
  {
    ZeroOptimizer optimizer(comm, stream, rank, world_size, params, grads, padded);
    cudaEvent_t begin, end;
    CUDACHECK(cudaEventCreate(&begin));
    CUDACHECK(cudaEventCreate(&end));
    CUDACHECK(cudaStreamSynchronize(stream));
    MPI_Barrier(MPI_COMM_WORLD);

    CUDACHECK(cudaEventRecord(begin, stream));
    for (int step = 1; step <= steps; step++) {
      backward<<<blocks, threads, 0, stream>>>(params, grads, numel, padded, rank, step);
      CUDACHECK(cudaGetLastError());
      optimizer.step();
    }
    CUDACHECK(cudaEventRecord(end, stream));
    CUDACHECK(cudaEventSynchronize(end));
    CUDACHECK(cudaEventElapsedTime(&elapsed_ms, begin, end));
    CUDACHECK(cudaEventDestroy(begin));
    CUDACHECK(cudaEventDestroy(end));
  }

  std::vector<float> trained(padded);
  CUDACHECK(cudaMemcpy(trained.data(), params, padded * sizeof(float), cudaMemcpyDeviceToHost));
  int mismatches = 0;
  for (int i = 0; i < padded; i++) {
    const double want = i < numel ? reference_param(i, world_size, steps) : 0.0;
    if (!(fabs(trained[i] - want) <= 2e-5 * (1.0 + fabs(want)))) {
      if (mismatches++ == 0) fprintf(stderr, "[%d] param %d: %.8g, expected %.8g\n", rank, i, trained[i], want);
    }
  }

  printf("Time: %f ms\n", elapsed_ms / steps);
  printf("Verification: %s\n", mismatches ? "FAIL" : "PASS");

  CUDACHECK(cudaFree(params));
  CUDACHECK(cudaFree(grads));
  CUDACHECK(cudaStreamDestroy(stream));
  NCCLCHECK(ncclCommDestroy(comm));
  MPI_Finalize();
  return mismatches != 0;
}
