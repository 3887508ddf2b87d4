// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Distributed weighted histogram: every rank bins its own samples, then the histograms are summed on all ranks by
// recursive doubling. If the number of ranks is no power of two, the surplus ranks fold their histogram into a
// neighbour first and get the result from it in the end.

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

[[noreturn]] void fatal(const char* where, const std::string& message) {
  std::fprintf(stderr, "fatal: %s: %s\n", where, message.c_str());
  MPI_Abort(MPI_COMM_WORLD, 9);
  std::abort();
}

void require(cudaError_t status, const char* where) {
  if (status != cudaSuccess) fatal(where, cudaGetErrorString(status));
}
void require(ncclResult_t status, const char* where) {
  if (status != ncclSuccess) fatal(where, ncclGetErrorString(status));
}

template <typename T>
using DeviceArray = std::unique_ptr<T[], std::function<void(T*)>>;

template <typename T>
DeviceArray<T> device_array(size_t n) {
  void* p = nullptr;
  require(cudaMalloc(&p, n * sizeof(T)), "cudaMalloc");
  return DeviceArray<T>(static_cast<T*>(p), [](T* q) { require(cudaFree(q), "cudaFree"); });
}

struct Sample {
  uint32_t bin, weight;
};

__host__ __device__ Sample draw(uint32_t rank, uint32_t i, uint32_t bins, uint32_t round) {
  uint32_t s = i * 2654435761u + (rank + 1) * 0x9e3779b9u + round * 0x7f4a7c15u;
  s ^= s << 13;
  s ^= s >> 17;
  s ^= s << 5;
  s *= 0xac564b05u;
  s ^= s >> 18;
  return {s % bins, 1 + (s >> 27) + rank};
}

__global__ void bin_samples(unsigned* histogram, uint32_t samples, uint32_t bins, uint32_t rank, uint32_t round) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < samples) {
    const Sample s = draw(rank, i, bins, round);
    atomicAdd(&histogram[s.bin], s.weight);
  }
}

__global__ void merge(unsigned* __restrict__ into, const unsigned* __restrict__ other, uint32_t bins) {
  for (uint32_t b = blockIdx.x * blockDim.x + threadIdx.x; b < bins; b += gridDim.x * blockDim.x) into[b] += other[b];
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const auto [rank, ranks] = [] {
    int r = 0, n = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &r);
    MPI_Comm_size(MPI_COMM_WORLD, &n);
    return std::pair<int, int>(r, n);
  }();
  const uint32_t bins = argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 3000;
  const uint32_t samples = argc > 2 ? static_cast<uint32_t>(std::atoi(argv[2])) : 9000;
  constexpr uint32_t kRounds = 3, kGuard = 32;

  int devices = 0;
  require(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
  require(cudaSetDevice(rank % devices), "cudaSetDevice");
  ncclUniqueId id{};
  if (rank == 0) require(ncclGetUniqueId(&id), "ncclGetUniqueId");
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm{};
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 1;
  require(ncclCommInitRankConfig(&comm, ranks, id, rank, &config), "ncclCommInitRankConfig");
  cudaStream_t stream{};
  require(cudaStreamCreate(&stream), "cudaStreamCreate");

  int power = 1;
  while (power * 2 <= ranks) power *= 2;
  const int surplus = ranks - power;
  // Ranks below 2 * surplus pair up; the odd one of a pair takes part in the butterfly for both.
  const bool folded = rank < 2 * surplus;
  const bool idle = folded && rank % 2 == 0;
  const int position = folded ? rank / 2 : rank - surplus;
  const auto rank_at = [surplus](int pos) { return pos < surplus ? 2 * pos + 1 : pos + surplus; };

  size_t wrong = 0;
  double ms = 0;
  {
    auto histogram = device_array<unsigned>(bins + kGuard);
    auto received = device_array<unsigned>(bins);

    const auto add_received = [&, h = histogram.get(), r = received.get()] {
      cudaLaunchConfig_t launch{};
      launch.gridDim = dim3(8);
      launch.blockDim = dim3(128);
      launch.stream = stream;
      require(cudaLaunchKernelEx(&launch, merge, h, static_cast<const unsigned*>(r), bins), "merge");
    };

    std::vector<unsigned> result(bins + kGuard);
    for (uint32_t round = 0; round < kRounds; ++round) {
      require(cudaMemsetAsync(histogram.get(), 0, bins * sizeof(unsigned), stream), "clear");
      require(cudaMemsetAsync(histogram.get() + bins, 0xee, kGuard * sizeof(unsigned), stream), "guard");
      require(cudaMemsetAsync(received.get(), 0xff, bins * sizeof(unsigned), stream), "poison");
      bin_samples<<<(samples + 255) / 256, 256, 0, stream>>>(histogram.get(), samples, bins, rank, round);
      require(cudaGetLastError(), "bin_samples");
      require(cudaStreamSynchronize(stream), "binning");
      MPI_Barrier(MPI_COMM_WORLD);
      const double t0 = MPI_Wtime();

      if (folded) {
        if (idle) {
          require(ncclSend(histogram.get(), bins, ncclUint32, rank + 1, comm, stream), "fold out");
        } else {
          require(ncclRecv(received.get(), bins, ncclUint32, rank - 1, comm, stream), "fold in");
          add_received();
        }
      }
      if (!idle) {
        for (int mask = 1; mask < power; mask <<= 1) {
          const int partner = rank_at(position ^ mask);
          require(ncclGroupStart(), "group");
          require(ncclSend(histogram.get(), bins, ncclUint32, partner, comm, stream), "butterfly send");
          require(ncclRecv(received.get(), bins, ncclUint32, partner, comm, stream), "butterfly recv");
          require(ncclGroupEnd(), "group");
          add_received();
        }
      }
      if (folded) {
        if (idle)
          require(ncclRecv(histogram.get(), bins, ncclUint32, rank + 1, comm, stream), "unfold in");
        else
          require(ncclSend(histogram.get(), bins, ncclUint32, rank - 1, comm, stream), "unfold out");
      }
      require(cudaStreamSynchronize(stream), "all-reduce");
      ms += (MPI_Wtime() - t0) * 1e3;

      require(cudaMemcpy(result.data(), histogram.get(), result.size() * sizeof(unsigned), cudaMemcpyDeviceToHost), "copy");
      std::vector<unsigned> expected(bins, 0);
      for (int r = 0; r < ranks; ++r)
        for (uint32_t i = 0; i < samples; ++i) {
          const Sample s = draw(r, i, bins, round);
          expected[s.bin] += s.weight;
        }
      expected.resize(bins + kGuard, 0xeeeeeeeeu);
      for (size_t b = 0; b < expected.size(); ++b) wrong += result[b] != expected[b];
    }
  }

  std::printf("Time: %.4f ms\n", ms / kRounds);
  std::printf("Verification: %s\n", wrong == 0 ? "PASS" : "FAIL");

  require(cudaStreamDestroy(stream), "cudaStreamDestroy");
  require(ncclCommDestroy(comm), "ncclCommDestroy");
  MPI_Finalize();
  return wrong == 0 ? 0 : 1;
}
