// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Copies and fills as operations of a stream. Time: copy_latency_us + bytes / bandwidth of the direction.

#include "cuco/emu/impl/host_state.hpp"

namespace cuco::emu::impl {

enum class CopyPath { kHostToDevice, kDeviceToHost, kDeviceToDevice, kPeer, kHostToHost };

inline CopyPath copy_path(void const* to, void const* from) {
  Allocation *t = find_allocation(to), *f = find_allocation(from);
  if ((t != nullptr && t->peer >= 0) || (f != nullptr && f->peer >= 0)) return CopyPath::kPeer;
  bool to_device = is_device_memory(to), from_device = is_device_memory(from);
  if (to_device && from_device) return CopyPath::kDeviceToDevice;
  if (to_device) return CopyPath::kHostToDevice;
  if (from_device) return CopyPath::kDeviceToHost;
  return CopyPath::kHostToHost;
}

/// A rectangle of rows; a plain copy has one row.
struct Rectangle {
  char* to;
  std::size_t to_pitch;
  char const* from;
  std::size_t from_pitch;
  std::size_t width, height;
};

class CopyOperation final : public Operation {
 public:
  CopyOperation(Rectangle r, std::vector<char> staged)
      : r_(r), staged_(std::move(staged)), path_(copy_path(r.to, r.from)) {
    if (!staged_.empty()) {
      r_.from = staged_.data();
      r_.from_pitch = r_.width;
    }
  }
  void begin(double start) override {
    for (std::size_t i = 0; i < r_.height; ++i) {
      trace_range(false, r_.from + i * r_.from_pitch, r_.width);
      trace_range(true, r_.to + i * r_.to_pitch, r_.width);
    }
    for (std::size_t i = 0; i < r_.height; ++i)
      std::memmove(r_.to + i * r_.to_pitch, r_.from + i * r_.from_pitch, r_.width);
    Machine const& m = machine();
    double gbps = path_ == CopyPath::kHostToDevice     ? m.copy_h2d_gbps
                  : path_ == CopyPath::kDeviceToHost   ? m.copy_d2h_gbps
                  : path_ == CopyPath::kPeer           ? m.copy_peer_gbps
                  : path_ == CopyPath::kDeviceToDevice ? m.copy_d2d_gbps
                                                       : m.copy_h2d_gbps;
    end_ = start + m.copy_latency_us + static_cast<double>(r_.width * r_.height) / (gbps * 1e3);
    if (Allocation* a = find_allocation(r_.to); a != nullptr && a->owner != nullptr && a->owner != own_page())
      ring(a->owner);
  }
  bool poll() override { return true; }
  double end() const override { return end_; }
  std::string what() const override { return "copy"; }

 private:
  Rectangle r_;
  std::vector<char> staged_;
  CopyPath path_;
  double end_ = 0;
};

class FillOperation final : public Operation {
 public:
  FillOperation(char* to, std::size_t pitch, int value, std::size_t width, std::size_t height)
      : to_(to), pitch_(pitch), value_(value), width_(width), height_(height) {}
  void begin(double start) override {
    for (std::size_t i = 0; i < height_; ++i) {
      trace_range(true, to_ + i * pitch_, width_);
      std::memset(to_ + i * pitch_, value_, width_);
    }
    end_ = start + machine().copy_latency_us +
           static_cast<double>(width_ * height_) / (machine().memset_gbps * 1e3);
  }
  bool poll() override { return true; }
  double end() const override { return end_; }
  std::string what() const override { return "memset"; }

 private:
  char* to_;
  std::size_t pitch_;
  int value_;
  std::size_t width_, height_;
  double end_ = 0;
};

/// Events and waits for events: they take no time.
class MarkerOperation final : public Operation {
 public:
  void begin(double start) override { end_ = start; }
  bool poll() override { return true; }
  double end() const override { return end_; }
  bool is_marker() const override { return true; }
  std::string what() const override { return "event"; }

 private:
  double end_ = 0;
};

/// cudaFreeAsync.
class FreeOperation final : public Operation {
 public:
  explicit FreeOperation(void* memory) : memory_(memory) {}
  void begin(double start) override {
    trace(TraceKind::kFree, trace_heap(memory_));
    Heap::get().release(memory_);
    end_ = start;
  }
  bool poll() override { return true; }
  double end() const override { return end_; }
  bool is_marker() const override { return true; }
  std::string what() const override { return "cudaFreeAsync"; }

 private:
  void* memory_;
  double end_ = 0;
};

/// A host function in stream order.
class HostOperation final : public Operation {
 public:
  explicit HostOperation(std::function<void()> f) : f_(std::move(f)) {}
  void begin(double start) override {
    host_function_us = start;
    f_();
    host_function_us = -1;
    end_ = start + machine().api_us;
  }
  bool poll() override { return true; }
  double end() const override { return end_; }
  std::string what() const override { return "host function"; }

 private:
  std::function<void()> f_;
  double end_ = 0;
};

/// Checks and enqueues a copy; `asynchronous` as the call is named. Pageable memory behaves as in CUDA: a
/// source is read before the call returns, a target is written before it returns.
inline cudaError_t enqueue_copy(
    Rectangle r, cudaMemcpyKind kind, CUstream_st* stream, bool asynchronous, char const* call) {
  use_device();
  if (r.width == 0 || r.height == 0) return cudaSuccess;
  if (r.to == nullptr || r.from == nullptr || r.to_pitch < r.width || r.from_pitch < r.width ||
      !valid_stream(stream))
    return failed(cudaErrorInvalidValue);
  check_bulk(r.to, r.to_pitch * (r.height - 1) + r.width, call, "the destination");
  check_bulk(r.from, r.from_pitch * (r.height - 1) + r.width, call, "the source");
  bool to_symbol = known_range(r.to).kind == KnownRange::kSymbol,
       from_symbol = known_range(r.from).kind == KnownRange::kSymbol;
  bool to_device = find_allocation(r.to) != nullptr || to_symbol,
       from_device = find_allocation(r.from) != nullptr || from_symbol;
  if (kind != cudaMemcpyDefault) {
    bool wants_to = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool wants_from = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    Allocation *t = find_allocation(r.to), *f = find_allocation(r.from);
    if ((wants_to && !to_device) || (wants_from && !from_device) ||
        (!wants_to && t != nullptr && !t->host_ok) || (!wants_from && f != nullptr && !f->host_ok))
      return failed(cudaErrorInvalidValue);
  }
  Device& d = Device::get();
  host_spends(machine().api_us);
  CopyPath path = copy_path(r.to, r.from);
  std::vector<char> staged;
  bool wait = !asynchronous;
  // Device-to-device copies return at once in both forms.
  if (path == CopyPath::kDeviceToDevice || path == CopyPath::kPeer) wait = false;
  if (asynchronous && is_pageable(r.from) && !is_pageable(r.to)) {
    staged.resize(r.width * r.height);
    for (std::size_t i = 0; i < r.height; ++i)
      std::memcpy(staged.data() + i * r.width, r.from + i * r.from_pitch, r.width);
  }
  if (is_pageable(r.to)) wait = true;
  CompletionPtr done = d.enqueue(d.resolve(stream), std::make_unique<CopyOperation>(r, std::move(staged)));
  if (wait) {
    d.wait(done, call);
    d.host_clock += machine().sync_return_us;
  }
  return cudaSuccess;
}

}  // namespace cuco::emu::impl
