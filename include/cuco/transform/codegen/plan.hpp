// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/directives/design_space.hpp"
#include "cuco/transform/codegen/render.hpp"

namespace cuco::impl {

/// One launcher of a generated section: all calls of one collective with one type and reduction.
struct Launcher {
  std::string name;  ///< For example all_reduce_sum_float.
  Site site;
  Directives directives;
};

/// What the launchers of one section may not share.
struct Resources {
  int first_barrier = 0;
  std::string first_signal = "0";  ///< An expression in `ranks` on the device side, see `signals_of`.
  int scratch_area = 0;
};

inline std::string name_of(Site const& site) {
  std::string name = to_string(site.collective);
  if (site.collective == Collective::kAllReduce) name += std::string("_") + to_string(site.op);
  return name + "_" + to_string(site.type);
}

/// Barrier indices one launch uses.
inline int barriers_of(Launcher const& l) {
  return l.directives.sync == SyncScope::kGlobal ? 1 : l.directives.ctas;
}

/// Signals one launch uses; per rank when synchronisation is per peer.
inline int signals_of(Launcher const& l) {
  if (l.directives.backend == Backend::kLsa) return 0;
  int const phases = l.directives.algorithm == Algorithm::kTwoShot ? 2 : 1;
  return phases * barriers_of(l);
}

inline bool uses_scratch(Launcher const& l) {
  return l.directives.backend == Backend::kGin && l.site.collective == Collective::kAllReduce;
}

}  // namespace cuco::impl
