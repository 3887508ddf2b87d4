// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which rule a run broke that the emulator ended: by its message, or by who waits for what.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "cuco/check/impl/classify.hpp"

namespace cuco::checking {

/// The rule behind a message of the emulator (emu/impl): the first of these phrases that it has.
inline std::string rule_of_message(std::string_view message) {
  struct Phrase {
    char const* text;
    char const* rule;
  };
  static constexpr Phrase phrases[] = {
      {"is used by two live sessions", "barrier-shared-index"},
      {"barriers were requested", "barrier-index-range"},
      {"divergent barrier", "barrier-divergent"},
      {"must take part", "barrier-divergent"},
      {"have exited", "barrier-divergent"},
      {"is at another call", "barrier-divergent"},
      {"threads was opened by", "barrier-divergent"},
      {"that lacks the calling lane", "barrier-divergent"},
      {"(ginSignalCount)", "signal-id-range"},
      {"(ginCounterCount)", "signal-id-range"},
      {"operations on it are in flight", "signal-reset-race"},
      {"SignalInc and SignalAdd", "signal-mixed-kinds"},
      {"a window pointer to LSA rank", "peer-outside-team"},
      {"that is no part of the LSA team", "peer-outside-team"},
      {"an LSA barrier of", "peer-outside-team"},
      {"of a team of", "peer-outside-team"},
      {"is no rank of the communicator", "peer-outside-team"},
      {"that is not registered (any more)", "unregistered-buffer"},
      {"the memory is not registered", "unregistered-buffer"},
      {"not from ncclMemAlloc", "unregistered-buffer"},
      {"into no registered window", "unregistered-buffer"},
      {"belongs to another communicator", "unregistered-buffer"},
      {"pageable host memory", "unregistered-buffer"},
      {"is no device memory", "unregistered-buffer"},
      {"window of", "window-bounds"},
      {"window memory", "window-bounds"},
      {"ncclMemAlloc memory", "window-bounds"},
      {"out-of-bounds", "out-of-bounds"},
      {"null pointer", "out-of-bounds"},
      {"host access to device memory", "out-of-bounds"},
  };
  for (Phrase const& p : phrases)
    if (message.find(p.text) != std::string_view::npos) return p.rule;
  return "illegal-use";
}

/// Lines of the emulator in what the ranks wrote to standard error, without its prefix.
inline std::vector<std::string> emulator_lines(std::string const& text) {
  constexpr std::string_view kPrefix = "cuco-emu: ";
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t const end = std::min(text.find('\n', at), text.size());
    std::string_view const line = std::string_view(text).substr(at, end - at);
    if (std::size_t const found = line.find(kPrefix); found != std::string_view::npos)
      out.emplace_back(line.substr(found + kPrefix.size()));
    at = end + 1;
  }
  return out;
}

/// Why nobody goes on.
class DeadlockRule {
 public:
  DeadlockRule(Trace const& trace,
               Replay const& replay,
               Classifier const& names,
               std::vector<std::string> const& lines)
      : trace_(trace), replay_(replay), names_(names), lines_(lines), stuck_(replay.stuck()) {}

  [[nodiscard]] Raw find() const {
    Raw out;
    std::set<std::pair<int, std::uint32_t>> told;
    for (Stuck const& s : stuck_) {
      out.ranks.insert(s.rank);
      if (told.insert({s.rank, s.stack}).second && out.places.size() < 16)
        out.places.push_back({s.rank,
                              s.stack,
                              fmt::format("rank {}, kernel {}, block {}, thread {} waits{}",
                                          s.rank,
                                          names_.kernel(s.rank, s.grid),
                                          s.block,
                                          s.thread,
                                          what(s))});
    }
    out.rule = rule(out);
    if (out.message.empty()) out.message = "no rank can go on";
    return out;
  }

