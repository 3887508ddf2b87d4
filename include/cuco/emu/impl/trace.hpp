// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Writes the trace (trace_format.hpp). Records go to mapped files: what was written survives any end of the
/// process. Without CUCO_EMU_TRACE_DIR nothing happens but a look at one flag.

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "cuco/emu/impl/block.hpp"
#include "cuco/emu/impl/process_page.hpp"
#include "cuco/emu/trace_format.hpp"

extern "C" char __executable_start;
extern "C" char _end;

namespace cuco::emu::impl {

/// What the running thread asked of the next synchronising access (atomic_ref.hpp), else what CUDA's
/// functions give.
inline __thread std::uint8_t asked_order = 0xff;
/// The access that is checked now is in the trace in another form.
inline __thread bool trace_muted = false;

class TraceFiles {
 public:
  static TraceFiles& get() {
    static TraceFiles* const files = new TraceFiles;
    return *files;
  }
  std::string directory;
  std::string prefix;  ///< directory/rank<R>
  std::uint64_t limit = std::uint64_t{1} << 24;
  std::atomic<std::uint64_t> records{0};
  std::atomic<int> threads{0};

  std::uint32_t stack_number(std::uint64_t const* frames, std::uint32_t depth) {
    std::uint64_t h = depth;
    for (std::uint32_t i = 0; i < depth; ++i) h = h * 0x9e3779b97f4a7c15u + (h >> 29U) + frames[i];
    std::lock_guard<std::mutex> hold(mutex_);
    auto const [it, fresh] = stacks_.emplace(h, static_cast<std::uint32_t>(stacks_.size() + 1));
    if (fresh) {
      TraceStack const s{it->second, depth};
      append(stack_fd_, &s, sizeof s);
      append(stack_fd_, frames, depth * sizeof *frames);
    }
    return it->second;
  }
  void name(std::string const& line) { append(name_fd_, line.data(), line.size()); }

 private:
  TraceFiles() {
    Environment const& e = Environment::get();
    directory = e.trace_dir;
    prefix = directory + "/rank" + std::to_string(e.world_rank);
    if (char const* text = std::getenv("CUCO_EMU_TRACE_LIMIT")) limit = std::strtoull(text, nullptr, 10);
    stack_fd_ = open_file(prefix + ".stacks");
    name_fd_ = open_file(prefix + ".names");
    char self[512];
    ssize_t const n = ::readlink("/proc/self/exe", self, sizeof self);
    if (n > 0) name("file " + std::string(self, static_cast<std::size_t>(n)) + "\n");
  }
  static int open_file(std::string const& path) {
    int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) fatal(1, "cannot write the trace %s: %s", path.c_str(), std::strerror(errno));
    return fd;
  }
  static void append(int fd, void const* data, std::size_t n) {
    if (::write(fd, data, n) != static_cast<ssize_t>(n))
      fatal(1, "cannot write the trace: %s", std::strerror(errno));
  }
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::uint32_t> stacks_;
  int stack_fd_ = -1, name_fd_ = -1;
};

inline bool tracing() {
  static bool const on = !Environment::get().trace_dir.empty();
  return on;
}

/// The records of one operating system thread.
class TraceLog {
 public:
  static TraceLog& get() {
    static thread_local TraceLog log;
    return log;
  }

  /// A record of whoever runs now. The time is taken unless it is a plain access.
  void add(TraceKind kind,
           std::uint64_t a,
           std::uint64_t b,
           std::uint8_t flags = 0,
           std::uint16_t small = 0,
           std::uint32_t stack = 0) {
    identify();
    put({kind, flags, small, stack, a, b, plain(kind) ? 0 : now()});
  }
  /// The device thread works for an operation of a stream; 0: no longer.
  void set_operation(std::uint64_t operation) { operation_ = operation; }

  /// Return addresses of the running thread, from the caller of the function whose frame is given.
  static std::uint32_t stack(void* frame) {
    static auto const base = reinterpret_cast<std::uintptr_t>(&__executable_start);
    static thread_local std::unordered_map<std::uint64_t, std::uint32_t> known;
    std::uint64_t frames[TraceStack::kMost];
    std::uint32_t depth = 0;
    auto* at = static_cast<std::uintptr_t*>(frame);
    // Of a fiber, or of the operating system thread.
    std::uintptr_t low = slot_base(kStackSlot), high = slot_base(kStackSlot + 1);
    if (reinterpret_cast<std::uintptr_t>(at) - low >= high - low) {
      low = reinterpret_cast<std::uintptr_t>(at);
      high = thread_stack_end();
    }
    std::uint64_t h = 1;
    while (depth < TraceStack::kMost && high >= 16) {
      std::uintptr_t const back = at[1];
      if (back < base || back >= reinterpret_cast<std::uintptr_t>(&_end)) break;
      frames[depth++] = back - base;
      h = h * 0x9e3779b97f4a7c15u + (h >> 29U) + back;
      auto const next = at[0];
      if (next <= reinterpret_cast<std::uintptr_t>(at) || next < low || next >= high - 16 || next % 8 != 0)
        break;
      at = reinterpret_cast<std::uintptr_t*>(next);
    }
    auto const it = known.find(h);
    if (it != known.end()) return it->second;
    std::uint32_t const number = TraceFiles::get().stack_number(frames, depth);
    known.emplace(h, number);
    return number;
  }

