// expect: window-race
// twin: lsa_scoped_sessions.cu
// mistake: the second meeting of a round is missing: the next word is written while peers still read this one
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "../include/mini_runtime.h"

#include <nccl_device.h>

#include <vector>

constexpr int kRounds = 4, kWarps = 4;

template <class Coop>
__device__ void meet(Coop coop, const ncclDevComm& dc, unsigned slot) {
  {
    ncclLsaBarrierSession<Coop> bar(coop, dc, ncclTeamTagLsa(), slot);
    bar.sync(coop, cuda::memory_order_acq_rel);
  }
  coop.sync();  // every thread of the group has left the session
}

__global__ void rotate_words(ncclWindow_t win, long* sums, long first, ncclDevComm dc) {
  const ncclTeam team = ncclTeamLsa(dc);
  const int span = threadIdx.x / 64;  // two groups of two warps
  const ncclCoopWarpSpan coop(2 * span, 2, 1 + span);
  const size_t at = threadIdx.x * sizeof(long);
  meet(coop, dc, span);
  for (int round = 0; round < kRounds; ++round) {
    *(long*)ncclGetLocalPointer(win, at) = first + round * 1000 + team.rank * 100 + threadIdx.x;  // DEFECT
    meet(coop, dc, span);
    long sum = 0;
    for (int p = 0; p < team.nRanks; ++p) sum += *(const long*)ncclGetLsaPointer(win, at, p);
    sums[round * blockDim.x + threadIdx.x] = sum;
  }
}

int main(int argc, char** argv) {
  Runtime rt(&argc, &argv);
  const int threads = 32 * kWarps;
  WindowOf<long> words(rt.comm, threads);
  ncclDevCommRequirements reqs{};
  reqs.lsaBarrierCount = 2;
  ncclDevComm dc;
  RT_CHECK(ncclDevCommCreate(rt.comm, &reqs, &dc));
  std::vector<long> host(kRounds * threads);
  long* sums;
  RT_CHECK(cudaMalloc(&sums, host.size() * sizeof(long)));

  int wrong = 0;
  for (long launch = 0; launch < 3; ++launch) {
    rotate_words<<<1, threads, 0, rt.stream>>>(words.window, sums, launch * 10000, dc);
    RT_CHECK(cudaGetLastError());
    RT_CHECK(cudaMemcpyAsync(host.data(), sums, host.size() * sizeof(long), cudaMemcpyDeviceToHost, rt.stream));
    RT_CHECK(cudaStreamSynchronize(rt.stream));
    const long n = rt.nranks;
    for (int k = 0; k < kRounds * threads; ++k)
      wrong += host[k] != n * (launch * 10000 + k / threads * 1000 + k % threads) + 100 * (n * (n - 1) / 2);
  }
  const int code = rt.verdict(wrong);
  RT_CHECK(cudaFree(sums));
  RT_CHECK(ncclDevCommDestroy(rt.comm, &dc));
  return code;
}
