// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How ranks find and map each other: memory files opened through /proc/<pid>/fd/<n>. Nothing has a name in
/// the file system, so nothing is left behind after a crash.

#include <fcntl.h>

#include <map>
#include <mutex>

#include "cuco/emu/impl/process_page.hpp"

namespace cuco::emu::impl {

/// Another rank's process, or this one.
struct Peer {
  int world_rank = 0;
  int pid = 0;
  int heap_fd = -1;
  ProcessPage* page = nullptr;
};

inline int open_peer_file(int pid, int fd) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  int mine = ::open(path, O_RDWR | O_CLOEXEC);
  if (mine < 0)
    fatal(1,
          "cannot open the memory of process %d (%s): %s; ranks must run on one host as one user",
          pid,
          path,
          std::strerror(errno));
  return mine;
}

/// The process with this id; opened once. Its page is mapped at the start of its peer slot.
inline Peer const& find_peer(int world_rank, int pid, int fd) {
  static auto* const mutex = new std::mutex;
  static auto* const peers = new std::map<int, Peer>;
  std::lock_guard<std::mutex> hold(*mutex);
  auto it = peers->find(pid);
  if (it != peers->end()) return it->second;
  Peer p;
  p.world_rank = world_rank;
  p.pid = pid;
  if (pid == static_cast<int>(::getpid())) {
    p.heap_fd = Heap::get().fd();
    p.page = own_page();
  } else {
    p.heap_fd = open_peer_file(pid, fd);
    p.page = static_cast<ProcessPage*>(map_fixed(slot_base(kPeerSlot0 + world_rank), kGranule, p.heap_fd, 0));
  }
  return peers->emplace(pid, p).first->second;
}

/// Reads or writes the heap of a peer (or the own one) at an offset.
inline void read_peer(Peer const& p, void* to, std::size_t offset, std::size_t bytes) {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    ssize_t n = ::pread(p.heap_fd, at, bytes, static_cast<off_t>(offset));
    if (n <= 0)
      fatal(1,
            "cannot read the memory of rank %d: %s",
            p.world_rank,
            n < 0 ? std::strerror(errno) : "end of file");
    at += n;
    offset += static_cast<std::size_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
}
inline void write_peer(Peer const& p, std::size_t offset, void const* from, std::size_t bytes) {
  auto const* at = static_cast<char const*>(from);
  while (bytes > 0) {
    ssize_t n = ::pwrite(p.heap_fd, at, bytes, static_cast<off_t>(offset));
    if (n <= 0)
      fatal(1,
            "cannot write the memory of rank %d: %s",
            p.world_rank,
            n < 0 ? std::strerror(errno) : "no space");
    at += n;
    offset += static_cast<std::size_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
}

}  // namespace cuco::emu::impl
