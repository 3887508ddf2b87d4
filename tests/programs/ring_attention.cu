// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Ring attention: the sequence is split over the ranks; queries stay, K/V blocks travel around the ring while a
// flash-style online softmax accumulates. Bidirectional, with a linear penalty on the distance (ALiBi) per head.

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define HANDLE(status) handle((status), __FILE__, __LINE__)

static void handle(cudaError_t status, const char* file, int line) {
  if (status == cudaSuccess) return;
  fprintf(stderr, "%s(%d): %s\n", file, line, cudaGetErrorName(status));
  MPI_Abort(MPI_COMM_WORLD, line);
}

static void handle(ncclResult_t status, const char* file, int line) {
  if (status == ncclSuccess) return;
  fprintf(stderr, "%s(%d): %s\n", file, line, ncclGetErrorString(status));
  MPI_Abort(MPI_COMM_WORLD, line);
}

enum Tensor : uint32_t { kQuery = 0, kKey = 1, kValue = 2 };

__host__ __device__ inline float element(Tensor which, uint32_t head, uint32_t position, uint32_t d, uint32_t pass) {
  uint32_t x = ((which * 16 + head) * 65536 + position) * 64 + d;
  x = (x ^ (pass << 29)) * 0x9e3779b1u;
  x ^= x >> 16;
  x *= 0x45d9f3bu;
  x ^= x >> 16;
  x *= 0x45d9f3bu;
  x ^= x >> 16;
  return (x >> 8) * (2.0f / 16777216.0f) - 1.0f;
}

constexpr int kHeads = 2;
constexpr int kDim = 16;

// exact in float: multiples of a power of two
__host__ __device__ inline float distance_bias(int head, int i, int j) { return -float(i < j ? j - i : i - j) / float(128 << head); }

// [head][position][dim] of one tensor
__global__ void project(float* out, Tensor which, int local_len, int first, int pass) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= kHeads * local_len * kDim) return;
  const int d = i % kDim, s = i / kDim % local_len, h = i / kDim / local_len;
  out[i] = element(which, h, first + s, d, pass);
}

// One thread per (head, query). The running maximum, denominator and numerator live in global memory between steps.
__global__ void attend_block(const float* q, const float* kv, float* acc, float* row_max, float* row_sum, int len, int q_first, int k_first) {
  const int h = blockIdx.y, i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= len) return;
  const int row = h * len + i;
  const float* keys = kv + size_t(h) * len * kDim;
  const float* values = keys + size_t(kHeads) * len * kDim;

  float m = row_max[row], l = row_sum[row], o[kDim], query[kDim];
  for (int d = 0; d < kDim; ++d) {
    o[d] = acc[row * kDim + d];
    query[d] = q[row * kDim + d];
  }
  for (int j = 0; j < len; ++j) {
    float score = distance_bias(h, q_first + i, k_first + j);
    for (int d = 0; d < kDim; ++d) score += query[d] * keys[j * kDim + d];
    const float m_new = fmaxf(m, score);
    const float correction = expf(m - m_new), p = expf(score - m_new);
    l = l * correction + p;
    for (int d = 0; d < kDim; ++d) o[d] = o[d] * correction + p * values[j * kDim + d];
    m = m_new;
  }
  row_max[row] = m;
  row_sum[row] = l;
  for (int d = 0; d < kDim; ++d) acc[row * kDim + d] = o[d];
}

__global__ void reset_state(float* acc, float* row_max, float* row_sum, int rows) {
  const int r = blockIdx.x * blockDim.x + threadIdx.x;
  if (r >= rows) return;
  row_max[r] = -INFINITY;
  row_sum[r] = 0;
  for (int d = 0; d < kDim; ++d) acc[r * kDim + d] = 0;
}

__global__ void normalize(const float* acc, const float* row_sum, float* out, int rows) {
  const int r = blockIdx.x;
  if (r < rows && threadIdx.x < kDim) out[r * kDim + threadIdx.x] = acc[r * kDim + threadIdx.x] / row_sum[r];
}

class RingAttention {
 public:
  RingAttention(ncclComm_t comm, int local_len) : comm_(comm), len_(local_len) {
    HANDLE(ncclCommUserRank(comm_, &rank_));
    HANDLE(ncclCommCount(comm_, &world_));
    HANDLE(cudaStreamCreateWithFlags(&compute_, cudaStreamNonBlocking));
    HANDLE(cudaStreamCreateWithFlags(&transfer_, cudaStreamNonBlocking));
    for (auto* e : {&block_used_, &block_here_, &start_, &stop_}) HANDLE(cudaEventCreate(e));
    for (auto** p : {&q_, &acc_, &out_}) HANDLE(cudaMalloc((void**)p, tensor() * sizeof(float)));
    for (auto& p : kv_) HANDLE(cudaMalloc((void**)&p, 2 * tensor() * sizeof(float)));
    for (auto** p : {&row_max_, &row_sum_}) HANDLE(cudaMalloc((void**)p, rows() * sizeof(float)));
  }

  ~RingAttention() {
    for (float* p : {q_, acc_, out_, kv_[0], kv_[1], row_max_, row_sum_}) HANDLE(cudaFree(p));
    for (auto e : {block_used_, block_here_, start_, stop_}) HANDLE(cudaEventDestroy(e));
    HANDLE(cudaStreamDestroy(transfer_));
    HANDLE(cudaStreamDestroy(compute_));
  }

