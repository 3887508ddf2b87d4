// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Replays a trace: who knew what when, and which accesses were unordered.
///
/// What a wait for a signal guarantees depends on which signals could have been on their way, and that on
/// what the waits guarantee. So the trace is replayed several times: first every wait is taken to have seen
/// what had arrived; each further replay lets a wait rely only on what it could not have ended without, given
/// the order that the replay before found. The last one checks the accesses.

#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "cuco/check/impl/puts.hpp"
#include "cuco/check/impl/shadow_cell.hpp"
#include "cuco/check/impl/trace_reader.hpp"

namespace cuco::checking {

/// What executes positions one after the other.
struct LaneInfo {
  enum Kind : std::uint8_t { kHost, kStream, kSourceRead, kDelivery } kind = kHost;
  int rank = 0;
  std::uint64_t id = 0;
};

/// Two accesses that nothing orders, or one that reads what nobody wrote.
struct Conflict {
  Access first{}, second{};
  bool uninitialized = false;
  std::uint64_t address = 0;
  VectorClock known{};  ///< By the second.
};
/// A reset that arrivals may precede or follow.
struct ResetRace {
  int rank = 0;
  std::uint32_t stack = 0, put = 0;
};

/// A thread that still waits at the end of the trace.
struct Stuck {
  int rank = 0;
  std::uint64_t grid = 0, block = 0;
  std::uint32_t thread = 0, stack = 0;
  emu::TraceKind kind = emu::TraceKind::kNone;  ///< Of what would end it; kPoll: it looks at a flag.
  std::uint64_t key = 0;
  std::uint64_t least = 0;
};
/// What the emulator ended the program for.
struct Fatal {
  int rank = 0;
  std::uint32_t stack = 0;
  Instant instant{};
};

class Replay {
 public:
  struct Options {
    bool strong =
        true;  ///< All operations that order something do so fully, whatever memory order they name.
    bool check = false;  ///< Look at the accesses.
    Replay const* previous = nullptr;
  };

  Replay(Trace const& trace, Options options) : trace_(trace), options_(options) {
    files_.resize(trace.files.size());
    for (std::size_t i = 0; i < files_.size(); ++i) files_[i].rank = trace.files[i].rank;
    for (int r = 0; r < trace.ranks; ++r)
      hosts_.push_back({lane(LaneInfo::kHost, r, 0), 0, std::make_shared<VectorClock>()});
    trace.replay([this](std::size_t file, emu::TraceRecord const& r) { take(files_[file], r); });
  }

  [[nodiscard]] std::vector<Put> const& puts() const { return puts_; }
  [[nodiscard]] std::vector<Wait> const& waits() const { return waits_; }
  [[nodiscard]] std::vector<LaneInfo> const& lanes() const { return lanes_; }
  [[nodiscard]] std::vector<Conflict> const& conflicts() const { return conflicts_; }
  /// Plain reads, by kernels and copies, of bytes that nobody had written.
  [[nodiscard]] std::vector<Conflict> const& unwritten() const { return unwritten_; }
  [[nodiscard]] std::vector<ResetRace> const& reset_races() const { return reset_races_; }
  /// Rank and number of the kernel that an instant is part of; 0: of none.
  [[nodiscard]] std::uint64_t grid_of(Actor a) const {
    auto const it = grid_of_actor_.find(std::uint64_t{a.lane} << 32U | a.position);
    return it == grid_of_actor_.end() ? 0 : it->second;
  }
  /// The kernel that the rank had begun last when an operation that is no kernel began.
  [[nodiscard]] std::uint64_t grid_before(Actor a) const {
    auto const it = grid_before_actor_.find(std::uint64_t{a.lane} << 32U | a.position);
    return it == grid_before_actor_.end() ? 0 : it->second;
  }
  [[nodiscard]] std::uint64_t accesses() const { return accesses_; }
  /// Waits of blocks whose grid is larger than the GPU.
  [[nodiscard]] std::vector<Fatal> const& crowded() const { return crowded_; }
  [[nodiscard]] std::vector<Fatal> const& fatals() const { return fatals_; }
  [[nodiscard]] std::vector<Contribution> const& contributions(std::uint64_t key) const {
    static std::vector<Contribution> const none;
    auto const it = contributions_.find(key);
    return it == contributions_.end() ? none : it->second;
  }
  /// How often each rank has arrived at the barrier of this index, of all kernels.
  [[nodiscard]] std::map<std::pair<int, std::uint64_t>, int> const& arrivals() const { return arrivals_; }
  [[nodiscard]] std::vector<Stuck> stuck() const {
    std::vector<Stuck> out;
    for (auto const& [number, grid] : grids_) {
      if (grid->operation->ended) continue;
      for (auto const& [index, block] : grid->blocks)
        for (std::size_t t = 0; t < block.threads.size(); ++t) {
          ThreadState const& s = block.threads[t];
          if (s.waits_for != Kind::kNone)
            out.push_back({static_cast<int>(number >> 48U),
                           grid->id,
                           index,
                           static_cast<std::uint32_t>(t),
                           s.wait_stack,
                           s.waits_for,
                           s.wait_key,
                           s.wait_least});
        }
    }
    return out;
  }
  /// Ranks whose last kernel has ended, or that have none.
  [[nodiscard]] bool has_running_kernel(int rank) const {
    for (auto const& [number, grid] : grids_)
      if (static_cast<int>(number >> 48U) == rank && !grid->operation->ended) return true;
    return false;
  }

