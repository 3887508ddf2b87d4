// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Runs the CUDA threads of all resident blocks on the device thread. A block runs until all its threads have
/// ended or wait for something outside of it; then the next one. Blocks become resident as the modelled GPU
/// has room; the others wait for a resident one to end, so a grid that is larger than the GPU and
/// communicates really deadlocks.

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "cuco/emu/impl/access.hpp"
#include "cuco/emu/impl/block.hpp"

__thread cuco::emu::Builtins cuco_emu_builtins_storage __asm__("cuco_emu_builtins") = {};
// The parts that programs name (device_launch_parameters.h).
static_assert(offsetof(cuco::emu::Builtins, thread_idx) == 0 &&
                  offsetof(cuco::emu::Builtins, block_idx) == 12 &&
                  offsetof(cuco::emu::Builtins, block_dim) == 24 &&
                  offsetof(cuco::emu::Builtins, grid_dim) == 36,
              "the offsets below");
#define CUCO_EVOLVE_PART(name, offset)                                                               \
  __asm__(".globl " name "\n.type " name ", %tls_object\n.set " name ", cuco_emu_builtins + " offset \
          "\n"                                                                                       \
          ".size " name ", 12\n");
CUCO_EVOLVE_PART("cuco_emu_thread_idx", "0")
CUCO_EVOLVE_PART("cuco_emu_block_idx", "12")
CUCO_EVOLVE_PART("cuco_emu_block_dim", "24")
CUCO_EVOLVE_PART("cuco_emu_grid_dim", "36")
#undef CUCO_EVOLVE_PART

namespace cuco::emu::impl {

constexpr std::size_t kSharedStride = 256 * 1024;

/// Blocks of one kernel that fit on one SM.
inline int occupancy(std::uint32_t threads, std::size_t shared_bytes) {
  Machine const& m = machine();
  std::uint32_t rounded = (threads + 31) / 32 * 32;
  long blocks = std::min<long>(m.max_blocks_per_sm, m.max_threads_per_sm / static_cast<long>(rounded));
  if (shared_bytes > 0)
    blocks = std::min(blocks, m.shared_per_sm_bytes / static_cast<long>(shared_bytes + 1024));
  blocks = std::min(blocks, 65536L / (std::max(1, m.registers_per_thread) * static_cast<long>(rounded)));
  return static_cast<int>(std::max(0L, blocks));
}

class Scheduler {
 public:
  static Scheduler& get() {
    static Scheduler* const scheduler = new Scheduler;
    return *scheduler;
  }

  /// Called with a grid whose last block has ended.
  std::function<void(Grid&)> on_finished;

  void add(Grid* grid) {
    if (random_) {
      grid->order.resize(grid->blocks);
      for (std::uint64_t i = 0; i < grid->blocks; ++i) grid->order[i] = i;
      for (std::uint64_t i = grid->blocks; i > 1; --i)
        std::swap(grid->order[i - 1], grid->order[rng_.below(i)]);
    }
    grids_.push_back(grid);
  }
  bool idle() const { return grids_.empty(); }
  std::vector<Grid*> const& grids() const { return grids_; }

  /// One round over everything resident. True when anything went on.
  bool round() {
    progress_ = false;
    for (std::size_t i = 0; i < grids_.size(); ++i) {
      Grid& g = *grids_[i];
      for (std::size_t k = 0; k < g.resident.size();) {
        Block& b = *g.resident[k];
        wake(b);
        run(b);
        if (b.exited == b.count)
          finish(g, k);
        else
          ++k;
      }
      while (g.next_block < g.blocks && room(g)) {
        start(g);
        Block& b = *g.resident.back();
        run(b);
        if (b.exited == b.count) finish(g, g.resident.size() - 1);
      }
    }
    for (std::size_t i = 0; i < grids_.size();) {
      if (grids_[i]->finished < grids_[i]->blocks) {
        ++i;
        continue;
      }
      Grid* g = grids_[i];
      grids_.erase(grids_.begin() + static_cast<std::ptrdiff_t>(i));
      on_finished(*g);
    }
    return progress_;
  }

