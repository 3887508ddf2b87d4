// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Model-parallel embeddings of a recommendation model (DLRM style): the tables are spread over the ranks, the samples
// too. The categorical ids travel to the tables' owners, the looked-up rows travel back, and every rank computes the
// pairwise feature interaction of its own samples.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#define TORCHLIKE_CHECK(cond, ...)                 \
  do {                                             \
    if (!(cond)) {                                 \
      std::fprintf(stderr, __VA_ARGS__);           \
      std::fputc('\n', stderr);                    \
      MPI_Abort(MPI_COMM_WORLD, 1);                \
    }                                              \
  } while (false)
#define C10ISH_CUDA(EXPR)                                                                    \
  do {                                                                                       \
    const cudaError_t st_ = (EXPR);                                                          \
    TORCHLIKE_CHECK(st_ == cudaSuccess, "[%s:%d] %s", __FILE__, __LINE__, cudaGetErrorString(st_)); \
  } while (false)
#define C10ISH_NCCL(EXPR)                                                                    \
  do {                                                                                       \
    const ncclResult_t st_ = (EXPR);                                                         \
    TORCHLIKE_CHECK(st_ == ncclSuccess, "[%s:%d] %s", __FILE__, __LINE__, ncclGetErrorString(st_)); \
  } while (false)

namespace dlrm {

struct Config {
  int world_size;
  int rank;
  int local_batch = 16;        // samples per rank
  int tables_per_rank = 2;
  int rows = 200;              // per table
  int steps = 3;
  static constexpr int kDim = 16;

  int num_tables() const { return tables_per_rank * world_size; }
  int num_features() const { return num_tables() + 1; }  // and the dense one
  int num_pairs() const { return num_features() * (num_features() - 1) / 2; }
};

// Structure of arrays: everything that lives on the device.
struct DeviceState {
  float* tables = nullptr;         // [tables_per_rank][rows][dim]
  float* dense = nullptr;          // [local_batch][dim]
  std::int32_t* ids_out = nullptr; // [owner][local_batch][tables_per_rank]
  std::int32_t* ids_in = nullptr;  // [source][local_batch][tables_per_rank]
  float* rows_out = nullptr;       // [source][local_batch][tables_per_rank][dim]
  float* rows_in = nullptr;        // [owner][local_batch][tables_per_rank][dim]
  float* interactions = nullptr;   // [local_batch][num_pairs]
};

enum Salt : std::uint32_t { kTable = 1, kId = 2, kDense = 3 };

__host__ __device__ __forceinline__ std::uint32_t rng(Salt salt, std::uint32_t a, std::uint32_t b, std::uint32_t c = 0) {
  std::uint32_t h = salt * 0x9e3779b1u;
  const std::uint32_t words[3] = {a, b, c};
  for (std::uint32_t w : words) {
    h ^= w * 0x85ebca77u;
    h = ((h << 13) | (h >> 19)) * 0xc2b2ae3du;
  }
  h ^= h >> 15;
  h *= 0x2c1b3c6du;
  h ^= h >> 12;
  return h;
}

// Integers in [-8, 8]: dot products are exact.
__host__ __device__ __forceinline__ float table_value(int table, int row, int d) {
  return static_cast<float>(static_cast<int>(rng(kTable, table, row, d) % 17u) - 8);
}
__host__ __device__ __forceinline__ float dense_value(int step, int sample, int d) {
  return static_cast<float>(static_cast<int>(rng(kDense, step, sample, d) % 17u) - 8);
}
__host__ __device__ __forceinline__ std::int32_t categorical_id(int step, int sample, int table, int rows) {
  return static_cast<std::int32_t>(rng(kId, step, sample, table) % static_cast<std::uint32_t>(rows));
}

__global__ void init_tables_kernel(float* tables, int first_table, int num, int rows, int dim) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < num * rows * dim) tables[i] = table_value(first_table + i / (rows * dim), i / dim % rows, i % dim);
}

// The data loader of one step: dense features and ids, the latter grouped by the owner of the table.
__global__ void load_kernel(float* dense, std::int32_t* ids, int step, int first_sample, int batch, int tables_per_rank,
                            int world_size, int rows, int dim) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < batch * dim) dense[i] = dense_value(step, first_sample + i / dim, i % dim);
  if (i < world_size * batch * tables_per_rank) {
    const int t = i % tables_per_rank;
    const int b = i / tables_per_rank % batch;
    const int owner = i / (tables_per_rank * batch);
    ids[i] = categorical_id(step, first_sample + b, owner * tables_per_rank + t, rows);
  }
}

