// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Names what a replay found: which rule each conflict breaks, and where.

#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cuco/check/impl/replay.hpp"

namespace cuco::checking {

/// A defect before its lines are known.
struct Raw {
  struct Place {
    int rank = 0;
    std::uint32_t stack = 0;
    std::string what{};
  };
  std::string rule{};
  std::string message{};
  std::vector<Place> places{};
  std::set<int> ranks{};
};

class Classifier {
 public:
  /// @param ordered  the replay in which everything orders fully: a conflict that is not in it is one of
  /// memory order.
  Classifier(Trace const& trace, Replay const& found, Replay const& ordered) : trace_(trace), found_(found) {
    for (Conflict const& c : ordered.conflicts()) ordered_.insert(pair_of(ordered, c));
  }

  [[nodiscard]] std::vector<Raw> all() const {
    std::vector<Raw> out;
    std::set<std::uint64_t> in_conflict;
    for (Conflict const& c : found_.conflicts())
      if (!c.uninitialized) {
        in_conflict.insert(site(found_, c.first));
        in_conflict.insert(site(found_, c.second));
      }
    // Those between ranks first, and those whose second access is the program's own: they tell more.
    std::vector<Conflict const*> sorted;
    for (int const weight : {3, 2, 1, 0})
      for (Conflict const& c : found_.conflicts())
        if ((!c.uninitialized && several_ranks(c) ? 2 : 0) + (c.second.put == 0 ? 1 : 0) == weight)
          sorted.push_back(&c);
    for (Conflict const* const pointer : sorted) {
      Conflict const& c = *pointer;
      // Bytes that somebody writes without an order are not missing, but late.
      if (c.uninitialized && in_conflict.contains(site(found_, c.second))) continue;
      out.push_back(one(c));
    }
    for (ResetRace const& r : found_.reset_races()) {
      Put const& p = found_.puts()[std::min<std::size_t>(r.put, found_.puts().size() - 1)];
      out.push_back(
          {"signal-reset-race",
           fmt::format("rank {} resets a signal that rank {} may add to before or after", r.rank, p.rank),
           {{r.rank, r.stack, fmt::format("reset by rank {}", r.rank)},
            {p.rank, p.stack, fmt::format("signal sent by rank {}", p.rank)}},
           {r.rank, p.rank}});
    }
    baselines(out);
    if (!found_.crowded().empty()) {
      Fatal const& w = found_.crowded()[0];
      std::uint64_t const grid = found_.grid_of(w.instant.actor);
      out.push_back(
          {"grid-not-coresident",
           fmt::format(
               "blocks of kernel {} wait for others, but not all of its blocks fit on the GPU at once",
               kernel(w.rank, grid)),
           {{w.rank, w.stack, fmt::format("block {} of rank {} waits", w.instant.block, w.rank)}},
           {w.rank}});
    }
    return out;
  }
  /// Why the results of a run without other defects are wrong: empty when nothing explains it.
  [[nodiscard]] std::vector<Raw> of_wrong_results() const {
    std::vector<Raw> out;
    // A kernel's read says more than the copy of its result.
    Conflict const* best = nullptr;
    for (Conflict const& c : found_.unwritten())
      if (best == nullptr ||
          (found_.grid_of(best->second.instant.actor) == 0 && found_.grid_of(c.second.instant.actor) != 0))
        best = &c;
    if (best != nullptr) out.push_back(one(*best));
    return out;
  }
  [[nodiscard]] std::string kernel(int rank, std::uint64_t grid) const {
    auto const r = static_cast<std::size_t>(rank);
    if (grid == 0 || r >= trace_.kernels.size()) return {};
    auto const it = trace_.kernels[r].find(grid);
    return it == trace_.kernels[r].end() ? std::string() : it->second.name;
  }

