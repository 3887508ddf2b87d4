// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The state of running kernels: grids, blocks, warps, threads, and their clocks.
///
/// Time model of kernels (virtual microseconds). Every CUDA thread has a clock.
///  - A maximal run of loads, up to `loads_in_flight`, without a store in between is one latency exposure: it
///  adds the
///    latency of the slowest class of memory in the run (shared, own, peer). Stores cost no latency.
///  - A barrier of the block, and the end of the block, sets the clocks of its threads to
///      max(latest thread, start of the phase + bound) + sync_us,
///      bound = max(accesses * issue_ns * c, bytes_own * c / sm_local, bytes_peer * c / sm_peer, bytes_shared
///      * c / sm_shared)
///    with c = blocks that share the SM = ceil(min(blocks, slots) / SMs), slots = SMs * occupancy.
///  - Warp operations set the clocks of the participating lanes to their maximum.
///  - A block of a later wave starts when the earliest slot is free, plus block_start_us.
///  - A wait for another block or rank sets the clock to max(own, time stamp of what was waited for + its
///  latency).
///  - The kernel ends with its last block, at least kernel_floor_us after its start; if its traffic needs
///  longer on the link
///    (loaded / link_load + stored / link_store) or in memory (per allocation min(bytes, size), / hbm) than
///    the last block was busy, the difference is added. The same goes for puts: a block's puts queue behind
///    each other alone, and what the puts of all blocks need on the busiest line beyond that is added at the
///    end. (A queue shared by the blocks would depend on the order in which they happen to run.)
/// Repeated loads of one address by one thread, and polling, count nothing: the number of polls may not
/// change the time.

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "cuco/emu/impl/device.hpp"
#include "cuco/emu/impl/environment.hpp"
#include "cuco/emu/impl/fiber_pool.hpp"

