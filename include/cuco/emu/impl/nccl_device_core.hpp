// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Device communicator, teams, windows and symmetric pointers (nccl_device/core.h, ptr.h).

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <cuda/atomic>

#include "cuco/emu/impl/nccl_device_coop.hpp"
#include "nccl.h"

#define NCCL_DEVICE_INLINE inline
#define NCCL_HOST_DEVICE_INLINE inline
#define NCCL_GIN_MAX_CONTEXTS 4

typedef enum {
  NCCL_NET_DEVICE_HOST = 0,
  NCCL_NET_DEVICE_UNPACK = 1,
  NCCL_NET_DEVICE_GIN_PROXY = 2,
  NCCL_NET_DEVICE_GIN_GDAKI = 3
} ncclNetDeviceType;

typedef std::uint32_t ncclDevResourceHandle;
typedef ncclDevResourceHandle ncclDevResourceHandle_t;
typedef std::uint32_t ncclGinSignal_t;
typedef std::uint32_t ncclGinCounter_t;

struct ncclTeam {
  int nRanks, rank, stride;
};
typedef struct ncclTeam ncclTeam_t;
struct ncclTeamTagWorld {};
struct ncclTeamTagLsa {};
struct ncclTeamTagRail {};

struct ncclMultimemHandle {
  void* mcBasePtr;
};
typedef struct ncclMultimemHandle ncclMultimemHandle_t;
struct ncclLsaBarrierHandle {
  ncclDevResourceHandle_t bufHandle;
  int nBarriers;
};
typedef struct ncclLsaBarrierHandle ncclLsaBarrierHandle_t;
struct ncclGinBarrierHandle {
  ncclGinSignal_t signal0;
  ncclDevResourceHandle_t bufHandle;
};
typedef struct ncclGinBarrierHandle ncclGinBarrierHandle_t;
struct ncclLLA2AHandle {
  ncclDevResourceHandle_t bufHandle;
  std::uint32_t nSlots;
};
typedef struct ncclLLA2AHandle ncclLLA2AHandle_t;

typedef struct ncclDevResourceRequirements ncclDevResourceRequirements_t;
typedef struct ncclTeamRequirements ncclTeamRequirements_t;
struct ncclDevResourceRequirements {
  ncclDevResourceRequirements_t* next;
  size_t bufferSize, bufferAlign;
  ncclDevResourceHandle_t* outBufferHandle;
  int ginSignalCount;
  int ginCounterCount;
  ncclGinSignal_t* outGinSignalStart;
  ncclGinCounter_t* outGinCounterStart;
};
struct ncclTeamRequirements {
  ncclTeamRequirements_t* next;
  ncclTeam_t team;
  bool multimem;
  ncclMultimemHandle_t* outMultimemHandle;
};
struct ncclDevCommRequirements {
  ncclDevResourceRequirements_t* resourceRequirementsList;
  ncclTeamRequirements_t* teamRequirementsList;
  bool lsaMultimem;
  int barrierCount;
  int lsaBarrierCount;
  int railGinBarrierCount;
  int lsaLLA2ABlockCount, lsaLLA2ASlotCount;
  bool ginForceEnable;
  int ginContextCount;
  int ginSignalCount;
  int ginCounterCount;
};
typedef struct ncclDevCommRequirements ncclDevCommRequirements_t;

namespace cuco::emu::impl {
struct DeviceCommState;
}

struct ncclDevComm {
  int rank, nRanks;
  std::uint32_t nRanks_rcp32;
  int lsaRank, lsaSize;
  std::uint32_t lsaSize_rcp32;
  cuco::emu::impl::DeviceCommState* emulator;
  ncclWindow_t resourceWindow;
  ncclMultimemHandle_t lsaMultimem;
  ncclLsaBarrierHandle_t lsaBarrier;
  ncclGinBarrierHandle_t railGinBarrier;
  std::uint8_t ginContextCount;
  std::uint8_t ginTypes[4];
  void* ginHandles[4];
  std::uint32_t ginSignalBase;
  int ginSignalCount;
  std::uint32_t ginCounterBase;
  int ginCounterCount;
  std::uint64_t* ginSignalShadows;
};
typedef struct ncclDevComm ncclDevComm_t;

