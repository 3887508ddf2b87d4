// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include "cuco/transform/codegen/copy_text.hpp"
#include "cuco/transform/codegen/gin_exchange.hpp"
#include "cuco/transform/codegen/lsa_exchange.hpp"

/// @file
/// Point to point: what takes the place of ncclSend, ncclRecv, ncclGroupStart and ncclGroupEnd.

namespace cuco::impl {

/// What both ends of a launch know; part of the namespace of the kernel, or before those of several.
inline constexpr char const* kExchangeWork = R"(
// What one channel moves of one message.
struct Piece {
  char* data;
  size_t bytes;
};

// What one CTA does: `count` pieces, starting with `first`, go to `peer` or come from it through one channel.
struct Lane {
  int peer, channel, sends, first, count;
};
)";

inline constexpr char const* kExchangeConstants = R"(namespace @name@_kernel {

constexpr int kChannels = @ctas@;  // of one rank to one other, at most
constexpr int kThreads = @threads@;
constexpr int kUnroll = @unroll@;  // loads a thread has in flight
constexpr int kResident = @resident@;  // CTAs that are resident at once for sure
constexpr int kSlots = @slots@;  // of one ring
constexpr size_t kSlotBytes = @slot_bytes@;
constexpr size_t kPieceBytes = @piece_bytes@;  // a message gets a channel for each of these
@backend_constants@
using Vector = @vector@;
@work@
// A rank has one for each channel and peer; its rings follow it. The counts are of chunks.
struct alignas(128) Pipe {
@pipe_fields@};

// Where in every rank's window the pipe for `peer` lies.
inline __host__ __device__ size_t pipe_at(int channel, int ranks, int peer) {
  return (size_t(channel) * ranks + peer) * kPipeBytes;
}

template <class Unit>
__device__ inline void copy_units(char* out, const char* in, size_t bytes) {
  const size_t count = bytes / sizeof(Unit);
  const Unit* from = reinterpret_cast<const Unit*>(in);
  Unit* to = reinterpret_cast<Unit*>(out);
  size_t i = threadIdx.x;
  for (; i + (kUnroll - 1) * kThreads < count; i += kUnroll * kThreads) {
    Unit unit[kUnroll];
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) unit[u] = from[i + u * kThreads];
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) to[i + u * kThreads] = unit[u];
  }
  for (; i < count; i += kThreads) to[i] = from[i];
  for (size_t b = count * sizeof(Unit) + threadIdx.x; b < bytes; b += kThreads) out[b] = in[b];
}

// Copies with the widest units that both ends are aligned for.
__device__ inline void copy(char* out, const char* in, size_t bytes) {
  const uintptr_t ends = reinterpret_cast<uintptr_t>(out) | reinterpret_cast<uintptr_t>(in);
  if (ends % sizeof(Vector) == 0)
    copy_units<Vector>(out, in, bytes);
  else if (ends % sizeof(uint32_t) == 0)
    copy_units<uint32_t>(out, in, bytes);
  else if (ends % sizeof(uint16_t) == 0)
    copy_units<uint16_t>(out, in, bytes);
  else
    copy_units<char>(out, in, bytes);
}
)";

inline constexpr char const* kExchangeKernel = R"(
__global__ void __launch_bounds__(kThreads)
    exchange(ncclDevComm device, ncclWindow_t window, const Lane* lanes, const Piece* pieces) {
  __shared__ Piece batch[kThreads];
  const Lane lane = lanes[blockIdx.x];
  const Channel channel(device, window, lane);
  uint64_t chunk = lane.sends ? channel.mine->sent : channel.mine->taken;
  for (int first = 0; first < lane.count; first += kThreads) {
    const int size = lane.count - first < kThreads ? lane.count - first : kThreads;
    __syncthreads();  // everybody is through with the last batch
    if (int(threadIdx.x) < size) batch[threadIdx.x] = pieces[lane.first + first + threadIdx.x];
    __syncthreads();
    for (int i = 0; i < size; ++i)
      for (size_t done = 0; done < batch[i].bytes; done += kSlotBytes, ++chunk) {
        const size_t left = batch[i].bytes - done;
        const size_t bytes = left < kSlotBytes ? left : kSlotBytes;
        if (lane.sends)
          channel.send(chunk, batch[i].data + done, bytes);
        else
          channel.receive(chunk, batch[i].data + done, bytes);
      }
  }
  if (threadIdx.x == 0) (lane.sends ? channel.mine->sent : channel.mine->taken) = chunk;
}

}  // namespace @name@_kernel
)";

