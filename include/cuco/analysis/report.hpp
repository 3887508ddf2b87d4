// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cuco/analysis/source_map.hpp"
#include "cuco/analysis/token.hpp"

namespace cuco {

/// Index into one of `Report`'s vectors; `kNone` when there is none.
using Index = std::int32_t;
inline constexpr Index kNone = -1;

/// One argument of a call, as written.
struct Argument {
  std::string text;
  Span span;
};

/// Any function call that matters here: NCCL, CUDA runtime, MPI.
struct Call {
  std::string name;
  std::uint32_t line = 0;
  Span span;            ///< From the name to the closing parenthesis.
  Span statement;       ///< The whole statement with its `;`, wrappers and assignment included.
  std::string wrapper;  ///< Innermost enclosing macro or function call, for example NCCL_CHECK; or "".
  bool bare_statement = false;  ///< The statement is just the call, or wrapper(call), and nothing else.
  std::vector<Argument> args;
  Index function = kNone;  ///< Innermost enclosing function.
  Index loop = kNone;      ///< Innermost enclosing loop.
  std::string macro;       ///< Set when the call was found in the expansion of this macro; `span` is then
                           ///< its use, and the arguments are those of the expansion.
};

/// A function with a body, kernels included. Lambdas are not functions of their own.
struct Function {
  std::string name;   ///< Without qualifiers.
  std::string scope;  ///< Enclosing namespaces and classes, `a::b`; "" for none.
  std::string return_type;
  std::string parameters;  ///< Text between the parentheses.
  std::vector<std::string> parameter_names;
  std::uint32_t line = 0;
  std::uint32_t end_line = 0;
  Span span;  ///< From the first token of the declaration (template<…>, __global__, …) to `}`.
  Span body;  ///< With its braces.
  bool is_kernel = false;  ///< `__global__`.
  bool is_device = false;  ///< `__device__` and not `__host__`.
  bool is_template = false;
};

/// for, while or do loop, braces or not.
struct Loop {
  std::string header;
  std::uint32_t line = 0;
  std::uint32_t end_line = 0;
  Span span;  ///< From the keyword to the end of the body.
  Span body;  ///< The body statement; with its braces when `braced`.
  bool braced = true;
  Index function = kNone;
  Index parent = kNone;  ///< Innermost enclosing loop.
};

/// A device, managed, pinned-host or NCCL allocation.
struct Allocation {
  Index call = kNone;      ///< In `calls`.
  std::string allocator;   ///< cudaMalloc, cudaMallocManaged, cudaMallocHost, ncclMemAlloc, …
  std::string buffer;      ///< Expression the pointer is stored to, for example `d_send` or `ctx->recv`.
  std::string base;        ///< First identifier of it.
  std::string size;        ///< Bytes, as written.
  bool symmetric = false;  ///< ncclMemAlloc.
};

/// `kernel<<<grid, block, shared, stream>>>(…)` or one of the cudaLaunch… calls.
struct Launch {
  std::string kernel;  ///< With template arguments, as written.
  std::uint32_t line = 0;
  Span span;
  Span statement;
  std::string grid, block, shared = "0", stream = "0";
  std::vector<Argument> args;
  Index function = kNone;
  Index loop = kNone;
  bool cooperative = false;
};

/// A collective's send or receive buffer.
struct BufferRole {
  std::string expr;                 ///< As written.
  std::string base;                 ///< First identifier after casts, `&`, `*`; aliases resolved.
  Index allocation = kNone;         ///< Where it was allocated, when known.
  std::vector<Index> alternatives;  ///< Allocations it may come from where callers pass different buffers
                                    ///< (two or more, `allocation` is then `kNone`); empty else.
  bool symmetric = false;           ///< All of its allocations are known and made by ncclMemAlloc.
  std::vector<Index> producers;     ///< Launches that may write it before the collective.
  std::vector<Index> consumers;     ///< Launches that may read it after the collective.
  std::vector<Index> copies_in;     ///< Calls (cudaMemcpy, cudaMemset, …) that write it before.
  std::vector<Index> copies_out;    ///< Calls that read it after.
  std::vector<Index> unordered_launches;  ///< Launches on other streams that touch it with nothing that
                                          ///< orders them and the collective: they may run at the same time.
  std::vector<Index> unordered_calls;     ///< Calls of that kind.
};

/// `ncclGroupStart` … `ncclGroupEnd`, outermost ones only.
struct Group {
  Index start = kNone;       ///< In `calls`.
  Index end = kNone;         ///< In `calls`; `kNone` when none was found.
  std::vector<Index> calls;  ///< Collectives and communicator calls in it, also those in functions it calls.
  Index loop = kNone;        ///< Innermost loop around the start.
};

/// A communicator of the program.
struct Communicator {
  std::string name;          ///< The variable it is stored to, as written: `comm`, `ctx->row`.
  Index call = kNone;        ///< What creates it, in `calls`; `kNone` for one whose creation was not found.
  std::string how;           ///< "InitRank", "InitRankConfig", "InitAll", "Split", …; "" when not found.
  Index parent = kNone;      ///< In `communicators`, for a split.
  std::vector<Index> nodes;  ///< In `graph`, those that use it.
};

/// One node of the communication graph.
struct CommunicationNode {
  std::string collective;  ///< "AllReduce", "AllGather", "AlltoAll", "ReduceScatter", "Broadcast", "Reduce",
                           ///< "Gather", "Scatter", "Send", "Recv".
  Index call = kNone;      ///< In `calls`.
  BufferRole send;
  BufferRole recv;  ///< Same expression as `send` when in place.
  std::string count, datatype, op, root, peer, comm, stream;
  bool in_place = false;               ///< The two buffer expressions are the same text after normalisation.
  bool in_group = false;               ///< Between ncclGroupStart and ncclGroupEnd, also those of a caller.
  Index group = kNone;                 ///< In `groups`; the first when several callers group it.
  Index communicator = kNone;          ///< In `communicators`, when it is one for certain.
  std::vector<Index> communicators;    ///< All that it may use.
  std::string pattern;                 ///< One line on how a kernel would do it.
  std::vector<Index> needs_symmetric;  ///< Allocations that have to become symmetric memory for that.
  double confidence = 1.0;             ///< Below 1 when something was guessed; `guesses` says what.
  std::vector<std::string> guesses;
};

/// `#define` of an object-like or function-like macro.
struct Macro {
  std::string name;
  std::string parameters;  ///< With parentheses; empty for object-like macros.
  std::string value;
  std::uint32_t line = 0;
  Span span;
};

/// `#include`.
struct Include {
  std::string target;  ///< With its quotes or angle brackets.
  std::uint32_t line = 0;
  Span span;  ///< The directive, without the newline.
};

/// What `Analyzer` knows about one program. Plain data; spans and lines refer to the analysed source.
struct Report {
  std::string file;
  std::uint32_t lines = 0;
  std::vector<Include> includes;
  std::vector<Macro> macros;
  std::vector<Function> functions;  ///< Kernels included.
  std::vector<Loop> loops;
  std::vector<Call> calls;         ///< Every recognised call, in source order.
  std::vector<Index> collectives;  ///< Calls: AllReduce, …, Send, Recv, GroupStart, GroupEnd.
  std::vector<Index> setup;        ///< Calls: communicator, window, device communicator, NCCL memory.
  std::vector<Index> sync_points;  ///< Calls: cuda*Synchronize, cudaEventRecord, cudaStreamWaitEvent.
  std::vector<Index> mpi;          ///< Calls: MPI_*.
  std::vector<Allocation> allocations;
  std::vector<Launch> launches;
  std::vector<CommunicationNode> graph;
  std::vector<Group> groups;
  std::vector<Communicator> communicators;
  SourceMap map;                   ///< Where the lines were written, for a program of several files.
  std::vector<std::string> notes;  ///< What was not followed, `line N: …`.
  [[nodiscard]] bool has_host_communication() const { return !graph.empty(); }
};

}  // namespace cuco
