// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Extrema and products of per-rank statistics columns in the integer widths of a column store, plus double.
#include <mpi.h>
#include <nccl.h>
#include <cuda_runtime.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <vector>

template <class T> struct nccl_type;
template <> struct nccl_type<int8_t>   { static constexpr ncclDataType_t value = ncclInt8; };
template <> struct nccl_type<uint8_t>  { static constexpr ncclDataType_t value = ncclUint8; };
template <> struct nccl_type<int32_t>  { static constexpr ncclDataType_t value = ncclInt32; };
template <> struct nccl_type<uint32_t> { static constexpr ncclDataType_t value = ncclUint32; };
template <> struct nccl_type<int64_t>  { static constexpr ncclDataType_t value = ncclInt64; };
template <> struct nccl_type<uint64_t> { static constexpr ncclDataType_t value = ncclUint64; };
template <> struct nccl_type<double>   { static constexpr ncclDataType_t value = ncclFloat64; };

struct world_t {
  int rank, size;
  ncclComm_t comm;
  cudaStream_t stream;
  double milliseconds;
};

[[noreturn]] static void die(int line) {
  std::fprintf(stderr, "minmax_prod: fatal error at line %d\n", line);
  MPI_Abort(MPI_COMM_WORLD, line);
  std::abort();
}
#define TRY(x) if (int(x) != 0) die(__LINE__)  // cudaSuccess == ncclSuccess == MPI_SUCCESS == 0

__host__ __device__ inline uint64_t mix(uint64_t x) {
  x ^= x >> 33; x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33; x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

// Any bit pattern of an integer type; multiples of 1/1024 for double.
template <class T> __host__ __device__ T any_value(uint64_t h) {
  if constexpr (std::is_floating_point<T>::value) return double(int64_t(h) >> 20) / 1024;
  else return T(h >> 11);
}

// Factors whose product over any number of ranks is exact: unsigned types wrap around, signed ones get +-1 and
// one larger factor from the rank that the position picks, double gets powers of two.
template <class T> __host__ __device__ T factor(uint64_t h, bool owner) {
  if constexpr (std::is_floating_point<T>::value) return (h & 1 ? 1.0 : -1.0) * (h & 2 ? 0.5 : 2.0) * (h & 4 ? 2.0 : 1.0);
  else if constexpr (std::is_unsigned<T>::value) return T(h >> 7) | T(1);
  else return T(owner ? int(h % 201) - 100 : (h & 1024 ? 1 : -1));
}

template <class T> __host__ __device__ T input(size_t i, int rank, int size, bool product) {
  const uint64_t h = mix(i * 0x9e3779b97f4a7c15ULL + uint64_t(rank + 1) * 0xd1b54a32d192ed03ULL + sizeof(T) * 131 + product);
  return product ? factor<T>(h, int(i % size_t(size)) == rank) : any_value<T>(h);
}

template <class T> __global__ void produce(T* p, size_t n, int rank, int size, bool product) {
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += size_t(gridDim.x) * blockDim.x)
    p[i] = input<T>(i, rank, size, product);
}

// Wraps for every integer type without the undefined behaviour of signed overflow.
template <class T> T times(T a, T b) {
  if constexpr (std::is_floating_point<T>::value) return a * b;
  else return T(uint64_t(a) * uint64_t(b));
}

template <class T>
T reference(size_t i, int size, ncclRedOp_t op) {
  T acc = input<T>(i, 0, size, op == ncclProd);
  for (int r = 1; r < size; ++r) {
    const T v = input<T>(i, r, size, op == ncclProd);
    if (op == ncclMin) acc = v < acc ? v : acc;
    if (op == ncclMax) acc = v > acc ? v : acc;
    if (op == ncclProd) acc = times<T>(acc, v);
  }
  return acc;
}

template <class T>
size_t column(world_t& w, size_t n, ncclRedOp_t op) {
  constexpr size_t guard = 8;
  T *in, *out;
  TRY(cudaMalloc(&in, n * sizeof(T)));
  TRY(cudaMalloc(&out, (n + guard) * sizeof(T)));
  TRY(cudaMemsetAsync(out, 0x5a, (n + guard) * sizeof(T), w.stream));
  produce<T><<<2, 128, 0, w.stream>>>(in, n, w.rank, w.size, op == ncclProd);
  TRY(cudaGetLastError());
  TRY(cudaStreamSynchronize(w.stream));
  TRY(MPI_Barrier(MPI_COMM_WORLD));

  const auto t0 = std::chrono::steady_clock::now();
  TRY(ncclAllReduce(in, out, n, nccl_type<T>::value, op, w.comm, w.stream));
  TRY(cudaStreamSynchronize(w.stream));
  w.milliseconds += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - t0).count();

  std::vector<T> got(n + guard), untouched(guard);
  TRY(cudaMemcpy(got.data(), out, (n + guard) * sizeof(T), cudaMemcpyDeviceToHost));
  for (auto& u : untouched)
    for (size_t b = 0; b < sizeof(T); ++b) reinterpret_cast<unsigned char*>(&u)[b] = 0x5a;
  size_t wrong = 0;
  for (size_t i = 0; i < n; ++i) wrong += !(got[i] == reference<T>(i, w.size, op));
  for (size_t g = 0; g < guard; ++g) wrong += !(got[n + g] == untouched[g]);
  TRY(cudaFree(in));
  TRY(cudaFree(out));
  return wrong;
}

template <class T>
bool exercise(world_t& w, size_t n) {
  size_t wrong = 0;
  for (ncclRedOp_t op : {ncclMin, ncclMax, ncclProd}) wrong += column<T>(w, n, op);
  return wrong == 0;
}

int main(int argc, char* argv[]) {
  world_t w{};
  TRY(MPI_Init(&argc, &argv));
  TRY(MPI_Comm_rank(MPI_COMM_WORLD, &w.rank));
  TRY(MPI_Comm_size(MPI_COMM_WORLD, &w.size));
  const size_t scale = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1;
  int gpus;
  TRY(cudaGetDeviceCount(&gpus));
  TRY(cudaSetDevice(w.rank % gpus));
  ncclUniqueId id;
  if (w.rank == 0) { TRY(ncclGetUniqueId(&id)); }
  TRY(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD));
  TRY(ncclCommInitRank(&w.comm, w.size, id, w.rank));
  TRY(cudaStreamCreate(&w.stream));

  bool ok = true;
  ok &= exercise<int8_t>(w, 4099 * scale);
  ok &= exercise<uint8_t>(w, 4096 * scale);
  ok &= exercise<int32_t>(w, 1531 * scale);
  ok &= exercise<uint32_t>(w, 1024 * scale);
  ok &= exercise<int64_t>(w, 777 * scale);
  ok &= exercise<uint64_t>(w, 512 * scale);
  ok &= exercise<double>(w, 1001 * scale);

  std::printf("Time: %.6f ms\nVerification: %s\n", w.milliseconds, ok ? "PASS" : "FAIL");
  TRY(cudaStreamDestroy(w.stream));
  TRY(ncclCommDestroy(w.comm));
  TRY(MPI_Finalize());
  return !ok;
}
