// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Checks and counts memory accesses. The candidate is compiled with the thread-sanitizer instrumentation;
/// the callbacks it emits are ours (tsan_callbacks.hpp) and end here. Host code is instrumented too: for it
/// an access costs one compare.

#include <link.h>

#include <cstdint>
#include <cstdio>

#include "cuco/emu/impl/block.hpp"
#include "cuco/emu/impl/known_ranges.hpp"
#include "cuco/emu/impl/process_page.hpp"
#include "cuco/emu/impl/trace.hpp"

namespace cuco::emu::impl {

/// The running thread lets others go on; its next poll without anything new in between counts as waiting.
void suspend_polling(Thread& t);

inline void describe_thread(Thread const& t, char* text, std::size_t n) {
  Builtins const& b = t.builtins;
  std::snprintf(text,
                n,
                "kernel %s (line %d), block (%u,%u,%u), thread (%u,%u,%u)",
                t.block->grid->name.c_str(),
                t.block->grid->config.line,
                b.block_idx.x,
                b.block_idx.y,
                b.block_idx.z,
                b.thread_idx.x,
                b.thread_idx.y,
                b.thread_idx.z);
}

/// What is near an address, for messages.
inline void describe_address(std::uintptr_t a, char* text, std::size_t n) {
  std::uintptr_t d = a - kRegionBase;
  if (d >= kRegionBytes) {
    std::snprintf(text, n, "address 0x%zx is no device memory", static_cast<std::size_t>(a));
    return;
  }
  if (d >= slot_base(kSharedSlot) - kRegionBase && d < slot_base(kSharedSlot + 1) - kRegionBase &&
      current_thread != nullptr) {
    Block const& b = *current_thread->block;
    std::snprintf(text,
                  n,
                  "byte %td of the block's shared memory of %zu bytes",
                  static_cast<std::ptrdiff_t>(a) - static_cast<std::ptrdiff_t>(b.shared_base),
                  b.shared_used);
    return;
  }
  std::uintptr_t g = d >> kGranuleShift;
  Allocation* near = granule_table != nullptr ? granule_table[g] : nullptr;
  for (std::uintptr_t back = 1; near == nullptr && back <= 8 && back <= g && granule_table != nullptr; ++back)
    near = granule_table[g - back];
  if (near == nullptr || near->base > a) {
    std::snprintf(
        text, n, "address 0x%zx is not allocated (freed, or far outside)", static_cast<std::size_t>(a));
    return;
  }
  static char const* const kinds[] = {"cudaMalloc memory",
                                      "ncclMemAlloc memory",
                                      "managed memory",
                                      "pinned host memory",
                                      "window memory",
                                      "internal memory"};
  char owner[48] = "";
  if (near->peer >= 0) std::snprintf(owner, sizeof owner, " of rank %d", near->peer);
  std::snprintf(text,
                n,
                "byte %zu of %s%s of %zu bytes",
                static_cast<std::size_t>(a - near->base),
                kinds[near->kind],
                owner,
                near->size);
}

[[noreturn]] __attribute__((noinline, cold)) inline void bad_access(std::uintptr_t a,
                                                                    std::size_t n,
                                                                    bool write) {
  char where[256], thread[320] = "host code";
  describe_address(a, where, sizeof where);
  Thread* t = current_thread;
  if (t != nullptr) describe_thread(*t, thread, sizeof thread);
  Allocation* hit = find_allocation(a);
  if (tracing()) trace_here(TraceKind::kFatal);
  bool host_touch = t == nullptr && hit != nullptr && a - hit->base < hit->size;
  fatal(kBadAccess,
        "%s: %s of %zu bytes at %s, by %s",
        host_touch ? "host access to device memory" : "out-of-bounds access",
        write ? "write" : "read",
        n,
        where,
        thread);
}

/// Is the address in the data of the program or of a library? Heap, stacks and anonymous memory are not.
inline bool in_loaded_object(std::uintptr_t a) {
  auto look = [](dl_phdr_info* info, std::size_t, void* data) -> int {
    std::uintptr_t at = *static_cast<std::uintptr_t*>(data);
    for (int i = 0; i < info->dlpi_phnum; ++i)
      if (info->dlpi_phdr[i].p_type == PT_LOAD &&
          at - (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) < info->dlpi_phdr[i].p_memsz)
        return 1;
    return 0;
  };
  return ::dl_iterate_phdr(look, &a) != 0;
}

/// A kernel touches memory outside of the region and outside of the program's image.
__attribute__((noinline, cold)) inline void foreign_access(std::uintptr_t a, std::size_t n, bool write) {
  static thread_local std::uintptr_t good_low = 0, good_high = 0;
  if (a >= good_low && a < good_high) return;
  // Some compilers instrument the built-in variables.
  auto variables = reinterpret_cast<std::uintptr_t>(&builtins);
  if (a - variables < sizeof(Builtins)) return;
  if (a >= 65536 && in_loaded_object(a)) {
    good_low = a & ~std::uintptr_t{63};
    good_high = good_low + 64;
    return;
  }
  KnownRange const known = KnownRanges::get().find(a);
  if (known.kind == KnownRange::kRegistered && known.holds(a, n)) return;
  char thread[320];
  describe_thread(*current_thread, thread, sizeof thread);
  if (tracing()) trace_here(TraceKind::kFatal);
  fatal(kBadAccess,
        "%s: %s of %zu bytes at 0x%zx by %s",
        a < 65536 ? "null pointer access" : "kernel access to pageable host memory",
        write ? "write" : "read",
        n,
        static_cast<std::size_t>(a),
        thread);
}

inline double load_latency(MemoryClass c) {
  Machine const& m = machine();
  return c == kPeer     ? m.peer_latency_us
         : c == kLocal  ? m.local_latency_us
         : c == kShared ? m.shared_latency_us
                        : 0;
}
/// The same, as a table for the access path.
struct Latencies {
  double of[4];
  unsigned in_flight;
  Latencies()
      : of{0, load_latency(kShared), load_latency(kLocal), load_latency(kPeer)},
        in_flight(static_cast<unsigned>(machine().loads_in_flight)) {}
};
inline Latencies const* latencies = nullptr;  // set when the device thread starts

inline void count_touch(Block& b, Allocation& a, std::size_t n) {
  Grid& g = *b.grid;
  if (a.epoch != g.id) {
    a.epoch = g.id;
    a.bytes = 0;
    g.touched.push_back(&a);
  }
  a.bytes += n;
}

/// Enters a plain access in the trace. Reads of one place again and again, with nothing in between that could
/// order them anew, are one.
template <bool Write>
__attribute__((noinline)) inline void trace_access(std::uintptr_t address,
                                                   std::size_t n,
                                                   Allocation const* a,
                                                   void* frame) {
  if (trace_muted) return;
  constexpr TraceKind kind = Write ? TraceKind::kWrite : TraceKind::kRead;
  std::uint64_t const place = trace_place(address, a);
  Thread* t = current_thread;
  if (t != nullptr) {
    if (!Write && t->traced_address == place && t->traced_bytes == n) return;
    t->traced_address = place;
    t->traced_bytes = n;
  }
  trace_log().add(kind, place, n, 0, 0, TraceLog::stack(frame));
}

template <bool Write>
inline void region_access(std::uintptr_t address, std::size_t n, void* frame) {
  Allocation* a =
      granule_table != nullptr ? granule_table[(address - kRegionBase) >> kGranuleShift] : nullptr;
  if (__builtin_expect(a == nullptr, 0)) bad_access(address, n, Write);
  std::size_t at = address - a->base;
  if (__builtin_expect(at > a->size || n > a->size - at, 0)) bad_access(address, n, Write);
  Thread* t = current_thread;
  if (t == nullptr) {
    if (__builtin_expect(!a->host_ok, 0)) bad_access(address, n, Write);
    if (__builtin_expect(tracing(), 0) && a->memory_class != kUncounted)
      trace_access<Write>(address, n, a, frame);
    return;
  }
  MemoryClass c = a->memory_class;
  if (c == kUncounted) return;
  if (__builtin_expect(tracing(), 0)) trace_access<Write>(address, n, a, frame);
  Block& b = *t->block;
  if (c == kShared) {
    std::size_t in_block = address - b.shared_base;
    if (__builtin_expect(in_block > b.shared_used || n > b.shared_used - in_block, 0))
      bad_access(address, n, Write);
  } else {
    count_touch(b, *a, n);
  }
  if (Write) {
    t->run_class = kNoClass;
    t->poll_new = true;
    t->last_address = 0;
    b.grid->counters.bytes_written[c] += static_cast<double>(n);
  } else {
    if (__builtin_expect(address == t->last_address, 0)) {
      // A value read again and again: in a register on the device, or a spin loop.
      if (++t->repeats >= 64) suspend_polling(*t);
      return;
    }
    t->last_address = address;
    t->repeats = 0;
    if (c > t->run_class || t->run_length >= latencies->in_flight) {
      t->clock +=
          latencies->of[c] - (t->run_length >= latencies->in_flight ? 0 : latencies->of[t->run_class]);
      if (t->run_class == kNoClass || t->run_length >= latencies->in_flight) t->run_length = 0;
      t->run_class = c;
    }
    ++t->run_length;
    b.grid->counters.bytes_read[c] += static_cast<double>(n);
  }
  b.traffic.bytes[c] += static_cast<double>(n);
  b.traffic.accesses += 1;
}

template <bool Write>
inline void on_access(void const* p, std::size_t n, void* frame) {
  auto a = reinterpret_cast<std::uintptr_t>(p);
  if (__builtin_expect(a - kRegionBase < kRegionBytes, 0)) {
    region_access<Write>(a, n, frame);
    return;
  }
  if (__builtin_expect(current_thread == nullptr, 1)) return;
  auto image = reinterpret_cast<std::uintptr_t>(&__executable_start);
  if (a - image < reinterpret_cast<std::uintptr_t>(&_end) - image) {
    if (__builtin_expect(tracing(), 0)) trace_access<Write>(a, n, nullptr, frame);
    return;
  }
  foreign_access(a, n, Write);
}

/// The same for an access that is in the trace in another form.
template <bool Write>
inline void on_untraced_access(void const* p, std::size_t n) {
  trace_muted = true;
  on_access<Write>(p, n, nullptr);
  trace_muted = false;
}

/// A bulk access of the runtime on behalf of a kernel or the host (copies, puts): bounds only.
inline bool in_bounds(void const* p, std::size_t n) {
  auto a = reinterpret_cast<std::uintptr_t>(p);
  if (a - kRegionBase >= kRegionBytes) return true;
  Allocation* allocation = find_allocation(a);
  return allocation != nullptr && a - allocation->base <= allocation->size &&
         n <= allocation->size - (a - allocation->base);
}

/// Polling a location: atomic and volatile loads. The first look at an address does not yield. `own`: only
/// the rank's own kernels can change it.
inline void poll(std::uintptr_t address, bool own = false) {
  Thread& t = *current_thread;
  for (std::uintptr_t known : t.polled)
    if (known == address) {
      if (__builtin_expect(tracing(), 0) && (!t.traced_poll || t.poll_new)) {
        t.traced_poll = true;
        trace_here(TraceKind::kPoll, own ? 0 : address);
      }
      suspend_polling(t);
      return;
    }
  t.polled[t.polled_next++ % 8] = address;
  t.traced_poll = false;
  t.poll_new = true;
}

/// Bounds, polling and time stamps of one atomic or volatile access by a kernel. `read`: it looks at the
/// value. Volatile and atomic loads count no traffic.
inline void synchronising_access(void const* p, std::size_t n, bool read, bool write, bool stamp_now = true) {
  auto address = reinterpret_cast<std::uintptr_t>(p);
  Thread* t = current_thread;
  std::uintptr_t d = address - kRegionBase;
  if (t == nullptr || d >= kRegionBytes) {
    write ? on_untraced_access<true>(p, n) : on_untraced_access<false>(p, n);
    if (t != nullptr && read && !write) poll(address);
    return;
  }
  if (!in_bounds(p, n)) bad_access(address, n, write);
  Allocation* a = find_allocation(address);
  if (a->memory_class == kUncounted) {
    if (read && !write) poll(address, true);
    return;
  }
  Machine const& m = machine();
  bool peer = a->memory_class == kPeer, global = a->memory_class != kShared;
  if (read && !write) poll(address);
  if (global && a->owner != nullptr) {
    std::uint64_t offset = a->offset + (address - a->base);
    if (read) {
      double stamp = a->owner->flags.find(offset);
      if (stamp > 0) advance_clock(*t, stamp + (peer ? m.peer_latency_us : m.local_latency_us));
    }
    if (write && stamp_now) {
      a->owner->flags.stamp(offset, t->clock);
      if (a->owner != own_page()) ring(a->owner);
    }
  }
  if (write && !read) {
    t->poll_new = true;
    t->last_address = 0;
    t->run_class = kNoClass;
    t->block->traffic.bytes[a->memory_class] += static_cast<double>(n);
    t->block->traffic.accesses += 1;
    t->block->grid->counters.bytes_written[a->memory_class] += static_cast<double>(n);
  }
}

/// The order and scope that the running thread asked for (atomic_ref.hpp); CUDA's own functions are relaxed.
inline std::uint8_t take_order() {
  std::uint8_t const asked = asked_order;
  asked_order = 0xff;
  return asked != 0xff ? asked : trace_flags(TraceOrder::kRelaxed, TraceScope::kDevice);
}
/// Enters a synchronising access in the trace.
__attribute__((noinline)) inline void trace_atomic(TraceKind kind,
                                                   void const* p,
                                                   std::size_t n,
                                                   std::uint8_t flags) {
  if (!tracing()) return;
  auto const address = reinterpret_cast<std::uintptr_t>(p);
  Allocation const* a = find_allocation(address);
  auto const image = reinterpret_cast<std::uintptr_t>(&__executable_start);
  bool const in_image = address - image < reinterpret_cast<std::uintptr_t>(&_end) - image;
  if (a == nullptr ? !in_image || current_thread == nullptr : a->memory_class == kUncounted) return;
  if (a != nullptr && a->memory_class == kShared && current_thread == nullptr) return;
  if (current_thread != nullptr) current_thread->traced_bytes = 0;
  trace_log().add(kind, trace_place(address, a), n, flags, 0, TraceLog::stack(__builtin_frame_address(0)));
}
inline void trace_fence(std::uint8_t flags) {
  if (!tracing()) return;
  if (current_thread != nullptr) current_thread->traced_bytes = 0;
  trace_log().add(TraceKind::kFence, 0, 0, flags);
}
/// Volatile accesses are taken as relaxed atomics of system scope, which is what they are used for.
inline void volatile_read(void const* p, std::size_t n) {
  synchronising_access(p, n, true, false);
  // The program reads after this returns: nobody else of this rank runs in between.
  trace_atomic(TraceKind::kAtomicLoad, p, n, trace_flags(TraceOrder::kRelaxed, TraceScope::kSystem));
}
inline void volatile_write(void const* p, std::size_t n) {
  trace_atomic(TraceKind::kAtomicStore, p, n, trace_flags(TraceOrder::kRelaxed, TraceScope::kSystem));
  synchronising_access(p, n, false, true);
}

/// After an atomic read-modify-write by a kernel. One that changed nothing (a failed compare-and-swap, a lock
/// that was taken already) is a poll and costs nothing.
inline void atomic_done(void* p, std::size_t n, bool changed, bool stamp) {
  auto address = reinterpret_cast<std::uintptr_t>(p);
  Thread* t = current_thread;
  if (t == nullptr) return;
  if (!changed) {
    poll(address);
    return;
  }
  t->poll_new = true;
  t->run_class = kNoClass;
  t->last_address = 0;
  Allocation* a = find_allocation(address);
  if (a == nullptr || a->memory_class == kUncounted) return;
  Machine const& m = machine();
  t->block->grid->counters.atomics += 1;
  t->block->traffic.bytes[a->memory_class] += static_cast<double>(n);
  t->block->traffic.accesses += 1;
  if (a->memory_class == kShared) return;
  if (stamp && a->owner != nullptr) a->owner->flags.stamp(a->offset + (address - a->base), t->clock);
  if (a->owner != nullptr && a->owner != own_page()) ring(a->owner);
  t->clock += a->memory_class == kPeer ? m.peer_atomic_latency_us : m.atomic_latency_us;
}

}  // namespace cuco::emu::impl
