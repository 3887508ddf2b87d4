// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/launch_text.hpp"

/// @file
/// The host functions that take the place of the program's collectives.

namespace cuco::impl {

inline constexpr char const* kCommunicationStreamText = R"(
// Kernels of collectives run here; events tie them to the caller's stream.
struct CommunicationStream {
  cudaStream_t stream = nullptr;
  cudaEvent_t before = nullptr, after = nullptr;
  CommunicationStream() {
    if (cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess ||
        cudaEventCreateWithFlags(&before, cudaEventDisableTiming) != cudaSuccess ||
        cudaEventCreateWithFlags(&after, cudaEventDisableTiming) != cudaSuccess)
      stop("communication stream", "cannot be created");
  }
  bool follow(cudaStream_t caller) {
    return cudaEventRecord(before, caller) == cudaSuccess && cudaStreamWaitEvent(stream, before, 0) == cudaSuccess;
  }
  bool rejoin(cudaStream_t caller) {
    return cudaEventRecord(after, stream) == cudaSuccess && cudaStreamWaitEvent(caller, after, 0) == cudaSuccess;
  }
};

inline CommunicationStream& communication_stream() {
  static CommunicationStream side;
  return side;
}
)";

inline constexpr char const* kLaunchOrderText = R"(
// Launches on one communicator follow each other even when the caller's streams do not, as NCCL's operations do: those
// of one kernel use the same barriers.
struct LaunchOrder {
  ncclComm_t comm;
  cudaEvent_t last;
  bool begin(cudaStream_t stream) { return cudaStreamWaitEvent(stream, last, 0) == cudaSuccess; }
  bool end(cudaStream_t stream) { return cudaEventRecord(last, stream) == cudaSuccess; }
};

inline LaunchOrder& order_of(ncclComm_t comm) {
  static std::vector<LaunchOrder> orders;
  for (LaunchOrder& order : orders)
    if (order.comm == comm) return order;
  cudaEvent_t last = nullptr;
  if (cudaEventCreateWithFlags(&last, cudaEventDisableTiming) != cudaSuccess)
    stop("order of launches", "its event cannot be created");
  orders.push_back({comm, last});
  return orders.back();
}
)";

inline bool own_stream(Launcher const& l) {
  return l.directives.placement == Placement::kStream;
}
inline bool keeps_order(Launcher const& l) {
  return l.site.several_streams && !own_stream(l);
}

/// What one collective is on the host side.
struct HostCall {
  char const* nccl;      ///< The function it takes the place of.
  char const* count;     ///< What NCCL calls its count.
  std::string send_all;  ///< Bytes of the whole send buffer.
  std::string recv_all;
  std::string sender = "";  ///< Which ranks use the send buffer; empty: all.
  std::string receiver = "";
};

inline HostCall host_call(Collective collective) {
  std::string const one = "bytes", all = "bytes * device.nRanks", root = "device.rank == root";
  switch (collective) {
    case Collective::kAllReduce: return {"ncclAllReduce", "count", one, one};
    case Collective::kAllGather: return {"ncclAllGather", "count", one, all};
    case Collective::kAllToAll: return {"ncclAlltoAll", "count", all, all};
    case Collective::kReduceScatter: return {"ncclReduceScatter", "recvcount", all, one};
    case Collective::kBroadcast: return {"ncclBroadcast", "count", one, one, root};
    case Collective::kReduce: return {"ncclReduce", "count", one, one, "", root};
    case Collective::kGather: return {"ncclGather", "count", one, all, "", root};
    case Collective::kScatter: return {"ncclScatter", "count", all, one, root};
    case Collective::kSendRecv: break;
  }
  return {"", "", "", ""};
}

/// "if (cudaMemcpyAsync(…) != cudaSuccess) return …", on the ranks that `who` names.
inline std::string copy_on_stream(Launcher const& l,
                                  std::string const& who,
                                  std::string const& to,
                                  std::string const& from,
                                  std::string const& bytes) {
  std::string const stream = own_stream(l) ? "side.stream" : "stream";
  std::string const call = "cudaMemcpyAsync(" + to + ", " + from + ", " + bytes + ", cudaMemcpyDefault, " +
                           stream + ") != cudaSuccess";
  if (who.empty()) return "  if (" + call + ")\n    return ncclUnhandledCudaError;\n";
  return "  if (" + who + " &&\n      " + call + ")\n    return ncclUnhandledCudaError;\n";
}

/// What one launcher does with the caller's buffers: where the kernel finds them, and what is copied before
/// and after it.
struct BufferText {
  std::string places, before, after;
};

