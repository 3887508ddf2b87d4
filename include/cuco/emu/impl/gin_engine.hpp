// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The GIN engine: one first-in-first-out queue per (context, destination rank) of this rank.
///
/// For each put two instants are free: when its source is read, and when it is delivered. eager: both at the
/// post. lazy: both as late as the contract allows, in the order of the posts. adversarial: as late, the
/// youngest first. random: per put, by the seed, each is either at once or as late as the contract allows,
/// that is, the read when this rank cannot go on without it (flush, counter), the delivery when no rank can
/// go on without one; the late ones come in random order. A signal is applied after its payload and all
/// earlier puts of its queue. Nothing orders different queues. flush and counters wait for the reads only.
/// Everything is delivered in the end.
///
/// Time, the same in both modes: a post costs gin_post_us; the transfer starts when the link (to that rank
/// inside a node, the NIC between nodes) is free; local completion = start + bytes / bandwidth; delivery =
/// that + latency; a waiting kernel sees a signal gin_signal_us later.

#include <deque>
#include <memory>

#include "cuco/emu/impl/lsa_barrier.hpp"

namespace cuco::emu::impl {

struct GinPut {
  GinPost post;
  int to = 0;  ///< Rank in the communicator.
  std::vector<char> data;
  bool read = false, delivered = false, signalled = false;
  std::uint64_t order[3] = {};  ///< Late steps (read, delivery, signal) are taken in this order.
  double local_time = 0, delivery_time = 0;
  std::uint64_t number = 0;  ///< In the trace.
};

/// Signals, counters and contexts as all ranks name them in the trace.
inline std::uint64_t signal_key(DeviceCommState* s, int world_rank, std::uint32_t context, std::uint32_t id) {
  return trace_key(
      0x736967, s->trace_id, static_cast<std::uint64_t>(world_rank), std::uint64_t{context} << 32U | id);
}
inline int own_world_rank(DeviceCommState* s) {
  return s->comm->peers[static_cast<std::size_t>(s->comm->rank)].world_rank;
}
inline std::uint64_t counter_key(DeviceCommState* s, std::uint32_t context, std::uint32_t id) {
  return trace_key(0x636e74,
                   s->trace_id,
                   static_cast<std::uint64_t>(own_world_rank(s)),
                   std::uint64_t{context} << 32U | id);
}
inline std::uint64_t flush_key(DeviceCommState* s, std::uint32_t context) {
  return trace_key(0x666c75, s->trace_id, static_cast<std::uint64_t>(own_world_rank(s)), context);
}
/// What the thread waits for, for a report of a deadlock.
inline void trace_waiting(TraceKind kind, std::uint64_t key, std::uint64_t least = 0) {
  if (tracing())
    trace_here(TraceKind::kWaitBegin,
               static_cast<std::uint64_t>(kind),
               key,
               0,
               static_cast<std::uint16_t>(std::min<std::uint64_t>(least, 0xffff)));
}

class GinEngine {
 public:
  static GinEngine& get() {
    static GinEngine* const engine = new GinEngine;
    return *engine;
  }

  void post(GinPost const& p, int to) {
    Thread& t = self();
    t.clock += machine().gin_post_us;
    t.run_class = kNoClass;
    auto put = std::make_unique<GinPut>();
    put->post = p;
    put->to = to;
    schedule(*put, t);
    if (tracing()) trace_post(*put);
    DeviceCommState* s = p.state;
    double& done = s->local_done[p.context];
    done = std::max(done, put->local_time);
    if (p.has_signal) s->signal(to, p.context, p.signal).in_flight.fetch_add(1, std::memory_order_acq_rel);
    if (p.bytes > 0) Report::get().put(static_cast<double>(p.bytes));
    Scheduler::get().note_progress();
    if (Environment::get().mode == GinMode::kEager) {
      read(*put);
      deliver(*put);
      apply(*put);
      return;
    }
    pending_deliveries().fetch_add(1, std::memory_order_acq_rel);
    Key key{s, p.context, to};
    // What happens to a put depends on the seed and on its place in its queue, not on when it is posted.
    Environment const& e = Environment::get();
    Random chance(e.seed * 6364136223846793005u + static_cast<std::uint64_t>(e.world_rank) * 1000003u +
                  p.context * 8191u + static_cast<std::uint64_t>(to) * 131u + (posted_[key]++ << 32));
    for (std::uint64_t& order : put->order) order = chance.next();
    bool read_now = chance.below(2) == 0, deliver_now = chance.below(2) == 0,
         apply_now = chance.below(2) == 0;
    if (e.mode != GinMode::kRandom) {
      // As late as can be: lazy in the order of the posts, adversarial the youngest first, by the seed for a
      // part of them.
      read_now = deliver_now = apply_now = false;
      std::uint64_t const age = ++ages_;
      bool const odd = e.mode == GinMode::kAdversarial && chance.below(4) == 0;
      for (std::uint64_t& order : put->order)
        if (!odd) order = e.mode == GinMode::kLazy ? age : ~age;
    }
    if (read_now) read(*put);
    if (read_now && deliver_now) deliver(*put);
    auto& queue = queues_[key];
    bool first = queue.empty();
    queue.push_back(std::move(put));
    if (first && queue.front()->delivered && apply_now) apply(*queue.front());
    retire(key);
  }

