// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of the NCCL host functions, without windows and device communicators. Included by the runtime
/// object only.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuco/emu/impl/cuda_memory.hpp"
#include "cuco/emu/impl/message_operation.hpp"

namespace cuco::emu::impl {

struct PendingCollective {
  ncclComm* comm;
  CUstream_st* stream;
  CollectiveArguments arguments;
};
struct PendingMessage {
  ncclComm* comm;
  CUstream_st* stream;
  Message message;
};
struct Group {
  int depth = 0;
  std::vector<PendingCollective> collectives;
  std::vector<PendingMessage> messages;
  std::vector<ncclComm*> made;                            ///< Communicators, there at the end.
  std::vector<std::pair<ncclComm_t*, ncclComm*>> splits;  ///< Set at the end.
  static Group& get() {
    static Group* const group = new Group;
    return *group;
  }
};

inline ncclResult_t comm_error(ncclComm* c, ncclResult_t result, std::string text) {
  static std::string* const last = new std::string;
  *last = text;
  if (c != nullptr) c->last_error = std::move(text);
  message("warning: %s", last->c_str());
  return result;
}

/// Whether `c` can be used; what NCCL says of one that an open group makes.
inline bool usable(ncclComm* c) {
  if (c == nullptr || c->destroyed) return false;
  if (!c->in_making) return true;
  comm_error(c, ncclInvalidArgument, "a communicator is used before the group that makes it has ended");
  return false;
}

inline void check_buffer(void const* p, std::size_t bytes, char const* call, char const* role) {
  if (bytes == 0) return;
  Allocation* a = find_allocation(p);
  if (a == nullptr)
    fatal(kIllegalUse, "illegal use: %s: the %s buffer is not device memory (%p)", call, role, p);
  check_bulk(p, bytes, call, role);
  if (a->peer >= 0) fatal(kIllegalUse, "illegal use: %s: the %s buffer is a peer's memory", call, role);
}

/// Makes the streams that a group names for one communicator wait for each other. NCCL does so before and
/// after its kernel.
inline void join_streams(Group const& g) {
  std::map<ncclComm*, std::set<CUstream_st*>> streams;
  for (PendingCollective const& p : g.collectives) streams[p.comm].insert(p.stream);
  for (PendingMessage const& p : g.messages) streams[p.comm].insert(p.stream);
  Device& d = Device::get();
  for (auto const& [comm, joined] : streams) {
    if (joined.size() < 2) continue;
    std::vector<CompletionPtr> ends;
    for (CUstream_st* s : joined)
      if (CompletionPtr const last = d.last(s)) ends.push_back(last);
    for (CUstream_st* s : joined) {
      auto marker = std::make_unique<MarkerOperation>();
      marker->after = ends;
      d.enqueue(s, std::move(marker));
    }
  }
}

inline void enqueue_group(Group& g) {
  Device& d = Device::get();
  Group const whole = g;
  join_streams(whole);
  for (PendingCollective const& p : g.collectives) {
    host_spends(machine().nccl_issue_us);
    d.enqueue(p.stream, std::make_unique<CollectiveOperation>(p.comm, p.arguments));
  }
  // One operation for all messages of one communicator and stream.
  while (!g.messages.empty()) {
    ncclComm* comm = g.messages.front().comm;
    CUstream_st* stream = g.messages.front().stream;
    std::vector<Message> same;
    std::vector<PendingMessage> rest;
    for (PendingMessage const& p : g.messages) {
      if (p.comm == comm && p.stream == stream)
        same.push_back(p.message);
      else
        rest.push_back(p);
    }
    g.messages = std::move(rest);
    host_spends(machine().nccl_issue_us);
    d.enqueue(stream, std::make_unique<MessageOperation>(comm, std::move(same)));
  }
  g.collectives.clear();
  join_streams(whole);
}

inline ncclResult_t collective(CollectiveArguments a, ncclComm* c, CUstream_st* stream) {
  char const* name = collective_name(a.kind);
  if (!usable(c))
    return comm_error(nullptr, ncclInvalidArgument, std::string(name) + ": invalid communicator");
  if (!valid_stream(stream))
    return comm_error(c, ncclInvalidArgument, std::string(name) + ": invalid stream");
  if (a.type < 0 || a.type >= ncclNumTypes)
    return comm_error(c, ncclInvalidArgument, std::string(name) + ": invalid data type");
  int const created = a.op - ncclNumOps;
  bool const known = created < 0 ? a.op >= 0
                                 : created < static_cast<int>(c->pre_multiplied.size()) &&
                                       c->pre_multiplied[static_cast<std::size_t>(created)].type == a.type;
  if (!known) return comm_error(c, ncclInvalidArgument, std::string(name) + ": invalid reduction");
  if (a.root < 0 || a.root >= c->ranks)
    return comm_error(c, ncclInvalidArgument, std::string(name) + ": invalid root");
  use_device();
  std::size_t bytes = a.count * type_bytes(a.type), n = static_cast<std::size_t>(c->ranks);
  bool root = c->rank == a.root;
  std::size_t send = bytes, receive = bytes;
  switch (a.kind) {
    case CollectiveKind::kReduce: receive = root ? bytes : 0; break;
    case CollectiveKind::kReduceScatter: send = bytes * n; break;
    case CollectiveKind::kAllGather: receive = bytes * n; break;
    case CollectiveKind::kAlltoAll: send = receive = bytes * n; break;
    case CollectiveKind::kBroadcast: send = root ? bytes : 0; break;
    case CollectiveKind::kGather: receive = root ? bytes * n : 0; break;
    case CollectiveKind::kScatter: send = root ? bytes * n : 0; break;
    default: break;
  }
  check_buffer(a.send, send, name, "send");
  check_buffer(a.receive, receive, name, "receive");
  if (a.kind == CollectiveKind::kAlltoAll && a.send == a.receive && bytes > 0 && n > 1)
    fatal(kIllegalUse, "illegal use: ncclAlltoAll in place");
  if (send == 0) a.send = nullptr;
  if (receive == 0) a.receive = nullptr;
  Group& g = Group::get();
  g.collectives.push_back({c, Device::get().resolve(stream), a});
  if (g.depth == 0) enqueue_group(g);
  return ncclSuccess;
}

inline ncclResult_t send_or_receive(Message m, ncclComm* c, CUstream_st* stream) {
  char const* name = m.send ? "ncclSend" : "ncclRecv";
  if (!usable(c))
    return comm_error(nullptr, ncclInvalidArgument, std::string(name) + ": invalid communicator");
  if (!valid_stream(stream) || m.type < 0 || m.type >= ncclNumTypes || m.peer < 0 || m.peer >= c->ranks)
    return comm_error(c, ncclInvalidArgument, std::string(name) + ": invalid stream, data type or peer");
  use_device();
  check_buffer(m.buffer, m.count * type_bytes(m.type), name, m.send ? "send" : "receive");
  Group& g = Group::get();
  g.messages.push_back({c, Device::get().resolve(stream), m});
  if (g.depth == 0) enqueue_group(g);
  return ncclSuccess;
}

}  // namespace cuco::emu::impl