extern "C" {
ncclResult_t ncclDevCommCreate(ncclComm_t comm,
                               ncclDevCommRequirements_t const* requirements,
                               ncclDevComm_t* result);
ncclResult_t ncclDevCommDestroy(ncclComm_t comm, ncclDevComm_t const* device);
ncclTeam_t ncclTeamWorld(ncclComm_t comm);
ncclTeam_t ncclTeamLsa(ncclComm_t comm);
ncclTeam_t ncclTeamRail(ncclComm_t comm);
int ncclTeamRankToWorld(ncclComm_t comm, ncclTeam_t team, int rank);
int ncclTeamRankToLsa(ncclComm_t comm, ncclTeam_t team, int rank);
ncclResult_t ncclLsaBarrierCreateRequirement(ncclTeam_t team,
                                             int barriers,
                                             ncclLsaBarrierHandle_t* handle,
                                             ncclDevResourceRequirements_t* requirement);
ncclResult_t ncclGinBarrierCreateRequirement(ncclComm_t comm,
                                             ncclTeam_t team,
                                             int barriers,
                                             ncclGinBarrierHandle_t* handle,
                                             ncclDevResourceRequirements_t* requirement);
int ncclLLA2ACalcSlots(int elements, int element_bytes);
ncclResult_t ncclLLA2ACreateRequirement(int blocks,
                                        int slots,
                                        ncclLLA2AHandle_t* handle,
                                        ncclDevResourceRequirements_t* requirement);
}

inline ncclTeam ncclTeamWorld(ncclDevComm const& c) {
  return {c.nRanks, c.rank, 1};
}
inline ncclTeam ncclTeamLsa(ncclDevComm const& c) {
  return {c.lsaSize, c.lsaRank, 1};
}
inline ncclTeam ncclTeamRail(ncclDevComm const& c) {
  return {c.nRanks / c.lsaSize, c.rank / c.lsaSize, c.lsaSize};
}
inline int ncclTeamRankToWorld(ncclDevComm const& c, ncclTeam t, int rank) {
  return c.rank + (rank - t.rank) * t.stride;
}
inline int ncclTeamRankToLsa(ncclDevComm const& c, ncclTeam t, int rank) {
  return c.lsaRank + (rank - t.rank) * t.stride;
}
/// Rank `rank` of b as a rank of a.
inline int ncclTeamRankToTeam(ncclTeam_t a, ncclTeam_t b, int rank) {
  return a.rank + (rank - b.rank) * b.stride / a.stride;
}
inline bool ncclTeamRankIsMember(ncclTeam_t a, ncclTeam_t b, int rank) {
  int delta = (rank - b.rank) * b.stride, in = a.rank + delta / a.stride;
  return delta % a.stride == 0 && in >= 0 && in < a.nRanks;
}
inline ncclTeam_t ncclTeamInnerFactor(ncclTeam_t p, int n) {
  return {n, p.rank % n, p.stride};
}
inline ncclTeam_t ncclTeamOuterFactor(ncclTeam_t p, int n) {
  return {p.nRanks / n, p.rank / n, p.stride * n};
}
/// The index-th member of `parent` that is not in `subset`.
inline int ncclTeamRankInDifference(ncclTeam_t parent, ncclTeam_t subset, int index) {
  for (int r = 0; r < parent.nRanks; ++r)
    if (!ncclTeamRankIsMember(subset, parent, r) && index-- == 0) return r;
  return -1;
}

namespace cuco::emu::impl {
/// Address of a window at an offset, in the memory of LSA rank `peer`. Exit 92 for a peer outside of the
/// team.
void* window_pointer(ncclWindow_t window, std::size_t offset, int peer);
/// The caller's LSA rank in the window's communicator, and its rank.
int window_lsa_rank(ncclWindow_t window);
int window_rank(ncclWindow_t window);
ncclWindow_t find_window(DeviceCommState* state, void const* pointer);
void check_live(DeviceCommState* state);
}  // namespace cuco::emu::impl

inline void* ncclGetLocalPointer(ncclWindow_t w, size_t offset) {
  return ::cuco::emu::impl::window_pointer(w, offset, ::cuco::emu::impl::window_lsa_rank(w));
}
inline void* ncclGetLsaPointer(ncclWindow_t w, size_t offset, int peer) {
  return ::cuco::emu::impl::window_pointer(w, offset, peer);
}
inline void* ncclGetPeerPointer(ncclWindow_t w, size_t offset, int peer) {
  return ::cuco::emu::impl::window_pointer(
      w, offset, ::cuco::emu::impl::window_lsa_rank(w) + (peer - ::cuco::emu::impl::window_rank(w)));
}
inline void* ncclGetPeerPointer(ncclWindow_t w, size_t offset, ncclTeam t, int peer) {
  return ::cuco::emu::impl::window_pointer(
      w, offset, ::cuco::emu::impl::window_lsa_rank(w) + (peer - t.rank) * t.stride);
}
inline void* ncclGetMultimemPointer(ncclWindow_t, size_t, ncclMultimemHandle) {
  ::cuco::emu::not_emulated("multimem pointers");
}
inline void* ncclGetLsaMultimemPointer(ncclWindow_t, size_t, ncclDevComm const&) {
  ::cuco::emu::not_emulated("multimem pointers");
}
template <typename Coop>
inline ncclWindow_t ncclFindWindow(Coop coop, ncclDevComm const& c, void const* pointer) {
  ::cuco::emu::impl::coop_meet(coop, 5, "ncclFindWindow");
  return ::cuco::emu::impl::find_window(c.emulator, pointer);
}

