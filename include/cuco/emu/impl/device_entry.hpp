// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of the functions of device.hpp. Included by the runtime object only.

#include <ctime>

#include "cuco/emu/impl/block_sync.hpp"
#include "cuco/emu/impl/tsan_callbacks.hpp"

namespace cuco::emu {

void yield() {
  if (impl::Thread* t = impl::current_thread; t != nullptr) {
    if (impl::tracing() && (!t->traced_poll || t->poll_new)) {
      t->traced_poll = true;
      impl::trace_here(TraceKind::kPoll);
    }
    impl::suspend_polling(*t);
  }
}
namespace impl {
void wait(Predicate ready, Describe describe, void* context) {
  Scheduler::get().wait(self(), ready, describe, context);
}
}  // namespace impl

void ask_order(unsigned order, unsigned scope) {
  impl::asked_order = trace_flags(static_cast<TraceOrder>(order), static_cast<TraceScope>(scope));
}
void fence(unsigned order, unsigned scope) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  impl::trace_fence(trace_flags(static_cast<TraceOrder>(order), static_cast<TraceScope>(scope)));
}

void block_sync() {
  impl::block_barrier(0, "__syncthreads");
}
int block_sync_count(int value) {
  return impl::block_barrier(0, "__syncthreads_count", value);
}
void named_barrier_sync(unsigned id, unsigned count) {
  impl::named_barrier(id, count, "bar.sync");
}
bool grid_is_cooperative() {
  return impl::self().block->grid->config.cooperative;
}

void grid_sync() {
  impl::Thread& t = impl::self();
  impl::Grid& g = *t.block->grid;
  if (!g.config.cooperative)
    impl::illegal_by(&t, "grid.sync() in a kernel that was not launched cooperatively");
  impl::block_barrier(1, "grid.sync()");
  std::uint64_t generation = g.sync_generation;
  std::uint64_t const key = trace_key(
      0x67726964, g.id, generation, static_cast<std::uint64_t>(impl::Environment::get().world_rank));
  constexpr std::uint8_t kBoth = trace_flags(TraceOrder::kAcquireRelease, TraceScope::kDevice);
  impl::trace(TraceKind::kRelease, key, 0, kBoth);
  g.sync_clock = std::max(g.sync_clock, t.clock);
  if (++g.sync_arrived == g.blocks * t.builtins.threads) {
    g.sync_release = g.sync_clock + impl::machine().grid_sync_us;
    g.sync_arrived = 0;
    g.sync_clock = 0;
    ++g.sync_generation;
  }
  wait_until([&] { return g.sync_generation != generation; },
             [&](char* text, std::size_t n) {
               std::snprintf(text,
                             n,
                             "grid.sync(): %llu of %llu threads arrived",
                             static_cast<unsigned long long>(g.sync_arrived),
                             static_cast<unsigned long long>(g.blocks * t.builtins.threads));
             });
  impl::trace(TraceKind::kAcquire, key, 0, kBoth);
  t.traced_bytes = 0;
  impl::advance_clock(t, g.sync_release);
  t.block->phase_start = std::max(t.block->phase_start, g.sync_release);
}

void warp_sync(std::uint32_t mask) {
  impl::warp_meet(mask, 0, nullptr, "__syncwarp");
}
std::uint32_t warp_live_lanes() {
  impl::Thread& t = impl::self();
  return t.block->warps[t.builtins.warp].live;
}
std::uint32_t warp_exchange(std::uint32_t mask, std::uint64_t value, std::uint64_t* out, char const* what) {
  return impl::warp_meet(mask, value, out, what);
}

void* shared_static_bytes(char const* function, int site, std::size_t bytes, std::size_t align) {
  impl::Thread& t = impl::self();
  impl::Block& b = *t.block;
  for (impl::SharedVariable const& v : b.variables)
    if (v.site == site && (v.function == function || std::strcmp(v.function, function) == 0))
      return reinterpret_cast<void*>(b.shared_base + v.offset);
  // Static variables lie after the dynamic part; on the device it is the other way round, which no program
  // can see.
  std::size_t at = (b.shared_used + align - 1) / align * align;
  if (at + bytes > static_cast<std::size_t>(impl::machine().shared_per_block_optin_bytes) ||
      at + bytes > impl::kSharedStride)
    impl::illegal_by(&t,
                     "%zu bytes of shared memory in one block, the limit is %d",
                     at + bytes,
                     impl::machine().shared_per_block_optin_bytes);
  std::memset(reinterpret_cast<void*>(b.shared_base + at), 0xFF, bytes);
  b.shared_used = at + bytes;
  b.variables.push_back({function, site, static_cast<std::uint32_t>(at)});
  return reinterpret_cast<void*>(b.shared_base + at);
}
void* shared_dynamic_bytes() {
  return reinterpret_cast<void*>(impl::self().block->shared_base);
}