 private:
  bool several_ranks(Conflict const& c) const {
    std::set<int> ranks{lane(c.first).rank, lane(c.second).rank};
    for (Access const* a : {&c.first, &c.second})
      if (a->put != 0) ranks.insert(put(*a).target);
    return ranks.size() > 1;
  }
  LaneInfo const& lane(Access const& a) const { return found_.lanes()[a.instant.actor.lane]; }
  static std::uint64_t site(Replay const& r, Access const& a) {
    LaneInfo const& l = r.lanes()[a.instant.actor.lane];
    return emu::trace_key(static_cast<std::uint64_t>(l.rank), a.stack, a.put != 0 ? 1 : 0);
  }
  static std::pair<std::uint64_t, std::uint64_t> pair_of(Replay const& r, Conflict const& c) {
    std::uint64_t const a = site(r, c.first), b = site(r, c.second);
    return {std::min(a, b), std::max(a, b)};
  }
  static bool network(LaneInfo const& l) {
    return l.kind == LaneInfo::kSourceRead || l.kind == LaneInfo::kDelivery;
  }
  Put const& put(Access const& a) const { return found_.puts()[a.put - 1]; }

  std::string who(Access const& a) const {
    LaneInfo const& l = lane(a);
    if (l.kind == LaneInfo::kDelivery)
      return fmt::format("delivery of a put from rank {} to rank {}", put(a).rank, put(a).target);
    if (l.kind == LaneInfo::kSourceRead)
      return fmt::format(
          "the network reads the source of a put from rank {} to rank {}", put(a).rank, put(a).target);
    std::string const verb = a.kind == AccessKind::kRead    ? "read"
                             : a.kind == AccessKind::kWrite ? "write"
                                                            : "atomic access";
    if (l.kind == LaneInfo::kHost) return fmt::format("{} by the host of rank {}", verb, l.rank);
    std::uint64_t const grid = found_.grid_of(a.instant.actor);
    if (grid == 0) return fmt::format("{} by a copy, memset or collective of rank {}", verb, l.rank);
    return fmt::format("{} by rank {}, kernel {} (launch {}), block {}, thread {}",
                       verb,
                       l.rank,
                       kernel(l.rank, grid),
                       grid,
                       a.instant.block,
                       a.instant.thread);
  }
  Raw::Place place(Access const& a) const { return {lane(a).rank, a.stack, who(a)}; }
  static std::string bytes_of(std::uint64_t address) {
    auto const space = static_cast<emu::TraceSpace>(address >> 56U);
    auto const rank = static_cast<unsigned>(address >> 48U & 0xffU);
    return space == emu::TraceSpace::kShared    ? "shared memory"
           : space == emu::TraceSpace::kProgram ? fmt::format("a variable of rank {}", rank)
                                                : fmt::format("device memory of rank {}", rank);
  }

  Raw one(Conflict const& c) const {
    Raw out;
    out.places = {place(c.second)};
    out.ranks = {lane(c.second).rank};
    if (c.uninitialized) {
      out.rule = "uninitialized-read";
      out.message = fmt::format("{} of {} that nobody has written", who(c.second), bytes_of(c.address));
      return out;
    }
    out.places.push_back(place(c.first));
    out.ranks.insert(lane(c.first).rank);
    for (Access const* a : {&c.first, &c.second})
      if (a->put != 0) out.ranks.insert(put(*a).target);
    bool const first_network = network(lane(c.first)), second_network = network(lane(c.second));
    if (first_network || second_network) {
      out.rule = of_network(c, out);
    } else {
      out.rule = lane(c.first).rank == lane(c.second).rank ? "data-race" : "window-race";
    }
    if (!ordered_.contains(pair_of(found_, c))) out.rule = "weak-order";
    if (out.message.empty())
      out.message = fmt::format("{} and {}, in {}, are not ordered{}",
                                who(c.second),
                                who(c.first),
                                bytes_of(c.address),
                                out.rule == "weak-order" ? " by operations that are strong enough" : "");
    return out;
  }

  // Conflicts in which the network takes part

