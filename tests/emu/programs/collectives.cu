// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Host-launched collectives: all types and operations, in place, groups, order in streams, communicators.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "check.h"

template <class T>
struct NcclType;
#define TYPE(T, value)                               \
  template <>                                        \
  struct NcclType<T> {                               \
    static constexpr ncclDataType_t type = value;    \
  }
TYPE(int8_t, ncclInt8);
TYPE(uint8_t, ncclUint8);
TYPE(int32_t, ncclInt32);
TYPE(uint32_t, ncclUint32);
TYPE(int64_t, ncclInt64);
TYPE(uint64_t, ncclUint64);
TYPE(__half, ncclFloat16);
TYPE(float, ncclFloat32);
TYPE(double, ncclFloat64);
TYPE(__nv_bfloat16, ncclBfloat16);

// Small values, so that products and sums of eight ranks are exact in every type.
template <class T>
T element(int rank, size_t i) {
  return T((float)(1 + (rank + i) % 2));
}
static double as_double(double v) { return v; }
static double as_double(__half v) { return (float)v; }
static double as_double(__nv_bfloat16 v) { return (float)v; }

template <class T>
static std::vector<T> inputs(int rank, size_t n) {
  std::vector<T> v(n);
  for (size_t i = 0; i < n; ++i) v[i] = element<T>(rank, i);
  return v;
}
template <class T>
static T* upload(std::vector<T> const& v) {
  T* p = nullptr;
  CUDA(cudaMalloc(&p, v.size() * sizeof(T)));
  CUDA(cudaMemcpy(p, v.data(), v.size() * sizeof(T), cudaMemcpyHostToDevice));
  return p;
}
static double fold(ncclRedOp_t op, double a, double b) {
  switch (op) {
    case ncclProd: return a * b;
    case ncclMax: return a > b ? a : b;
    case ncclMin: return a < b ? a : b;
    default: return a + b;
  }
}
static double expected(ncclRedOp_t op, size_t i, bool whole) {
  double v = 1 + i % 2;
  for (int r = 1; r < n_ranks; ++r) v = fold(op, v, 1 + (r + i) % 2);
  if (op == ncclAvg) v = whole ? (double)(long long)(v / n_ranks) : v / n_ranks;
  return v;
}

template <class T>
static void reductions_of() {
  size_t const n = 257;
  bool const whole = as_double(T(1.5f)) == 1;
  for (ncclRedOp_t op : {ncclSum, ncclProd, ncclMax, ncclMin, ncclAvg}) {
    T* in = upload(inputs<T>(my_rank, n));
    T* out = upload(std::vector<T>(n));
    NCCL(ncclAllReduce(in, out, n, NcclType<T>::type, op, comm, stream));
    CUDA(cudaStreamSynchronize(stream));
    std::vector<T> h = to_host(out, n);
    for (size_t i = 0; i < n; ++i) CHECK_EQ(as_double(h[i]), as_double(T((float)expected(op, i, whole))));
    NCCL(ncclReduce(in, out, n, NcclType<T>::type, op, n_ranks - 1, comm, stream));
    CUDA(cudaStreamSynchronize(stream));
    h = to_host(out, n);
    if (my_rank == n_ranks - 1)
      for (size_t i = 0; i < n; ++i) CHECK_EQ(as_double(h[i]), as_double(T((float)expected(op, i, whole))));
    CUDA(cudaFree(in));
    CUDA(cudaFree(out));
    size_t const part = 64;
    in = upload(inputs<T>(my_rank, part * n_ranks));
    out = upload(std::vector<T>(part));
    NCCL(ncclReduceScatter(in, out, part, NcclType<T>::type, op, comm, stream));
    CUDA(cudaStreamSynchronize(stream));
    h = to_host(out, part);
    for (size_t i = 0; i < part; ++i)
      CHECK_EQ(as_double(h[i]), as_double(T((float)expected(op, my_rank * part + i, whole))));
    CUDA(cudaFree(in));
    CUDA(cudaFree(out));
  }
}
static void reductions() {
  reductions_of<int8_t>();
  reductions_of<uint8_t>();
  reductions_of<int32_t>();
  reductions_of<uint32_t>();
  reductions_of<int64_t>();
  reductions_of<uint64_t>();
  reductions_of<__half>();
  reductions_of<float>();
  reductions_of<double>();
  reductions_of<__nv_bfloat16>();
}

