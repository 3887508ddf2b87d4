// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One-sided operations of a trace, and what a wait for a signal really guarantees.

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "cuco/check/impl/vector_clock.hpp"

namespace cuco::checking {

using Clock = std::shared_ptr<VectorClock const>;

/// A put or a signal.
struct Put {
  int rank = 0, target = 0;
  std::uint64_t number = 0;   ///< Of its rank.
  std::uint64_t context = 0;  ///< Key of device communicator and context.
  std::uint64_t source = 0, destination = 0, bytes = 0;
  std::uint64_t signal = 0, delta = 0, counter = 0;
  bool value = false, internal = false, releases = true;
  std::uint32_t stack = 0;
  std::uint64_t grid = 0;   ///< Of the rank.
  std::uint32_t queue = 0;  ///< Puts of one rank and context to one target.
  std::uint32_t index = 0;  ///< In the queue.
  Actor read{}, written{};  ///< The network's two ends.
  Instant poster{};
  Clock posted{};        ///< What the poster knew.
  bool applied = false;  ///< As far as the trace has been looked at.
};

/// Where a thread waited for a signal or a counter, or read it.
struct Wait {
  int rank = 0;
  std::uint64_t key = 0, least = 0;
  std::uint64_t grid = 0;
  std::uint32_t stack = 0;
  Instant instant{};
  Clock after{};                      ///< What the thread knew then, the wait included.
  bool read = false;                  ///< Not a wait, but a look.
  std::vector<std::uint32_t> sure{};  ///< Puts that have certainly arrived (their indices).
  bool early = false;                 ///< What had arrived before the kernel began was enough.
  bool redundant = false;             ///< Everything it guarantees was known before.
  bool uncertain = false;             ///< Of a look: another schedule could have shown another value.
};

/// A contribution to a signal or counter that a wait could have seen.
struct Contribution {
  std::uint32_t put = 0, queue = 0;
  std::uint64_t delta = 0;
};

/// Of all contributions that may be there when a wait for `least` ends, those without which it cannot end,
/// whatever the order in which the queues deliver. A queue delivers in order.
inline std::vector<std::uint32_t> certain(std::vector<Contribution> const& all, std::uint64_t least) {
  std::map<std::uint32_t, std::vector<Contribution const*>> queues;
  std::uint64_t total = 0;
  for (Contribution const& c : all) {
    queues[c.queue].push_back(&c);
    total += c.delta;
  }
  std::vector<std::uint32_t> out;
  for (auto const& [queue, in_order] : queues) {
    std::uint64_t own = 0;
    for (Contribution const* c : in_order) own += c->delta;
    std::uint64_t const others = total - own;
    if (others >= least) continue;
    std::uint64_t have = 0;
    for (Contribution const* c : in_order) {
      if (others + have >= least) break;
      have += c->delta;
      out.push_back(c->put);
    }
  }
  return out;
}

}  // namespace cuco::checking