 private:
  using Kind = emu::TraceKind;
  using Order = emu::TraceOrder;
  using Scope = emu::TraceScope;

  struct ThreadState {
    Clock clock{};
    Clock fence{};  ///< What the last releasing fence published.
    Scope fence_scope = Scope::kThread;
    Clock pending{};  ///< What relaxed loads saw since the last acquiring fence.
    std::uint32_t step = 0;
    Kind waits_for = Kind::kNone;
    std::uint32_t wait_stack = 0;
    std::uint64_t wait_key = 0, wait_least = 0;
  };
  struct BlockState {
    std::uint32_t phase = 0;
    std::vector<ThreadState> threads;
  };
  struct Operation;
  struct Grid {
    std::uint64_t id = 0;
    Operation* operation = nullptr;
    std::uint32_t threads = 0;
    bool crowded = false;  ///< Not all of its blocks can be resident at once.
    std::unordered_map<std::uint64_t, BlockState> blocks;
    std::vector<std::uint64_t> shared_pages;
  };
  struct Operation {
    Actor actor{};
    Clock clock{};
    std::uint32_t stack = 0;  ///< Of the host call.
    bool ended = false;
    std::unique_ptr<Grid> grid;
  };
  struct Host {
    std::uint32_t lane = 0;
    std::uint32_t position = 0;
    Clock clock;
  };
  struct File {
    int rank = 0;
    Kind acting = Kind::kHost;
    Grid* grid = nullptr;
    BlockState* block = nullptr;
    std::uint64_t block_index = 0;
    std::uint32_t thread = 0;
    Operation* operation = nullptr;
    std::vector<std::pair<BlockState*, std::uint32_t>> meeting;
    std::uint64_t meeting_block = 0;
    Put put{};
  };
  /// What an address published.
  struct Flag {
    Clock clock{};
    Instant writer{};
    Scope scope = Scope::kSystem;
    int rank = 0;
    std::uint64_t grid = 0;
  };
  static constexpr std::size_t kPageCells = 64;
  using Page = std::array<ShadowCell, kPageCells>;

  static std::uint64_t id(int rank, std::uint64_t number) {
    return static_cast<std::uint64_t>(rank) << 48U | number;
  }
  std::uint32_t lane(LaneInfo::Kind kind, int rank, std::uint64_t what) {
    auto const [it, fresh] =
        lane_numbers_.try_emplace({kind, rank, what}, static_cast<std::uint32_t>(lanes_.size()));
    if (fresh) lanes_.push_back({kind, rank, what});
    return it->second;
  }

  static void learn(Clock& clock, Clock const& other) {
    if (!other || other == clock) return;
    if (!clock) {
      clock = other;
      return;
    }
    auto joined = std::make_shared<VectorClock>(*clock);
    joined->join(*other);
    clock = std::move(joined);
  }

  // Who acts