  // Called by running threads
  // -----------------------------------------------------------------------------------------

  void suspend(Thread& t, ThreadState state) {
    t.state = state;
    current_thread = nullptr;
    pool_.suspend();
    current_thread = &t;
    cuco_emu_builtins_storage = t.builtins;
    t.state = ThreadState::kRunning;
  }
  void wait(Thread& t, Predicate ready, Describe describe, void* context) {
    t.ready = ready;
    t.describe = describe;
    t.context = context;
    progress_ = true;
    t.poll_new = true;
    t.block->waiting.push_back(&t);
    suspend(t, ThreadState::kWaiting);
  }
  void poll(Thread& t) {
    if (t.poll_new) progress_ = true;
    t.poll_new = false;
    t.repeats = 0;
    t.block->waiting.push_back(&t);
    suspend(t, ThreadState::kPolling);
  }
  void make_ready(Thread& t) {
    t.state = ThreadState::kReady;
    t.poll_new = true;
    t.block->ready.push_back(&t);
    progress_ = true;
  }
  void note_progress() { progress_ = true; }

 private:
  Scheduler()
      : rng_(Environment::get().seed * 2654435761u + 17),
        random_(Environment::get().mode == GinMode::kRandom || Environment::get().mode == GinMode::kAdversarial) {}

  static void body() {
    Scheduler& s = get();
    while (s.block_->started < s.block_->count) {
      Block& b = *s.block_;
      std::uint32_t i = b.started++;
      Thread& t = b.threads[b.order.empty() ? i : b.order[i]];
      t.worker = s.pool_.running();
      t.state = ThreadState::kRunning;
      s.progress_ = true;
      current_thread = &t;
      cuco_emu_builtins_storage = t.builtins;
      b.grid->invoke(b.grid->arguments);
      s.exited(t);
      current_thread = nullptr;
    }
  }
  void exited(Thread& t);

  void wake(Block& b) {
    std::size_t kept = 0;
    for (Thread* t : b.waiting) {
      if (t->state == ThreadState::kPolling) {
        t->state = ThreadState::kReady;
        b.ready.push_back(t);
      } else if (t->ready(t->context)) {
        make_ready(*t);
      } else {
        b.waiting[kept++] = t;
      }
    }
    b.waiting.resize(kept);
  }
  void run(Block& b) {
    block_ = &b;
    while (true) {
      if (b.started < b.count) {
        pool_.resume(pool_.acquire());
      } else if (b.ready_next < b.ready.size()) {
        if (random_)
          std::swap(b.ready[b.ready_next], b.ready[b.ready_next + rng_.below(b.ready.size() - b.ready_next)]);
        Thread* t = b.ready[b.ready_next++];
        pool_.resume(t->worker);
      } else {
        break;
      }
    }
    b.ready.clear();
    b.ready_next = 0;
    block_ = nullptr;
  }

  bool room(Grid const& g) const { return used_ + 1.0 / g.occupancy <= machine().sm_count + 1e-6; }

  void start(Grid& g);
  void finish(Grid& g, std::size_t k);

