// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Fibers for CUDA threads. A worker runs threads one after the other; a thread that blocks keeps its worker,
/// a thread that ends without blocking leaves it to the next thread, so straight-line kernels need one stack
/// in all.

#include <boost/context/fiber.hpp>
#include <boost/context/stack_context.hpp>
#include <cstdint>
#include <vector>

#include "cuco/emu/impl/heap.hpp"

namespace cuco::emu::impl {

/// At least 64 KiB of stack above a guard page, in the stack slot of the region.
class FiberStacks {
 public:
  static constexpr std::size_t kUsable = 68 * 1024;
  static constexpr std::size_t kGuard = 4096;

  boost::context::stack_context allocate() {
    std::uintptr_t low = slot_base(kStackSlot) + count_++ * (kUsable + kGuard);
    if (low + kUsable + kGuard > mapped_) {
      if (mapped_ == 0) mapped_ = slot_base(kStackSlot);
      map_fixed(mapped_, kChunk);
      mapped_ += kChunk;
    }
    // Every guard splits a mapping; beyond this many stacks the kernel's limit on mappings comes near.
    if (count_ < 24000) ::mprotect(reinterpret_cast<void*>(low), kGuard, PROT_NONE);
    // Tops at different offsets in a page: else all stacks compete for the same few cache sets.
    std::size_t colour = count_ % 61 * 64;
    boost::context::stack_context context;
    context.size = kUsable - colour;
    context.sp = reinterpret_cast<void*>(low + kGuard + kUsable - colour);
    return context;
  }
  /// Stacks are kept for reuse with their workers, for the life of the process.
  void deallocate(boost::context::stack_context&) {}

 private:
  static constexpr std::size_t kChunk = (kUsable + kGuard) * 256;
  std::size_t count_ = 0;
  std::uintptr_t mapped_ = 0;
};

/// Adapter: Boost.Context copies its allocator.
struct FiberStackAllocator {
  FiberStacks* stacks;
  boost::context::stack_context allocate() { return stacks->allocate(); }
  void deallocate(boost::context::stack_context& context) { stacks->deallocate(context); }
};

struct Worker {
  boost::context::fiber inside;  ///< Continues the worker; empty while it runs.
};

/// All workers of the device thread. `Body` is called on a worker again and again; it runs threads until none
/// is left to start, and returns to park the worker.
class FiberPool {
 public:
  using Body = void (*)();
  explicit FiberPool(Body body) : body_(body) {}

  /// A worker that is ready to call the body.
  Worker* acquire() {
    if (!idle_.empty()) {
      Worker* worker = idle_.back();
      idle_.pop_back();
      return worker;
    }
    auto* worker = new Worker;
    worker->inside = boost::context::fiber(
        std::allocator_arg, FiberStackAllocator{&stacks_}, [this, worker](boost::context::fiber&& outside) {
          outside_ = std::move(outside);
          while (true) {
            body_();
            idle_.push_back(worker);
            suspend();
          }
          return std::move(outside_);
        });
    return worker;
  }
  /// Scheduler side: runs the worker until it suspends.
  void resume(Worker* worker) {
    running_ = worker;
    worker->inside = std::move(worker->inside).resume();
    running_ = nullptr;
  }
  /// Worker side: back to the scheduler.
  void suspend() { outside_ = std::move(outside_).resume(); }

  Worker* running() const { return running_; }

 private:
  Body body_;
  FiberStacks stacks_;
  boost::context::fiber outside_;
  Worker* running_ = nullptr;
  std::vector<Worker*> idle_;
};

}  // namespace cuco::emu::impl
