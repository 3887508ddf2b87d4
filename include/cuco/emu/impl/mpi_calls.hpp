// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Wrappers of MPI calls, through MPI's profiling interface: blocking ones make the host thread count as
/// waiting, collective ones let the virtual host clocks meet. MPI_Wtime is the virtual host clock. Included
/// by the runtime object only.

#include <mpi.h>

#include <cstdlib>
#include <numeric>
#include <unordered_map>
#include <vector>

#include "cuco/emu/impl/deadlock.hpp"
#include "cuco/emu/impl/host_clock.hpp"

namespace cuco::emu::impl {

/// The host clocks of the communicator's ranks become their maximum.
inline void meet(MPI_Comm comm) {
  int inter = 0;
  PMPI_Comm_test_inter(comm, &inter);
  if (inter != 0) return;
  double mine = Device::get().host_clock, latest = mine;
  PMPI_Allreduce(&mine, &latest, 1, MPI_DOUBLE, MPI_MAX, comm);
  Device::get().host_clock = latest;
}

/// A communicator's calls in the trace: numbered per communicator, which is named by the world ranks in it.
inline std::uint64_t mpi_key(MPI_Comm comm, std::uint64_t& sequence) {
  static auto* const counts = new std::unordered_map<std::uint64_t, std::uint64_t>;
  MPI_Group group, world;
  PMPI_Comm_group(comm, &group);
  PMPI_Comm_group(MPI_COMM_WORLD, &world);
  int n = 0;
  PMPI_Group_size(group, &n);
  std::vector<int> mine(static_cast<std::size_t>(n)), of_world(static_cast<std::size_t>(n));
  std::iota(mine.begin(), mine.end(), 0);
  PMPI_Group_translate_ranks(group, n, mine.data(), world, of_world.data());
  PMPI_Group_free(&group);
  PMPI_Group_free(&world);
  std::uint64_t key = 0x6d7069;
  for (int r : of_world) key = trace_key(key, static_cast<std::uint64_t>(r));
  static auto* const mutex = new std::mutex;
  std::lock_guard<std::mutex> hold(*mutex);
  sequence = ++(*counts)[key];
  return key;
}
/// How a collective call orders its ranks.
enum class MpiFlow { kAll, kFromRoot, kToRoot };
/// One collective call of MPI: what it releases when it begins, and what it learns at its end.
class MpiCollective {
 public:
  MpiCollective(MPI_Comm comm, MpiFlow flow, int root) : comm_(comm), flow_(flow), root_(root) {
    int inter = 0;
    on_ = tracing() && PMPI_Comm_test_inter(comm, &inter) == MPI_SUCCESS && inter == 0;
    if (!on_) return;
    key_ = mpi_key(comm, sequence_);
    PMPI_Comm_rank(comm, &rank_);
    PMPI_Comm_size(comm, &size_);
    trace(TraceKind::kRelease, of(rank_), 0, trace_flags(TraceOrder::kRelease, TraceScope::kSystem));
  }
  void done() const {
    for (int r = 0; on_ && r < size_; ++r)
      if (flow_ == MpiFlow::kAll || (flow_ == MpiFlow::kFromRoot ? r == root_ : rank_ == root_))
        trace(TraceKind::kAcquire, of(r), 0, trace_flags(TraceOrder::kAcquire, TraceScope::kSystem));
  }

