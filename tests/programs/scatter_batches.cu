// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Inference service with a single front end: the front-end rank scatters a queue of requests evenly over all ranks,
// everyone filters its share of signals with the same FIR taps and the answers are gathered back at the front end.

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

namespace service {

// ---------------------------------------------------------------------------------------------------- utilities --

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void require(cudaError_t status) {
  if (status != cudaSuccess) throw Failure(std::string("CUDA: ") + cudaGetErrorString(status));
}
inline void require(ncclResult_t status) {
  if (status != ncclSuccess) throw Failure(std::string("NCCL: ") + ncclGetErrorString(status));
}

template <typename T>
class DeviceArray {
 public:
  DeviceArray() = default;
  explicit DeviceArray(std::size_t size) : size_(size) {
    if (size_ > 0) require(cudaMalloc(reinterpret_cast<void**>(&data_), size_ * sizeof(T)));
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { cudaFree(data_); }

  T* data() noexcept { return data_; }  // nullptr when empty
  std::size_t size() const noexcept { return size_; }
  void poison(cudaStream_t stream) {
    if (size_ > 0) require(cudaMemsetAsync(data_, 0xff, size_ * sizeof(T), stream));
  }
  std::vector<T> download() const {
    std::vector<T> copy(size_);
    if (size_ > 0) require(cudaMemcpy(copy.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost));
    return copy;
  }
  void upload(const std::vector<T>& from) {
    require(cudaMemcpy(data_, from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice));
  }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

// ------------------------------------------------------------------------------------------------------ problem --

constexpr int kSamples = 128;  // per signal
constexpr int kTaps = 9;

inline std::uint32_t hash(std::uint32_t x) {
  x += 0x9e3779b9u;
  x = (x ^ (x >> 16)) * 0x21f0aaadu;
  x = (x ^ (x >> 15)) * 0x735a2d97u;
  return x ^ (x >> 15);
}

inline std::int32_t request_sample(std::uint32_t wave, std::uint32_t position) {
  return static_cast<std::int32_t>(hash(position ^ hash(wave + 17u)) % 20001u) - 10000;
}

__constant__ std::int32_t taps_on_device[kTaps];

// One block per signal. Samples before the beginning count as zero.
__global__ void fir_filter(const std::int32_t* __restrict__ signals, std::int32_t* __restrict__ filtered) {
  __shared__ std::int32_t window[kSamples + kTaps - 1];
  const std::int32_t* signal = signals + std::size_t{blockIdx.x} * kSamples;
  for (int i = threadIdx.x; i < kSamples + kTaps - 1; i += blockDim.x)
    window[i] = i < kTaps - 1 ? 0 : signal[i - (kTaps - 1)];
  __syncthreads();
  for (int i = threadIdx.x; i < kSamples; i += blockDim.x) {
    std::int32_t sum = 0;
    for (int t = 0; t < kTaps; ++t) sum += taps_on_device[t] * window[i + kTaps - 1 - t];
    filtered[std::size_t{blockIdx.x} * kSamples + i] = sum;
  }
}

// ------------------------------------------------------------------------------------------------------- worker --

class Worker {
 public:
  Worker(ncclComm_t comm, int rank, int ranks, int front_end, std::size_t batch)
      : comm_(comm), rank_(rank), front_end_(front_end), batch_(batch), share_(batch * kSamples),
        queue_(rank == front_end ? share_ * ranks : 0), answers_(rank == front_end ? share_ * ranks : 0),
        requests_(share_), results_(share_) {
    require(cudaStreamCreate(&stream_));
    require(cudaEventCreate(&begin_));
    require(cudaEventCreate(&end_));
    for (int t = 0; t < kTaps; ++t) taps_.push_back(static_cast<std::int32_t>(hash(1000u + t) % 41u) - 20);
    require(cudaMemcpyToSymbol(taps_on_device, taps_.data(), kTaps * sizeof(std::int32_t)));
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    cudaEventDestroy(end_);
    cudaEventDestroy(begin_);
    cudaStreamDestroy(stream_);
  }

  bool is_front_end() const { return rank_ == front_end_; }

  // Serves one wave of requests, returns its duration.
  float serve(std::uint32_t wave) {
    if (is_front_end()) {
      std::vector<std::int32_t> queue(queue_.size());
      for (std::size_t i = 0; i < queue.size(); ++i) queue[i] = request_sample(wave, static_cast<std::uint32_t>(i));
      queue_.upload(queue);
    }
    answers_.poison(stream_);
    requests_.poison(stream_);
    results_.poison(stream_);
    require(cudaStreamSynchronize(stream_));
    MPI_Barrier(MPI_COMM_WORLD);

    require(cudaEventRecord(begin_, stream_));
    require(ncclScatter(queue_.data(), requests_.data(), share_, ncclInt32, front_end_, comm_, stream_));
    fir_filter<<<static_cast<unsigned>(batch_), 64, 0, stream_>>>(requests_.data(), results_.data());
    require(cudaPeekAtLastError());
    require(ncclGather(results_.data(), answers_.data(), share_, ncclInt32, front_end_, comm_, stream_));
    require(cudaEventRecord(end_, stream_));
    require(cudaStreamSynchronize(stream_));

    float ms = 0;
    require(cudaEventElapsedTime(&ms, begin_, end_));
    return ms;
  }

  std::size_t mistakes(std::uint32_t wave) const {
    std::size_t n = 0;
    const std::size_t mine = share_ * rank_;
    const auto requests = requests_.download();
    for (std::size_t i = 0; i < share_; ++i) n += requests[i] != request_sample(wave, static_cast<std::uint32_t>(mine + i));
    const auto results = results_.download();
    for (std::size_t i = 0; i < share_; ++i) n += results[i] != answer(wave, mine + i);
    const auto answers = answers_.download();
    for (std::size_t i = 0; i < answers.size(); ++i) n += answers[i] != answer(wave, i);
    return n;
  }

 private:
  std::int32_t answer(std::uint32_t wave, std::size_t position) const {
    const int in_signal = static_cast<int>(position % kSamples);
    std::int32_t sum = 0;
    for (int t = 0; t < kTaps && t <= in_signal; ++t)
      sum += taps_[t] * request_sample(wave, static_cast<std::uint32_t>(position - t));
    return sum;
  }

  ncclComm_t comm_;
  int rank_, front_end_;
  std::size_t batch_, share_;
  DeviceArray<std::int32_t> queue_, answers_;      // all ranks' signals; empty except at the front end
  DeviceArray<std::int32_t> requests_, results_;   // this rank's share
  std::vector<std::int32_t> taps_;
  cudaStream_t stream_{};
  cudaEvent_t begin_{}, end_{};
};

}  // namespace service

static int serve_all(int rank, int ranks, std::size_t batch, int waves) {
  int devices = 0;
  service::require(cudaGetDeviceCount(&devices));
  service::require(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) service::require(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  service::require(ncclCommInitRank(&comm, ranks, id, rank));

  float total_ms = 0;
  std::size_t mistakes = 0;
  {
    service::Worker worker(comm, rank, ranks, /*front_end=*/ranks / 2, batch);
    for (int wave = 0; wave < waves; ++wave) {
      total_ms += worker.serve(wave);
      mistakes += worker.mistakes(wave);
    }
  }
  service::require(ncclCommDestroy(comm));
  std::printf("Time: %.3f ms\nVerification: %s\n", total_ms / waves, mistakes == 0 ? "PASS" : "FAIL");
  return mistakes == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, ranks, status = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  try {
    status = serve_all(rank, ranks, argc > 1 ? std::stoul(argv[1]) : 24, argc > 2 ? std::stoi(argv[2]) : 3);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "rank %d: %s\n", rank, failure.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
  return status;
}
