// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/transform/codegen/gin_all_reduce.hpp"
#include "cuco/transform/codegen/gin_move.hpp"
#include "cuco/transform/codegen/lsa_all_reduce.hpp"
#include "cuco/transform/codegen/lsa_move.hpp"

/// @file
/// The generated section: constants, kernels and launchers of a program's collectives, and what they require.

namespace cuco::impl {

inline constexpr char const* kSectionBegin = "// cuco: section begin api=";
inline constexpr char const* kSectionEnd = "// cuco: section end";
inline constexpr char const* kLauncherTag = "// cuco: launcher name=";

inline constexpr char const* kLaunchText = R"(
inline cudaError_t launch(const ncclDevComm& device, @place_parameters@, size_t @amount@,
                          cudaStream_t stream) {
  @kernel@<<<kCtas, kThreads, 0, stream>>>(device, @place_arguments@, @amount@);
  return cudaGetLastError();
}

}  // namespace @name@_kernel
)";

inline constexpr char const* kCooperativeLaunchText = R"(
// A cooperative launch: the grid synchronises, so all CTAs must be resident.
inline cudaError_t launch(ncclDevComm device, @place_parameters@, size_t @amount@, cudaStream_t stream) {
  void* arguments[] = {&device, @place_addresses@, &@amount@};
  return cudaLaunchCooperativeKernel((const void*)@kernel@, dim3(kCtas), dim3(kThreads), arguments, 0, stream);
}

}  // namespace @name@_kernel
)";

inline constexpr char const* kLauncherText = R"(
// In place of @nccl_call@, for @cpp@@op_note@. Same arguments, same meaning, all ranks.
inline ncclResult_t @name@(const void* send, void* recv, size_t count, ncclComm_t comm, cudaStream_t stream) {
  if (count == 0) return ncclSuccess;
  const ncclDevComm& device = communicator_of(comm);
@rank_check@@amount_line@  const Place from = place_of(comm, send, @send_bytes@);
  const Place to = place_of(comm, recv, @recv_bytes@);
@scratch@@before@  if (@name@_kernel::launch(device, from, to, @launch_arguments@@stream@) != cudaSuccess) return ncclUnhandledCudaError;
@after@  return ncclSuccess;
}
)";

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
// Launches of one kernel use the same barriers, so they follow each other even when the caller's streams do not.
struct LaunchOrder {
  cudaEvent_t last = nullptr;
  bool begin(cudaStream_t stream) {
    if (last == nullptr) return cudaEventCreateWithFlags(&last, cudaEventDisableTiming) == cudaSuccess;
    return cudaStreamWaitEvent(stream, last, 0) == cudaSuccess;
  }
  bool end(cudaStream_t stream) { return cudaEventRecord(last, stream) == cudaSuccess; }
};
)";

inline bool own_stream(Launcher const& l) {
  return l.directives.placement == Placement::kStream;
}
inline bool keeps_order(Launcher const& l) {
  return l.site.several_streams && !own_stream(l);
}

inline std::string kernel_text(Launcher const& l, Resources const& r) {
  bool const reduce = l.site.collective == Collective::kAllReduce;
  if (l.directives.backend == Backend::kLsa) return reduce ? lsa_all_reduce_text(l, r) : lsa_move_text(l, r);
  return reduce ? gin_all_reduce_text(l, r) : gin_move_text(l, r);
}

inline std::string launch_text(Launcher const& l) {
  bool const scratch = uses_scratch(l);
  bool const reduce = l.site.collective == Collective::kAllReduce;
  Substitutions const values{
      {"name", l.name},
      {"kernel", reduce ? "reduce" : "move"},
      {"amount", reduce ? "count" : "bytes"},
      {"place_parameters", scratch ? "Place send, Place recv, Place scratch" : "Place send, Place recv"},
      {"place_arguments", scratch ? "send, recv, scratch" : "send, recv"},
      {"place_addresses", scratch ? "&send, &recv, &scratch" : "&send, &recv"}};
  return render(l.directives.sync == SyncScope::kGlobal ? kCooperativeLaunchText : kLaunchText, values);
}