inline constexpr char const* kExchangeHost = R"(
struct Message {
  ncclComm_t comm;
  cudaStream_t stream;
  bool sends;
  int peer;
  char* data;
  size_t bytes;
};

// Pinned memory from which a kernel reads its lanes and pieces; free again once `done` is reached.
struct WorkList {
  char* memory;
  size_t bytes;
  cudaEvent_t done;
};

// The pipes of one communicator.
struct Pipes {
  ncclComm_t comm;
  ncclDevComm device;
  char* base;
  ncclWindow_t window;
  int channels;
  std::vector<size_t> turns[2];  // pieces so far, by peer: received, sent
  std::vector<WorkList> lists;
  cudaEvent_t last, joint;  // end of the last kernel; a stream that a group joins
};

inline std::vector<Pipes> all_pipes;
inline std::vector<Message> posted;  // in the open group
inline int open_groups = 0;

inline void require(cudaError_t status) {
  if (status != cudaSuccess) stop("send or receive", cudaGetErrorString(status));
}

// The result is that of this launch; cudaGetLastError may still know an older error of the program.
template <class... Parameters, class... Arguments>
cudaError_t start(void (*kernel)(Parameters...), int ctas, int threads, cudaStream_t stream, Arguments... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(ctas);
  config.blockDim = dim3(threads);
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

inline void add_list(Pipes& p, size_t bytes) {
  void* memory = nullptr;
  cudaEvent_t done = nullptr;
  require(cudaMallocHost(&memory, bytes));
  require(cudaEventCreateWithFlags(&done, cudaEventDisableTiming));
  p.lists.push_back({static_cast<char*>(memory), bytes, done});
}

// A list that no kernel reads any more. Some exist from the start, because allocating may wait for running kernels.
inline WorkList free_list(Pipes& p, size_t bytes) {
  for (const WorkList& l : p.lists) {
    if (l.bytes >= bytes && cudaEventQuery(l.done) == cudaSuccess) return l;
  }
  add_list(p, std::max<size_t>(2 * bytes, 65536));
  return p.lists.back();
}

// Makes the pipes of a new communicator, on all its ranks. No rank can reach a peer's before they are reset:
// registering the window comes last and takes all ranks.
void open_pipes(ncclComm_t comm, const ncclDevComm& device) {
@open@  const int ranks = device.nRanks;
  const int channels = std::max(1, std::min(@most@, @resident@ / (2 * ranks)));
  Pipes p{comm, device, nullptr, nullptr, channels, {}, {}, nullptr, nullptr};
  for (std::vector<size_t>& turn : p.turns) turn.assign(ranks, 0);
  for (int i = 0; i < 4; ++i) add_list(p, 65536);
  require(cudaEventCreateWithFlags(&p.joint, cudaEventDisableTiming));
@pipe_bytes@  require(allocate(&p.base, bytes));
@reset@  require(cudaDeviceSynchronize());
  p.window = place_of(comm, p.base, bytes).window;
  all_pipes.push_back(p);
}

// Ends the pipes of a communicator: first the peers take out what this rank has sent, so nobody writes to them later.
void close_pipes(ncclComm_t comm) {
@enter@  for (size_t i = all_pipes.size(); i-- > 0;) {
    Pipes& p = all_pipes[i];
    if (p.comm != comm) continue;
    require(cudaDeviceSynchronize());
@drain@    require(release(p.base));  // waits for the kernel
    for (const WorkList& l : p.lists) {
      require(cudaFreeHost(l.memory));
      require(cudaEventDestroy(l.done));
    }
    require(cudaEventDestroy(p.joint));
    all_pipes.erase(all_pipes.begin() + i);
  }
}

inline Pipes& pipes_of(ncclComm_t comm) {
  for (Pipes& p : all_pipes)
    if (p.comm == comm) return p;
  stop("send or receive", "all ranks have to call prepare() when they have created the communicator");
}

// One kernel for a group's messages in one communicator. As with NCCL it starts when all streams of the group have come
// to it, and all of them wait for its end. Kernels of one communicator follow each other whatever their streams.
inline cudaError_t launch(Pipes& p, const std::vector<Message>& messages) {
@enter_launch@  // Both ranks of a pair see its messages in the same order, split them alike and deal the pieces out alike.
  const int ranks = p.device.nRanks;
  std::vector<std::vector<Piece>> work(size_t(2) * p.channels * ranks);
  std::vector<cudaStream_t> streams;
  for (const Message& m : messages) {
    if (std::find(streams.begin(), streams.end(), m.stream) == streams.end()) streams.push_back(m.stream);
    const size_t parts = std::min<size_t>(p.channels, (m.bytes + @piece@ - 1) / @piece@);
    const size_t size = (m.bytes + parts * 128 - 1) / (parts * 128) * 128;
    for (size_t begin = 0; begin < m.bytes; begin += size) {
      const size_t channel = p.turns[m.sends][m.peer]++ % p.channels;
      work[(channel * ranks + m.peer) * 2 + m.sends].push_back({m.data + begin, std::min(size, m.bytes - begin)});
    }
  }
  std::vector<Lane> lanes;
  std::vector<Piece> pieces;
  for (int i = 0; i < int(work.size()); ++i) {
    if (work[i].empty()) continue;
    lanes.push_back({i / 2 % ranks, i / 2 / ranks, i % 2, int(pieces.size()), int(work[i].size())});
    pieces.insert(pieces.end(), work[i].begin(), work[i].end());
  }
  if (lanes.size() > @resident@) stop("group of sends and receives", "more peers than CTAs that are resident at once");
  const size_t piece_bytes = pieces.size() * sizeof(Piece);
  const WorkList list = free_list(p, piece_bytes + lanes.size() * sizeof(Lane));
  Piece* const piece_list = reinterpret_cast<Piece*>(list.memory);
  Lane* const lane_list = reinterpret_cast<Lane*>(list.memory + piece_bytes);
  std::copy(pieces.begin(), pieces.end(), piece_list);
  std::copy(lanes.begin(), lanes.end(), lane_list);

  const cudaStream_t stream = streams.front();
  if (p.last != nullptr) require(cudaStreamWaitEvent(stream, p.last, 0));
  for (size_t i = 1; i < streams.size(); ++i) {
    require(cudaEventRecord(p.joint, streams[i]));
    require(cudaStreamWaitEvent(stream, p.joint, 0));
  }
@order_begins@@exchange@  p.last = list.done;
  require(cudaEventRecord(p.last, stream));
  for (size_t i = 1; i < streams.size(); ++i) require(cudaStreamWaitEvent(streams[i], p.last, 0));
@order_ends@  return status;
}

// In place of ncclGroupStart.
inline ncclResult_t group_start() {
  ++open_groups;
  return ncclSuccess;
}

// In place of ncclGroupEnd: the outermost one starts everything that was posted, in the order in which communicators
// were created, which is the same on all ranks.
inline ncclResult_t group_end() {
  if (open_groups == 0) return ncclInvalidUsage;
  if (--open_groups != 0) return ncclSuccess;
  std::vector<Message> all;
  all.swap(posted);
  for (Pipes& p : all_pipes) {
    std::vector<Message> own;
    for (const Message& m : all)
      if (m.comm == p.comm) own.push_back(m);
    if (!own.empty() && launch(p, own) != cudaSuccess) return ncclUnhandledCudaError;
  }
  return ncclSuccess;
}

// A message outside of any group is a group of its own. Nothing is moved for 0 elements, on either side.
inline ncclResult_t post(bool sends, void* data, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                         cudaStream_t stream) {
  const size_t bytes = count * element_bytes(type);
  if (peer < 0 || peer >= pipes_of(comm).device.nRanks || element_bytes(type) == 0) return ncclInvalidArgument;
  if (data == nullptr && bytes != 0) return ncclInvalidArgument;
  group_start();
  if (bytes != 0) posted.push_back({comm, stream, sends, peer, static_cast<char*>(data), bytes});
  return group_end();
}

// In place of ncclSend. Any memory of the device; the messages of a pair match in the order of their calls.
inline ncclResult_t send(const void* data, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                         cudaStream_t stream) {
  return post(true, const_cast<void*>(data), count, type, peer, comm, stream);
}

// In place of ncclRecv.
inline ncclResult_t recv(void* data, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                         cudaStream_t stream) {
  return post(false, data, count, type, peer, comm, stream);
}
)";

