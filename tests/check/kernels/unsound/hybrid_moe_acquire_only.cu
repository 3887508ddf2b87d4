// expect: weak-order
// twin: hybrid_moe_roundtrip.cu
// mistake: the LSA barrier after dispatch only acquires; tokens stored into near experts are not released
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "../include/mini_runtime.h"
#include "../include/moe_kernels.cuh"

#include <cstring>

enum { kDispatched, kCombined, kSignals };

__global__ void mixture(ncclWindow_t win, int batch, ncclDevComm dc) {
  const ncclCoopCta cta;
  const ncclGin gin(dc, 0);
  const ncclTeam world = ncclTeamWorld(dc);
  const int me = world.rank, n = world.nRanks;
  MoeMemory* m = (MoeMemory*)ncclGetLocalPointer(win, 0);
  const uint64_t dispatched = gin.readSignal(kDispatched), combined = gin.readSignal(kCombined);
  ncclBarrierSession<ncclCoopCta> bar(cta, ncclTeamTagWorld(), gin, 0);
  bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);

  for (int e = 0; e < n; ++e) {
    const size_t from = offsetof(MoeMemory, outgoing) + first_for(me, e, n, batch) * kDim * sizeof(float);
    move_tokens(dc, gin, win, e, offsetof(MoeMemory, inbox) + me * sizeof(Batch), from, tokens_for(me, e, n, batch), kDispatched);
  }
  gin.waitSignal(cta, kDispatched, dispatched + far_tokens(dc, batch, true));
  bar.lsaBarrier().sync(cta, cuda::memory_order_acquire);  // DEFECT

  for (int r = 0; r < n; ++r)  // the expert
    for (int i = threadIdx.x; i < tokens_for(r, me, n, batch) * kDim; i += blockDim.x)
      m->inbox[r].tokens[i / kDim][i % kDim] += 1000.0f * (me + 1);
  __syncthreads();

  for (int r = 0; r < n; ++r) {
    const size_t to = offsetof(MoeMemory, answers) + first_for(r, me, n, batch) * kDim * sizeof(float);
    move_tokens(dc, gin, win, r, to, offsetof(MoeMemory, inbox) + r * sizeof(Batch), tokens_for(r, me, n, batch), kCombined);
  }
  gin.waitSignal(cta, kCombined, combined + far_tokens(dc, batch, false));
  gin.flush(cta);
  bar.sync(cta, cuda::memory_order_acq_rel, ncclGinFenceLevel::Relaxed);
}

int main(int argc, char** argv) {
  Runtime rt(&argc, &argv);
  WindowOf<MoeMemory> memory(rt.comm);
  ncclDevCommRequirements reqs;
  memset(&reqs, 0, sizeof reqs);
  reqs.barrierCount = 1;
  reqs.ginSignalCount = kSignals;
  ncclDevComm dc;
  RT_CHECK(ncclDevCommCreate(rt.comm, &reqs, &dc));

  int wrong = 0;
  Batch host;
  for (int batch = 0; batch < 4; ++batch) {
    for (int t = 0; t < kTokens; ++t)
      for (int d = 0; d < kDim; ++d) host.tokens[t][d] = rt.rank * 100 + t * 8 + d + batch * 0.5f;
    RT_CHECK(cudaMemcpyAsync(&memory.data->outgoing, &host, sizeof host, cudaMemcpyHostToDevice, rt.stream));
    RT_CHECK(cudaMemsetAsync(&memory.data->answers, 0, sizeof(Batch), rt.stream));
    mixture<<<1, 64, 0, rt.stream>>>(memory.window, batch, dc);
    RT_CHECK(cudaGetLastError());
    RT_CHECK(cudaMemcpyAsync(&host, &memory.data->answers, sizeof host, cudaMemcpyDeviceToHost, rt.stream));
    RT_CHECK(cudaStreamSynchronize(rt.stream));
    for (int e = 0; e < rt.nranks; ++e)
      for (int k = 0; k < tokens_for(rt.rank, e, rt.nranks, batch); ++k)
        for (int d = 0; d < kDim; ++d) {
          const int t = first_for(rt.rank, e, rt.nranks, batch) + k;
          wrong += host.tokens[t][d] != rt.rank * 100 + t * 8 + d + batch * 0.5f + 1000.0f * (e + 1);
        }
  }
  const int code = rt.verdict(wrong);
  RT_CHECK(ncclDevCommDestroy(rt.comm, &dc));
  return code;
}