 private:
  std::uint64_t of(int rank) const { return trace_key(key_, sequence_, static_cast<std::uint64_t>(rank)); }
  MPI_Comm comm_;
  MpiFlow flow_;
  int root_, rank_ = 0, size_ = 0;
  bool on_ = false;
  std::uint64_t key_ = 0, sequence_ = 0;
};
/// Messages between two ranks with one tag overtake each other never: the n-th send is the n-th receive.
class MpiMessage {
 public:
  static std::uint64_t next(bool send, int here, int there, int tag) {
    static auto* const counts = new std::unordered_map<std::uint64_t, std::uint64_t>;
    static auto* const mutex = new std::mutex;
    std::lock_guard<std::mutex> hold(*mutex);
    std::uint64_t const from = static_cast<std::uint64_t>(send ? here : there), to = static_cast<std::uint64_t>(send ? there : here);
    std::uint64_t const key = trace_key(0x6d736720, from << 32U | to, static_cast<std::uint64_t>(tag));
    return trace_key(key, ++(*counts)[trace_key(key, send ? 1 : 2)]);
  }
  static int world(MPI_Comm comm, int rank) {
    MPI_Group group, world;
    PMPI_Comm_group(comm, &group);
    PMPI_Comm_group(MPI_COMM_WORLD, &world);
    int out = rank;
    PMPI_Group_translate_ranks(group, 1, &rank, world, &out);
    PMPI_Group_free(&group);
    PMPI_Group_free(&world);
    return out;
  }
  static void sent(MPI_Comm comm, int to, int tag) {
    if (!tracing() || to == MPI_PROC_NULL) return;
    trace(TraceKind::kRelease, next(true, Environment::get().world_rank, world(comm, to), tag), 0,
          trace_flags(TraceOrder::kRelease, TraceScope::kSystem));
  }
  static void received(MPI_Comm comm, MPI_Status const& status) {
    if (!tracing() || status.MPI_SOURCE < 0) return;
    trace(TraceKind::kAcquire, next(false, Environment::get().world_rank, world(comm, status.MPI_SOURCE), status.MPI_TAG), 0,
          trace_flags(TraceOrder::kAcquire, TraceScope::kSystem));
  }
};

/// Everything this rank has started is complete, also what its puts owe to peers.
inline void drain(char const* call) {
  Device& d = Device::get();
  if (!d.started()) return;
  for (CompletionPtr const& c : d.last_of_all()) d.wait(c, call);
  HostWait waits("%s", call);
  while (pending_deliveries().load(std::memory_order_acquire) > 0) {
    ring(own_page());
    real_sleep_us(100);
  }
}

inline void write_report() {
  static std::atomic<bool> written{false};
  if (written.exchange(true)) return;
  Report::get().write(Device::get().host_clock, Environment::get().world_size);
}

/// Starts before main: the exit handler must be there however the program ends.
struct AtExit {
  AtExit() {
    ::on_exit(
        [](int status, void*) {
          // A program that fails ends at once, as on the device: its kernels may wait for what never comes.
          if (status == 0) drain("exit");
          write_report();
          own_page()->exited.store(1, std::memory_order_release);
        },
        nullptr);
    Device::get().on_idle = [](double ms) { DeadlockWatch::get().idle(ms); };
  }
};
inline AtExit const at_exit_hook;

}  // namespace cuco::emu::impl

