// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The host API as programs use it: untyped kernel pointers, launch attributes, symbols, registered and managed
// memory, pools, host functions, attributes, NVTX; and NCCL beyond plain collectives.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cuComplex.h>
#include <nvtx3/nvToolsExt.h>

#include "check.h"

namespace cg = cooperative_groups;

static int const kN = 1000;

__global__ void scale(float* p, int n, float f) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) p[i] *= f;
}
template <class T>
__global__ void fill(T* p, int n, T v) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) p[i] = v;
}
template <class F>
__global__ void apply(int n, F f) {
  int const i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) f(i);
}

// ---- launches
struct Operation {
  char const* name;
  void const* kernel;
};
static Operation const operations[] = {{"scale", (void const*)scale},
                                       {"fill", reinterpret_cast<void const*>(&fill<float>)}};

static void launch_any(void const* kernel, dim3 grid, dim3 block, void** arguments) {
  CUDA(cudaLaunchKernel(kernel, grid, block, arguments, 0, stream));
}

static void launches() {
  float* d = device_array<float>(kN);
  float value = 2, factor = 3;
  int n = kN;
  void* fill_arguments[] = {&d, &n, &value};
  launch_any(operations[1].kernel, dim3(4), dim3(64), fill_arguments);
  void* scale_arguments[] = {&d, &n, &factor};
  launch_any(operations[0].kernel, dim3((kN + 255) / 256), dim3(256), scale_arguments);
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(4);
  config.blockDim = 256;
  config.stream = stream;
  CUDA(cudaLaunchKernelEx(&config, scale, d, n, 0.5f));
  cudaLaunchAttribute attributes[1];
  attributes[0].id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attributes[0].val.programmaticStreamSerializationAllowed = 1;
  config.attrs = attributes;
  config.numAttrs = 1;
  CUDA(cudaLaunchKernelEx(&config, fill<float>, d + 1, 1, 7.0f));
  auto go = [&](auto kernel, auto... a) { return cudaLaunchKernelEx(&config, kernel, a...); };
  CUDA(go(scale, d, 1, 2.0f));
  CUDA(cudaStreamSynchronize(stream));
  std::vector<float> h = to_host(d, kN);
  CHECK_EQ(h[0], 6.0f);
  CHECK_EQ(h[1], 7.0f);
  CHECK_EQ(h[kN - 1], 3.0f);
  int block = 0, grid = 0;
  CUDA(cudaOccupancyMaxPotentialBlockSize(&grid, &block, (void*)scale, 0, 0));
  CHECK_EQ(block, 1024);
  CUDA(cudaOccupancyMaxPotentialBlockSizeVariableSMem(&grid, &block, scale, [](int b) { return b * 128; }));
  CHECK(block > 0 && block < 1024 && grid > 0);
  cudaFuncAttributes facts;
  CUDA(cudaFuncGetAttributes(&facts, operations[0].kernel));
  CHECK_EQ(facts.maxThreadsPerBlock, 1024);
  // Names of built-in variables are free in host code and in structures.
  int const blockDim = 64, gridDim = 2;
  fill<<<gridDim, blockDim, 0, stream>>>(d, kN, 1.0f);
  float a = 4;
  apply<<<1, 64, 0, stream>>>(64, [=] __device__(int i) { d[i] = a * i; });
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(d, 64)[63], 252.0f);
}

// ---- memory
__constant__ float coefficients[4];
__device__ int counter;
__managed__ int managed_counter;
__global__ void bump() {
  atomicAdd(&counter, (int)coefficients[0]);
  atomicAdd(&managed_counter, 2);
}