  /// Device thread, when this rank has nothing else to do: one late step. True when something happened.
  bool step() {
    if (queues_.empty()) return false;
    std::vector<Step> reads, deliveries;
    for (auto& [key, queue] : queues_) {
      bool earlier_delivered = true;
      for (auto& p : queue) {
        if (!p->read) reads.push_back({p->order[0], key, p.get(), &GinEngine::read});
        if (p->read && !p->delivered) deliveries.push_back({p->order[1], key, p.get(), &GinEngine::deliver});
        earlier_delivered = earlier_delivered && p->delivered;
        if (p->delivered && !p->signalled && earlier_delivered)
          deliveries.push_back({p->order[2], key, p.get(), &GinEngine::apply});
      }
    }
    auto& steps = reads.empty() ? deliveries : reads;
    if (reads.empty()) {
      ncclComm* c = std::get<0>(queues_.begin()->first)->comm;
      bool nobody =
          std::all_of(c->peers.begin(), c->peers.end(), [](Peer const& p) { return quiescent(p.page); });
      double now = real_ms();
      if (quiet_since_ == 0) quiet_since_ = now;
      // A host thread that spins without asking the runtime never looks idle: deliver after a while all the
      // same.
      if (!nobody && now - quiet_since_ < 200) return false;
    }
    quiet_since_ = 0;
    Step const& step = *std::min_element(
        steps.begin(), steps.end(), [](Step const& a, Step const& b) { return a.order < b.order; });
    Key key = step.key;
    step.act(*step.put);
    retire(key);
    return true;
  }

  /// Have all sources posted in this context been read?
  bool sources_read(DeviceCommState* s, std::uint32_t context) const {
    for (auto const& [key, queue] : queues_)
      if (std::get<0>(key) == s && std::get<1>(key) == context)
        for (auto const& p : queue)
          if (!p->read) return false;
    return true;
  }

 private:
  using Key = std::tuple<DeviceCommState*, std::uint32_t, int>;
  struct Step {
    std::uint64_t order;
    Key key;
    GinPut* put;
    void (*act)(GinPut&);
  };
  void retire(Key const& key) {
    auto it = queues_.find(key);
    while (!it->second.empty() && it->second.front()->signalled) {
      it->second.pop_front();
      pending_deliveries().fetch_sub(1, std::memory_order_acq_rel);
    }
    if (it->second.empty()) queues_.erase(it);
  }
  GinEngine() = default;