inline size_t ncclGetResourceBufferOffset(ncclDevResourceHandle_t h) {
  return static_cast<size_t>(h) * 128;
}
inline void* ncclGetResourceBufferLocalPointer(ncclDevComm const& c, ncclDevResourceHandle h) {
  return ncclGetLocalPointer(c.resourceWindow, ncclGetResourceBufferOffset(h));
}
inline void* ncclGetResourceBufferLsaPointer(ncclDevComm const& c, ncclDevResourceHandle h, int peer) {
  return ncclGetLsaPointer(c.resourceWindow, ncclGetResourceBufferOffset(h), peer);
}
inline void* ncclGetResourceBufferPeerPointer(ncclDevComm const& c,
                                              ncclDevResourceHandle h,
                                              ncclTeam t,
                                              int peer) {
  return ncclGetPeerPointer(c.resourceWindow, ncclGetResourceBufferOffset(h), t, peer);
}
inline void* ncclGetResourceBufferMultimemPointer(ncclDevComm const&,
                                                  ncclDevResourceHandle,
                                                  ncclMultimemHandle) {
  ::cuco::emu::not_emulated("multimem pointers");
}
inline void* ncclGetResourceBufferLsaMultimemPointer(ncclDevComm const&, ncclDevResourceHandle) {
  ::cuco::emu::not_emulated("multimem pointers");
}

template <typename T>
struct ncclSymPtr {
  using ElementType = T;
  ncclWindow_t window;
  size_t offset;

  constexpr ncclSymPtr(ncclWindow_t w = nullptr, size_t o = 0) : window(w), offset(o) {}
  template <typename U>
  operator ncclSymPtr<U>() const {
    return {window, offset};
  }
  template <typename Int, typename = std::enable_if_t<std::is_integral<Int>::value>>
  ncclSymPtr& operator+=(Int d) {
    offset += static_cast<size_t>(d) * sizeof(T);
    return *this;
  }
  template <typename Int, typename = std::enable_if_t<std::is_integral<Int>::value>>
  ncclSymPtr& operator-=(Int d) {
    offset -= static_cast<size_t>(d) * sizeof(T);
    return *this;
  }
  T* localPtr() const { return static_cast<T*>(ncclGetLocalPointer(window, offset)); }
  T* lsaPtr(int peer) const { return static_cast<T*>(ncclGetLsaPointer(window, offset, peer)); }
  T* peerPtr(int peer) const { return static_cast<T*>(ncclGetPeerPointer(window, offset, peer)); }
  T* peerPtr(ncclTeam t, int peer) const {
    return static_cast<T*>(ncclGetPeerPointer(window, offset, t, peer));
  }
  T* multimemPtr(ncclMultimemHandle h) const {
    return static_cast<T*>(ncclGetMultimemPointer(window, offset, h));
  }
  T* lsaMultimemPtr(ncclDevComm const& c) const {
    return static_cast<T*>(ncclGetLsaMultimemPointer(window, offset, c));
  }
};
template <typename T, typename Int>
inline std::enable_if_t<std::is_integral<Int>::value, ncclSymPtr<T>> operator+(ncclSymPtr<T> p, Int d) {
  return p += d;
}
template <typename T, typename Int>
inline std::enable_if_t<std::is_integral<Int>::value, ncclSymPtr<T>> operator-(ncclSymPtr<T> p, Int d) {
  return p -= d;
}
template <typename T>
inline ptrdiff_t operator-(ncclSymPtr<T> a, ncclSymPtr<T> b) {
  return (static_cast<ptrdiff_t>(a.offset) - static_cast<ptrdiff_t>(b.offset)) /
         static_cast<ptrdiff_t>(sizeof(T));
}
template <typename T>
inline bool operator==(ncclSymPtr<T> a, ncclSymPtr<T> b) {
  return a.window == b.window && a.offset == b.offset;
}
template <typename T>
inline bool operator!=(ncclSymPtr<T> a, ncclSymPtr<T> b) {
  return !(a == b);
}
inline ncclSymPtr<char> ncclGetResourceBuffer(ncclDevComm const& c, ncclDevResourceHandle h) {
  return {c.resourceWindow, ncclGetResourceBufferOffset(h)};
}
