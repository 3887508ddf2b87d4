// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Barriers between ranks: ncclLsaBarrierSession, ncclGinBarrierSession, ncclBarrierSession.

#include <optional>

#include "cuco/emu/impl/nccl_device_gin.hpp"

namespace cuco::emu::impl {

struct LiveSession;
/// Registers the calling thread with the session of its group at (handle, index); the first thread creates
/// it.
LiveSession* lsa_open(DeviceCommState* state,
                      ncclTeam team,
                      ncclLsaBarrierHandle handle,
                      std::uint32_t index,
                      CoopId coop,
                      bool multimem);
/// `order`: as `ask_order`.
void lsa_arrive(LiveSession* session, unsigned order);
void lsa_wait(LiveSession* session, unsigned order);
LiveSession* gin_barrier_open(DeviceCommState* state,
                              std::uint32_t context,
                              ncclTeam team,
                              ncclGinBarrierHandle handle,
                              std::uint32_t index,
                              CoopId coop);
/// `issuers` threads of the group share the signals.
void gin_barrier_sync(LiveSession* session, std::uint32_t issuers, unsigned order);
void close_session(LiveSession* session);
inline std::uint64_t session_tag(LiveSession* s, unsigned step) {
  return reinterpret_cast<std::uint64_t>(s) + step;
}

}  // namespace cuco::emu::impl

template <typename Coop>
struct ncclLsaBarrierSession {
  ncclLsaBarrierSession(Coop coop,
                        ncclDevComm const& comm,
                        ncclTeam team,
                        ncclLsaBarrierHandle handle,
                        std::uint32_t index,
                        bool multimem = false,
                        ncclMultimemHandle = {})
      : coop_(coop),
        session_(::cuco::emu::impl::lsa_open(
            comm.emulator, team, handle, index, ::cuco::emu::impl::coop_id(coop), multimem)) {}
  ncclLsaBarrierSession(
      Coop coop, ncclDevComm const& comm, ncclTeamTagLsa, std::uint32_t index, bool multimem = false)
      : ncclLsaBarrierSession(coop, comm, ncclTeamLsa(comm), comm.lsaBarrier, index, multimem) {}
  ncclLsaBarrierSession(ncclLsaBarrierSession const&) = delete;
  ncclLsaBarrierSession& operator=(ncclLsaBarrierSession const&) = delete;
  ~ncclLsaBarrierSession() {
    meet(1, "the end of an ncclLsaBarrierSession");
    ::cuco::emu::impl::close_session(session_);
  }

  void arrive(Coop, cuda::memory_order order) {
    meet(2, "ncclLsaBarrierSession::arrive");
    if (coop_.thread_rank() == 0) ::cuco::emu::impl::lsa_arrive(session_, ::cuco::emu::order_number(order));
  }
  void wait(Coop, cuda::memory_order order) {
    if (coop_.thread_rank() == 0) ::cuco::emu::impl::lsa_wait(session_, ::cuco::emu::order_number(order));
    meet(3, "ncclLsaBarrierSession::wait");
  }
  void sync(Coop coop, cuda::memory_order order) {
    arrive(coop, order);
    wait(coop, order);
  }

 private:
  void meet(unsigned step, char const* what) {
    ::cuco::emu::impl::coop_meet(coop_, ::cuco::emu::impl::session_tag(session_, step), what);
  }
  Coop coop_;
  ::cuco::emu::impl::LiveSession* session_;
};

enum class ncclGinFenceLevel { Relaxed };

template <typename Coop>
struct ncclGinBarrierSession {
  ncclGinBarrierSession(
      Coop coop, ncclGin gin, ncclTeam team, ncclGinBarrierHandle handle, std::uint32_t index)
      : coop_(coop),
        session_(::cuco::emu::impl::gin_barrier_open(
            gin.comm.emulator, gin.contextId, team, handle, index, ::cuco::emu::impl::coop_id(coop))) {}
  ncclGinBarrierSession(Coop coop, ncclGin gin, ncclTeamTagRail, std::uint32_t index)
      : ncclGinBarrierSession(coop, gin, ncclTeamRail(gin.comm), gin.comm.railGinBarrier, index) {}
  ncclGinBarrierSession(ncclGinBarrierSession const&) = delete;
  ncclGinBarrierSession& operator=(ncclGinBarrierSession const&) = delete;
  ~ncclGinBarrierSession() {
    meet(1, "the end of an ncclGinBarrierSession");
    ::cuco::emu::impl::close_session(session_);
  }

  void sync(Coop, cuda::memory_order order, ncclGinFenceLevel = ncclGinFenceLevel::Relaxed) {
    meet(2, "ncclGinBarrierSession::sync");
    if (coop_.thread_rank() == 0)
      ::cuco::emu::impl::gin_barrier_sync(
          session_, static_cast<std::uint32_t>(coop_.size()), ::cuco::emu::order_number(order));
    meet(3, "ncclGinBarrierSession::sync");
  }

 private:
  void meet(unsigned step, char const* what) {
    ::cuco::emu::impl::coop_meet(coop_, ::cuco::emu::impl::session_tag(session_, step), what);
  }
  Coop coop_;
  ::cuco::emu::impl::LiveSession* session_;
};

template <typename Coop>
struct ncclBarrierSession {
  ncclBarrierSession(Coop coop,
                     ncclTeam inner,
                     ncclTeam outer,
                     ncclGin gin,
                     ncclLsaBarrierHandle innerHandle,
                     ncclGinBarrierHandle outerHandle,
                     std::uint32_t index,
                     bool multimem = false,
                     ncclMultimemHandle mm = {})
      : coop_(coop) {
    lsa_.emplace(coop, gin.comm, inner, innerHandle, index, multimem, mm);
    gin_.emplace(coop, gin, outer, outerHandle, index);
  }
  ncclBarrierSession(Coop coop, ncclTeamTagWorld, ncclGin gin, std::uint32_t index, bool multimem = false)
      : ncclBarrierSession(coop,
                           ncclTeamLsa(gin.comm),
                           ncclTeamRail(gin.comm),
                           gin,
                           gin.comm.lsaBarrier,
                           gin.comm.railGinBarrier,
                           index,
                           multimem) {}
  ncclBarrierSession(
      Coop coop, ncclTeamTagLsa, ncclDevComm const& comm, std::uint32_t index, bool multimem = false)
      : coop_(coop) {
    lsa_.emplace(coop, comm, ncclTeamLsa(comm), comm.lsaBarrier, index, multimem);
  }
  ncclBarrierSession(Coop coop, ncclTeamTagRail, ncclGin gin, std::uint32_t index) : coop_(coop) {
    gin_.emplace(coop, gin, ncclTeamRail(gin.comm), gin.comm.railGinBarrier, index);
  }
  ncclBarrierSession(ncclBarrierSession const&) = delete;
  ncclBarrierSession& operator=(ncclBarrierSession const&) = delete;

  ncclLsaBarrierSession<Coop>& lsaBarrier() { return *lsa_; }
  ncclGinBarrierSession<Coop>& ginBarrier() { return *gin_; }
  void sync(Coop coop, cuda::memory_order order, ncclGinFenceLevel fence = ncclGinFenceLevel::Relaxed) {
    if (lsa_) lsa_->sync(coop, order);
    if (gin_) gin_->sync(coop, order, fence);
  }

 private:
  Coop coop_;
  std::optional<ncclLsaBarrierSession<Coop>> lsa_;
  std::optional<ncclGinBarrierSession<Coop>> gin_;
};