  FiberPool pool_{&Scheduler::body};
  std::vector<Grid*> grids_;
  Block* block_ = nullptr;
  double used_ = 0;  ///< SMs in use.
  bool progress_ = false;
  Random rng_;
  bool random_;
  std::vector<std::uintptr_t> shared_free_;
  std::size_t shared_count_ = 0;
};

inline void suspend_polling(Thread& t) {
  Scheduler::get().poll(t);
}

inline void Scheduler::start(Grid& g) {
  std::uint64_t n = g.next_block++;
  auto* b = new Block;
  b->grid = &g;
  b->index = g.order.empty() ? n : g.order[n];
  dim3 grid = g.config.grid, block = g.config.block;
  b->block_idx.x = static_cast<unsigned>(b->index % grid.x);
  b->block_idx.y = static_cast<unsigned>(b->index / grid.x % grid.y);
  b->block_idx.z = static_cast<unsigned>(b->index / (static_cast<std::uint64_t>(grid.x) * grid.y));
  b->count = block.x * block.y * block.z;
  double clock = g.start;
  if (g.initial_slots > 0) {
    --g.initial_slots;
  } else if (!g.free_slots.empty()) {
    std::pop_heap(g.free_slots.begin(), g.free_slots.end(), std::greater<>());
    clock = g.free_slots.back() + machine().block_start_us;
    g.free_slots.pop_back();
  }
  b->start = b->phase_start = b->wait_mark = clock;
  b->threads.reset(new Thread[b->count]);
  b->warps.resize((b->count + 31) / 32);
  for (std::uint32_t i = 0; i < b->count; ++i) {
    Thread& t = b->threads[i];
    Builtins& v = t.builtins;
    v.thread_idx.x = i % block.x;
    v.thread_idx.y = i / block.x % block.y;
    v.thread_idx.z = i / (block.x * block.y);
    v.block_idx = b->block_idx;
    v.block_dim = block;
    v.grid_dim = grid;
    v.linear = i;
    v.lane = i % 32;
    v.warp = i / 32;
    v.threads = b->count;
    t.block = b;
    t.clock = clock;
    b->warps[i / 32].live |= 1u << (i % 32);
  }
  if (random_) {
    // Whole warps in random order, lanes in order: the order a scheduler of warps could choose.
    std::vector<std::uint32_t> warps(b->warps.size());
    for (std::uint32_t i = 0; i < warps.size(); ++i) warps[i] = i;
    for (std::size_t i = warps.size(); i > 1; --i) std::swap(warps[i - 1], warps[rng_.below(i)]);
    b->order.reserve(b->count);
    for (std::uint32_t w : warps)
      for (std::uint32_t l = w * 32; l < std::min(b->count, w * 32 + 32); ++l) b->order.push_back(l);
  }
  if (shared_free_.empty()) {
    std::uintptr_t at = slot_base(kSharedSlot) + shared_count_++ * kSharedStride;
    map_fixed(at, kSharedStride);
    static auto* const all = [] {
      auto* a = new Allocation;
      a->base = slot_base(kSharedSlot);
      a->size = kSlotBytes;
      a->memory_class = kShared;
      a->kind = Allocation::kInternal;
      return a;
    }();
    set_granules(at & ~(kGranule - 1), kGranule, all);
    shared_free_.push_back(at);
  }
  b->shared_base = shared_free_.back();
  shared_free_.pop_back();
  b->shared_used = g.config.shared_bytes;
  std::memset(reinterpret_cast<void*>(b->shared_base), 0xFF, b->shared_used);
  used_ += 1.0 / g.occupancy;
  g.resident.push_back(b);
  progress_ = true;
}

inline void Scheduler::finish(Grid& g, std::size_t k) {
  Block* b = g.resident[k];
  double latest = 0;
  for (std::uint32_t i = 0; i < b->count; ++i) latest = std::max(latest, b->threads[i].clock);
  double end = end_phase(*b, latest);
  // Among blocks that end together the choice must not depend on which one ran last.
  if (end > g.end || (end == g.end && b->waited <= g.waited_last)) {
    g.end = end;
    g.waited_last = b->waited;
    g.wire_last = b->wire;
  }
  g.free_slots.push_back(end);
  std::push_heap(g.free_slots.begin(), g.free_slots.end(), std::greater<>());
  shared_free_.push_back(b->shared_base);
  used_ -= 1.0 / g.occupancy;
  ++g.finished;
  g.resident.erase(g.resident.begin() + static_cast<std::ptrdiff_t>(k));
  delete b;
  progress_ = true;
}

}  // namespace cuco::emu::impl
