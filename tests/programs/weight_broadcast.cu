// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Replicated inference of a small multi-layer perceptron: rank 0 owns the checkpoint and broadcasts every layer's
// weights and biases in place, then each rank pushes its own batch through the network. The checkpoint changes
// with every "reload".
//
// usage: weight_broadcast [batch per rank] [reloads]

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>
#include "cuda_runtime.h"
#include "mpi.h"
#include "nccl.h"

#define MPICHECK(cmd) do {                                  \
  int e = cmd;                                              \
  if (e != MPI_SUCCESS) {                                   \
    printf("Failed: MPI error %s:%d '%d'\n",                \
           __FILE__, __LINE__, e);                          \
    exit(EXIT_FAILURE);                                     \
  }                                                         \
} while (0)

#define CUDACHECK(cmd) do {                                 \
  cudaError_t e = cmd;                                      \
  if (e != cudaSuccess) {                                   \
    printf("Failed: Cuda error %s:%d '%s'\n",               \
           __FILE__, __LINE__, cudaGetErrorString(e));      \
    exit(EXIT_FAILURE);                                     \
  }                                                         \
} while (0)

#define NCCLCHECK(cmd) do {                                 \
  ncclResult_t r = cmd;                                     \
  if (r != ncclSuccess) {                                   \
    printf("Failed, NCCL error %s:%d '%s'\n",               \
           __FILE__, __LINE__, ncclGetErrorString(r));      \
    exit(EXIT_FAILURE);                                     \
  }                                                         \
} while (0)

struct Layer {
  int in, out;
  float *weight;  // out x in, row major
  float *bias;    // out
};

static const int kWidths[] = {64, 96, 48, 10};
static const int kNumLayers = 3;

__host__ __device__ inline unsigned mix(unsigned a, unsigned b, unsigned c) {
  unsigned h = a * 0x85ebca6bu ^ (b + 0x9e3779b9u) * 0xc2b2ae35u ^ (c + 0x7f4a7c15u) * 0x27d4eb2fu;
  h ^= h >> 16; h *= 0x7feb352du;
  h ^= h >> 15; h *= 0x846ca68bu;
  return h ^ (h >> 16);
}
// Small integers: every sum in the network stays below 2^24, so float arithmetic is exact in any order.
__host__ __device__ inline float initWeight(int reload, int layer, int i) { return (float)(int)(mix(reload, layer, i) % 5) - 2.0f; }
__host__ __device__ inline float initBias(int reload, int layer, int i) { return (float)(int)(mix(reload, layer + 100, i) % 9) - 4.0f; }
__host__ __device__ inline float inputValue(int reload, int rank, int i) { return (float)(mix(reload, 1000 + rank, i) % 4); }

__global__ void initLayer(float *weight, float *bias, int in, int out, int layer, int reload) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < in * out) weight[i] = initWeight(reload, layer, i);
  if (i < out) bias[i] = initBias(reload, layer, i);
}

__global__ void loadBatch(float *x, int n, int rank, int reload) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = inputValue(reload, rank, i);
}

// y[sample][o] = relu(bias[o] + sum_i weight[o][i] * x[sample][i]); no relu on the last layer
__global__ void linear(const float *x, const float *weight, const float *bias, float *y, int in, int out, bool relu) {
  int sample = blockIdx.x;
  for (int o = threadIdx.x; o < out; o += blockDim.x) {
    float acc = bias[o];
    for (int i = 0; i < in; i++) acc += weight[o * in + i] * x[sample * in + i];
    y[sample * out + o] = (relu && acc < 0.0f) ? 0.0f : acc;
  }
}