  ThreadState* thread(File& f) { return f.acting == Kind::kThread ? &f.block->threads[f.thread] : nullptr; }
  Clock& clock(File& f) {
    if (f.acting == Kind::kThread) return f.block->threads[f.thread].clock;
    if (f.acting == Kind::kOperation) return f.operation->clock;
    return hosts_[static_cast<std::size_t>(f.rank)].clock;
  }
  Instant instant(File& f) {
    Instant i;
    if (f.acting == Kind::kThread) {
      i.actor = f.grid->operation->actor;
      i.block = static_cast<std::uint32_t>(f.block_index);
      i.thread = static_cast<std::uint16_t>(f.thread);
      i.phase = f.block->phase;
      i.step = f.block->threads[f.thread].step;
    } else if (f.acting == Kind::kOperation) {
      i.actor = f.operation->actor;
    } else {
      Host const& h = hosts_[static_cast<std::size_t>(f.rank)];
      i.actor = {h.lane, h.position};
    }
    return i;
  }
  /// What the actor knows, itself included up to now.
  Clock publish(File& f) {
    auto out = std::make_shared<VectorClock>(*clock(f));
    if (f.acting == Kind::kThread) {
      ThreadState& t = f.block->threads[f.thread];
      ++t.step;
      out->learn_step(instant(f));
    } else if (f.acting == Kind::kHost) {
      Host& h = hosts_[static_cast<std::size_t>(f.rank)];
      out->learn_completed({h.lane, h.position});
      ++h.position;
      h.clock = out;
    }
    return out;
  }
  BlockState& block_of(Grid& g, std::uint64_t index) {
    BlockState& b = g.blocks[index];
    if (b.threads.empty()) {
      b.threads.resize(g.threads);
      for (ThreadState& t : b.threads) t.clock = g.operation->clock;
    }
    return b;
  }
  Grid* find_grid(int rank, std::uint64_t number) {
    auto const it = grids_.find(id(rank, number));
    return it == grids_.end() ? nullptr : it->second;
  }

  // Records

  void take(File& f, emu::TraceRecord const& r) {
    if (f.acting == Kind::kThread && r.kind != Kind::kThread && r.kind != Kind::kOperation &&
        r.kind != Kind::kHost && r.kind != Kind::kBlockBarrier && r.kind != Kind::kWarpMeet &&
        r.kind != Kind::kMeetMember && r.kind != Kind::kMeetEnd && r.kind != Kind::kPutApplied &&
        r.kind != Kind::kAtomicLoad)
      f.block->threads[f.thread].waits_for = Kind::kNone;
    switch (r.kind) {
      case Kind::kThread:
        f.grid = find_grid(f.rank, r.a);
        if (f.grid == nullptr) return;
        f.acting = Kind::kThread;
        f.block_index = r.b >> 16U;
        f.thread = static_cast<std::uint32_t>(r.b & 0xffffU);
        f.block = &block_of(*f.grid, f.block_index);
        return;
      case Kind::kOperation:
        f.operation = &operations_[id(f.rank, r.a)];
        f.acting = f.operation->clock ? Kind::kOperation : Kind::kHost;
        return;
      case Kind::kHost: f.acting = Kind::kHost; return;
      case Kind::kRead:
      case Kind::kWrite:
        if (options_.check)
          touch(f, r.a, r.b, r.kind == Kind::kWrite ? AccessKind::kWrite : AccessKind::kRead, r.stack);
        return;
      case Kind::kAllocate: fresh(r.a, r.b, (r.flags & 1U) != 0); return;
      case Kind::kFree: return;
      case Kind::kAtomicLoad:
      case Kind::kAtomicStore:
      case Kind::kAtomicUpdate: atomic(f, r); return;
      case Kind::kFence: fence(f, r); return;
      case Kind::kBlockBarrier: block_barrier(f, r); return;
      case Kind::kWarpMeet: warp_meet(f, r); return;
      case Kind::kMeetMember:
        if (Grid* g = find_grid(f.rank, r.a); g != nullptr) {
          f.meeting_block = r.b >> 16U;
          f.meeting.emplace_back(&block_of(*g, r.b >> 16U), static_cast<std::uint32_t>(r.b & 0xffffU));
          f.grid = g;
        }
        return;
      case Kind::kMeetEnd:
        meet(*f.grid, f.meeting_block, f.meeting);
        f.meeting.clear();
        return;
      case Kind::kEnqueue: {
        Operation& op = operations_[id(f.rank, r.a)];
        std::uint32_t const l = lane(LaneInfo::kStream, f.rank, r.b);
        op.actor = {l, stream_positions_[l]++};
        op.clock = publish(f);
        op.stack = r.stack;
        return;
      }
      case Kind::kOperationBegin: {
        Operation& op = operations_[id(f.rank, r.a)];
        if (!op.clock) op.clock = std::make_shared<VectorClock>();
        learn(op.clock, stream_ends_[op.actor.lane]);
        grid_before_actor_[std::uint64_t{op.actor.lane} << 32U | op.actor.position] = last_grid_[f.rank];
        return;
      }
      case Kind::kOperationAfter: {
        Operation& op = operations_[id(f.rank, r.a)];
        learn(op.clock, operations_[id(f.rank, r.b)].clock);
        return;
      }
      case Kind::kOperationEnd: end(operations_[id(f.rank, r.a)]); return;
      case Kind::kGrid: {
        Operation& op = operations_[id(f.rank, r.a)];
        op.grid = std::make_unique<Grid>();
        op.grid->id = r.b;
        op.grid->operation = &op;
        op.grid->threads = r.small;
        op.grid->crowded = (r.flags & 1U) != 0;
        grids_[id(f.rank, r.b)] = op.grid.get();
        last_grid_[f.rank] = std::max(last_grid_[f.rank], r.b);
        grid_of_actor_[std::uint64_t{op.actor.lane} << 32U | op.actor.position] = r.b;
        return;
      }
      case Kind::kHostJoin: {
        auto const op = operations_.find(id(f.rank, r.a));
        if (op != operations_.end()) learn(hosts_[static_cast<std::size_t>(f.rank)].clock, op->second.clock);
        return;
      }
      case Kind::kRelease: {
        bool const full = options_.strong || releases(r.flags);
        if (f.acting == Kind::kThread && r.stack != 0) ++arrivals_[{f.rank, r.b}];
        Clock const out = publish(f);
        learn(objects_[r.a], full ? out : std::make_shared<VectorClock>(out->completed_only()));
        return;
      }
      case Kind::kAcquire: {
        auto const it = objects_.find(r.a);
        if (it == objects_.end()) return;
        acquire(f, it->second, options_.strong || acquires(r.flags));
        return;
      }
      case Kind::kPutContext:
        f.put = Put{};
        f.put.context = r.a;
        return;
      case Kind::kPutSource: f.put.source = r.a; return;
      case Kind::kPutTarget:
        f.put.destination = r.a;
        f.put.bytes = r.b;
        return;
      case Kind::kPutSignal:
        f.put.signal = r.a;
        f.put.delta = r.b;
        return;
      case Kind::kPutCounter: f.put.counter = r.a; return;
      case Kind::kPut: post(f, r); return;
      case Kind::kPutApplied:
        if (auto const it = put_numbers_.find(id(f.rank, r.a)); it != put_numbers_.end())
          puts_[it->second].applied = true;
        return;
      case Kind::kSignalWait:
      case Kind::kSignalRead:
      case Kind::kCounterWait:
      case Kind::kCounterRead: wait(f, r); return;
      case Kind::kSignalReset:
      case Kind::kCounterReset: reset(f, r); return;
      case Kind::kFlush: flush(f, r); return;
      case Kind::kWaitBegin:
      case Kind::kPoll:
        if (ThreadState* t = thread(f); t != nullptr) {
          auto const kind = static_cast<Kind>(r.a);
          // Somebody outside of the block is waited for.
          bool const outside = r.kind == Kind::kPoll || (kind != Kind::kBlockBarrier &&
                                                         kind != Kind::kWarpMeet && kind != Kind::kFlush);
          if (f.grid->crowded && outside && crowded_.size() < 16)
            crowded_.push_back({f.rank, r.stack, instant(f)});
          t->waits_for = r.kind == Kind::kPoll ? Kind::kPoll : static_cast<Kind>(r.a);
          t->wait_key = r.kind == Kind::kPoll ? r.a : r.b;
          t->wait_least = r.small;
          t->wait_stack = r.stack;
        }
        return;
      case Kind::kTooLarge: crowded_.push_back({f.rank, r.stack, instant(f)}); return;
      case Kind::kFatal: fatals_.push_back({f.rank, r.stack, instant(f)}); return;
      default: return;
    }
  }

