// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixture-of-experts layer with expert parallelism. Every rank owns `experts_per_rank` experts and a batch of tokens; a
// gate picks two experts per token. Token rows are dispatched to the ranks of their experts (variable counts, known
// only after gating), transformed there, sent back, and combined with the gate weights.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

namespace moe {

#define MOE_CUDA(x)                                                                              \
  if (cudaError_t rc = (x); rc != cudaSuccess) {                                                 \
    fprintf(stderr, "%s -> %s (%s:%d)\n", #x, cudaGetErrorString(rc), __FILE__, __LINE__);       \
    MPI_Abort(MPI_COMM_WORLD, 1);                                                                \
  }
#define MOE_NCCL(x)                                                                              \
  if (ncclResult_t rc = (x); rc != ncclSuccess) {                                                \
    fprintf(stderr, "%s -> %s (%s:%d)\n", #x, ncclGetErrorString(rc), __FILE__, __LINE__);       \
    MPI_Abort(MPI_COMM_WORLD, 1);                                                                \
  }

constexpr int kTopK = 2;

struct Config {
  int tokens = 72;  // per rank
  int hidden = 64;
  int experts_per_rank = 3;
  int iterations = 3;
};

__host__ __device__ inline uint32_t mix(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  uint32_t h = 0x811c9dc5u;
  for (uint32_t v : {a, b, c, d}) {
    h = (h ^ v) * 0x01000193u;
    h ^= h >> 13;
    h *= 0x5bd1e995u;
    h ^= h >> 15;
  }
  return h;
}

// Integer-valued activations below 2^8 and expert coefficients below 2^5: every sum is exact in float.
__host__ __device__ inline float activation(int it, int rank, int token, int column) { return float(mix(it, rank, token, column) & 0xff); }
__host__ __device__ inline float expert_scale(int expert, int column) { return float(mix(0xE0, expert, column, 1) % 31) - 15.0f; }
__host__ __device__ inline float expert_shift(int expert, int column) { return float(mix(0xE1, expert, column, 2) & 0x3ff); }
__host__ __device__ inline uint32_t gate_score(int it, int rank, int token, int expert) { return mix(it + 0x6a7e, rank, token, expert) >> (expert % 4 == 0 ? 0 : 1); }  // skewed: some experts are popular

struct Choice {
  int expert[kTopK];
  float weight[kTopK];
};

__host__ __device__ inline Choice choose(int it, int rank, int token, int num_experts) {
  Choice c{{-1, -1}, {0.0f, 0.0f}};
  uint32_t best[kTopK] = {0, 0};
  for (int e = 0; e < num_experts; ++e) {
    const uint32_t s = gate_score(it, rank, token, e) | 1u;
    if (s > best[0]) {
      best[1] = best[0], c.expert[1] = c.expert[0];
      best[0] = s, c.expert[0] = e;
    } else if (s > best[1]) {
      best[1] = s, c.expert[1] = e;
    }
  }
  c.weight[0] = 0.25f * float(2 + (best[0] & 2) / 2);  // 0.5 or 0.75
  c.weight[1] = 1.0f - c.weight[0];
  return c;
}

__global__ void embed(float* x, int tokens, int hidden, int rank, int it) {
  for (int t = blockIdx.x; t < tokens; t += gridDim.x)
    for (int c = threadIdx.x; c < hidden; c += blockDim.x) x[t * hidden + c] = activation(it, rank, t, c);
}

__global__ void gate(Choice* choices, int tokens, int num_experts, int rank, int it) {
  const int t = blockIdx.x * blockDim.x + threadIdx.x;
  if (t < tokens) choices[t] = choose(it, rank, t, num_experts);
}

// dispatch row i takes token token_of[i]
__global__ void permute(const float* x, const int* token_of, float* rows, int hidden) {
  const float* from = x + size_t(token_of[blockIdx.x]) * hidden;
  float* to = rows + size_t(blockIdx.x) * hidden;
  for (int c = threadIdx.x; c < hidden; c += blockDim.x) to[c] = from[c];
}

__global__ void expert_ffn(float* rows, const int* expert_of, int num_rows, int hidden) {
  for (int r = blockIdx.x; r < num_rows; r += gridDim.x) {
    const int e = expert_of[r];
    for (int c = threadIdx.x; c < hidden; c += blockDim.x)
      rows[size_t(r) * hidden + c] = rows[size_t(r) * hidden + c] * expert_scale(e, c) + expert_shift(e, c);
  }
}

__global__ void combine(const float* rows, const int* row_of, const Choice* choices, float* y, int hidden) {
  const int t = blockIdx.x;
  for (int c = threadIdx.x; c < hidden; c += blockDim.x) {
    float sum = 0.0f;
    for (int k = 0; k < kTopK; ++k) sum += choices[t].weight[k] * rows[size_t(row_of[t * kTopK + k]) * hidden + c];
    y[size_t(t) * hidden + c] = sum;
  }
}

// Rows for/from every rank. Ranks without any row are skipped on both sides.
void exchange_rows(const float* send, const std::vector<int>& send_rows, float* recv, const std::vector<int>& recv_rows, int hidden,
                   ncclComm_t comm, cudaStream_t stream) {
  size_t send_at = 0, recv_at = 0;
  MOE_NCCL(ncclGroupStart());
  for (size_t peer = 0; peer < send_rows.size(); ++peer) {
    const size_t out = size_t(send_rows[peer]) * hidden, in = size_t(recv_rows[peer]) * hidden;
    if (out > 0) MOE_NCCL(ncclSend(send + send_at, out, ncclFloat, int(peer), comm, stream));
    if (in > 0) MOE_NCCL(ncclRecv(recv + recv_at, in, ncclFloat, int(peer), comm, stream));
    send_at += out;
    recv_at += in;
  }
  MOE_NCCL(ncclGroupEnd());
}

long check_layer(const std::vector<float>& y, const Config& cfg, int rank, int size, int it) {
  long errors = 0;
  for (int t = 0; t < cfg.tokens; ++t) {
    const Choice c = choose(it, rank, t, cfg.experts_per_rank * size);
    for (int h = 0; h < cfg.hidden; ++h) {
      const float x = activation(it, rank, t, h);
      float want = 0;
      for (int k = 0; k < kTopK; ++k) want += c.weight[k] * (x * expert_scale(c.expert[k], h) + expert_shift(c.expert[k], h));
      errors += !(y[size_t(t) * cfg.hidden + h] == want);
    }
  }
  return errors;
}

}  // namespace moe

int main(int argc, char** argv) {
  using namespace moe;
  MPI_Init(&argc, &argv);
  int rank, size, devices;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  Config cfg;
  if (argc > 1) cfg.tokens = atoi(argv[1]);
  if (argc > 2) cfg.hidden = atoi(argv[2]);

  MOE_CUDA(cudaGetDeviceCount(&devices));
  MOE_CUDA(cudaSetDevice(rank % devices));
  ncclUniqueId id;
  if (rank == 0) MOE_NCCL(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t comm;
  MOE_NCCL(ncclCommInitRank(&comm, size, id, rank));
  cudaStream_t stream;
  MOE_CUDA(cudaStreamCreate(&stream));

  const int num_experts = cfg.experts_per_rank * size;
  const int assignments = cfg.tokens * kTopK;
  const size_t capacity = size_t(assignments) * size;  // worst case: everybody picks my experts
  float *x, *y, *dispatch, *inbox, *returned;
  int *d_token_of, *d_row_of, *d_expert_of;
  Choice* d_choices;
  MOE_CUDA(cudaMalloc((void**)&x, size_t(cfg.tokens) * cfg.hidden * sizeof(float)));
  MOE_CUDA(cudaMalloc((void**)&y, size_t(cfg.tokens) * cfg.hidden * sizeof(float)));
  MOE_CUDA(cudaMalloc((void**)&dispatch, size_t(assignments) * cfg.hidden * sizeof(float)));
  MOE_CUDA(cudaMalloc((void**)&returned, size_t(assignments) * cfg.hidden * sizeof(float)));
  MOE_CUDA(cudaMalloc((void**)&inbox, capacity * cfg.hidden * sizeof(float)));
  MOE_CUDA(cudaMalloc((void**)&d_token_of, assignments * sizeof(int)));
  MOE_CUDA(cudaMalloc((void**)&d_row_of, assignments * sizeof(int)));
  MOE_CUDA(cudaMalloc((void**)&d_expert_of, capacity * sizeof(int)));
  MOE_CUDA(cudaMalloc((void**)&d_choices, cfg.tokens * sizeof(Choice)));

  std::vector<Choice> choices(cfg.tokens);
  std::vector<float> out(size_t(cfg.tokens) * cfg.hidden);
  double seconds = 0;
  long errors = 0;
  for (int it = 0; it < cfg.iterations; ++it) {
    embed<<<32, 64, 0, stream>>>(x, cfg.tokens, cfg.hidden, rank, it);
    MOE_CUDA(cudaMemsetAsync(y, 0xff, out.size() * sizeof(float), stream));
    MOE_CUDA(cudaMemsetAsync(inbox, 0xff, capacity * cfg.hidden * sizeof(float), stream));
    MOE_CUDA(cudaMemsetAsync(returned, 0xff, size_t(assignments) * cfg.hidden * sizeof(float), stream));
    MOE_CUDA(cudaStreamSynchronize(stream));
    MPI_Barrier(MPI_COMM_WORLD);
    const double begin = MPI_Wtime();

    gate<<<(cfg.tokens + 63) / 64, 64, 0, stream>>>(d_choices, cfg.tokens, num_experts, rank, it);
    MOE_CUDA(cudaMemcpyAsync(choices.data(), d_choices, cfg.tokens * sizeof(Choice), cudaMemcpyDeviceToHost, stream));
    MOE_CUDA(cudaStreamSynchronize(stream));

    // Stable counting sort of the (token, k) pairs by expert, hence by rank.
    std::vector<int> per_expert(num_experts, 0);
    for (const Choice& c : choices)
      for (int e : c.expert) ++per_expert[e];
    std::vector<int> slot(num_experts, 0);
    std::partial_sum(per_expert.begin(), per_expert.end() - 1, slot.begin() + 1);
    std::vector<int> token_of(assignments), row_of(assignments);
    for (int t = 0; t < cfg.tokens; ++t)
      for (int k = 0; k < kTopK; ++k) {
        const int row = slot[choices[t].expert[k]]++;
        token_of[row] = t;
        row_of[t * kTopK + k] = row;
      }

    // How many rows of each of my experts does every rank have for me?
    std::vector<int> incoming(num_experts);
    MPI_Alltoall(per_expert.data(), cfg.experts_per_rank, MPI_INT, incoming.data(), cfg.experts_per_rank, MPI_INT, MPI_COMM_WORLD);
    std::vector<int> send_rows(size, 0), recv_rows(size, 0), expert_of;
    for (int p = 0; p < size; ++p)
      for (int e = 0; e < cfg.experts_per_rank; ++e) {
        send_rows[p] += per_expert[p * cfg.experts_per_rank + e];
        recv_rows[p] += incoming[p * cfg.experts_per_rank + e];
        expert_of.insert(expert_of.end(), incoming[p * cfg.experts_per_rank + e], rank * cfg.experts_per_rank + e);
      }
    const int inbox_rows = int(expert_of.size());
    MOE_CUDA(cudaMemcpyAsync(d_token_of, token_of.data(), assignments * sizeof(int), cudaMemcpyHostToDevice, stream));
    MOE_CUDA(cudaMemcpyAsync(d_row_of, row_of.data(), assignments * sizeof(int), cudaMemcpyHostToDevice, stream));
    if (inbox_rows > 0) MOE_CUDA(cudaMemcpyAsync(d_expert_of, expert_of.data(), inbox_rows * sizeof(int), cudaMemcpyHostToDevice, stream));

    permute<<<assignments, 64, 0, stream>>>(x, d_token_of, dispatch, cfg.hidden);
    exchange_rows(dispatch, send_rows, inbox, recv_rows, cfg.hidden, comm, stream);
    if (inbox_rows > 0) expert_ffn<<<48, 64, 0, stream>>>(inbox, d_expert_of, inbox_rows, cfg.hidden);
    exchange_rows(inbox, recv_rows, returned, send_rows, cfg.hidden, comm, stream);
    combine<<<cfg.tokens, 64, 0, stream>>>(returned, d_row_of, d_choices, y, cfg.hidden);
    MOE_CUDA(cudaGetLastError());
    MOE_CUDA(cudaStreamSynchronize(stream));
    seconds += MPI_Wtime() - begin;

    MOE_CUDA(cudaMemcpy(out.data(), y, out.size() * sizeof(float), cudaMemcpyDeviceToHost));
    errors += check_layer(out, cfg, rank, size, it);
  }

  if (errors) fprintf(stderr, "rank %d: %ld wrong activations\n", rank, errors);
  printf("Time: %.3f ms\n", 1e3 * seconds / cfg.iterations);
  printf("Verification: %s\n", errors ? "FAIL" : "PASS");

  for (float* p : {x, y, dispatch, inbox, returned}) MOE_CUDA(cudaFree(p));
  for (int* p : {d_token_of, d_row_of, d_expert_of}) MOE_CUDA(cudaFree(p));
  MOE_CUDA(cudaFree(d_choices));
  MOE_CUDA(cudaStreamDestroy(stream));
  MOE_NCCL(ncclCommDestroy(comm));
  MPI_Finalize();
  return errors ? 1 : 0;
}
