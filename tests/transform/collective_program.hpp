// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/transform/codegen/infrastructure.hpp"
#include "cuco/transform/codegen/section.hpp"
#include "transform/programs.hpp"

/// @file
/// A program that calls generated launchers directly, without a host-driven original, and verifies every
/// element.

namespace cuco::testing {

/// What every such program has: reference results, and one function that runs a launcher on one case.
inline std::string collective_driver() {
  return R"(
enum Kind { all_reduce, all_gather, all_to_all, reduce_scatter, broadcast, reduce, gather, scatter };
enum Op { op_sum, op_prod, op_min, op_max, op_avg };
struct Case { size_t count; int send_shift, recv_shift; bool in_place; int root; };
struct World { int rank, ranks; cudaStream_t stream; char *direct_send, *direct_recv, *plain_send, *plain_recv; };
static const size_t kGuard = 4, kBytes = (size_t(1) << 16) * 8;
static const int kRounds = 3;
static size_t wrong = 0;
static const char* selected = "";  // one launcher, or all whose names end in "_…"
static int delays = 0;             // seed of real delays before calls; 0: none
static bool chosen(const char* name) {
  const size_t have = strlen(name), want = strlen(selected);
  return want == 0 || strcmp(name, selected) == 0 ||
         (selected[0] == '_' && have > want && strcmp(name + have - want, selected) == 0);
}

static long long input(size_t i, int rank, int round, Op op) {
  return op == op_prod ? 1 + value_at(i, rank, round) % 2 : value_at(i, rank, round) % 8;
}
template <class T>
static T value_of(long long v, bool average, int ranks) {
  if (!average) return T(float(v));
  if (T(0.5f) == T(0.0f)) return T(float(v / ranks));
  return sizeof(T) == 8 ? T(double(v) / ranks) : T(float(v) / float(ranks));
}
template <class T>
static T reduced(size_t i, int round, Op op, int ranks) {
  long long v = input(i, 0, round, op);
  for (int r = 1; r < ranks; ++r) {
    const long long x = input(i, r, round, op);
    v = op == op_prod ? v * x : op == op_min ? std::min(v, x) : op == op_max ? std::max(v, x) : v + x;
  }
  return value_of<T>(sizeof(T) == 1 ? (long long)(signed char)(v) : v, op == op_avg, ranks);
}
// What position `i` of the receive buffer of this rank must hold.
template <class T>
static T expected(Kind kind, size_t i, const Case& c, int round, Op op, const World& w) {
  const size_t own = w.rank * c.count + i;
  switch (kind) {
    case all_reduce: case reduce: return reduced<T>(i, round, op, w.ranks);
    case reduce_scatter: return reduced<T>(own, round, op, w.ranks);
    case all_gather: case gather: return T(float(input(i % c.count, int(i / c.count), round, op)));
    case all_to_all: return T(float(input(w.rank * c.count + i % c.count, int(i / c.count), round, op)));
    case broadcast: return T(float(input(i, c.root, round, op)));
    default: return T(float(input(own, c.root, round, op)));
  }
}
// Calls without waiting in between, so that a rank may run ahead of the others as far as the launcher lets it.
template <class T, class Call>
static void check(const char* name, const World& w, Kind kind, Op op, bool send_staged, bool recv_staged, Case c, Call call) {
  if (!chosen(name)) return;
  c.root = c.root % w.ranks;
  const bool sends = w.rank == c.root || (kind != broadcast && kind != scatter);
  const bool receives = w.rank == c.root || (kind != reduce && kind != gather);
  const size_t slots = w.ranks;
  const size_t sent = c.count * (kind == all_to_all || kind == reduce_scatter || kind == scatter ? slots : 1);
  const size_t received = c.count * (kind == all_to_all || kind == all_gather || kind == gather ? slots : 1);
  const size_t send_at = kGuard + c.send_shift, recv_at = kGuard + c.recv_shift;
  T* const send_base = (T*)(send_staged ? w.plain_send : w.direct_send);
  T* const recv_base = (T*)(recv_staged ? w.plain_recv : w.direct_recv);
  T *send = send_base + send_at, *recv = recv_base + recv_at;
  const size_t send_all = send_at + sent + kGuard, recv_all = recv_at + received + kGuard;
  if (std::max(send_all, recv_all) * sizeof(T) > kBytes) abort();
  // In place, one buffer is part of the other.
  const bool in_send = sent > received;
  T* const both = (T*)(send_staged && recv_staged ? w.plain_send : w.direct_send) + send_at;
  if (c.in_place) {
    const size_t mine = sent == received ? 0 : w.rank * c.count;
    send = in_send ? both : both + mine;
    recv = in_send ? both + mine : both;
  }
  std::vector<std::vector<T>> out(kRounds), kept(kRounds);
  std::vector<std::vector<T>> in(kRounds);
  const size_t most = std::max(send_all, recv_all) + c.send_shift;
  T poison;
  memset((void*)&poison, 0x7b, sizeof(T));
  for (int round = 0; round < kRounds; ++round) {
    // Odd seeds keep a rank from what its peers are about to use, even ones from the call.
    const int pause = delays == 0 ? 0 : value_at(c.count, w.rank, round * 100 + delays) * 40;
    if (delays % 2 != 0) usleep(pause);
    in[round].assign(most, poison), out[round].assign(most, poison), kept[round].assign(most, poison);
    T* const base = c.in_place ? both - send_at : send_base;
    const size_t at = c.in_place ? send - base : send_at;
    for (size_t i = 0; i < sent; ++i) in[round][at + i] = value_of<T>(input(i, w.rank, round, op), false, 1);
    const size_t whole = (c.in_place ? most : send_all) * sizeof(T);
    CUDA_CHECK(cudaMemcpyAsync(base, in[round].data(), whole, cudaMemcpyHostToDevice, w.stream));
    if (!c.in_place) CUDA_CHECK(cudaMemsetAsync(recv_base, 0x7b, recv_all * sizeof(T), w.stream));
    if (delays % 2 == 0 && pause != 0) usleep(pause);
    NCCL_CHECK(call(sends || !send_staged ? send : nullptr, receives || !recv_staged ? recv : nullptr, c.count, c.root));
    T* const read = c.in_place ? base : recv_base;
    CUDA_CHECK(cudaMemcpyAsync(out[round].data(), read, c.in_place ? whole : recv_all * sizeof(T), cudaMemcpyDeviceToHost, w.stream));
    CUDA_CHECK(cudaMemcpyAsync(kept[round].data(), base, whole, cudaMemcpyDeviceToHost, w.stream));
  }
  CUDA_CHECK(cudaStreamSynchronize(w.stream));
  size_t bad = 0;
  for (int round = 0; round < kRounds; ++round) {
    const size_t at = c.in_place ? size_t(recv - (both - send_at)) : recv_at;
    std::vector<T> want = c.in_place ? in[round] : std::vector<T>(most, poison);
    for (size_t i = 0; receives && i < received; ++i) want[at + i] = expected<T>(kind, i, c, round, op, w);
    for (size_t i = 0; i < most; ++i) {
      const bool differs = memcmp(&want[i], &out[round][i], sizeof(T)) != 0;
      bad += differs || (!c.in_place && memcmp(&in[round][i], &kept[round][i], sizeof(T)) != 0);
    }
  }
  if (bad != 0)
    fprintf(stderr, "%s: rank %d: count %zu, shifts %d and %d, in place %d, root %d: %zu wrong\n", name, w.rank, c.count,
            c.send_shift, c.recv_shift, c.in_place, c.root, bad);
  wrong += bad;
}
)";
}

