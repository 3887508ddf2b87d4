// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// One flat bfloat16 gradient allocation, carved into aligned per-layer slices. The slices are summed over the
// data-parallel ranks in place, all in one NCCL group; the padding between slices must stay untouched.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

namespace {

using bf16 = __nv_bfloat16;

void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}
void check(ncclResult_t status, const char* what) {
  if (status != ncclSuccess) throw std::runtime_error(std::string(what) + ": " + ncclGetErrorString(status));
}

struct Layer {
  const char* name;
  size_t count;   // elements
  size_t offset;  // elements from the start of the flat buffer
};

constexpr size_t kAlign = 128;  // elements: slices start on 256-byte boundaries
constexpr unsigned kPadByte = 0x4b;  // 0x4b4b is finite: a sum over ranks would change it
constexpr int kSteps = 2;

// Integers of at most 4 bits: sums over up to 17 ranks are exact in the 8 significant bits of bfloat16.
__host__ __device__ int gradient(uint32_t i, uint32_t layer, uint32_t rank, uint32_t step) {
  uint32_t x = i + 0x9e3779b9u * (layer + 31u * rank + 977u * step + 1u);
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return static_cast<int>((x ^ (x >> 16)) % 31u) - 15;
}

__global__ void write_gradients(bf16* slice, uint32_t n, uint32_t layer, uint32_t rank, uint32_t step) {
  const uint32_t stride = gridDim.x * blockDim.x;
  for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
    slice[i] = __float2bfloat16(static_cast<float>(gradient(i, layer, rank, step)));
}

std::vector<Layer> plan_layers(size_t width, size_t& total) {
  std::vector<Layer> layers = {{"embed", 16 * width, 0}, {"attn.qkv", 3 * width + 5, 0}, {"attn.out", width, 0},
                               {"mlp.up", 8 * width, 0}, {"mlp.down", 8 * width - 3, 0}, {"norm", 7, 0}};
  total = 0;
  for (auto& layer : layers) {
    layer.offset = total;
    // at least one element of padding behind every slice
    total += (layer.count / kAlign + 1) * kAlign;
  }
  return layers;
}

size_t count_errors(const std::vector<bf16>& flat, const std::vector<Layer>& layers, int ranks, int step) {
  size_t errors = 0;
  for (size_t l = 0; l < layers.size(); ++l) {
    const size_t end = l + 1 < layers.size() ? layers[l + 1].offset : flat.size();
    for (size_t i = 0; i < layers[l].count; ++i) {
      int expected = 0;
      for (int r = 0; r < ranks; ++r) expected += gradient(i, l, r, step);
      if (!(__bfloat162float(flat[layers[l].offset + i]) == static_cast<float>(expected))) ++errors;
    }
    for (size_t i = layers[l].offset + layers[l].count; i < end; ++i) {
      uint16_t bits;
      std::memcpy(&bits, &flat[i], sizeof bits);
      if (bits != kPadByte * 0x0101u) ++errors;
    }
  }
  return errors;
}

bool train(int rank, int ranks, size_t width) {
  int devices = 0;
  check(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
  check(cudaSetDevice(rank % devices), "cudaSetDevice");

  ncclUniqueId id;
  if (rank == 0) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  check(ncclCommInitRank(&comm, ranks, id, rank), "ncclCommInitRank");

  size_t total;
  const std::vector<Layer> layers = plan_layers(width, total);
  bf16* flat = nullptr;
  check(cudaMalloc(&flat, total * sizeof(bf16)), "cudaMalloc");
  check(cudaMemset(flat, kPadByte, total * sizeof(bf16)), "cudaMemset");

  cudaStream_t stream;
  cudaEvent_t begin, end;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  check(cudaEventCreate(&begin), "cudaEventCreate");
  check(cudaEventCreate(&end), "cudaEventCreate");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");  // the memset ran on the default stream

  float ms = 0, best = 1e30f;
  size_t errors = 0;
  std::vector<bf16> host(total);
  for (int step = 0; step < kSteps; ++step) {
    for (size_t l = 0; l < layers.size(); ++l)
      write_gradients<<<4, 128, 0, stream>>>(flat + layers[l].offset, layers[l].count, l, rank, step);
    check(cudaGetLastError(), "write_gradients");
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    MPI_Barrier(MPI_COMM_WORLD);

    check(cudaEventRecord(begin, stream), "cudaEventRecord");
    check(ncclGroupStart(), "ncclGroupStart");
    for (const Layer& layer : layers) {
      bf16* slice = flat + layer.offset;
      check(ncclAllReduce(slice, slice, layer.count, ncclBfloat16, ncclSum, comm, stream), layer.name);
    }
    check(ncclGroupEnd(), "ncclGroupEnd");
    check(cudaEventRecord(end, stream), "cudaEventRecord");
    check(cudaEventSynchronize(end), "cudaEventSynchronize");
    check(cudaEventElapsedTime(&ms, begin, end), "cudaEventElapsedTime");
    if (ms < best) best = ms;

    check(cudaMemcpyAsync(host.data(), flat, total * sizeof(bf16), cudaMemcpyDeviceToHost, stream), "copy back");
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    errors += count_errors(host, layers, ranks, step);
  }
  std::printf("Time: %.6f ms\n", best);
  std::printf("Verification: %s\n", errors == 0 ? "PASS" : "FAIL");

  check(cudaEventDestroy(begin), "cudaEventDestroy");
  check(cudaEventDestroy(end), "cudaEventDestroy");
  check(cudaStreamDestroy(stream), "cudaStreamDestroy");
  check(cudaFree(flat), "cudaFree");
  check(ncclCommDestroy(comm), "ncclCommDestroy");
  return errors == 0;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const size_t width = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 256;
  bool good = false;
  try {
    good = train(rank, ranks, width);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "rank %d: %s\n", rank, e.what());
    MPI_Abort(MPI_COMM_WORLD, 3);
  }
  MPI_Finalize();
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
