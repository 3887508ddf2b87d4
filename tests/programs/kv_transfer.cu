// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Disaggregated LLM serving: the first half of the ranks run prefill and push the paged K/V cache of finished prompts,
// layer by layer, into the page pools of the decode ranks. With an odd number of ranks one prefill rank serves two.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <mpi.h>
#include <nccl.h>

namespace serving {

void throw_if(bool failed, const std::string& message) {
  if (failed) throw std::runtime_error(message);
}
#define CU_CALL(...) \
  do { const cudaError_t st = (__VA_ARGS__); ::serving::throw_if(st != cudaSuccess, std::string(#__VA_ARGS__ ": ") + cudaGetErrorString(st)); } while (false)
#define NC_CALL(...) \
  do { const ncclResult_t st = (__VA_ARGS__); ::serving::throw_if(st != ncclSuccess, std::string(#__VA_ARGS__ ": ") + ncclGetErrorString(st)); } while (false)

constexpr int kLayers = 3;
constexpr int kBlockTokens = 16;
constexpr int kHeadDim = 32;
constexpr int kBlockElems = kBlockTokens * kHeadDim;
constexpr int kRequests = 2;         // per decode rank
constexpr int kMaxBlocks = 5;        // per request
constexpr uint16_t kUntouched = 0xfbfb;

__host__ __device__ inline uint32_t noise(uint32_t seed, uint32_t n) {
  uint64_t z = (uint64_t(seed) << 32 | n) + 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 33)) * 0xff51afd7ed558ccdull;
  z = (z ^ (z >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return uint32_t(z >> 32);
}

// The key (kv = 0) or value (kv = 1) that layer `layer` computes for element `e` of logical block `block` of a request.
// Small whole numbers, which half precision can hold.
__host__ __device__ inline int kv_value(int request, int layer, int kv, int block, int e) {
  return int(noise(request * 64 + layer * 2 + kv, block * kBlockElems + e) % 1401) - 700;
}

// What the router hands to both sides: who serves whom, and where the pages of every request lie on either side.
struct Placement {
  int request;                 // globally unique
  std::vector<int> source;     // pages in the pool of the prefill rank
  std::vector<int> target;     // pages in the pool of the decode rank
};

class Router {
 public:
  explicit Router(int world) : prefill_(world / 2), decode_(world - world / 2) {
    throw_if(world < 2, "prefill and decode need a rank each");
    for (int d = 0; d < decode_; ++d) {
      const auto pages = shuffled(1000 + d, pool_pages());
      int at = 0;
      for (int q = 0; q < kRequests; ++q) {
        Placement p{d * kRequests + q, {}, {}};
        const int blocks = 2 + int(noise(77, p.request) % (kMaxBlocks - 1));
        for (int b = 0; b < blocks; ++b) p.target.push_back(pages[at++]);
        placements_.push_back(p);
      }
    }
    for (int s = 0; s < prefill_; ++s) {
      const auto pages = shuffled(2000 + s, pool_pages());
      int at = 0;
      for (int d : clients(s))
        for (int q = 0; q < kRequests; ++q) {
          Placement& p = placements_[d * kRequests + q];
          for (size_t b = 0; b < p.target.size(); ++b) p.source.push_back(pages[at++]);
        }
    }
  }

  bool is_prefill(int rank) const { return rank < prefill_; }
  int rank_of_decoder(int d) const { return prefill_ + d; }
  int decoder_of_rank(int rank) const { return rank - prefill_; }
  int server(int d) const { return d % prefill_; }
  std::vector<int> clients(int prefill_rank) const {
    std::vector<int> out;
    for (int d = prefill_rank; d < decode_; d += prefill_) out.push_back(d);
    return out;
  }
  const Placement& placement(int d, int q) const { return placements_[d * kRequests + q]; }
  // room for the requests of two decode ranks and a few spare pages
  static int pool_pages() { return 2 * kRequests * kMaxBlocks + 3; }

 private:
  static std::vector<int> shuffled(uint32_t seed, int n) {
    std::vector<int> v(n);
    std::iota(v.begin(), v.end(), 0);
    for (int i = n - 1; i > 0; --i) std::swap(v[i], v[noise(seed, i) % (i + 1)]);
    return v;
  }
  int prefill_, decode_;
  std::vector<Placement> placements_;
};

// K and V pages of all layers: pool[layer][k or v][page][token][dim]
struct PagePool {
  __half* data = nullptr;
  static size_t elements() { return size_t(kLayers) * 2 * Router::pool_pages() * kBlockElems; }
  static size_t offset(int layer, int kv, int page) { return (size_t(layer * 2 + kv) * Router::pool_pages() + page) * kBlockElems; }
  __half* page(int layer, int kv, int page) const { return data + offset(layer, kv, page); }
};

// grid: (blocks of the request, 2); stands for the projections of a transformer layer
__global__ void prefill_layer(__half* k, __half* v, const int* pages, int request, int layer) {
  __half* out = (blockIdx.y == 0 ? k : v) + size_t(pages[blockIdx.x]) * kBlockElems;
  for (int e = threadIdx.x; e < kBlockElems; e += blockDim.x)
    out[e] = __float2half(float(kv_value(request, layer, blockIdx.y, blockIdx.x, e)));
}

// First decode step of a layer, very much simplified: score[token] = <K(token), V(token)>
__global__ void decode_layer(const __half* k, const __half* v, const int* pages, float* score) {
  const __half* krow = k + size_t(pages[blockIdx.x]) * kBlockElems + threadIdx.x * kHeadDim;
  const __half* vrow = v + size_t(pages[blockIdx.x]) * kBlockElems + threadIdx.x * kHeadDim;
  float dot = 0.0f;
  for (int d = 0; d < kHeadDim; ++d) dot += __half2float(krow[d]) / 16 * __half2float(vrow[d]) / 16;
  score[blockIdx.x * kBlockTokens + threadIdx.x] = dot;
}

class Worker {
 public:
  Worker(const Router& router, int rank, ncclComm_t comm) : router_(router), rank_(rank), comm_(comm) {
    CU_CALL(cudaStreamCreate(&stream_));
    CU_CALL(cudaMalloc((void**)&pool_.data, PagePool::elements() * sizeof(__half)));
    CU_CALL(cudaMemset(pool_.data, kUntouched & 0xff, PagePool::elements() * sizeof(__half)));
    CU_CALL(cudaMalloc((void**)&scores_, score_count() * sizeof(float)));
    CU_CALL(cudaMemset(scores_, 0xff, score_count() * sizeof(float)));
    for (const Placement* p : my_requests()) {
      const auto& table = router.is_prefill(rank) ? p->source : p->target;
      int* device_table;
      CU_CALL(cudaMalloc((void**)&device_table, table.size() * sizeof(int)));
      CU_CALL(cudaMemcpy(device_table, table.data(), table.size() * sizeof(int), cudaMemcpyHostToDevice));
      tables_.push_back(device_table);
    }
    CU_CALL(cudaDeviceSynchronize());
  }
  ~Worker() {
    for (int* t : tables_) cudaFree(t);
    cudaFree(scores_);
    cudaFree(pool_.data);
    cudaStreamDestroy(stream_);
  }

  void serve() {
    for (int layer = 0; layer < kLayers; ++layer) router_.is_prefill(rank_) ? prefill(layer) : decode(layer);
    CU_CALL(cudaStreamSynchronize(stream_));
  }

  size_t verify() const {
    std::vector<float> want(PagePool::elements());
    std::vector<char> used(want.size(), 0);
    size_t bad = 0;
    const auto requests = my_requests();
    std::vector<float> scores(score_count());
    CU_CALL(cudaMemcpy(scores.data(), scores_, scores.size() * sizeof(float), cudaMemcpyDeviceToHost));
    for (size_t q = 0; q < requests.size(); ++q) {
      const Placement& p = *requests[q];
      const auto& table = router_.is_prefill(rank_) ? p.source : p.target;
      for (int layer = 0; layer < kLayers; ++layer)
        for (size_t b = 0; b < table.size(); ++b) {
          for (int kv = 0; kv < 2; ++kv)
            for (int e = 0; e < kBlockElems; ++e) {
              want[PagePool::offset(layer, kv, table[b]) + e] = float(kv_value(p.request, layer, kv, int(b), e));
              used[PagePool::offset(layer, kv, table[b]) + e] = 1;
            }
          for (int t = 0; t < kBlockTokens && !router_.is_prefill(rank_); ++t) {
            float dot = 0;  // multiples of 1/256 below 2^16: exact
            for (int d = 0; d < kHeadDim; ++d)
              dot += kv_value(p.request, layer, 0, int(b), t * kHeadDim + d) * kv_value(p.request, layer, 1, int(b), t * kHeadDim + d) / 256.0f;
            bad += !(scores[score_offset(layer, int(q)) + b * kBlockTokens + t] == dot);
          }
        }
    }
    std::vector<uint16_t> bits(want.size());
    CU_CALL(cudaMemcpy(bits.data(), pool_.data, bits.size() * sizeof(uint16_t), cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < bits.size(); ++i) {
      __half_raw raw;
      raw.x = bits[i];
      bad += used[i] ? !(__half2float(__half(raw)) == want[i]) : bits[i] != kUntouched;
    }
    return bad;
  }

 private:
  static size_t score_offset(int layer, int q) { return size_t(layer * kRequests + q) * kMaxBlocks * kBlockTokens; }
  static size_t score_count() { return score_offset(kLayers, 0); }

  std::vector<const Placement*> my_requests() const {
    std::vector<const Placement*> out;
    std::vector<int> decoders = {router_.decoder_of_rank(rank_)};
    if (router_.is_prefill(rank_)) decoders = router_.clients(rank_);
    for (int d : decoders)
      for (int q = 0; q < kRequests; ++q) out.push_back(&router_.placement(d, q));
    return out;
  }

  void prefill(int layer) {
    const auto requests = my_requests();
    for (size_t q = 0; q < requests.size(); ++q)
      prefill_layer<<<dim3(unsigned(requests[q]->source.size()), 2), 64, 0, stream_>>>(pool_.page(layer, 0, 0), pool_.page(layer, 1, 0), tables_[q], requests[q]->request, layer);
    CU_CALL(cudaGetLastError());

    NC_CALL(ncclGroupStart());
    for (int d : router_.clients(rank_)) {
      const int peer = router_.rank_of_decoder(d);
      for (int q = 0; q < kRequests; ++q)
        for (int page : router_.placement(d, q).source) {
          NC_CALL(ncclSend(pool_.page(layer, 0, page), kBlockElems, ncclHalf, peer, comm_, stream_));
          NC_CALL(ncclSend(pool_.page(layer, 1, page), kBlockElems, ncclHalf, peer, comm_, stream_));
        }
    }
    NC_CALL(ncclGroupEnd());
  }

  void decode(int layer) {
    const int me = router_.decoder_of_rank(rank_);
    const int peer = router_.server(me);
    NC_CALL(ncclGroupStart());
    for (int q = 0; q < kRequests; ++q)
      for (int page : router_.placement(me, q).target) {
        NC_CALL(ncclRecv(pool_.page(layer, 0, page), kBlockElems, ncclHalf, peer, comm_, stream_));
        NC_CALL(ncclRecv(pool_.page(layer, 1, page), kBlockElems, ncclHalf, peer, comm_, stream_));
      }
    NC_CALL(ncclGroupEnd());

    for (int q = 0; q < kRequests; ++q)
      decode_layer<<<unsigned(router_.placement(me, q).target.size()), kBlockTokens, 0, stream_>>>(pool_.page(layer, 0, 0), pool_.page(layer, 1, 0), tables_[q], scores_ + score_offset(layer, q));
    CU_CALL(cudaGetLastError());
  }

  const Router& router_;
  int rank_;
  ncclComm_t comm_;
  cudaStream_t stream_ = nullptr;
  PagePool pool_;
  float* scores_ = nullptr;
  std::vector<int*> tables_;
};

}  // namespace serving

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, world = 0, exit_code = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world);
  try {
    int gpus = 0;
    CU_CALL(cudaGetDeviceCount(&gpus));
    CU_CALL(cudaSetDevice(rank % gpus));
    ncclUniqueId id;
    if (rank == 0) NC_CALL(ncclGetUniqueId(&id));
    MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
    ncclComm_t comm;
    NC_CALL(ncclCommInitRank(&comm, world, id, rank));

    const serving::Router router(world);
    {
      serving::Worker worker(router, rank, comm);
      MPI_Barrier(MPI_COMM_WORLD);
      const double before = MPI_Wtime();
      worker.serve();
      const double after = MPI_Wtime();
      const size_t bad = worker.verify();
      std::printf("Time: %.4f ms\n", (after - before) * 1e3);
      std::printf("Verification: %s\n", bad == 0 ? "PASS" : "FAIL");
      exit_code = bad == 0 ? 0 : 1;
    }
    NC_CALL(ncclCommDestroy(comm));
  } catch (const std::runtime_error& problem) {
    std::fprintf(stderr, "rank %d: %s\n", rank, problem.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
  return exit_code;
}
