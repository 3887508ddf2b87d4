// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Synchronised batch normalisation (NCHW, forward): channel means and variances are taken over the samples of all
// ranks, which may hold different numbers of samples.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

namespace syncbn {

inline void throw_if(bool failed, const char* message) {
  if (failed) throw std::runtime_error(message);
}

// Owns the communicator and the stream on which everything of this rank happens.
struct Comm {
  int rank, size;
  ncclComm_t nccl;
  cudaStream_t stream;

  Comm() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int devices;
    throw_if(cudaGetDeviceCount(&devices) != cudaSuccess, "no devices");
    throw_if(cudaSetDevice(rank % devices) != cudaSuccess, "cannot select the device");
    ncclUniqueId id;
    if (rank == 0) throw_if(ncclGetUniqueId(&id) != ncclSuccess, "no unique id");
    MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
    throw_if(ncclCommInitRank(&nccl, size, id, rank) != ncclSuccess, "cannot join the communicator");
    throw_if(cudaStreamCreate(&stream) != cudaSuccess, "cannot create a stream");
  }
  ~Comm() {
    cudaStreamDestroy(stream);
    ncclCommDestroy(nccl);
  }
  Comm(const Comm&) = delete;
  Comm& operator=(const Comm&) = delete;
};

void all_sum(Comm& c, float* p, size_t n) {
  throw_if(ncclAllReduce(p, p, n, ncclFloat, ncclSum, c.nccl, c.stream) != ncclSuccess, "all_sum");
}

// Device array with value semantics switched off.
class Array {
 public:
  explicit Array(size_t n) : size_(n) { throw_if(cudaMalloc(&data_, n * sizeof(float)) != cudaSuccess, "out of memory"); }
  Array(Array&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}
  ~Array() { cudaFree(data_); }
  operator float*() const { return data_; }
  std::vector<float> download() const {
    std::vector<float> host(size_);
    throw_if(cudaMemcpy(host.data(), data_, size_ * sizeof(float), cudaMemcpyDeviceToHost) != cudaSuccess, "download");
    return host;
  }
  void poison(cudaStream_t stream) { throw_if(cudaMemsetAsync(data_, 0xff, size_ * sizeof(float), stream) != cudaSuccess, "poison"); }

 private:
  float* data_ = nullptr;
  size_t size_;
};

struct Shape {
  int samples, channels, pixels;
  __host__ __device__ size_t at(int n, int c, int p) const { return (size_t(n) * channels + c) * pixels + p; }
  size_t elements() const { return size_t(samples) * channels * pixels; }
};

constexpr float kEpsilon = 1e-5f;

inline int samples_of(int rank) { return 2 + rank % 3; }

__host__ __device__ inline uint32_t hash32(uint32_t x) {
  x = ((x >> 16) ^ x) * 0x119de1f3u;
  x = ((x >> 16) ^ x) * 0x119de1f3u;
  return (x >> 16) ^ x;
}

// Multiples of 1/64, every channel with its own centre and spread.
__host__ __device__ inline float pixel_value(int rank, int sample, int channel, int pixel, int pass) {
  const uint32_t h = hash32(hash32(rank * 64 + sample + 7919 * pass) ^ (channel * 100003 + pixel));
  return (int(h % 257) - 128) / 64.0f * (1 + channel % 3) + float(channel - 9);
}
__host__ __device__ inline float gamma_of(int channel) { return 0.5f + (hash32(channel + 12345) % 16) / 16.0f; }
__host__ __device__ inline float beta_of(int channel) { return (hash32(channel + 54321) % 32) / 16.0f - 1.0f; }

template <int Threads>
__device__ float block_sum(float value) {
  static_assert((Threads & (Threads - 1)) == 0, "a power of two");
  __shared__ float cell[Threads];
  cell[threadIdx.x] = value;
  __syncthreads();
#pragma unroll
  for (int width = Threads / 2; width > 0; width /= 2) {
    if (int(threadIdx.x) < width) cell[threadIdx.x] += cell[threadIdx.x + width];
    __syncthreads();
  }
  return cell[0];
}

// One block per channel: the sum of x, or of (x - mean)^2 if `Centred`.
template <int Threads, bool Centred>
__global__ void channel_sum(const float* x, const float* mean, float* out, Shape shape) {
  const int c = blockIdx.x;
  float acc = 0;
  for (int i = threadIdx.x; i < shape.samples * shape.pixels; i += Threads) {
    const float v = x[shape.at(i / shape.pixels, c, i % shape.pixels)];
    if (Centred) {
      const float d = v - mean[c];
      acc += d * d;
    } else {
      acc += v;
    }
  }
  acc = block_sum<Threads>(acc);
  if (threadIdx.x == 0) {
    out[c] = acc;
    // the number of values travels behind the sums
    if (!Centred && c == 0) out[shape.channels] = float(shape.samples) * shape.pixels;
  }
}

__global__ void divide(const float* sums, const float* count, float* out, int channels) {
  const int c = threadIdx.x;
  if (c < channels) out[c] = sums[c] / *count;
}

