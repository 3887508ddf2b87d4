// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Vocabulary-parallel softmax of a language model head. Each rank holds the logits of its part of the vocabulary
// for every token: row maxima and row sums are combined over the ranks, the probabilities stay distributed.

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define CUDACHECK(cmd)                                                                       \
  do {                                                                                       \
    cudaError_t err = cmd;                                                                   \
    if (err != cudaSuccess) {                                                                \
      printf("Failed: Cuda error %s:%d '%s'\n", __FILE__, __LINE__, cudaGetErrorString(err)); \
      exit(EXIT_FAILURE);                                                                    \
    }                                                                                        \
  } while (0)

#define NCCLCHECK(cmd)                                                                       \
  do {                                                                                       \
    ncclResult_t res = cmd;                                                                  \
    if (res != ncclSuccess) {                                                                \
      printf("Failed, NCCL error %s:%d '%s'\n", __FILE__, __LINE__, ncclGetErrorString(res)); \
      exit(EXIT_FAILURE);                                                                    \
    }                                                                                        \
  } while (0)

// The part of the vocabulary of one rank.
typedef struct {
  int tokens;       // rows
  int vocab_begin;  // first vocabulary entry of this rank
  int vocab_count;  // entries of this rank
  float* logits;    // [tokens][vocab_count]
  float* probs;     // [tokens][vocab_count]
} VocabShard;

// Row statistics, replicated after the reductions.
typedef struct {
  float* row_max;
  float* row_sum;
} SoftmaxStats;

typedef struct {
  int rank;
  int world;
  ncclComm_t comm;
  cudaStream_t stream;
} Context;

static const int kThreads = 64;

__host__ __device__ static inline float logit_at(int token, int entry, int iteration) {
  uint32_t h = (uint32_t)token * 0x9e3779b1u + (uint32_t)entry * 0x85ebca77u + (uint32_t)iteration * 0xc2b2ae3du;
  h ^= h >> 15;
  h *= 0x2c1b3c6du;
  h ^= h >> 12;
  h *= 0x297a2d39u;
  h ^= h >> 15;
  return (float)(int)(h % 20001u) * 0.001f - 10.0f;
}

__global__ void lm_head(VocabShard shard, int iteration) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < shard.tokens * shard.vocab_count)
    shard.logits[i] = logit_at(i / shard.vocab_count, shard.vocab_begin + i % shard.vocab_count, iteration);
}

// One block per token.
__global__ void local_max(VocabShard shard, float* row_max) {
  extern __shared__ float scratch[];
  const float* row = shard.logits + (size_t)blockIdx.x * shard.vocab_count;
  float m = -INFINITY;
  for (int v = threadIdx.x; v < shard.vocab_count; v += blockDim.x) m = fmaxf(m, row[v]);
  scratch[threadIdx.x] = m;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) scratch[threadIdx.x] = fmaxf(scratch[threadIdx.x], scratch[threadIdx.x + half]);
    __syncthreads();
  }
  if (threadIdx.x == 0) row_max[blockIdx.x] = scratch[0];
}

__global__ void local_exp_sum(VocabShard shard, const float* row_max, float* row_sum) {
  extern __shared__ float scratch[];
  const size_t base = (size_t)blockIdx.x * shard.vocab_count;
  const float m = row_max[blockIdx.x];
  float s = 0.0f;
  for (int v = threadIdx.x; v < shard.vocab_count; v += blockDim.x) {
    const float e = expf(shard.logits[base + v] - m);
    shard.probs[base + v] = e;
    s += e;
  }
  scratch[threadIdx.x] = s;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) scratch[threadIdx.x] += scratch[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) row_sum[blockIdx.x] = scratch[0];
}

__global__ void normalise(VocabShard shard, const float* row_sum) {
  const float inverse = 1.0f / row_sum[blockIdx.x];
  for (int v = threadIdx.x; v < shard.vocab_count; v += blockDim.x)
    shard.probs[(size_t)blockIdx.x * shard.vocab_count + v] *= inverse;
}

static void combine_max(const Context* ctx, SoftmaxStats stats, int tokens) {
  NCCLCHECK(ncclAllReduce(stats.row_max, stats.row_max, tokens, ncclFloat, ncclMax, ctx->comm, ctx->stream));
}

static void combine_sum(const Context* ctx, SoftmaxStats stats, int tokens) {
  NCCLCHECK(ncclAllReduce(stats.row_sum, stats.row_sum, tokens, ncclFloat, ncclSum, ctx->comm, ctx->stream));
}

static void parallel_softmax(const Context* ctx, VocabShard shard, SoftmaxStats stats) {
  const size_t shared = kThreads * sizeof(float);
  local_max<<<shard.tokens, kThreads, shared, ctx->stream>>>(shard, stats.row_max);
  combine_max(ctx, stats, shard.tokens);
  local_exp_sum<<<shard.tokens, kThreads, shared, ctx->stream>>>(shard, stats.row_max, stats.row_sum);
  combine_sum(ctx, stats, shard.tokens);
  normalise<<<shard.tokens, kThreads, 0, ctx->stream>>>(shard, stats.row_sum);
  CUDACHECK(cudaGetLastError());
}

