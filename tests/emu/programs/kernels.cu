// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The kernel language: warps, shared memory, atomics, groups, narrow floating point.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cuda/atomic>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "check.h"

namespace cg = cooperative_groups;

// ---- warps
__global__ void shuffles(int* out) {
  int const lane = threadIdx.x % 32;
  int* mine = out + (blockIdx.x * blockDim.x + threadIdx.x) * 16;
  mine[0] = __shfl_sync(0xffffffffu, lane * 10, 5);
  mine[1] = __shfl_up_sync(0xffffffffu, lane, 3);
  mine[2] = __shfl_down_sync(0xffffffffu, lane, 3);
  mine[3] = __shfl_xor_sync(0xffffffffu, lane, 1);
  mine[4] = __shfl_sync(0xffffffffu, lane, 2, 8);
  mine[5] = __shfl_down_sync(0xffffffffu, lane, 1, 4);
  mine[6] = (int)__ballot_sync(0xffffffffu, lane % 3 == 0);
  mine[7] = __any_sync(0xffffffffu, lane == 31) + 2 * __all_sync(0xffffffffu, lane < 31);
  mine[8] = (int)__match_any_sync(0xffffffffu, lane / 4);
  mine[9] = (int)__reduce_add_sync(0xffffffffu, (unsigned)lane);
  double const d = __shfl_sync(0xffffffffu, lane * 0.5, 9);
  mine[10] = (int)(d * 2);
  if (lane < 16) {
    mine[11] = __shfl_sync(0x0000ffffu, lane, 15);
  } else {
    mine[11] = __shfl_sync(0xffff0000u, lane, 31);
  }
  __syncwarp();
  int sum = lane;
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);
  mine[12] = __shfl_sync(0xffffffffu, sum, 0);
  mine[13] = (int)__activemask();
  mine[14] = (int)__reduce_max_sync(0xffffffffu, (unsigned)(lane ^ 21));
  mine[15] = __popc(__ballot_sync(0xffffffffu, 1));
}

static void warps() {
  int const threads = 96, blocks = 2;
  int* d = device_array<int>(threads * blocks * 16);
  shuffles<<<blocks, threads, 0, stream>>>(d);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<int> h = to_host(d, threads * blocks * 16);
  unsigned third = 0;
  for (int l = 0; l < 32; l += 3) third |= 1u << l;
  for (int t = 0; t < threads * blocks; ++t) {
    int const lane = t % 32;
    int const* m = &h[t * 16];
    CHECK_EQ(m[0], 50);
    CHECK_EQ(m[1], lane < 3 ? lane : lane - 3);
    CHECK_EQ(m[2], lane > 28 ? lane : lane + 3);
    CHECK_EQ(m[3], lane ^ 1);
    CHECK_EQ(m[4], lane / 8 * 8 + 2);
    CHECK_EQ(m[5], lane % 4 == 3 ? lane : lane + 1);
    CHECK_EQ((unsigned)m[6], third);
    CHECK_EQ(m[7], 1);
    CHECK_EQ((unsigned)m[8], 0xfu << (lane / 4 * 4));
    CHECK_EQ(m[9], 496);
    CHECK_EQ(m[10], 9);
    CHECK_EQ(m[11], lane < 16 ? 15 : 31);
    CHECK_EQ(m[12], 496);
    CHECK_EQ((unsigned)m[13], 0xffffffffu);
    CHECK_EQ(m[14], 31);
    CHECK_EQ(m[15], 32);
  }
}