  RingAttention(const RingAttention&) = delete;
  RingAttention& operator=(const RingAttention&) = delete;

  void load(int pass) {
    const int blocks = int((tensor() + 127) / 128), first = rank_ * len_;
    HANDLE(cudaMemsetAsync(out_, 0xff, tensor() * sizeof(float), compute_));
    HANDLE(cudaMemsetAsync(kv_[1], 0xff, 2 * tensor() * sizeof(float), compute_));
    project<<<blocks, 128, 0, compute_>>>(q_, kQuery, len_, first, pass);
    project<<<blocks, 128, 0, compute_>>>(kv_[0], kKey, len_, first, pass);
    project<<<blocks, 128, 0, compute_>>>(kv_[0] + tensor(), kValue, len_, first, pass);
    HANDLE(cudaGetLastError());
    HANDLE(cudaStreamSynchronize(compute_));
  }

  float forward() {
    const int next = (rank_ + 1) % world_, prev = (rank_ + world_ - 1) % world_;
    const dim3 grid((len_ + 31) / 32, kHeads);

    HANDLE(cudaEventRecord(start_, compute_));
    reset_state<<<int((rows() + 63) / 64), 64, 0, compute_>>>(acc_, row_max_, row_sum_, int(rows()));
    HANDLE(cudaEventRecord(block_used_, compute_));
    int current = 0, owner = rank_;
    for (int step = 0; step < world_; ++step) {
      const bool more = step + 1 < world_;
      if (more) {
        // kv_[1 - current] may be overwritten as soon as the previous step has read it
        HANDLE(cudaStreamWaitEvent(transfer_, block_used_, 0));
        HANDLE(ncclGroupStart());
        HANDLE(ncclSend(kv_[current], 2 * tensor(), ncclFloat, next, comm_, transfer_));
        HANDLE(ncclRecv(kv_[1 - current], 2 * tensor(), ncclFloat, prev, comm_, transfer_));
        HANDLE(ncclGroupEnd());
      }
      attend_block<<<grid, 32, 0, compute_>>>(q_, kv_[current], acc_, row_max_, row_sum_, len_, rank_ * len_, owner * len_);
      HANDLE(cudaGetLastError());
      HANDLE(cudaEventRecord(block_used_, compute_));
      if (more) {
        HANDLE(cudaEventRecord(block_here_, transfer_));
        HANDLE(cudaStreamWaitEvent(compute_, block_here_, 0));
      }
      current = 1 - current;
      owner = (owner + world_ - 1) % world_;
    }
    normalize<<<int(rows()), kDim, 0, compute_>>>(acc_, row_sum_, out_, int(rows()));
    HANDLE(cudaGetLastError());
    HANDLE(cudaEventRecord(stop_, compute_));
    HANDLE(cudaEventSynchronize(stop_));
    float ms = 0;
    HANDLE(cudaEventElapsedTime(&ms, start_, stop_));
    return ms;
  }

  size_t count_errors(int pass) const {
    std::vector<float> got(tensor());
    HANDLE(cudaMemcpy(got.data(), out_, got.size() * sizeof(float), cudaMemcpyDeviceToHost));
    size_t errors = 0;
    for (int h = 0; h < kHeads; ++h) {
      for (int i = 0; i < len_; ++i) {
        const int position = rank_ * len_ + i;
        std::vector<double> p(len_ * world_);
        double denominator = 0;
        for (int j = 0; j < len_ * world_; ++j) {
          double dot = distance_bias(h, position, j);
          for (int d = 0; d < kDim; ++d) dot += double(element(kQuery, h, position, d, pass)) * element(kKey, h, j, d, pass);
          denominator += p[j] = std::exp(dot);
        }
        for (int d = 0; d < kDim; ++d) {
          double want = 0;
          for (int j = 0; j < len_ * world_; ++j) want += p[j] * element(kValue, h, j, d, pass);
          want /= denominator;
          if (!(std::fabs(got[(size_t(h) * len_ + i) * kDim + d] - want) <= 2e-5)) ++errors;
        }
      }
    }
    return errors;
  }

 private:
  size_t rows() const { return size_t(kHeads) * len_; }
  size_t tensor() const { return rows() * kDim; }

  ncclComm_t comm_;
  int len_, rank_ = 0, world_ = 1;
  cudaStream_t compute_, transfer_;
  cudaEvent_t block_used_, block_here_, start_, stop_;
  float *q_, *acc_, *out_, *row_max_, *row_sum_;
  std::array<float*, 2> kv_;
};

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, world, devices;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world);
  HANDLE(cudaGetDeviceCount(&devices));
  HANDLE(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) HANDLE(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  HANDLE(ncclCommInitRank(&comm, world, id, rank));

  const int local_len = argc > 1 ? atoi(argv[1]) : 24;
  const int passes = 2;
  double ms = 0;
  size_t errors = 0;
  {
    RingAttention attention(comm, local_len);
    for (int pass = 0; pass < passes; ++pass) {
      attention.load(pass);
      MPI_Barrier(MPI_COMM_WORLD);
      ms += attention.forward();
      errors += attention.count_errors(pass);
    }
  }
  printf("Time: %.4f ms\n", ms / passes);
  printf("Verification: %s\n", errors ? "FAIL" : "PASS");

  HANDLE(ncclCommDestroy(comm));
  MPI_Finalize();
  return errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
