// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "cuco/transform/codegen/element_bytes_text.hpp"
#include "cuco/transform/codegen/exchange_host.hpp"
#include "cuco/transform/codegen/gin_move.hpp"
#include "cuco/transform/codegen/gin_reduce_text.hpp"
#include "cuco/transform/codegen/gin_rooted.hpp"
#include "cuco/transform/codegen/launcher_text.hpp"
#include "cuco/transform/codegen/lsa_move.hpp"
#include "cuco/transform/codegen/lsa_reduce.hpp"
#include "cuco/transform/codegen/lsa_rooted.hpp"

/// @file
/// The generated section: constants, kernels and launchers of a program's collectives, and what they require.

namespace cuco::impl {

inline constexpr char const* kSectionBegin = "// cuco: section begin api=";
inline constexpr char const* kSectionEnd = "// cuco: section end";
inline constexpr char const* kLauncherTag = "// cuco: launcher name=";

inline std::string kernel_text(Launcher const& l, Resources const& r) {
  bool const lsa = l.directives.backend == Backend::kLsa;
  if (is_reduction(l.site)) return lsa ? lsa_reduce_text(l, r) : gin_reduce_text(l, r);
  if (is_rooted(l.site)) return lsa ? lsa_rooted_text(l, r) : gin_rooted_text(l, r);
  return lsa ? lsa_move_text(l, r) : gin_move_text(l, r);
}

inline std::string annotation_of(Launcher const& l) {
  return kLauncherTag + l.name + " " + to_string(l.site) + " " + to_string(l.directives) + "\n";
}

/// The launcher that the program calls, of those that are generated for both interfaces.
inline std::string choice_text(Launcher const& lsa, Launcher const& gin) {
  std::string const name = called_name(lsa, Api::Auto);
  std::vector<std::string> arguments;
  for (std::string const& p : launcher_parameters(lsa)) arguments.push_back(p.substr(p.rfind(' ') + 1));
  return "\n// By load and store where all ranks reach each other so, else by puts.\n" +
         listed("inline ncclResult_t " + name + "(", launcher_parameters(lsa), ") {\n") +
         "  if (loads_and_stores(communicator_of(comm)))\n" +
         listed("    return " + lsa.name + "(", arguments, ");\n") +
         listed("  return " + gin.name + "(", arguments, ");\n") + "}\n";
}

/// How many of each resource `launchers` use together; signals as an expression in `ranks`.
struct Totals {
  int barriers = 0, signals = 0, signals_per_rank = 0, scratch_areas = 0;
  [[nodiscard]] std::string signal_expression() const {
    if (signals_per_rank == 0) return std::to_string(signals);
    std::string const per_rank = std::to_string(signals_per_rank) + " * ranks";
    return signals == 0 ? per_rank : per_rank + " + " + std::to_string(signals);
  }
  void add(Launcher const& l) {
    if (l.site.collective == Collective::kSendRecv) {
      signals_per_rank += exchange_signals(l.directives);
      return;
    }
    barriers += barriers_of(l);
    (l.directives.sync == SyncScope::kPerPeer ? signals_per_rank : signals) += signals_of(l);
    scratch_areas += uses_scratch(l) ? 1 : 0;
  }
};

/// The landing buffer of `l` when no buffer is larger than `largest` bytes.
inline std::string largest_scratch(Launcher const& l) {
  bool const slices = l.site.collective == Collective::kReduceScatter;
  std::string const count = is_templated(l.site)
                                ? "(largest + 7) / 8"
                                : std::string("largest / sizeof(") + cpp_name(l.site.types.front()) + ")";
  return l.name + "_kernel::scratch_bytes(" + count + (slices ? " / ranks" : "") + ", ranks" +
         (is_templated(l.site) ? ", 8)" : ")");
}

inline std::string requirements_text(Api api, std::vector<Launcher> const& launchers, bool with_kernels) {
  Totals totals, lsa;  // A communicator is for one interface, so what only one asks for is counted apart.
  std::vector<std::string> scratch;
  for (auto const& l : launchers) {
    (api == Api::Auto && l.site.api == Api::LSA ? lsa : totals).add(l);
    if (uses_scratch(l) && with_kernels) scratch.push_back(largest_scratch(l));
  }
  bool const puts = api != Api::LSA;
  std::string values = api == Api::Auto ? std::to_string(lsa.barriers) + ", " : "";
  values += std::to_string(totals.barriers);
  if (puts) values += ", " + totals.signal_expression();
  bool const by_ranks = puts && totals.signals_per_rank != 0;
  std::string const ranks = by_ranks || !scratch.empty() ? "int ranks" : "int";
  if (!needs_landing(launchers))
    return "Requirements requirements(" + (puts ? ranks : "") + ") { return {" + values + "}; }\n";
  if (scratch.empty())
    return "Requirements requirements(" + ranks + ", size_t) { return {" + values + ", 0, 0}; }\n";
  std::string lines;  // One for each, as names may be long.
  for (auto const& one : scratch) lines += (lines.empty() ? "" : ",\n") + ("      " + one);
  return "Requirements requirements(int ranks, size_t largest) {\n  const size_t scratch = std::max({\n" +
         lines + "});\n  return {" + values + ", " + std::to_string(totals.scratch_areas) +
         ", scratch};\n}\n";
}

/// Texts that launchers share, each once and before the first that needs it.
class SharedTexts {
 public:
  SharedTexts(Api api, bool ordered) : api_(api), ordered_(ordered) {}
  [[nodiscard]] std::string before(Launcher const& l) {
    bool const exchange = l.site.collective == Collective::kSendRecv;
    std::string out;
    if (exchange || is_templated(l.site)) out += once(kElementBytesText);
    if (exchange && api_ == Api::Auto) out += once(kExchangeWork);
    if (!exchange && own_stream(l)) out += once(kCommunicationStreamText);
    if (ordered_ && (exchange || keeps_order(l))) out += once(kLaunchOrderText);
    return out;
  }

