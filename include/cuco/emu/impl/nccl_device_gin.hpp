// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// GPU-initiated networking: ncclGin (nccl_device/gin.h).

#include "cuco/emu/impl/nccl_device_core.hpp"

struct ncclGin_None {};
struct ncclGin_SignalAdd {
  ncclGinSignal_t signal;
  std::uint64_t value;
};
struct ncclGin_SignalInc {
  ncclGinSignal_t signal;
};
struct ncclGin_CounterInc {
  ncclGinCounter_t counter;
};
struct ncclGinDescriptorSmem {
  alignas(16) char space[64];
};
struct ncclGin_DescriptorSmem {
  ncclGinDescriptorSmem* descriptor;
};

namespace cuco::emu::impl {

/// One put or signal, as a thread posts it.
struct GinPost {
  DeviceCommState* state;
  std::uint32_t context;
  ncclTeam team;
  int peer;
  ncclWindow_t to = nullptr;
  std::size_t to_offset = 0;
  ncclWindow_t from = nullptr;
  std::size_t from_offset = 0;
  std::size_t bytes = 0;
  bool is_value = false;  ///< The payload is `value`, not memory.
  std::uint64_t value = 0;
  bool has_signal = false;
  bool adds = false;  ///< SignalAdd, not SignalInc.
  std::uint32_t signal = 0;
  std::uint64_t delta = 0;
  bool has_counter = false;
  std::uint32_t counter = 0;
  bool internal = false;  ///< Of a barrier, whose memory order decides what it publishes: `order`.
  unsigned order = 3;
};
/// The caller's clock advances by the cost of posting.
void gin_post(GinPost const& post);
void gin_flush(DeviceCommState* state, std::uint32_t context);
std::uint64_t gin_read_signal(DeviceCommState* state, std::uint32_t context, std::uint32_t id, int bits);
std::uint64_t gin_read_counter(DeviceCommState* state, std::uint32_t context, std::uint32_t id, int bits);
void gin_wait_signal(
    DeviceCommState* state, std::uint32_t context, std::uint32_t id, std::uint64_t least, int bits, unsigned order);
void gin_wait_counter(DeviceCommState* state, std::uint32_t context, std::uint32_t id, std::uint64_t least);
std::uint64_t* gin_shadow(DeviceCommState* state, std::uint32_t context, std::uint32_t id);
void gin_reset_signal(DeviceCommState* state, std::uint32_t context, std::uint32_t id);
void gin_reset_counter(DeviceCommState* state, std::uint32_t context, std::uint32_t id);

inline void set_remote(GinPost&, ncclGin_None) {}
inline void set_remote(GinPost& p, ncclGin_SignalInc a) {
  p.has_signal = true;
  p.signal = a.signal;
  p.delta = 1;
}
inline void set_remote(GinPost& p, ncclGin_SignalAdd a) {
  p.has_signal = p.adds = true;
  p.signal = a.signal;
  p.delta = a.value;
}
inline void set_local(GinPost&, ncclGin_None) {}
inline void set_local(GinPost& p, ncclGin_CounterInc a) {
  p.has_counter = true;
  p.counter = a.counter;
}

}  // namespace cuco::emu::impl

template <unsigned Backends>
struct ncclGin_BackendMask {
  ncclDevComm const& comm;
  std::uint32_t nContexts : 8, contextId : 8, _ginBackend : 8;

  ncclGin_BackendMask(ncclDevComm const& c, int context)
      : comm(c),
        nContexts(c.ginContextCount),
        contextId(c.ginContextCount != 0 ? static_cast<std::uint32_t>(context) % c.ginContextCount : 0u),
        _ginBackend(NCCL_NET_DEVICE_GIN_PROXY) {}