static void movement() {
  size_t const n = 300;
  std::vector<float> mine(n * n_ranks);
  for (size_t i = 0; i < mine.size(); ++i) mine[i] = value_at(my_rank, i);
  float* in = upload(mine);
  float* out = device_array<float>(n * n_ranks, -1.0f);
  NCCL(ncclAlltoAll(in, out, n, ncclFloat, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  std::vector<float> h = to_host(out, n * n_ranks);
  for (int r = 0; r < n_ranks; ++r)
    for (size_t i = 0; i < n; ++i) CHECK_EQ(h[r * n + i], value_at(r, my_rank * n + i));
  NCCL(ncclAllGather(in, out, n, ncclFloat, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(out, n * n_ranks);
  for (int r = 0; r < n_ranks; ++r)
    for (size_t i = 0; i < n; ++i) CHECK_EQ(h[r * n + i], value_at(r, i));
  int const root = n_ranks - 1;
  NCCL(ncclBroadcast(in, out, n, ncclFloat, root, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(out, n);
  for (size_t i = 0; i < n; ++i) CHECK_EQ(h[i], value_at(root, i));
  float* whole = upload(mine);
  NCCL(ncclBcast(whole, n, ncclFloat, 0, comm, stream));
  NCCL(ncclGather(in, out, n, ncclFloat, 0, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(whole, n)[7], value_at(0, 7));
  if (my_rank == 0) {
    h = to_host(out, n * n_ranks);
    for (int r = 0; r < n_ranks; ++r) CHECK_EQ(h[r * n + 5], value_at(r, 5));
  }
  NCCL(ncclScatter(in, out, n, ncclFloat, root, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(out, n);
  for (size_t i = 0; i < n; ++i) CHECK_EQ(h[i], value_at(root, my_rank * n + i));
}

static void in_place() {
  size_t const n = 128;
  std::vector<float> mine(n * n_ranks);
  for (size_t i = 0; i < mine.size(); ++i) mine[i] = value_at(my_rank, i);
  float* p = upload(mine);
  NCCL(ncclAllReduce(p, p, n * n_ranks, ncclFloat, ncclSum, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  std::vector<float> h = to_host(p, n * n_ranks);
  for (size_t i = 0; i < h.size(); ++i) {
    float want = 0;
    for (int r = 0; r < n_ranks; ++r) want += value_at(r, i);
    CHECK_EQ(h[i], want);
  }
  p = upload(mine);
  NCCL(ncclAllGather(p + my_rank * n, p, n, ncclFloat, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(p, n * n_ranks);
  for (size_t i = 0; i < h.size(); ++i) CHECK_EQ(h[i], value_at((int)(i / n), i));
  p = upload(mine);
  NCCL(ncclReduceScatter(p, p + my_rank * n, n, ncclFloat, ncclSum, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(p + my_rank * n, n);
  for (size_t i = 0; i < n; ++i) {
    float want = 0;
    for (int r = 0; r < n_ranks; ++r) want += value_at(r, my_rank * n + i);
    CHECK_EQ(h[i], want);
  }
}

static void groups() {
  size_t const n = 200;
  std::vector<float> mine(n);
  for (size_t i = 0; i < n; ++i) mine[i] = value_at(my_rank, i);
  float* in = upload(mine);
  float* out = device_array<float>(n * n_ranks, -1.0f);
  int const right = (my_rank + 1) % n_ranks, left = (my_rank + n_ranks - 1) % n_ranks;
  NCCL(ncclGroupStart());
  NCCL(ncclSend(in, n, ncclFloat, right, comm, stream));
  NCCL(ncclRecv(out, n, ncclFloat, left, comm, stream));
  NCCL(ncclGroupEnd());
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(out, n)[3], value_at(left, 3));
  // Everybody with everybody, itself included, nested groups.
  NCCL(ncclGroupStart());
  for (int r = 0; r < n_ranks; ++r) {
    NCCL(ncclGroupStart());
    NCCL(ncclRecv(out + r * n, n, ncclFloat, r, comm, stream));
    NCCL(ncclSend(in, n, ncclFloat, r, comm, stream));
    NCCL(ncclGroupEnd());
  }
  NCCL(ncclGroupEnd());
  CUDA(cudaStreamSynchronize(stream));
  std::vector<float> h = to_host(out, n * n_ranks);
  for (int r = 0; r < n_ranks; ++r)
    for (size_t i = 0; i < n; ++i) CHECK_EQ(h[r * n + i], value_at(r, i));
  // Two messages to one peer keep their order; counts may differ.
  NCCL(ncclGroupStart());
  NCCL(ncclSend(in, 10, ncclFloat, right, comm, stream));
  NCCL(ncclSend(in + 10, 20, ncclFloat, right, comm, stream));
  NCCL(ncclRecv(out, 10, ncclFloat, left, comm, stream));
  NCCL(ncclRecv(out + 10, 20, ncclFloat, left, comm, stream));
  NCCL(ncclGroupEnd());
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(out, 30);
  for (size_t i = 0; i < 30; ++i) CHECK_EQ(h[i], value_at(left, i));
  // A group of collectives.
  float* sum = device_array<float>(n);
  float* all = device_array<float>(n * n_ranks);
  NCCL(ncclGroupStart());
  NCCL(ncclAllReduce(in, sum, n, ncclFloat, ncclSum, comm, stream));
  NCCL(ncclAllGather(in, all, n, ncclFloat, comm, stream));
  NCCL(ncclGroupEnd());
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(all, n * n_ranks)[(n_ranks - 1) * n], value_at(n_ranks - 1, 0));
  float want = 0;
  for (int r = 0; r < n_ranks; ++r) want += value_at(r, 9);
  CHECK_EQ(to_host(sum, n)[9], want);
}

__global__ void scale(float* p, int n, float f) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) p[i] *= f;
}
static void stream_order() {
  int const n = 5000;
  std::vector<float> ones(n, 1.0f);
  float* p = upload(ones);
  for (int round = 0; round < 4; ++round) {
    scale<<<4, 64, 0, stream>>>(p, n, 0.5f);
    NCCL(ncclAllReduce(p, p, n, ncclFloat, ncclSum, comm, stream));
    scale<<<4, 64, 0, stream>>>(p, n, 2.0f / n_ranks);
  }
  CUDA(cudaStreamSynchronize(stream));
  std::vector<float> h = to_host(p, n);
  for (float v : h) CHECK_EQ(v, 1.0f);
}

static void communicators() {
  int count = 0, rank = -1, device = -1;
  NCCL(ncclCommCount(comm, &count));
  NCCL(ncclCommUserRank(comm, &rank));
  NCCL(ncclCommCuDevice(comm, &device));
  CHECK_EQ(count, n_ranks);
  CHECK_EQ(rank, my_rank);
  ncclComm_t half = nullptr;
  NCCL(ncclCommSplit(comm, my_rank % 2, -my_rank, &half, nullptr));
  NCCL(ncclCommCount(half, &count));
  CHECK_EQ(count, (n_ranks + 1 - my_rank % 2) / 2);
  float* p = device_array<float>(1, (float)my_rank);
  NCCL(ncclAllReduce(p, p, 1, ncclFloat, ncclSum, half, stream));
  CUDA(cudaStreamSynchronize(stream));
  float want = 0;
  for (int r = my_rank % 2; r < n_ranks; r += 2) want += (float)r;
  CHECK_EQ(to_host(p, 1)[0], want);
  NCCL(ncclCommDestroy(half));
  int version = 0;
  NCCL(ncclGetVersion(&version));
  CHECK_EQ(version, NCCL_VERSION_CODE);
  CHECK((int)ncclAllReduce(p, p, 1, ncclFloat, (ncclRedOp_t)77, comm, stream) != (int)ncclSuccess);
  CHECK((int)ncclBroadcast(p, p, 1, ncclFloat, n_ranks, comm, stream) != (int)ncclSuccess);
}

template <class T>
static void nans_of(ncclDataType_t type) {
  for (ncclRedOp_t op : {ncclMax, ncclMin}) {
    std::vector<T> h(20);
    for (int i = 0; i < 20; ++i) h[i] = T(i % n_ranks == my_rank || i >= 18 ? NAN : (float)my_rank);
    T* p = upload(h);
    NCCL(ncclAllReduce(p, p, 20, type, op, comm, stream));
    CUDA(cudaStreamSynchronize(stream));
    std::vector<T> const got = to_host(p, 20);
    for (int i = 0; i < 18; ++i) {
      int const missing = i % n_ranks;
      float const want = op == ncclMax ? (missing == n_ranks - 1 ? n_ranks - 2 : n_ranks - 1) : missing == 0 ? 1 : 0;
      CHECK_EQ(as_double(got[i]), want);
    }
    CHECK(std::isnan(as_double(got[19])));
  }
}
/// A NaN loses against a number.
static void nans() {
  nans_of<float>(ncclFloat);
  nans_of<double>(ncclDouble);
  nans_of<__half>(ncclHalf);
  nans_of<__nv_bfloat16>(ncclBfloat16);
}

__global__ void slow_fill(float* p, int n, float v) {
  float x = v;
  for (int k = 0; k < 20000; ++k) x = x * 0.999f + 1.0f;
  for (int i = threadIdx.x; i < n; i += blockDim.x) p[i] = v + (x > 1e30f ? 1.0f : 0.0f);
}
/// The streams of a group wait for each other, before its collectives and after.
static void group_streams() {
  cudaStream_t side;
  CUDA(cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking));
  int const n = 4000;
  float *a = device_array<float>(n), *b = device_array<float>(n), *sum_a = device_array<float>(n),
        *sum_b = device_array<float>(n), *copy = device_array<float>(n);
  for (int round = 1; round < 4; ++round) {
    slow_fill<<<1, 64, 0, side>>>(a, n, (float)round);
    slow_fill<<<1, 64, 0, side>>>(b, n, (float)(2 * round));
    NCCL(ncclGroupStart());
    NCCL(ncclAllReduce(a, sum_a, n, ncclFloat, ncclSum, comm, stream));
    NCCL(ncclAllReduce(b, sum_b, n, ncclFloat, ncclSum, comm, side));
    NCCL(ncclGroupEnd());
    CUDA(cudaMemcpyAsync(copy, sum_b, n * sizeof(float), cudaMemcpyDeviceToDevice, stream));
    CUDA(cudaStreamSynchronize(stream));
    CHECK_EQ(to_host(sum_a, n)[n - 1], (float)(round * n_ranks));
    CHECK_EQ(to_host(copy, n)[n - 1], (float)(2 * round * n_ranks));
    CUDA(cudaDeviceSynchronize());
  }
  CUDA(cudaStreamDestroy(side));
}

/// A communicator that a group makes is there at its end.
static void made_in_group() {
  ncclComm_t part = comm;
  NCCL(ncclGroupStart());
  NCCL(ncclCommSplit(comm, 0, my_rank, &part, nullptr));
  CHECK(part == nullptr);
  NCCL(ncclGroupEnd());
  CHECK(part != nullptr);
  ncclUniqueId id;
  if (my_rank == 0) NCCL(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
  ncclComm_t other = nullptr;
  float* p = device_array<float>(1, 1.0f);
  NCCL(ncclGroupStart());
  NCCL(ncclCommInitRank(&other, n_ranks, id, my_rank));
  CHECK((int)ncclAllReduce(p, p, 1, ncclFloat, ncclSum, other, stream) == (int)ncclInvalidArgument);
  NCCL(ncclGroupEnd());
  NCCL(ncclAllReduce(p, p, 1, ncclFloat, ncclSum, other, stream));
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(p, 1)[0], (float)n_ranks);
  NCCL(ncclCommDestroy(other));
  NCCL(ncclCommDestroy(part));
}

int main(int argc, char** argv) {
  return run_case(argc, argv, {{"nans", nans}, {"group_streams", group_streams}, {"made_in_group", made_in_group},
                               {"reductions", reductions}, {"movement", movement}, {"in_place", in_place}, {"groups", groups},
                               {"stream_order", stream_order}, {"communicators", communicators}});
}