__global__ void normalise(const float* x, const float* mean, const float* variance, float* y, Shape shape) {
  const int c = blockIdx.x, n = blockIdx.y;
  const float scale = gamma_of(c) / sqrtf(variance[c] + kEpsilon);
  for (int p = threadIdx.x; p < shape.pixels; p += blockDim.x)
    y[shape.at(n, c, p)] = (x[shape.at(n, c, p)] - mean[c]) * scale + beta_of(c);
}

__global__ void load_batch(float* x, Shape shape, int rank, int pass) {
  const int c = blockIdx.x, n = blockIdx.y;
  for (int p = threadIdx.x; p < shape.pixels; p += blockDim.x) x[shape.at(n, c, p)] = pixel_value(rank, n, c, p, pass);
}

void forward(Comm& c, const Array& x, Array& sums, Array& mean, Array& squares, Array& variance, Array& y, Shape shape) {
  constexpr int threads = 64;
  const int channels = shape.channels;
  const dim3 planes(channels, shape.samples);
  channel_sum<threads, false><<<channels, threads, 0, c.stream>>>(x, nullptr, sums, shape);
  all_sum(c, sums, channels + 1);
  divide<<<1, channels, 0, c.stream>>>(sums, sums + channels, mean, channels);
  channel_sum<threads, true><<<channels, threads, 0, c.stream>>>(x, mean, squares, shape);
  all_sum(c, squares, channels);
  divide<<<1, channels, 0, c.stream>>>(squares, sums + channels, variance, channels);
  normalise<<<planes, 32, 0, c.stream>>>(x, mean, variance, y, shape);
  throw_if(cudaGetLastError() != cudaSuccess, "a launch failed");
}

bool close(double got, double expected) { return std::fabs(got - expected) <= 2e-5 * (1.0 + std::fabs(expected)); }

bool matches(const Comm& comm, const Array& mean, const Array& variance, const Array& y, Shape shape, int pass) {
  const auto got_mean = mean.download(), got_variance = variance.download(), got_y = y.download();
  bool ok = true;
  for (int c = 0; c < shape.channels; ++c) {
    double m = 0, v = 0, count = 0;
    for (int r = 0; r < comm.size; ++r)
      for (int n = 0; n < samples_of(r); ++n)
        for (int p = 0; p < shape.pixels; ++p, ++count) m += pixel_value(r, n, c, p, pass);
    m /= count;
    for (int r = 0; r < comm.size; ++r)
      for (int n = 0; n < samples_of(r); ++n)
        for (int p = 0; p < shape.pixels; ++p) v += std::pow(pixel_value(r, n, c, p, pass) - m, 2);
    v /= count;
    ok = ok && close(got_mean[c], m) && close(got_variance[c], v);
    for (int n = 0; n < shape.samples; ++n)
      for (int p = 0; p < shape.pixels; ++p) {
        const double unit = (pixel_value(comm.rank, n, c, p, pass) - m) / std::sqrt(v + kEpsilon);
        ok = ok && close(got_y[shape.at(n, c, p)], unit * gamma_of(c) + beta_of(c));
      }
  }
  return ok;
}

bool run(int pixels) {
  Comm comm;
  const Shape shape{samples_of(comm.rank), 20, pixels};
  Array x(shape.elements()), y(shape.elements()), sums(shape.channels + 1), mean(shape.channels), squares(shape.channels), variance(shape.channels);
  cudaEvent_t first, last;
  throw_if(cudaEventCreate(&first) != cudaSuccess || cudaEventCreate(&last) != cudaSuccess, "no events");

  bool ok = true;
  float total = 0;
  const int passes = 3;
  for (int pass = 0; pass < passes; ++pass) {
    load_batch<<<dim3(shape.channels, shape.samples), 32, 0, comm.stream>>>(x, shape, comm.rank, pass);
    y.poison(comm.stream);
    throw_if(cudaStreamSynchronize(comm.stream) != cudaSuccess, "preparation failed");
    MPI_Barrier(MPI_COMM_WORLD);

    throw_if(cudaEventRecord(first, comm.stream) != cudaSuccess, "record");
    forward(comm, x, sums, mean, squares, variance, y, shape);
    throw_if(cudaEventRecord(last, comm.stream) != cudaSuccess, "record");
    throw_if(cudaEventSynchronize(last) != cudaSuccess, "forward failed");

    float ms = 0;
    throw_if(cudaEventElapsedTime(&ms, first, last) != cudaSuccess, "elapsed time");
    total += ms;
    ok = matches(comm, mean, variance, y, shape, pass) && ok;
  }
  std::printf("Time: %.6f ms\nVerification: %s\n", total / passes, ok ? "PASS" : "FAIL");
  cudaEventDestroy(first);
  cudaEventDestroy(last);
  return ok;
}

}  // namespace syncbn

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int status = 0;
  try {
    status = syncbn::run(argc > 1 ? std::atoi(argv[1]) : 49) ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "sync_batchnorm: %s\n", e.what());
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  MPI_Finalize();
  return status;
}
