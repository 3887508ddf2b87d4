// expect: sound
// ranks: 2 4 8
// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Small all-to-all over the low-latency session, several epochs per launch. In every epoch each rank sends to every
// rank, itself included, and receives what everybody sent before it ends the epoch, so no slot is overwritten
// unread. The slot of a message is chosen by its sender: its own rank times the elements per message.
#include "../include/mini_runtime.h"

#include <nccl_device.h>

#include <vector>

constexpr int kElems = 16, kEpochs = 5;

__host__ __device__ inline int message(int from, int to, int i, int epoch) {
  return epoch * 100000 + from * 10000 + to * 1000 + i;
}

__global__ void exchange(ncclLLA2AHandle_t handle, int* log, int first, ncclDevComm dc) {
  const ncclTeam team = ncclTeamLsa(dc);
  const int i = threadIdx.x;
  ncclLLA2ASession<ncclCoopCta> session(ncclCoopCta(), dc, team, handle, blockIdx.x, kElems * team.nRanks);
  for (int e = 0; e < kEpochs; ++e) {
    for (int p = 0; p < team.nRanks; ++p) session.send(p, team.rank * kElems + i, message(team.rank, p, i, first + e));
    for (int p = 0; p < team.nRanks; ++p)
      log[(e * team.nRanks + p) * kElems + i] = session.template recv<int>(p * kElems + i);
    session.endEpoch(ncclCoopCta());
  }
}

int main(int argc, char** argv) {
  Runtime rt(&argc, &argv);
  ncclLLA2AHandle_t handle;
  ncclDevResourceRequirements_t slots;
  RT_CHECK(ncclLLA2ACreateRequirement(1, ncclLLA2ACalcSlots(kElems * rt.nranks, sizeof(int)), &handle, &slots));
  ncclDevCommRequirements reqs{};
  reqs.resourceRequirementsList = &slots;
  ncclDevComm dc;
  RT_CHECK(ncclDevCommCreate(rt.comm, &reqs, &dc));
  std::vector<int> host(kEpochs * rt.nranks * kElems);
  int* log;
  RT_CHECK(cudaMalloc(&log, host.size() * sizeof(int)));

  int wrong = 0;
  for (int launch = 0; launch < 3; ++launch) {
    exchange<<<1, kElems, 0, rt.stream>>>(handle, log, launch * kEpochs, dc);
    RT_CHECK(cudaGetLastError());
    RT_CHECK(cudaMemcpyAsync(host.data(), log, host.size() * sizeof(int), cudaMemcpyDeviceToHost, rt.stream));
    RT_CHECK(cudaStreamSynchronize(rt.stream));
    for (int k = 0; k < (int)host.size(); ++k) {
      const int epoch = k / (rt.nranks * kElems), from = k / kElems % rt.nranks;
      wrong += host[k] != message(from, rt.rank, k % kElems, launch * kEpochs + epoch);
    }
  }
  const int code = rt.verdict(wrong);
  RT_CHECK(cudaFree(log));
  RT_CHECK(ncclDevCommDestroy(rt.comm, &dc));
  return code;
}
