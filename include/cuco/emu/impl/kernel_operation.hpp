// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A kernel launch as an operation of a stream.

#include <unistd.h>

#include <unordered_map>

#include "cuco/emu/impl/report.hpp"
#include "cuco/emu/impl/stream.hpp"

namespace cuco::emu::impl {

/// Attributes of a kernel function that the program has set.
struct KernelAttributes {
  std::size_t dynamic_limit = 0;  ///< 0: the default.
};
inline KernelAttributes& kernel_attributes(void const* entry) {
  static auto* const all = new std::unordered_map<void const*, KernelAttributes>;
  static auto* const mutex = new std::mutex;
  std::lock_guard<std::mutex> hold(*mutex);
  return (*all)[entry];
}

class KernelOperation final : public Operation {
 public:
  KernelOperation(LaunchConfig const& config,
                  void (*invoke)(void*),
                  void (*destroy)(void*),
                  void* arguments,
                  std::uint64_t stream)
      : destroy_(destroy) {
    grid_.config = config;
    grid_.name = config.name != nullptr ? config.name : "kernel";
    grid_.invoke = invoke;
    grid_.arguments = arguments;
    grid_.operation = this;
    grid_.stream = stream;
    grid_.blocks = static_cast<std::uint64_t>(config.grid.x) * config.grid.y * config.grid.z;
    std::uint32_t threads = config.block.x * config.block.y * config.block.z;
    grid_.occupancy = std::max(1, occupancy(threads, config.shared_bytes));
    latency = machine().launch_latency_us;
  }
  ~KernelOperation() override;

  void begin(double start) override {
    static std::uint64_t ids = 0;
    static Random skew(Environment::get().seed * 77777 +
                       static_cast<std::uint64_t>(Environment::get().world_rank));
    if (double most = Environment::get().skew_us; most > 0)
      real_sleep_us(static_cast<unsigned>(skew.below(static_cast<std::uint64_t>(most) + 1)));
    grid_.id = ++ids;
    grid_.start = start;
    std::uint64_t slots =
        static_cast<std::uint64_t>(machine().sm_count) * static_cast<std::uint64_t>(grid_.occupancy);
    grid_.initial_slots = std::min(slots, grid_.blocks);
    grid_.sharing =
        static_cast<int>((grid_.initial_slots + static_cast<std::uint64_t>(machine().sm_count) - 1) /
                         static_cast<std::uint64_t>(machine().sm_count));
    if (tracing()) {
      dim3 const& b = grid_.config.block;
      trace(TraceKind::kGrid,
            completion->operation,
            grid_.id,
            slots < grid_.blocks ? 1 : 0,
            static_cast<std::uint16_t>(b.x * b.y * b.z));
      TraceFiles::get().name("kernel " + std::to_string(grid_.id) + " " + std::to_string(grid_.config.line) +
                             " " + grid_.name + "\n");
    }
    Scheduler::get().add(&grid_);
  }
  bool poll() override { return finished_; }
  double end() const override { return end_; }
  bool is_kernel() const override { return true; }
  std::string what() const override {
    return "kernel " + grid_.name + " (line " + std::to_string(grid_.config.line) + ")";
  }

  Grid& grid() { return grid_; }

  /// The last block has ended.
  void finish() {
    Machine const& m = machine();
    double busy = std::max(0.0, grid_.end - grid_.start - grid_.waited_last);
    double link = grid_.counters.bytes_read[kPeer] / (m.link_load_gbps * 1e3) +
                  grid_.counters.bytes_written[kPeer] / (m.link_store_gbps * 1e3);
    double memory = 0;
    for (Allocation* a : grid_.touched)
      if (a->memory_class == kLocal && a->epoch == grid_.id)
        memory += std::min(static_cast<double>(a->bytes), static_cast<double>(a->size));
    memory /= m.hbm_gbps * 1e3;
    double queued = 0;
    for (auto const& [line, time] : grid_.wire) {
      auto const own = grid_.wire_last.find(line);
      queued = std::max(queued, time - (own == grid_.wire_last.end() ? 0 : own->second));
    }
    double const stretch = std::max({0.0, queued, std::max(link, memory) - busy});
    end_ = std::max(grid_.end + stretch, grid_.start + m.kernel_floor_us);
    Report::get().kernel(grid_, end_ - grid_.start);
    finished_ = true;
  }
  static KernelOperation& of(Grid& g) { return *static_cast<KernelOperation*>(g.operation); }

 private:
  Grid grid_;
  void (*destroy_)(void*);
  bool finished_ = false;
  double end_ = 0;
};

/// Memory for kernel arguments, in its own slot so that kernels may read it and nothing counts it.
/// Power-of-two classes.
class ArgumentMemory {
 public:
  static ArgumentMemory& get() {
    static ArgumentMemory* const memory = new ArgumentMemory;
    return *memory;
  }
  void* allocate(std::size_t bytes) {
    std::lock_guard<std::mutex> hold(mutex_);
    int c = size_class(bytes + kHeader);
    char* p = nullptr;
    if (!free_[c].empty()) {
      p = free_[c].back();
      free_[c].pop_back();
    } else {
      std::size_t size = std::size_t{1} << c;
      if (used_ + size > mapped_) {
        map_fixed(slot_base(kArgumentSlot) + mapped_, kGranule);
        set_granules(slot_base(kArgumentSlot) + mapped_, kGranule, &all_);
        mapped_ += kGranule;
      }
      p = reinterpret_cast<char*>(slot_base(kArgumentSlot) + used_);
      used_ += size;
    }
    *reinterpret_cast<int*>(p) = c;
    return p + kHeader;
  }
  void release(void* memory) {
    std::lock_guard<std::mutex> hold(mutex_);
    char* p = static_cast<char*>(memory) - kHeader;
    free_[*reinterpret_cast<int*>(p)].push_back(p);
  }

 private:
  static constexpr std::size_t kHeader = 64;
  ArgumentMemory() {
    all_.base = slot_base(kArgumentSlot);
    all_.size = kSlotBytes;
    all_.memory_class = kUncounted;
    all_.host_ok = true;
    all_.kind = Allocation::kInternal;
    // The stacks of fibers are uncounted in the same way.
    static Allocation stacks;
    stacks = all_;
    stacks.base = slot_base(kStackSlot);
    set_granules(slot_base(kStackSlot), kSlotBytes, &stacks);
  }
  static int size_class(std::size_t bytes) {
    int c = 8;
    while ((std::size_t{1} << c) < bytes) ++c;
    if (c > kGranuleShift) fatal(kNotEmulated, "not emulated: %zu bytes of kernel arguments", bytes);
    return c;
  }
  std::mutex mutex_;
  Allocation all_;
  std::size_t used_ = 0, mapped_ = 0;
  std::vector<char*> free_[kGranuleShift + 1];
};

inline KernelOperation::~KernelOperation() {
  destroy_(grid_.arguments);
  ArgumentMemory::get().release(grid_.arguments);
}

}  // namespace cuco::emu::impl
