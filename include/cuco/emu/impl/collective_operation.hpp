// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Host-launched collectives as stream operations.
///
/// Every rank posts its part; when all have, arguments are compared, then each rank does its share of the
/// moving: it reads what it needs from the others' memory files and writes results into theirs. Time: start =
/// latest of the ranks' stream clocks; duration = base_us + per_rank_us * (ranks - 1) + wire / bandwidth +
/// min(wire, small_bytes) / small_gbps, wire = the bytes that the bus-bandwidth convention counts
/// (all-reduce: 2 (n-1)/n of the buffer; all-gather, reduce-scatter, all-to-all, gather, scatter: (n-1)/n of
/// the total; broadcast and reduce: the buffer).

#include "cuco/emu/impl/communicator.hpp"
#include "cuco/emu/impl/reduction.hpp"

namespace cuco::emu::impl {

enum class CollectiveKind : int {
  kAllReduce,
  kReduce,
  kReduceScatter,
  kAllGather,
  kAlltoAll,
  kBroadcast,
  kGather,
  kScatter
};
inline char const* collective_name(CollectiveKind k) {
  static char const* const names[] = {"ncclAllReduce",
                                      "ncclReduce",
                                      "ncclReduceScatter",
                                      "ncclAllGather",
                                      "ncclAlltoAll",
                                      "ncclBroadcast",
                                      "ncclGather",
                                      "ncclScatter"};
  return names[static_cast<int>(k)];
}

struct CollectiveArguments {
  CollectiveKind kind;
  void const* send;
  void* receive;
  std::size_t count;
  int type, op, root;
};

inline double collective_time(CollectiveCost const& c, int ranks, double wire) {
  return c.base_us + c.per_rank_us * (ranks - 1) + wire / (c.bandwidth_gbps * 1e3) +
         std::min(wire, c.small_bytes) / (c.small_gbps * 1e3);
}

class CollectiveOperation final : public Operation {
 public:
  CollectiveOperation(ncclComm* comm, CollectiveArguments const& a)
      : c_(comm), a_(a), sequence_(comm->collectives++) {
    latency = machine().launch_latency_us;
  }
  void begin(double start) override { start_ = start; }

  bool poll() override {
    bool moved = false;
    Stage before = stage_;
    do {
      before = stage_;
      step();
      moved = moved || before != stage_;
    } while (stage_ != before && stage_ != Stage::kDone);
    if (moved) {
      Scheduler::get().note_progress();
      own_page()->progress.fetch_add(1, std::memory_order_relaxed);
    }
    return stage_ == Stage::kDone;
  }
  double end() const override { return end_; }
  bool is_kernel() const override { return true; }
  std::string what() const override {
    int here = 0;
    for (int r = 0; r < c_->ranks; ++r)
      here += slot(r).posted.load(std::memory_order_acquire) == sequence_ + 1 ? 1 : 0;
    return std::string(collective_name(a_.kind)) + " number " + std::to_string(sequence_) +
           " of the communicator: " + std::to_string(here) + " of " + std::to_string(c_->ranks) +
           " ranks arrived";
  }

 private:
  enum class Stage { kPost, kArrive, kRead, kWrite, kDone };

  CollectiveSlot& slot(int r) const { return c_->shared->collective[sequence_ % kCollectiveRing][r]; }
  bool all(std::atomic<std::uint64_t> CollectiveSlot::*field, std::uint64_t value) const {
    for (int r = 0; r < c_->ranks; ++r)
      if ((slot(r).*field).load(std::memory_order_acquire) < value) return false;
    return true;
  }
  void publish(std::atomic<std::uint64_t> CollectiveSlot::*field) {
    (slot(c_->rank).*field).store(sequence_ + 1, std::memory_order_release);
    c_->ring_all();
  }
  void step() {
    switch (stage_) {
      case Stage::kPost: {
        // The ring's slot must have been left by everyone who used it before.
        if (sequence_ >= kCollectiveRing && !all(&CollectiveSlot::left, sequence_ - kCollectiveRing + 1))
          return;
        CollectiveSlot& s = slot(c_->rank);
        s.start = start_;
        s.send = a_.send != nullptr ? heap_offset(a_.send) : 0;
        s.receive = a_.receive != nullptr ? heap_offset(a_.receive) : 0;
        s.count = a_.count;
        s.kind = static_cast<std::int32_t>(a_.kind);
        s.type = a_.type;
        s.op = a_.op;
        s.root = a_.root;
        s.scalar = scalar();
        trace(TraceKind::kRelease, key(c_->rank), 0, trace_flags(TraceOrder::kRelease, TraceScope::kSystem));
        publish(&CollectiveSlot::posted);
        stage_ = Stage::kArrive;
        return;
      }
      case Stage::kArrive:
        if (!all(&CollectiveSlot::posted, sequence_ + 1)) return;
        compare();
        if (tracing()) trace_effect();
        read();
        publish(&CollectiveSlot::read);
        stage_ = Stage::kRead;
        return;
      case Stage::kRead:
        if (!all(&CollectiveSlot::read, sequence_ + 1)) return;
        write();
        publish(&CollectiveSlot::finished);
        stage_ = Stage::kWrite;
        return;
      case Stage::kWrite: {
        if (!all(&CollectiveSlot::finished, sequence_ + 1)) return;
        double latest = 0;
        for (int r = 0; r < c_->ranks; ++r) latest = std::max(latest, slot(r).start);
        double took = duration();
        end_ = latest + took;
        Report::get().collective(
            collective_name(a_.kind), static_cast<double>(a_.count * type_bytes(a_.type)), took);
        publish(&CollectiveSlot::left);
        stage_ = Stage::kDone;
        return;
      }
      case Stage::kDone: return;
    }
  }

