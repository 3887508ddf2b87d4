// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Deadlock report. A rank is stuck when its host thread and its device have both waited without progress for
/// CUCO_EMU_DEADLOCK_MS. When every rank of the first communicator is stuck (or has exited), the lowest one
/// prints who waits for what, and the program ends with exit code 90.

#include <string>
#include <vector>

#include "cuco/emu/impl/communicator.hpp"

namespace cuco::emu::impl {

class DeadlockWatch {
 public:
  static DeadlockWatch& get() {
    static DeadlockWatch* const watch = new DeadlockWatch;
    return *watch;
  }

  /// Device thread, every idle round.
  void idle(double milliseconds) {
    ProcessPage* page = own_page();
    if (page->host_waits.load(std::memory_order_relaxed) <= 0 ||
        milliseconds < Environment::get().deadlock_ms) {
      page->stuck.store(0, std::memory_order_relaxed);
      seen_.clear();
      return;
    }
    if (page->stuck.load(std::memory_order_relaxed) == 0) {
      describe(*page);
      page->stuck.store(1, std::memory_order_release);
    }
    std::vector<ProcessPage*> pages;
    if (primary_comm() != nullptr) {
      for (Peer const& p : primary_comm()->peers) pages.push_back(p.page);
    } else {
      pages.push_back(page);
    }
    // Ranks outside of the communicator may release one that waits in MPI.
    bool outside = static_cast<int>(pages.size()) < Environment::get().world_size;
    for (ProcessPage* p : pages) {
      if (p->exited.load(std::memory_order_acquire) != 0) continue;
      if (p->stuck.load(std::memory_order_acquire) == 0) return seen_.clear();
      if (outside && std::strncmp(p->host_text, "MPI_", 4) == 0) return seen_.clear();
    }
    for (ProcessPage* p : pages) {
      if (p->exited.load() != 0) continue;
      if (p != page) return;  // a lower rank reports
      break;
    }
    std::vector<std::uint64_t> now;
    std::vector<std::uint64_t> beats;
    for (ProcessPage* p : pages) {
      now.push_back(p->progress.load());
      beats.push_back(p->exited.load() != 0 ? ~std::uint64_t{0} : p->heartbeat.load());
    }
    if (seen_ != now) {
      seen_ = now;
      beats_ = beats;
      since_ = real_ms();
      return;
    }
    // Everybody must have looked again since: a rank may have been asleep while its peer did something for
    // it.
    for (std::size_t i = 0; i < beats.size(); ++i)
      if (beats[i] != ~std::uint64_t{0} && beats[i] < beats_[i] + 4) return;
    if (real_ms() - since_ < 100) return;
    report(pages);
  }

 private:
  static void add(ProcessPage& page, std::string const& text) {
    if (page.lines >= ProcessPage::kLines) return;
    std::snprintf(page.line[page.lines++], ProcessPage::kLineBytes, "%s", text.c_str());
  }
  static std::string waits_for(Thread const& t) {
    char text[200] = "";
    switch (t.state) {
      case ThreadState::kInBlockBarrier:
        return std::string("waits at ") + t.operation + " for the rest of the block";
      case ThreadState::kInWarpOperation: {
        std::snprintf(text, sizeof text, "waits at %s (mask 0x%08x)", t.operation, t.mask);
        return text;
      }
      case ThreadState::kWaiting:
        t.describe(t.context, text, sizeof text);
        return std::string("waits for ") + text;
      case ThreadState::kPolling: {
        char where[128];
        describe_address(t.polled[(t.polled_next + 7) % 8], where, sizeof where);
        return std::string("polls ") + where;
      }
      default: return "";
    }
  }
  static void describe(ProcessPage& page) {
    page.lines = 0;
    Device::get().for_each_head([&](CUstream_st& s, Operation& op) {
      std::string text = "stream " + std::to_string(s.id) + ": ";
      add(page, text + (op.begun ? "" : "not started (waits for other streams): ") + op.what());
    });
    for (Grid* g : Scheduler::get().grids()) {
      for (Block* b : g->resident) {
        // Threads that wait for the same thing share a line.
        std::vector<std::pair<std::string, std::string>> groups;
        for (std::uint32_t i = 0; i < b->count;) {
          std::string what = waits_for(b->threads[i]);
          std::uint32_t last = i;
          while (last + 1 < b->count && waits_for(b->threads[last + 1]) == what) ++last;
          if (!what.empty()) {
            std::string range =
                i == last ? std::to_string(i) : std::to_string(i) + "-" + std::to_string(last);
            bool known = false;
            for (auto& group : groups)
              if (group.first == what) {
                group.second += "," + range;
                known = true;
              }
            if (!known) groups.emplace_back(what, range);
          }
          i = last + 1;
        }
        for (auto const& [what, range] : groups)
          add(page,
              "kernel " + g->name + " (line " + std::to_string(g->config.line) + ") block (" +
                  std::to_string(b->block_idx.x) + "," + std::to_string(b->block_idx.y) + "," +
                  std::to_string(b->block_idx.z) + ") threads " +
                  (range.size() > 60 ? range.substr(0, 60) + "..." : range) + ": " + what);
      }
      if (g->next_block < g->blocks)
        add(page,
            "kernel " + g->name + " (line " + std::to_string(g->config.line) +
                "): " + std::to_string(g->blocks - g->next_block) + " of " + std::to_string(g->blocks) +
                " blocks wait for room on the GPU");
    }
  }
  [[noreturn]] static void report(std::vector<ProcessPage*> const& pages) {
    std::string text = "cuco-emu: deadlock: no rank can go on\n";
    for (ProcessPage* p : pages) {
      std::string rank = "cuco-emu: deadlock: rank " + std::to_string(p->rank) + ": ";
      if (p->exited.load() != 0) {
        text += rank + "has exited\n";
        continue;
      }
      text += rank + "host waits in " + p->host_text + "\n";
      for (int i = 0; i < p->lines; ++i) text += rank + p->line[i] + "\n";
      if (p->lines == 0) text += rank + "device is idle\n";
    }
    for (std::size_t at = 0; at < text.size();) {
      ssize_t n = ::write(2, text.data() + at, text.size() - at);
      if (n <= 0) break;
      at += static_cast<std::size_t>(n);
    }
    end_process(kDeadlock);
  }

  std::vector<std::uint64_t> seen_, beats_;
  double since_ = 0;
};

}  // namespace cuco::emu::impl
