// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "cuco/check/soundness_rule.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE std::span<SoundnessRule const> soundness_rules() {
  static constexpr std::array rules = {
      SoundnessRule{"data-race",
                    "two threads, streams or the host of one rank touch the same bytes in no order, and one "
                    "of them writes",
                    "Which of them comes first depends on how blocks and streams are scheduled.",
                    "Order them: __syncthreads inside a block, a flag with release and acquire between "
                    "blocks, an event "
                    "or the same stream between kernels, a synchronisation before the host looks."},
      SoundnessRule{"window-race",
                    "loads and stores of two ranks touch the same bytes of a window in no order, and one of "
                    "them writes",
                    "A peer may be a whole iteration ahead or behind; that the values were right says only "
                    "that it was not "
                    "this time.",
                    "Put a barrier (or a flag with release and acquire) between the write and the peer's "
                    "access, also before "
                    "the next iteration overwrites what a peer still reads."},
      SoundnessRule{
          "weak-order",
          "the synchronisation is there, but its memory order or scope is too weak for what depends on it",
          "A relaxed barrier or flag says that somebody arrived, not that his writes are visible. Hardware "
          "shows "
          "the old bytes rarely, and then only under load.",
          "Use acq_rel between two phases of one kernel, release (or a fence of system scope) before a flag "
          "that "
          "another GPU reads, acquire (or a fence) after reading it."},
      SoundnessRule{
          "uninitialized-read",
          "a kernel reads bytes that nobody has written",
          "The values are whatever the memory held before; zeros on a fresh GPU, another job's data later.",
          "Write them first: check offsets, counts and which slot belongs to whom."},
      SoundnessRule{"unawaited-data",
                    "data that a put delivers is used without waiting for its arrival",
                    "A put lands at any time until its signal is seen. With constant inputs the last "
                    "iteration's bytes even "
                    "look right.",
                    "Wait for a signal that the put itself, or a later put of the same context to the same "
                    "rank, carries."},
      SoundnessRule{"flush-is-not-delivery",
                    "the sender's flush or counter is taken for arrival at the receiver",
                    "flush and counters say that the source may be written again, nothing more.",
                    "Send a signal with the put and let the receiver wait for it."},
      SoundnessRule{"source-reuse",
                    "the source of a put is overwritten before the put has read it",
                    "The network reads the source at any time until flush returns or the counter counts.",
                    "flush the context, or wait for the put's counter, before writing the source again."},
      SoundnessRule{"unready-source",
                    "a put is posted before its source has been written, or without an order after the write",
                    "The network may read before the writing thread, block or stream has got there.",
                    "Synchronise the writers with the thread that posts: __syncthreads, a flag, an event."},
      SoundnessRule{
          "early-overwrite",
          "a put lands in bytes that the receiver has not finished using",
          "The sender is ahead: it does not know that the receiver is done with what it sent before.",
          "Let the receiver tell: a barrier at the end, a credit signal, or two buffers in turn."},
      SoundnessRule{"signal-baseline",
                    "the wait starts from a wrong value of the signal",
                    "Signals keep their value over launches. A threshold that ignores what arrived before is "
                    "met at once; a "
                    "baseline that is read when peers may already have signalled asks for too much.",
                    "Read the baseline before the barrier after which peers may signal, or keep a shadow "
                    "that every use "
                    "advances, the warm-up too."},
      SoundnessRule{"signal-threshold-low",
                    "the wait ends before all that it is for has arrived",
                    "Fewer arrivals than senders are enough for it; which of them came is chance.",
                    "Wait for the baseline plus everything that all senders add in this round."},
      SoundnessRule{"signal-threshold-high",
                    "the wait asks for more than will ever arrive",
                    "It hangs, at once or in the round in which the surplus of earlier rounds is used up.",
                    "Count what the senders add: one per SignalInc, the value per SignalAdd, your own puts "
                    "to yourself too."},
      SoundnessRule{
          "signal-wrong-id",
          "the wait is for another signal or context than the one the put uses",
          "A signal says nothing about puts of another context, and another id counts something else.",
          "Use the same ncclGin context and the same id on both sides."},
      SoundnessRule{"signal-id-range",
                    "a signal or counter id is beyond what was requested",
                    "It aliases somebody else's signal or memory.",
                    "Raise ginSignalCount or ginCounterCount, or fix the id."},
      SoundnessRule{"signal-reset-race",
                    "a signal is reset while arrivals may be on their way",
                    "What arrives before the reset is lost, what arrives after counts for the next round.",
                    "Reset only when every sender is known to have been heard and to wait, or do not reset: "
                    "use baselines."},
      SoundnessRule{"signal-mixed-kinds",
                    "SignalInc and SignalAdd are used on one signal without a reset",
                    "NCCL keeps them in different ways; the sum is undefined.",
                    "Use one of them per signal."},
      SoundnessRule{"barrier-shared-index",
                    "two live sessions of a rank use one barrier index",
                    "They take each other's arrivals.",
                    "Give every block that is in a barrier its own index, blockIdx.x for example."},
      SoundnessRule{"barrier-index-range",
                    "a barrier index is beyond what was requested",
                    "Its flags lie in somebody else's memory.",
                    "Raise barrierCount, lsaBarrierCount or railGinBarrierCount."},
      SoundnessRule{"barrier-uneven",
                    "ranks pass a barrier different numbers of times",
                    "The one that comes once more waits for ever, or meets the others one round late.",
                    "Make the number of calls the same on all ranks, whatever their data."},
      SoundnessRule{
          "barrier-divergent",
          "not all threads of the group make a call that all of them must make",
          "Barriers, waits and flushes of a cooperative group meet inside; who is missing is waited for.",
          "Take the call out of the branch or loop that only some threads execute."},
      SoundnessRule{"grid-not-coresident",
                    "the grid is larger than the GPU can hold at once, although its blocks wait for each "
                    "other or for peers",
                    "Blocks that wait keep their place; those that they wait for never start.",
                    "Launch no more blocks than fit (occupancy times SMs), and loop."},
      SoundnessRule{"window-bounds",
                    "an access, a put or a barrier is outside of its window",
                    "It overwrites what lies behind, on another GPU.",
                    "Check offset plus size against the registered size, on the target's side too."},
      SoundnessRule{"out-of-bounds",
                    "an access is outside of an allocation, or to memory that was freed",
                    "It reads or overwrites something else.",
                    "Check indices, sizes, and when the memory is freed."},
      SoundnessRule{"peer-outside-team",
                    "a peer is no member of the team it is addressed in",
                    "Ranks of the LSA team, the rail and the world are numbered differently.",
                    "Convert with ncclTeamRankToWorld or ncclTeamRankToLsa, and keep to the team's size."},
      SoundnessRule{"unregistered-buffer",
                    "communication with memory that is not registered as a window, or no longer",
                    "Peers and the network know registered memory only.",
                    "Allocate with ncclMemAlloc, register collectively, deregister after the last kernel."},
      SoundnessRule{"host-deadlock",
                    "the host waits, or calls what synchronises the device, before it has launched what a "
                    "peer's kernel waits for",
                    "A kernel that communicates needs its counterparts running; a synchronising call in "
                    "between hangs when "
                    "the timing is bad.",
                    "Launch on all ranks first. Allocate, free and copy before the kernels that wait for "
                    "peers, or after."},
      SoundnessRule{"deadlock",
                    "everybody waits for somebody",
                    "The waits form a circle.",
                    "Send before waiting, or break the circle in one place."},
      SoundnessRule{"livelock",
                    "threads look at a flag that nobody will change",
                    "It is another address, or its writer waits for these threads.",
                    "Check which flag is written, by whom, and with which value."},
      SoundnessRule{"illegal-use",
                    "a call breaks a rule of CUDA or NCCL",
                    "What it does then is undefined.",
                    "The message names the call and the rule."},
      SoundnessRule{"wrong-result",
                    "the program itself says that its results are wrong",
                    "Under this schedule it computes something else; no unordered access explains it.",
                    "Look at what depends on the number of ranks, on arrival order or on timing."},
  };
  return rules;
}

CUCO_EVOLVE_INLINE SoundnessRule const* find_soundness_rule(std::string_view id) {
  for (SoundnessRule const& rule : soundness_rules())
    if (rule.id == id) return &rule;
  return nullptr;
}

}  // namespace cuco
