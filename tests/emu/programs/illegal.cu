// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// One wrong use per case. Rank 1 is innocent where that is possible.
#include <cooperative_groups.h>
#include <nccl_device.h>

#include "check.h"

static ncclDevComm make_devcomm(int lsa_barriers, int signals, int counters) {
  ncclDevCommRequirements reqs;
  std::memset(&reqs, 0, sizeof reqs);
  reqs.lsaBarrierCount = lsa_barriers;
  reqs.ginSignalCount = signals;
  reqs.ginCounterCount = counters;
  ncclDevComm devcomm;
  NCCL(ncclDevCommCreate(comm, &reqs, &devcomm));
  return devcomm;
}
static void done() { CUDA(cudaDeviceSynchronize()); }

__global__ void barrier_kernel(ncclDevComm dc, int index) {
  ncclLsaBarrierSession<ncclCoopCta> bar{ncclCoopCta(), dc, ncclTeamTagLsa(), (uint32_t)index};
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
}
static void barrier_index() {
  barrier_kernel<<<1, 32>>>(make_devcomm(4, 0, 0), 4);
  done();
}
static void barrier_shared() {
  barrier_kernel<<<2, 32>>>(make_devcomm(4, 0, 0), 1);
  done();
}
static void barrier_missing() {
  ncclDevComm dc = make_devcomm(4, 0, 0);
  if (my_rank != 0) barrier_kernel<<<1, 32>>>(dc, 2);
  done();
  MPI_Barrier(MPI_COMM_WORLD);
}
__global__ void early_return(ncclDevComm dc) {
  ncclLsaBarrierSession<ncclCoopCta> bar{ncclCoopCta(), dc, ncclTeamTagLsa(), 0};
  if (threadIdx.x == 3) return;
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
}
static void barrier_divergent() {
  early_return<<<1, 64>>>(make_devcomm(1, 0, 0));
  done();
}
static void multi_dimensional() {
  barrier_kernel<<<1, dim3(8, 8)>>>(make_devcomm(1, 0, 0), 0);
  done();
}
__global__ void warp_mask() {
  if (threadIdx.x < 8) __syncwarp(0xff00u);
}
static void warp_outside_mask() {
  warp_mask<<<1, 32>>>();
  done();
}
__global__ void grid_sync_kernel() { cooperative_groups::this_grid().sync(); }
static void grid_sync_plain() {
  grid_sync_kernel<<<2, 32>>>();
  done();
}
__global__ void trap_kernel() {
  if (threadIdx.x == 7) __trap();
}
static void trap() {
  trap_kernel<<<1, 32>>>();
  done();
}

__global__ void write_at(int* p, int i) { p[i] = 1; }
__global__ void read_at(int const* p, int i, int* out) { out[0] = p[i]; }
static void past_the_end() {
  int* p = device_array<int>(100);
  write_at<<<1, 1>>>(p, 100);
  done();
}
static void before_the_start() {
  int* p = device_array<int>(100);
  read_at<<<1, 1>>>(p, -1, p);
  done();
}
static void after_free() {
  int* p = device_array<int>(100);
  CUDA(cudaFree(p));
  write_at<<<1, 1>>>(p, 0);
  done();
}
static void null_pointer() {
  write_at<<<1, 1>>>(nullptr, 0);
  done();
}
static void host_pointer() {
  std::vector<int> v(16);
  write_at<<<1, 1>>>(v.data(), 3);
  done();
}
__global__ void shared_kernel(int i) {
  __shared__ int a[32];
  a[i] = 1;
}
static void shared_past_the_end() {
  shared_kernel<<<1, 1>>>(32);
  done();
}
__global__ void dynamic_kernel(int i) {
  extern __shared__ int d[];
  d[i] = 1;
}
static void dynamic_past_the_end() {
  dynamic_kernel<<<1, 1, 128>>>(32);
  done();
}
static void copy_past_the_end() {
  int* p = device_array<int>(10);
  std::vector<int> v(1000);
  cudaMemcpy(p, v.data(), 4000, cudaMemcpyHostToDevice);
  done();
}

__global__ void peer_write(ncclWindow_t win, size_t at, int peer) { *(int*)ncclGetLsaPointer(win, at, peer) = 1; }
static void window_offset() {
  int* p = symmetric_array<int>(64);
  ncclWindow_t const win = window_of(p, 256);
  if (my_rank == 0) peer_write<<<1, 1>>>(win, 1 << 20, 1);
  done();
  MPI_Barrier(MPI_COMM_WORLD);
}
static void window_rank() {
  int* p = symmetric_array<int>(64);
  ncclWindow_t const win = window_of(p, 256);
  peer_write<<<1, 1>>>(win, 0, n_ranks);
  done();
}
// On a machine where no rank reaches another by load and store.
__global__ void peer_pointer_write(ncclWindow_t win, int peer) { *(int*)ncclGetPeerPointer(win, 0, peer) = 1; }
static void not_reachable() {
  int* p = symmetric_array<int>(64);
  ncclWindow_t const win = window_of(p, 256);
  peer_pointer_write<<<1, 1>>>(win, 1 - my_rank);
  done();
}
static void deregistered() {
  int* p = symmetric_array<int>(64);
  ncclWindow_t const win = window_of(p, 256);
  MPI_Barrier(MPI_COMM_WORLD);
  NCCL(ncclCommWindowDeregister(comm, win));
  peer_write<<<1, 1>>>(win, 0, 0);
  done();
}
static void unregistered() {
  int* p = device_array<int>(64);
  ncclWindow_t win = nullptr;
  CHECK((int)ncclCommWindowRegister(comm, p, 256, &win, NCCL_WIN_COLL_SYMMETRIC) != (int)ncclSuccess || win == nullptr);
  if (failures == 0) printf("refused\n");
  peer_write<<<1, 1>>>(win, 0, 0);
  done();
}