/// One launcher of a program and the kinds of calls it is tried with.
struct TriedLauncher {
  impl::Launcher launcher;
  bool in_place = false;  ///< Also in place.
};

inline char const* op_constant_of(Reduction op) {
  return op == Reduction::kSum    ? "ncclSum"
         : op == Reduction::kProd ? "ncclProd"
         : op == Reduction::kMin  ? "ncclMin"
         : op == Reduction::kMax  ? "ncclMax"
                                  : "ncclAvg";
}

/// The calls of `check` for one launcher: every type and reduction it knows.
inline std::string checks_of(TriedLauncher const& tried, std::string const& cases) {
  auto const& [l, in_place] = tried;
  std::string out;
  std::vector<Reduction> ops;
  for (Reduction op : l.site.ops) ops.push_back(op);
  if (!is_reduction(l.site)) ops = {Reduction::kSum};
  for (ElementType type : l.site.types) {
    for (Reduction op : ops) {
      std::string arguments = "s, r, n";
      if (l.site.runtime_type) arguments += ", " + impl::type_constant(type);
      if (l.site.runtime_type && is_reduction(l.site)) arguments += std::string(", ") + op_constant_of(op);
      if (is_rooted(l.site)) arguments += ", root";
      std::string const flags =
          std::string(l.site.send_staged ? "true" : "false") + ", " + (l.site.recv_staged ? "true" : "false");
      out += "  for (Case c : " + cases + ") {\n    if (c.in_place && !" + (in_place ? "true" : "false") +
             ") continue;\n    check<" + cpp_name(type) + ">(\"" + l.name + "\", w, " +
             to_string(l.site.collective) + ", op_" + to_string(op) + ", " + flags +
             ", c, [&](const void* s, void* r, size_t n, int root) {\n      (void)root;\n      return "
             "device_nccl::" +
             l.name + "(" + arguments + ", comm, stream);\n    });\n  }\n";
    }
  }
  return out;
}

