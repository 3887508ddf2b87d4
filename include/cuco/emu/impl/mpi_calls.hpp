// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Wrappers of MPI calls, through MPI's profiling interface: blocking ones make the host thread count as
/// waiting, collective ones let the virtual host clocks meet. MPI_Wtime is the virtual host clock. Included
/// by the runtime object only.

#include <mpi.h>

#include <cstdlib>

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
#define CUCO_EVOLVE_COLLECTIVE(name, parameters, arguments, comm)   \
  extern "C" int name parameters {                                  \
    cei::HostWait waits(#name);                                     \
    int result = P##name arguments;                                 \
    if (result == MPI_SUCCESS) cei::meet(comm);                     \
    return result;                                                  \
  }
#define CUCO_EVOLVE_BLOCKING(name, parameters, arguments)           \
  extern "C" int name parameters {                                  \
    cei::HostWait waits(#name);                                     \
    return P##name arguments;                                       \
  }
CUCO_EVOLVE_COLLECTIVE(MPI_Barrier, (MPI_Comm c), (c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Bcast, (void* b, int n, MPI_Datatype t, int r, MPI_Comm c), (b, n, t, r, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Reduce, (void const* s, void* d, int n, MPI_Datatype t, MPI_Op o, int r, MPI_Comm c), (s, d, n, t, o, r, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Allreduce, (void const* s, void* d, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (s, d, n, t, o, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Gather, (void const* s, int n, MPI_Datatype t, void* d, int m, MPI_Datatype u, int r, MPI_Comm c), (s, n, t, d, m, u, r, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Gatherv, (void const* s, int n, MPI_Datatype t, void* d, int const m[], int const o[], MPI_Datatype u, int r, MPI_Comm c), (s, n, t, d, m, o, u, r, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Allgather, (void const* s, int n, MPI_Datatype t, void* d, int m, MPI_Datatype u, MPI_Comm c), (s, n, t, d, m, u, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Allgatherv, (void const* s, int n, MPI_Datatype t, void* d, int const m[], int const o[], MPI_Datatype u, MPI_Comm c), (s, n, t, d, m, o, u, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Scatter, (void const* s, int n, MPI_Datatype t, void* d, int m, MPI_Datatype u, int r, MPI_Comm c), (s, n, t, d, m, u, r, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Alltoall, (void const* s, int n, MPI_Datatype t, void* d, int m, MPI_Datatype u, MPI_Comm c), (s, n, t, d, m, u, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Alltoallv, (void const* s, int const n[], int const so[], MPI_Datatype t, void* d, int const m[], int const o[], MPI_Datatype u, MPI_Comm c), (s, n, so, t, d, m, o, u, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Scatterv, (void const* s, int const n[], int const o[], MPI_Datatype t, void* d, int m, MPI_Datatype u, int r, MPI_Comm c), (s, n, o, t, d, m, u, r, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Scan, (void const* s, void* d, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (s, d, n, t, o, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Exscan, (void const* s, void* d, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (s, d, n, t, o, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Reduce_scatter, (void const* s, void* d, int const n[], MPI_Datatype t, MPI_Op o, MPI_Comm c), (s, d, n, t, o, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Reduce_scatter_block, (void const* s, void* d, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (s, d, n, t, o, c), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Comm_split, (MPI_Comm c, int color, int key, MPI_Comm* n), (c, color, key, n), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Comm_split_type, (MPI_Comm c, int type, int key, MPI_Info i, MPI_Comm* n), (c, type, key, i, n), c)
CUCO_EVOLVE_COLLECTIVE(MPI_Comm_dup, (MPI_Comm c, MPI_Comm* n), (c, n), c)
CUCO_EVOLVE_BLOCKING(MPI_Send, (void const* b, int n, MPI_Datatype t, int d, int tag, MPI_Comm c), (b, n, t, d, tag, c))
CUCO_EVOLVE_BLOCKING(MPI_Recv, (void* b, int n, MPI_Datatype t, int s, int tag, MPI_Comm c, MPI_Status* st), (b, n, t, s, tag, c, st))
CUCO_EVOLVE_BLOCKING(MPI_Ssend, (void const* b, int n, MPI_Datatype t, int d, int tag, MPI_Comm c), (b, n, t, d, tag, c))
CUCO_EVOLVE_BLOCKING(MPI_Sendrecv, (void const* b, int n, MPI_Datatype t, int d, int tag, void* rb, int rn, MPI_Datatype rt, int s, int rtag, MPI_Comm c, MPI_Status* st), (b, n, t, d, tag, rb, rn, rt, s, rtag, c, st))
CUCO_EVOLVE_BLOCKING(MPI_Probe, (int s, int tag, MPI_Comm c, MPI_Status* st), (s, tag, c, st))
CUCO_EVOLVE_BLOCKING(MPI_Wait, (MPI_Request* r, MPI_Status* st), (r, st))
CUCO_EVOLVE_BLOCKING(MPI_Waitall, (int n, MPI_Request r[], MPI_Status st[]), (n, r, st))
CUCO_EVOLVE_BLOCKING(MPI_Waitany, (int n, MPI_Request r[], int* i, MPI_Status* st), (n, r, i, st))
#undef CUCO_EVOLVE_COLLECTIVE
#undef CUCO_EVOLVE_BLOCKING
// clang-format on

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