  /// The records of a put that is being posted.
  static void trace_post(GinPut& put) {
    static std::uint64_t numbers = 0;
    GinPost const& p = put.post;
    ncclComm* c = p.state->comm;
    auto const there = static_cast<std::uint64_t>(c->peers[static_cast<std::size_t>(put.to)].world_rank);
    put.number = ++numbers;
    trace(TraceKind::kPutContext, flush_key(p.state, p.context));
    if (!p.is_value && p.bytes > 0) trace(TraceKind::kPutSource, trace_heap(p.from->own + p.from_offset));
    if (p.bytes > 0)
      trace(
          TraceKind::kPutTarget,
          trace_address(TraceSpace::kHeap, static_cast<unsigned>(there), p.to->offset[put.to] + p.to_offset),
          p.bytes);
    if (p.has_signal)
      trace(
          TraceKind::kPutSignal, signal_key(p.state, static_cast<int>(there), p.context, p.signal), p.delta);
    if (p.has_counter) trace(TraceKind::kPutCounter, counter_key(p.state, p.context, p.counter), 1);
    unsigned const flags = (p.is_value ? kPutValue : 0U) | (p.internal ? kPutInternal : 0U);
    // A put publishes what its thread knows; a barrier's signal only with a releasing order.
    unsigned const order = p.internal ? p.order & 2U : 2U;
    trace_here(TraceKind::kPut,
               put.number,
               std::uint64_t{p.context} << 32U | there,
               static_cast<std::uint8_t>(flags),
               static_cast<std::uint16_t>(order));
  }
  void schedule(GinPut& put, Thread const& thread) {
    Machine const& m = machine();
    ncclComm* c = put.post.state->comm;
    int here = c->peers[static_cast<std::size_t>(c->rank)].world_rank,
        there = c->peers[static_cast<std::size_t>(put.to)].world_rank;
    bool intra = here / m.gpus_per_node == there / m.gpus_per_node;
    int line = intra ? there : -1 - static_cast<int>(put.post.context) % std::max(1, m.nics_per_gpu);
    double gbps = intra ? m.gin_intra_gbps : m.gin_inter_gbps,
           latency = intra ? m.gin_intra_latency_us : m.gin_inter_latency_us;
    Block& block = *thread.block;
    double const wire = static_cast<double>(put.post.bytes) / (gbps * 1e3);
    double& free = block.wire_free[line];
    free = std::max(thread.clock, free) + wire;
    block.wire[line] += wire;
    block.grid->wire[line] += wire;
    put.local_time = free;
    put.delivery_time = free + latency;
  }
  static void read(GinPut& put) {
    GinPost const& p = put.post;
    if (p.is_value) {
      put.data.resize(p.bytes);
      std::memcpy(put.data.data(), &p.value, p.bytes);
    } else if (p.bytes > 0) {
      char const* from = p.from->own + p.from_offset;
      if (!in_bounds(from, p.bytes))
        fatal(kBadAccess,
              "out-of-bounds access: a put of %zu bytes reads window memory that has been freed",
              p.bytes);
      if (Environment::get().mode != GinMode::kEager) put.data.assign(from, from + p.bytes);
    }
    put.read = true;
    if (p.has_counter) {
      GinCounter& counter = p.state->counter[p.context * p.state->counters + p.counter];
      ++counter.value;
      counter.times.push_back(put.local_time);
    }
  }
  static void deliver(GinPut& put) {
    GinPost const& p = put.post;
    if (p.bytes > 0) {
      char const* from = put.data.empty() ? p.from->own + p.from_offset : put.data.data();
      Peer const& peer = p.state->comm->peers[static_cast<std::size_t>(put.to)];
      if (put.to == p.state->comm->rank && !in_bounds(p.to->own + p.to_offset, p.bytes))
        fatal(kBadAccess,
              "out-of-bounds access: a put of %zu bytes arrives in window memory that has been freed",
              p.bytes);
      if (put.data.empty() && !in_bounds(from, p.bytes))
        fatal(kBadAccess,
              "out-of-bounds access: a put of %zu bytes reads window memory that has been freed",
              p.bytes);
      if (put.to == p.state->comm->rank)
        std::memmove(p.to->own + p.to_offset, from, p.bytes);
      else
        write_peer(peer, p.to->offset[put.to] + p.to_offset, from, p.bytes);
      ring(peer.page);
    }
    put.data.clear();
    put.delivered = true;
  }
  static void apply(GinPut& put) {
    GinPost const& p = put.post;
    put.signalled = true;
    if (!p.has_signal) return;
    trace(TraceKind::kPutApplied, put.number);
    GinSignal& signal = p.state->signal(put.to, p.context, p.signal);
    signal.add(p.delta, put.delivery_time + machine().gin_signal_us);
    signal.in_flight.fetch_sub(1, std::memory_order_acq_rel);
    ring(p.state->comm->peers[static_cast<std::size_t>(put.to)].page);
  }

  std::map<Key, std::uint64_t> posted_;
  std::map<Key, std::deque<std::unique_ptr<GinPut>>> queues_;
  std::uint64_t ages_ = 0;
  double quiet_since_ = 0;
};

}  // namespace cuco::emu::impl
