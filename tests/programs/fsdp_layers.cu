// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Fully sharded forward pass: every layer's weight matrix lives in equal (padded) shards over the ranks. Just before
// a layer runs, its weights are all-gathered into one of two reused buffers, while the layer before still computes.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

static void check(cudaError_t e, int line) {
  if (e == cudaSuccess) return;
  fprintf(stderr, "fsdp_layers:%d: cuda: %s\n", line, cudaGetErrorString(e));
  MPI_Abort(MPI_COMM_WORLD, 3);
}
static void check(ncclResult_t e, int line) {
  if (e == ncclSuccess) return;
  fprintf(stderr, "fsdp_layers:%d: nccl: %s\n", line, ncclGetErrorString(e));
  MPI_Abort(MPI_COMM_WORLD, 4);
}
#define OK(x) check((x), __LINE__)

struct Layer {
  int in_features;
  int out_features;
  size_t shard_elems;   // of this rank, padding included
  float* weight_shard;  // shard_elems floats
  float* bias;          // small, replicated

  size_t numel() const { return (size_t)in_features * out_features; }
};

// Uniform in [-1, 1).
__host__ __device__ inline float uniform(uint64_t stream_id, uint64_t i) {
  uint64_t s = stream_id * 0xbf58476d1ce4e5b9ull + i * 0x94d049bb133111ebull + 0x2545f4914f6cdd1dull;
  s ^= s >> 27;
  s *= 0x9fb21c651e98df25ull;
  s ^= s >> 28;
  return (float)(s >> 40) * (2.0f / 16777216.0f) - 1.0f;
}
__host__ __device__ inline uint64_t weight_stream(int layer, int step) { return 1000 + 64 * step + layer; }
__host__ __device__ inline uint64_t bias_stream(int layer) { return 500 + layer; }
__host__ __device__ inline uint64_t input_stream(int rank, int step) { return 100000 + 1024 * step + rank; }

__global__ void set_shard(float* shard, size_t elems, size_t offset, size_t numel, uint64_t id, float scale) {
  for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < elems; i += (size_t)blockDim.x * gridDim.x) {
    shard[i] = offset + i < numel ? scale * uniform(id, offset + i) : 0.0f;
  }
}

// out[b][o] = act(sum_i in[b][i] * W[o][i] + bias[o]); one block per batch row, its input row in shared memory
__global__ void linear_forward(const float* __restrict__ in, const float* __restrict__ W, const float* bias,
                               float* __restrict__ out, int in_features, int out_features, bool relu) {
  extern __shared__ float row[];
  for (int i = threadIdx.x; i < in_features; i += blockDim.x) row[i] = in[blockIdx.x * in_features + i];
  __syncthreads();
  for (int o = threadIdx.x; o < out_features; o += blockDim.x) {
    float acc = bias[o];
    for (int i = 0; i < in_features; i++) acc += row[i] * W[(size_t)o * in_features + i];
    out[blockIdx.x * out_features + o] = relu ? fmaxf(acc, 0.0f) : acc;
  }
}

