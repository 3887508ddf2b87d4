// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Inference through a stack of tensor-parallel MLP blocks: a column-parallel layer splits the hidden units over
// the ranks, a row-parallel layer sums the partial products of all ranks. Small integer weights: results are exact.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

class GpuError : public std::runtime_error {
 public:
  GpuError(const char* call, const char* reason, int line) : std::runtime_error(Text(call, reason, line)) {}

 private:
  static std::string Text(const char* call, const char* reason, int line) {
    std::ostringstream out;
    out << "line " << line << ": " << call << ": " << reason;
    return out.str();
  }
};

#define CUDA_THROW(call) \
  if (cudaError_t e_ = (call); e_ != cudaSuccess) throw GpuError(#call, cudaGetErrorString(e_), __LINE__)
#define NCCL_THROW(call) \
  if (ncclResult_t e_ = (call); e_ != ncclSuccess) throw GpuError(#call, ncclGetErrorString(e_), __LINE__)

namespace init {
__host__ __device__ inline uint32_t Hash(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t h = (a * 0xcc9e2d51u) ^ (b * 0x1b873593u + 0x52dce729u) ^ (c * 0xe6546b64u + 0x38495ab5u);
  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  return h ^ (h >> 16);
}
// Entry (row, col) of the full weight matrix of layer `layer`: -1, 0 or 1.
__host__ __device__ inline float Weight(int layer, int row, int col) { return float(int(Hash(row, col, layer) % 3u) - 1); }
__host__ __device__ inline float Bias(int layer, int col) { return float(int(Hash(col, 977u, layer) % 7u) - 3); }
__host__ __device__ inline float Token(int i, int pass) { return float(int(Hash(i, pass, 4242u) % 9u) - 4); }
}  // namespace init

__host__ __device__ inline float HardTanh(float x) { return x > 4.0f ? 4.0f : (x < -4.0f ? -4.0f : x); }

__global__ void InitWeight(float* w, int rows, int cols, int row0, int col0, int layer) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < rows * cols) w[i] = init::Weight(layer, row0 + i / cols, col0 + i % cols);
}

__global__ void MatMul(const float* x, const float* w, float* y, int m, int k, int n) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y;
  if (col >= n || row >= m) return;
  float sum = 0.0f;
  for (int i = 0; i < k; ++i) sum += x[row * k + i] * w[i * n + col];
  y[row * n + col] = sum;
}

__global__ void BiasActivation(float* y, int m, int n, int col0, int layer) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < m * n) y[i] = HardTanh(y[i] + init::Bias(layer, col0 + i % n));
}

struct ParallelGroup {
  int rank = 0, size = 1;
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;
};

enum class Split { kColumns, kRows };

class Linear {
 public:
  Linear(const ParallelGroup& group, Split split, int layer, int batch, int in, int out)
      : group_(group), split_(split), layer_(layer), batch_(batch), in_(in), out_(out) {
    (split_ == Split::kColumns ? out_ : in_) /= group.size;
    CUDA_THROW(cudaMalloc(&weight_, sizeof(float) * in_ * out_));
    CUDA_THROW(cudaMalloc(&output_, sizeof(float) * batch_ * out_));
    CUDA_THROW(cudaMemsetAsync(output_, 0xff, sizeof(float) * batch_ * out_, group_.stream));
    const int row0 = split_ == Split::kRows ? group.rank * in_ : 0;
    InitWeight<<<Blocks(in_ * out_), kThreads, 0, group_.stream>>>(weight_, in_, out_, row0, FirstColumn(), layer_);
    CUDA_THROW(cudaGetLastError());
  }
  ~Linear() {
    cudaFree(weight_);
    cudaFree(output_);
  }
  Linear(const Linear&) = delete;
  Linear& operator=(const Linear&) = delete;

  // Returns the activations, which belong to the layer and live until its next call.
  float* forward(const float* input) {
    MatMul<<<dim3(Blocks(out_), batch_), kThreads, 0, group_.stream>>>(input, weight_, output_, batch_, in_, out_);
    if (split_ == Split::kRows) {
      NCCL_THROW(ncclAllReduce(output_, output_, size_t(batch_) * out_, ncclFloat32, ncclSum, group_.comm, group_.stream));
    }
    BiasActivation<<<Blocks(batch_ * out_), kThreads, 0, group_.stream>>>(output_, batch_, out_, FirstColumn(), layer_);
    CUDA_THROW(cudaGetLastError());
    return output_;
  }

