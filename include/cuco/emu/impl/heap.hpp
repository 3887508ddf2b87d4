// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The address layout of emulated memory and the device heap. All emulated memory lies in one address region,
/// so that an instrumented access of ordinary host code costs one subtraction and one compare.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>

#include "cuco/emu/impl/fatal.hpp"

namespace cuco::emu::impl {

constexpr std::uintptr_t kRegionBase =
    0x100000000000;  // 16 TiB: far from where Linux places programs and libraries
constexpr std::uintptr_t kSlotBytes = std::uintptr_t{1} << 36;
constexpr int kSlots = 80;
constexpr std::uintptr_t kRegionBytes = kSlotBytes * kSlots;
constexpr int kGranuleShift = 21;
constexpr std::uintptr_t kGranule = std::uintptr_t{1} << kGranuleShift;

/// What each slot of the region holds.
enum Slot : int { kHeapSlot = 0, kSharedSlot = 1, kStackSlot = 2, kArgumentSlot = 3, kPeerSlot0 = 8 };
constexpr int kMaxPeers = kSlots - kPeerSlot0;
constexpr std::uintptr_t slot_base(int slot) {
  return kRegionBase + kSlotBytes * static_cast<std::uintptr_t>(slot);
}

/// Classes of memory for counting. The order is the order of load latency.
enum MemoryClass : std::uint8_t { kNoClass = 0, kShared = 1, kLocal = 2, kPeer = 3, kUncounted = 4 };

struct ProcessPage;

/// One allocation, or one peer's part of a registered window.
struct Allocation {
  enum Kind : std::uint8_t { kDevice, kNccl, kManaged, kPinned, kWindowPart, kInternal };
  std::uintptr_t base = 0;
  std::size_t size = 0;    ///< Exact, as requested.
  std::size_t mapped = 0;  ///< Multiple of the granule.
  MemoryClass memory_class = kLocal;
  Kind kind = kDevice;
  bool host_ok = false;          ///< Host code may touch it.
  int peer = -1;                 ///< World rank of the owner for kWindowPart.
  std::uint64_t epoch = 0;       ///< The kernel that touched it last.
  std::uint64_t bytes = 0;       ///< Touched by that kernel.
  unsigned windows = 0;          ///< Registrations that keep it.
  bool freeing = false;          ///< A cudaFreeAsync of it has been enqueued.
  ProcessPage* owner = nullptr;  ///< Page of the rank whose memory this is.
  std::size_t offset = 0;        ///< Of `base` in that rank's heap file.
};

inline Allocation** granules() {
  static Allocation** const table = [] {
    void* p = ::mmap(nullptr,
                     (kRegionBytes >> kGranuleShift) * sizeof(Allocation*),
                     PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                     -1,
                     0);
    if (p == MAP_FAILED) fatal(1, "cannot map the allocation table: %s", std::strerror(errno));
    return static_cast<Allocation**>(p);
  }();
  return table;
}
/// The same table for the access callbacks: null until the first emulated allocation, when no region address
/// can exist.
inline Allocation** granule_table = nullptr;

inline Allocation* find_allocation(std::uintptr_t address) {
  std::uintptr_t d = address - kRegionBase;
  if (d >= kRegionBytes || granule_table == nullptr) return nullptr;
  return granule_table[d >> kGranuleShift];
}
inline Allocation* find_allocation(void const* p) {
  return find_allocation(reinterpret_cast<std::uintptr_t>(p));
}

inline void set_granules(std::uintptr_t base, std::size_t mapped, Allocation* a) {
  granule_table = granules();
  for (std::uintptr_t g = (base - kRegionBase) >> kGranuleShift, n = mapped >> kGranuleShift; n > 0; --n, ++g)
    granule_table[g] = a;
}

/// Maps anonymous memory at a fixed place of the region.
inline void* map_fixed(std::uintptr_t at, std::size_t bytes, int fd = -1, std::size_t offset = 0) {
  int flags = (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  void* p = ::mmap(
      reinterpret_cast<void*>(at), bytes, PROT_READ | PROT_WRITE, flags, fd, static_cast<off_t>(offset));
  if (p != reinterpret_cast<void*>(at))
    fatal(1, "cannot map %zu bytes of emulated memory: %s", bytes, std::strerror(errno));
  return p;
}

/// The device heap: one memory file per process, so that peers can map parts of it; the kernel frees it with
/// the process. Granule 0 is the process page (process_page.hpp).
class Heap {
 public:
  static Heap& get() {
    static Heap* const heap = new Heap;
    return *heap;
  }

  int fd() const { return fd_; }
  std::size_t used() const { return used_; }
  /// The page that new allocations name as their owner's.
  void set_page(ProcessPage* page) { page_ = page; }
  void set_limit(std::size_t bytes) { limit_ = bytes; }

  /// Memory of `size` bytes, filled with 0xFF (or zero, untouched, without `poison`). Null when the emulated
  /// device has no room.
  Allocation* allocate(std::size_t size, Allocation::Kind kind, bool poison = true) {
    std::lock_guard<std::mutex> hold(mutex_);
    std::size_t mapped = (size + kGranule - 1) & ~(kGranule - 1);
    // An unmapped granule follows every allocation: an overrun never lands in the next one.
    if (used_ + size > limit_) return nullptr;
    std::size_t offset = take(mapped + kGranule);
    if (offset == 0) return nullptr;
    if (offset + mapped > file_bytes_) {
      if (::ftruncate(fd_, static_cast<off_t>(offset + mapped)) != 0) return nullptr;
      file_bytes_ = offset + mapped;
    }
    auto* a = new Allocation;
    a->base = slot_base(kHeapSlot) + offset;
    a->size = size;
    a->mapped = mapped;
    a->kind = kind;
    a->offset = offset;
    a->owner = page_;
    a->host_ok = kind == Allocation::kManaged || kind == Allocation::kPinned;
    map_fixed(a->base, mapped, fd_, offset);
    if (poison) std::memset(reinterpret_cast<void*>(a->base), 0xFF, size);
    set_granules(a->base, mapped, a);
    used_ += size;
    return a;
  }

  /// False unless `p` is the base of a live allocation of this process.
  bool release(void* p) {
    std::lock_guard<std::mutex> hold(mutex_);
    auto at = reinterpret_cast<std::uintptr_t>(p);
    Allocation* a = find_allocation(at);
    if (a == nullptr || a->base != at || at - slot_base(kHeapSlot) >= kSlotBytes) return false;
    set_granules(a->base, a->mapped, nullptr);
    ::munmap(p, a->mapped);
    std::size_t offset = at - slot_base(kHeapSlot);
    ::fallocate(fd_,
                FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                static_cast<off_t>(offset),
                static_cast<off_t>(a->mapped));
    give(offset, a->mapped + kGranule);
    used_ -= a->size;
    a->size = 0;  // the record stays: a kernel that is being accounted may still point to it
    return true;
  }

 private:
  Heap() {
    fd_ = static_cast<int>(::syscall(SYS_memfd_create, "cuco-emu-heap", 1u /* MFD_CLOEXEC */));
    if (fd_ < 0 || ::ftruncate(fd_, static_cast<off_t>(kGranule)) != 0)
      fatal(1, "cannot create the emulated device memory: %s", std::strerror(errno));
    file_bytes_ = kGranule;
  }
  std::size_t take(std::size_t bytes) {
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (it->second < bytes) continue;
      std::size_t offset = it->first, rest = it->second - bytes;
      free_.erase(it);
      if (rest > 0) free_.emplace(offset + bytes, rest);
      return offset;
    }
    if (top_ + bytes > kSlotBytes) return 0;
    std::size_t offset = top_;
    top_ += bytes;
    return offset;
  }
  void give(std::size_t offset, std::size_t bytes) {
    auto next = free_.lower_bound(offset);
    if (next != free_.end() && next->first == offset + bytes) {
      bytes += next->second;
      next = free_.erase(next);
    }
    if (next != free_.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == offset) {
        before->second += bytes;
        return;
      }
    }
    free_.emplace(offset, bytes);
  }

  std::mutex mutex_;
  int fd_ = -1;
  ProcessPage* page_ = nullptr;
  std::size_t file_bytes_ = 0;
  std::size_t top_ = kGranule;
  std::size_t used_ = 0;
  std::size_t limit_ = kSlotBytes;
  std::map<std::size_t, std::size_t> free_;
};

/// Offset of an own heap address in the memory file.
inline std::size_t heap_offset(void const* p) {
  return reinterpret_cast<std::uintptr_t>(p) - slot_base(kHeapSlot);
}

}  // namespace cuco::emu::impl
