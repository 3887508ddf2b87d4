// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an observer knows to have happened before: a vector clock over everything that touches memory.
///
/// Actors are numbered (rank, lane, position). A lane is what executes its positions one after the other: a stream with
/// its operations, the host thread between two synchronisations, a queue of the network with its puts. Knowing a
/// position of a lane means knowing all earlier ones. A kernel that is running is one position with an inside: blocks,
/// whose threads have phases (block barriers passed) and steps (what the thread itself published since). A block
/// barrier makes all threads of the block know each other's phase, so one number per block says most of it; what single
/// threads published in between is kept beside it.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

namespace cuco::emu::impl {

/// A position of a lane of a rank.
struct Actor {
  std::uint32_t rank : 6, lane : 8, position : 18;

  [[nodiscard]] std::uint32_t lane_key() const { return rank << 8 | lane; }
  bool operator==(Actor const&) const = default;
};
static_assert(sizeof(Actor) == 4);

/// An instant of an actor. For actors without an inside, block, thread, phase and step are 0.
struct Instant {
  Actor actor;
  std::uint32_t block = 0;
  std::uint16_t thread = 0;
  std::uint16_t phase = 0;
  std::uint16_t step = 0;
};

class VectorClock {
 public:
  /// The last position of a lane that is known to be complete; -1: none.
  [[nodiscard]] std::int32_t completed(std::uint32_t lane_key) const {
    auto const at = lanes_.find(lane_key);
    return at == lanes_.end() ? -1 : at->second;
  }

  void learn_completed(Actor a) {
    auto& at = lanes_.try_emplace(a.lane_key(), -1).first->second;
    at = std::max(at, static_cast<std::int32_t>(a.position));
    forget_inside(a.lane_key(), at);
  }
  /// Everything before `phase` of all threads of a block.
  void learn_phase(Actor a, std::uint32_t block, std::uint16_t phase) {
    if (completed(a.lane_key()) >= static_cast<std::int32_t>(a.position)) return;
    Inside& in = inside_[key(a, block)];
    in.phase = std::max(in.phase, phase);
    std::erase_if(in.threads, [&](auto const& t) { return phase_of(t.second) < in.phase; });
  }
  /// Everything that one thread did before its step.
  void learn_step(Instant const& i) {
    if (knows_before(i)) return;
    auto& at = inside_[key(i.actor, i.block)].threads[i.thread];
    at = std::max(at, time_of(i));
  }

  /// Whether what happened at `i` is known. A thread's accesses carry its present phase and step; they are covered by
  /// a later phase of the block, or a later step of the thread.
  [[nodiscard]] bool knows(Instant const& i) const {
    if (completed(i.actor.lane_key()) >= static_cast<std::int32_t>(i.actor.position)) return true;
    auto const at = inside_.find(key(i.actor, i.block));
    if (at == inside_.end()) return false;
    if (at->second.phase > i.phase) return true;
    auto const thread = at->second.threads.find(i.thread);
    return thread != at->second.threads.end() && thread->second > time_of(i);
  }

  void join(VectorClock const& other) {
    if (&other == this) return;
    for (auto const& [lane, position] : other.lanes_) {
      auto& at = lanes_.try_emplace(lane, -1).first->second;
      if (position <= at) continue;
      at = position;
      forget_inside(lane, position);
    }
    for (auto const& [k, in] : other.inside_) {
      if (completed(k.lane) >= k.position) continue;
      Inside& mine = inside_[k];
      mine.phase = std::max(mine.phase, in.phase);
      for (auto const& [thread, time] : in.threads) {
        auto& at = mine.threads[thread];
        at = std::max(at, time);
      }
      std::erase_if(mine.threads, [&](auto const& t) { return phase_of(t.second) < mine.phase; });
    }
  }

  bool operator==(VectorClock const& other) const {
    return lanes_ == other.lanes_ && inside_ == other.inside_;
  }

  /// As words, for memory that ranks share.
  [[nodiscard]] std::vector<std::uint32_t> words() const {
    std::vector<std::uint32_t> out{static_cast<std::uint32_t>(lanes_.size()),
                                   static_cast<std::uint32_t>(inside_.size())};
    for (auto const& [lane, position] : lanes_) {
      out.push_back(lane);
      out.push_back(static_cast<std::uint32_t>(position));
    }
    for (auto const& [k, in] : inside_) {
      out.push_back(k.lane);
      out.push_back(static_cast<std::uint32_t>(k.position));
      out.push_back(k.block);
      out.push_back(static_cast<std::uint32_t>(in.phase) << 16 | static_cast<std::uint32_t>(in.threads.size()));
      for (auto const& [thread, time] : in.threads) {
        out.push_back(thread);
        out.push_back(time);
      }
    }
    return out;
  }
  static VectorClock of(std::uint32_t const* w) {
    VectorClock out;
    std::uint32_t const lanes = *w++, insides = *w++;
    for (std::uint32_t i = 0; i < lanes; ++i, w += 2)
      out.lanes_.emplace_hint(out.lanes_.end(), w[0], static_cast<std::int32_t>(w[1]));
    for (std::uint32_t i = 0; i < insides; ++i) {
      Key const k{w[0], static_cast<std::int32_t>(w[1]), w[2]};
      Inside& in = out.inside_[k];
      in.phase = static_cast<std::uint16_t>(w[3] >> 16);
      std::uint32_t const threads = w[3] & 0xffffu;
      w += 4;
      for (std::uint32_t t = 0; t < threads; ++t, w += 2)
        in.threads.emplace_hint(in.threads.end(), static_cast<std::uint16_t>(w[0]), w[1]);
    }
    return out;
  }

 private:
  struct Key {
    std::uint32_t lane;
    std::int32_t position;
    std::uint32_t block;
    auto operator<=>(Key const&) const = default;
  };
  struct Inside {
    std::uint16_t phase = 0;
    std::map<std::uint16_t, std::uint32_t> threads{};  ///< Thread -> phase << 16 | step, both exclusive.
    bool operator==(Inside const&) const = default;
  };
  static Key key(Actor a, std::uint32_t block) {
    return {a.lane_key(), static_cast<std::int32_t>(a.position), block};
  }
  static std::uint32_t time_of(Instant const& i) { return std::uint32_t{i.phase} << 16 | i.step; }
  static std::uint32_t phase_of(std::uint32_t time) { return time >> 16; }
  /// Whether everything of the thread before the instant is known already.
  [[nodiscard]] bool knows_before(Instant const& i) const {
    if (completed(i.actor.lane_key()) >= static_cast<std::int32_t>(i.actor.position)) return true;
    auto const at = inside_.find(key(i.actor, i.block));
    if (at == inside_.end()) return false;
    if (at->second.phase > i.phase) return true;
    auto const thread = at->second.threads.find(i.thread);
    return thread != at->second.threads.end() && thread->second >= time_of(i);
  }
  void forget_inside(std::uint32_t lane, std::int32_t position) {
    auto const first = inside_.lower_bound(Key{lane, -1, 0});
    auto const last = inside_.upper_bound(Key{lane, position, 0xffffffffu});
    inside_.erase(first, last);
  }

  std::map<std::uint32_t, std::int32_t> lanes_{};  ///< Lane -> last complete position.
  std::map<Key, Inside> inside_{};                 ///< Of kernels that may still run.
};

}  // namespace cuco::emu::impl