static int verify(const std::vector<float> &logits, const std::vector<Layer> &net, int batch, int rank, int reload) {
  int bad = 0;

  // 1. the weights that arrived
  for (int l = 0; l < kNumLayers; l++) {
    std::vector<float> w(net[l].in * net[l].out), b(net[l].out);
    CUDACHECK(cudaMemcpy(w.data(), net[l].weight, w.size() * sizeof(float), cudaMemcpyDeviceToHost));
    CUDACHECK(cudaMemcpy(b.data(), net[l].bias, b.size() * sizeof(float), cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < w.size(); i++) bad += !(w[i] == initWeight(reload, l, (int)i));
    for (size_t i = 0; i < b.size(); i++) bad += !(b[i] == initBias(reload, l, (int)i));
  }

  // 2. the answers, from scratch
  for (int s = 0; s < batch; s++) {
    std::vector<float> cur(kWidths[0]), next;
    for (int i = 0; i < kWidths[0]; i++) cur[i] = inputValue(reload, rank, s * kWidths[0] + i);
    for (int l = 0; l < kNumLayers; l++) {
      int in = kWidths[l], out = kWidths[l + 1];
      next.assign(out, 0.0f);
      for (int o = 0; o < out; o++) {
        float acc = initBias(reload, l, o);
        for (int i = 0; i < in; i++) acc += initWeight(reload, l, o * in + i) * cur[i];
        next[o] = (l + 1 < kNumLayers && acc < 0.0f) ? 0.0f : acc;
      }
      cur.swap(next);
    }
    for (int o = 0; o < kWidths[kNumLayers]; o++) bad += !(logits[s * kWidths[kNumLayers] + o] == cur[o]);
  }
  return bad;
}

int main(int argc, char *argv[]) {
  int myRank, nRanks, nDev;
  int batch = argc > 1 ? atoi(argv[1]) : 12;
  int reloads = argc > 2 ? atoi(argv[2]) : 2;

  // initializing MPI
  MPICHECK(MPI_Init(&argc, &argv));
  MPICHECK(MPI_Comm_rank(MPI_COMM_WORLD, &myRank));
  MPICHECK(MPI_Comm_size(MPI_COMM_WORLD, &nRanks));

  // get NCCL unique ID at rank 0 and broadcast it to all others
  ncclUniqueId id;
  if (myRank == 0) ncclGetUniqueId(&id);
  MPICHECK(MPI_Bcast((void *)&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD));

  // picking a GPU
  CUDACHECK(cudaGetDeviceCount(&nDev));
  CUDACHECK(cudaSetDevice(myRank % nDev));

  cudaStream_t s;
  ncclComm_t comm;
  CUDACHECK(cudaStreamCreate(&s));
  NCCLCHECK(ncclCommInitRank(&comm, nRanks, id, myRank));

  // allocating the network
  std::vector<Layer> net(kNumLayers);
  for (int l = 0; l < kNumLayers; l++) {
    net[l].in = kWidths[l];
    net[l].out = kWidths[l + 1];
    CUDACHECK(cudaMalloc((void **)&net[l].weight, net[l].in * net[l].out * sizeof(float)));
    CUDACHECK(cudaMalloc((void **)&net[l].bias, net[l].out * sizeof(float)));
  }
  float *act[kNumLayers + 1];
  for (int l = 0; l <= kNumLayers; l++) CUDACHECK(cudaMalloc((void **)&act[l], (size_t)batch * kWidths[l] * sizeof(float)));

  cudaEvent_t t0, t1;
  CUDACHECK(cudaEventCreate(&t0));
  CUDACHECK(cudaEventCreate(&t1));

  std::vector<float> logits((size_t)batch * kWidths[kNumLayers]);
  float totalMs = 0.0f;
  int errors = 0;

  for (int reload = 0; reload < reloads; reload++) {
    for (Layer &L : net) {
      CUDACHECK(cudaMemsetAsync(L.weight, 0xff, L.in * L.out * sizeof(float), s));
      CUDACHECK(cudaMemsetAsync(L.bias, 0xff, L.out * sizeof(float), s));
    }
    for (int l = 1; l <= kNumLayers; l++) CUDACHECK(cudaMemsetAsync(act[l], 0xff, (size_t)batch * kWidths[l] * sizeof(float), s));
    if (myRank == 0) {
      for (int l = 0; l < kNumLayers; l++)
        initLayer<<<(net[l].in * net[l].out + 127) / 128, 128, 0, s>>>(net[l].weight, net[l].bias, net[l].in, net[l].out, l, reload);
    }
    loadBatch<<<(batch * kWidths[0] + 127) / 128, 128, 0, s>>>(act[0], batch * kWidths[0], myRank, reload);
    CUDACHECK(cudaStreamSynchronize(s));
    MPICHECK(MPI_Barrier(MPI_COMM_WORLD));

    CUDACHECK(cudaEventRecord(t0, s));
    // communicating using NCCL: the checkpoint, one layer after the other
    for (int l = 0; l < kNumLayers; l++) {
      NCCLCHECK(ncclBroadcast(net[l].weight, net[l].weight, net[l].in * net[l].out, ncclFloat, 0, comm, s));
      NCCLCHECK(ncclBroadcast(net[l].bias, net[l].bias, net[l].out, ncclFloat, 0, comm, s));
    }
    // forward pass
    for (int l = 0; l < kNumLayers; l++)
      linear<<<batch, 32, 0, s>>>(act[l], net[l].weight, net[l].bias, act[l + 1], net[l].in, net[l].out, l + 1 < kNumLayers);
    CUDACHECK(cudaGetLastError());
    CUDACHECK(cudaEventRecord(t1, s));
    CUDACHECK(cudaStreamSynchronize(s));

    float ms = 0.0f;
    CUDACHECK(cudaEventElapsedTime(&ms, t0, t1));
    totalMs += ms;
    CUDACHECK(cudaMemcpy(logits.data(), act[kNumLayers], logits.size() * sizeof(float), cudaMemcpyDeviceToHost));
    errors += verify(logits, net, batch, myRank, reload);
  }

  // free device buffers
  for (Layer &L : net) {
    CUDACHECK(cudaFree(L.weight));
    CUDACHECK(cudaFree(L.bias));
  }
  for (int l = 0; l <= kNumLayers; l++) CUDACHECK(cudaFree(act[l]));
  CUDACHECK(cudaEventDestroy(t0));
  CUDACHECK(cudaEventDestroy(t1));
  CUDACHECK(cudaStreamDestroy(s));

  // finalizing NCCL and MPI
  ncclCommDestroy(comm);
  printf("Time: %.4f ms\n", totalMs / reloads);
  printf("Verification: %s\n", errors ? "FAIL" : "PASS");
  MPICHECK(MPI_Finalize());
  return errors ? EXIT_FAILURE : 0;
}