 private:
  std::string what(Stuck const& s) const {
    switch (s.kind) {
      case emu::TraceKind::kSignalWait:
        return fmt::format(" for a signal of at least {}, {} have been sent", s.least, sum(s.key));
      case emu::TraceKind::kCounterWait: return fmt::format(" for a counter of at least {}", s.least);
      case emu::TraceKind::kAcquire: return fmt::format(" for its peers at LSA barrier {}", s.key);
      case emu::TraceKind::kBlockBarrier: return " for the rest of its block";
      case emu::TraceKind::kWarpMeet: return " for the rest of its warp";
      case emu::TraceKind::kFlush: return " for a flush";
      case emu::TraceKind::kPoll: return ": it looks at a flag again and again";
      default: return "";
    }
  }
  std::uint64_t sum(std::uint64_t key) const {
    std::uint64_t total = 0;
    for (Contribution const& c : replay_.contributions(key)) total += c.delta;
    return total;
  }
  bool said(std::string_view text) const {
    for (std::string const& line : lines_)
      if (line.find(text) != std::string::npos) return true;
    return false;
  }
  void front(Raw& out, Stuck const& s) const {
    for (std::size_t i = 1; i < out.places.size(); ++i)
      if (out.places[i].rank == s.rank && out.places[i].stack == s.stack)
        std::swap(out.places[0], out.places[i]);
  }