  std::uint64_t key(int rank) const {
    return trace_key(0x636f6c6c, c_->trace_id, sequence_, static_cast<std::uint64_t>(rank));
  }
  /// What this rank learns of others, and what is read and written for it, as one step.
  void trace_effect() const {
    CollectiveKind const k = a_.kind;
    bool const from_root = k == CollectiveKind::kBroadcast || k == CollectiveKind::kScatter;
    bool const to_root = k == CollectiveKind::kReduce || k == CollectiveKind::kGather;
    bool const root = c_->rank == a_.root;
    for (int r = 0; r < c_->ranks; ++r)
      if (from_root ? r == a_.root : !to_root || root)
        trace(TraceKind::kAcquire, key(r), 0, trace_flags(TraceOrder::kAcquire, TraceScope::kSystem));
    std::size_t const one = a_.count * type_bytes(a_.type), all = one * static_cast<std::size_t>(c_->ranks);
    if (!from_root || root)
      trace_range(false,
                  a_.send,
                  k == CollectiveKind::kReduceScatter || k == CollectiveKind::kAlltoAll ||
                          k == CollectiveKind::kScatter
                      ? all
                      : one);
    if (!to_root || root)
      trace_range(
          true,
          a_.receive,
          k == CollectiveKind::kAllGather || k == CollectiveKind::kAlltoAll || k == CollectiveKind::kGather
              ? all
              : one);
  }
  std::uint64_t scalar() const {
    if (a_.op < ncclNumOps) return 0;
    PreMultiplied const& op = c_->pre_multiplied[static_cast<std::size_t>(a_.op - ncclNumOps)];
    std::uint64_t bits = op.bits;
    if (op.device != nullptr) std::memcpy(&bits, op.device, type_bytes(a_.type));
    return bits;
  }

  void compare() {
    CollectiveSlot const& mine = slot(c_->rank);
    for (int r = 0; r < c_->ranks; ++r) {
      CollectiveSlot const& s = slot(r);
      char const* name = collective_name(a_.kind);
      auto differ = [&](char const* what, char const* here, char const* there) {
        fatal(kIllegalUse,
              "illegal use: %s: ranks disagree on the %s: %s on rank %d, %s on rank %d (collective number "
              "%llu)",
              name,
              what,
              here,
              c_->rank,
              there,
              r,
              static_cast<unsigned long long>(sequence_));
      };
      if (s.kind != mine.kind)
        differ("collective", name, collective_name(static_cast<CollectiveKind>(s.kind)));
      if (s.type != mine.type) differ("data type", type_name(mine.type), type_name(s.type));
      if (s.count != mine.count)
        differ("count", std::to_string(mine.count).c_str(), std::to_string(s.count).c_str());
      if (s.op != mine.op) differ("operation", op_name(mine.op), op_name(s.op));
      if (s.root != mine.root)
        differ("root", std::to_string(mine.root).c_str(), std::to_string(s.root).c_str());
    }
  }