  static bool acquires(std::uint8_t flags) {
    return emu::trace_order(flags) == Order::kAcquire || emu::trace_order(flags) == Order::kAcquireRelease;
  }
  static bool releases(std::uint8_t flags) {
    return emu::trace_order(flags) == Order::kRelease || emu::trace_order(flags) == Order::kAcquireRelease;
  }

  /// A relaxed operation brings only what was complete before the kernels that run began. The rest comes with
  /// the next acquiring fence of the thread, or at the end of its kernel.
  void acquire(File& f, Clock const& from, bool full) {
    ThreadState* t = thread(f);
    if (full || t == nullptr) {
      learn(clock(f), from);
      return;
    }
    learn(t->clock, std::make_shared<VectorClock>(from->completed_only()));
    learn(t->pending, from);
  }

  // Memory

  std::uint64_t page_key(File const* f, std::uint64_t address) {
    std::uint64_t const page = address / (8 * kPageCells);
    if (static_cast<emu::TraceSpace>(address >> 56U) != emu::TraceSpace::kShared || f == nullptr ||
        f->grid == nullptr)
      return page;
    std::uint64_t const key = emu::trace_key(0x736861726564, id(f->rank, f->grid->id), f->block_index, page) |
                              std::uint64_t{1} << 63U;
    return key;
  }
  void enter(File* f, Access now, std::uint64_t address, std::uint64_t bytes, VectorClock const& known) {
    bool const reads = (now.kind == AccessKind::kRead || (now.kind == AccessKind::kAtomic && reads_)) &&
                       now.put == 0 && f != nullptr && f->acting != Kind::kHost;
    std::uint64_t key = 0;
    Page* page = nullptr;
    for (std::uint64_t at = address, last = address + bytes; at < last;) {
      std::uint64_t const cell = at / 8, end = std::min((cell + 1) * 8, last);
      now.mask = static_cast<std::uint8_t>(((1U << (end - at)) - 1U) << (at % 8));
      std::uint64_t const k = page_key(f, at);
      if (page == nullptr || k != key) {
        key = k;
        auto const [it, created] = shadow_.try_emplace(k);
        if (created) {
          it->second = std::make_unique<Page>();
          if ((k >> 63U) != 0 && f != nullptr && f->grid != nullptr) f->grid->shared_pages.push_back(k);
        }
        page = it->second.get();
      }
      ShadowCell& c = (*page)[cell % kPageCells];
      // Variables of the program itself have initial values.
      if (reads && (now.mask & ~c.written()) != 0 &&
          static_cast<emu::TraceSpace>(at >> 56U) != emu::TraceSpace::kProgram)
        (now.kind == AccessKind::kAtomic ? conflict({{}, now, true, at, {}})
                                         : moved_nothing({{}, now, true, at, {}}));
      if (auto const other = c.enter(now, known)) conflict({*other, now, false, at, known});
      at = end;
    }
  }
  /// Warm-ups move buffers that nobody has filled yet, and whole buffers are copied whatever of them is used:
  /// that matters only when the results are wrong. A flag is looked at for its value.
  void moved_nothing(Conflict c) {
    if (unwritten_.size() < 64) unwritten_.push_back(std::move(c));
  }
  void conflict(Conflict c) {
    // One for each pair of places.
    std::uint64_t const pair = std::uint64_t{c.first.stack} << 32U | c.second.stack;
    auto const kinds = static_cast<std::uint64_t>(c.first.kind) << 4U |
                       static_cast<std::uint64_t>(c.second.kind) << 2U | (c.uninitialized ? 1U : 0U);
    std::uint64_t const who = std::uint64_t{lanes_[c.first.instant.actor.lane].kind} << 8U |
                              lanes_[c.second.instant.actor.lane].kind;
    if (seen_
            .insert(emu::trace_key(
                pair, kinds, who, static_cast<std::uint64_t>(lanes_[c.second.instant.actor.lane].rank)))
            .second &&
        conflicts_.size() < 2000)
      conflicts_.push_back(std::move(c));
  }
  void touch(File& f, std::uint64_t address, std::uint64_t bytes, AccessKind kind, std::uint32_t stack) {
    ++accesses_;
    Access now;
    now.instant = instant(f);
    now.stack = stack != 0 || f.acting != Kind::kOperation ? stack : f.operation->stack;
    now.kind = kind;
    enter(&f, now, address, bytes, *clock(f));
  }
  void fresh(std::uint64_t address, std::uint64_t bytes, bool written) {
    if (!options_.check) return;
    for (std::uint64_t at = address; at < address + bytes; at += 8) {
      auto& page = shadow_[at / (8 * kPageCells)];
      if (!page) page = std::make_unique<Page>();
      ShadowCell& c = (*page)[at / 8 % kPageCells];
      c = ShadowCell{};
      if (written) c.set_written();
    }
  }