  template <typename RemoteAction = ncclGin_None,
            typename LocalAction = ncclGin_None,
            typename Coop = ncclCoopThread,
            typename DescriptorSmem = ncclGin_None>
  void put(ncclTeam team,
           int peer,
           ncclWindow_t dstWnd,
           size_t dstOffset,
           ncclWindow_t srcWnd,
           size_t srcOffset,
           size_t bytes,
           RemoteAction remoteAction = {},
           LocalAction localAction = {},
           Coop coop = {},
           DescriptorSmem = {},
           cuda::thread_scope = cuda::thread_scope_thread,
           cuda::thread_scope = cuda::thread_scope_device) const {
    post(coop, remoteAction, "ncclGin::put", [&](::cuco::emu::impl::GinPost& p) {
      p.team = team;
      p.peer = peer;
      p.to = dstWnd;
      p.to_offset = dstOffset;
      p.from = srcWnd;
      p.from_offset = srcOffset;
      p.bytes = bytes;
      ::cuco::emu::impl::set_local(p, localAction);
    });
  }
  template <typename T,
            typename RemoteAction = ncclGin_None,
            typename LocalAction = ncclGin_None,
            typename Coop = ncclCoopThread,
            typename DescriptorSmem = ncclGin_None>
  void put(ncclTeam team,
           int peer,
           ncclSymPtr<T> dst,
           ncclSymPtr<T> src,
           size_t elements,
           RemoteAction remoteAction = {},
           LocalAction localAction = {},
           Coop coop = {},
           DescriptorSmem descriptor = {},
           cuda::thread_scope released = cuda::thread_scope_thread,
           cuda::thread_scope expected = cuda::thread_scope_device) const {
    this->put(team,
              peer,
              dst.window,
              dst.offset,
              src.window,
              src.offset,
              elements * sizeof(T),
              remoteAction,
              localAction,
              coop,
              descriptor,
              released,
              expected);
  }
  template <typename T,
            typename RemoteAction = ncclGin_None,
            typename Coop = ncclCoopThread,
            typename DescriptorSmem = ncclGin_None>
  void putValue(ncclTeam team,
                int peer,
                ncclWindow_t dstWnd,
                size_t dstOffset,
                T value,
                RemoteAction remoteAction = {},
                Coop coop = {},
                DescriptorSmem = {},
                cuda::thread_scope = cuda::thread_scope_thread,
                cuda::thread_scope = cuda::thread_scope_device) const {
    static_assert(sizeof(T) <= 8, "putValue takes at most 8 bytes");
    post(coop, remoteAction, "ncclGin::putValue", [&](::cuco::emu::impl::GinPost& p) {
      p.team = team;
      p.peer = peer;
      p.to = dstWnd;
      p.to_offset = dstOffset;
      p.bytes = sizeof(T);
      p.is_value = true;
      p.value = ::cuco::emu::to_bits(value);
    });
  }
  template <typename T,
            typename RemoteAction = ncclGin_None,
            typename Coop = ncclCoopThread,
            typename DescriptorSmem = ncclGin_None>
  void putValue(ncclTeam team,
                int peer,
                ncclSymPtr<T> dst,
                T value,
                RemoteAction remoteAction = {},
                Coop coop = {},
                DescriptorSmem descriptor = {},
                cuda::thread_scope released = cuda::thread_scope_thread,
                cuda::thread_scope expected = cuda::thread_scope_device) const {
    this->putValue(
        team, peer, dst.window, dst.offset, value, remoteAction, coop, descriptor, released, expected);
  }
  template <typename RemoteAction, typename Coop = ncclCoopThread, typename DescriptorSmem = ncclGin_None>
  void signal(ncclTeam team,
              int peer,
              RemoteAction remoteAction,
              Coop coop = {},
              DescriptorSmem = {},
              cuda::thread_scope = cuda::thread_scope_thread,
              cuda::thread_scope = cuda::thread_scope_device) const {
    post(coop, remoteAction, "ncclGin::signal", [&](::cuco::emu::impl::GinPost& p) {
      p.team = team;
      p.peer = peer;
    });
  }
  template <typename Coop>
  void flush(Coop coop, cuda::memory_order = cuda::memory_order_acquire) const {
    elected(coop, "ncclGin::flush", [&] { ::cuco::emu::impl::gin_flush(comm.emulator, contextId); });
  }

