// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixed-type exchange out of one device arena. A bump allocator hands out byte offsets, aligned to the element and no
// more, so that nearly every buffer starts at an awkward address. Whatever lies between the buffers must stay intact.

#include <cassert>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned char byte;

#define HANDLE(x) Handle((int)(x), #x, __LINE__)
static void Handle(int rc, const char* what, int line) {
  if (rc == 0) return;
  fprintf(stderr, "arena_offsets.cu(%d): %s returned %d\n", line, what, rc);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

// ---------------------------------------------------------------------------
// Arena
// ---------------------------------------------------------------------------
static const byte kFill = 0xCD;

class Arena {
 public:
  explicit Arena(size_t capacity) : base_(NULL), top_(0), capacity_(capacity) {
    HANDLE(cudaMalloc((void**)&base_, capacity_));
  }
  ~Arena() { cudaFree(base_); }

  // Byte offset of a fresh block.
  size_t Push(size_t bytes, size_t align) {
    top_ = (top_ + align - 1) / align * align;
    const size_t offset = top_;
    top_ += bytes;
    assert(top_ <= capacity_);
    return offset;
  }
  void Gap(size_t bytes) { top_ += bytes; }

  template <class T>
  T* At(size_t offset) const {
    return reinterpret_cast<T*>(base_ + offset);
  }
  byte* Base() const { return base_; }
  size_t Used() const { return top_; }

 private:
  Arena(const Arena&);
  void operator=(const Arena&);
  byte* base_;
  size_t top_, capacity_;
};

// ---------------------------------------------------------------------------
// Data
// ---------------------------------------------------------------------------
__host__ __device__ inline u64 Hash(u64 channel, u64 rank, u64 round, u64 index) {
  u64 k = (channel << 56) ^ (rank << 44) ^ (round << 36) ^ index;
  k ^= k >> 33;
  k *= 0xff51afd7ed558ccdULL;
  k ^= k >> 33;
  k *= 0xc4ceb9fe1a85ec53ULL;
  return k ^ (k >> 33);
}
enum Channel { kFlags = 1, kScores, kWeights, kTokens };

__host__ __device__ inline byte FlagAt(int rank, int round, size_t i) { return (byte)Hash(kFlags, rank, round, i); }
__host__ __device__ inline float ScoreAt(int rank, int round, size_t i) {
  return (float)(int)(Hash(kScores, rank, round, i) % 4001) - 2000.0f;
}
__host__ __device__ inline double WeightAt(int rank, int round, size_t i) {
  return (double)(Hash(kWeights, rank, round, i) & 0xffffffffffULL);
}
__host__ __device__ inline u32 TokenAt(int rank, int round, size_t i) { return (u32)Hash(kTokens, rank, round, i); }

__global__ void FillFlags(byte* p, size_t n, int rank, int round) {
  size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) p[i] = FlagAt(rank, round, i);
}
__global__ void FillScores(float* p, size_t n, int rank, int round) {
  size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) p[i] = ScoreAt(rank, round, i);
}
__global__ void FillWeights(double* p, size_t n, int rank, int round) {
  size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) p[i] = WeightAt(rank, round, i);
}
__global__ void FillTokens(u32* p, size_t n, int rank, int round) {
  size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) p[i] = TokenAt(rank, round, i);
}

static dim3 Blocks(size_t n) { return dim3((unsigned)((n + 255) / 256)); }

// Reads element `i` of an image of the arena; the copy keeps the host side free of alignment questions.
template <class T>
static T Peek(const std::vector<byte>& image, size_t offset, size_t i) {
  T value;
  memcpy(&value, &image[offset + i * sizeof(T)], sizeof(T));
  return value;
}

