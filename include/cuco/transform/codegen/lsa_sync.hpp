// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/signature.hpp"

/// @file
/// How a load/store kernel meets its peers at both ends.

namespace cuco::impl {

inline std::string lsa_entry_note(Directives const& d) {
  std::string const who = d.sync == SyncScope::kGlobal
                              ? "CTA 0 meets CTA 0 of all ranks, and the grid waits for it,"
                              : "each CTA meets the CTAs of the same index on all ranks";
  return who +
         " before any access, so every peer's\n// stream has reached this kernel: its input is complete and "
         "what used its "
         "receive buffer before has finished.";
}

inline std::string lsa_exit_note(Directives const& d) {
  std::string const who = d.sync == SyncScope::kGlobal ? "A grid barrier and CTA 0" : "The same CTAs";
  return who +
         " meet again at the end: then all results have arrived here, and no peer still\n// reads or writes "
         "this rank's "
         "buffers when the next kernel on the stream starts.";
}

inline std::string lsa_entry(Directives const& d) {
  if (d.sync == SyncScope::kGlobal)
    return R"(  const cooperative_groups::grid_group grid = cooperative_groups::this_grid();
  if (blockIdx.x == 0) {
    ncclLsaBarrierSession<ncclCoopCta> barrier(ncclCoopCta(), device, ncclTeamTagLsa(), kFirstBarrier);
    barrier.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
  }
  grid.sync();
)";
  return R"(  ncclLsaBarrierSession<ncclCoopCta> barrier(ncclCoopCta(), device, ncclTeamTagLsa(), kFirstBarrier + blockIdx.x);
  barrier.sync(ncclCoopCta(), cuda::memory_order_acq_rel);
)";
}

inline std::string lsa_exit(Directives const& d) {
  if (d.sync == SyncScope::kGlobal)
    return R"(  grid.sync();
  if (blockIdx.x == 0) {
    ncclLsaBarrierSession<ncclCoopCta> barrier(ncclCoopCta(), device, ncclTeamTagLsa(), kFirstBarrier);
    barrier.sync(ncclCoopCta(), cuda::memory_order_release);
  }
)";
  return "  barrier.sync(ncclCoopCta(), cuda::memory_order_release);\n";
}

}  // namespace cuco::impl
