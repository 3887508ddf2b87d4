// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Streams, events, and the device thread that executes them.
///
/// Time model: an operation is issued at the host's clock; it starts at max(end of the operation before it in
/// its stream
/// + gap, issue + latency, end of everything it depends on) and ends when its kind says. Synchronising host
/// calls set the host's clock to max(own, end) + sync_return_us.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cuco/emu/impl/scheduler.hpp"
#include "cuco/emu/impl/trace.hpp"

namespace cuco::emu::impl {

/// The end of an operation, shared by the stream, events and dependants.
struct Completion {
  std::atomic<bool> done{false};
  double end = 0;
  std::uint64_t operation = 0;  ///< Its number in the trace.
};
using CompletionPtr = std::shared_ptr<Completion>;

/// One operation of a stream. Runs on the device thread.
class Operation {
 public:
  virtual ~Operation() = default;
  /// All dependencies are done; `start` is the virtual start.
  virtual void begin(double start) = 0;
  /// True when the operation has ended; then `end()` is valid.
  virtual bool poll() = 0;
  virtual double end() const = 0;
  /// For a deadlock report.
  virtual std::string what() const = 0;
  virtual bool is_kernel() const { return false; }
  /// Takes no place in the stream's time: events and waits.
  virtual bool is_marker() const { return false; }

  double issue = 0;
  double latency = 0;  ///< Issue to earliest start.
  std::vector<CompletionPtr> after;
  CompletionPtr completion = std::make_shared<Completion>();
  bool begun = false;
};

}  // namespace cuco::emu::impl

/// A stream, as the program holds it.
struct CUstream_st {
  std::uint64_t id = 0;
  bool blocking = true;  ///< Synchronises with the legacy default stream.
  int priority = 0;
  double clock = 0;
  bool last_was_kernel = false;
  std::deque<std::unique_ptr<cuco::emu::impl::Operation>> queue;
  cuco::emu::impl::CompletionPtr last;  ///< Of the operation enqueued last.
};

namespace cuco::emu::impl {

/// Virtual time while a host function of a stream runs (on the device thread), else -1.
inline thread_local double host_function_us = -1;

/// Between two kernels of one stream. Several GPUs in one process take turns in the driver, which shows as a
/// longer gap.
inline double kernel_gap() {
  return machine().kernel_gap_us +
         machine().kernel_gap_per_rank_us * (ranks_per_node(Environment::get().world_size) - 1);
}

/// Puts and signals of this rank that have not arrived yet (GIN engine).
inline std::atomic<long>& pending_deliveries() {
  static std::atomic<long> count{0};
  return count;
}

class Device {
 public:
  static Device& get() {
    static Device* const device = new Device;
    return *device;
  }

  /// Virtual time of the host thread.
  double host_clock = 0;

  /// Adds something to be asked whenever kernels and streams have nothing to do; it returns true when it did
  /// something.
  void add_engine(std::function<bool()> engine) {
    std::lock_guard<std::mutex> hold(mutex_);
    engines_.push_back(std::move(engine));
    engine_count_.store(engines_.size(), std::memory_order_release);
  }
  /// Called when nothing has gone on for a while, with the real milliseconds since then.
  std::function<void(double)> on_idle;

  CUstream_st* legacy() { return &legacy_; }
  CUstream_st* create_stream(bool blocking, int priority) {
    std::lock_guard<std::mutex> hold(mutex_);
    auto* s = new CUstream_st;
    s->id = ++stream_ids_;
    s->blocking = blocking;
    s->priority = priority;
    streams_.push_back(s);
    return s;
  }
  bool valid(CUstream_st* s) {
    std::lock_guard<std::mutex> hold(mutex_);
    for (CUstream_st* known : streams_)
      if (known == s) return true;
    return false;
  }
  /// The stream's work must be complete.
  void destroy_stream(CUstream_st* s) {
    std::lock_guard<std::mutex> hold(mutex_);
    streams_.erase(std::find(streams_.begin(), streams_.end(), s));
    gone_.emplace_back(s);  // The device thread may still look whether there is more to do.
  }
  /// 0 and the two special handles name the default stream.
  CUstream_st* resolve(CUstream_st* s) {
    auto value = reinterpret_cast<std::uintptr_t>(s);
    return value <= 2 ? &legacy_ : s;
  }

  /// Adds an operation with the stream's dependencies. Host thread.
  CompletionPtr enqueue(CUstream_st* s, std::unique_ptr<Operation> op) {
    CompletionPtr done = op->completion;
    op->issue = host_clock;
    if (tracing()) {
      static std::atomic<std::uint64_t> operations{0};
      done->operation = operations.fetch_add(1) + 1;
      trace_here(TraceKind::kEnqueue, done->operation, s->id);
    }
    {
      std::lock_guard<std::mutex> hold(mutex_);
      if (s == &legacy_) {
        for (CUstream_st* other : streams_)
          if (other != s && other->blocking && other->last) op->after.push_back(other->last);
      } else if (s->blocking && legacy_.last) {
        op->after.push_back(legacy_.last);
      }
      s->last = done;
      s->queue.push_back(std::move(op));
      if (!running_) start();
    }
    ring(own_page());
    return done;
  }
  /// What has been enqueued last; null when nothing was.
  CompletionPtr last(CUstream_st* s) {
    std::lock_guard<std::mutex> hold(mutex_);
    return s->last;
  }
  std::vector<CompletionPtr> last_of_all() {
    std::lock_guard<std::mutex> hold(mutex_);
    std::vector<CompletionPtr> all;
    for (CUstream_st* s : streams_)
      if (s->last) all.push_back(s->last);
    return all;
  }
  /// Blocks the host thread (really and virtually).
  void wait(CompletionPtr const& c, char const* call) {
    if (!c) return;
    if (!c->done.load(std::memory_order_acquire)) {
      HostWait waits("%s", call);
      own_page()->waits_for_device.store(1, std::memory_order_release);
      std::unique_lock<std::mutex> hold(done_mutex_);
      done_signal_.wait(hold, [&] { return c->done.load(std::memory_order_acquire); });
      own_page()->waits_for_device.store(0, std::memory_order_release);
    }
    trace(TraceKind::kHostJoin, c->operation);
    if (c->end > host_clock) host_clock = c->end;
  }

