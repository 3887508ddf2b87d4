// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
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

/// With `Api::Auto` a call goes to a launcher X that chooses between X_lsa and X_gin.
inline std::string name_for(std::string const& called, Api api) {
  return called + "_" + to_string(api);
}

/// The name that the program calls: that of `l`, or of the launcher that chooses it.
inline std::string called_name(Launcher const& l, Api api) {
  if (api != Api::Auto) return l.name;
  std::string const suffix = std::string("_") + to_string(l.site.api);
  bool const has_it = l.name.size() > suffix.size() &&
                      l.name.compare(l.name.size() - suffix.size(), suffix.size(), suffix) == 0;
  return has_it ? l.name.substr(0, l.name.size() - suffix.size()) : l.name;
}

/// Whether `launchers[i - 1]` and `launchers[i]` do the same over loads and stores and over puts.
inline bool ends_pair(std::vector<Launcher> const& launchers, std::size_t i, Api api) {
  if (api != Api::Auto || i == 0) return false;
  Launcher const &lsa = launchers[i - 1], &gin = launchers[i];
  return lsa.site.api == Api::LSA && gin.site.api == Api::GIN &&
         called_name(lsa, api) == called_name(gin, api);
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
