// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Load/store access to peers: windows, pointers, teams, barriers, low-latency all-to-all.
#include <nccl_device.h>

#include "check.h"

static ncclDevComm make_devcomm(ncclDevCommRequirements reqs) {
  ncclDevComm devcomm;
  NCCL(ncclDevCommCreate(comm, &reqs, &devcomm));
  return devcomm;
}
static ncclDevCommRequirements lsa_requirements(int barriers) {
  ncclDevCommRequirements reqs;
  std::memset(&reqs, 0, sizeof reqs);
  reqs.lsaBarrierCount = barriers;
  return reqs;
}

// NCCL's own example: every rank's threads stripe over all elements.
__global__ void all_reduce_once(ncclWindow_t in, size_t in_at, ncclWindow_t out, size_t out_at, size_t n, ncclDevComm dc) {
  ncclLsaBarrierSession<ncclCoopCta> bar{ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x};
  bar.sync(ncclCoopCta(), cuda::memory_order_acquire);
  int const ranks = ncclTeamLsa(dc).nRanks;
  size_t const stride = (size_t)ranks * gridDim.x * blockDim.x;
  for (size_t i = ((size_t)blockIdx.x * ranks + ncclTeamLsa(dc).rank) * blockDim.x + threadIdx.x; i < n; i += stride) {
    float v = 0;
    for (int peer = 0; peer < ranks; ++peer) v += ((float*)ncclGetLsaPointer(in, in_at, peer))[i];
    for (int peer = 0; peer < ranks; ++peer) ((float*)ncclGetLsaPointer(out, out_at, peer))[i] = v;
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}
static void one_phase() {
  size_t const n = 10007, bytes = (n + 64) * sizeof(float);
  float *in = symmetric_array<float>(n + 64), *out = symmetric_array<float>(n + 64, -1.0f);
  std::vector<float> h(n);
  for (size_t i = 0; i < n; ++i) h[i] = value_at(my_rank, i);
  CUDA(cudaMemcpy(in + 64, h.data(), n * 4, cudaMemcpyHostToDevice));
  ncclWindow_t const win = window_of(in, bytes), wout = window_of(out, bytes);
  ncclDevComm dc = make_devcomm(lsa_requirements(8));
  for (int round = 0; round < 3; ++round) all_reduce_once<<<8, 128, 0, stream>>>(win, 256, wout, 128, n, dc);
  CUDA(cudaStreamSynchronize(stream));
  h = to_host(out + 32, n);
  for (size_t i = 0; i < n; ++i) {
    float want = 0;
    for (int r = 0; r < n_ranks; ++r) want += value_at(r, i);
    CHECK_EQ(h[i], want);
  }
  CHECK_EQ(to_host(out, 32)[31], -1.0f);
  MPI_Barrier(MPI_COMM_WORLD);
  NCCL(ncclDevCommDestroy(comm, &dc));
  NCCL(ncclCommWindowDeregister(comm, win));
  NCCL(ncclCommWindowDeregister(comm, wout));
  NCCL(ncclMemFree(in));
  NCCL(ncclMemFree(out));
}

// Two phases that read what peers wrote; needs acq_rel in between.
__global__ void two_phases(ncclWindow_t in, ncclWindow_t out, int per_rank, ncclDevComm dc) {
  ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, ncclTeamTagLsa(), blockIdx.x);
  ncclTeam const team = ncclTeamLsa(dc);
  bar.arrive(ncclCoopCta(), cuda::memory_order_relaxed);
  bar.wait(ncclCoopCta(), cuda::memory_order_acquire);
  int const begin = team.rank * per_rank + blockIdx.x * blockDim.x + threadIdx.x;
  for (int i = begin; i < (team.rank + 1) * per_rank; i += gridDim.x * blockDim.x) {
    float v = 0;
    for (int p = 0; p < team.nRanks; ++p) v += ((float*)ncclGetLsaPointer(in, 0, p))[i];
    ((float*)ncclGetLocalPointer(out, 0))[i] = v;
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
  for (int p = 0; p < team.nRanks; ++p) {
    if (p == team.rank) continue;
    float* own = (float*)ncclGetLocalPointer(out, 0);
    float const* peer = (float const*)ncclGetPeerPointer(out, 0, team, p);
    for (int i = p * per_rank + blockIdx.x * blockDim.x + threadIdx.x; i < (p + 1) * per_rank; i += gridDim.x * blockDim.x)
      own[i] = peer[i];
  }
  bar.sync(ncclCoopCta(), cuda::memory_order_release);
}
static void barrier_orders() {
  int const per_rank = 1500, n = per_rank * n_ranks;
  float *in = symmetric_array<float>(n), *out = symmetric_array<float>(n);
  ncclWindow_t const win = window_of(in, n * 4), wout = window_of(out, n * 4);
  ncclDevComm dc = make_devcomm(lsa_requirements(4));
  for (int round = 0; round < 5; ++round) {
    std::vector<float> h(n);
    for (int i = 0; i < n; ++i) h[i] = value_at(my_rank + round, i);
    CUDA(cudaMemcpyAsync(in, h.data(), n * 4, cudaMemcpyHostToDevice, stream));
    two_phases<<<4, 96, 0, stream>>>(win, wout, per_rank, dc);
    CUDA(cudaStreamSynchronize(stream));
    h = to_host(out, n);
    for (int i = 0; i < n; ++i) {
      float want = 0;
      for (int r = 0; r < n_ranks; ++r) want += value_at(r + round, i);
      CHECK_EQ(h[i], want);
    }
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

// Warps meet in barriers of their own; atomics on peers; a barrier of a team given by a handle.
__global__ void small_coops(ncclWindow_t win, ncclDevComm dc, ncclTeam pair, ncclLsaBarrierHandle_t handle, int* out) {
  ncclCoopWarp warp;
  int const index = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
  {
    ncclLsaBarrierSession<ncclCoopWarp> bar(warp, dc, ncclTeamTagLsa(), index);
    bar.sync(warp, cuda::memory_order_acquire);
    if (warp.thread_rank() == 0) {
      for (int p = 0; p < ncclTeamLsa(dc).nRanks; ++p) {
        int* counter = (int*)ncclGetLsaPointer(win, 0, p);
        cuda::atomic_ref<int, cuda::thread_scope_system>(*counter).fetch_add(1, cuda::memory_order_relaxed);
        atomicAdd_system(counter + 1, 10);
      }
    }
    bar.sync(warp, cuda::memory_order_acq_rel);
  }
  __syncthreads();
  {
    ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, pair, handle, blockIdx.x);
    if (threadIdx.x == 0) ((int*)ncclGetLsaPointer(win, 0, ncclTeamRankToLsa(dc, pair, 1 - pair.rank)))[8 + blockIdx.x] = 100 + pair.rank;
    bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
    if (threadIdx.x == 0) out[blockIdx.x] = ((int*)ncclGetLocalPointer(win, 0))[8 + blockIdx.x];
  }
}
static void coops_and_handles() {
  int* p = symmetric_array<int>(64);
  ncclWindow_t const win = window_of(p, 256);
  ncclDevCommRequirements reqs = lsa_requirements(4);
  ncclTeam const lsa = ncclTeamLsa(comm);
  ncclTeam const pair{2, lsa.rank % 2, 1};
  ncclLsaBarrierHandle_t handle;
  ncclDevResourceRequirements_t extra;
  NCCL(ncclLsaBarrierCreateRequirement(pair, 2, &handle, &extra));
  reqs.resourceRequirementsList = &extra;
  ncclDevComm dc = make_devcomm(reqs);
  int* out = device_array<int>(2);
  small_coops<<<2, 64, 0, stream>>>(win, dc, pair, handle, out);
  CUDA(cudaStreamSynchronize(stream));
  MPI_Barrier(MPI_COMM_WORLD);
  std::vector<int> h = to_host(p, 2);
  CHECK_EQ(h[0], 4 * n_ranks);
  CHECK_EQ(h[1], 40 * n_ranks);
  CHECK_EQ(to_host(out, 2)[0], 100 + 1 - my_rank % 2);
  CHECK_EQ(to_host(out, 2)[1], 100 + 1 - my_rank % 2);
}

__global__ void inspect(ncclWindow_t win, ncclDevComm dc, int* out) {
  ncclTeam const world = ncclTeamWorld(dc), lsa = ncclTeamLsa(dc), rail = ncclTeamRail(dc);
  out[0] = world.nRanks, out[1] = world.rank, out[2] = lsa.nRanks, out[3] = lsa.rank, out[4] = rail.nRanks, out[5] = rail.rank;
  out[6] = ncclTeamRankToWorld(dc, lsa, (lsa.rank + 1) % lsa.nRanks);
  out[7] = ncclTeamRankIsMember(lsa, world, world.rank) ? 1 : 0;
  out[8] = ncclTeamRankToTeam(lsa, world, world.rank);
  ncclSymPtr<int> const s(win, 16);
  out[9] = *s.localPtr();
  out[10] = (s + 2).lsaPtr(lsa.rank)[0];
  out[11] = s.localPtr() == (int*)ncclGetLocalPointer(win, 16);
  out[12] = (s + 1).offset == 20;
}
static void teams() {
  std::vector<int> values = {0, 1, 2, 3, 40, 50, 60, 70};
  int* p = symmetric_array<int>(8);
  CUDA(cudaMemcpy(p, values.data(), 32, cudaMemcpyHostToDevice));
  ncclWindow_t const win = window_of(p, 32);
  ncclDevComm dc = make_devcomm(lsa_requirements(0));
  int* out = device_array<int>(16);
  inspect<<<1, 1, 0, stream>>>(win, dc, out);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<int> h = to_host(out, 16);
  ncclTeam const lsa = ncclTeamLsa(comm);
  CHECK_EQ(h[0], n_ranks);
  CHECK_EQ(h[1], my_rank);
  CHECK_EQ(h[2], lsa.nRanks);
  CHECK_EQ(h[3], my_rank % lsa.nRanks);
  CHECK_EQ(h[4], n_ranks / lsa.nRanks);
  CHECK_EQ(h[5], my_rank / lsa.nRanks);
  CHECK_EQ(h[6], my_rank / lsa.nRanks * lsa.nRanks + (my_rank + 1) % lsa.nRanks);
  CHECK_EQ(h[7], 1);
  CHECK_EQ(h[8], h[3]);
  CHECK_EQ(h[9], 40);
  CHECK_EQ(h[10], 60);
  CHECK_EQ(h[11], 1);
  CHECK_EQ(h[12], 1);
  CHECK_EQ(ncclTeamRankToWorld(comm, ncclTeamRail(comm), ncclTeamRail(comm).rank), my_rank);
}

// Flags in a window, written by peers and polled through a volatile pointer: no barrier object at all.
__global__ void flags(ncclWindow_t win, ncclDevComm dc, int round) {
  ncclTeam const team = ncclTeamLsa(dc);
  int const peer = threadIdx.x;
  if (peer >= team.nRanks) return;
  int* theirs = (int*)ncclGetLsaPointer(win, 0, peer);
  theirs[64 + team.rank] = round * 100 + team.rank;
  __threadfence_system();
  *(volatile int*)(theirs + team.rank) = round;
  volatile int* mine = (volatile int*)ncclGetLocalPointer(win, 0);
  while (mine[peer] < round) {
  }
  __threadfence_system();
  mine[128 + peer] = mine[64 + peer];
}
static void volatile_flags() {
  int* p = symmetric_array<int>(256);
  ncclWindow_t const win = window_of(p, 1024);
  ncclDevComm dc = make_devcomm(lsa_requirements(0));
  for (int round = 1; round < 6; ++round) {
    flags<<<1, 32, 0, stream>>>(win, dc, round);
    CUDA(cudaStreamSynchronize(stream));
    std::vector<int> h = to_host(p, 256);
    for (int r = 0; r < ncclTeamLsa(comm).nRanks; ++r) CHECK_EQ(h[128 + r], round * 100 + r);
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

__global__ void ll_a2a(ncclDevComm dc, ncclLLA2AHandle handle, int* out, int n, int rounds) {
  ncclTeam const team = ncclTeamLsa(dc);
  ncclLLA2ASession<ncclCoopCta> session(ncclCoopCta(), dc, team, handle, blockIdx.x, n * team.nRanks);
  for (int round = 0; round < rounds; ++round) {
    for (int i = threadIdx.x; i < n; i += blockDim.x)
      for (int p = 0; p < team.nRanks; ++p) session.send(p, team.rank * n + i, (long long)(round * 1000 + team.rank * 100 + i));
    long long sum = 0;
    for (int i = threadIdx.x; i < n; i += blockDim.x)
      for (int p = 0; p < team.nRanks; ++p) sum += session.template recv<long long>(p * n + i);
    out[round * blockDim.x + threadIdx.x] = (int)sum;
    session.endEpoch(ncclCoopCta());
  }
}
static void low_latency() {
  int const n = 32, rounds = 5;
  int const ranks = ncclTeamLsa(comm).nRanks;
  ncclDevCommRequirements reqs = lsa_requirements(0);
  ncclLLA2AHandle_t handle;
  ncclDevResourceRequirements_t extra;
  NCCL(ncclLLA2ACreateRequirement(1, ncclLLA2ACalcSlots(n * ranks, sizeof(long long)), &handle, &extra));
  reqs.resourceRequirementsList = &extra;
  ncclDevComm dc = make_devcomm(reqs);
  int* out = device_array<int>(n * rounds);
  ll_a2a<<<1, n, 0, stream>>>(dc, handle, out, n, rounds);
  CUDA(cudaStreamSynchronize(stream));
  std::vector<int> h = to_host(out, n * rounds);
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < n; ++i) {
      int want = 0;
      for (int p = 0; p < ranks; ++p) want += round * 1000 + p * 100 + i;
      CHECK_EQ(h[round * n + i], want);
    }
}

int main(int argc, char** argv) {
  return run_case(argc, argv, {{"one_phase", one_phase}, {"barrier_orders", barrier_orders}, {"coops_and_handles", coops_and_handles},
                               {"teams", teams}, {"volatile_flags", volatile_flags}, {"low_latency", low_latency}});
}