 private:
  static std::uintptr_t thread_stack_end() {
    static thread_local std::uintptr_t const end = [] {
      pthread_attr_t attributes;
      void* base = nullptr;
      std::size_t size = 0;
      if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return std::uintptr_t{0};
      ::pthread_attr_getstack(&attributes, &base, &size);
      ::pthread_attr_destroy(&attributes);
      return reinterpret_cast<std::uintptr_t>(base) + size;
    }();
    return end;
  }
  static bool plain(TraceKind k) { return k == TraceKind::kRead || k == TraceKind::kWrite; }
  static std::uint64_t now() {
    timespec const t = real_clock(CLOCK_MONOTONIC);
    return static_cast<std::uint64_t>(t.tv_sec) * 1000000000u + static_cast<std::uint64_t>(t.tv_nsec);
  }
  /// Who acts, if that has changed.
  void identify() {
    TraceRecord r{};
    if (current_thread != nullptr) {
      Block const& b = *current_thread->block;
      r.kind = TraceKind::kThread;
      r.a = b.grid->id;
      r.b = b.index << 16U | current_thread->builtins.linear;
    } else if (operation_ != 0) {
      r.kind = TraceKind::kOperation;
      r.a = operation_;
    } else {
      r.kind = TraceKind::kHost;
    }
    if (r.kind == last_.kind && r.a == last_.a && r.b == last_.b) return;
    last_ = r;
    r.time = now();
    put(r);
  }
  void put(TraceRecord const& r) {
    if (at_ == end_) grow();
    *at_++ = r;
  }
  void grow() {
    constexpr std::size_t kChunk = std::size_t{1} << 20;
    TraceFiles& files = TraceFiles::get();
    if (fd_ < 0) {
      std::string const path = files.prefix + "-" + std::to_string(files.threads.fetch_add(1)) + ".trace";
      fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      if (fd_ < 0) fatal(1, "cannot write the trace %s: %s", path.c_str(), std::strerror(errno));
    }
    std::size_t const records = kChunk / sizeof(TraceRecord);
    if (files.records.fetch_add(records) + records > files.limit)
      fatal(kNotEmulated,
            "not emulated: a trace of more than %llu records; run it with smaller sizes or fewer iterations",
            static_cast<unsigned long long>(files.limit));
    if (begin_ != nullptr) ::munmap(begin_, kChunk);
    // Allocated, not only extended: a full disk is an error here, not a signal later.
    if (int const e = ::posix_fallocate(fd_, static_cast<off_t>(bytes_), static_cast<off_t>(kChunk)); e != 0)
      fatal(1, "cannot write the trace: %s", std::strerror(e));
    void* p = ::mmap(nullptr, kChunk, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, static_cast<off_t>(bytes_));
    if (p == MAP_FAILED) fatal(1, "cannot map the trace: %s", std::strerror(errno));
    bytes_ += kChunk;
    begin_ = at_ = static_cast<TraceRecord*>(p);
    end_ = at_ + records;
  }

  TraceRecord *begin_ = nullptr, *at_ = nullptr, *end_ = nullptr;
  int fd_ = -1;
  std::size_t bytes_ = 0;
  std::uint64_t operation_ = 0;
  TraceRecord last_{};
};

inline TraceLog& trace_log() {
  return TraceLog::get();
}
/// A record without a place in the program.
inline void trace(TraceKind kind,
                  std::uint64_t a = 0,
                  std::uint64_t b = 0,
                  std::uint8_t flags = 0,
                  std::uint16_t small = 0) {
  if (__builtin_expect(tracing(), 0)) trace_log().add(kind, a, b, flags, small);
}
/// A record of the running CUDA thread with its stack.
__attribute__((noinline)) inline void trace_here(TraceKind kind,
                                                 std::uint64_t a = 0,
                                                 std::uint64_t b = 0,
                                                 std::uint8_t flags = 0,
                                                 std::uint16_t small = 0) {
  trace_log().add(kind, a, b, flags, small, TraceLog::stack(__builtin_frame_address(0)));
}

/// The heap address as every rank names it; 0 when it is no memory of a heap.
inline std::uint64_t trace_heap(void const* p) {
  Allocation const* a = find_allocation(p);
  if (a == nullptr || a->memory_class == kUncounted || a->memory_class == kShared || a->owner == nullptr)
    return 0;
  return trace_address(TraceSpace::kHeap,
                       static_cast<unsigned>(a->owner->rank),
                       a->offset + (reinterpret_cast<std::uintptr_t>(p) - a->base));
}
/// The same for anything a kernel may touch.
inline std::uint64_t trace_place(std::uintptr_t address, Allocation const* a) {
  if (a == nullptr) {
    auto const image = reinterpret_cast<std::uintptr_t>(&__executable_start);
    return trace_address(
        TraceSpace::kProgram, static_cast<unsigned>(Environment::get().world_rank), address - image);
  }
  if (a->memory_class == kShared)
    return trace_address(TraceSpace::kShared,
                         static_cast<unsigned>(Environment::get().world_rank),
                         address - current_thread->block->shared_base);
  return trace_address(
      TraceSpace::kHeap, static_cast<unsigned>(a->owner->rank), a->offset + (address - a->base));
}
/// A range that an operation of a stream or the host touches.
inline void trace_range(bool write, void const* p, std::size_t n) {
  if (__builtin_expect(!tracing(), 1) || n == 0) return;
  if (std::uint64_t const at = trace_heap(p); at != 0)
    trace_log().add(write ? TraceKind::kWrite : TraceKind::kRead, at, n);
}

/// Which operation of a stream the device thread works for.
class TraceOperation {
 public:
  explicit TraceOperation(std::uint64_t operation) {
    if (tracing()) trace_log().set_operation(operation);
  }
  TraceOperation(TraceOperation const&) = delete;
  TraceOperation& operator=(TraceOperation const&) = delete;
  ~TraceOperation() {
    if (tracing()) trace_log().set_operation(0);
  }
};

}  // namespace cuco::emu::impl
