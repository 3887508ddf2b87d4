// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Low-latency all-to-all with inlined flags: ncclLLA2ASession.

#include "cuco/emu/impl/nccl_device_barriers.hpp"

namespace cuco::emu::impl {

LiveSession* ll_open(DeviceCommState* state,
                     ncclTeam team,
                     ncclLLA2AHandle handle,
                     std::uint32_t block,
                     CoopId coop,
                     bool multimem);
/// One word of 8 bytes into a slot of a peer (rank of the session's team), for the current epoch.
void ll_send(LiveSession* session, int peer, int slot, std::uint64_t word);
std::uint64_t ll_receive(LiveSession* session, int slot);
void ll_end_epoch(LiveSession* session);

}  // namespace cuco::emu::impl

template <typename Coop>
struct ncclLLA2ASession {
  ncclLLA2ASession(Coop coop,
                   ncclDevComm const& comm,
                   ncclTeam team,
                   ncclLLA2AHandle handle,
                   std::uint32_t block,
                   int maxElts,
                   bool multimem = false,
                   ncclMultimemHandle = {})
      : coop_(coop),
        ranks_(team.nRanks),
        pitch_(maxElts),
        session_(::cuco::emu::impl::ll_open(
            comm.emulator, team, handle, block, ::cuco::emu::impl::coop_id(coop), multimem)) {}
  ncclLLA2ASession(ncclLLA2ASession const&) = delete;
  ncclLLA2ASession& operator=(ncclLLA2ASession const&) = delete;
  ~ncclLLA2ASession() {
    meet(1, "the end of an ncclLLA2ASession");
    ::cuco::emu::impl::close_session(session_);
  }

  template <typename T>
  void send(int peer, int slot, T data) {
    std::uint64_t words[(sizeof(T) + 7) / 8] = {};
    std::memcpy(words, &data, sizeof(T));
    for (int i = 0; i < static_cast<int>((sizeof(T) + 7) / 8); ++i)
      ::cuco::emu::impl::ll_send(session_, peer, slot + i * pitch_, words[i]);
  }
  template <typename T>
  void bcast(int slot, T data) {
    for (int peer = 0; peer < ranks_; ++peer) send(peer, slot, data);
  }
  template <typename T>
  T recv(int slot) {
    std::uint64_t words[(sizeof(T) + 7) / 8];
    for (int i = 0; i < static_cast<int>((sizeof(T) + 7) / 8); ++i)
      words[i] = ::cuco::emu::impl::ll_receive(session_, slot + i * pitch_);
    T data;
    std::memcpy(static_cast<void*>(&data), words, sizeof(T));
    return data;
  }
  template <int MinEltCount, int MaxEltCount, typename T>
  void recvUnrolled(int start, int count, int stride, T (&values)[MaxEltCount]) {
    for (int i = 0; i < MaxEltCount; ++i)
      if (i < MinEltCount || i < count) values[i] = this->template recv<T>(start + i * stride);
  }
  template <int Unroll, typename Elt, typename EltToAcc, typename Reduce>
  auto recvReduce(int start, int count, int stride, EltToAcc toAcc, Reduce reduce)
      -> decltype(toAcc(std::declval<Elt>())) {
    decltype(toAcc(std::declval<Elt>())) acc{};
    for (int i = 0; i < count; ++i) {
      auto v = toAcc(this->template recv<Elt>(start + i * stride));
      acc = i == 0 ? v : reduce(acc, v);
    }
    return acc;
  }
  void endEpoch(Coop) {
    meet(2, "ncclLLA2ASession::endEpoch");
    if (coop_.thread_rank() == 0) ::cuco::emu::impl::ll_end_epoch(session_);
    meet(3, "ncclLLA2ASession::endEpoch");
  }

 private:
  void meet(unsigned step, char const* what) {
    ::cuco::emu::impl::coop_meet(coop_, ::cuco::emu::impl::session_tag(session_, step), what);
  }
  Coop coop_;
  int ranks_, pitch_;
  ::cuco::emu::impl::LiveSession* session_;
};