inline std::string default_cases() {
  return "{Case{0, 0, 0, false, 0}, Case{1, 0, 0, false, 0}, Case{5, 1, 1, false, 1}, Case{1003, 1, 0, "
         "false, 2}, "
         "Case{2050, 1, 1, false, 1}, Case{1001, 1, 1, true, 3}}";
}

/// The whole program. Its arguments: which launcher (empty: all), a seed of delays. `section`: the generated
/// section, perhaps changed.
inline std::string collective_program(Api api,
                                      std::vector<TriedLauncher> const& tried,
                                      std::string const& section,
                                      std::string const& cases = default_cases()) {
  std::vector<impl::Launcher> launchers;
  for (auto const& t : tried) launchers.push_back(t.launcher);
  impl::InfrastructureOptions options;
  options.api = api;
  options.endings = {"ncclCommDestroy"};
  options.landing = impl::needs_landing(launchers);
  std::string out = prelude();
  std::string const includes =
      "#include <cstring>\n#include <initializer_list>\n#include <cooperative_groups.h>\n#include "
      "<cuda_bf16.h>\n"
      "#include <cuda_fp16.h>\n#include <unistd.h>\n";
  out.insert(0, includes);
  std::string const nccl = "#include <nccl.h>\n";
  out.insert(out.find(nccl) + nccl.size(), "#include <nccl_device.h>\n");
  out += "\n" + impl::infrastructure_text(options) + "\n" + section + collective_driver() + R"(
int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  World w{};
  if (argc > 1) selected = argv[1];
  if (argc > 2) delays = atoi(argv[2]);
  MPI_Comm_rank(MPI_COMM_WORLD, &w.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &w.ranks);
  ncclComm_t comm = make_comm(w.rank, w.ranks);
  cudaStream_t stream;
  CUDA_CHECK(cudaStreamCreate(&stream));
  w.stream = stream;
  CUDA_CHECK(device_nccl::allocate(&w.direct_send, kBytes));
  CUDA_CHECK(device_nccl::allocate(&w.direct_recv, kBytes));
  CUDA_CHECK(cudaMalloc(&w.plain_send, kBytes));
  CUDA_CHECK(cudaMalloc(&w.plain_recv, kBytes));
  device_nccl::prepare(comm, {w.direct_send, w.direct_recv});
)";
  for (auto const& t : tried) out += checks_of(t, cases);
  return out +
         R"(  for (char* p : {w.direct_send, w.direct_recv, w.plain_send, w.plain_recv}) CUDA_CHECK(device_nccl::release(p));
  const int status = verdict(wrong, 1.0);
  NCCL_CHECK(device_nccl::comm_destroy(comm));
  MPI_Finalize();
  return status;
}
)";
}

/// The launcher of `site` at `words`, tried in place where that is legal. The name gets `suffix`.
inline TriedLauncher tried(Site site, std::string const& words, std::string const& suffix = {}) {
  Directives d = words.empty() ? conservative(site) : parse_directives(words).value();
  Site in_place = site;
  in_place.in_place = true;
  in_place.send_offset_varies =
      site.collective == Collective::kAllGather || site.collective == Collective::kGather;
  in_place.recv_offset_varies =
      site.collective == Collective::kReduceScatter || site.collective == Collective::kScatter;
  return {{impl::name_of(site) + suffix, site, d}, !legal(d, in_place)};
}

}  // namespace cuco::testing