// clang-format off
#define CUCO_EVOLVE_FLOW(name, parameters, arguments, comm, flow, root) \
  extern "C" int name parameters {                                  \
    cei::HostWait waits(#name);                                     \
    cei::MpiCollective const traced(comm, cei::MpiFlow::flow, root); \
    int result = P##name arguments;                                 \
    traced.done();                                                  \
    if (result == MPI_SUCCESS) cei::meet(comm);                     \
    return result;                                                  \
  }
#define CUCO_EVOLVE_COLLECTIVE(name, parameters, arguments, comm) \
  CUCO_EVOLVE_FLOW(name, parameters, arguments, comm, kAll, 0)
#define CUCO_EVOLVE_BLOCKING(name, parameters, arguments)           \
  extern "C" int name parameters {                                  \
    cei::HostWait waits(#name);                                     \
    return P##name arguments;                                       \
  }
CUCO_EVOLVE_COLLECTIVE(MPI_Barrier, (MPI_Comm c), (c), c)
CUCO_EVOLVE_FLOW(MPI_Bcast, (void* b, int n, MPI_Datatype t, int r, MPI_Comm c), (b, n, t, r, c), c, kFromRoot, r)
CUCO_EVOLVE_FLOW(MPI_Reduce, (void const* s, void* d, int n, MPI_Datatype t, MPI_Op o, int r, MPI_Comm c), (s, d, n, t, o, r, c), c, kToRoot, r)
CUCO_EVOLVE_COLLECTIVE(MPI_Allreduce, (void const* s, void* d, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (s, d, n, t, o, c), c)
CUCO_EVOLVE_FLOW(MPI_Gather, (void const* s, int n, MPI_Datatype t, void* d, int m, MPI_Datatype u, int r, MPI_Comm c), (s, n, t, d, m, u, r, c), c, kToRoot, r)
CUCO_EVOLVE_FLOW(MPI_Gatherv, (void const* s, int n, MPI_Datatype t, void* d, int const m[], int const o[], MPI_Datatype u, int r, MPI_Comm c), (s, n, t, d, m, o, u, r, c), c, kToRoot, r)
CUCO_EVOLVE_COLLECTIVE(MPI_Allgather, (void const* s, int n, MPI_Datatype t, void* d, int m, MPI_Datatype u, MPI_Comm c), (s, n, t, d, m, u, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Allgatherv, (void const* s, int n, MPI_Datatype t, void* d, int const m[], int const o[], MPI_Datatype u, MPI_Comm c), (s, n, t, d, m, o, u, c), c)
CUCO_EVOLVE_FLOW(MPI_Scatter, (void const* s, int n, MPI_Datatype t, void* d, int m, MPI_Datatype u, int r, MPI_Comm c), (s, n, t, d, m, u, r, c), c, kFromRoot, r)
CUCO_EVOLVE_COLLECTIVE(MPI_Alltoall, (void const* s, int n, MPI_Datatype t, void* d, int m, MPI_Datatype u, MPI_Comm c), (s, n, t, d, m, u, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Alltoallv, (void const* s, int const n[], int const so[], MPI_Datatype t, void* d, int const m[], int const o[], MPI_Datatype u, MPI_Comm c), (s, n, so, t, d, m, o, u, c), c)
CUCO_EVOLVE_FLOW(MPI_Scatterv, (void const* s, int const n[], int const o[], MPI_Datatype t, void* d, int m, MPI_Datatype u, int r, MPI_Comm c), (s, n, o, t, d, m, u, r, c), c, kFromRoot, r)
CUCO_EVOLVE_COLLECTIVE(MPI_Scan, (void const* s, void* d, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (s, d, n, t, o, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Exscan, (void const* s, void* d, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (s, d, n, t, o, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Reduce_scatter, (void const* s, void* d, int const n[], MPI_Datatype t, MPI_Op o, MPI_Comm c), (s, d, n, t, o, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Reduce_scatter_block, (void const* s, void* d, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (s, d, n, t, o, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Comm_split, (MPI_Comm c, int color, int key, MPI_Comm* n), (c, color, key, n), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Comm_dup, (MPI_Comm c, MPI_Comm* n), (c, n), c)
CUCO_EVOLVE_BLOCKING(MPI_Probe, (int s, int tag, MPI_Comm c, MPI_Status* st), (s, tag, c, st))
CUCO_EVOLVE_BLOCKING(MPI_Wait, (MPI_Request* r, MPI_Status* st), (r, st))
CUCO_EVOLVE_BLOCKING(MPI_Waitall, (int n, MPI_Request r[], MPI_Status st[]), (n, r, st))
CUCO_EVOLVE_BLOCKING(MPI_Waitany, (int n, MPI_Request r[], int* i, MPI_Status* st), (n, r, i, st))
#undef CUCO_EVOLVE_COLLECTIVE
#undef CUCO_EVOLVE_FLOW
#undef CUCO_EVOLVE_BLOCKING
// clang-format on

extern "C" int MPI_Comm_split_type(MPI_Comm c, int type, int key, MPI_Info i, MPI_Comm* n) {
  cei::HostWait waits("MPI_Comm_split_type");
  cei::MpiCollective const traced(c, cei::MpiFlow::kAll, 0);
  // Ranks share memory when they share a node of the modelled machine.
  int const node = cei::Environment::get().world_rank / cei::machine().gpus_per_node;
  int const result = type == MPI_COMM_TYPE_SHARED ? PMPI_Comm_split(c, node, key, n) : PMPI_Comm_split_type(c, type, key, i, n);
  traced.done();
  if (result == MPI_SUCCESS) cei::meet(c);
  return result;
}
extern "C" int MPI_Send(void const* b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c) {
  cei::HostWait waits("MPI_Send to rank %d, tag %d", to, tag);
  cei::MpiMessage::sent(c, to, tag);
  return PMPI_Send(b, n, t, to, tag, c);
}
extern "C" int MPI_Ssend(void const* b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c) {
  cei::HostWait waits("MPI_Ssend to rank %d, tag %d", to, tag);
  cei::MpiMessage::sent(c, to, tag);
  return PMPI_Ssend(b, n, t, to, tag, c);
}
extern "C" int MPI_Recv(void* b, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Status* status) {
  cei::HostWait waits("MPI_Recv from rank %d, tag %d", from, tag);
  MPI_Status own;
  int const result = PMPI_Recv(b, n, t, from, tag, c, &own);
  if (result == MPI_SUCCESS) cei::MpiMessage::received(c, own);
  if (status != MPI_STATUS_IGNORE) *status = own;
  return result;
}
extern "C" int MPI_Sendrecv(void const* b,
                            int n,
                            MPI_Datatype t,
                            int to,
                            int tag,
                            void* rb,
                            int rn,
                            MPI_Datatype rt,
                            int from,
                            int rtag,
                            MPI_Comm c,
                            MPI_Status* status) {
  cei::HostWait waits("MPI_Sendrecv with ranks %d and %d", to, from);
  cei::MpiMessage::sent(c, to, tag);
  MPI_Status own;
  int const result = PMPI_Sendrecv(b, n, t, to, tag, rb, rn, rt, from, rtag, c, &own);
  if (result == MPI_SUCCESS) cei::MpiMessage::received(c, own);
  if (status != MPI_STATUS_IGNORE) *status = own;
  return result;
}

extern "C" double MPI_Wtime() {
  return cei::read_host_clock_us() * 1e-6;
}
extern "C" int MPI_Finalize() {
  cei::drain("MPI_Finalize");
  {
    // A rank's device thread serves its peers until all are here.
    cei::HostWait waits("MPI_Finalize");
    PMPI_Barrier(MPI_COMM_WORLD);
  }
  cei::write_report();
  return PMPI_Finalize();
}