/// What the infrastructure declares and calls when a program sends and receives.
inline constexpr char const* kExchangeDeclarations = R"(
// Rings for sends and receives; defined with their kernel. Made with the device communicator, by all ranks.
void open_pipes(ncclComm_t comm, const ncclDevComm& device);
void close_pipes(ncclComm_t comm);
)";

/// Their definitions as long as there is no kernel.
inline constexpr char const* kNoExchange = R"(void open_pipes(ncclComm_t, const ncclDevComm&) {}
void close_pipes(ncclComm_t) {}
)";

/// Bytes of one slot of a ring.
inline std::uint64_t exchange_slot_bytes(Directives const& d) {
  if (d.chunk_bytes != 0) return d.chunk_bytes;
  return d.backend == Backend::kGin ? 262144 : 65536;
}

/// Signals of one launcher, for each rank. `ctas` is the number of channels.
inline int exchange_signals(Directives const& d) {
  return d.backend == Backend::kGin ? 2 * d.ctas : 0;
}

/// Note, constants and kernel of one interface. `work`: what it shares with the host.
inline std::string exchange_namespace_text(Launcher const& l,
                                           Resources const& resources,
                                           std::string const& work) {
  Directives const& d = l.directives;
  bool const gin = d.backend == Backend::kGin;
  std::uint64_t const slot_bytes = exchange_slot_bytes(d);
  Substitutions const values{
      {"name", l.name},
      {"ctas", std::to_string(d.ctas)},
      {"threads", std::to_string(d.threads)},
      {"unroll", std::to_string(d.unroll)},
      {"resident", std::to_string(l.site.resident_ctas)},
      {"slots", slot_bytes > 262144 ? "2" : "4"},
      {"slot_bytes", std::to_string(slot_bytes)},
      {"piece_bytes", std::to_string(std::min<std::uint64_t>(slot_bytes, 32768))},
      {"backend_constants",
       gin ? render(kGinExchangeConstants, {{"contexts", std::to_string(d.contexts)}})
           : std::string(kLsaExchangeConstants)},
      {"work", work},
      {"pipe_fields", gin ? kGinPipeFields : kLsaPipeFields},
      {"first_signal", resources.first_signal == "0" ? "" : resources.first_signal + " + "},
      {"vector", vector_type(d.vector_bytes)}};
  return wrap_comment(std::string(gin ? kGinExchangeNote : kLsaExchangeNote)) +
         render(kExchangeConstants, values) + render(gin ? kGinChannel : kLsaChannel, values) +
         render(kExchangeKernel, values);
}

