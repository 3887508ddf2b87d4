// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nccl_device.h>

#include "moe_layout.h"

// Moves `count` tokens to a place in the memory of world rank `peer`: by stores inside the LSA team, by a put with
// a signal of weight `count` otherwise. Called by whole blocks.
__device__ inline void move_tokens(const ncclDevComm& dc, const ncclGin& gin, ncclWindow_t win, int peer, size_t to,
                                   size_t from, int count, ncclGinSignal_t signal) {
  const ncclTeam world = ncclTeamWorld(dc);
  if (count == 0) return;
  if (ncclTeamRankIsMember(ncclTeamLsa(dc), world, peer)) {
    const float* source = (const float*)ncclGetLocalPointer(win, from);
    float* target = (float*)ncclGetPeerPointer(win, to, world, peer);
    for (int i = threadIdx.x; i < count * kDim; i += blockDim.x) target[i] = source[i];
  } else if (threadIdx.x == 0) {
    gin.put(world, peer, win, to, win, from, count * kDim * sizeof(float),
            ncclGin_SignalAdd{signal, (uint64_t)count});
  }
}

// Tokens that reach this rank by put, over all sources outside its LSA team.
__device__ inline int far_tokens(const ncclDevComm& dc, int batch, bool dispatch) {
  const ncclTeam world = ncclTeamWorld(dc);
  int sum = 0;
  for (int r = 0; r < world.nRanks; ++r) {
    if (ncclTeamRankIsMember(ncclTeamLsa(dc), world, r)) continue;
    sum += dispatch ? tokens_for(r, world.rank, world.nRanks, batch) : tokens_for(world.rank, r, world.nRanks, batch);
  }
  return sum;
}
