// expect: barrier-divergent
// twin: lsa_warp_roles.cu
// mistake: the barrier inside the branch of the communicating warps is built for the whole block
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
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
      ncclLsaBarrierSession<ncclCoopCta> bar(ncclCoopCta(), dc, ncclTeamTagLsa(), 0);  // DEFECT
      if (turn > 0) {
        const int last = turn - 1;
        there->tile[last % 2][i] = tiles[last % 2][i];
        bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
        taken[last * kTile + i] = here->tile[last % 2][i];
      } else {
        bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);  // the last launch's tiles were taken
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