  std::string of_network(Conflict const& c, Raw& out) const {
    LaneInfo const &l1 = lane(c.first), &l2 = lane(c.second);
    bool const both = network(l1) && network(l2);
    if (both) return two_puts(c, out);
    bool const put_first = network(l1);
    Access const& net = put_first ? c.first : c.second;
    Access const& other = put_first ? c.second : c.first;
    // The line that an engineer would change: the access that comes too early, or the write that does.
    out.places = {place(other), place(net)};
    Put const& p = put(net);
    if (lane(net).kind == LaneInfo::kSourceRead) {
      bool const after = put_first && (c.known.knows(p.poster) || other.instant.same_thread(p.poster));
      out.message =
          after ? fmt::format("{} while the put that sends these bytes may still read them", who(other))
                : fmt::format(
                      "a put of rank {} reads its source without an order after the {}", p.rank, who(other));
      if (!after) std::swap(out.places[0], out.places[1]);
      return after ? "source-reuse" : "unready-source";
    }
    if (other.kind == AccessKind::kWrite || overtakes(p, other, put_first)) {
      out.message = fmt::format(
          "a put of rank {} lands in bytes that rank {} still uses: {}", p.rank, p.target, who(other));
      std::swap(out.places[0], out.places[1]);
      return "early-overwrite";
    }
    out.message = fmt::format("{} may come before the put of rank {} has arrived", who(other), p.rank);
    return of_missing_wait(p, other, put_first ? &c.known : nullptr, out);
  }
  std::string two_puts(Conflict const& c, Raw& out) const {
    Access const& delivery = lane(c.first).kind == LaneInfo::kDelivery ? c.first : c.second;
    Access const& other = &delivery == &c.first ? c.second : c.first;
    Put const& p = put(delivery);
    Put const& q = put(other);
    if (lane(other).kind == LaneInfo::kSourceRead) {
      // What has been received is sent on.
      Access as_read = other;
      as_read.instant = q.poster;
      if (!overtakes(p, as_read, &delivery == &c.first)) {
        out.places = {place(other), place(delivery)};
        out.message = fmt::format(
            "rank {} sends on bytes that a put of rank {} may not have delivered yet", q.rank, p.rank);
        return of_missing_wait(p, as_read, q.posted.get(), out);
      }
    }
    out.places = {place(c.second), place(c.first)};
    out.message = fmt::format(
        "puts of ranks {} and {} touch the same bytes of rank {} in no order", p.rank, q.rank, p.target);
    return "early-overwrite";
  }
  /// Is the put one of a later round than the access to its target?
  bool overtakes(Put const& p, Access const& other, bool put_first) const {
    std::uint64_t const grid = found_.grid_of(other.instant.actor);
    // Where all ranks launch the same kernels, numbers tell rounds apart.
    std::uint64_t const last = grid != 0 ? grid : found_.grid_before(other.instant.actor);
    if (last == 0 || kernel(p.rank, last) != kernel(p.target, last)) {
      if (p.grid != grid) return !put_first;
    } else if (p.grid != grid) {
      return p.grid > last;
    }
    // One kernel with rounds inside: the bytes that are in use came with an earlier put, which has been
    // awaited, and this one is awaited later.
    bool later = false, earlier = false;
    for (Wait const& w : found_.waits()) {
      if (w.rank != p.target || w.grid != grid) continue;
      if (!later && covers(w, p) && w.after && w.after->knows(other.instant)) later = true;
      if (!earlier && not_after(w.instant, other.instant)) earlier = covers_older(w, p);
    }
    return later && earlier;
  }
  /// Of one block: the wait is not behind the access.
  static bool not_after(Instant const& wait, Instant const& access) {
    return wait.actor == access.actor && wait.block == access.block &&
           std::make_pair(wait.phase, wait.step) <= std::make_pair(access.phase, access.step);
  }
  /// The wait covers an earlier put into the same bytes.
  [[nodiscard]] bool covers_older(Wait const& w, Put const& p) const {
    for (std::uint32_t const i : w.sure) {
      if (i >= found_.puts().size()) continue;
      Put const& q = found_.puts()[i];
      if (q.target == p.target && q.grid == p.grid && q.bytes > 0 &&
          (q.rank != p.rank || q.index < p.index) && q.destination < p.destination + p.bytes &&
          p.destination < q.destination + q.bytes)
        return true;
    }
    return false;
  }
  [[nodiscard]] bool covers(Wait const& w, Put const& p) const {
    for (std::uint32_t const i : w.sure)
      if (i < found_.puts().size() && found_.puts()[i].queue == p.queue && found_.puts()[i].index >= p.index)
        return true;
    return false;
  }
  std::string of_missing_wait(Put const& p, Access const& reader, VectorClock const* known, Raw& out) const {
    // The signal that would tell: of the put, or of a later one in its queue.
    std::uint64_t covering = 0;
    for (Put const& q : found_.puts())
      if (q.queue == p.queue && q.index >= p.index && q.signal != 0 && !q.internal &&
          q.index < p.index + 64) {
        covering = q.signal;
        break;
      }
    std::uint64_t const grid = found_.grid_of(reader.instant.actor);
    bool useless_wait = false;
    Wait const* on_signal = nullptr;
    for (Wait const& w : found_.waits()) {
      if (w.rank != p.target || internal_key(w.key) || (w.read && w.redundant)) continue;
      // A copy, or a kernel that only consumes, comes after waits of other kernels.
      bool const here = w.grid == grid && grid != 0;
      if (!here && (grid != 0 && kernel(p.target, grid) == kernel(p.rank, p.grid))) continue;
      if (!here && w.grid < p.grid) continue;
      bool const before = (w.instant.same_thread(reader.instant) && not_after(w.instant, reader.instant)) ||
                          (known != nullptr && known->knows(w.instant));
      if (!before) continue;
      if (w.key == covering && covering != 0)
        on_signal = &w;
      else
        useless_wait = useless_wait || w.redundant;
    }
    if (on_signal != nullptr) {
      out.places.insert(
          out.places.begin() + 1,
          {on_signal->rank,
           on_signal->stack,
           fmt::format("the wait before it asks for a value of at least {}", on_signal->least)});
      if (on_signal->early) {
        out.message += "; the wait was satisfied by arrivals of earlier rounds";
        std::swap(out.places[0], out.places[1]);
        return "signal-baseline";
      }
      out.message += "; the wait before it can end without this put";
      std::swap(out.places[0], out.places[1]);
      return "signal-threshold-low";
    }
    if (useless_wait && covering != 0) {
      out.message +=
          "; a wait before it is for a signal whose arrivals had all been awaited: another id or context "
          "than the put's";
      return "signal-wrong-id";
    }
    if (p.rank != p.target && known != nullptr && known->completed(p.read.lane) >= p.index) {
      out.message += "; all that is known is that its source has been read";
      return "flush-is-not-delivery";
    }
    return "unawaited-data";
  }
  [[nodiscard]] bool internal_key(std::uint64_t key) const {
    auto const& all = found_.contributions(key);
    return !all.empty() && all[0].put < found_.puts().size() && found_.puts()[all[0].put].internal;
  }