namespace cuco::emu::impl {

struct Block;
struct Grid;

/// Why a thread does not run.
enum class ThreadState : std::uint8_t {
  kNew,
  kReady,
  kRunning,
  kInBlockBarrier,
  kInWarpOperation,
  kWaiting,
  kPolling,
  kExited
};

struct Thread {
  Builtins builtins;
  Block* block = nullptr;
  Worker* worker = nullptr;
  double clock = 0;
  ThreadState state = ThreadState::kNew;
  // The current run of loads.
  MemoryClass run_class = kNoClass;
  std::uint16_t run_length = 0;
  // Polling.
  std::uint16_t repeats = 0;
  bool poll_new = true;  ///< Something new was seen since the last poll.
  std::uintptr_t last_address = 0;
  std::uintptr_t polled[8] = {};  ///< Addresses polled lately without effect.
  std::uint8_t polled_next = 0;
  // The last plain access in the trace; reset when the thread synchronises.
  std::uint64_t traced_address = 0;
  std::size_t traced_bytes = 0;
  bool traced_poll = false;
  // Waiting.
  Predicate ready = nullptr;
  Describe describe = nullptr;
  void* context = nullptr;
  char const* operation = "";     ///< For reports.
  std::uint32_t mask = 0;         ///< Of a warp operation.
  std::uint64_t barrier_tag = 0;  ///< What the thread wants to meet others for, see block_barrier().
};

/// Traffic of a block since its phase began.
struct Traffic {
  double bytes[4] = {};  ///< By MemoryClass.
  double accesses = 0;
};

/// Totals of a kernel, for the report.
struct KernelCounters {
  double bytes_read[4] = {};
  double bytes_written[4] = {};
  double atomics = 0;
};

/// One exchange of a set of lanes. Two buffers: a lane can be one operation ahead of the others, never two.
struct WarpExchange {
  std::uint32_t mask = 0;
  std::uint32_t arrived = 0;
  std::uint32_t taken[2] = {};
  unsigned parity = 0;
  std::uint64_t values[2][32] = {};
};

struct Warp {
  std::uint32_t live = 0;  ///< Lanes that have not exited.
  std::vector<std::unique_ptr<WarpExchange>> exchanges;
};

struct NamedBarrier {
  unsigned arrived = 0;
  std::vector<Thread*> threads;
};

struct SharedVariable {
  char const* function;
  int site;
  std::uint32_t offset;
};

/// Time that puts occupy each line (a NIC, or the path to a GPU of the node).
using WireTimes = std::map<int, double>;

struct Block {
  Grid* grid = nullptr;
  std::uint64_t index = 0;
  uint3 block_idx;
  std::unique_ptr<Thread[]> threads;
  std::vector<Warp> warps;
  std::uint32_t count = 0;
  std::uint32_t started = 0;
  std::uint32_t exited = 0;
  std::vector<std::uint32_t> order;  ///< Order of starting threads; empty: natural.
  std::vector<Thread*> ready;
  std::size_t ready_next = 0;
  std::vector<Thread*> waiting;  ///< Waiting or polling: looked at every round.
  // __syncthreads
  std::uint32_t arrived = 0;
  int barrier_value = 0, barrier_result = 0;
  std::uint64_t barrier_tag = 0;
  char const* barrier_operation = "";
  NamedBarrier named[16];
  // Shared memory
  std::uintptr_t shared_base = 0;
  std::size_t shared_used = 0;
  std::vector<SharedVariable> variables;
  // Clock
  double start = 0;
  double phase_start = 0;
  double waited = 0;     ///< Time in which the block waited for others, and ...
  double wait_mark = 0;  ///< ... up to when that is counted.
  Traffic traffic;
  WireTimes wire;                   ///< Of the block's own puts.
  std::map<int, double> wire_free;  ///< When the block's last put on a line is through.
};

/// A kernel that is running.
struct Grid {
  LaunchConfig config;
  std::string name;
  void (*invoke)(void*) = nullptr;
  void* arguments = nullptr;
  void* operation = nullptr;  ///< The KernelOperation that this is part of.
  std::uint64_t id = 0;
  std::uint64_t stream = 0;
  std::uint64_t blocks = 0;
  std::uint64_t next_block = 0;  ///< Into `order`, or itself the index.
  std::vector<std::uint64_t> order;
  std::vector<Block*> resident;
  std::uint64_t finished = 0;
  int occupancy = 1;
  int sharing = 1;  ///< Blocks that share an SM.
  double start = 0;
  double end = 0;
  double waited_last = 0;  ///< Of the block that ended last.
  WireTimes wire;          ///< Of the puts of all blocks.
  WireTimes wire_last;     ///< Of the block that ended last.
  std::uint64_t initial_slots = 0;
  std::vector<double> free_slots;  ///< Min-heap: virtual times at which slots became free.
  std::vector<Allocation*> touched;
  KernelCounters counters;
  // grid.sync()
  std::uint64_t sync_arrived = 0, sync_generation = 0;
  double sync_clock = 0, sync_release = 0;
};

/// The running CUDA thread; null in host code and in the scheduler.
inline __thread Thread* current_thread = nullptr;

inline Thread& self() {
  if (__builtin_expect(current_thread == nullptr, 0))
    fatal(kIllegalUse, "illegal use: a device function was called from host code");
  return *current_thread;
}

/// The phase of a block ends: everything it moved bounds the time from below. Returns the common clock.
inline double end_phase(Block& b, double latest) {
  Machine const& m = machine();
  double c = b.grid->sharing;
  double bound = b.traffic.accesses * m.issue_ns * 1e-3 * c;
  auto at_least = [&](double bytes, double gbps) {
    double t = bytes * c / (gbps * 1e3);
    if (t > bound) bound = t;
  };
  at_least(b.traffic.bytes[kLocal], m.sm_local_gbps);
  at_least(b.traffic.bytes[kPeer], m.sm_peer_gbps);
  at_least(b.traffic.bytes[kShared], m.sm_shared_gbps);
  b.traffic = Traffic{};
  double clock = b.phase_start + bound;
  if (latest > clock) clock = latest;
  b.phase_start = clock;
  return clock;
}

/// Moves a thread's clock to the time of something it waited for.
inline void advance_clock(Thread& t, double to) {
  if (to <= t.clock) return;
  Block& b = *t.block;
  double from = t.clock > b.wait_mark ? t.clock : b.wait_mark;
  if (to > from) {
    b.waited += to - from;
    b.wait_mark = to;
  }
  t.clock = to;
}

}  // namespace cuco::emu::impl
