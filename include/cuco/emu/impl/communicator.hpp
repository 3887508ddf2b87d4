// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A communicator: the members, a shared memory file, and a blocking exchange between host threads.

#include <array>
#include <atomic>
#include <memory>
#include <numeric>
#include <vector>

#include "cuco/emu/impl/host_state.hpp"
#include "cuco/emu/impl/rendezvous.hpp"
#include "nccl.h"

namespace cuco::emu::impl {

constexpr int kMaxRanks = 64;
constexpr std::uint64_t kCollectiveRing = 16;
constexpr std::uint64_t kMessageRing = 8;

/// One rank's part in one collective.
struct CollectiveSlot {
  std::atomic<std::uint64_t> posted;    ///< Sequence number + 1; what follows is valid.
  std::atomic<std::uint64_t> read;      ///< All sources of this rank's result have been read.
  std::atomic<std::uint64_t> finished;  ///< This rank has written everything it had to write.
  std::atomic<std::uint64_t> left;      ///< This rank no longer looks at the slot.
  double start;
  std::uint64_t send, receive;  ///< Heap offsets; 0: none.
  std::uint64_t count;
  std::int32_t kind, type, op, root;
  std::uint64_t scalar;  ///< Bits of the factor of a pre-multiplied sum, in the collective's type.
};

/// One message from one rank to another.
struct MessageSlot {
  std::atomic<std::uint64_t> posted;    ///< Sequence number + 1.
  std::atomic<std::uint64_t> consumed;  ///< Sequence number + 1.
  double send_start, receive_start;
  std::uint64_t offset, count;
  std::int32_t type;
};

struct Member {
  std::int32_t pid, heap_fd, world_rank;
};

struct ExchangeSlot {
  static constexpr std::size_t kBytes = 512;
  std::atomic<std::uint64_t> round;
  char data[kBytes];
};

/// The content of a communicator's memory file; zero at first.
struct CommShared {
  std::atomic<std::int32_t> ranks;
  ExchangeSlot exchange[2][kMaxRanks];
  CollectiveSlot collective[kCollectiveRing][kMaxRanks];
  MessageSlot message[kMaxRanks][kMaxRanks][kMessageRing];  ///< [source][destination]
};

/// What a unique id holds.
struct IdContent {
  char magic[8];
  std::int32_t pid, fd;
};
static_assert(sizeof(IdContent) <= NCCL_UNIQUE_ID_BYTES, "fits a unique id");

/// ncclRedOpCreatePreMulSum.
struct PreMultiplied {
  int type = -1;                 ///< -1: destroyed.
  void const* device = nullptr;  ///< Where the factor is when the collective runs; null: in `bits`.
  std::uint64_t bits = 0;
};

}  // namespace cuco::emu::impl

struct ncclComm {
  int rank = 0, ranks = 0;
  int nodes = 1;
  int lsa_rank = 0, lsa_size = 1;
  bool destroyed = false;
  bool in_making = false;  ///< In a group that has not ended yet.
  cuco::emu::impl::CommShared* shared = nullptr;
  std::vector<cuco::emu::impl::Peer> peers;
  std::uint64_t round = 0;        ///< Of exchanges.
  std::uint64_t collectives = 0;  ///< Enqueued so far.
  std::vector<std::uint64_t> sent, received;
  /// Per peer and slot of its ring: sequence number + 1 of the last message known to have arrived.
  std::vector<std::array<std::uint64_t, cuco::emu::impl::kMessageRing>> arrived;
  std::string last_error;
  std::vector<cuco::emu::impl::PreMultiplied> pre_multiplied;  ///< Operation ncclNumOps + index.
  unsigned windows = 0;
  std::uint64_t trace_id = 0;      ///< The same on every rank.
  std::uint64_t device_comms = 0;  ///< Created so far.

