// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an observer knows to have happened before: a vector clock over everything that touches memory.
///
/// Actors are positions of lanes. A lane is what executes its positions one after the other: a stream with
/// its operations, the host of a rank between two synchronisations, a queue of the network with its puts.
/// Knowing a position of a lane means knowing all earlier ones. A kernel that is running is one position with
/// an inside: blocks, whose threads have phases (block barriers passed) and steps (what the thread itself
/// published since). A block barrier makes all threads of the block know each other's phase, so one number
/// per block says most of it; what single threads published in between is kept beside it.

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

namespace cuco::checking {

/// A position of a lane. Lanes are numbered over all ranks.
struct Actor {
  std::uint32_t lane = 0;
  std::uint32_t position = 0;
  bool operator==(Actor const&) const = default;
};

/// An instant of an actor. For actors without an inside, block, thread, phase and step are 0.
struct Instant {
  Actor actor{};
  std::uint32_t block = 0;
  std::uint16_t thread = 0;
  std::uint32_t phase = 0;
  std::uint32_t step = 0;
  [[nodiscard]] bool same_thread(Instant const& o) const {
    return actor == o.actor && block == o.block && thread == o.thread;
  }
};

class VectorClock {
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
  static Key key(Actor a, std::uint32_t block) { return {a.lane, a.position, block}; }

 public:
  /// The last position of a lane that is known to be complete; -1: none.
  [[nodiscard]] std::int64_t completed(std::uint32_t lane) const {
    auto const at = std::lower_bound(lanes_.begin(), lanes_.end(), lane, before);
    return at == lanes_.end() || at->lane != lane ? -1 : at->position;
  }

  void learn_completed(Actor a) {
    auto at = std::lower_bound(lanes_.begin(), lanes_.end(), a.lane, before);
    if (at == lanes_.end() || at->lane != a.lane) at = lanes_.insert(at, {a.lane, -1});
    if (at->position >= a.position) return;
    at->position = a.position;
    forget_inside();
  }
  /// Everything before `phase` of all threads of a block.
  void learn_phase(Actor a, std::uint32_t block, std::uint32_t phase) {
    if (completed(a.lane) >= a.position) return;
    Inside& in = inside(a, block);
    in.phase = std::max(in.phase, phase);
    std::erase_if(in.threads, [&](Progress const& t) { return t.time >> 32U < in.phase; });
  }
  /// Everything that one thread did before its step.
  void learn_step(Instant const& i) {
    if (completed(i.actor.lane) >= i.actor.position) return;
    Inside& in = inside(i.actor, i.block);
    if (in.phase <= i.phase) learn(in, {i.thread, time_of(i)});
  }

  /// Whether what happened at `i` is known. A thread's accesses carry its present phase and step; they are
  /// covered by a later phase of the block, or a later step of the thread.
  [[nodiscard]] bool knows(Instant const& i) const {
    if (completed(i.actor.lane) >= i.actor.position) return true;
    Inside const* in = find(i.actor, i.block);
    if (in == nullptr) return false;
    if (in->phase > i.phase) return true;
    auto const t = std::lower_bound(in->threads.begin(), in->threads.end(), i.thread, thread_before);
    return t != in->threads.end() && t->thread == i.thread && t->time > time_of(i);
  }

  void join(VectorClock const& other) {
    if (&other == this) return;
    if (!other.lanes_.empty()) {
      std::vector<Lane> merged;
      merged.reserve(lanes_.size() + other.lanes_.size());
      auto a = lanes_.begin();
      auto b = other.lanes_.begin();
      while (a != lanes_.end() || b != other.lanes_.end()) {
        if (b == other.lanes_.end() || (a != lanes_.end() && a->lane < b->lane)) {
          merged.push_back(*a++);
        } else if (a == lanes_.end() || b->lane < a->lane) {
          merged.push_back(*b++);
        } else {
          merged.push_back({a->lane, std::max(a->position, b->position)});
          ++a, ++b;
        }
      }
      lanes_ = std::move(merged);
      forget_inside();
    }
    if (other.inside_.empty()) return;
    std::vector<Inside> merged;
    merged.reserve(inside_.size() + other.inside_.size());
    auto a = inside_.begin();
    auto b = other.inside_.begin();
    while (a != inside_.end() || b != other.inside_.end()) {
      if (b == other.inside_.end() ||
          (a != inside_.end() && key(a->actor, a->block) < key(b->actor, b->block))) {
        merged.push_back(std::move(*a++));
      } else if (a == inside_.end() || key(b->actor, b->block) < key(a->actor, a->block)) {
        if (completed(b->actor.lane) < b->actor.position) merged.push_back(*b);
        ++b;
      } else {
        Inside in = std::move(*a++);
        in.phase = std::max(in.phase, b->phase);
        for (Progress const& t : b->threads) learn(in, t);
        std::erase_if(in.threads, [&](Progress const& t) { return t.time >> 32U < in.phase; });
        merged.push_back(std::move(in));
        ++b;
      }
    }
    inside_ = std::move(merged);
  }

  /// What a relaxed operation passes on: whatever was complete before the running kernels began.
  [[nodiscard]] VectorClock completed_only() const {
    VectorClock out;
    out.lanes_ = lanes_;
    return out;
  }

  bool operator==(VectorClock const&) const = default;

 private:
  struct Lane {
    std::uint32_t lane;
    std::int64_t position;
    bool operator==(Lane const&) const = default;
  };
  struct Progress {
    std::uint16_t thread;
    std::uint64_t time;  ///< phase << 32 | step, both exclusive.
    bool operator==(Progress const&) const = default;
  };
  struct Inside {
    Actor actor;
    std::uint32_t block;
    std::uint32_t phase = 0;
    std::vector<Progress> threads{};
    bool operator==(Inside const&) const = default;
  };
  static bool before(Lane const& l, std::uint32_t lane) { return l.lane < lane; }
  static bool thread_before(Progress const& p, std::uint16_t thread) { return p.thread < thread; }
  static bool inside_before(Inside const& in, Key const& k) { return key(in.actor, in.block) < k; }
  static std::uint64_t time_of(Instant const& i) { return std::uint64_t{i.phase} << 32U | i.step; }
  static void learn(Inside& in, Progress const& p) {
    auto at = std::lower_bound(in.threads.begin(), in.threads.end(), p.thread, thread_before);
    if (at == in.threads.end() || at->thread != p.thread)
      in.threads.insert(at, p);
    else
      at->time = std::max(at->time, p.time);
  }
  [[nodiscard]] Inside const* find(Actor a, std::uint32_t block) const {
    auto const at = std::lower_bound(inside_.begin(), inside_.end(), key(a, block), inside_before);
    return at == inside_.end() || key(at->actor, at->block) != key(a, block) ? nullptr : &*at;
  }
  Inside& inside(Actor a, std::uint32_t block) {
    auto at = std::lower_bound(inside_.begin(), inside_.end(), key(a, block), inside_before);
    if (at == inside_.end() || key(at->actor, at->block) != key(a, block))
      at = inside_.insert(at, {a, block});
    return *at;
  }
  void forget_inside() {
    std::erase_if(inside_, [&](Inside const& in) { return completed(in.actor.lane) >= in.actor.position; });
  }

  std::vector<Lane> lanes_{};     ///< By lane: the last complete position.
  std::vector<Inside> inside_{};  ///< Of kernels that may still run, by actor and block.
};

}  // namespace cuco::checking