  /// What every stream's head waits for; device thread only.
  template <typename F>
  void for_each_head(F f) {
    std::lock_guard<std::mutex> hold(mutex_);
    for (CUstream_st* s : streams_)
      if (!s->queue.empty()) f(*s, *s->queue.front());
  }
  bool started() {
    std::lock_guard<std::mutex> hold(mutex_);
    return running_;
  }
  /// Starts the device thread without an operation: a rank that only serves its peers.
  void ensure_started() {
    std::lock_guard<std::mutex> hold(mutex_);
    if (!running_) start();
  }
  bool has_work() {
    std::lock_guard<std::mutex> hold(mutex_);
    for (CUstream_st* s : streams_)
      if (!s->queue.empty()) return true;
    return false;
  }

 private:
  Device() {
    streams_.push_back(&legacy_);
    own_page();
  }
  void start() {
    latencies = new Latencies;
    running_ = true;
    std::thread([this] { run(); }).detach();
  }

  bool advance_streams() {
    bool progress = false;
    std::vector<CUstream_st*> streams;
    std::vector<std::unique_ptr<CUstream_st>> gone;
    {
      std::lock_guard<std::mutex> hold(mutex_);
      gone.swap(gone_);
      for (CUstream_st* s : streams_)
        if (!s->queue.empty()) streams.push_back(s);
    }
    for (CUstream_st* s : streams) {
      while (true) {
        Operation* op = nullptr;
        {
          std::lock_guard<std::mutex> hold(mutex_);
          if (!s->queue.empty()) op = s->queue.front().get();
        }
        if (op == nullptr) break;
        if (!op->begun) {
          double start = s->clock + (s->last_was_kernel && op->is_kernel() ? kernel_gap() : 0);
          start = std::max(start, op->issue + op->latency);
          bool ready = true;
          for (CompletionPtr const& c : op->after) {
            ready = ready && c->done.load(std::memory_order_acquire);
            if (ready) start = std::max(start, c->end);
          }
          if (!ready) break;
          op->begun = true;
          if (tracing()) {
            trace(TraceKind::kOperationBegin, op->completion->operation, s->id);
            for (CompletionPtr const& c : op->after)
              trace(TraceKind::kOperationAfter, op->completion->operation, c->operation);
          }
          TraceOperation const acting(op->completion->operation);
          op->begin(start);
          progress = true;
        }
        {
          TraceOperation const acting(op->completion->operation);
          if (!op->poll()) break;
        }
        trace(TraceKind::kOperationEnd, op->completion->operation);
        progress = true;
        s->clock = op->end();
        if (!op->is_marker()) s->last_was_kernel = op->is_kernel();
        std::unique_ptr<Operation> finished;
        {
          std::lock_guard<std::mutex> hold(mutex_);
          finished = std::move(s->queue.front());
          s->queue.pop_front();
        }
        {
          std::lock_guard<std::mutex> hold(done_mutex_);
          finished->completion->end = s->clock;
          finished->completion->done.store(true, std::memory_order_release);
        }
        done_signal_.notify_all();
      }
    }
    return progress;
  }

  bool step_engines() {
    if (engine_count_.load(std::memory_order_acquire) == 0) return false;
    std::vector<std::function<bool()>> engines;
    {
      std::lock_guard<std::mutex> hold(mutex_);
      engines = engines_;
    }
    bool progress = false;
    for (auto& engine : engines) progress = engine() || progress;
    return progress;
  }

  [[noreturn]] void run() {
    ProcessPage* page = own_page();
    double idle_since = 0;
    unsigned idle_rounds = 0;
    while (true) {
      std::uint32_t seen = page->doorbell.load(std::memory_order_seq_cst);
      bool progress = advance_streams();
      progress = Scheduler::get().round() || progress;
      if (!progress) {
        page->device_work.store(has_work() ? 1 : 0, std::memory_order_release);
        page->idle.store(std::uint64_t{1} << 32 | seen, std::memory_order_release);
        progress = step_engines();
      }
      if (progress) {
        page->idle.store(0, std::memory_order_release);
        page->progress.fetch_add(1, std::memory_order_relaxed);
        page->stuck.store(0, std::memory_order_relaxed);
        idle_rounds = 0;
        continue;
      }
      page->heartbeat.fetch_add(1, std::memory_order_relaxed);
      if (idle_rounds++ == 0) idle_since = real_ms();
      if (idle_rounds < 4) {
        ::sched_yield();
        continue;
      }
      if (on_idle) on_idle(real_ms() - idle_since);
      // Raw flags in memory ring no bell, therefore the short sleep at first.
      wait_for_ring(page, seen, idle_rounds < 64 ? 100 : idle_rounds < 512 ? 500 : 2000);
    }
  }

  std::mutex mutex_, done_mutex_;
  std::condition_variable done_signal_;
  CUstream_st legacy_;
  std::vector<CUstream_st*> streams_;
  std::vector<std::unique_ptr<CUstream_st>> gone_;  ///< Destroyed since the device thread looked last.
  std::uint64_t stream_ids_ = 0;
  std::vector<std::function<bool()>> engines_;
  std::atomic<std::size_t> engine_count_{0};
  bool running_ = false;
};

}  // namespace cuco::emu::impl