// ---- shared memory
template <int N>
__global__ void transpose(float const* in, float* out) {
  __shared__ float tile[N][N + 1], scale;
  if (threadIdx.x == 0 && threadIdx.y == 0) scale = 2;
  tile[threadIdx.y][threadIdx.x] = in[(blockIdx.z * N + threadIdx.y) * N + threadIdx.x];
  __syncthreads();
  auto at = [=](int y, int x) { return tile[y][x] * scale; };
  out[(blockIdx.z * N + threadIdx.y) * N + threadIdx.x] = at(threadIdx.x, threadIdx.y);
}
struct alignas(32) Wide {
  double v[4];
};
__global__ void layout(int* out) {
  __shared__ char a;
  __shared__ alignas(128) char b[3];
  __shared__ Wide w;
  extern __shared__ __align__(16) unsigned char dynamic[];
  a = 1, b[0] = 2, w.v[3] = 3;
  for (int i = threadIdx.x; i < 4096; i += blockDim.x) dynamic[i] = (unsigned char)i;
  __syncthreads();
  int sum = 0;
  for (int i = 0; i < 4096; ++i) sum += dynamic[i];
  if (threadIdx.x == 0) {
    out[0] = (size_t)b % 128 == 0 && (size_t)&w % 32 == 0 && (size_t)dynamic % 16 == 0;
    out[1] = (void*)&a != (void*)b && (void*)b != (void*)&w;
    out[2] = sum;
    out[3] = a + b[0] + (int)w.v[3];
  }
}
__global__ void big_shared(float* out, int n) {
  extern __shared__ float buffer[];
  for (int i = threadIdx.x; i < n; i += blockDim.x) buffer[i] = i;
  __syncthreads();
  if (threadIdx.x == 0) out[0] = buffer[n - 1];
}
__global__ void votes(int* out) {
  int const t = threadIdx.x;
  out[t * 3] = __syncthreads_count(t % 2);
  out[t * 3 + 1] = __syncthreads_and(t < 100);
  out[t * 3 + 2] = __syncthreads_or(t == 5);
}
// Each block has its own copy.
__global__ void per_block(int* out) {
  __shared__ int mine;
  if (threadIdx.x == 0) mine = blockIdx.x;
  __syncthreads();
  out[blockIdx.x * blockDim.x + threadIdx.x] = mine;
}

static void shared_memory() {
  int const n = 16, z = 3;
  std::vector<float> in(n * n * z);
  for (size_t i = 0; i < in.size(); ++i) in[i] = (float)i;
  float *a = device_array<float>(in.size()), *b = device_array<float>(in.size());
  CUDA(cudaMemcpy(a, in.data(), in.size() * 4, cudaMemcpyHostToDevice));
  transpose<16><<<dim3(1, 1, z), dim3(n, n), 0, stream>>>(a, b);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<float> out = to_host(b, in.size());
  for (int k = 0; k < z; ++k)
    for (int y = 0; y < n; ++y)
      for (int x = 0; x < n; ++x) CHECK_EQ(out[(k * n + y) * n + x], 2 * in[(k * n + x) * n + y]);

  int* d = device_array<int>(1024);
  layout<<<2, 64, 4096, stream>>>(d);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<int> h = to_host(d, 4);
  CHECK_EQ(h[0], 1);
  CHECK_EQ(h[1], 1);
  CHECK_EQ(h[2], 16 * 255 * 128);
  CHECK_EQ(h[3], 6);

  size_t const bytes = 100 * 1024;
  big_shared<<<1, 32, bytes, stream>>>(a, (int)(bytes / 4));
  CHECK((int)cudaGetLastError() != (int)cudaSuccess);  // more than 48 KiB needs the attribute
  CUDA(cudaFuncSetAttribute((void const*)big_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes));
  big_shared<<<1, 32, bytes, stream>>>(a, (int)(bytes / 4));
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(a, 1)[0], (float)(bytes / 4 - 1));

  votes<<<1, 128, 0, stream>>>(d);
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(d, 128 * 3);
  for (int t = 0; t < 128; ++t) {
    CHECK_EQ(h[t * 3], 64);
    CHECK_EQ(h[t * 3 + 1], 0);
    CHECK_EQ(h[t * 3 + 2] != 0, true);
  }
  per_block<<<16, 64, 0, stream>>>(d);
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(d, 1024);
  for (int i = 0; i < 1024; ++i) CHECK_EQ(h[i], i / 64);
}