  // Atomics and fences

  bool includes(Scope scope, Flag const& flag, File const& f) const {
    if (options_.strong || scope == Scope::kSystem) return true;
    if (flag.rank != f.rank) return false;
    if (scope == Scope::kDevice || f.acting != Kind::kThread) return true;
    bool const same_block =
        f.grid != nullptr && flag.grid == f.grid->id && flag.writer.block == f.block_index;
    return scope == Scope::kBlock ? same_block : same_block && flag.writer.thread == f.thread;
  }
  void atomic(File& f, emu::TraceRecord const& r) {
    bool const load = r.kind == Kind::kAtomicLoad;
    // Shared memory is another place in every block.
    std::uint64_t address = r.a;
    if (static_cast<emu::TraceSpace>(address >> 56U) == emu::TraceSpace::kShared && f.grid != nullptr)
      address = emu::trace_key(address, id(f.rank, f.grid->id), f.block_index);
    reads_ = r.kind != Kind::kAtomicStore;
    if (options_.check) touch(f, r.a, r.b, AccessKind::kAtomic, r.stack);
    reads_ = false;
    Flag& flag = flags_[address];
    Scope const scope = emu::trace_scope(r.flags);
    ThreadState* t = thread(f);
    if (load) {
      if (!flag.clock || !includes(scope, flag, f) || !includes(flag.scope, flag, f)) return;
      if (options_.strong || acquires(r.flags) || t == nullptr)
        learn(clock(f), flag.clock);
      else
        learn(t->pending, flag.clock);
      return;
    }
    Clock out;
    Scope out_scope = scope;
    if (options_.strong || releases(r.flags) || t == nullptr) {
      out = publish(f);
    } else if (t->fence) {
      out = t->fence;
      out_scope = std::min(scope, t->fence_scope);
    }
    Instant const now = instant(f);
    bool const alone = r.kind == Kind::kAtomicStore && (!flag.clock || flag.writer.same_thread(now));
    if (alone) {
      flag.clock = out;
    } else {
      learn(flag.clock, out);
    }
    flag.writer = now;
    flag.scope = out_scope;
    flag.rank = f.rank;
    flag.grid = f.grid != nullptr ? f.grid->id : 0;
  }
  void fence(File& f, emu::TraceRecord const& r) {
    ThreadState* t = thread(f);
    if (t == nullptr) return;
    if (acquires(r.flags)) {
      learn(t->clock, t->pending);
      t->pending.reset();
    }
    if (releases(r.flags)) {
      t->fence = publish(f);
      t->fence_scope = emu::trace_scope(r.flags);
    }
  }

