// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/plan.hpp"

/// @file
/// What the kernels of the collectives take and use: parameters, barriers, signals, landing buffers.

namespace cuco::impl {

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

/// Whether the kernel has a landing buffer of its own.
inline bool uses_scratch(Launcher const& l) {
  return l.directives.backend == Backend::kGin && is_reduction(l.site);
}

struct Parameter {
  char const* type;
  char const* name;
};

/// The kernel's parameters after the device communicator.
inline std::vector<Parameter> parameters_of(Launcher const& l) {
  std::vector<Parameter> out;
  if (l.site.collective != Collective::kBroadcast) out.push_back({"Place", "send"});
  out.push_back({"Place", "recv"});
  if (uses_scratch(l)) out.push_back({"Place", "scratch"});
  out.push_back({"size_t", is_reduction(l.site) ? "count" : "bytes"});
  if (is_rooted(l.site)) out.push_back({"int", "root"});
  return out;
}

inline std::vector<std::string> declarations_of(Launcher const& l) {
  std::vector<std::string> out;
  for (Parameter const& p : parameters_of(l)) out.push_back(std::string(p.type) + " " + p.name);
  return out;
}

inline std::vector<std::string> names_of_parameters(Launcher const& l) {
  std::vector<std::string> out;
  for (Parameter const& p : parameters_of(l)) out.emplace_back(p.name);
  return out;
}

inline char const* kernel_name(Site const& site) {
  return is_reduction(site) ? "reduce" : "move";
}

/// Whether puts cross between teams only, and ranks of one team store to each other.
inline bool stores_in_team(Launcher const& l) {
  return l.directives.backend == Backend::kGin && !l.site.lsa_team_is_world && !is_reduction(l.site) &&
         (l.site.collective == Collective::kBroadcast ? l.directives.algorithm == Algorithm::kPush
                                                      : !is_rooted(l.site));
}

/// Whether the kernel is a template: a put of bytes is the same for all types.
inline bool kernel_is_template(Launcher const& l) {
  bool const puts_only = l.directives.backend == Backend::kGin &&
                         l.site.collective == Collective::kBroadcast && !stores_in_team(l);
  return is_templated(l.site) && !puts_only;
}

/// The first line of the kernel, up to the opening brace.
inline std::string kernel_head(Launcher const& l) {
  std::string const words = !kernel_is_template(l) ? ""
                            : is_reduction(l.site) ? "template <class T, class Op>\n"
                                                   : "template <class Element>\n";
  std::vector<std::string> items{"ncclDevComm device"};
  for (auto& item : declarations_of(l)) items.push_back(std::move(item));
  std::string const qualifiers = words + "__global__ void __launch_bounds__(kThreads)";
  std::string const one_line = listed(qualifiers + " " + kernel_name(l.site) + "(", items, ") {");
  if (one_line.find('\n', words.size()) == std::string::npos) return one_line;
  return listed(qualifiers + "\n    " + kernel_name(l.site) + "(", items, ") {");
}

}  // namespace cuco::impl
