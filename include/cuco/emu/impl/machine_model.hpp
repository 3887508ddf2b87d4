// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The parameters of the modelled machine. They are read from the flat text file named by CUCO_EMU_MACHINE:
/// one `key=value` per line, `#` starts a comment; unknown keys end the program with exit 91, missing ones
/// keep the default below. The defaults describe one node with NVLink H200 GPUs. Units are in the name: _us
/// microseconds, _gbps 1e9 bytes per second, _ns nanoseconds.

#include <string>

namespace cuco::emu::impl {

/// Cost of one class of host-launched collective: alpha_us(n) = base + per_rank * (n - 1); time = alpha +
/// wire_bytes / bandwidth.
struct CollectiveCost {
  double base_us;
  double per_rank_us;
  double bandwidth_gbps;  ///< Bus bandwidth at large sizes.
  double small_gbps;  ///< Effective extra cost of mid sizes: time adds min(bytes, small_bytes) / small_gbps.
  double small_bytes;
};

struct Machine {
  std::string name = "h200-nvlink-node";

  // Topology.
  int gpus_per_node = 8;  ///< LSA team size = this (consecutive ranks), capped by the number of ranks.
  int nics_per_gpu = 1;   ///< GIN between nodes: puts to different destinations share one NIC per GPU.

  // One GPU.
  int sm_count = 132;
  int max_threads_per_sm = 2048;
  int max_blocks_per_sm = 32;
  int shared_per_sm_bytes = 233472;
  int shared_per_block_bytes = 49152;         ///< Without opt-in.
  int shared_per_block_optin_bytes = 232448;  ///< With cudaFuncAttributeMaxDynamicSharedMemorySize.
  int registers_per_thread = 32;              ///< Assumed for occupancy (65536 registers per SM).
  double clock_mhz = 1755;
  double memory_gib = 141;
  double hbm_gbps = 3900;           ///< Read + write.
  double sm_local_gbps = 60;        ///< One SM, own memory (L2 and HBM), read + write.
  double sm_shared_gbps = 220;      ///< One SM, shared memory.
  double local_latency_us = 0.6;    ///< One exposed run of loads from own memory.
  double shared_latency_us = 0.02;  ///< One exposed run of loads from shared memory.
  double issue_ns = 0.018;  ///< Per access of one thread, per SM (a warp's access costs 32 times this).
  double atomic_latency_us = 0.7;  ///< One atomic on own memory.
  double sync_us = 0.02;           ///< __syncthreads, __syncwarp and named barriers.
  double grid_sync_us = 1.2;

  // NVLink.
  double link_load_gbps = 270;   ///< One GPU's loads from peers, while everybody else does the same.
  double link_store_gbps = 325;  ///< One GPU's stores to peers; the time of loads and stores adds up.
  double sm_peer_gbps = 14;      ///< One SM, peer memory.
  double peer_latency_us = 1.1;  ///< One exposed run of loads from a peer.
  double peer_atomic_latency_us = 1.6;
  double lsa_barrier_us = 1.3;  ///< Flag store to flag seen.
  double loads_in_flight = 16;  ///< A run of loads longer than this is exposed again.

  // Host and streams.
  double api_us = 0.4;                ///< Any CUDA call that enqueues or queries.
  double launch_issue_us = 2.0;       ///< Host time of one kernel launch.
  double launch_latency_us = 2.5;     ///< Issue to start on an idle stream.
  double kernel_gap_us = 1.0;         ///< Between two kernels of one stream.
  double kernel_gap_per_rank_us = 0;  ///< The same, per further GPU of the node that the same process drives.
  double kernel_floor_us = 1.5;       ///< Shortest kernel.
  double block_start_us = 0.4;        ///< Start of a block in a later wave.
  double sync_return_us = 2.0;        ///< Synchronising host calls.
  double copy_latency_us = 1.5;
  double copy_h2d_gbps = 50;
  double copy_d2h_gbps = 50;
  double copy_d2d_gbps = 1700;
  double copy_peer_gbps = 390;
  double memset_gbps = 2500;

  // GIN.
  int gin_contexts = 4;
  double gin_post_us = 0.35;          ///< Time of the posting thread.
  double gin_intra_latency_us = 4.0;  ///< Post to delivery inside a node, without the bytes.
  double gin_intra_gbps = 340;
  double gin_inter_latency_us = 5.0;
  double gin_inter_gbps = 48;
  double gin_signal_us = 0.4;  ///< Delivery to seen by a waiting kernel.
  double gin_flush_us = 0.5;

  // Host-launched NCCL. Inside one node ("intra") and over several ("inter").
  double nccl_issue_us = 3.0;
  CollectiveCost allreduce_intra{7.0, 1.5, 280, 60, 1048576};
  CollectiveCost allgather_intra{7.0, 1.5, 330, 80, 1048576};
  CollectiveCost reducescatter_intra{7.0, 1.5, 330, 80, 1048576};
  CollectiveCost alltoall_intra{7.0, 2.5, 340, 80, 1048576};
  CollectiveCost broadcast_intra{7.0, 1.5, 330, 80, 1048576};
  CollectiveCost sendrecv_intra{7.0, 0.5, 340, 80, 1048576};
  CollectiveCost allreduce_inter{14.0, 2.5, 45, 20, 1048576};
  CollectiveCost allgather_inter{14.0, 2.5, 46, 20, 1048576};
  CollectiveCost reducescatter_inter{14.0, 2.5, 46, 20, 1048576};
  CollectiveCost alltoall_inter{14.0, 3.0, 44, 20, 1048576};
  CollectiveCost broadcast_inter{14.0, 2.5, 46, 20, 1048576};
  CollectiveCost sendrecv_inter{12.0, 1.0, 46, 20, 1048576};

  /// Calls `f(key, reference)` for every parameter; a CollectiveCost `c` has keys c_base_us, c_per_rank_us,
  /// c_bandwidth_gbps, c_small_gbps, c_small_bytes.
  template <typename F>
  void for_each(F&& f);
};

}  // namespace cuco::emu::impl
