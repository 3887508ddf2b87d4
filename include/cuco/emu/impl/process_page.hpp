// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The first granule of every rank's heap file: what peers need to know about the rank (is it waiting, and
/// for what), and its doorbell.

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "cuco/emu/impl/environment.hpp"
#include "cuco/emu/impl/heap.hpp"
#include "cuco/emu/impl/real_time.hpp"

namespace cuco::emu::impl {

/// Time stamps of atomic and volatile stores, so that a raw flag in memory carries its writer's clock to the
/// reader.
struct FlagTimes {
  static constexpr std::size_t kEntries = 16384;
  struct Entry {
    std::atomic<std::uint64_t> offset;  ///< Heap offset of the flag; 0 is free.
    std::atomic<double> clock;
  };
  Entry entry[kEntries];

  static std::size_t slot(std::uint64_t offset) {
    return ((offset >> 2) * 0x9e3779b97f4a7c15u >> 40) % kEntries;
  }
  /// A full neighbourhood drops the stamp: the time model loses one dependency, nothing else.
  void stamp(std::uint64_t offset, double clock) {
    for (std::size_t i = 0, at = slot(offset); i < 8; ++i, at = (at + 1) % kEntries) {
      std::uint64_t key = entry[at].offset.load(std::memory_order_relaxed);
      if (key == 0 && entry[at].offset.compare_exchange_strong(key, offset)) key = offset;
      if (key != offset) continue;
      double seen = entry[at].clock.load(std::memory_order_relaxed);
      while (seen < clock && !entry[at].clock.compare_exchange_weak(seen, clock)) {
      }
      return;
    }
  }
  /// 0 when the flag has no stamp.
  double find(std::uint64_t offset) const {
    for (std::size_t i = 0, at = slot(offset); i < 8; ++i, at = (at + 1) % kEntries) {
      std::uint64_t key = entry[at].offset.load(std::memory_order_relaxed);
      if (key == offset) return entry[at].clock.load(std::memory_order_relaxed);
      if (key == 0) return 0;
    }
    return 0;
  }
};

struct ProcessPage {
  static constexpr int kLines = 96;
  static constexpr int kLineBytes = 320;

  std::atomic<std::uint32_t> doorbell;   ///< Rung whenever this rank may be able to go on.
  std::atomic<std::uint32_t> sleeping;   ///< The device thread waits on the doorbell.
  std::atomic<std::uint64_t> progress;   ///< Counts everything that went on in this rank.
  std::atomic<std::uint64_t> heartbeat;  ///< Counts rounds of the idle device thread.
  std::atomic<std::uint32_t> stuck;  ///< Host and device have waited without progress for the deadlock time.
  std::atomic<std::uint32_t> exited;
  std::atomic<std::uint64_t>
      idle;  ///< 1 << 32 | doorbell at which the device had nothing to do; 0: it is at work.
  std::atomic<std::int32_t> host_waits;         ///< Depth of blocking calls of the host thread.
  std::atomic<double> host_since;               ///< Real time in ms since when it waits.
  std::atomic<std::uint32_t> device_work;       ///< The device has operations that have not ended.
  std::atomic<std::uint32_t> waits_for_device;  ///< The host waits for the own device, not for peers.
  char host_text[kLineBytes];                   ///< What the host thread waits for.
  std::int32_t lines;                           ///< Valid while stuck.
  char line[kLines][kLineBytes];                ///< What the device waits for, one line per group of threads.
  std::int32_t pid;
  std::int32_t rank;
  FlagTimes flags;
};
static_assert(sizeof(ProcessPage) <= kGranule, "the process page is one granule");

inline long futex(std::atomic<std::uint32_t>* word, int op, std::uint32_t value, timespec const* timeout) {
  return ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(word), op, value, timeout, nullptr, 0);
}

/// Tells a rank to look again. Cheap unless the rank sleeps.
inline void ring(ProcessPage* page) {
  page->doorbell.fetch_add(1, std::memory_order_seq_cst);
  if (page->sleeping.load(std::memory_order_seq_cst) != 0) futex(&page->doorbell, FUTEX_WAKE, 1, nullptr);
}

/// Waits until the doorbell differs from `seen` or the time is over.
inline void wait_for_ring(ProcessPage* page, std::uint32_t seen, long microseconds) {
  timespec t{microseconds / 1000000, (microseconds % 1000000) * 1000};
  page->sleeping.store(1, std::memory_order_seq_cst);
  if (page->doorbell.load(std::memory_order_seq_cst) == seen) futex(&page->doorbell, FUTEX_WAIT, seen, &t);
  page->sleeping.store(0, std::memory_order_seq_cst);
}

/// This process's page.
inline ProcessPage* own_page() {
  static ProcessPage* const page = [] {
    auto* p = static_cast<ProcessPage*>(map_fixed(slot_base(kHeapSlot), kGranule, Heap::get().fd(), 0));
    p->pid = static_cast<std::int32_t>(::getpid());
    p->rank = Environment::get().world_rank;
    Heap::get().set_page(p);
    return p;
  }();
  return page;
}

/// Can the rank go on only if somebody else does something for it? A host thread that waits for peers may
/// have what it waits for already and not have noticed; it counts only after a while.
inline bool quiescent(ProcessPage const* page) {
  if (page->exited.load(std::memory_order_acquire) != 0) return true;
  if (page->host_waits.load(std::memory_order_acquire) <= 0 ||
      page->idle.load(std::memory_order_acquire) !=
          (std::uint64_t{1} << 32 | page->doorbell.load(std::memory_order_acquire)))
    return false;
  if (page->waits_for_device.load(std::memory_order_acquire) != 0 &&
      page->device_work.load(std::memory_order_acquire) != 0)
    return true;
  return real_ms() - page->host_since.load(std::memory_order_acquire) > 20;
}

/// While one lives, the calling host thread counts as waiting; the text appears in a deadlock report.
class HostWait {
 public:
  __attribute__((format(printf, 2, 3))) explicit HostWait(char const* format, ...) {
    ProcessPage* page = own_page();
    if (page->host_waits.load(std::memory_order_relaxed) == 0) {
      va_list list;
      va_start(list, format);
      std::vsnprintf(page->host_text, sizeof page->host_text, format, list);
      va_end(list);
    }
    page->host_since.store(real_ms(), std::memory_order_relaxed);
    page->host_waits.fetch_add(1, std::memory_order_release);
  }
  ~HostWait() {
    ProcessPage* page = own_page();
    page->progress.fetch_add(1, std::memory_order_relaxed);
    page->host_waits.fetch_sub(1, std::memory_order_relaxed);
  }
  HostWait(HostWait const&) = delete;
  HostWait& operator=(HostWait const&) = delete;
};

}  // namespace cuco::emu::impl
