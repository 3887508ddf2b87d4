// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Specialised warps: warps 0-1 compute a tile into shared memory, warps 2-3 store the previous tile to the right
// neighbour and meet the other ranks in a barrier of those two warps only. Two shared tiles, handed over by
// __syncthreads() once per turn. The communicating warps' acq_rel barrier per turn says that the tile has arrived and
// that the one before was taken, and the taking is done by the same warps.
#include "../include/mini_runtime.h"

#include <nccl_device.h>

#include <vector>

constexpr int kTile = 64, kTurns = 4, kThreads = 128;

__host__ __device__ inline int cell(int rank, int turn, int i) { return rank * 10000 + turn * 100 + i; }

struct Inbox {
  int tile[2][kTile];
};

__global__ void roles(ncclWindow_t win, int* taken, int first, ncclDevComm dc) {
  __shared__ int tiles[2][kTile];
  const bool computes = threadIdx.x < kTile;
  const int i = threadIdx.x % kTile;
  const ncclTeam team = ncclTeamLsa(dc);
  ncclCoopWarpSpan comm(2, 2, 1);
  Inbox* there = (Inbox*)ncclGetLsaPointer(win, 0, (team.rank + 1) % team.nRanks);
  const Inbox* here = (const Inbox*)ncclGetLocalPointer(win, 0);
  for (int turn = 0; turn <= kTurns; ++turn) {
    if (computes) {
      if (turn < kTurns) tiles[turn % 2][i] = cell(team.rank, first + turn, i);
    } else {
      ncclLsaBarrierSession<ncclCoopWarpSpan> bar(comm, dc, ncclTeamTagLsa(), 0);
      if (turn > 0) {
        const int last = turn - 1;
        there->tile[last % 2][i] = tiles[last % 2][i];
        bar.sync(comm, cuda::memory_order_acq_rel);
        taken[last * kTile + i] = here->tile[last % 2][i];
      } else {
        bar.sync(comm, cuda::memory_order_acq_rel);  // the last launch's tiles were taken
      }
    }
    __syncthreads();
  }
}

int main(int argc, char** argv) {
  Runtime rt(&argc, &argv);
  WindowOf<Inbox> inbox(rt.comm);
  ncclDevCommRequirements reqs{};
  reqs.lsaBarrierCount = 1;
  ncclDevComm dc;
  RT_CHECK(ncclDevCommCreate(rt.comm, &reqs, &dc));
  std::vector<int> host(kTurns * kTile);
  int* taken;
  RT_CHECK(cudaMalloc(&taken, host.size() * sizeof(int)));

  int wrong = 0;
  const int left = (rt.rank + rt.nranks - 1) % rt.nranks;
  for (int launch = 0; launch < 3; ++launch) {
    roles<<<1, kThreads, 0, rt.stream>>>(inbox.window, taken, launch * kTurns, dc);
    RT_CHECK(cudaGetLastError());
    RT_CHECK(cudaMemcpyAsync(host.data(), taken, host.size() * sizeof(int), cudaMemcpyDeviceToHost, rt.stream));
    RT_CHECK(cudaStreamSynchronize(rt.stream));
    for (int k = 0; k < kTurns * kTile; ++k) wrong += host[k] != cell(left, launch * kTurns + k / kTile, k % kTile);
  }
  const int code = rt.verdict(wrong);
  RT_CHECK(cudaFree(taken));
  RT_CHECK(ncclDevCommDestroy(rt.comm, &dc));
  return code;
}