static void memory() {
  float const c[4] = {1, 2, 3, 4};
  float back[4] = {};
  CUDA(cudaMemcpyToSymbol(coefficients, c, sizeof c));
  CUDA(cudaMemcpyFromSymbol(back, coefficients, sizeof back));
  CHECK_EQ(back[3], 4.0f);
  CHECK((int)cudaMemcpyToSymbol(coefficients, c, sizeof c, 4) != (int)cudaSuccess);
  int* address = nullptr;
  CUDA(cudaGetSymbolAddress((void**)&address, counter));
  CUDA(cudaMemset(address, 0, sizeof(int)));
  managed_counter = 5;
  bump<<<2, 32, 0, stream>>>();
  CUDA(cudaStreamSynchronize(stream));
  int counted = 0;
  CUDA(cudaMemcpy(&counted, address, sizeof(int), cudaMemcpyDeviceToHost));
  CHECK_EQ(counted, 64);
  CHECK_EQ(managed_counter, 133);

  float* d = device_array<float>(kN, 3.0f);
  std::vector<float> host(kN, 1.0f);
  CUDA(cudaHostRegister(host.data(), kN * sizeof(float), cudaHostRegisterMapped));
  CHECK_EQ((int)cudaHostRegister(host.data(), 4, 0), (int)cudaErrorHostMemoryAlreadyRegistered);
  (void)cudaGetLastError();
  float* mapped = nullptr;
  CUDA(cudaHostGetDevicePointer(&mapped, host.data(), 0));
  scale<<<4, 256, 0, stream>>>(mapped, kN, 9.0f);
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(host[kN - 1], 9.0f);
  CUDA(cudaMemcpyAsync(host.data(), d, kN * sizeof(float), cudaMemcpyDeviceToHost, stream));
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(host[1], 3.0f);
  cudaPointerAttributes where;
  CUDA(cudaPointerGetAttributes(&where, host.data() + 5));
  CHECK_EQ((int)where.type, (int)cudaMemoryTypeHost);
  CUDA(cudaHostUnregister(host.data()));
  CUDA(cudaPointerGetAttributes(&where, d));
  CHECK_EQ((int)where.type, (int)cudaMemoryTypeDevice);

  float* managed = nullptr;
  CUDA(cudaMallocManaged(&managed, kN * sizeof(float)));
  for (int i = 0; i < kN; ++i) managed[i] = (float)i;
  cudaMemLocation const here{cudaMemLocationTypeDevice, 0};
  CUDA(cudaMemPrefetchAsync(managed, kN * sizeof(float), here, 0, stream));
  CUDA(cudaMemAdvise(managed, kN * sizeof(float), cudaMemAdviseSetReadMostly, here));
  scale<<<4, 256, 0, stream>>>(managed, kN, 2.0f);
  CUDA(cudaDeviceSynchronize());
  CHECK_EQ(managed[10], 20.0f);
  CUDA(cudaFree(managed));

  cudaMemPool_t pool;
  CUDA(cudaDeviceGetDefaultMemPool(&pool, 0));
  uint64_t keep = UINT64_MAX, kept = 0;
  CUDA(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep));
  CUDA(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &kept));
  CHECK_EQ(kept, keep);
  size_t free_before = 0, free_after = 0, total = 0;
  CUDA(cudaMemGetInfo(&free_before, &total));
  for (int i = 0; i < 3; ++i) {
    float* t = nullptr;
    CUDA(cudaMallocAsync(&t, kN * sizeof(float), stream));
    fill<<<2, 64, 0, stream>>>(t, kN, (float)i);
    CUDA(cudaMemcpyAsync(d, t, kN * sizeof(float), cudaMemcpyDeviceToDevice, stream));
    CUDA(cudaFreeAsync(t, stream));
    CHECK_EQ((int)cudaFreeAsync(t, stream), (int)cudaErrorInvalidValue);
    (void)cudaGetLastError();
  }
  CUDA(cudaStreamSynchronize(stream));
  CUDA(cudaMemGetInfo(&free_after, &total));
  CHECK_EQ(free_before, free_after);
  CHECK_EQ(to_host(d, kN)[5], 2.0f);
}

