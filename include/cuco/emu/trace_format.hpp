// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an emulated program writes down when CUCO_EMU_TRACE_DIR is set: everything its CUDA threads, streams,
/// puts and host threads touch, and everything that puts these in an order. The checker reads it after the
/// run.
///
/// Per rank and operating system thread a file `rank<R>-<n>.trace` of records, ended by a record of kind
/// kNone or by the end of the file; it is complete up to the last record whatever ended the process. Per rank
/// `rank<R>.stacks` (TraceStack, then its return addresses, innermost first, relative to the program's base)
/// and `rank<R>.names` (lines `kernel <grid> <launch line> <name>` and `file <path of the program>`).
///
/// A record that lets others go on is written before it takes effect, one that learns something after it did:
/// ordered by time, records of all files tell causes before their effects.

#include <cstdint>
#include <initializer_list>

namespace cuco::emu {

enum class TraceKind : std::uint8_t {
  kNone = 0,
  // Who acts in this file from here on.
  kThread,     ///< CUDA thread: a = grid, b = block << 16 | thread.
  kOperation,  ///< Operation of a stream: a = its number.
  kHost,       ///< The operating system thread itself.
  // Memory: a = address (TraceAddress), b = bytes.
  kRead,
  kWrite,
  kAllocate,
  kFree,
  // One synchronising access: a = address, b = value << 8 | bytes (value truncated), order and scope in
  // `flags`.
  kAtomicLoad,
  kAtomicStore,
  kAtomicUpdate,
  kFence,  ///< Order and scope in `flags`.
  // Threads that meet.
  kBlockBarrier,  ///< a = grid, b = block: all threads that had started and not exited.
  kWarpMeet,      ///< a = grid, b = block << 16 | warp, small: none; `stack` = mask of the lanes.
  kMeetMember,    ///< One of several threads that meet: a = grid, b = block << 16 | thread.
  kMeetEnd,       ///< The members since the last kMeetEnd of this file have met.
  // Streams.
  kEnqueue,         ///< Host: a = operation, b = stream.
  kOperationBegin,  ///< a = operation, b = stream.
  kOperationAfter,  ///< a = operation, b = one that it had to wait for.
  kOperationEnd,    ///< a = operation.
  kGrid,  ///< a = operation, b = grid; small = threads of a block; flags: 1 when not all blocks fit at once.
  kHostJoin,  ///< The host thread knows that operation a is complete.
  // What somebody did becomes known to whoever takes it: a = key; flags = order.
  kRelease,
  kAcquire,
  // One-sided operations.
  kPut,  ///< a = number (per rank), b = context << 32 | world rank of the target; flags: TracePut; small =
         ///< order with which it publishes. After the records of its parts, which follow each other.
  kPutSource,    ///< a = address.
  kPutTarget,    ///< a = address, b = bytes.
  kPutSignal,    ///< a = key of the signal, b = delta.
  kPutCounter,   ///< a = key of the counter.
  kPutContext,   ///< a = key of device communicator and context, as in kFlush.
  kPutApplied,   ///< a = number: its signal is about to be added.
  kSignalWait,   ///< a = key, b = least value; small = bits.
  kSignalRead,   ///< a = key, b = the value; small = bits.
  kSignalReset,  ///< a = key.
  kCounterWait,
  kCounterRead,
  kCounterReset,
  kFlush,  ///< a = key of device communicator and context.
  // What a report wants to know.
  kWaitBegin,  ///< The thread waits: a = kind of the record that will end it, b = key; small = least value,
               ///< truncated.
  kPoll,      ///< The thread looks at a flag again and again: a = address. Once until it does something else.
  kTooLarge,  ///< The host asked for a cooperative launch of more blocks than fit.
  kFatal,     ///< The emulator ended the program because of what the acting thread did.
  kLast
};

/// Memory orders and scopes of synchronising records, in `flags`: order | scope << 4.
enum class TraceOrder : std::uint8_t { kRelaxed, kAcquire, kRelease, kAcquireRelease };
enum class TraceScope : std::uint8_t { kThread, kBlock, kDevice, kSystem };
constexpr std::uint8_t trace_flags(TraceOrder order, TraceScope scope) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(order) | static_cast<unsigned>(scope) << 4U);
}
constexpr TraceOrder trace_order(std::uint8_t flags) {
  return static_cast<TraceOrder>(flags & 3U);
}
constexpr TraceScope trace_scope(std::uint8_t flags) {
  return static_cast<TraceScope>(flags >> 4U);
}

/// Flags of kPut.
enum TracePut : std::uint8_t { kPutValue = 1, kPutInternal = 2 };

struct TraceRecord {
  TraceKind kind;
  std::uint8_t flags;
  std::uint16_t small;
  std::uint32_t stack;  ///< Number of a TraceStack; 0: none.
  std::uint64_t a, b;
  std::uint64_t time;  ///< Nanoseconds; 0: as the record before in its file.
};
static_assert(sizeof(TraceRecord) == 32);

/// Where memory is, the same for every rank: space << 56 | rank << 48 | offset. Shared memory is that of the
/// acting thread's block.
enum class TraceSpace : std::uint8_t { kHeap = 1, kShared = 2, kProgram = 3 };
constexpr std::uint64_t trace_address(TraceSpace space, unsigned rank, std::uint64_t offset) {
  return static_cast<std::uint64_t>(space) << 56U | std::uint64_t{rank} << 48U | offset;
}

struct TraceStack {
  static constexpr std::uint32_t kMost = 12;
  std::uint32_t number, depth;
};

/// A key made of several numbers, the same on every rank.
constexpr std::uint64_t trace_key(std::uint64_t a,
                                  std::uint64_t b = 0,
                                  std::uint64_t c = 0,
                                  std::uint64_t d = 0) {
  std::uint64_t h = 0x9e3779b97f4a7c15u;
  for (std::uint64_t const part : {a, b, c, d}) {
    h ^= part + 0x9e3779b97f4a7c15u + (h << 6U) + (h >> 2U);
    h = (h ^ (h >> 30U)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27U)) * 0x94d049bb133111ebu;
    h ^= h >> 31U;
  }
  return h;
}

}  // namespace cuco::emu