/// One of the two kernels of a program that chooses; `kExchangeWork` stands before the first.
inline std::string exchange_kernel_text(Launcher const& l, Resources const& resources) {
  return exchange_namespace_text(l, resources, "");
}

/// "head = near ? …text : …text;": what depends on which of the two kernels is used.
inline std::string either_text(std::string const& head,
                               Launcher const& lsa,
                               Launcher const& gin,
                               std::string const& text) {
  std::string const one = lsa.name + "_kernel::" + text, other = gin.name + "_kernel::" + text;
  std::string const line = head + " = near ? " + one + " : " + other + ";\n";
  if (line.size() <= 120) return line;
  return head + " = near ? " + one + "\n" + std::string(head.size() + 8, ' ') + ": " + other + ";\n";
}

/// "start(space::kernel, …)"; arguments that would make the line too long stand on the next, below the first.
inline std::string start_text(std::string const& space,
                              std::string const& kernel,
                              std::string const& ctas,
                              std::string const& stream,
                              std::string const& arguments,
                              std::size_t column) {
  constexpr std::size_t kColumns = 118;
  std::string const head =
      "start(" + space + kernel + ", " + ctas + ", " + space + "kThreads, " + stream + ",";
  bool const fits = column + head.size() + 1 + arguments.size() + 2 <= kColumns;
  return head + (fits ? " " : "\n" + std::string(column + 6, ' ')) + arguments + ")";
}