static std::vector<double> reference_forward(const std::vector<Layer>& layers, int batch, int rank, int step) {
  std::vector<double> x((size_t)batch * layers.front().in_features);
  for (size_t i = 0; i < x.size(); i++) x[i] = uniform(input_stream(rank, step), i);
  for (size_t l = 0; l < layers.size(); l++) {
    const Layer& layer = layers[l];
    const float scale = sqrtf(6.0f / layer.in_features);
    std::vector<float> w(layer.numel());
    for (size_t i = 0; i < w.size(); i++) w[i] = scale * uniform(weight_stream(l, step), i);
    std::vector<double> y((size_t)batch * layer.out_features);
    for (int b = 0; b < batch; b++)
      for (int o = 0; o < layer.out_features; o++) {
        double acc = uniform(bias_stream(l), o);
        for (int i = 0; i < layer.in_features; i++)
          acc += x[(size_t)b * layer.in_features + i] * w[(size_t)o * layer.in_features + i];
        y[(size_t)b * layer.out_features + o] = l + 1 < layers.size() && acc < 0 ? 0.0 : acc;
      }
    x.swap(y);
  }
  return x;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, world;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world);
  int gpus;
  OK(cudaGetDeviceCount(&gpus));
  OK(cudaSetDevice(rank % gpus));

  ncclComm_t comm;
  ncclUniqueId uid;
  if (rank == 0) OK(ncclGetUniqueId(&uid));
  MPI_Bcast(&uid, sizeof(uid), MPI_BYTE, 0, MPI_COMM_WORLD);
  OK(ncclCommInitRank(&comm, world, uid, rank));

  const int width = argc > 1 ? atoi(argv[1]) : 60;
  const int batch = 6, steps = 3;
  const std::vector<int> dims = {width, width + 12, width, width / 2, width, 10};

  std::vector<Layer> layers;
  size_t largest = 0;
  int widest = 0;
  for (size_t l = 0; l + 1 < dims.size(); l++) {
    Layer layer{dims[l], dims[l + 1], 0, nullptr, nullptr};
    layer.shard_elems = (layer.numel() + world - 1) / world;
    OK(cudaMalloc(&layer.weight_shard, layer.shard_elems * sizeof(float)));
    OK(cudaMalloc(&layer.bias, layer.out_features * sizeof(float)));
    largest = std::max(largest, layer.shard_elems * world);
    widest = std::max(widest, std::max(layer.in_features, layer.out_features));
    layers.push_back(layer);
  }

  float* full[2];  // gathered weights of even and odd layers
  float* act[2];   // activations, ping-pong
  for (int i = 0; i < 2; i++) {
    OK(cudaMalloc(&full[i], largest * sizeof(float)));
    OK(cudaMalloc(&act[i], (size_t)batch * widest * sizeof(float)));
  }
  cudaStream_t compute, gather;
  OK(cudaStreamCreate(&compute));
  OK(cudaStreamCreate(&gather));
  cudaEvent_t gathered[2], released[2], t0, t1;
  for (int i = 0; i < 2; i++) {
    OK(cudaEventCreateWithFlags(&gathered[i], cudaEventDisableTiming));
    OK(cudaEventCreateWithFlags(&released[i], cudaEventDisableTiming));
  }
  OK(cudaEventCreate(&t0));
  OK(cudaEventCreate(&t1));

  auto prefetch = [&](size_t l) {
    const Layer& layer = layers[l];
    OK(cudaStreamWaitEvent(gather, released[l % 2], 0));
    OK(ncclAllGather(layer.weight_shard, full[l % 2], layer.shard_elems, ncclFloat, comm, gather));
    OK(cudaEventRecord(gathered[l % 2], gather));
  };

  float total_ms = 0;
  size_t errors = 0;
  for (int step = 0; step < steps; step++) {
    // "Optimizer": new weights in every step, each rank knows its own shard only.
    for (size_t l = 0; l < layers.size(); l++) {
      Layer& layer = layers[l];
      set_shard<<<4, 128, 0, compute>>>(layer.weight_shard, layer.shard_elems, rank * layer.shard_elems, layer.numel(),
                                        weight_stream(l, step), sqrtf(6.0f / layer.in_features));
      set_shard<<<1, 64, 0, compute>>>(layer.bias, layer.out_features, 0, layer.out_features, bias_stream(l), 1.0f);
    }
    set_shard<<<2, 128, 0, compute>>>(act[0], (size_t)batch * dims[0], 0, (size_t)batch * dims[0],
                                      input_stream(rank, step), 1.0f);
    OK(cudaGetLastError());
    for (int i = 0; i < 2; i++) OK(cudaMemsetAsync(full[i], 0xff, largest * sizeof(float), compute));
    OK(cudaMemsetAsync(act[1], 0xff, (size_t)batch * widest * sizeof(float), compute));
    for (int i = 0; i < 2; i++) OK(cudaEventRecord(released[i], compute));
    OK(cudaStreamSynchronize(compute));
    MPI_Barrier(MPI_COMM_WORLD);

    OK(cudaEventRecord(t0, compute));
    prefetch(0);
    for (size_t l = 0; l < layers.size(); l++) {
      if (l + 1 < layers.size()) prefetch(l + 1);
      const Layer& layer = layers[l];
      OK(cudaStreamWaitEvent(compute, gathered[l % 2], 0));
      linear_forward<<<batch, 32, layer.in_features * sizeof(float), compute>>>(
          act[l % 2], full[l % 2], layer.bias, act[(l + 1) % 2], layer.in_features, layer.out_features,
          l + 1 < layers.size());
      OK(cudaGetLastError());
      OK(cudaEventRecord(released[l % 2], compute));
    }
    OK(cudaEventRecord(t1, compute));
    OK(cudaStreamSynchronize(compute));
    float ms;
    OK(cudaEventElapsedTime(&ms, t0, t1));
    total_ms += ms;

    std::vector<float> out((size_t)batch * dims.back());
    OK(cudaMemcpy(out.data(), act[layers.size() % 2], out.size() * sizeof(float), cudaMemcpyDeviceToHost));
    const std::vector<double> want = reference_forward(layers, batch, rank, step);
    for (size_t i = 0; i < out.size(); i++) errors += !(fabs(out[i] - want[i]) <= 1e-4 * (1 + fabs(want[i])));
  }

  printf("Time: %.3f ms\n", total_ms / steps);
  printf("Verification: %s\n", errors ? "FAIL" : "PASS");

  for (Layer& layer : layers) {
    OK(cudaFree(layer.weight_shard));
    OK(cudaFree(layer.bias));
  }
  for (int i = 0; i < 2; i++) {
    OK(cudaFree(full[i]));
    OK(cudaFree(act[i]));
    OK(cudaEventDestroy(gathered[i]));
    OK(cudaEventDestroy(released[i]));
  }
  OK(cudaEventDestroy(t0));
  OK(cudaEventDestroy(t1));
  OK(cudaStreamDestroy(compute));
  OK(cudaStreamDestroy(gather));
  OK(ncclCommDestroy(comm));
  MPI_Finalize();
  return errors ? 1 : 0;
}