inline BufferText buffer_text(Launcher const& l) {
  HostCall const call = host_call(l.site.collective);
  bool const broadcast = l.site.collective == Collective::kBroadcast;
  std::string const area = l.name + "_kernel::";
  BufferText text;
  if (stages_send(l.site) || l.site.recv_staged)
    text.places +=
        "  // What peers cannot reach is copied from and to landing buffers, by the ranks that use it.\n";
  if (stages_send(l.site)) {
    text.places += "  char* const outgoing = landing(comm, " + area + "kSendArea, " + call.send_all + ");\n";
    text.before += copy_on_stream(l, call.sender, "outgoing", "send", call.send_all);
  }
  if (l.site.recv_staged) {
    text.places += "  char* const incoming = landing(comm, " + area + "kRecvArea, " + call.recv_all + ");\n";
    std::string const who = broadcast ? "(device.rank != root || send != recv)" : call.receiver;
    text.after += copy_on_stream(l, who, "recv", "incoming", call.recv_all);
  }
  std::string const recv = l.site.recv_staged ? "incoming" : "recv";
  if (broadcast) {
    std::string const moves =
        l.site.recv_staged ? "device.rank == root" : "device.rank == root && send != recv";
    text.before +=
        "  // Peers see the receive buffer only.\n" + copy_on_stream(l, moves, recv, "send", "bytes");
  } else {
    text.places += std::string("  const Place from = place_of(comm, ") +
                   (stages_send(l.site) ? "outgoing" : "send") + ", " + call.send_all + ");\n";
  }
  text.places += "  const Place to = place_of(comm, " + recv + ", " + call.recv_all + ");\n";
  if (uses_scratch(l)) {
    std::string const more = is_templated(l.site) ? ", element" : "";
    text.places += "  const Place scratch = scratch_of(comm, " + area + "kScratchArea,\n" +
                   "                                   " + area + "scratch_bytes(" + call.count +
                   ", device.nRanks" + more + "));\n";
  }
  return text;
}

/// What comes before and after everything that runs on a stream.
inline std::pair<std::string, std::string> order_text(Launcher const& l) {
  if (own_stream(l))
    return {
        "  CommunicationStream& side = communication_stream();\n"
        "  if (!side.follow(stream)) return ncclUnhandledCudaError;\n",
        "  if (!side.rejoin(stream)) return ncclUnhandledCudaError;\n"};
  if (keeps_order(l))
    return {
        "  LaunchOrder& order = order_of(comm);\n  if (!order.begin(stream)) return "
        "ncclUnhandledCudaError;\n",
        "  if (!order.end(stream)) return ncclUnhandledCudaError;\n"};
  return {};
}

/// NCCL's own parameters; datatype and reduction only when they are known at run time.
inline std::vector<std::string> launcher_parameters(Launcher const& l) {
  std::vector<std::string> out{
      "const void* send", "void* recv", std::string("size_t ") + host_call(l.site.collective).count};
  if (is_templated(l.site)) out.emplace_back("ncclDataType_t datatype");
  if (is_templated(l.site) && is_reduction(l.site)) out.emplace_back("ncclRedOp_t op");
  if (is_rooted(l.site)) out.emplace_back("int root");
  out.emplace_back("ncclComm_t comm");
  out.emplace_back("cudaStream_t stream");
  return out;
}

inline std::vector<std::string> launch_arguments(Launcher const& l) {
  std::vector<std::string> out;
  if (kernel_is_template(l) && is_reduction(l.site)) out = {"datatype", "op"};
  if (kernel_is_template(l) && !is_reduction(l.site)) out = {"element"};
  out.emplace_back("device");
  for (Parameter const& p : parameters_of(l)) {
    std::string const name = p.name;
    out.push_back(name == "send"    ? "from"
                  : name == "recv"  ? "to"
                  : name == "count" ? host_call(l.site.collective).count
                                    : name);
  }
  out.emplace_back(own_stream(l) ? "side.stream" : "stream");
  return out;
}

/// The launcher of one kind of collective.
inline std::string launcher_text(Launcher const& l) {
  HostCall const call = host_call(l.site.collective);
  bool const templated = is_templated(l.site);
  std::string const count = call.count;
  std::string out = std::string("\n// In place of ") + call.nccl;
  if (!templated) {
    out += std::string(", for ") + cpp_name(l.site.types.front());
    if (is_reduction(l.site)) out += std::string(" and ") + to_string(l.site.ops.front());
  }
  out += ". Same arguments, same meaning, all ranks.\n";
  out += listed("inline ncclResult_t " + l.name + "(", launcher_parameters(l), ") {\n");
  if (templated)
    out +=
        "  const size_t element = element_bytes(datatype);\n"
        "  if (element == 0) return ncclInvalidArgument;\n";
  out += "  if (" + count + " == 0) return ncclSuccess;\n";
  out += "  const ncclDevComm& device = communicator_of(comm);\n";
  if (is_rooted(l.site)) out += "  if (root < 0 || root >= device.nRanks) return ncclInvalidArgument;\n";
  if (l.directives.sync == SyncScope::kPerPeer)
    out += "  // A thread waits for each peer.\n  if (device.nRanks > " + l.name +
           "_kernel::kThreads) return ncclInvalidUsage;\n";
  out += "  const size_t bytes = " + count + " * " +
         (templated ? "element" : std::string("sizeof(") + cpp_name(l.site.types.front()) + ")") + ";\n";
  BufferText const buffers = buffer_text(l);
  auto const [before, after] = order_text(l);
  out += buffers.places + before + buffers.before;
  out += listed("  if (" + l.name + "_kernel::launch(", launch_arguments(l), ") != cudaSuccess)\n") +
         "    return ncclUnhandledCudaError;\n";
  return out + buffers.after + after + "  return ncclSuccess;\n}\n";
}

}  // namespace cuco::impl