  // Meetings

  void block_barrier(File& f, emu::TraceRecord const& r) {
    Grid* g = find_grid(f.rank, r.a);
    if (g == nullptr) return;
    BlockState& b = block_of(*g, r.b);
    Clock all = b.threads[0].clock;
    std::set<VectorClock const*> joined{all.get()};
    std::shared_ptr<VectorClock> own;
    for (ThreadState const& t : b.threads) {
      if (!joined.insert(t.clock.get()).second) continue;
      if (!own) own = std::make_shared<VectorClock>(*all);
      own->join(*t.clock);
    }
    if (!own) own = std::make_shared<VectorClock>(*all);
    ++b.phase;
    own->learn_phase(g->operation->actor, static_cast<std::uint32_t>(r.b), b.phase);
    Clock const shared = own;
    for (ThreadState& t : b.threads) {
      t.clock = shared;
      t.step = 0;
      if (t.waits_for == Kind::kBlockBarrier) t.waits_for = Kind::kNone;
    }
  }
  void meet(Grid& g, std::uint64_t block, std::vector<std::pair<BlockState*, std::uint32_t>> const& members) {
    if (members.empty()) return;
    auto all = std::make_shared<VectorClock>();
    std::set<VectorClock const*> joined;
    for (auto const& [b, index] : members) {
      ThreadState& t = b->threads[index];
      if (joined.insert(t.clock.get()).second) all->join(*t.clock);
      ++t.step;
      Instant i;
      i.actor = g.operation->actor;
      i.block = static_cast<std::uint32_t>(block);
      i.thread = static_cast<std::uint16_t>(index);
      i.phase = b->phase;
      i.step = t.step;
      all->learn_step(i);
    }
    Clock const shared = all;
    for (auto const& [b, index] : members) {
      b->threads[index].clock = shared;
      if (b->threads[index].waits_for == Kind::kWarpMeet) b->threads[index].waits_for = Kind::kNone;
    }
  }
  void warp_meet(File& f, emu::TraceRecord const& r) {
    Grid* g = find_grid(f.rank, r.a);
    if (g == nullptr) return;
    std::uint64_t const index = r.b >> 16U, warp = r.b & 0xffffU;
    BlockState& b = block_of(*g, index);
    std::vector<std::pair<BlockState*, std::uint32_t>> members;
    for (std::uint32_t lane = 0; lane < 32; ++lane)
      if ((r.stack >> lane & 1U) != 0) members.emplace_back(&b, static_cast<std::uint32_t>(warp * 32 + lane));
    if (!members.empty()) meet(*g, index, members);
  }
  void end(Operation& op) {
    auto all = std::make_shared<VectorClock>(*op.clock);
    if (op.grid) {
      std::set<VectorClock const*> joined;
      for (auto const& [index, block] : op.grid->blocks)
        for (ThreadState const& t : block.threads) {
          if (joined.insert(t.clock.get()).second) all->join(*t.clock);
          if (t.pending && joined.insert(t.pending.get()).second) all->join(*t.pending);
        }
      for (std::uint64_t page : op.grid->shared_pages) shadow_.erase(page);
    }
    all->learn_completed(op.actor);
    op.clock = all;
    op.ended = true;
    stream_ends_[op.actor.lane] = op.clock;
    if (op.grid) {
      op.grid->blocks.clear();
    }
  }