// ---- atomics
__global__ void add_everything(int* i, unsigned* u, unsigned long long* l, float* f, double* d) {
  int const t = blockIdx.x * blockDim.x + threadIdx.x;
  atomicAdd(i, t);
  atomicAdd(u, 1u);
  atomicAdd(l, (unsigned long long)t);
  atomicAdd(f, 0.5f);
  atomicAdd(d, 0.25);
  atomicMax(i + 1, t);
  atomicMin(i + 2, -t);
  atomicOr(u + 1, 1u << (t % 32));
  atomicAnd(u + 2, ~(1u << (t % 32)));
  atomicXor(u + 3, 1u << (t % 32));
  atomicInc(u + 4, 9u);
  atomicSub(i + 3, 2);
  int old = *(int volatile*)(i + 4);
  while (true) {
    int const seen = atomicCAS(i + 4, old, old + 3);
    if (seen == old) break;
    old = seen;
  }
  if (t == 17) atomicExch(i + 5, 99);
  atomicAdd_system(i + 6, 1);
  cuda::atomic_ref<int, cuda::thread_scope_device>(i[7]).fetch_add(2, cuda::memory_order_relaxed);
  cuda::atomic_ref<double, cuda::thread_scope_system>(d[1]).fetch_max((double)t);
  __shared__ int block_count;
  if (threadIdx.x == 0) block_count = 0;
  __syncthreads();
  atomicAdd(&block_count, 1);
  __syncthreads();
  if (threadIdx.x == 0) atomicAdd(i + 8, block_count);
}
// The last block to finish sums what all wrote: needs __threadfence and an atomic ticket.
__device__ unsigned ticket = 0;
__constant__ int factors[4] = {1, 2, 3, 4};
__global__ void last_block(int* partial, int* result) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = (int)blockIdx.x * factors[blockIdx.x % 4];
    __threadfence();
    last = atomicAdd(&ticket, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    int sum = 0;
    for (unsigned b = 0; b < gridDim.x; ++b) sum += ((volatile int*)partial)[b];
    *result = sum;
    ticket = 0;
  }
}

static void atomics() {
  int* i = device_array<int>(16);
  unsigned* u = device_array<unsigned>(16);
  unsigned long long* l = device_array<unsigned long long>(2);
  float* f = device_array<float>(1);
  double* d = device_array<double>(2);
  unsigned const ones = ~0u;
  CUDA(cudaMemcpy(u + 2, &ones, 4, cudaMemcpyHostToDevice));
  int const blocks = 5, threads = 96, n = blocks * threads;
  add_everything<<<blocks, threads, 0, stream>>>(i, u, l, f, d);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<int> hi = to_host(i, 16);
  std::vector<unsigned> hu = to_host(u, 16);
  CHECK_EQ(hi[0], n * (n - 1) / 2);
  CHECK_EQ(hi[1], n - 1);
  CHECK_EQ(hi[2], 1 - n);
  CHECK_EQ(hi[3], -2 * n);
  CHECK_EQ(hi[4], 3 * n);
  CHECK_EQ(hi[5], 99);
  CHECK_EQ(hi[6], n);
  CHECK_EQ(hi[7], 2 * n);
  CHECK_EQ(hi[8], n);
  CHECK_EQ(hu[0], (unsigned)n);
  CHECK_EQ(hu[1], ~0u);
  CHECK_EQ(hu[2], 0u);
  CHECK_EQ(hu[3], n / 32 % 2 == 0 ? 0u : ~0u);
  CHECK_EQ(hu[4], (unsigned)n % 10);
  CHECK_EQ(to_host(l, 1)[0], (unsigned long long)n * (n - 1) / 2);
  CHECK_EQ(to_host(f, 1)[0], n * 0.5f);
  CHECK_EQ(to_host(d, 2)[0], n * 0.25);
  CHECK_EQ(to_host(d, 2)[1], n - 1.0);
  int* partial = device_array<int>(64);
  for (int round = 0; round < 3; ++round) {
    last_block<<<37, 64, 0, stream>>>(partial, i);
    CUDA(cudaStreamSynchronize(stream));
    int want = 0;
    for (int b = 0; b < 37; ++b) want += b * (b % 4 + 1);
    CHECK_EQ(to_host(i, 1)[0], want);
  }
  int const changed[4] = {5, 5, 5, 5};
  CUDA(cudaMemcpyToSymbol(factors, changed, sizeof changed));
  last_block<<<2, 32, 0, stream>>>(partial, i);
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(i, 1)[0], 5);
}