  /// Looks at a signal whose value depends on the schedule, taken as the start of a count.
  void baselines(std::vector<Raw>& out) const {
    std::set<std::uint64_t> told;
    std::vector<Wait> const& waits = found_.waits();
    for (std::size_t i = 0; i < waits.size(); ++i) {
      Wait const& w = waits[i];
      if (w.read || internal_key(w.key)) continue;
      for (std::size_t k = i; k-- > 0;) {
        Wait const& look = waits[k];
        if (look.rank != w.rank || look.grid != w.grid || look.key != w.key ||
            look.instant.block != w.instant.block)
          continue;
        if (!look.read) break;
        if (look.uncertain && w.least > look.least &&
            told.insert(emu::trace_key(static_cast<std::uint64_t>(look.rank), look.stack, w.stack)).second) {
          out.push_back(
              {"signal-baseline",
               fmt::format(
                   "rank {} reads the signal as the start of its count when peers may have signalled already",
                   look.rank),
               {{look.rank, look.stack, fmt::format("read by rank {}: {} this time", look.rank, look.least)},
                {w.rank, w.stack, fmt::format("the wait that counts from it: at least {}", w.least)}},
               {look.rank}});
        }
        break;
      }
    }
  }

  Trace const& trace_;
  Replay const& found_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> ordered_;
};

}  // namespace cuco::checking