// A free that has to wait for a peer must not stop the host, which the peer may wait for.
static void ordered_free() {
  int const peer = my_rank ^ 1;
  if (peer >= n_ranks) return;
  float* temporary = nullptr;
  float* mine = device_array<float>(1, (float)my_rank);
  float* kept = device_array<float>(1);
  float got = -1;
  cudaStream_t other;
  CUDA(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
  CUDA(cudaMallocAsync(&temporary, sizeof(float), stream));
  NCCL(ncclRecv(temporary, 1, ncclFloat, peer, comm, stream));
  CUDA(cudaMemcpyAsync(kept, temporary, sizeof(float), cudaMemcpyDeviceToDevice, stream));
  CUDA(cudaFreeAsync(temporary, stream));
  NCCL(ncclSend(mine, 1, ncclFloat, peer, comm, other));
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaMemcpy(&got, kept, sizeof(float), cudaMemcpyDeviceToHost));
  CHECK_EQ(got, (float)peer);
  CUDA(cudaStreamDestroy(other));
}

// ---- kernels
__device__ float sum_group(cg::thread_group g, float* temporary, float v) {
  int const lane = (int)g.thread_rank();
  for (int i = (int)g.size() / 2; i > 0; i /= 2) {
    temporary[lane] = v;
    g.sync();
    if (lane < i) v += temporary[lane + i];
    g.sync();
  }
  return v;
}
__global__ void group_sums(float* out) {
  extern __shared__ float temporary[];
  cg::thread_group g = cg::this_thread_block();
  float const s = sum_group(g, temporary, (float)threadIdx.x);
  if (threadIdx.x == 0) out[0] = s;
  auto tile = cg::tiled_partition<32>(cg::this_thread_block());
  auto part = cg::binary_partition(tile, tile.thread_rank() % 3 == 0);
  out[1 + threadIdx.x] = (float)(part.size() * 100 + part.thread_rank());
}
__global__ void maths(float* o, float x) {
  o[0] = abs(-x);
  o[1] = isnan(x) ? 1.0f : 0.0f;
  o[2] = pow(x, 2);
  o[3] = (float)__float2int_rz(1e20f);
  o[4] = rnorm3df(1, 2, 2);
  o[5] = (float)__dp4a(0x01020304, 0x01010101, 5);
  o[6] = (float)sizeof(sqrt(x));
  o[7] = cuCabsf(make_cuFloatComplex(3, 4));
  o[8] = __fdividef(x, 2);
  o[9] = sinpif(0.5f);
  o[10] = (float)max(2, 3u);
  o[11] = (float)(__double2hiint(1.0) >> 20);
  o[12] = isinf(x) ? 1.0f : 0.0f;
  o[13] = signbit(-x) ? 1.0f : 0.0f;
  o[14] = (float)__double2int_rn(2.5);
  o[15] = __saturatef(x);
}

static void device_code() {
  float* o = device_array<float>(65);
  group_sums<<<1, 64, 64 * sizeof(float), stream>>>(o);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<float> h = to_host(o, 65);
  CHECK_EQ(h[0], 2016.0f);
  CHECK_EQ(h[1 + 3], 1101.0f);
  CHECK_EQ(h[1 + 4], 2102.0f);
  maths<<<1, 1, 0, stream>>>(o, 0.5f);
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(o, 16);
  float const want[] = {0.5f, 0, 0.25f, 2147483648.0f, 1.0f / 3, 15, 4, 5, 0.25f, 1, 3, 1023, 0, 1, 2, 0.5f};
  for (int i = 0; i < 16; ++i) CHECK_EQ(h[i], want[i]);
}

// ---- host functions, attributes, errors
static void CUDART_CB note(void* p) { *static_cast<int*>(p) += 1; }