// ---- cooperative groups
__global__ void groups(int* out) {
  cg::thread_block block = cg::this_thread_block();
  auto warp = cg::tiled_partition<32>(block);
  auto quad = cg::tiled_partition<4>(warp);
  int const t = block.thread_rank();
  int* mine = out + t * 9;
  mine[0] = cg::reduce(warp, t, cg::plus<int>());
  mine[1] = cg::reduce(quad, t, cg::greater<int>());
  mine[2] = quad.shfl(t, 1) * 100 + (int)quad.meta_group_rank();
  mine[3] = warp.any(t == 33) + 2 * warp.all(t < 64);
  if (t % 2 == 0) {
    cg::coalesced_group some = cg::coalesced_threads();
    mine[4] = (int)some.size();
    mine[5] = (int)some.thread_rank();
    mine[8] = (int)__activemask();
  } else {
    mine[4] = mine[5] = -1;
    mine[8] = (int)__activemask();
  }
  block.sync();
  mine[6] = (int)block.size();
  mine[7] = quad.shfl_xor(t, 3);
}
__global__ void grid_phases(int* a, int* b, int n) {
  cg::grid_group grid = cg::this_grid();
  for (int round = 0; round < 4; ++round) {
    for (int i = (int)grid.thread_rank(); i < n; i += (int)grid.size()) b[i] = a[(i + 1) % n] + 1;
    grid.sync();
    for (int i = (int)grid.thread_rank(); i < n; i += (int)grid.size()) a[i] = b[(i + 1) % n];
    grid.sync();
  }
}

static void cooperative() {
  int* d = device_array<int>(128 * 9);
  groups<<<1, 128, 0, stream>>>(d);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<int> h = to_host(d, 128 * 9);
  for (int t = 0; t < 128; ++t) {
    int const* m = &h[t * 9];
    CHECK_EQ(m[0], t / 32 * 32 * 32 + 496);
    CHECK_EQ(m[1], t / 4 * 4 + 3);
    CHECK_EQ(m[2], (t / 4 * 4 + 1) * 100 + t / 4);
    CHECK_EQ(m[3], (t / 32 == 1 ? 1 : 0) + (t < 64 ? 2 : 0));
    CHECK_EQ(m[4], t % 2 == 0 ? 16 : -1);
    CHECK_EQ(m[5], t % 2 == 0 ? t % 32 / 2 : -1);
    CHECK_EQ(m[6], 128);
    CHECK_EQ(m[7], t ^ 3);
    CHECK_EQ(m[8], -1);  // All that have not exited, in whichever branch.
  }
  int n = 1000, per_sm = 0;
  CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_sm, grid_phases, 128, 0));
  cudaDeviceProp properties;
  CUDA(cudaGetDeviceProperties(&properties, 0));
  CHECK(per_sm > 0 && properties.multiProcessorCount > 0 && properties.cooperativeLaunch != 0);
  std::vector<int> start(n);
  for (int i = 0; i < n; ++i) start[i] = i * 7 % 1000;
  int *a = device_array<int>(n), *b = device_array<int>(n);
  CUDA(cudaMemcpy(a, start.data(), n * 4, cudaMemcpyHostToDevice));
  void* args[] = {&a, &b, &n};
  CUDA(cudaLaunchCooperativeKernel((void*)grid_phases, dim3(6), dim3(128), args, 0, stream));
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(a, n);
  for (int i = 0; i < n; ++i) CHECK_EQ(h[i], start[(i + 8) % n] + 4);
  int const too_many = per_sm * properties.multiProcessorCount + 1;
  CHECK_EQ((int)cudaLaunchCooperativeKernel((void*)grid_phases, dim3(too_many), dim3(128), args, 0, stream),
           (int)cudaErrorCooperativeLaunchTooLarge);
  (void)cudaGetLastError();
}