inline std::string launcher_text(Launcher const& l) {
  bool const reduce = l.site.collective == Collective::kAllReduce;
  bool const gather = l.site.collective == Collective::kAllGather;
  std::string const cpp = cpp_name(l.site.type);
  std::string before, after;
  if (own_stream(l)) {
    before =
        "  CommunicationStream& side = communication_stream();\n"
        "  if (!side.follow(stream)) return ncclUnhandledCudaError;\n";
    after = "  if (!side.rejoin(stream)) return ncclUnhandledCudaError;\n";
  } else if (keeps_order(l)) {
    before = "  static LaunchOrder order;\n  if (!order.begin(stream)) return ncclUnhandledCudaError;\n";
    after = "  if (!order.end(stream)) return ncclUnhandledCudaError;\n";
  }
  std::string const scratch = uses_scratch(l)
                                  ? "  const Place scratch = scratch_of(comm, " + l.name +
                                        "_kernel::kScratchArea,\n" + "                                   " +
                                        l.name + "_kernel::scratch_bytes(count, device.nRanks));\n"
                                  : "";
  std::string const rank_check =
      l.directives.sync == SyncScope::kPerPeer
          ? "  if (device.nRanks > " + l.name +
                "_kernel::kThreads) return ncclInvalidUsage;  // a thread for each peer\n"
          : "";
  Substitutions const values{
      {"name", l.name},
      {"nccl_call",
       reduce   ? "ncclAllReduce"
       : gather ? "ncclAllGather"
                : "ncclAlltoAll"},
      {"cpp", cpp},
      {"op_note", reduce ? std::string(" and ") + to_string(l.site.op) : ""},
      {"rank_check", rank_check},
      {"amount_line", "  const size_t bytes = count * sizeof(" + cpp + ");\n"},
      {"send_bytes", reduce || gather ? "bytes" : "bytes * device.nRanks"},
      {"recv_bytes", reduce ? "bytes" : "bytes * device.nRanks"},
      {"scratch", scratch},
      {"launch_arguments",
       std::string(uses_scratch(l) ? "scratch, " : "") + (reduce ? "count, " : "bytes, ")},
      {"stream", own_stream(l) ? "side.stream" : "stream"},
      {"before", before},
      {"after", after}};
  return render(kLauncherText, values);
}

inline std::string annotation_of(Launcher const& l) {
  return kLauncherTag + l.name + " " + to_string(l.site) + " " + to_string(l.directives) + "\n";
}

/// How many of each resource `launchers` use together; signals as an expression in `ranks`.
struct Totals {
  int barriers = 0, signals = 0, signals_per_rank = 0, scratch_areas = 0;
  [[nodiscard]] std::string signal_expression() const {
    if (signals_per_rank == 0) return std::to_string(signals);
    std::string const per_rank = std::to_string(signals_per_rank) + " * ranks";
    return signals == 0 ? per_rank : per_rank + " + " + std::to_string(signals);
  }
  void add(Launcher const& l) {
    barriers += barriers_of(l);
    (l.directives.sync == SyncScope::kPerPeer ? signals_per_rank : signals) += signals_of(l);
    scratch_areas += uses_scratch(l) ? 1 : 0;
  }
};

inline std::string requirements_text(Api api, std::vector<Launcher> const& launchers, bool with_kernels) {
  Totals totals;
  bool scratch = false;
  std::string largest;
  for (auto const& l : launchers) {
    totals.add(l);
    if (!uses_scratch(l)) continue;
    std::string const one =
        l.name + "_kernel::scratch_bytes(largest / sizeof(" + cpp_name(l.site.type) + "), ranks)";
    largest += scratch ? ",\n                                 " + one : one;
    scratch = true;
  }
  std::string const barriers = std::to_string(totals.barriers);
  if (api == Api::LSA) return "Requirements requirements() { return {" + barriers + "}; }\n";
  std::string const signals = totals.signal_expression();
  std::string const unused = totals.signals_per_rank == 0 ? "int" : "int ranks";
  if (!scratch)
    return "Requirements requirements(" + unused + ") { return {" + barriers + ", " + signals + "}; }\n";
  if (!with_kernels)
    return "Requirements requirements(" + unused + ", size_t) { return {" + barriers + ", " + signals +
           ", 0, 0}; }\n";
  return "Requirements requirements(int ranks, size_t largest) {\n  const size_t scratch = std::max({" +
         largest + "});\n  return {" + barriers + ", " + signals + ", " +
         std::to_string(totals.scratch_areas) + ", scratch};\n}\n";
}

/// The whole section. Without kernels (the infrastructure stage) it only says what will be required.
inline std::string section_text(Api api, std::vector<Launcher> const& launchers, bool with_kernels) {
  std::string out = kSectionBegin + std::string(to_string(api)) + "\n";
  out += with_kernels ? "// The program's collectives as kernels. A launcher's line of words says what it is "
                        "and how it was generated.\n"
                      : "// What the kernels that take the place of the program's collectives will need.\n";
  out += "namespace device_nccl {\n";
  bool side = false, order = false;
  Totals used;
  for (auto const& l : launchers) {
    if (!with_kernels) {
      out += "\n" + annotation_of(l);  // kept for the stage that writes the kernels
      continue;
    }
    if (own_stream(l) && !side) out += kCommunicationStreamText;
    if (keeps_order(l) && !order) out += kLaunchOrderText;
    side = side || own_stream(l);
    order = order || keeps_order(l);
    std::string const first_signal = used.signal_expression();
    Resources const resources{used.barriers, first_signal, used.scratch_areas};
    out += "\n" + annotation_of(l) + kernel_text(l, resources) + launch_text(l) + launcher_text(l);
    used.add(l);
  }
  out += "\n" + requirements_text(api, launchers, with_kernels);
  return out + "\n}  // namespace device_nccl\n" + kSectionEnd + "\n";
}

}  // namespace cuco::impl