static bool verify(const VocabShard* shard, SoftmaxStats stats, int vocab, int iteration) {
  const size_t elements = (size_t)shard->tokens * shard->vocab_count;
  float* probs = (float*)malloc(elements * sizeof(float));
  float* maxima = (float*)malloc(shard->tokens * sizeof(float));
  CUDACHECK(cudaMemcpy(probs, shard->probs, elements * sizeof(float), cudaMemcpyDeviceToHost));
  CUDACHECK(cudaMemcpy(maxima, stats.row_max, shard->tokens * sizeof(float), cudaMemcpyDeviceToHost));
  bool ok = true;
  for (int t = 0; t < shard->tokens; t++) {
    double sum = 0.0;
    float peak = -INFINITY;
    for (int v = 0; v < vocab; v++) {
      sum += exp((double)logit_at(t, v, iteration));
      peak = fmaxf(peak, logit_at(t, v, iteration));
    }
    if (fabsf(maxima[t] - peak) > 2e-6f) ok = false;
    for (int v = 0; v < shard->vocab_count; v++) {
      const double expected = exp((double)logit_at(t, shard->vocab_begin + v, iteration)) / sum;
      const double got = probs[(size_t)t * shard->vocab_count + v];
      if (!(fabs(got - expected) <= 2e-5 * expected)) ok = false;
    }
  }
  free(maxima);
  free(probs);
  return ok;
}

int main(int argc, char* argv[]) {
  Context ctx;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &ctx.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ctx.world);
  const int vocab = argc > 1 ? atoi(argv[1]) : 1000;

  int devices;
  CUDACHECK(cudaGetDeviceCount(&devices));
  CUDACHECK(cudaSetDevice(ctx.rank % devices));
  ncclUniqueId id;
  if (ctx.rank == 0) NCCLCHECK(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  NCCLCHECK(ncclCommInitRank(&ctx.comm, ctx.world, id, ctx.rank));
  CUDACHECK(cudaStreamCreate(&ctx.stream));

  // the vocabulary does not have to be a multiple of the number of ranks
  VocabShard shard;
  memset(&shard, 0, sizeof(shard));
  shard.tokens = 24;
  shard.vocab_begin = (int)((long long)vocab * ctx.rank / ctx.world);
  shard.vocab_count = (int)((long long)vocab * (ctx.rank + 1) / ctx.world) - shard.vocab_begin;
  SoftmaxStats stats;
  const size_t bytes = (size_t)shard.tokens * shard.vocab_count * sizeof(float);
  CUDACHECK(cudaMalloc((void**)&shard.logits, bytes));
  CUDACHECK(cudaMalloc((void**)&shard.probs, bytes));
  CUDACHECK(cudaMalloc((void**)&stats.row_max, shard.tokens * sizeof(float)));
  CUDACHECK(cudaMalloc((void**)&stats.row_sum, shard.tokens * sizeof(float)));

  cudaEvent_t start, stop;
  CUDACHECK(cudaEventCreate(&start));
  CUDACHECK(cudaEventCreate(&stop));
  float total = 0.0f;
  bool ok = true;
  const int iterations = 2;
  for (int it = 0; it < iterations; it++) {
    const int elements = shard.tokens * shard.vocab_count;
    lm_head<<<(elements + kThreads - 1) / kThreads, kThreads, 0, ctx.stream>>>(shard, it);
    CUDACHECK(cudaMemsetAsync(shard.probs, 0xff, bytes, ctx.stream));
    CUDACHECK(cudaStreamSynchronize(ctx.stream));
    MPI_Barrier(MPI_COMM_WORLD);

    CUDACHECK(cudaEventRecord(start, ctx.stream));
    parallel_softmax(&ctx, shard, stats);
    CUDACHECK(cudaEventRecord(stop, ctx.stream));
    CUDACHECK(cudaEventSynchronize(stop));

    float ms;
    CUDACHECK(cudaEventElapsedTime(&ms, start, stop));
    total += ms;
    ok = verify(&shard, stats, vocab, it) && ok;
  }
  printf("Time: %f ms\n", total / iterations);
  printf("Verification: %s\n", ok ? "PASS" : "FAIL");

  CUDACHECK(cudaEventDestroy(start));
  CUDACHECK(cudaEventDestroy(stop));
  CUDACHECK(cudaFree(shard.logits));
  CUDACHECK(cudaFree(shard.probs));
  CUDACHECK(cudaFree(stats.row_max));
  CUDACHECK(cudaFree(stats.row_sum));
  CUDACHECK(cudaStreamDestroy(ctx.stream));
  NCCLCHECK(ncclCommDestroy(ctx.comm));
  MPI_Finalize();
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