// ---- half and bfloat16
template <class T>
__global__ void axpy(T const* x, T const* y, T* z, int n, float a) {
  int const i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) z[i] = T(a) * x[i] + y[i];
}
__global__ void half_pairs(__half2 const* x, __half2* y, __half* total) {
  y[threadIdx.x] = __hfma2(x[threadIdx.x], __float2half2_rn(2.0f), __floats2half2_rn(1.0f, -1.0f));
  atomicAdd(total, __low2half(x[threadIdx.x]));
  __half v = __high2half(x[threadIdx.x]);
  for (int step = 16; step > 0; step /= 2) v = __hadd(v, __shfl_xor_sync(0xffffffffu, v, step));
  if (threadIdx.x == 0) total[1] = v;
}
template <class T>
static void axpy_case() {
  int const n = 300;
  std::vector<T> x(n), y(n);
  for (int i = 0; i < n; ++i) x[i] = T((float)i), y[i] = T(0.5f);
  T *dx = device_array<T>(n), *dy = device_array<T>(n), *dz = device_array<T>(n);
  CUDA(cudaMemcpy(dx, x.data(), n * 2, cudaMemcpyHostToDevice));
  CUDA(cudaMemcpy(dy, y.data(), n * 2, cudaMemcpyHostToDevice));
  axpy<<<3, 128, 0, stream>>>(dx, dy, dz, n, 2.0f);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<T> z = to_host(dz, n);
  for (int i = 0; i < n; ++i) CHECK_EQ((float)z[i], (float)T(2.0f * (float)x[i] + 0.5f));
}
static void narrow() {
  axpy_case<__half>();
  axpy_case<__nv_bfloat16>();
  std::vector<__half2> x(32);
  for (int i = 0; i < 32; ++i) x[i] = __floats2half2_rn((float)i, 1.0f);
  __half2 *dx = device_array<__half2>(32), *dy = device_array<__half2>(32);
  __half* total = device_array<__half>(2);
  CUDA(cudaMemcpy(dx, x.data(), 128, cudaMemcpyHostToDevice));
  half_pairs<<<1, 32, 0, stream>>>(dx, dy, total);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<__half2> y = to_host(dy, 32);
  for (int i = 0; i < 32; ++i) {
    CHECK_EQ(__low2float(y[i]), 2.0f * i + 1);
    CHECK_EQ(__high2float(y[i]), 1.0f);
  }
  CHECK_EQ((float)to_host(total, 2)[0], 496.0f);
  CHECK_EQ((float)to_host(total, 2)[1], 32.0f);
}

// ---- launches
__global__ void where(int* out, dim3 extent) {
  int const i = ((blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x) * (blockDim.x * blockDim.y * blockDim.z) +
                (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  out[i] = blockIdx.x + 10 * blockIdx.y + 100 * blockIdx.z + 1000 * threadIdx.x + 10000 * threadIdx.y + 100000 * threadIdx.z;
  if (i == 0 && (extent.x != gridDim.x || extent.y != gridDim.y || extent.z != gridDim.z)) out[i] = -1;
}
struct Pack {
  float4 v;
  char c;
};
template <class T, int N>
__global__ void sum_pack(T* out, Pack p, T const* nothing = nullptr) {
  if (threadIdx.x == 0) *out = (T)(p.v.x + p.v.y + p.v.z + p.v.w + p.c + N + (nothing == nullptr ? 0 : 1000));
}
#define LAUNCH(kernel, ...) kernel<<<1, 32, 0, stream>>>(__VA_ARGS__)
static void launches() {
  int* d = device_array<int>(2 * 3 * 4 * 5 * 6 * 2);
  dim3 const grid(2, 3, 4);
  where<<<grid, {5, 6, 2}, 0, stream>>>(d, grid);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<int> h = to_host(d, 2 * 3 * 4 * 60);
  for (int i = 0; i < (int)h.size(); ++i) {
    int const b = i / 60, t = i % 60;
    CHECK_EQ(h[i], b % 2 + 10 * (b / 2 % 3) + 100 * (b / 6) + 1000 * (t % 5) + 10000 * (t / 5 % 6) + 100000 * (t / 30));
  }
  Pack p{{1, 2, 3, 4}, 5};
  sum_pack<int, 10><<<1, 32, 0, stream>>>(d, p);
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(d, 1)[0], 25);
  p.c = 6;
  LAUNCH((sum_pack<int, 20>), d, p, nullptr);
  p.c = 100;  // arguments were copied at the launch
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(d, 1)[0], 36);
  void (*chosen)(int*, dim3) = where;
  chosen<<<1, 1, 0, stream>>>(d, {1, 1, 1});
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(d, 1)[0], 0);
}

int main(int argc, char** argv) {
  return run_case(argc, argv, {{"warps", warps}, {"shared_memory", shared_memory}, {"atomics", atomics}, {"cooperative", cooperative},
                               {"narrow", narrow}, {"launches", launches}});
}