  std::string rule(Raw& out) const {
    if (said("blocks wait for room on the GPU")) {
      out.message =
          "blocks that would end the wait have not started: the grid is larger than the GPU holds at once";
      return "grid-not-coresident";
    }
    // Threads of one block at different places.
    for (Stuck const& s : stuck_)
      if (s.kind == emu::TraceKind::kBlockBarrier || s.kind == emu::TraceKind::kWarpMeet) {
        bool alone = true, elsewhere = false;
        for (Stuck const& o : stuck_)
          if (o.rank == s.rank && o.grid == s.grid && o.block == s.block) {
            // The one that acts for a group waits elsewhere by right.
            elsewhere = elsewhere || (o.kind == emu::TraceKind::kBlockBarrier && o.stack != s.stack);
            alone = alone && (o.kind == s.kind);
          }
        if (alone || elsewhere) {
          front(out, s);
          out.message =
              fmt::format("threads of block {} of rank {} wait for others of the block that do not come",
                          s.block,
                          s.rank);
          return "barrier-divergent";
        }
      }
    // A circle of flags has somebody polling in every rank; else one has been left behind. A loop without a
    // flag ends never.
    std::set<int> polling;
    Stuck const* poll = nullptr;
    for (Stuck const& s : stuck_)
      if (s.kind == emu::TraceKind::kPoll) {
        polling.insert(s.rank);
        if (poll == nullptr || s.key == 0) poll = &s;
      }
    if (poll != nullptr && (poll->key == 0 || polling.size() < static_cast<std::size_t>(trace_.ranks))) {
      front(out, *poll);
      out.message = fmt::format("rank {} looks at a flag that nobody changes any more", poll->rank);
      return "livelock";
    }
    if (std::string const host = host_blocked(); !host.empty()) {
      out.message = host;
      return "host-deadlock";
    }
    for (Stuck const& s : stuck_) {
      if (s.kind != emu::TraceKind::kAcquire) continue;
      int most = 0, least = 1 << 30;
      for (auto const& [key, count] : replay_.arrivals())
        if (key.second == s.key) {
          most = std::max(most, count);
          least = std::min(least, count);
        }
      if (most != least || missing_rank()) {
        front(out, s);
        out.message =
            fmt::format("LSA barrier {}: the ranks have arrived {} to {} times", s.key, least, most);
        return "barrier-uneven";
      }
    }
    if (Wait const* look = uncertain_look(); look != nullptr) {
      out.places.insert(
          out.places.begin(),
          {look->rank,
           look->stack,
           fmt::format("rank {} read {} here as the start of its count", look->rank, look->least)});
      out.message = fmt::format(
          "rank {} started its count from a value of the signal that depends on who is faster", look->rank);
      return "signal-baseline";
    }
    for (Stuck const& s : stuck_) {
      if (s.kind != emu::TraceKind::kSignalWait) continue;
      auto const& sent = replay_.contributions(s.key);
      bool const internal = !sent.empty() && replay_.puts()[sent[0].put].internal;
      if (internal) {
        front(out, s);
        if (!missing_rank()) continue;
        out.message = "ranks have passed a barrier over the network different numbers of times";
        return "barrier-uneven";
      }
      if (sent.empty() && unheard(s.rank)) {
        front(out, s);
        out.message = fmt::format(
            "rank {} waits for a signal that nobody sends; signals that it does not wait for have arrived",
            s.rank);
        return "signal-wrong-id";
      }
      if (!sent.empty() && nobody_else_blocked(s)) {
        front(out, s);
        out.message = fmt::format("rank {} waits for a signal of at least {}, but only {} will arrive",
                                  s.rank,
                                  s.least,
                                  sum(s.key));
        return "signal-threshold-high";
      }
    }
    out.message = "everybody waits for somebody";
    return "deadlock";
  }
  /// A rank has no kernel running although others wait in theirs.
  bool missing_rank() const {
    for (int r = 0; r < trace_.ranks; ++r)
      if (!replay_.has_running_kernel(r)) return true;
    return false;
  }
  /// A rank whose device is idle while its host waits, and others wait in kernels.
  std::string host_blocked() const {
    if (stuck_.empty()) return {};
    for (int r = 0; r < trace_.ranks; ++r) {
      if (replay_.has_running_kernel(r) || !owes_a_kernel(r)) continue;
      std::string const prefix = fmt::format("rank {}: host waits in ", r);
      for (std::string const& line : lines_) {
        std::size_t const at = line.find(prefix);
        if (at == std::string::npos) continue;
        std::string const call = line.substr(at + prefix.size());
        if (call.starts_with("MPI_Finalize") || call.starts_with("exit")) continue;
        return fmt::format(
            "the host of rank {} waits in {} while kernels of other ranks wait for its next one", r, call);
      }
    }
    // A call that synchronises by the way, while the own kernel waits for what no kernel has sent yet.
    for (Stuck const& s : stuck_) {
      if (s.kind != emu::TraceKind::kSignalWait || !replay_.contributions(s.key).empty()) continue;
      for (char const* call : {"cudaFree",
                               "cudaMalloc",

                               "cudaHost",
                               "ncclMem",
                               "ncclComm",
                               "ncclDevComm"})
        if (said(fmt::format("rank {}: host waits in {}", s.rank, call)))
          return fmt::format(
              "the host of rank {} waits in {} for a kernel that waits for one the host has not launched yet",
              s.rank,
              call);
    }
    return {};
  }
  /// The rank has launched fewer of the kernels in which others wait than they have.
  bool owes_a_kernel(int rank) const {
    auto const launches = [&](int r, std::string const& name, std::uint64_t up_to) {
      int n = 0;
      for (auto const& [grid, kernel] : trace_.kernels[static_cast<std::size_t>(r)])
        if (grid <= up_to && kernel.name == name) ++n;
      return n;
    };
    for (Stuck const& s : stuck_) {
      std::string const name = names_.kernel(s.rank, s.grid);
      if (s.rank != rank && launches(rank, name, ~std::uint64_t{0}) < launches(s.rank, name, s.grid))
        return true;
    }
    return false;
  }
  /// Signals have come to the rank that it never waits for.
  bool unheard(int rank) const {
    std::set<std::uint64_t> waited;
    for (Wait const& w : replay_.waits())
      if (w.rank == rank) waited.insert(w.key);
    for (Stuck const& s : stuck_)
      if (s.rank == rank) waited.insert(s.key);
    for (Put const& p : replay_.puts())
      if (p.target == rank && p.signal != 0 && !p.internal && !waited.contains(p.signal)) return true;
    return false;
  }
  /// A stuck wait for a signal that its block looked at before, when arrivals were under way.
  Wait const* uncertain_look() const {
    for (Stuck const& s : stuck_) {
      if (s.kind != emu::TraceKind::kSignalWait) continue;
      auto const& waits = replay_.waits();
      for (auto it = waits.rbegin(); it != waits.rend(); ++it) {
        if (it->rank != s.rank || it->grid != s.grid || it->key != s.key || it->instant.block != s.block)
          continue;
        if (it->read && it->uncertain) return &*it;
        if (!it->read) break;
      }
    }
    return nullptr;
  }
  /// Whoever could still send waits for a signal too, with nothing outstanding: no other kind of wait
  /// explains it.
  bool nobody_else_blocked(Stuck const& mine) const {
    for (Stuck const& s : stuck_)
      if (s.kind == emu::TraceKind::kSignalWait && s.rank != mine.rank &&
          replay_.contributions(s.key).empty())
        return false;
    return true;
  }

  Trace const& trace_;
  Replay const& replay_;
  Classifier const& names_;
  std::vector<std::string> const& lines_;
  std::vector<Stuck> stuck_;
};

}  // namespace cuco::checking