  std::uint64_t readCounter(ncclGinCounter_t id,
                            int bits = 56,
                            cuda::memory_order = cuda::memory_order_acquire) const {
    return ::cuco::emu::impl::gin_read_counter(comm.emulator, contextId, id, bits);
  }
  template <typename Coop>
  void waitCounter(Coop coop,
                   ncclGinCounter_t id,
                   std::uint64_t least,
                   int = 56,
                   cuda::memory_order = cuda::memory_order_acquire) const {
    elected(coop, "ncclGin::waitCounter", [&] {
      ::cuco::emu::impl::gin_wait_counter(comm.emulator, contextId, id, least);
    });
  }
  std::uint64_t* getSignalShadowPtr(ncclGinSignal_t id) const {
    return ::cuco::emu::impl::gin_shadow(comm.emulator, contextId, id);
  }
  void increaseSignalShadow(ncclGinSignal_t id, std::uint64_t delta) const {
    ::cuco::emu::atomic_op(::cuco::emu::AtomicOp::kAdd, getSignalShadowPtr(id), 8, delta);
  }
  std::uint64_t readSignal(ncclGinSignal_t id,
                           int bits = 64,
                           cuda::memory_order = cuda::memory_order_acquire) const {
    return ::cuco::emu::impl::gin_read_signal(comm.emulator, contextId, id, bits);
  }
  template <typename Coop>
  void waitSignal(Coop coop,
                  ncclGinSignal_t id,
                  std::uint64_t least,
                  int bits = 64,
                  cuda::memory_order order = cuda::memory_order_acquire) const {
    elected(coop, "ncclGin::waitSignal", [&] {
      ::cuco::emu::impl::gin_wait_signal(
          comm.emulator, contextId, id, least, bits, ::cuco::emu::order_number(order));
    });
  }
  template <typename Coop>
  void waitSignalMeetShadow(Coop coop,
                            ncclGinSignal_t id,
                            int bits = 64,
                            cuda::memory_order order = cuda::memory_order_acquire) const {
    elected(coop, "ncclGin::waitSignalMeetShadow", [&] {
      ::cuco::emu::impl::gin_wait_signal(
          comm.emulator, contextId, id, *getSignalShadowPtr(id), bits, ::cuco::emu::order_number(order));
    });
  }
  /// As in 2.28.9 the shadow is not updated.
  template <typename Coop, typename Uint>
  void waitSignalFollowShadow(Coop coop,
                              ncclGinSignal_t id,
                              Uint leastDelta,
                              Uint* before,
                              Uint* delta,
                              int bits = 64,
                              cuda::memory_order order = cuda::memory_order_acquire) const {
    std::uint64_t shadow = *getSignalShadowPtr(id);
    elected(coop, "ncclGin::waitSignalFollowShadow", [&] {
      ::cuco::emu::impl::gin_wait_signal(
          comm.emulator,
          contextId,
          id,
          shadow + static_cast<std::uint64_t>(leastDelta),
          bits,
          ::cuco::emu::order_number(order));
    });
    *before = static_cast<Uint>(shadow);
    *delta = static_cast<Uint>(readSignal(id, bits) - shadow);
  }
  void resetCounter(ncclGinCounter_t id) const {
    ::cuco::emu::impl::gin_reset_counter(comm.emulator, contextId, id);
  }
  void resetSignal(ncclGinSignal_t id) const {
    ::cuco::emu::impl::gin_reset_signal(comm.emulator, contextId, id);
  }

 private:
  template <typename Coop, typename F>
  void elected(Coop coop, char const* what, F f) const {
    auto tag = reinterpret_cast<std::uint64_t>(what);
    ::cuco::emu::impl::coop_meet(coop, tag, what);
    if (coop.thread_rank() == 0) f();
    ::cuco::emu::impl::coop_meet(coop, tag + 1, what);
  }
  template <typename Coop, typename RemoteAction, typename F>
  void post(Coop coop, RemoteAction action, char const* what, F fill) const {
    elected(coop, what, [&] {
      ::cuco::emu::impl::GinPost p{};
      p.state = comm.emulator;
      p.context = contextId;
      ::cuco::emu::impl::set_remote(p, action);
      fill(p);
      ::cuco::emu::impl::gin_post(p);
    });
  }
};

template <ncclNetDeviceType Backend>
using ncclGin_BackendOne = ncclGin_BackendMask<(1u << static_cast<int>(Backend))>;
using ncclGin = ncclGin_BackendMask<(1u << NCCL_NET_DEVICE_GIN_PROXY) | (1u << NCCL_NET_DEVICE_GIN_GDAKI)>;
