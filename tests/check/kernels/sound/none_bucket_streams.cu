// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Gradient buckets: the backward kernel of bucket k runs on one stream while the all-reduce of bucket k-1 runs on
// another. Events: reduce k waits for backward k; the update waits for the last reduce; the next iteration's
// backward is behind the update in its stream. The weights are read back after the stream was synchronised.
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

constexpr int kBuckets = 3, kSize = 128, kIterations = 4;

inline void cudaOk(cudaError_t e) {
  if (e == cudaSuccess) return;
  std::fprintf(stderr, "%s\n", cudaGetErrorString(e));
  std::abort();
}
inline void ncclOk(ncclResult_t e) {
  if (e == ncclSuccess) return;
  std::fprintf(stderr, "%s\n", ncclGetErrorString(e));
  std::abort();
}

__global__ void backward(float* gradient, const float* weights, int rank, int bucket) {
  const int i = threadIdx.x;
  gradient[i] = weights[i] * 0.5f + rank + bucket;
}

__global__ void update(float* weights, const float* gradients, float rate) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  weights[i] -= rate * gradients[i];
}

struct Trainer {
  int rank, nranks;
  ncclComm_t comm{};
  float *weights{}, *gradients{};
  cudaStream_t compute{}, comms{};
  std::vector<cudaEvent_t> ready;
  cudaEvent_t reduced{};

  Trainer() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &nranks);
    int devices;
    cudaOk(cudaGetDeviceCount(&devices));
    cudaOk(cudaSetDevice(rank % devices));
    ncclUniqueId id;
    if (rank == 0) ncclOk(ncclGetUniqueId(&id));
    MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
    ncclOk(ncclCommInitRank(&comm, nranks, id, rank));
    cudaOk(cudaMalloc(&weights, kBuckets * kSize * sizeof(float)));
    cudaOk(cudaMalloc(&gradients, kBuckets * kSize * sizeof(float)));
    cudaOk(cudaStreamCreateWithFlags(&compute, cudaStreamNonBlocking));
    cudaOk(cudaStreamCreateWithFlags(&comms, cudaStreamNonBlocking));
    ready.resize(kBuckets);
    for (auto& e : ready) cudaOk(cudaEventCreateWithFlags(&e, cudaEventDisableTiming));
    cudaOk(cudaEventCreateWithFlags(&reduced, cudaEventDisableTiming));
  }
  void iterate() {
    for (int b = 0; b < kBuckets; ++b) {
      float* g = gradients + b * kSize;
      backward<<<1, kSize, 0, compute>>>(g, weights + b * kSize, rank, b);
      cudaOk(cudaEventRecord(ready[b], compute));
      cudaOk(cudaStreamWaitEvent(comms, ready[b], 0));
      ncclOk(ncclAllReduce(g, g, kSize, ncclFloat, ncclSum, comm, comms));
    }
    cudaOk(cudaEventRecord(reduced, comms));
    cudaOk(cudaStreamWaitEvent(compute, reduced, 0));
    update<<<kBuckets, kSize, 0, compute>>>(weights, gradients, 0.125f);
    cudaOk(cudaGetLastError());
  }
  ~Trainer() {
    for (auto& e : ready) cudaOk(cudaEventDestroy(e));
    cudaOk(cudaEventDestroy(reduced));
    cudaOk(cudaStreamDestroy(compute));
    cudaOk(cudaStreamDestroy(comms));
    cudaOk(cudaFree(weights));
    cudaOk(cudaFree(gradients));
    ncclOk(ncclCommDestroy(comm));
  }
};

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int wrong = 0;
  {
    Trainer t;
    std::vector<float> w(kBuckets * kSize), got(w.size());
    for (size_t i = 0; i < w.size(); ++i) w[i] = float(i % 16);
    cudaOk(cudaMemcpyAsync(t.weights, w.data(), w.size() * sizeof(float), cudaMemcpyHostToDevice, t.compute));
    for (int it = 0; it < kIterations; ++it) t.iterate();
    cudaOk(cudaMemcpyAsync(got.data(), t.weights, got.size() * sizeof(float), cudaMemcpyDeviceToHost, t.compute));
    cudaOk(cudaStreamSynchronize(t.compute));
    for (size_t i = 0; i < w.size(); ++i) {
      for (int it = 0; it < kIterations; ++it) {
        float g = 0;
        for (int r = 0; r < t.nranks; ++r) g += w[i] * 0.5f + r + int(i / kSize);
        w[i] -= 0.125f * g;
      }
      const float off = got[i] - w[i];
      wrong += !(off < 1e-3f && off > -1e-3f);
    }
    MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (t.rank == 0) std::printf("%s\n", wrong ? "FAIL" : "PASS");
  }
  MPI_Finalize();
  return wrong ? 1 : 0;
}
