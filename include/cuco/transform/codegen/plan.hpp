// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/directives/design_space.hpp"
#include "cuco/transform/codegen/render.hpp"

namespace cuco::impl {

/// One launcher of a generated section: all calls of one collective with one type and reduction, or all of
/// one collective when types are known at run time.
struct Launcher {
  std::string name;  ///< For example all_reduce_sum_float.
  Site site;
  Directives directives;
};

/// What the launchers of one section may not share.
struct Resources {
  int first_barrier = 0;
  std::string first_signal = "0";  ///< An expression in `ranks` on the device side, see `signals_of`.
  int scratch_area = 0;            ///< Landing buffer of the kernel itself, when `uses_scratch`.
  int staging_area = 0;  ///< First of the landing buffers in place of buffers that peers cannot reach.
};

inline std::string name_of(Site const& site) {
  std::string name = to_string(site.collective);
  if (site.runtime_type || site.collective == Collective::kSendRecv) return name;
  if (is_reduction(site)) name += std::string("_") + to_string(site.ops.front());
  return name + "_" + to_string(site.types.front());
}

/// Whether code is generated once for all types, as templates.
inline bool is_templated(Site const& site) {
  return site.runtime_type;
}

/// Whether the launcher's send argument goes through a landing buffer. A broadcast copies it into the receive
/// buffer instead.
inline bool stages_send(Site const& site) {
  return site.send_staged && site.collective != Collective::kBroadcast;
}

inline int staging_areas_of(Launcher const& l) {
  if (l.site.collective == Collective::kSendRecv) return 0;
  return (stages_send(l.site) ? 1 : 0) + (l.site.recv_staged ? 1 : 0);
}

/// Whether any point of the design space of `site` needs landing buffers.
inline bool needs_landing(Site const& site) {
  if (site.collective == Collective::kSendRecv) return false;
  return stages_send(site) || site.recv_staged || (site.api == Api::GIN && is_reduction(site));
}

inline bool needs_landing(std::vector<Launcher> const& launchers) {
  for (Launcher const& l : launchers)
    if (needs_landing(l.site)) return true;
  return false;
}

inline bool sends_and_receives(std::vector<Launcher> const& launchers) {
  for (Launcher const& l : launchers)
    if (l.site.collective == Collective::kSendRecv) return true;
  return false;
}

}  // namespace cuco::impl
