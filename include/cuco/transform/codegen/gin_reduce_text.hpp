// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/gin_reduce_kernels.hpp"

/// @file
/// Puts a reduction over one-sided puts together.

namespace cuco::impl {

/// What differs between the scopes of synchronisation: who communicates, and what the grid does meanwhile.
inline Substitutions gin_scope_text(Launcher const& l, Resources const& r) {
  Directives const& d = l.directives;
  bool const two_shot = d.algorithm == Algorithm::kTwoShot;
  bool const global = d.sync == SyncScope::kGlobal;
  bool const per_peer = d.sync == SyncScope::kPerPeer;
  int const phases = two_shot ? 2 : 1;
  std::string const source = per_peer ? "threadIdx.x" : "";
  std::string const read_if = per_peer ? "int(threadIdx.x) < ranks ? " : "";
  std::string const read_else = per_peer ? " : 0" : "";
  auto declare = [&](std::string const& name, int phase) {
    return "  const ncclGinSignal_t " + name + " = " + gin_signal(d, r, phases, phase, source) +
           ";\n  const uint64_t " + name + "_before = " + read_if + "gin.readSignal(" + name + ")" +
           read_else + ";\n";
  };
  std::string piece, size = two_shot ? "share" : "count";
  if (global) {
    piece =
        two_shot ? "  const size_t first = 0, last = share;\n" : "  const size_t first = 0, size = count;\n";
  } else {
    piece = "  const size_t piece = round_up((" + size +
            " + gridDim.x - 1) / gridDim.x);\n  const size_t first = blockIdx.x * piece < " + size +
            " ? blockIdx.x * piece : " + size + ";\n";
    piece += two_shot ? "  const size_t last = first + piece < share ? first + piece : share;\n"
                      : "  const size_t size = first + piece < count ? piece : count - first;\n";
  }
  std::string open = gin_barrier(d, "  "), guard_open, guard_close, between;
  if (global) {
    open =
        "  const cooperative_groups::grid_group grid = cooperative_groups::this_grid();\n"
        "  if (blockIdx.x == 0) {\n" +
        gin_barrier(d, "    ") + "  }\n";
    guard_open = "  if (blockIdx.x == 0) {\n" + std::string(1, kIndent);
    guard_close = std::string(1, kUnindent) + "  }\n";
    between = "  grid.sync();\n";
  }
  std::string wait_scatter, wait_gather;
  if (per_peer) {
    wait_scatter = two_shot
                       ? "  if (mine.size != 0 && int(threadIdx.x) < ranks && int(threadIdx.x) != rank)\n"
                         "    gin.waitSignal(ncclCoopThread(), scatter, scatter_before + 1);\n"
                         "  __syncthreads();\n"
                       : "    if (int(threadIdx.x) < ranks && int(threadIdx.x) != rank)\n"
                         "      gin.waitSignal(ncclCoopThread(), scatter, scatter_before + 1);\n"
                         "    __syncthreads();\n";
    wait_gather =
        "  if (int(threadIdx.x) < ranks && int(threadIdx.x) != rank &&\n"
        "      range_of(threadIdx.x, share, first, last, count).size != 0)\n"
        "    gin.waitSignal(ncclCoopThread(), gather, gather_before + 1);\n";
  } else {
    wait_scatter =
        two_shot
            ? "  if (mine.size != 0) gin.waitSignal(ncclCoopCta(), scatter, scatter_before + ranks - 1);\n"
            : "    gin.waitSignal(ncclCoopCta(), scatter, scatter_before + ranks - 1);\n";
    wait_gather =
        "  int senders = 0;\n"
        "  for (int peer = 0; peer < ranks; ++peer)\n"
        "    senders += peer != rank && range_of(peer, share, first, last, count).size != 0;\n"
        "  gin.waitSignal(ncclCoopCta(), gather, gather_before + senders);\n";
  }
  if (is_rooted(l.site)) wait_gather = kIndent + wait_gather + kUnindent;  // Only the root waits.
  std::string const before = declare("scatter", 0) + (two_shot ? declare("gather", 1) : "");
  return {{"piece", piece},
          {"before", before},
          {"open", open},
          {"guard_open", guard_open},
          {"guard_close", guard_close},
          {"arrived", between},  // The grid may not read slots before CTA 0 has seen their signals.
          {"between", two_shot && !global ? "  __syncthreads();\n" : between},
          {"wait_scatter", wait_scatter},
          {"wait_gather", wait_gather},
          {"scatter_to", per_peer ? gin_signal(d, r, phases, 0, "rank") : "scatter"},
          {"gather_to", per_peer ? gin_signal(d, r, phases, 1, "rank") : "gather"},
          {"worker", global ? "size_t{blockIdx.x} * kThreads + threadIdx.x" : "threadIdx.x"},
          {"workers", global ? "size_t{gridDim.x} * kThreads" : "kThreads"}};
}

/// What differs between the collectives that reduce: the note, and the items of two puts.
struct GinReduction {
  std::string title, action, same_bits, destination, result_note;
  std::vector<std::string> input;   ///< The put of inputs.
  std::vector<std::string> result;  ///< The put of results, of a two-shot one.
  std::string place;                ///< Where a two-shot one reduces to, when it needs a line of its own.
  std::string out = "static_cast<@T@*>(ncclGetLocalPointer(recv.window, recv.offset)) + mine.begin";
  std::string own = "first";  ///< This rank's input of a one-shot one.
  char const* results = kGinResultsToAll;
};

inline GinReduction gin_two_shot(bool rooted) {
  GinReduction r;
  r.title = "AllReduce";
  r.destination = "every peer's receive buffer";
  r.input = {"peer",
             "scratch + (rank * share + first) * sizeof(@T@)",
             "send + range.begin * sizeof(@T@)",
             "range.size * sizeof(@T@)",
             "@scatter_to@",
             "@coop@"};
  std::string const begin = "recv + mine.begin * sizeof(@T@)", size = "mine.size * sizeof(@T@)";
  r.result = {"peer", begin, begin, size, "@gather_to@", "@coop@"};
  if (!rooted) return r;
  r.title = "Reduce";
  r.destination = "the root's receive buffer";
  r.result_note = "Until then a result lies in this rank's own landing slot, which nobody puts to. ";
  r.result = {"root", begin, "result", size, "@gather_to@", "ncclCoopCta()"};
  r.place =
      "  Place result = recv + mine.begin * sizeof(@T@);\n"
      "  if (rank != root) result = scratch + (rank * share + first) * sizeof(@T@);\n";
  r.out = "static_cast<@T@*>(ncclGetLocalPointer(result.window, result.offset))";
  r.results = kGinResultsToRoot;
  return r;
}

inline GinReduction gin_one_shot(Collective collective) {
  GinReduction r;
  std::string const slot = "scratch + (rank * slot + first) * sizeof(@T@)", size = "size * sizeof(@T@)";
  r.input = {"peer", slot, "send + first * sizeof(@T@)", size, "@scatter_to@", "@coop@"};
  if (collective == Collective::kReduce) {
    r.title = "Reduce";
    r.action = "every rank puts all of its input into a landing slot at the root, which reduces the slots";
    r.input.front() = "root";
    r.input.back() = "ncclCoopCta()";
  } else if (collective == Collective::kReduceScatter) {
    r.title = "ReduceScatter";
    r.action =
        "every rank puts each peer's slice of its input into a landing slot at that peer and reduces its own "
        "slice "
        "over the slots";
    r.input[2] = "send + (peer * count + first) * sizeof(@T@)";
    r.own = "rank * count + first";
  } else {
    r.title = "AllReduce";
    r.action = "every rank puts all of its input into a landing slot at each peer and reduces for itself";
    r.same_bits = ", so that all ranks get the same bits";
  }
  return r;
}

/// The constants, the device code and the note of one put-based reduction.
inline std::string gin_reduce_text(Launcher const& l, Resources const& resources) {
  Directives const& d = l.directives;
  bool const two_shot = d.algorithm == Algorithm::kTwoShot;
  std::string const grain =
      is_templated(l.site) ? "128" : std::string("128 / sizeof(") + cpp_name(l.site.types.front()) + ")";
  Substitutions values{{"area", std::to_string(resources.scratch_area)},
                       {"grain", grain},
                       {"scratch_bytes", scratch_bytes_text(l)},
                       {"slot_ranks", two_shot ? ", int ranks" : ""},
                       {"slot_count", two_shot ? "(count + ranks - 1) / ranks" : "count"},
                       {"signal_note", gin_signal_note(d)},
                       {"context", gin_context(d)},
                       {"peer_loop", gin_peer_loop(d)},
                       {"coop", gin_coop(d)},
                       {"unit", "elements"},
                       {"head", kernel_head(l)}};
  for (auto& entry : reduction_words(l.site, d)) values.push_back(std::move(entry));
  for (auto& entry : gin_scope_text(l, resources)) values.push_back(std::move(entry));
  GinReduction const r = two_shot ? gin_two_shot(is_rooted(l.site)) : gin_one_shot(l.site.collective);
  std::string const amount = two_shot ? "mine.size" : is_rooted(l.site) ? "reduced" : "size";
  values.emplace_back("title", r.title);
  values.emplace_back("action", r.action);
  values.emplace_back("same_bits", r.same_bits);
  values.emplace_back("destination", r.destination);
  values.emplace_back("result_note", r.result_note);
  values.emplace_back("own", r.own);
  values.emplace_back("place", render(r.place, values));
  values.emplace_back("out", render(r.out, values));
  bool const deep = !two_shot && !is_rooted(l.site);
  values.emplace_back("put_input", gin_put(deep ? "      " : "    ", r.input, values));
  if (two_shot) {
    values.emplace_back("put_result", gin_put(is_rooted(l.site) ? "    " : "      ", r.result, values));
    values.emplace_back("results", render(r.results, values));
  }
  values.emplace_back("reduce_all",
                      listed(render("  reduce_all@of@(", values),
                             {"device",
                              "own",
                              "slots",
                              two_shot ? "share" : "slot",
                              "out",
                              amount,
                              render("@worker@", values),
                              render("@workers@", values)},
                             ");\n"));
  char const* kernel = two_shot            ? kGinTwoShotKernel
                       : is_rooted(l.site) ? kGinRootReducesKernel
                                           : kGinOneShotKernel;
  return wrap_comment(render(two_shot ? kGinTwoShotNote : kGinOneShotNote, values)) + "namespace " + l.name +
         "_kernel {\n" + gin_constants(l, resources) + render(kGinReduceText, values) + gin_put_text(d) +
         (two_shot ? render(kGinRangeText, values) : "") + indented(render(kernel, values));
}

}  // namespace cuco::impl