  // One-sided operations

  void post(File& f, emu::TraceRecord const& r) {
    Put p = f.put;
    p.rank = f.rank;
    p.number = r.a;
    p.target = static_cast<int>(r.b & 0xffffffffU);
    p.value = (r.flags & emu::kPutValue) != 0;
    p.internal = (r.flags & emu::kPutInternal) != 0;
    p.releases = (r.small & 2U) != 0;
    p.stack = r.stack;
    p.grid = f.grid != nullptr ? f.grid->id : 0;
    p.read.lane =
        lane(LaneInfo::kSourceRead, f.rank, emu::trace_key(p.context, static_cast<std::uint64_t>(p.target)));
    p.written.lane =
        lane(LaneInfo::kDelivery, f.rank, emu::trace_key(p.context, static_cast<std::uint64_t>(p.target)));
    p.queue = p.written.lane;
    p.index = queue_lengths_[p.queue]++;
    p.read.position = p.written.position = p.index;
    Clock const all = publish(f);
    p.poster = instant(f);
    --p.poster.step;  // as it was when the put was posted
    p.posted = options_.strong || p.releases ? all : std::make_shared<VectorClock>(all->completed_only());
    auto const number = static_cast<std::uint32_t>(puts_.size());
    put_numbers_[id(f.rank, p.number)] = number;
    queues_[p.queue].push_back(number);
    if (p.signal != 0) contributions_[p.signal].push_back({number, p.queue, p.delta});
    if (p.counter != 0) contributions_[p.counter].push_back({number, number | 0x80000000U, 1});
    if (options_.check && p.bytes > 0) {
      Access a;
      a.stack = p.stack;
      a.put = number + 1;
      if (!p.value && p.source != 0) {
        a.instant.actor = p.read;
        a.kind = AccessKind::kRead;
        enter(nullptr, a, p.source, p.bytes, *p.posted);
      }
      a.instant.actor = p.written;
      a.kind = AccessKind::kWrite;
      enter(nullptr, a, p.destination, p.bytes, *p.posted);
    }
    puts_.push_back(std::move(p));
  }
  void wait(File& f, emu::TraceRecord const& r) {
    bool const counter = r.kind == Kind::kCounterWait || r.kind == Kind::kCounterRead;
    Wait w;
    w.rank = f.rank;
    w.key = r.a;
    w.least = r.b;
    w.grid = f.grid != nullptr ? f.grid->id : 0;
    w.stack = r.stack;
    w.read = r.kind == Kind::kSignalRead || r.kind == Kind::kCounterRead;
    w.instant = instant(f);
    std::size_t const number = waits_.size();
    // What may have contributed: all since the last reset that does not depend on this wait.
    std::vector<Contribution> all;
    auto const& from = options_.previous != nullptr ? options_.previous->contributions_ : contributions_;
    if (auto const it = from.find(r.a); it != from.end()) {
      auto const skip = resets_.find(r.a);
      for (std::size_t i = skip == resets_.end() ? 0 : skip->second; i < it->second.size(); ++i) {
        Contribution const& c = it->second[i];
        if (options_.previous == nullptr) {
          if (counter || puts_[c.put].applied) all.push_back(c);
        } else {
          Put const& p = options_.previous->puts_[c.put];
          if (!p.posted || !options_.previous->posted_after(p, options_.previous->waits_[number]))
            all.push_back(c);
        }
      }
    }
    if (options_.previous == nullptr) {
      for (Contribution const& c : all) w.sure.push_back(c.put);
    } else {
      w.sure = certain(all, r.b);
      std::uint64_t before = 0;
      for (Contribution const& c : all) {
        Put const& p = options_.previous->puts_[c.put];
        if (f.grid != nullptr && f.grid->operation->clock->completed(p.written.lane) >= p.index)
          before += c.delta;
      }
      w.early = before >= r.b && r.b > 0;
      // The value of a look is the same in every schedule if all that counts had been awaited, and nothing
      // else can come.
      std::uint64_t total = 0, awaited = 0;
      for (Contribution const& c : all) {
        total += c.delta;
        Put const& p = options_.previous->puts_[c.put];
        if (clock(f)->completed(p.written.lane) >= p.index) awaited += c.delta;
      }
      w.uncertain = w.read && (total != r.b || awaited != r.b);
    }
    w.redundant = !counter;
    for (std::uint32_t const index : w.sure)
      if (index < puts_.size() && clock(f)->completed(puts_[index].written.lane) < puts_[index].index)
        w.redundant = false;
    bool const full = options_.strong || w.read || counter || acquires(r.flags);
    auto arrived = std::make_shared<VectorClock>();
    for (std::uint32_t const index : w.sure) {
      if (index >= puts_.size()) continue;  // it comes later in the trace: this run did not see it
      Put const& p = puts_[index];
      arrived->learn_completed(p.read);
      if (counter) continue;
      // A signal comes after all earlier puts of its queue.
      arrived->learn_completed(p.written);
      arrived->join(*p.posted);
    }
    if (full) {
      learn(clock(f), arrived);
    } else {
      // The network's lanes count as complete, but not for a relaxed wait.
      auto before = std::make_shared<VectorClock>();
      for (std::uint32_t const index : w.sure)
        if (index < puts_.size() && !counter) before->join(puts_[index].posted->completed_only());
      learn(clock(f), before);
      if (ThreadState* t = thread(f); t != nullptr) learn(t->pending, arrived);
    }
    if (ThreadState* t = thread(f); t != nullptr) ++t->step;
    w.after = clock(f);
    waits_.push_back(std::move(w));
  }
  /// Whether the put was posted by somebody who knew that the wait had ended.
  [[nodiscard]] bool posted_after(Put const& p, Wait const& w) const {
    if (p.poster.same_thread(w.instant))
      return std::make_pair(p.poster.phase, p.poster.step) > std::make_pair(w.instant.phase, w.instant.step);
    return p.posted->knows(w.instant);
  }
  void reset(File& f, emu::TraceRecord const& r) {
    Instant const now = instant(f);
    auto const& known = *clock(f);
    auto const& from = options_.previous != nullptr ? options_.previous->contributions_ : contributions_;
    std::size_t done = 0;
    if (auto const it = from.find(r.a); it != from.end()) {
      for (std::size_t i = 0; i < it->second.size(); ++i) {
        std::uint32_t const put = it->second[i].put;
        if (put < puts_.size()) done = i + 1;
        if (options_.previous == nullptr || r.kind != Kind::kSignalReset) continue;
        Put const& p = options_.previous->puts_[put];
        bool const before = known.completed(p.written.lane) >= p.index;
        if (!before && !p.posted->knows(now)) reset_races_.push_back({f.rank, r.stack, put});
      }
    }
    resets_[r.a] = done;
    if (ThreadState* t = thread(f); t != nullptr) ++t->step;
  }
  void flush(File& f, emu::TraceRecord const& r) {
    auto known = std::make_shared<VectorClock>(*clock(f));
    for (auto const& [queue, numbers] : queues_) {
      if (numbers.empty() || puts_[numbers[0]].context != r.a) continue;
      for (auto it = numbers.rbegin(); it != numbers.rend(); ++it) {
        Put const& p = puts_[*it];
        Instant const now = instant(f);
        if (!p.poster.same_thread(now) && !known->knows(p.poster)) continue;
        known->learn_completed(p.read);
        break;
      }
    }
    clock(f) = known;
  }