namespace impl {
template <typename T>
inline std::uint64_t atomic_op_on(AtomicOp op, void* p, std::uint64_t bits) {
  using S = std::make_signed_t<T>;
  auto v = static_cast<T>(bits);
  auto smaller = [](T a, T b) { return a < b ? a : b; };
  auto greater = [](T a, T b) { return a < b ? b : a; };
  auto run = [&](auto f) { return static_cast<std::uint64_t>(atomic_rmw<T>(p, f)); };
  switch (op) {
    case AtomicOp::kAdd: return run([&](T o) { return static_cast<T>(o + v); });
    case AtomicOp::kExch: return run([&](T) { return v; });
    case AtomicOp::kMin: return run([&](T o) { return smaller(o, v); });
    case AtomicOp::kMax: return run([&](T o) { return greater(o, v); });
    case AtomicOp::kMinSigned: return run([&](T o) { return static_cast<S>(o) < static_cast<S>(v) ? o : v; });
    case AtomicOp::kMaxSigned: return run([&](T o) { return static_cast<S>(o) < static_cast<S>(v) ? v : o; });
    case AtomicOp::kAnd: return run([&](T o) { return static_cast<T>(o & v); });
    case AtomicOp::kOr: return run([&](T o) { return static_cast<T>(o | v); });
    case AtomicOp::kXor: return run([&](T o) { return static_cast<T>(o ^ v); });
    case AtomicOp::kInc: return run([&](T o) { return static_cast<T>(o >= v ? 0 : o + 1); });
    case AtomicOp::kDec: return run([&](T o) { return static_cast<T>(o == 0 || o > v ? v : o - 1); });
    case AtomicOp::kAddFloat:
      return run([&](T o) {
        if constexpr (sizeof(T) == 4)
          return static_cast<T>(to_bits(from_bits<float>(o) + from_bits<float>(bits)));
        else if constexpr (sizeof(T) == 8)
          return static_cast<T>(to_bits(from_bits<double>(o) + from_bits<double>(bits)));
        else
          return o;
      });
  }
  return 0;
}
}  // namespace impl

std::uint64_t atomic_op(AtomicOp op, void* p, unsigned bytes, std::uint64_t value) {
  switch (bytes) {
    case 1: return impl::atomic_op_on<std::uint8_t>(op, p, value);
    case 2: return impl::atomic_op_on<std::uint16_t>(op, p, value);
    case 4: return impl::atomic_op_on<std::uint32_t>(op, p, value);
    default: return impl::atomic_op_on<std::uint64_t>(op, p, value);
  }
}
std::uint64_t atomic_cas(void* p, unsigned bytes, std::uint64_t expected, std::uint64_t desired) {
  switch (bytes) {
    case 1:
      return impl::atomic_compare<std::uint8_t>(
          p, static_cast<std::uint8_t>(expected), static_cast<std::uint8_t>(desired));
    case 2:
      return impl::atomic_compare<std::uint16_t>(
          p, static_cast<std::uint16_t>(expected), static_cast<std::uint16_t>(desired));
    case 4:
      return impl::atomic_compare<std::uint32_t>(
          p, static_cast<std::uint32_t>(expected), static_cast<std::uint32_t>(desired));
    default: return impl::atomic_compare<std::uint64_t>(p, expected, desired);
  }
}
std::uint64_t atomic_load(void const* p, unsigned bytes) {
  switch (bytes) {
    case 1: return impl::atomic_read<std::uint8_t>(p);
    case 2: return impl::atomic_read<std::uint16_t>(p);
    case 4: return impl::atomic_read<std::uint32_t>(p);
    default: return impl::atomic_read<std::uint64_t>(p);
  }
}
void atomic_store(void* p, unsigned bytes, std::uint64_t value) {
  switch (bytes) {
    case 1: impl::atomic_write<std::uint8_t>(p, static_cast<std::uint8_t>(value)); break;
    case 2: impl::atomic_write<std::uint16_t>(p, static_cast<std::uint16_t>(value)); break;
    case 4: impl::atomic_write<std::uint32_t>(p, static_cast<std::uint32_t>(value)); break;
    default: impl::atomic_write<std::uint64_t>(p, value);
  }
}

std::uint64_t thread_time_ns() {
  impl::Thread& t = impl::self();
  // A loop that waits for time to pass must come to an end.
  t.clock += 0.01;
  impl::Scheduler::get().note_progress();
  impl::suspend_polling(t);
  return static_cast<std::uint64_t>(t.clock * 1e3);
}
std::uint64_t thread_cycles() {
  return static_cast<std::uint64_t>(static_cast<double>(thread_time_ns()) * 1e-3 * impl::machine().clock_mhz);
}
void illegal_use(char const* format, ...) {
  char rule[512];
  va_list list;
  va_start(list, format);
  std::vsnprintf(rule, sizeof rule, format, list);
  va_end(list);
  impl::illegal_by(impl::current_thread, "%s", rule);
}
void not_emulated(char const* what) {
  impl::fatal(impl::kNotEmulated, "not emulated: %s", what);
}
void device_trap() {
  impl::illegal_by(impl::current_thread, "__trap() was executed");
}

}  // namespace cuco::emu
