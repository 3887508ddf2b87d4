// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Distributed sparse matrix times vector: the rows of an ELLPACK matrix and the entries of x are spread over the
// ranks; x is replicated with an AllGather before every product y = A x. All resources are owned by RAII classes.

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace spmv {

// ---------------------------------------------------------------------------------------------- error handling

class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void require(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw DeviceError(std::string(what) + ": " + cudaGetErrorString(status));
}

inline void require(ncclResult_t status, const char* what) {
  if (status != ncclSuccess) throw DeviceError(std::string(what) + ": " + ncclGetErrorString(status));
}

// -------------------------------------------------------------------------------------------------- resources

class MpiSession {
 public:
  MpiSession(int* argc, char*** argv) { MPI_Init(argc, argv); }
  ~MpiSession() { MPI_Finalize(); }
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  [[nodiscard]] int rank() const {
    int value = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &value);
    return value;
  }
  [[nodiscard]] int size() const {
    int value = 0;
    MPI_Comm_size(MPI_COMM_WORLD, &value);
    return value;
  }
};

class Stream {
 public:
  Stream() { require(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags"); }
  ~Stream() { static_cast<void>(cudaStreamDestroy(handle_)); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] cudaStream_t get() const noexcept { return handle_; }
  void synchronize() const { require(cudaStreamSynchronize(handle_), "cudaStreamSynchronize"); }

 private:
  cudaStream_t handle_{};
};

class Event {
 public:
  Event() { require(cudaEventCreate(&handle_), "cudaEventCreate"); }
  ~Event() { static_cast<void>(cudaEventDestroy(handle_)); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(const Stream& stream) { require(cudaEventRecord(handle_, stream.get()), "cudaEventRecord"); }
  [[nodiscard]] float milliseconds_since(const Event& earlier) const {
    float ms = 0.0f;
    require(cudaEventElapsedTime(&ms, earlier.handle_, handle_), "cudaEventElapsedTime");
    return ms;
  }

 private:
  cudaEvent_t handle_{};
};

template <typename T>
class DeviceBuffer {
 public:
  explicit DeviceBuffer(std::size_t count) : count_(count) {
    require(cudaMalloc(reinterpret_cast<void**>(&data_), count_ * sizeof(T)), "cudaMalloc");
  }
  ~DeviceBuffer() { static_cast<void>(cudaFree(data_)); }

  DeviceBuffer(DeviceBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;

  [[nodiscard]] T* data() noexcept { return data_; }
  [[nodiscard]] const T* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

  void poison(const Stream& stream) {
    require(cudaMemsetAsync(data_, 0xff, count_ * sizeof(T), stream.get()), "cudaMemsetAsync");
  }
  [[nodiscard]] std::vector<T> to_host(const Stream& stream) const {
    std::vector<T> host(count_);
    require(cudaMemcpyAsync(host.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost, stream.get()),
            "cudaMemcpyAsync");
    stream.synchronize();
    return host;
  }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

class Communicator {
 public:
  explicit Communicator(const MpiSession& mpi) {
    ncclUniqueId id{};
    if (mpi.rank() == 0) require(ncclGetUniqueId(&id), "ncclGetUniqueId");
    MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
    require(ncclCommInitRank(&handle_, mpi.size(), id, mpi.rank()), "ncclCommInitRank");
  }
  ~Communicator() { static_cast<void>(ncclCommDestroy(handle_)); }
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  /// Concatenates every rank's `mine` in `all`, in rank order.
  void all_gather(const DeviceBuffer<float>& mine, DeviceBuffer<float>& all, const Stream& stream) const {
    require(ncclAllGather(mine.data(), all.data(), mine.size(), ncclFloat, handle_, stream.get()), "ncclAllGather");
  }

 private:
  ncclComm_t handle_{};
};

// ---------------------------------------------------------------------------------------------------- problem

constexpr int kNonZeros = 6;  // in a row

__host__ __device__ inline std::uint32_t scramble(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x21f0aaadu;
  x = (x ^ (x >> 15)) * 0xd35a2d97u;
  return x ^ (x >> 15);
}
// Small integers, so that every sum is exact.
__host__ __device__ inline float x_entry(std::uint32_t row, std::uint32_t sweep) {
  return static_cast<float>(static_cast<int>(scramble(row + 0x9e3779b9u * (sweep + 1)) % 2001) - 1000);
}
__host__ __device__ inline std::uint32_t column_of(std::uint32_t row, int k, std::uint32_t rows) {
  return scramble(row * kNonZeros + static_cast<std::uint32_t>(k) + 0x5bd1e995u) % rows;
}
__host__ __device__ inline float weight_of(std::uint32_t row, int k) {
  return static_cast<float>(static_cast<int>(scramble(row * 31u + static_cast<std::uint32_t>(k)) % 15) - 7);
}

__global__ void assemble(std::uint32_t first_row, std::uint32_t local, std::uint32_t rows, std::uint32_t* columns,
                         float* weights) {
  const std::uint32_t r = blockIdx.x * blockDim.x + threadIdx.x;
  if (r >= local) return;
  for (int k = 0; k < kNonZeros; ++k) {  // column-major ELLPACK
    columns[static_cast<std::size_t>(k) * local + r] = column_of(first_row + r, k, rows);
    weights[static_cast<std::size_t>(k) * local + r] = weight_of(first_row + r, k);
  }
}

__global__ void initialize_x(std::uint32_t first_row, std::uint32_t local, std::uint32_t sweep, float* x) {
  const std::uint32_t r = blockIdx.x * blockDim.x + threadIdx.x;
  if (r < local) x[r] = x_entry(first_row + r, sweep);
}

__global__ void multiply(std::uint32_t local, const std::uint32_t* __restrict__ columns,
                         const float* __restrict__ weights, const float* __restrict__ x, float* __restrict__ y) {
  const std::uint32_t r = blockIdx.x * blockDim.x + threadIdx.x;
  if (r >= local) return;
  float sum = 0.0f;
  for (int k = 0; k < kNonZeros; ++k) {
    const std::size_t at = static_cast<std::size_t>(k) * local + r;
    sum += weights[at] * x[columns[at]];
  }
  y[r] = sum;
}

bool solution_is_right(const std::vector<float>& x, const std::vector<float>& y, std::uint32_t first_row,
                       std::uint32_t sweep) {
  const auto rows = static_cast<std::uint32_t>(x.size());
  for (std::uint32_t i = 0; i < rows; ++i)
    if (x[i] != x_entry(i, sweep)) return false;
  for (std::uint32_t r = 0; r < y.size(); ++r) {
    float expected = 0.0f;
    for (int k = 0; k < kNonZeros; ++k)
      expected += weight_of(first_row + r, k) * x_entry(column_of(first_row + r, k, rows), sweep);
    if (y[r] != expected) return false;
  }
  return true;
}

bool run(const MpiSession& mpi, std::uint32_t local, std::uint32_t sweeps) {
  int devices = 0;
  require(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
  require(cudaSetDevice(mpi.rank() % devices), "cudaSetDevice");

  const Communicator communicator(mpi);
  const Stream stream;
  Event start, stop;

  const std::uint32_t rows = local * static_cast<std::uint32_t>(mpi.size());
  const std::uint32_t first_row = local * static_cast<std::uint32_t>(mpi.rank());
  DeviceBuffer<std::uint32_t> columns(std::size_t{local} * kNonZeros);
  DeviceBuffer<float> weights(std::size_t{local} * kNonZeros);
  DeviceBuffer<float> my_x(local), y(local);
  DeviceBuffer<float> x = DeviceBuffer<float>(rows);

  const unsigned blocks = (local + 127) / 128;
  assemble<<<blocks, 128, 0, stream.get()>>>(first_row, local, rows, columns.data(), weights.data());
  require(cudaGetLastError(), "assemble");

  bool right = true;
  float total = 0.0f;
  for (std::uint32_t sweep = 0; sweep < sweeps; ++sweep) {
    initialize_x<<<blocks, 128, 0, stream.get()>>>(first_row, local, sweep, my_x.data());
    x.poison(stream);
    y.poison(stream);
    stream.synchronize();
    MPI_Barrier(MPI_COMM_WORLD);

    start.record(stream);
    communicator.all_gather(my_x, x, stream);
    multiply<<<blocks, 128, 0, stream.get()>>>(local, columns.data(), weights.data(), x.data(), y.data());
    require(cudaGetLastError(), "multiply");
    stop.record(stream);
    stream.synchronize();
    total += stop.milliseconds_since(start);

    right = solution_is_right(x.to_host(stream), y.to_host(stream), first_row, sweep) && right;
  }
  std::printf("Time: %.5f ms\n", static_cast<double>(total) / sweeps);
  return right;
}

}  // namespace spmv

int main(int argc, char** argv) {
  const spmv::MpiSession mpi(&argc, &argv);
  try {
    const auto local = static_cast<std::uint32_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 3000);
    const bool right = spmv::run(mpi, local, 3);
    std::printf("Verification: %s\n", right ? "PASS" : "FAIL");
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", mpi.rank(), error.what());
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
  }
  return EXIT_FAILURE;
}