  bool reduces() const {
    return a_.kind == CollectiveKind::kAllReduce || a_.kind == CollectiveKind::kReduce ||
           a_.kind == CollectiveKind::kReduceScatter;
  }
  /// The piece of the reduction that this rank computes, in elements.
  void piece(std::size_t& first, std::size_t& n) const {
    auto r = static_cast<std::size_t>(c_->rank), ranks = static_cast<std::size_t>(c_->ranks);
    if (a_.kind == CollectiveKind::kReduceScatter) {
      first = r * a_.count;
      n = a_.count;
      return;
    }
    first = a_.count * r / ranks;
    n = a_.count * (r + 1) / ranks - first;
  }
  /// Reductions read every source before anyone writes: send and receive buffers may be the same.
  void read() {
    if (!reduces()) return;
    std::size_t first = 0, n = 0, size = type_bytes(a_.type);
    piece(first, n);
    result_.resize(n * size);
    constexpr std::size_t kChunk = 16384;
    std::vector<std::vector<char>> buffers(static_cast<std::size_t>(c_->ranks),
                                           std::vector<char>(std::min(n, kChunk) * size));
    std::vector<char const*> parts;
    for (auto const& b : buffers) parts.push_back(b.data());
    for (std::size_t at = 0; at < n; at += kChunk) {
      std::size_t m = std::min(kChunk, n - at);
      for (int r = 0; r < c_->ranks; ++r)
        read_peer(c_->peers[static_cast<std::size_t>(r)],
                  buffers[static_cast<std::size_t>(r)].data(),
                  slot(r).send + (first + at) * size,
                  m * size);
      if (a_.op >= ncclNumOps)
        for (int r = 0; r < c_->ranks; ++r)
          scale(buffers[static_cast<std::size_t>(r)].data(), m, a_.type, slot(r).scalar);
      reduce(parts, result_.data() + at * size, m, a_.type, a_.op);
    }
  }
  void put(int to, std::size_t offset, void const* from, std::size_t bytes) {
    if (bytes > 0)
      write_peer(c_->peers[static_cast<std::size_t>(to)], slot(to).receive + offset, from, bytes);
  }
  void write() {
    std::size_t bytes = a_.count * type_bytes(a_.type), size = type_bytes(a_.type);
    auto me = static_cast<std::size_t>(c_->rank);
    auto const* send = static_cast<char const*>(a_.send);
    switch (a_.kind) {
      case CollectiveKind::kAllReduce:
      case CollectiveKind::kReduce: {
        std::size_t first = 0, n = 0;
        piece(first, n);
        for (int r = 0; r < c_->ranks; ++r)
          if (a_.kind == CollectiveKind::kAllReduce || r == a_.root)
            put(r, first * size, result_.data(), n * size);
        break;
      }
      case CollectiveKind::kReduceScatter: put(c_->rank, 0, result_.data(), bytes); break;
      case CollectiveKind::kAllGather:
        for (int r = 0; r < c_->ranks; ++r)
          if (r != c_->rank || slot(r).receive + me * bytes != slot(r).send) put(r, me * bytes, send, bytes);
        break;
      case CollectiveKind::kAlltoAll:
        for (int r = 0; r < c_->ranks; ++r)
          put(r, me * bytes, send + static_cast<std::size_t>(r) * bytes, bytes);
        break;
      case CollectiveKind::kBroadcast:
        if (c_->rank == a_.root)
          for (int r = 0; r < c_->ranks; ++r)
            if (r != c_->rank || a_.receive != a_.send) put(r, 0, send, bytes);
        break;
      case CollectiveKind::kGather:
        if (c_->rank != a_.root || static_cast<char*>(a_.receive) + me * bytes != send)
          put(a_.root, me * bytes, send, bytes);
        break;
      case CollectiveKind::kScatter:
        if (c_->rank == a_.root)
          for (int r = 0; r < c_->ranks; ++r)
            if (r != c_->rank || a_.receive != send + me * bytes)
              put(r, 0, send + static_cast<std::size_t>(r) * bytes, bytes);
        break;
    }
    result_.clear();
    result_.shrink_to_fit();
  }

  double duration() const {
    Machine const& m = machine();
    bool intra = c_->nodes == 1;
    double n = c_->ranks, bytes = static_cast<double>(a_.count * type_bytes(a_.type)), others = (n - 1) / n;
    switch (a_.kind) {
      case CollectiveKind::kAllReduce:
        return collective_time(intra ? m.allreduce_intra : m.allreduce_inter, c_->ranks, 2 * others * bytes);
      case CollectiveKind::kReduceScatter:
        return collective_time(
            intra ? m.reducescatter_intra : m.reducescatter_inter, c_->ranks, (n - 1) * bytes);
      case CollectiveKind::kAllGather:
        return collective_time(intra ? m.allgather_intra : m.allgather_inter, c_->ranks, (n - 1) * bytes);
      case CollectiveKind::kAlltoAll:
      case CollectiveKind::kGather:
      case CollectiveKind::kScatter:
        return collective_time(intra ? m.alltoall_intra : m.alltoall_inter, c_->ranks, (n - 1) * bytes);
      default:
        return collective_time(intra ? m.broadcast_intra : m.broadcast_inter, c_->ranks, n > 1 ? bytes : 0);
    }
  }

  ncclComm* c_;
  CollectiveArguments a_;
  std::uint64_t sequence_;
  Stage stage_ = Stage::kPost;
  double start_ = 0, end_ = 0;
  std::vector<char> result_;
};

}  // namespace cuco::emu::impl