extern "C" {
ncclResult_t ncclGetVersion(int* version) {
  if (version == nullptr) return ncclInvalidArgument;
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}
ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  if (id == nullptr) return ncclInvalidArgument;
  std::memset(id, 0, sizeof *id);
  cei::IdContent content = cei::create_comm_file();
  std::memcpy(id->internal, &content, sizeof content);
  return ncclSuccess;
}
ncclResult_t ncclCommInitRankConfig(
    ncclComm_t* comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t* config) {
  if (comm == nullptr || ranks < 1 || rank < 0 || rank >= ranks)
    return cei::comm_error(
        nullptr, ncclInvalidArgument, "ncclCommInitRank: invalid communicator size or rank");
  if (config != nullptr && config->magic != 0xcafebeef)
    return cei::comm_error(
        nullptr, ncclInvalidArgument, "ncclCommInitRankConfig: the configuration was not initialised");
  cei::use_device();
  cei::IdContent content;
  std::memcpy(&content, id.internal, sizeof content);
  *comm = cei::join(content, ranks, rank, "ncclCommInitRank");
  if (*comm == nullptr)
    return cei::comm_error(nullptr, ncclInvalidArgument, "ncclCommInitRank: invalid unique id");
  if (cei::Group& g = cei::Group::get(); g.depth > 0) {
    (*comm)->in_making = true;
    g.made.push_back(*comm);
  }
  return ncclSuccess;
}
ncclResult_t ncclCommInitRank(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank) {
  return ncclCommInitRankConfig(comm, ranks, id, rank, nullptr);
}
ncclResult_t ncclCommInitRankScalable(
    ncclComm_t* comm, int ranks, int rank, int ids, ncclUniqueId* id, ncclConfig_t* config) {
  if (ids < 1 || id == nullptr) return ncclInvalidArgument;
  return ncclCommInitRankConfig(comm, ranks, id[0], rank, config);
}
ncclResult_t ncclCommInitAll(ncclComm_t*, int, int const*) {
  cuco::emu::not_emulated("ncclCommInitAll (one process for several GPUs); use one MPI rank per GPU");
}
ncclResult_t ncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t* result, ncclConfig_t*) {
  if (comm == nullptr || comm->destroyed || result == nullptr) return ncclInvalidArgument;
  struct Wish {
    int color, key, rank;
  };
  std::vector<Wish> group;
  for (Wish const& w : comm->exchange(Wish{color, key, comm->rank}, "ncclCommSplit"))
    if (w.color == color) group.push_back(w);
  std::stable_sort(group.begin(), group.end(), [](Wish const& a, Wish const& b) { return a.key < b.key; });
  int rank = 0;
  while (group[static_cast<std::size_t>(rank)].rank != comm->rank) ++rank;
  cei::IdContent id{};
  if (rank == 0 && color >= 0) id = cei::create_comm_file();
  auto ids = comm->exchange(id, "ncclCommSplit");
  *result = nullptr;
  if (color >= 0)
    *result = cei::join(
        ids[static_cast<std::size_t>(group[0].rank)], static_cast<int>(group.size()), rank, "ncclCommSplit");
  if (cei::Group& g = cei::Group::get(); g.depth > 0)
    g.splits.emplace_back(result, std::exchange(*result, nullptr));
  return ncclSuccess;
}
ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  if (comm == nullptr || comm->destroyed) return ncclInvalidArgument;
  for (auto const& c : cei::Device::get().last_of_all()) cei::Device::get().wait(c, "ncclCommFinalize");
  return ncclSuccess;
}
ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  if (comm == nullptr) return ncclSuccess;
  if (comm->destroyed)
    return cei::comm_error(
        comm, ncclInvalidArgument, "ncclCommDestroy: the communicator was destroyed before");
  for (auto const& c : cei::Device::get().last_of_all()) cei::Device::get().wait(c, "ncclCommDestroy");
  comm->destroyed = true;  // the record and the shared memory stay: peers may still work with them
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  if (comm == nullptr) return ncclInvalidArgument;
  comm->destroyed = true;
  return ncclSuccess;
}
char const* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess: return "no error";
    case ncclUnhandledCudaError: return "unhandled cuda error";
    case ncclSystemError: return "unhandled system error";
    case ncclInternalError: return "internal error";
    case ncclInvalidArgument: return "invalid argument";
    case ncclInvalidUsage: return "invalid usage";
    case ncclRemoteError: return "remote process exited or there was a network error";
    case ncclInProgress: return "NCCL operation in progress";
    default: return "unknown result code";
  }
}
char const* ncclGetLastError(ncclComm_t comm) {
  return comm != nullptr ? comm->last_error.c_str() : "";
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  if (comm == nullptr || error == nullptr) return ncclInvalidArgument;
  *error = ncclSuccess;
  return ncclSuccess;
}
ncclResult_t ncclCommCount(ncclComm_t const comm, int* count) {
  if (comm == nullptr || count == nullptr) return ncclInvalidArgument;
  *count = comm->ranks;
  return ncclSuccess;
}
ncclResult_t ncclCommCuDevice(ncclComm_t const comm, int* device) {
  if (comm == nullptr || device == nullptr) return ncclInvalidArgument;
  *device = cei::HostState::get().device;
  return ncclSuccess;
}
ncclResult_t ncclCommUserRank(ncclComm_t const comm, int* rank) {
  if (comm == nullptr || rank == nullptr) return ncclInvalidArgument;
  *rank = comm->rank;
  return ncclSuccess;
}
ncclResult_t ncclCommRegister(ncclComm_t const comm, void* buffer, size_t, void** handle) {
  if (comm == nullptr || handle == nullptr) return ncclInvalidArgument;
  *handle = buffer;
  return ncclSuccess;
}
ncclResult_t ncclCommDeregister(ncclComm_t const comm, void*) {
  return comm == nullptr ? ncclInvalidArgument : ncclSuccess;
}
ncclResult_t ncclMemAlloc(void** p, size_t n) {
  return cei::allocate(p, n, cei::Allocation::kNccl) == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}