/// Starts `kernel` of one of the two.
inline std::string start_either(std::string const& indent,
                                Launcher const& lsa,
                                Launcher const& gin,
                                std::string const& kernel,
                                std::string const& arguments) {
  auto one = [&](Launcher const& l) {
    return indent + "  require(" +
           start_text(l.name + "_kernel::", kernel, "1", "nullptr", arguments, indent.size() + 10) + ");\n";
  };
  return indent + "if (near)\n" + one(lsa) + indent + "else\n" + one(gin);
}

/// The order among all launches of a communicator, for programs in which collectives keep one, too.
inline Substitutions with_order(Substitutions values, bool ordered) {
  values.emplace_back("order_begins",
                      ordered
                          ? "  LaunchOrder& order = order_of(p.comm);\n  if (!order.begin(stream)) return "
                            "cudaErrorUnknown;\n"
                          : "");
  values.emplace_back("order_ends", ordered ? "  if (!order.end(stream)) return cudaErrorUnknown;\n" : "");
  return values;
}

/// The host functions of a program that chooses between two kernels.
inline std::string exchange_host_text(Launcher const& lsa, Launcher const& gin, bool ordered) {
  std::string const near = "const bool near = loads_and_stores(";
  std::string const work = "p.device, p.window, lane_list, piece_list";
  auto exchange = [&](Launcher const& l) {
    return start_text(l.name + "_kernel::", "exchange", "int(lanes.size())", "stream", work, 13);
  };
  Substitutions const values{
      {"open",
       "  " + near + "device);  // else by puts\n" + either_text("  const int most", lsa, gin, "kChannels") +
           either_text("  const int resident", lsa, gin, "kResident")},
      {"most", "most"},
      {"resident", "resident"},
      {"pipe_bytes", either_text("  const size_t bytes", lsa, gin, "pipe_at(channels, ranks, 0)")},
      {"reset", start_either("  ", lsa, gin, "reset", "device, p.base, channels * ranks")},
      {"enter", ""},
      {"drain",
       "    " + near + "p.device);\n" +
           start_either("    ", lsa, gin, "drain", "p.device, p.window, p.channels * p.device.nRanks")},
      {"enter_launch",
       "  " + near + "p.device);\n" + either_text("  const size_t unit", lsa, gin, "kPieceBytes") +
           either_text("  const size_t resident", lsa, gin, "kResident")},
      {"piece", "unit"},
      {"exchange",
       "  const cudaError_t status =\n      near ? " + exchange(lsa) + "\n           : " + exchange(gin) +
           ";\n"}};
  return render(kExchangeHost, with_order(values, ordered));
}

/// Constants, kernel, host functions and the note of a program's sends and receives. Uses `element_bytes`
/// (kElementBytesText).
inline std::string exchange_text(Launcher const& l, Resources const& resources, bool ordered = false) {
  std::string const enter = "  using namespace " + l.name + "_kernel;\n";
  Substitutions const values{
      {"open", enter},
      {"most", "kChannels"},
      {"resident", "kResident"},
      {"pipe_bytes", "  const size_t bytes = pipe_at(channels, ranks, 0);\n"},
      {"reset",
       "  require(" + start_text("", "reset", "1", "nullptr", "device, p.base, channels * ranks", 10) +
           ");\n"},
      {"enter", enter},
      {"drain",
       "    require(" +
           start_text("", "drain", "1", "nullptr", "p.device, p.window, p.channels * p.device.nRanks", 12) +
           ");\n"},
      {"enter_launch", enter},
      {"piece", "kPieceBytes"},
      {"exchange",
       "  const cudaError_t status =\n      " +
           start_text("",
                      "exchange",
                      "int(lanes.size())",
                      "stream",
                      "p.device, p.window, lane_list, piece_list",
                      6) +
           ";\n"}};
  return exchange_namespace_text(l, resources, kExchangeWork) +
         render(kExchangeHost, with_order(values, ordered));
}

}  // namespace cuco::impl
