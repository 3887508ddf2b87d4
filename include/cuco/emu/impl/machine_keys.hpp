// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The list of machine parameters by name: shared by the runtime, which reads them, and by the host library,
/// which checks and writes them.

#include <string>

#include "cuco/emu/impl/machine_model.hpp"

namespace cuco::emu::impl {

template <typename F>
void Machine::for_each(F&& f) {
#define CUCO_EVOLVE_KEY(k) f(std::string(#k), k)
  CUCO_EVOLVE_KEY(name);
  CUCO_EVOLVE_KEY(gpus_per_node);
  CUCO_EVOLVE_KEY(nics_per_gpu);
  CUCO_EVOLVE_KEY(sm_count);
  CUCO_EVOLVE_KEY(max_threads_per_sm);
  CUCO_EVOLVE_KEY(max_blocks_per_sm);
  CUCO_EVOLVE_KEY(shared_per_sm_bytes);
  CUCO_EVOLVE_KEY(shared_per_block_bytes);
  CUCO_EVOLVE_KEY(shared_per_block_optin_bytes);
  CUCO_EVOLVE_KEY(registers_per_thread);
  CUCO_EVOLVE_KEY(clock_mhz);
  CUCO_EVOLVE_KEY(memory_gib);
  CUCO_EVOLVE_KEY(hbm_gbps);
  CUCO_EVOLVE_KEY(sm_local_gbps);
  CUCO_EVOLVE_KEY(sm_shared_gbps);
  CUCO_EVOLVE_KEY(local_latency_us);
  CUCO_EVOLVE_KEY(shared_latency_us);
  CUCO_EVOLVE_KEY(issue_ns);
  CUCO_EVOLVE_KEY(atomic_latency_us);
  CUCO_EVOLVE_KEY(sync_us);
  CUCO_EVOLVE_KEY(grid_sync_us);
  CUCO_EVOLVE_KEY(link_load_gbps);
  CUCO_EVOLVE_KEY(link_store_gbps);
  CUCO_EVOLVE_KEY(sm_peer_gbps);
  CUCO_EVOLVE_KEY(peer_latency_us);
  CUCO_EVOLVE_KEY(peer_atomic_latency_us);
  CUCO_EVOLVE_KEY(lsa_barrier_us);
  CUCO_EVOLVE_KEY(loads_in_flight);
  CUCO_EVOLVE_KEY(api_us);
  CUCO_EVOLVE_KEY(launch_issue_us);
  CUCO_EVOLVE_KEY(launch_latency_us);
  CUCO_EVOLVE_KEY(kernel_gap_us);
  CUCO_EVOLVE_KEY(kernel_gap_per_rank_us);
  CUCO_EVOLVE_KEY(kernel_floor_us);
  CUCO_EVOLVE_KEY(block_start_us);
  CUCO_EVOLVE_KEY(sync_return_us);
  CUCO_EVOLVE_KEY(copy_latency_us);
  CUCO_EVOLVE_KEY(copy_h2d_gbps);
  CUCO_EVOLVE_KEY(copy_d2h_gbps);
  CUCO_EVOLVE_KEY(copy_d2d_gbps);
  CUCO_EVOLVE_KEY(copy_peer_gbps);
  CUCO_EVOLVE_KEY(memset_gbps);
  CUCO_EVOLVE_KEY(gin_contexts);
  CUCO_EVOLVE_KEY(gin_post_us);
  CUCO_EVOLVE_KEY(gin_intra_latency_us);
  CUCO_EVOLVE_KEY(gin_intra_gbps);
  CUCO_EVOLVE_KEY(gin_inter_latency_us);
  CUCO_EVOLVE_KEY(gin_inter_gbps);
  CUCO_EVOLVE_KEY(gin_signal_us);
  CUCO_EVOLVE_KEY(gin_flush_us);
  CUCO_EVOLVE_KEY(nccl_issue_us);
#undef CUCO_EVOLVE_KEY
  auto cost = [&](std::string const& key, CollectiveCost& c) {
    f(key + "_base_us", c.base_us);
    f(key + "_per_rank_us", c.per_rank_us);
    f(key + "_bandwidth_gbps", c.bandwidth_gbps);
    f(key + "_small_gbps", c.small_gbps);
    f(key + "_small_bytes", c.small_bytes);
  };
  cost("allreduce_intra", allreduce_intra);
  cost("allgather_intra", allgather_intra);
  cost("reducescatter_intra", reducescatter_intra);
  cost("alltoall_intra", alltoall_intra);
  cost("broadcast_intra", broadcast_intra);
  cost("sendrecv_intra", sendrecv_intra);
  cost("allreduce_inter", allreduce_inter);
  cost("allgather_inter", allgather_inter);
  cost("reducescatter_inter", reducescatter_inter);
  cost("alltoall_inter", alltoall_inter);
  cost("broadcast_inter", broadcast_inter);
  cost("sendrecv_inter", sendrecv_inter);
}

}  // namespace cuco::emu::impl