  Trace const& trace_;
  Options options_;
  std::vector<File> files_;
  std::vector<Host> hosts_;
  std::map<std::tuple<LaneInfo::Kind, int, std::uint64_t>, std::uint32_t> lane_numbers_;
  std::vector<LaneInfo> lanes_;
  std::unordered_map<std::uint64_t, Operation> operations_;
  std::unordered_map<std::uint64_t, Grid*> grids_;
  std::unordered_map<std::uint64_t, std::uint64_t> grid_of_actor_, grid_before_actor_;
  std::map<int, std::uint64_t> last_grid_;
  std::unordered_map<std::uint32_t, std::uint32_t> stream_positions_, queue_lengths_;
  std::unordered_map<std::uint32_t, Clock> stream_ends_;
  std::unordered_map<std::uint64_t, Clock> objects_;
  std::unordered_map<std::uint64_t, Flag> flags_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> shadow_;
  std::vector<Put> puts_;
  std::unordered_map<std::uint64_t, std::uint32_t> put_numbers_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> queues_;
  std::unordered_map<std::uint64_t, std::vector<Contribution>> contributions_;
  std::unordered_map<std::uint64_t, std::size_t> resets_;
  std::vector<Wait> waits_;
  std::vector<Conflict> conflicts_, unwritten_;
  std::set<std::uint64_t> seen_;
  std::vector<ResetRace> reset_races_;
  std::vector<Fatal> fatals_, crowded_;
  std::map<std::pair<int, std::uint64_t>, int> arrivals_;
  bool reads_ = false;  ///< The atomic access that is entered looks at the value.
  std::uint64_t accesses_ = 0;
};

}  // namespace cuco::checking