template <int Dim>
__global__ void lookup_kernel(const float* __restrict__ tables, const std::int32_t* __restrict__ ids, float* __restrict__ out,
                              int num_ids, int tables_per_rank, int rows) {
  const int lane = threadIdx.x;  // position in the row
  const int i = blockIdx.x * blockDim.y + threadIdx.y;
  if (i >= num_ids) return;
  const int table = i % tables_per_rank;
  out[i * Dim + lane] = tables[(static_cast<std::size_t>(table) * rows + ids[i]) * Dim + lane];
}

// One block per sample: stage all feature vectors in shared memory, then the strict lower triangle of F * F^T.
template <int Dim>
__global__ void interaction_kernel(const float* __restrict__ dense, const float* __restrict__ rows_in, float* __restrict__ out,
                                   int batch, int tables_per_rank, int num_features) {
  extern __shared__ float features[];  // [num_features][Dim]
  const int sample = blockIdx.x;
  for (int i = threadIdx.x; i < num_features * Dim; i += blockDim.x) {
    const int f = i / Dim, d = i % Dim;
    if (f == 0) {
      features[i] = dense[sample * Dim + d];
    } else {
      const int owner = (f - 1) / tables_per_rank, t = (f - 1) % tables_per_rank;
      features[i] = rows_in[((owner * batch + sample) * tables_per_rank + t) * Dim + d];
    }
  }
  __syncthreads();
  const int num_pairs = num_features * (num_features - 1) / 2;
  for (int p = threadIdx.x; p < num_pairs; p += blockDim.x) {
    int i = 1, first = 0;
    while (first + i <= p) first += i++;
    const int j = p - first;
    float dot = 0.f;
#pragma unroll
    for (int d = 0; d < Dim; ++d) dot += features[i * Dim + d] * features[j * Dim + d];
    out[static_cast<std::size_t>(sample) * num_pairs + p] = dot;
  }
}

void forward(const Config& cfg, DeviceState& st, ncclComm_t comm, cudaStream_t stream) {
  const int ids_per_peer = cfg.local_batch * cfg.tables_per_rank;
  const int total_ids = ids_per_peer * cfg.world_size;

  C10ISH_NCCL(ncclAlltoAll(st.ids_out, st.ids_in, ids_per_peer, ncclInt32, comm, stream));

  const dim3 block(Config::kDim, 8);
  lookup_kernel<Config::kDim><<<(total_ids + 7) / 8, block, 0, stream>>>(st.tables, st.ids_in, st.rows_out, total_ids,
                                                                        cfg.tables_per_rank, cfg.rows);
  C10ISH_CUDA(cudaGetLastError());

  C10ISH_NCCL(ncclAlltoAll(st.rows_out, st.rows_in, ids_per_peer * Config::kDim, ncclFloat32, comm, stream));

  const std::size_t smem = sizeof(float) * cfg.num_features() * Config::kDim;
  interaction_kernel<Config::kDim><<<cfg.local_batch, 64, smem, stream>>>(st.dense, st.rows_in, st.interactions,
                                                                         cfg.local_batch, cfg.tables_per_rank,
                                                                         cfg.num_features());
  C10ISH_CUDA(cudaGetLastError());
}