__global__ void put_kernel(ncclWindow_t win, size_t to, size_t from, size_t bytes, unsigned signal, unsigned counter, ncclDevComm dc) {
  ncclGin gin{dc, 0};
  gin.put(ncclTeamWorld(dc), 1 - ncclTeamWorld(dc).rank, win, to, win, from, bytes, ncclGin_SignalInc{signal}, ncclGin_CounterInc{counter});
  gin.flush(ncclCoopCta());
}
static void put_case(size_t to, size_t from, size_t bytes, unsigned signal, unsigned counter) {
  int* p = symmetric_array<int>(64);
  ncclWindow_t const win = window_of(p, 256);
  put_kernel<<<1, 1>>>(win, to, from, bytes, signal, counter, make_devcomm(0, 2, 2));
  done();
}
static void put_target() { put_case(200, 0, 100, 0, 0); }
static void put_source() { put_case(0, 200, 100, 0, 0); }
static void signal_id() { put_case(0, 0, 4, 2, 0); }
static void counter_id() { put_case(0, 0, 4, 0, 5); }
__global__ void mixed_signals(ncclDevComm dc) {
  ncclGin gin{dc, 0};
  gin.signal(ncclTeamWorld(dc), ncclTeamWorld(dc).rank, ncclGin_SignalInc{0});
  gin.signal(ncclTeamWorld(dc), ncclTeamWorld(dc).rank, ncclGin_SignalAdd{0, 3});
}
static void inc_and_add() {
  mixed_signals<<<1, 1>>>(make_devcomm(0, 2, 0));
  done();
}
__global__ void put_peer(ncclWindow_t win, ncclDevComm dc) {
  ncclGin gin{dc, 0};
  gin.put(ncclTeamWorld(dc), ncclTeamWorld(dc).nRanks, win, 0, win, 0, 4, ncclGin_SignalInc{0});
}
static void put_rank() {
  int* p = symmetric_array<int>(64);
  ncclWindow_t const win = window_of(p, 256);
  put_peer<<<1, 1>>>(win, make_devcomm(0, 1, 0));
  done();
}

__global__ void wait_kernel(ncclDevComm dc) {
  ncclGin gin{dc, 0};
  gin.waitSignal(ncclCoopCta(), 1, 3);
}
static void missing_signal() {
  wait_kernel<<<1, 32>>>(make_devcomm(0, 2, 0));
  done();
}
__device__ unsigned arrived;
__global__ void spin_barrier(int blocks) {
  if (threadIdx.x == 0) {
    atomicAdd(&arrived, 1u);
    while (*(volatile unsigned*)&arrived < (unsigned)blocks) {
    }
  }
  __syncthreads();
}
static void oversubscribed() {
  cudaDeviceProp properties;
  CUDA(cudaGetDeviceProperties(&properties, 0));
  int const blocks = properties.multiProcessorCount * 2 + 1;  // 1024 threads: two fit on one SM
  spin_barrier<<<blocks, 1024>>>(blocks);
  done();
}
static void missing_collective() {
  float* p = device_array<float>(16);
  if (my_rank == 0) NCCL(ncclAllReduce(p, p, 16, ncclFloat, ncclSum, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
  MPI_Barrier(MPI_COMM_WORLD);
}
static void collective_mismatch() {
  float* p = device_array<float>(32);
  NCCL(ncclAllReduce(p, p, my_rank == 0 ? 16 : 32, ncclFloat, ncclSum, comm, stream));
  CUDA(cudaStreamSynchronize(stream));
}
static void multimem() {
  ncclDevCommRequirements reqs;
  std::memset(&reqs, 0, sizeof reqs);
  reqs.lsaMultimem = true;
  ncclDevComm devcomm;
  CHECK_EQ((int)ncclDevCommCreate(comm, &reqs, &devcomm), (int)ncclInvalidArgument);
}

int main(int argc, char** argv) {
  return run_case(argc, argv,
                  {{"barrier_index", barrier_index}, {"barrier_shared", barrier_shared}, {"barrier_missing", barrier_missing},
                   {"barrier_divergent", barrier_divergent}, {"multi_dimensional", multi_dimensional},
                   {"warp_outside_mask", warp_outside_mask}, {"grid_sync_plain", grid_sync_plain}, {"trap", trap},
                   {"past_the_end", past_the_end}, {"before_the_start", before_the_start}, {"after_free", after_free},
                   {"null_pointer", null_pointer}, {"host_pointer", host_pointer}, {"shared_past_the_end", shared_past_the_end},
                   {"dynamic_past_the_end", dynamic_past_the_end}, {"copy_past_the_end", copy_past_the_end},
                   {"window_offset", window_offset}, {"window_rank", window_rank}, {"not_reachable", not_reachable},
                   {"deregistered", deregistered}, {"unregistered", unregistered}, {"put_target", put_target},
                   {"put_source", put_source}, {"signal_id", signal_id}, {"counter_id", counter_id}, {"inc_and_add", inc_and_add},
                   {"put_rank", put_rank}, {"missing_signal", missing_signal}, {"oversubscribed", oversubscribed},
                   {"missing_collective", missing_collective}, {"collective_mismatch", collective_mismatch}, {"multimem", multimem}});
}