  /// Rings every member.
  void ring_all() const {
    for (auto const& p : peers) cuco::emu::impl::ring(p.page);
  }
  /// Blocking all-gather of up to ExchangeSlot::kBytes bytes between the host threads. The virtual clocks of
  /// the hosts meet.
  template <typename T>
  std::vector<T> exchange(T const& mine, char const* call) {
    using namespace cuco::emu;
    using namespace cuco::emu::impl;
    struct Timed {
      T value;
      double clock;
    };
    static_assert(sizeof(Timed) <= ExchangeSlot::kBytes, "too large for an exchange");
    Timed timed{mine, Device::get().host_clock};
    std::uint64_t n = ++round;
    ExchangeSlot* slots = shared->exchange[n & 1];
    constexpr std::uint8_t kBoth = trace_flags(TraceOrder::kAcquireRelease, TraceScope::kSystem);
    auto const key = [&](int r) { return trace_key(0x65786368, trace_id, n, static_cast<std::uint64_t>(r)); };
    trace(TraceKind::kRelease, key(rank), 0, kBoth);
    std::memcpy(slots[rank].data, &timed, sizeof timed);
    slots[rank].round.store(n, std::memory_order_release);
    std::vector<T> all(static_cast<std::size_t>(ranks));
    HostWait waits("%s (all %d ranks of the communicator must call it)", call, ranks);
    double clock = timed.clock;
    for (int r = 0; r < ranks; ++r) {
      for (unsigned spins = 0; slots[r].round.load(std::memory_order_acquire) < n; ++spins)
        spins < 16 ? static_cast<void>(::sched_yield())
                   : static_cast<void>(real_sleep_us(spins < 256 ? 50 : 500));
      Timed got;
      std::memcpy(&got, slots[r].data, sizeof got);
      all[static_cast<std::size_t>(r)] = got.value;
      clock = std::max(clock, got.clock);
      trace(TraceKind::kAcquire, key(r), 0, kBoth);
    }
    Device::get().host_clock = clock;
    return all;
  }
};

namespace cuco::emu::impl {

/// The communicator whose members a deadlock concerns: the first that was created.
inline ncclComm*& primary_comm() {
  static ncclComm* comm = nullptr;
  return comm;
}

inline IdContent create_comm_file() {
  int fd = static_cast<int>(::syscall(SYS_memfd_create, "cuco-emu-comm", 1u));
  if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(sizeof(CommShared))) != 0)
    fatal(1, "cannot create the communicator's memory: %s", std::strerror(errno));
  IdContent id{};
  std::memcpy(id.magic, "cucoemu", 8);
  id.pid = static_cast<std::int32_t>(::getpid());
  id.fd = fd;
  return id;
}

/// Ranks of one node are those of one group of gpus_per_node world ranks; the LSA team is a block of
/// consecutive ranks, equally large everywhere.
inline void place(ncclComm& c) {
  std::vector<int> counts;
  int last = -1;
  for (Peer const& p : c.peers) {
    int node = p.world_rank / machine().gpus_per_node;
    if (node != last)
      counts.push_back(1);
    else
      ++counts.back();
    last = node;
  }
  c.nodes = static_cast<int>(counts.size());
  int size = counts[0];
  for (int n : counts) size = std::gcd(size, n);
  c.lsa_size = size;
  c.lsa_rank = c.rank % size;
}

/// Joins the communicator. Null when the id is none of ours.
inline ncclComm* join(IdContent const& id, int ranks, int rank, char const* call) {
  if (std::memcmp(id.magic, "cucoemu", 8) != 0) return nullptr;
  if (ranks > kMaxRanks)
    fatal(kNotEmulated, "not emulated: a communicator of %d ranks (at most %d)", ranks, kMaxRanks);
  if (Environment::get().world_rank >= kMaxPeers)
    fatal(kNotEmulated, "not emulated: more than %d ranks", kMaxPeers);
  int fd = id.pid == static_cast<std::int32_t>(::getpid()) ? id.fd : open_peer_file(id.pid, id.fd);
  void* p = ::mmap(nullptr, sizeof(CommShared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (p == MAP_FAILED) fatal(1, "cannot map the communicator's memory: %s", std::strerror(errno));
  auto* c = new ncclComm;
  c->shared = static_cast<CommShared*>(p);
  c->trace_id = trace_key(static_cast<std::uint64_t>(id.pid), static_cast<std::uint64_t>(id.fd));
  c->rank = rank;
  c->ranks = ranks;
  c->sent.resize(static_cast<std::size_t>(ranks));
  c->received.resize(static_cast<std::size_t>(ranks));
  c->arrived.resize(static_cast<std::size_t>(ranks));
  std::int32_t none = 0;
  if (!c->shared->ranks.compare_exchange_strong(none, ranks) && none != ranks)
    fatal(kIllegalUse, "illegal use: %s with %d ranks, another rank passed %d", call, ranks, none);
  own_page();
  Device::get().ensure_started();
  Member mine{static_cast<std::int32_t>(::getpid()), Heap::get().fd(), Environment::get().world_rank};
  for (Member const& m : c->exchange(mine, call))
    c->peers.push_back(find_peer(m.world_rank, m.pid, m.heap_fd));
  c->exchange(mine, call);  // everybody has opened everybody's files
  place(*c);
  if (primary_comm() == nullptr) primary_comm() = c;
  return c;
}

}  // namespace cuco::emu::impl