int main(int argc, char** argv) {
  HANDLE(MPI_Init(&argc, &argv));
  int rank, ranks, devices;
  HANDLE(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  HANDLE(MPI_Comm_size(MPI_COMM_WORLD, &ranks));
  HANDLE(cudaGetDeviceCount(&devices));
  HANDLE(cudaSetDevice(rank % devices));

  ncclUniqueId id;
  if (rank == 0) HANDLE(ncclGetUniqueId(&id));
  HANDLE(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD));
  ncclComm_t comm;
  HANDLE(ncclCommInitRank(&comm, ranks, id, rank));
  cudaStream_t stream;
  HANDLE(cudaStreamCreate(&stream));

  const size_t scale = argc > 1 ? (size_t)atoi(argv[1]) : 1;
  const size_t flags = 1237 * scale, scores = 1999 * scale, weights = 333 * scale, tokens = 777 * scale;
  int rounds = 3;
  bool good = true;
  double total = 0;
  {
    Arena arena((flags * (ranks + 1)) + 8 * scores + 8 * weights * (ranks + 1) + 4 * tokens + 4096);
    arena.Gap(3);
    const size_t o_flags = arena.Push(flags, 1);
    arena.Gap(2);
    const size_t o_scores = arena.Push(scores * sizeof(float), sizeof(float));
    arena.Gap(1);
    const size_t o_all_flags = arena.Push(flags * ranks, 1);
    const size_t o_sums = arena.Push(scores * sizeof(float), sizeof(float));
    arena.Gap(9);
    const size_t o_weights = arena.Push(weights * ranks * sizeof(double), sizeof(double));
    const size_t o_tokens = arena.Push(tokens * sizeof(u32), sizeof(u32));
    arena.Gap(5);
    const size_t o_weight_sums = arena.Push(weights * sizeof(double), sizeof(double));
    arena.Gap(131);

    // Which bytes belong to somebody.
    std::vector<byte> owned(arena.Used(), 0);
    const size_t blocks[][2] = {{o_flags, flags},
                                {o_scores, scores * sizeof(float)},
                                {o_all_flags, flags * ranks},
                                {o_sums, scores * sizeof(float)},
                                {o_weights, weights * ranks * sizeof(double)},
                                {o_tokens, tokens * sizeof(u32)},
                                {o_weight_sums, weights * sizeof(double)}};
    for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); ++b)
      memset(&owned[blocks[b][0]], 1, blocks[b][1]);

    for (int round = 0; round < rounds; ++round) {
      const int root = (round + 1) % ranks;
      HANDLE(cudaMemsetAsync(arena.Base(), kFill, arena.Used(), stream));
      FillFlags<<<Blocks(flags), 256, 0, stream>>>(arena.At<byte>(o_flags), flags, rank, round);
      FillScores<<<Blocks(scores), 256, 0, stream>>>(arena.At<float>(o_scores), scores, rank, round);
      FillWeights<<<Blocks(weights * ranks), 256, 0, stream>>>(arena.At<double>(o_weights), weights * ranks, rank,
                                                               round);
      if (rank == root)
        FillTokens<<<Blocks(tokens), 256, 0, stream>>>(arena.At<u32>(o_tokens), tokens, rank, round);
      HANDLE(cudaGetLastError());
      HANDLE(cudaStreamSynchronize(stream));
      HANDLE(MPI_Barrier(MPI_COMM_WORLD));

      const double t0 = MPI_Wtime();
      HANDLE(ncclAllGather(arena.Base() + o_flags, arena.Base() + o_all_flags, flags, ncclUint8, comm, stream));
      HANDLE(ncclAllReduce(arena.At<float>(o_scores), arena.At<float>(o_sums), scores, ncclFloat, ncclSum, comm,
                           stream));
      HANDLE(ncclReduceScatter(arena.At<double>(o_weights), arena.At<double>(o_weight_sums), weights, ncclDouble,
                               ncclSum, comm, stream));
      HANDLE(ncclBroadcast(arena.Base() + o_tokens, arena.Base() + o_tokens, tokens * sizeof(u32), ncclChar, root,
                           comm, stream));
      HANDLE(cudaStreamSynchronize(stream));
      total += MPI_Wtime() - t0;

      std::vector<byte> image(arena.Used());
      HANDLE(cudaMemcpy(&image[0], arena.Base(), image.size(), cudaMemcpyDeviceToHost));
      for (size_t i = 0; i < image.size(); ++i)
        if (!owned[i] && image[i] != kFill) good = false;
      for (int r = 0; r < ranks; ++r)
        for (size_t i = 0; i < flags; ++i)
          if (Peek<byte>(image, o_all_flags, r * flags + i) != FlagAt(r, round, i)) good = false;
      for (size_t i = 0; i < scores; ++i) {
        float want = 0;
        for (int r = 0; r < ranks; ++r) want += ScoreAt(r, round, i);
        if (Peek<float>(image, o_sums, i) != want) good = false;
      }
      for (size_t i = 0; i < weights; ++i) {
        double want = 0;
        for (int r = 0; r < ranks; ++r) want += WeightAt(r, round, rank * weights + i);
        if (Peek<double>(image, o_weight_sums, i) != want) good = false;
      }
      for (size_t i = 0; i < tokens; ++i)
        if (Peek<u32>(image, o_tokens, i) != TokenAt(root, round, i)) good = false;
    }
  }
  printf("Time: %.4f ms\n", total * 1e3 / rounds);
  printf("Verification: %s\n", good ? "PASS" : "FAIL");

  HANDLE(cudaStreamDestroy(stream));
  HANDLE(ncclCommDestroy(comm));
  HANDLE(MPI_Finalize());
  return good ? 0 : 1;
}
