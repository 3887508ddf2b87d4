// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Registered windows: every LSA peer's part is mapped into this process at its peer slot, and entered in the
/// allocation table with exactly the registered size. Parts of ranks outside of the LSA team are not mapped:
/// puts go through files.

#include <vector>

#include "cuco/emu/impl/block_sync.hpp"
#include "cuco/emu/impl/nccl_device_core.hpp"
#include "cuco/emu/impl/nccl_host.hpp"

/// The record behind an ncclWindow_t. It lies in argument memory, where kernels may read it.
struct ncclWindow_vidmem {
  static constexpr std::uint64_t kLive = 0x77696e646f77;
  std::uint64_t magic;
  ncclComm* comm;
  int rank, ranks, lsa_rank, lsa_size;
  std::size_t size;
  std::uint64_t offset[cuco::emu::impl::kMaxRanks];  ///< In the heap file of each rank.
  char* base[cuco::emu::impl::kMaxRanks];            ///< By LSA rank.
  char* own;
};

namespace cuco::emu::impl {

struct WindowTable {
  std::vector<ncclWindow_vidmem*> live;
  static WindowTable& get() {
    static WindowTable* const table = new WindowTable;
    return *table;
  }
};

/// Maps `bytes` of a peer's heap file at its offset in the peer's slot; granules that are mapped already are
/// kept.
inline void map_peer_part(Peer const& p, std::size_t offset, std::size_t bytes, bool visible) {
  std::size_t first = offset >> kGranuleShift << kGranuleShift;
  std::size_t last = (offset + bytes + kGranule - 1) >> kGranuleShift << kGranuleShift;
  std::uintptr_t slot = slot_base(kPeerSlot0 + p.world_rank);
  static auto* const mapped = new std::map<std::uintptr_t, unsigned>;
  for (std::size_t at = first; at < last; at += kGranule)
    if ((*mapped)[slot + at]++ == 0) map_fixed(slot + at, kGranule, p.heap_fd, at);
  if (!visible) return;
  Allocation* known = find_allocation(slot + offset);
  if (known != nullptr) {
    // A second window on the same allocation: the part grows to cover both.
    std::uintptr_t end = std::max(known->base + known->size, slot + offset + bytes);
    std::uintptr_t base = std::min(known->base, slot + offset);
    known->offset -= known->base - base;
    known->base = base;
    known->size = end - base;
    ++known->windows;
  } else {
    known = new Allocation;
    known->base = slot + offset;
    known->size = bytes;
    known->memory_class = kPeer;
    known->kind = Allocation::kWindowPart;
    known->peer = p.world_rank;
    known->owner = p.page;
    known->offset = offset;
    known->windows = 1;
  }
  set_granules(slot + first, last - first, known);
}

/// Collective: every rank passes its own allocation's part.
inline ncclWindow_vidmem* register_window(
    ncclComm* c, Allocation* a, void* buffer, std::size_t bytes, char const* call) {
  struct Part {
    std::uint64_t offset, bytes, allocation, in_allocation;
  };
  std::size_t in_allocation = reinterpret_cast<std::uintptr_t>(buffer) - a->base;
  auto parts = c->exchange(Part{heap_offset(buffer), bytes, a->size, in_allocation}, call);
  for (int r = 0; r < c->ranks; ++r) {
    Part const& p = parts[static_cast<std::size_t>(r)];
    if (p.bytes != bytes || p.allocation != a->size || p.in_allocation != in_allocation)
      fatal(kIllegalUse,
            "illegal use: %s: windows must be symmetric: rank %d registers %zu bytes at offset %zu of an "
            "allocation of %zu bytes, rank "
            "%d %llu bytes at offset %llu of %llu (all ranks register the same sizes in the same order)",
            call,
            c->rank,
            bytes,
            in_allocation,
            a->size,
            r,
            static_cast<unsigned long long>(p.bytes),
            static_cast<unsigned long long>(p.in_allocation),
            static_cast<unsigned long long>(p.allocation));
  }
  auto* w = static_cast<ncclWindow_vidmem*>(ArgumentMemory::get().allocate(sizeof(ncclWindow_vidmem)));
  std::memset(static_cast<void*>(w), 0, sizeof *w);
  w->magic = ncclWindow_vidmem::kLive;
  w->comm = c;
  w->rank = c->rank;
  w->ranks = c->ranks;
  w->lsa_rank = c->lsa_rank;
  w->lsa_size = c->lsa_size;
  w->size = bytes;
  w->own = static_cast<char*>(buffer);
  int first = c->rank - c->lsa_rank;
  for (int r = 0; r < c->ranks; ++r) {
    Part const& p = parts[static_cast<std::size_t>(r)];
    w->offset[r] = p.offset;
    int l = r - first;
    if (l < 0 || l >= c->lsa_size) continue;
    if (r == c->rank) {
      w->base[l] = w->own;
      continue;
    }
    map_peer_part(c->peers[static_cast<std::size_t>(r)], p.offset, bytes, true);
    w->base[l] = reinterpret_cast<char*>(
        slot_base(kPeerSlot0 + c->peers[static_cast<std::size_t>(r)].world_rank) + p.offset);
  }
  ++a->windows;
  ++c->windows;
  WindowTable::get().live.push_back(w);
  c->exchange(0, call);  // nobody uses a part that a peer is still mapping
  return w;
}

inline void unregister_window(ncclWindow_vidmem* w) {
  ncclComm* c = w->comm;
  for (int l = 0; l < w->lsa_size; ++l) {
    if (l == w->lsa_rank) continue;
    // The mapping stays, the part is no longer allowed.
    Allocation* part = find_allocation(w->base[l]);
    if (part == nullptr || --part->windows > 0) continue;
    std::uintptr_t first = part->base >> kGranuleShift << kGranuleShift;
    std::uintptr_t last = (part->base + part->size + kGranule - 1) >> kGranuleShift << kGranuleShift;
    set_granules(first, last - first, nullptr);
  }
  if (Allocation* a = find_allocation(w->own)) --a->windows;
  --c->windows;
  w->magic = 0;
  auto& live = WindowTable::get().live;
  live.erase(std::find(live.begin(), live.end(), w));
}

inline void check_window(ncclWindow_vidmem const* w, char const* call) {
  if (w == nullptr) illegal_by(current_thread, "%s with a null window: the memory is not registered", call);
  Allocation* a = find_allocation(w);
  if (a == nullptr || a->base != slot_base(kArgumentSlot) || w->magic != ncclWindow_vidmem::kLive)
    illegal_by(current_thread, "%s with a window that is not registered (any more)", call);
}

void* window_pointer(ncclWindow_t w, std::size_t offset, int peer) {
  check_window(w, "a window pointer");
  if (peer < 0 || peer >= w->lsa_size)
    illegal_by(current_thread,
               "a window pointer to LSA rank %d, but the LSA team has %d ranks: other ranks cannot be "
               "reached by load and store",
               peer,
               w->lsa_size);
  return w->base[peer] + offset;
}
int window_lsa_rank(ncclWindow_t w) {
  check_window(w, "a window pointer");
  return w->lsa_rank;
}
int window_rank(ncclWindow_t w) {
  check_window(w, "a window pointer");
  return w->rank;
}

}  // namespace cuco::emu::impl

