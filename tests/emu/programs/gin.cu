// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// One-sided puts, signals, counters, flush, and the barriers that go with them. Every kernel here is correct under
// every schedule that the interface permits.
#include <nccl_device.h>

#include "check.h"

static ncclDevComm make_devcomm(int signals, int counters, int barriers) {
  ncclDevCommRequirements reqs;
  std::memset(&reqs, 0, sizeof reqs);
  reqs.barrierCount = barriers;
  reqs.railGinBarrierCount = barriers;
  reqs.ginSignalCount = signals;
  reqs.ginCounterCount = counters;
  reqs.ginForceEnable = true;
  ncclDevComm devcomm;
  NCCL(ncclDevCommCreate(comm, &reqs, &devcomm));
  return devcomm;
}

// A signal covers its payload and all earlier puts of its context to that peer.
__global__ void all_to_all(ncclWindow_t send, ncclWindow_t receive, int n, ncclDevComm dc) {
  ncclGin gin{dc, 0};
  ncclTeam const world = ncclTeamWorld(dc);
  uint64_t const base = gin.readSignal(blockIdx.x);
  ncclBarrierSession<ncclCoopCta> bar{ncclCoopCta(), ncclTeamTagWorld(), gin, blockIdx.x};
  bar.sync(ncclCoopCta(), cuda::memory_order_relaxed, ncclGinFenceLevel::Relaxed);
  size_t const bytes = n * sizeof(float);
  size_t const slice = (size_t)blockIdx.x * world.nRanks * bytes;
  for (int p = threadIdx.x; p < world.nRanks; p += blockDim.x) {
    // Two halves; only the second one carries the signal.
    gin.put(world, p, receive, slice + world.rank * bytes, send, slice + p * bytes, bytes / 2);
    gin.put(world, p, receive, slice + world.rank * bytes + bytes / 2, send, slice + p * bytes + bytes / 2, bytes - bytes / 2,
            ncclGin_SignalInc{blockIdx.x});
  }
  gin.waitSignal(ncclCoopCta(), blockIdx.x, base + world.nRanks);
  gin.flush(ncclCoopCta());
  bar.sync(ncclCoopCta(), cuda::memory_order_release, ncclGinFenceLevel::Relaxed);
}
static void put_and_signal() {
  int const n = 250, blocks = 3, total = n * n_ranks * blocks;
  float *send = symmetric_array<float>(total), *receive = symmetric_array<float>(total, -1.0f);
  ncclWindow_t const ws = window_of(send, total * 4), wr = window_of(receive, total * 4);
  ncclDevComm dc = make_devcomm(blocks, 0, blocks);
  for (int round = 0; round < 4; ++round) {
    std::vector<float> h(total);
    for (int i = 0; i < total; ++i) h[i] = value_at(my_rank + round, i);
    CUDA(cudaMemcpyAsync(send, h.data(), total * 4, cudaMemcpyHostToDevice, stream));
    all_to_all<<<blocks, 64, 0, stream>>>(ws, wr, n, dc);
    CUDA(cudaStreamSynchronize(stream));
    h = to_host(receive, total);
    for (int b = 0; b < blocks; ++b)
      for (int r = 0; r < n_ranks; ++r)
        for (int i = 0; i < n; ++i)
          CHECK_EQ(h[(b * n_ranks + r) * n + i], value_at(r + round, (b * n_ranks + my_rank) * n + i));
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

// The source may be written again after flush, or after its counter.
__global__ void reuse_after_flush(ncclWindow_t win, int rounds, ncclDevComm dc) {
  ncclGin gin{dc, 1};
  ncclTeam const world = ncclTeamWorld(dc);
  int const right = (world.rank + 1) % world.nRanks;
  int* source = (int*)ncclGetLocalPointer(win, 0);
  for (int round = 0; round < rounds; ++round) {
    for (int i = threadIdx.x; i < 64; i += blockDim.x) source[i] = round * 1000 + world.rank * 100 + i;
    __syncthreads();
    if (threadIdx.x == 0) gin.put(world, right, win, 256 * (1 + round), win, 0, 256, ncclGin_SignalAdd{2, 5});
    gin.flush(ncclCoopCta());
  }
  gin.waitSignal(ncclCoopCta(), 2, 5 * rounds);
}
__global__ void reuse_after_counter(ncclWindow_t win, int rounds, ncclDevComm dc) {
  ncclGin gin{dc, 2};
  ncclTeam const world = ncclTeamWorld(dc);
  int const right = (world.rank + 1) % world.nRanks;
  int* source = (int*)ncclGetLocalPointer(win, 0);
  for (int round = 0; round < rounds; ++round) {
    for (int i = threadIdx.x; i < 64; i += blockDim.x) source[i] = round * 1000 + world.rank * 100 + i;
    __syncthreads();
    gin.put(world, right, win, 256 * (1 + round), win, 0, 256, ncclGin_SignalInc{1}, ncclGin_CounterInc{0}, ncclCoopCta());
    gin.waitCounter(ncclCoopCta(), 0, round + 1);
  }
  gin.waitSignal(ncclCoopCta(), 1, rounds);
  if (threadIdx.x == 0) {
    if (gin.readCounter(0) != (uint64_t)rounds) source[0] = -1;
    gin.resetCounter(0);
    if (gin.readCounter(0) != 0) source[0] = -2;
  }
}
static void local_completion() {
  int const rounds = 6;
  int* p = symmetric_array<int>(64 * (rounds + 1));
  ncclWindow_t const win = window_of(p, 256 * (rounds + 1));
  ncclDevComm dc = make_devcomm(3, 1, 0);
  for (int variant = 0; variant < 2; ++variant) {
    CUDA(cudaMemset(p, 0, 256 * (rounds + 1)));
    CUDA(cudaDeviceSynchronize());  // else the memset may meet a peer's put
    MPI_Barrier(MPI_COMM_WORLD);
    if (variant == 0) {
      reuse_after_flush<<<1, 64, 0, stream>>>(win, rounds, dc);
    } else {
      reuse_after_counter<<<1, 64, 0, stream>>>(win, rounds, dc);
    }
    CUDA(cudaStreamSynchronize(stream));
    std::vector<int> h = to_host(p, 64 * (rounds + 1));
    CHECK(h[0] >= 0);
    int const left = (my_rank + n_ranks - 1) % n_ranks;
    for (int round = 0; round < rounds; ++round)
      for (int i = 0; i < 64; ++i) CHECK_EQ(h[64 * (round + 1) + i], round * 1000 + left * 100 + i);
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

// Signals alone, values, reads by bits, reset, shadows.
__global__ void signals(ncclWindow_t win, ncclDevComm dc, uint64_t* out) {
  ncclGin gin{dc, 0};
  ncclTeam const world = ncclTeamWorld(dc);
  ncclCoopThread me;
  for (int p = 0; p < world.nRanks; ++p) gin.signal(world, p, ncclGin_SignalAdd{0, 300});
  for (int p = 0; p < world.nRanks; ++p) gin.putValue(world, p, win, 8 * world.rank, (uint64_t)(1000 + world.rank), ncclGin_SignalInc{1});
  gin.waitSignal(me, 0, 300 * world.nRanks);
  gin.waitSignal(me, 1, world.nRanks);
  out[0] = gin.readSignal(0);
  out[1] = gin.readSignal(0, 8);
  for (int p = 0; p < world.nRanks; ++p) out[2 + p] = ((uint64_t*)ncclGetLocalPointer(win, 0))[p];
  // Shadows start at 0 and are only what the program adds.
  gin.increaseSignalShadow(1, world.nRanks);
  gin.waitSignalMeetShadow(me, 1);
  out[10] = *gin.getSignalShadowPtr(1);
  uint64_t before = 0, delta = 0;
  gin.waitSignalFollowShadow(me, 0, (uint64_t)300, &before, &delta);
  out[11] = before;
  out[12] = delta;
  out[13] = *gin.getSignalShadowPtr(0);  // 2.28.9 leaves the shadow alone
  // A wait below the value on 32 bits returns at once.
  gin.waitSignal(me, 0, 1, 32);
}
__global__ void resets(ncclDevComm dc, uint64_t* out) {
  ncclGin gin{dc, 0};
  gin.increaseSignalShadow(0, 5);
  gin.resetSignal(0);
  out[0] = gin.readSignal(0);
  out[1] = *gin.getSignalShadowPtr(0);
  // Another context has signals of its own.
  out[2] = ncclGin{dc, 1}.readSignal(1);
}
static void signal_values() {
  uint64_t* p = symmetric_array<uint64_t>(16);
  ncclWindow_t const win = window_of(p, 128);
  ncclDevComm dc = make_devcomm(2, 0, 0);
  uint64_t* out = device_array<uint64_t>(16);
  signals<<<1, 1, 0, stream>>>(win, dc, out);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<uint64_t> h = to_host(out, 16);
  CHECK_EQ(h[0], 300u * n_ranks);
  CHECK_EQ(h[1], 300u * n_ranks % 256);
  for (int r = 0; r < n_ranks; ++r) CHECK_EQ(h[2 + r], 1000u + r);
  CHECK_EQ(h[10], (uint64_t)n_ranks);
  CHECK_EQ(h[11], 0u);
  CHECK_EQ(h[12], 300u * n_ranks);
  CHECK_EQ(h[13], 0u);
  MPI_Barrier(MPI_COMM_WORLD);
  resets<<<1, 1, 0, stream>>>(dc, out);
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(out, 16);
  CHECK_EQ(h[0], 0u);
  CHECK_EQ(h[1], 0u);
  CHECK_EQ(h[2], 0u);
}

// Barriers bring all ranks together; data travels by signal.
__global__ void barriers(ncclWindow_t win, ncclDevComm dc, int rounds) {
  ncclGin gin{dc, 3};
  ncclTeam const world = ncclTeamWorld(dc);
  ncclGinBarrierSession<ncclCoopCta> bar{ncclCoopCta(), gin, world, dc.railGinBarrier, 0};
  for (int round = 0; round < rounds; ++round) {
    if (threadIdx.x < world.nRanks)
      gin.put(world, threadIdx.x, win, 4 * (64 + (round % 2) * 32 + world.rank), win, 4 * round, 4, ncclGin_SignalInc{0});
    gin.waitSignal(ncclCoopCta(), 0, (uint64_t)(round + 1) * world.nRanks);
    if (threadIdx.x < world.nRanks) {
      int* p = (int*)ncclGetLocalPointer(win, 0);
      p[128 + round * 32 + threadIdx.x] = p[64 + (round % 2) * 32 + threadIdx.x];
    }
    // Nobody may overwrite a slot of two rounds ago before all have read it.
    bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
  }
  gin.flush(ncclCoopCta());
}
static void gin_barrier() {
  int const rounds = 8;
  int* p = symmetric_array<int>(128 + 32 * rounds);
  std::vector<int> h(rounds);
  for (int i = 0; i < rounds; ++i) h[i] = my_rank * 100 + i;
  CUDA(cudaMemcpy(p, h.data(), rounds * 4, cudaMemcpyHostToDevice));
  ncclWindow_t const win = window_of(p, 4 * (128 + 32 * rounds));
  ncclDevComm dc = make_devcomm(1, 0, 1);
  barriers<<<1, 32, 0, stream>>>(win, dc, rounds);
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(p, 128 + 32 * rounds);
  for (int round = 0; round < rounds; ++round)
    for (int r = 0; r < n_ranks; ++r) CHECK_EQ(h[128 + 32 * round + r], r * 100 + round);
}

// Near ranks by store, far ranks by put, one hybrid barrier around it.
__global__ void hybrid(ncclWindow_t send, ncclWindow_t receive, int n, ncclDevComm dc) {
  ncclGin gin{dc, 0};
  ncclTeam const world = ncclTeamWorld(dc), lsa = ncclTeamLsa(dc);
  uint64_t const base = gin.readSignal(0);
  ncclBarrierSession<ncclCoopCta> bar{ncclCoopCta(), ncclTeamTagWorld(), gin, blockIdx.x};
  bar.sync(ncclCoopCta(), cuda::memory_order_acquire, ncclGinFenceLevel::Relaxed);
  int const first = world.rank - lsa.rank;
  for (int p = threadIdx.x; p < world.nRanks; p += blockDim.x) {
    if (p >= first && p < first + lsa.nRanks) continue;
    gin.put(world, p, receive, (size_t)world.rank * n * 4, send, (size_t)p * n * 4, (size_t)n * 4, ncclGin_SignalInc{0});
  }
  for (int l = 0; l < lsa.nRanks; ++l) {
    float* to = (float*)ncclGetLsaPointer(receive, (size_t)world.rank * n * 4, l);
    float const* from = (float const*)ncclGetLocalPointer(send, (size_t)(first + l) * n * 4);
    for (int i = threadIdx.x; i < n; i += blockDim.x) to[i] = from[i];
  }
  gin.waitSignal(ncclCoopCta(), 0, base + world.nRanks - lsa.nRanks);
  gin.flush(ncclCoopCta());
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
}
static void hybrid_barrier() {
  int const n = 400, total = n * n_ranks;
  float *send = symmetric_array<float>(total), *receive = symmetric_array<float>(total, -1.0f);
  ncclWindow_t const ws = window_of(send, total * 4), wr = window_of(receive, total * 4);
  ncclDevComm dc = make_devcomm(1, 0, 1);
  for (int round = 0; round < 3; ++round) {
    std::vector<float> h(total);
    for (int i = 0; i < total; ++i) h[i] = value_at(my_rank + round, i);
    CUDA(cudaMemcpyAsync(send, h.data(), total * 4, cudaMemcpyHostToDevice, stream));
    hybrid<<<1, 128, 0, stream>>>(ws, wr, n, dc);
    CUDA(cudaStreamSynchronize(stream));
    h = to_host(receive, total);
    for (int r = 0; r < n_ranks; ++r)
      for (int i = 0; i < n; ++i) CHECK_EQ(h[r * n + i], value_at(r + round, my_rank * n + i));
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

// put of symmetric pointers; puts to oneself; concurrent posts of many threads.
__global__ void pointers(ncclSymPtr<int> to, ncclSymPtr<int> from, ncclDevComm dc) {
  ncclGin gin{dc, 0};
  ncclTeam const world = ncclTeamWorld(dc);
  int const t = threadIdx.x;
  for (int p = 0; p < world.nRanks; ++p)
    gin.put(world, p, to + (world.rank * 64 + t), from + (p * 64 + t), 1, ncclGin_SignalInc{0});
  gin.waitSignal(ncclCoopCta(), 0, (uint64_t)world.nRanks * blockDim.x);
  gin.flush(ncclCoopCta());
}
static void many_posts() {
  int const n = 64 * n_ranks;
  int *from = symmetric_array<int>(n), *to = symmetric_array<int>(n);
  std::vector<int> h(n);
  for (int i = 0; i < n; ++i) h[i] = my_rank * 10000 + i;
  CUDA(cudaMemcpy(from, h.data(), n * 4, cudaMemcpyHostToDevice));
  ncclWindow_t const wf = window_of(from, n * 4), wt = window_of(to, n * 4);
  ncclDevComm dc = make_devcomm(1, 0, 0);
  pointers<<<1, 64, 0, stream>>>(ncclSymPtr<int>(wt, 0), ncclSymPtr<int>(wf, 0), dc);
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(to, n);
  for (int r = 0; r < n_ranks; ++r)
    for (int t = 0; t < 64; ++t) CHECK_EQ(h[r * 64 + t], r * 10000 + my_rank * 64 + t);
}

int main(int argc, char** argv) {
  return run_case(argc, argv, {{"put_and_signal", put_and_signal}, {"local_completion", local_completion}, {"signal_values", signal_values},
                               {"gin_barrier", gin_barrier}, {"hybrid_barrier", hybrid_barrier}, {"many_posts", many_posts}});
}
