// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// ncclSend and ncclRecv: all messages of a group are one stream operation, which ends when all of them have
/// been matched.
///
/// Time: end = latest start of this rank and of every matched peer + base_us + per_rank_us * peers
/// + max(bytes sent, bytes received; to and from others) / bandwidth + min(that, small_bytes) / small_gbps.

#include "cuco/emu/impl/collective_operation.hpp"

namespace cuco::emu::impl {

struct Message {
  bool send;
  void* buffer;
  std::size_t count;
  int type, peer;
  std::uint64_t sequence = 0;
  bool posted = false, done = false;
};

class MessageOperation final : public Operation {
 public:
  MessageOperation(ncclComm* comm, std::vector<Message> messages) : c_(comm), messages_(std::move(messages)) {
    latency = machine().launch_latency_us;
    for (Message& m : messages_) {
      auto& counter = (m.send ? comm->sent : comm->received)[static_cast<std::size_t>(m.peer)];
      m.sequence = counter++;
    }
  }
  void begin(double start) override { start_ = latest_ = start; }
  bool poll() override {
    bool all = true;
    for (Message& m : messages_) {
      if (m.done) continue;
      m.send ? advance_send(m) : advance_receive(m);
      all = all && m.done;
    }
    if (!all) return false;
    double sent = 0, received = 0;
    std::vector<bool> peers(static_cast<std::size_t>(c_->ranks), false);
    for (Message const& m : messages_) {
      if (m.peer == c_->rank) continue;
      (m.send ? sent : received) += static_cast<double>(m.count * type_bytes(m.type));
      peers[static_cast<std::size_t>(m.peer)] = true;
    }
    int others = static_cast<int>(std::count(peers.begin(), peers.end(), true));
    CollectiveCost const& cost = c_->nodes == 1 ? machine().sendrecv_intra : machine().sendrecv_inter;
    double took = collective_time(cost, others + 1, std::max(sent, received));
    end_ = latest_ + took;
    Report::get().collective("ncclSend/ncclRecv", std::max(sent, received), took);
    return true;
  }
  double end() const override { return end_; }
  bool is_kernel() const override { return true; }
  std::string what() const override {
    for (Message const& m : messages_)
      if (!m.done)
        return std::string(m.send ? "ncclSend to rank " : "ncclRecv from rank ") + std::to_string(m.peer) +
               ", message " + std::to_string(m.sequence) + ", " + std::to_string(m.count) + " x " +
               type_name(m.type);
    return "ncclSend/ncclRecv";
  }

 private:
  std::uint64_t key(int from, int to, std::uint64_t sequence) const {
    return trace_key(0x6d657373,
                     c_->trace_id,
                     static_cast<std::uint64_t>(from) << 32U | static_cast<std::uint32_t>(to),
                     sequence);
  }
  void progress(int peer) {
    Scheduler::get().note_progress();
    own_page()->progress.fetch_add(1, std::memory_order_relaxed);
    ring(c_->peers[static_cast<std::size_t>(peer)].page);
    ring(own_page());
  }
  void advance_send(Message& m) {
    MessageSlot& s = c_->shared->message[c_->rank][m.peer][m.sequence % kMessageRing];
    std::uint64_t& arrived = c_->arrived[static_cast<std::size_t>(m.peer)][m.sequence % kMessageRing];
    if (!m.posted) {
      // Not before the slot's last message has been found to have arrived: what is in the slot is its proof.
      if (m.sequence >= kMessageRing && arrived != m.sequence - kMessageRing + 1) return;
      trace_range(false, m.buffer, m.count * type_bytes(m.type));
      trace(TraceKind::kRelease,
            key(c_->rank, m.peer, m.sequence),
            0,
            trace_flags(TraceOrder::kRelease, TraceScope::kSystem));
      s.send_start = start_;
      s.offset = heap_offset(m.buffer);
      s.count = m.count;
      s.type = m.type;
      s.posted.store(m.sequence + 1, std::memory_order_release);
      m.posted = true;
      progress(m.peer);
    }
    if (s.consumed.load(std::memory_order_acquire) != m.sequence + 1) return;
    latest_ = std::max(latest_, s.receive_start);
    arrived = m.sequence + 1;
    m.done = true;
  }
  void advance_receive(Message& m) {
    MessageSlot& s = c_->shared->message[m.peer][c_->rank][m.sequence % kMessageRing];
    if (s.posted.load(std::memory_order_acquire) != m.sequence + 1) return;
    if (s.count != m.count || s.type != m.type)
      fatal(kIllegalUse,
            "illegal use: ncclRecv of %zu x %s on rank %d, but rank %d sends %llu x %s (message %llu)",
            m.count,
            type_name(m.type),
            c_->rank,
            m.peer,
            static_cast<unsigned long long>(s.count),
            type_name(s.type),
            static_cast<unsigned long long>(m.sequence));
    trace(TraceKind::kAcquire,
          key(m.peer, c_->rank, m.sequence),
          0,
          trace_flags(TraceOrder::kAcquire, TraceScope::kSystem));
    trace_range(true, m.buffer, m.count * type_bytes(m.type));
    if (m.count > 0)
      read_peer(
          c_->peers[static_cast<std::size_t>(m.peer)], m.buffer, s.offset, m.count * type_bytes(m.type));
    latest_ = std::max(latest_, s.send_start);
    s.receive_start = start_;
    s.consumed.store(m.sequence + 1, std::memory_order_release);
    m.done = true;
    progress(m.peer);
  }

  ncclComm* c_;
  std::vector<Message> messages_;
  double start_ = 0, latest_ = 0, end_ = 0;
};

}  // namespace cuco::emu::impl