static void host_side() {
  nvtxRangePushA("host side");
  int notes = 0;
  CUDA(cudaLaunchHostFunc(stream, note, &notes));
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(notes, 1);
  int sms = 0, least = 0, greatest = 0;
  CUDA(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, 0));
  cudaDeviceProp properties;
  CUDA(cudaGetDeviceProperties(&properties, 0));
  CHECK_EQ(sms, properties.multiProcessorCount);
  CHECK_EQ(properties.warpSize, 32);
  CUDA(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  cudaStream_t urgent;
  CUDA(cudaStreamCreateWithPriority(&urgent, cudaStreamNonBlocking, greatest));
  CUDA(cudaStreamDestroy(urgent));
  CHECK(std::string(cudaGetErrorName(cudaErrorIllegalAddress)) == "cudaErrorIllegalAddress");
  CHECK(std::string(cudaGetErrorString(cudaErrorNotReady)) == "device not ready");
  nvtxRangePop();
}

// ---- NCCL
static void nccl() {
  float* d = device_array<float>(kN, (float)(my_rank + 1));
  float weight = 1.0f / (float)n_ranks;
  ncclRedOp_t mean;
  NCCL(ncclRedOpCreatePreMulSum(&mean, &weight, ncclFloat, ncclScalarHostImmediate, comm));
  NCCL(ncclAllReduce(d, d, kN, ncclFloat, mean, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  CHECK(std::abs(to_host(d, kN)[7] - (float)(n_ranks + 1) / 2.0f) < 1e-5f);
  NCCL(ncclRedOpDestroy(mean, comm));
  CHECK((int)ncclAllReduce(d, d, kN, ncclFloat, mean, comm, stream) != (int)ncclSuccess);
  // The factor may be in device memory, and differ between ranks.
  int64_t* factor = device_array<int64_t>(1, my_rank + 1);
  int64_t* v = device_array<int64_t>(3, 10);
  ncclRedOp_t weighted;
  NCCL(ncclRedOpCreatePreMulSum(&weighted, factor, ncclInt64, ncclScalarDevice, comm));
  NCCL(ncclAllReduce(v, v, 3, ncclInt64, weighted, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQ(to_host(v, 3)[2], (int64_t)(10 * n_ranks * (n_ranks + 1) / 2));
  NCCL(ncclRedOpDestroy(weighted, comm));
  ncclComm_t others = nullptr;
  NCCL(ncclCommSplit(comm, my_rank == 0 ? NCCL_SPLIT_NOCOLOR : 1, my_rank, &others, nullptr));
  CHECK_EQ(others == nullptr, my_rank == 0);
  if (others != nullptr) {
    int count = 0;
    NCCL(ncclCommCount(others, &count));
    CHECK_EQ(count, n_ranks - 1);
    NCCL(ncclCommFinalize(others));
    NCCL(ncclCommDestroy(others));
  }
  // Many more messages of a pair in one group than its ring has slots.
  int const messages = 100;
  std::vector<float> numbers(messages);
  for (int i = 0; i < messages; ++i) numbers[i] = value_at(my_rank, i);
  float* sent = device_array<float>(messages);
  float* received = device_array<float>(messages * n_ranks);
  CUDA(cudaMemcpy(sent, numbers.data(), messages * sizeof(float), cudaMemcpyHostToDevice));
  NCCL(ncclGroupStart());
  for (int r = 0; r < n_ranks; ++r)
    for (int i = 0; i < messages; ++i) {
      NCCL(ncclSend(sent + i, 1, ncclFloat, r, comm, stream));
      NCCL(ncclRecv(received + r * messages + i, 1, ncclFloat, r, comm, stream));
    }
  NCCL(ncclGroupEnd());
  CUDA(cudaStreamSynchronize(stream));
  std::vector<float> h = to_host(received, messages * n_ranks);
  for (int r = 0; r < n_ranks; ++r)
    for (int i = 0; i < messages; ++i) CHECK_EQ(h[r * messages + i], value_at(r, i));
}

int main(int argc, char** argv) {
  return run_case(argc, argv, {{"launches", launches}, {"memory", memory}, {"ordered_free", ordered_free},
                               {"device_code", device_code}, {"host_side", host_side}, {"nccl", nccl}});
}
