// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Streams and events: what is ordered, what is concurrent, what is reported.
#include "check.h"

__global__ void fill(int* p, int n, int v) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) p[i] = v;
}
__global__ void increment(int const* from, int* to, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) to[i] = from[i] + 1;
}
__global__ void slow_fill(int* p, int n, int v) {
  long long const end = clock64() + 200000;
  while (clock64() < end) __nanosleep(100);
  for (int i = threadIdx.x; i < n; i += blockDim.x) p[i] = v;
}
__global__ void wait_for_flag(volatile int* flag, int* seen) {
  while (*flag == 0) {
  }
  *seen = *flag;
}
__global__ void set_flag(volatile int* flag) { *flag = 7; }

static constexpr int kN = 1000;

static bool all(std::vector<int> const& v, int want) {
  for (int x : v)
    if (x != want) return false;
  return true;
}

static void one_stream() {
  int* a = device_array<int>(kN);
  int* b = device_array<int>(kN);
  for (int round = 0; round < 20; ++round) {
    fill<<<3, 64, 0, stream>>>(a, kN, round);
    increment<<<2, 128, 0, stream>>>(a, b, kN);
    increment<<<4, 32, 0, stream>>>(b, a, kN);
  }
  std::vector<int> host(kN);
  CUDA(cudaMemcpyAsync(host.data(), a, kN * sizeof(int), cudaMemcpyDeviceToHost, stream));
  CUDA(cudaStreamSynchronize(stream));
  CHECK(all(host, 21));
  CUDA(cudaMemsetAsync(a, 0, kN * sizeof(int), stream));
  CUDA(cudaMemcpyAsync(b, a, kN * sizeof(int), cudaMemcpyDeviceToDevice, stream));
  CUDA(cudaStreamSynchronize(stream));
  CHECK(all(to_host(b, kN), 0));
}

static void events() {
  cudaStream_t other;
  CUDA(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
  cudaEvent_t done;
  CUDA(cudaEventCreateWithFlags(&done, cudaEventDisableTiming));
  int* a = device_array<int>(kN);
  int* b = device_array<int>(kN);
  for (int round = 1; round < 20; ++round) {
    slow_fill<<<1, 64, 0, stream>>>(a, kN, round);
    CUDA(cudaEventRecord(done, stream));
    CUDA(cudaStreamWaitEvent(other, done, 0));
    increment<<<4, 64, 0, other>>>(a, b, kN);
    CUDA(cudaStreamSynchronize(other));
    CHECK(all(to_host(b, kN), round + 1));
  }
  // A wait refers to the record that was there when it was enqueued.
  CUDA(cudaEventRecord(done, stream));
  CUDA(cudaStreamWaitEvent(other, done, 0));
  CUDA(cudaEventRecord(done, other));
  CUDA(cudaEventSynchronize(done));
  CUDA(cudaEventQuery(done) == cudaSuccess ? cudaSuccess : cudaErrorUnknown);
  // An event that was never recorded is complete.
  cudaEvent_t fresh;
  CUDA(cudaEventCreate(&fresh));
  CUDA(cudaStreamWaitEvent(other, fresh, 0));
  CUDA(cudaStreamSynchronize(other));
  CUDA(cudaEventQuery(fresh));
  CUDA(cudaEventDestroy(fresh));
  CUDA(cudaEventDestroy(done));
  CUDA(cudaStreamDestroy(other));
}

static void default_stream() {
  int* a = device_array<int>(kN);
  int* b = device_array<int>(kN);
  for (int round = 1; round < 10; ++round) {
    slow_fill<<<1, 64, 0, stream>>>(a, kN, round);
    increment<<<2, 64>>>(a, b, kN);        // the legacy stream waits for blocking streams
    increment<<<2, 64, 0, stream>>>(b, a, kN);  // which wait for it
    CUDA(cudaDeviceSynchronize());
    CHECK(all(to_host(a, kN), round + 2));
  }
  slow_fill<<<1, 64, 0, stream>>>(a, kN, 5);
  std::vector<int> host(kN);
  CUDA(cudaMemcpy(host.data(), a, kN * sizeof(int), cudaMemcpyDeviceToHost));
  CHECK(all(host, 5));
}

static void concurrent() {
  cudaStream_t other;
  CUDA(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
  int* flag = device_array<int>(1);
  int* seen = device_array<int>(1);
  wait_for_flag<<<1, 1, 0, stream>>>(flag, seen);
  CHECK_EQ((int)cudaStreamQuery(stream), (int)cudaErrorNotReady);
  set_flag<<<1, 1, 0, other>>>(flag);
  CUDA(cudaStreamSynchronize(stream));
  CUDA(cudaStreamQuery(stream));
  CHECK_EQ(to_host(seen, 1)[0], 7);
  CUDA(cudaStreamDestroy(other));
}

static void timing() {
  cudaEvent_t begin, end;
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  int const n = 1 << 20;
  int* a = device_array<int>(n);
  float ms[3];
  for (int i = 0; i < 3; ++i) {
    CUDA(cudaEventRecord(begin, stream));
    for (int k = 0; k < (1 << i); ++k) fill<<<64, 128, 0, stream>>>(a, n, k);
    CUDA(cudaEventRecord(end, stream));
    CUDA(cudaEventSynchronize(end));
    CUDA(cudaEventElapsedTime(&ms[i], begin, end));
  }
  CHECK(ms[0] > 0 && ms[1] > ms[0] && ms[2] > ms[1]);
  double const wall = MPI_Wtime();
  CHECK(wall > 0);
  printf("Time: %.9f %.9f %.9f ms wall %.9f\n", ms[0], ms[1], ms[2], wall);
}

static void errors() {
  int* a = device_array<int>(4);
  fill<<<1, 2048>>>(a, 4, 1);
  CHECK_EQ((int)cudaPeekAtLastError(), (int)cudaErrorInvalidConfiguration);
  CHECK_EQ((int)cudaGetLastError(), (int)cudaErrorInvalidConfiguration);
  CHECK_EQ((int)cudaGetLastError(), (int)cudaSuccess);
  fill<<<0, 32>>>(a, 4, 1);
  CHECK_EQ((int)cudaGetLastError(), (int)cudaErrorInvalidConfiguration);
  fill<<<1, 32, 1 << 20>>>(a, 4, 1);
  CHECK((int)cudaGetLastError() != (int)cudaSuccess);
  void* p = nullptr;
  CHECK_EQ((int)cudaMalloc(&p, size_t(1) << 50), (int)cudaErrorMemoryAllocation);
  (void)cudaGetLastError();
  CHECK(std::strlen(cudaGetErrorString(cudaErrorMemoryAllocation)) > 0);
  CHECK_EQ((int)cudaSetDevice(1000), (int)cudaErrorInvalidDevice);
  (void)cudaGetLastError();
  CHECK(all(to_host(a, 4), 0));
}

int main(int argc, char** argv) {
  return run_case(argc, argv, {{"one_stream", one_stream}, {"events", events}, {"default_stream", default_stream},
                               {"concurrent", concurrent}, {"timing", timing}, {"errors", errors}});
}