 private:
  static constexpr int kThreads = 32;
  static int Blocks(int n) { return (n + kThreads - 1) / kThreads; }
  int FirstColumn() const { return split_ == Split::kColumns ? group_.rank * out_ : 0; }

  const ParallelGroup& group_;
  Split split_;
  int layer_, batch_, in_, out_;
  float* weight_ = nullptr;
  float* output_ = nullptr;
};

class Mlp {
 public:
  Mlp(const ParallelGroup& group, int depth, int batch, int width, int hidden) {
    for (int d = 0; d < depth; ++d) {
      layers_.push_back(std::make_unique<Linear>(group, Split::kColumns, 2 * d, batch, width, hidden));
      layers_.push_back(std::make_unique<Linear>(group, Split::kRows, 2 * d + 1, batch, hidden, width));
    }
  }
  float* forward(float* x) {
    for (auto& layer : layers_) x = layer->forward(x);
    return x;
  }

 private:
  std::vector<std::unique_ptr<Linear>> layers_;
};

// The unsplit network on the host.
static std::vector<float> Reference(int depth, int batch, int width, int hidden, int pass) {
  std::vector<float> x(batch * width);
  for (int i = 0; i < batch * width; ++i) x[i] = init::Token(i, pass);
  for (int layer = 0; layer < 2 * depth; ++layer) {
    const int in = layer % 2 ? hidden : width, out = layer % 2 ? width : hidden;
    std::vector<float> y(batch * out, 0.0f);
    for (int b = 0; b < batch; ++b)
      for (int o = 0; o < out; ++o) {
        float sum = 0.0f;
        for (int i = 0; i < in; ++i) sum += x[b * in + i] * init::Weight(layer, i, o);
        y[b * out + o] = HardTanh(sum + init::Bias(layer, o));
      }
    x.swap(y);
  }
  return x;
}

static bool Run(ParallelGroup& group, int scale) {
  const int depth = 2, batch = 12, width = 40 * scale;
  const int hidden = 16 * group.size;  // every rank gets the same number of hidden units
  CUDA_THROW(cudaStreamCreate(&group.stream));

  float* tokens = nullptr;
  const size_t bytes = sizeof(float) * batch * width;
  CUDA_THROW(cudaMalloc(&tokens, bytes));
  bool ok = true;
  double elapsed = 0.0;
  {
    Mlp model(group, depth, batch, width, hidden);
    std::vector<float> host(batch * width);
    for (int pass = 0; pass < 2; ++pass) {
      for (int i = 0; i < batch * width; ++i) host[i] = init::Token(i, pass);
      CUDA_THROW(cudaMemcpyAsync(tokens, host.data(), bytes, cudaMemcpyHostToDevice, group.stream));
      CUDA_THROW(cudaStreamSynchronize(group.stream));
      MPI_Barrier(MPI_COMM_WORLD);

      const double start = MPI_Wtime();
      float* logits = model.forward(tokens);
      CUDA_THROW(cudaStreamSynchronize(group.stream));
      elapsed += MPI_Wtime() - start;

      CUDA_THROW(cudaMemcpy(host.data(), logits, bytes, cudaMemcpyDeviceToHost));
      ok = ok && host == Reference(depth, batch, width, hidden, pass);
    }
  }
  std::printf("Time: %.4f ms\n", elapsed * 1000.0 / 2);
  CUDA_THROW(cudaFree(tokens));
  CUDA_THROW(cudaStreamDestroy(group.stream));
  return ok;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int exit_code = 1;
  try {
    ParallelGroup group;
    MPI_Comm_rank(MPI_COMM_WORLD, &group.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &group.size);
    int devices = 0;
    CUDA_THROW(cudaGetDeviceCount(&devices));
    CUDA_THROW(cudaSetDevice(group.rank % devices));
    ncclUniqueId id;
    if (group.rank == 0) NCCL_THROW(ncclGetUniqueId(&id));
    MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
    NCCL_THROW(ncclCommInitRank(&group.comm, group.size, id, group.rank));
    const bool ok = Run(group, argc > 1 ? std::max(1, std::atoi(argv[1])) : 1);
    std::printf("Verification: %s\n", ok ? "PASS" : "FAIL");
    NCCL_THROW(ncclCommDestroy(group.comm));
    exit_code = ok ? 0 : 1;
  } catch (const GpuError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
  return exit_code;
}