extern "C" {
ncclResult_t ncclCommWindowRegister(
    ncclComm_t comm, void* buffer, size_t bytes, ncclWindow_t* window, int flags) {
  if (!cei::usable(comm) || buffer == nullptr || window == nullptr || bytes == 0 ||
      (flags & ~NCCL_WIN_COLL_SYMMETRIC) != 0)
    return cei::comm_error(comm, ncclInvalidArgument, "ncclCommWindowRegister: invalid argument");
  cei::Allocation* a = cei::find_allocation(buffer);
  if (a == nullptr || a->kind != cei::Allocation::kNccl)
    cei::fatal(cei::kIllegalUse,
               "illegal use: ncclCommWindowRegister of memory that is not from ncclMemAlloc");
  if ((reinterpret_cast<std::uintptr_t>(buffer) - a->base) % NCCL_WIN_REQUIRED_ALIGNMENT != 0)
    cei::fatal(cei::kIllegalUse,
               "illegal use: ncclCommWindowRegister at an offset that is no multiple of %d",
               NCCL_WIN_REQUIRED_ALIGNMENT);
  cei::check_bulk(buffer, bytes, "ncclCommWindowRegister", "the buffer");
  *window = cei::register_window(comm, a, buffer, bytes, "ncclCommWindowRegister");
  return ncclSuccess;
}
ncclResult_t ncclCommWindowDeregister(ncclComm_t comm, ncclWindow_t window) {
  if (comm == nullptr || window == nullptr)
    return cei::comm_error(comm, ncclInvalidArgument, "ncclCommWindowDeregister: invalid argument");
  cei::check_window(window, "ncclCommWindowDeregister");
  for (auto const& c : cei::Device::get().last_of_all())
    cei::Device::get().wait(c, "ncclCommWindowDeregister");
  cei::unregister_window(window);
  return ncclSuccess;
}
}
