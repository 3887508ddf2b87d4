// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/gin_all_reduce.hpp"

namespace cuco::impl {

/// Template characters around text that lies one level deeper when only one CTA communicates.
inline constexpr char kIndent = '\x02';
inline constexpr char kUnindent = '\x03';

/// Applies `kIndent` and `kUnindent`.
inline std::string indented(std::string_view text) {
  std::string out;
  bool deeper = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kIndent || text[i] == kUnindent) {
      deeper = text[i] == kIndent;
      continue;
    }
    bool const line_start = out.empty() || out.back() == '\n';
    if (deeper && line_start && text[i] != '\n') out += "  ";
    out += text[i];
  }
  return out;
}

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
            " + kCtas - 1) / kCtas);\n  const size_t first = blockIdx.x * piece < " + size +
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
          {"workers", global ? "size_t{kCtas} * kThreads" : "kThreads"}};
}

/// The constants, the device code and the note of one put-based AllReduce.
inline std::string gin_all_reduce_text(Launcher const& l, Resources const& resources) {
  Directives const& d = l.directives;
  bool const two_shot = d.algorithm == Algorithm::kTwoShot;
  Substitutions values{{"T", cpp_name(l.site.type)},
                       {"Acc", accumulator_of(l.site.type)},
                       {"lanes", std::to_string(d.vector_bytes / size_in_bytes(l.site.type))},
                       {"vector_bytes", std::to_string(d.vector_bytes)},
                       {"area", std::to_string(resources.scratch_area)},
                       {"elements", element_text(l.site)},
                       {"finish_arguments", finish_arguments(l.site)},
                       {"slot_count", two_shot ? "(count + ranks - 1) / ranks" : "count"},
                       {"signal_note", gin_signal_note(d)},
                       {"context", gin_context(d)},
                       {"peer_loop", gin_peer_loop(d)},
                       {"coop", gin_coop(d)}};
  for (auto& entry : gin_scope_text(l, resources)) values.push_back(std::move(entry));
  return wrap_comment(render(two_shot ? kGinTwoShotNote : kGinOneShotNote, values)) + "namespace " + l.name +
         "_kernel {\n" + gin_constants(l, resources) + render(kGinReduceText, values) + gin_put_text(d) +
         indented(render(two_shot ? kGinTwoShotKernel : kGinOneShotKernel, values));
}

}  // namespace cuco::impl
