// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "cuco/emu/machine.hpp"

namespace cuco::impl::evaluating {

/// What a machine description says to somebody who writes a kernel for it.
inline std::vector<std::string> machine_facts(Machine const& machine) {
  auto const value = [&](char const* key) { return machine.parameter(key).value_or(0); };
  return {
      fmt::format("{}: {} (modelled)", machine.name, machine.description),
      fmt::format("up to {:g} GPUs per node, which load and store in each other's windows; {:g} NIC per GPU "
                  "to other nodes",
                  value("gpus_per_node"),
                  value("nics_per_gpu")),
      fmt::format("GPU: {:g} SMs, {:g} threads and {:g} KiB of shared memory per SM ({:g} KiB per block at "
                  "most), {:g} GiB "
                  "of memory at {:g} GB/s",
                  value("sm_count"),
                  value("max_threads_per_sm"),
                  value("shared_per_sm_bytes") / 1024,
                  value("shared_per_block_optin_bytes") / 1024,
                  value("memory_gib"),
                  value("hbm_gbps")),
      fmt::format("between GPUs of a node: loads {:g} GB/s, stores {:g} GB/s per GPU, {:g} GB/s per SM; an "
                  "exposed load "
                  "{:g} us, a barrier {:g} us",
                  value("link_load_gbps"),
                  value("link_store_gbps"),
                  value("sm_peer_gbps"),
                  value("peer_latency_us"),
                  value("lsa_barrier_us")),
      fmt::format("GIN: {:g} contexts; put and signal {:g} us and {:g} GB/s inside a node, {:g} us and {:g} "
                  "GB/s across; "
                  "{:g} us of the thread that posts",
                  value("gin_contexts"),
                  value("gin_intra_latency_us"),
                  value("gin_intra_gbps"),
                  value("gin_inter_latency_us"),
                  value("gin_inter_gbps"),
                  value("gin_post_us")),
      fmt::format("a kernel launch costs the host {:g} us and starts {:g} us later",
                  value("launch_issue_us"),
                  value("launch_latency_us")),
  };
}

}  // namespace cuco::impl::evaluating