std::size_t count_mismatches(const Config& cfg, const std::vector<float>& got, int step) {
  std::size_t mismatches = 0;
  const float* value = got.data();
  std::vector<std::vector<float>> f(cfg.num_features(), std::vector<float>(Config::kDim));
  for (int b = 0; b < cfg.local_batch; ++b) {
    const int sample = cfg.rank * cfg.local_batch + b;
    for (int d = 0; d < Config::kDim; ++d) {
      f[0][d] = dense_value(step, sample, d);
      for (int t = 0; t < cfg.num_tables(); ++t) f[t + 1][d] = table_value(t, categorical_id(step, sample, t, cfg.rows), d);
    }
    for (int i = 1; i < cfg.num_features(); ++i)
      for (int j = 0; j < i; ++j) mismatches += *value++ != std::inner_product(f[i].begin(), f[i].end(), f[j].begin(), 0.f);
  }
  return mismatches;
}

}  // namespace dlrm

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  dlrm::Config cfg{};
  MPI_Comm_rank(MPI_COMM_WORLD, &cfg.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &cfg.world_size);
  if (argc > 1) cfg.local_batch = std::atoi(argv[1]);
  if (argc > 2) cfg.tables_per_rank = std::atoi(argv[2]);
  if (argc > 3) cfg.rows = std::atoi(argv[3]);

  int device_count = 0;
  C10ISH_CUDA(cudaGetDeviceCount(&device_count));
  C10ISH_CUDA(cudaSetDevice(cfg.rank % device_count));
  ncclUniqueId unique_id;
  if (cfg.rank == 0) C10ISH_NCCL(ncclGetUniqueId(&unique_id));
  MPI_Bcast(&unique_id, sizeof(unique_id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  C10ISH_NCCL(ncclCommInitRank(&comm, cfg.world_size, unique_id, cfg.rank));

  constexpr int D = dlrm::Config::kDim;
  const std::size_t n_ids = static_cast<std::size_t>(cfg.world_size) * cfg.local_batch * cfg.tables_per_rank;
  const std::size_t n_table = static_cast<std::size_t>(cfg.tables_per_rank) * cfg.rows * D;
  const std::size_t n_out = static_cast<std::size_t>(cfg.local_batch) * cfg.num_pairs();
  dlrm::DeviceState st;
  C10ISH_CUDA(cudaMalloc(&st.tables, n_table * sizeof(float)));
  C10ISH_CUDA(cudaMalloc(&st.dense, cfg.local_batch * D * sizeof(float)));
  C10ISH_CUDA(cudaMalloc(&st.ids_out, n_ids * sizeof(std::int32_t)));
  C10ISH_CUDA(cudaMalloc(&st.ids_in, n_ids * sizeof(std::int32_t)));
  C10ISH_CUDA(cudaMalloc(&st.rows_out, n_ids * D * sizeof(float)));
  C10ISH_CUDA(cudaMalloc(&st.rows_in, n_ids * D * sizeof(float)));
  C10ISH_CUDA(cudaMalloc(&st.interactions, n_out * sizeof(float)));

  cudaStream_t stream;
  C10ISH_CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  cudaEvent_t start, stop;
  C10ISH_CUDA(cudaEventCreate(&start));
  C10ISH_CUDA(cudaEventCreate(&stop));

  dlrm::init_tables_kernel<<<static_cast<int>((n_table + 127) / 128), 128, 0, stream>>>(
      st.tables, cfg.rank * cfg.tables_per_rank, cfg.tables_per_rank, cfg.rows, D);

  std::vector<float> host(n_out);
  std::size_t mismatches = 0;
  float total_ms = 0.f;
  for (int step = 0; step < cfg.steps; ++step) {
    const int work = static_cast<int>(n_ids) > cfg.local_batch * D ? static_cast<int>(n_ids) : cfg.local_batch * D;
    dlrm::load_kernel<<<(work + 127) / 128, 128, 0, stream>>>(st.dense, st.ids_out, step, cfg.rank * cfg.local_batch,
                                                             cfg.local_batch, cfg.tables_per_rank, cfg.world_size, cfg.rows, D);
    C10ISH_CUDA(cudaMemsetAsync(st.interactions, 0xff, n_out * sizeof(float), stream));
    C10ISH_CUDA(cudaStreamSynchronize(stream));
    MPI_Barrier(MPI_COMM_WORLD);

    C10ISH_CUDA(cudaEventRecord(start, stream));
    dlrm::forward(cfg, st, comm, stream);
    C10ISH_CUDA(cudaEventRecord(stop, stream));
    C10ISH_CUDA(cudaEventSynchronize(stop));

    float ms = 0.f;
    C10ISH_CUDA(cudaEventElapsedTime(&ms, start, stop));
    total_ms += ms;
    C10ISH_CUDA(cudaMemcpy(host.data(), st.interactions, n_out * sizeof(float), cudaMemcpyDeviceToHost));
    mismatches += dlrm::count_mismatches(cfg, host, step);
  }
  std::printf("Time: %.4f ms\n", static_cast<double>(total_ms) / cfg.steps);
  std::printf("Verification: %s\n", mismatches == 0 ? "PASS" : "FAIL");

  C10ISH_CUDA(cudaEventDestroy(start));
  C10ISH_CUDA(cudaEventDestroy(stop));
  C10ISH_CUDA(cudaStreamDestroy(stream));
  C10ISH_CUDA(cudaFree(st.tables));
  C10ISH_CUDA(cudaFree(st.dense));
  C10ISH_CUDA(cudaFree(st.ids_out));
  C10ISH_CUDA(cudaFree(st.ids_in));
  C10ISH_CUDA(cudaFree(st.rows_out));
  C10ISH_CUDA(cudaFree(st.rows_in));
  C10ISH_CUDA(cudaFree(st.interactions));
  C10ISH_NCCL(ncclCommDestroy(comm));
  MPI_Finalize();
  return mismatches == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