 private:
  [[nodiscard]] std::string once(char const* text) { return written_.insert(text).second ? text : ""; }
  Api api_;
  bool ordered_;
  std::set<char const*> written_{};
};

/// The whole section. Without kernels (the infrastructure stage) it only says what will be required.
inline std::string section_text(Api api, std::vector<Launcher> const& launchers, bool with_kernels) {
  std::string out = kSectionBegin + std::string(to_string(api)) + "\n";
  out += with_kernels ? "// The program's collectives as kernels. A launcher's line of words says what it is "
                        "and how it was generated.\n"
                      : "// What the kernels that take the place of the program's collectives will need.\n";
  out += "namespace device_nccl {\n";
  bool const ordered = std::any_of(launchers.begin(), launchers.end(), [](Launcher const& l) {
    return l.site.collective != Collective::kSendRecv && keeps_order(l);
  });
  SharedTexts shared(api, ordered);
  Totals used_by_lsa, used_by_gin, all;
  for (auto const& l : launchers) all.add(l);
  int staging_area = all.scratch_areas;
  for (std::size_t i = 0; i < launchers.size(); ++i) {
    Launcher const& l = launchers[i];
    if (!with_kernels) {
      out += "\n" + annotation_of(l);  // kept for the stage that writes the kernels
      continue;
    }
    Totals& used = l.site.api == Api::LSA ? used_by_lsa : used_by_gin;
    bool const exchange = l.site.collective == Collective::kSendRecv;
    bool const second = ends_pair(launchers, i, api);
    Resources const r{used.barriers, used.signal_expression(), used.scratch_areas, staging_area};
    out += shared.before(l) + "\n" + annotation_of(l);
    if (exchange && api == Api::Auto)
      out += exchange_kernel_text(l, r) +
             (second ? exchange_host_text(launchers[i - 1], l, ordered) : std::string());
    else if (exchange)
      out += exchange_text(l, r, ordered);
    else
      out += kernel_text(l, r) + launch_text(l, r) + launcher_text(l);
    if (second && !exchange) out += choice_text(launchers[i - 1], l);
    used.add(l);
    staging_area += staging_areas_of(l);
  }
  if (!with_kernels && sends_and_receives(launchers)) out += std::string("\n") + kNoExchange;
  out += "\n" + requirements_text(api, launchers, with_kernels);
  return out + "\n}  // namespace device_nccl\n" + kSectionEnd + "\n";
}

}  // namespace cuco::impl