ncclResult_t ncclMemFree(void* p) {
  return cei::release(p, false, "ncclMemFree") == cudaSuccess ? ncclSuccess : ncclInvalidArgument;
}

using CK = cei::CollectiveKind;
ncclResult_t ncclAllReduce(
    void const* s, void* r, size_t n, ncclDataType_t t, ncclRedOp_t o, ncclComm_t c, cudaStream_t st) {
  return cei::collective({CK::kAllReduce, s, r, n, t, o, 0}, c, st);
}
ncclResult_t ncclReduce(void const* s,
                        void* r,
                        size_t n,
                        ncclDataType_t t,
                        ncclRedOp_t o,
                        int root,
                        ncclComm_t c,
                        cudaStream_t st) {
  return cei::collective({CK::kReduce, s, r, n, t, o, root}, c, st);
}
ncclResult_t ncclReduceScatter(
    void const* s, void* r, size_t n, ncclDataType_t t, ncclRedOp_t o, ncclComm_t c, cudaStream_t st) {
  return cei::collective({CK::kReduceScatter, s, r, n, t, o, 0}, c, st);
}
ncclResult_t ncclAllGather(
    void const* s, void* r, size_t n, ncclDataType_t t, ncclComm_t c, cudaStream_t st) {
  return cei::collective({CK::kAllGather, s, r, n, t, 0, 0}, c, st);
}
ncclResult_t ncclAlltoAll(void const* s, void* r, size_t n, ncclDataType_t t, ncclComm_t c, cudaStream_t st) {
  return cei::collective({CK::kAlltoAll, s, r, n, t, 0, 0}, c, st);
}
ncclResult_t ncclBroadcast(
    void const* s, void* r, size_t n, ncclDataType_t t, int root, ncclComm_t c, cudaStream_t st) {
  return cei::collective({CK::kBroadcast, s, r, n, t, 0, root}, c, st);
}
ncclResult_t ncclBcast(void* b, size_t n, ncclDataType_t t, int root, ncclComm_t c, cudaStream_t st) {
  return cei::collective({CK::kBroadcast, b, b, n, t, 0, root}, c, st);
}
ncclResult_t ncclGather(
    void const* s, void* r, size_t n, ncclDataType_t t, int root, ncclComm_t c, cudaStream_t st) {
  return cei::collective({CK::kGather, s, r, n, t, 0, root}, c, st);
}
ncclResult_t ncclScatter(
    void const* s, void* r, size_t n, ncclDataType_t t, int root, ncclComm_t c, cudaStream_t st) {
  return cei::collective({CK::kScatter, s, r, n, t, 0, root}, c, st);
}
ncclResult_t ncclSend(void const* s, size_t n, ncclDataType_t t, int peer, ncclComm_t c, cudaStream_t st) {
  return cei::send_or_receive({true, const_cast<void*>(s), n, t, peer}, c, st);
}
ncclResult_t ncclRecv(void* r, size_t n, ncclDataType_t t, int peer, ncclComm_t c, cudaStream_t st) {
  return cei::send_or_receive({false, r, n, t, peer}, c, st);
}
ncclResult_t ncclGroupStart() {
  ++cei::Group::get().depth;
  return ncclSuccess;
}
ncclResult_t ncclGroupEnd() {
  cei::Group& g = cei::Group::get();
  if (g.depth == 0) return cei::comm_error(nullptr, ncclInvalidUsage, "ncclGroupEnd without ncclGroupStart");
  if (--g.depth != 0) return ncclSuccess;
  for (ncclComm* comm : g.made) comm->in_making = false;
  for (auto const& [result, comm] : g.splits) *result = comm;
  g.made.clear();
  g.splits.clear();
  cei::enqueue_group(g);
  return ncclSuccess;
}
}
