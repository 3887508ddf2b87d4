// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// rank<r>.json in CUCO_EMU_REPORT_DIR: what the rank did, and how long that takes on the modelled machine.

#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "cuco/emu/impl/block.hpp"

namespace cuco::emu::impl {

class Report {
 public:
  static Report& get() {
    static Report* const report = new Report;
    return *report;
  }

  void kernel(Grid const& g, double microseconds) {
    std::lock_guard<std::mutex> hold(mutex_);
    Kernel& k = kernels_[{g.name, g.config.line}];
    ++k.launches;
    k.microseconds += microseconds;
    k.blocks = g.blocks;
    k.threads = g.config.block.x * g.config.block.y * g.config.block.z;
    for (int c = 0; c < 4; ++c) {
      k.counters.bytes_read[c] += g.counters.bytes_read[c];
      k.counters.bytes_written[c] += g.counters.bytes_written[c];
    }
    k.counters.atomics += g.counters.atomics;
  }
  void collective(std::string const& name, double bytes, double microseconds) {
    std::lock_guard<std::mutex> hold(mutex_);
    Collective& c = collectives_[name];
    ++c.calls;
    c.bytes += bytes;
    c.microseconds += microseconds;
  }
  void put(double bytes) {
    std::lock_guard<std::mutex> hold(mutex_);
    ++puts_;
    put_bytes_ += bytes;
  }

  /// Silent when no report is wanted or the folder cannot be written: the program's result does not depend on
  /// it.
  void write(double host_clock, int ranks) {
    Environment const& e = Environment::get();
    if (e.report_dir.empty()) return;
    std::string path = e.report_dir + "/rank" + std::to_string(e.world_rank) + ".json";
    std::FILE* f = std::fopen(path.c_str(), "w");
    if (f == nullptr) {
      message("cannot write %s", path.c_str());
      return;
    }
    std::lock_guard<std::mutex> hold(mutex_);
    std::fprintf(
        f,
        "{\n  \"rank\": %d, \"ranks\": %d, \"machine\": \"%s\", \"gin_mode\": \"%s\", \"seed\": %llu,\n"
        "  \"virtual_us\": %.3f, \"gin_puts\": %llu, \"gin_bytes\": %.0f,\n  \"kernels\": [",
        e.world_rank,
        ranks,
        escape(e.machine.name).c_str(),
        e.mode == GinMode::kRandom ? "random" : "eager",
        static_cast<unsigned long long>(e.seed),
        host_clock,
        static_cast<unsigned long long>(puts_),
        put_bytes_);
    char const* comma = "\n";
    for (auto const& [key, k] : kernels_) {
      std::fprintf(
          f,
          "%s    {\"name\": \"%s\", \"line\": %d, \"launches\": %llu, \"blocks\": %llu, \"threads\": %u, "
          "\"virtual_us\": %.3f, \"peer_read\": %.0f, \"peer_written\": %.0f, \"local_read\": %.0f, "
          "\"local_written\": %.0f, \"shared_read\": %.0f, \"shared_written\": %.0f, \"atomics\": %.0f}",
          comma,
          escape(key.first).c_str(),
          key.second,
          static_cast<unsigned long long>(k.launches),
          static_cast<unsigned long long>(k.blocks),
          k.threads,
          k.microseconds,
          k.counters.bytes_read[kPeer],
          k.counters.bytes_written[kPeer],
          k.counters.bytes_read[kLocal],
          k.counters.bytes_written[kLocal],
          k.counters.bytes_read[kShared],
          k.counters.bytes_written[kShared],
          k.counters.atomics);
      comma = ",\n";
    }
    std::fprintf(f, "\n  ],\n  \"collectives\": [");
    comma = "\n";
    for (auto const& [name, c] : collectives_) {
      std::fprintf(f,
                   "%s    {\"name\": \"%s\", \"calls\": %llu, \"bytes\": %.0f, \"virtual_us\": %.3f}",
                   comma,
                   escape(name).c_str(),
                   static_cast<unsigned long long>(c.calls),
                   c.bytes,
                   c.microseconds);
      comma = ",\n";
    }
    std::fprintf(f, "\n  ]\n}\n");
    std::fclose(f);
  }

 private:
  struct Kernel {
    std::uint64_t launches = 0, blocks = 0;
    unsigned threads = 0;
    double microseconds = 0;
    KernelCounters counters;
  };
  struct Collective {
    std::uint64_t calls = 0;
    double bytes = 0, microseconds = 0;
  };
  static std::string escape(std::string const& text) {
    std::string out;
    for (char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += static_cast<unsigned char>(c) < 32 ? ' ' : c;
    }
    return out;
  }
  std::mutex mutex_;
  std::map<std::pair<std::string, int>, Kernel> kernels_;
  std::map<std::string, Collective> collectives_;
  std::uint64_t puts_ = 0;
  double put_bytes_ = 0;
};

}  // namespace cuco::emu::impl
