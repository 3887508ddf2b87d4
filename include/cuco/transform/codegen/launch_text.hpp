// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/element_text.hpp"
#include "cuco/transform/codegen/signature.hpp"

/// @file
/// The end of a kernel's namespace: how it is launched, for one type or for the type of the call.

namespace cuco::impl {

/// Not with <<<>>>, whose result is asked for with cudaGetLastError: that may be an older error of the
/// program.
inline constexpr char const* kLaunchBody = R"(  void* arguments[] = {@addresses@};
  const dim3 grid(ctas_for(@work@)), block(kThreads);
  return @launch@((const void*)@kernel@@of@, grid, block, arguments, 0, stream);
}
)";

inline std::string argument_list(std::vector<std::string> const& items, char const* prefix = "") {
  std::string out;
  for (auto const& item : items) out += (out.empty() ? "" : ", ") + (prefix + item);
  return out;
}

inline constexpr char const* kGridText = R"(
// At most kCtas: with less than @vector_bytes@ bytes for each thread, more CTAs would only meet. All ranks get the same.
inline int ctas_for(size_t bytes) {
  constexpr size_t kEnough = size_t{kThreads} * @vector_bytes@;
  return static_cast<int>(std::max<size_t>(1, std::min<size_t>(kCtas, (bytes + kEnough - 1) / kEnough)));
}
)";

/// The bytes that the threads of one rank work on in a launch.
inline std::string work_of(Launcher const& l) {
  if (is_reduction(l.site))
    return std::string("count * sizeof(") + (kernel_is_template(l) ? "T" : cpp_name(l.site.types.front())) +
           ")";
  return l.directives.issuer == Issuer::kWarp ? "bytes * device.nRanks" : "bytes";
}

/// A launch of the kernel; `launch_as<T, Op>` when the kernel is a template.
inline std::string plain_launch_text(Launcher const& l) {
  bool const global = l.directives.sync == SyncScope::kGlobal;
  bool const templated = kernel_is_template(l);
  std::string const template_head = !templated             ? ""
                                    : is_reduction(l.site) ? "template <class T, class Op>\n"
                                                           : "template <class Element>\n";
  std::vector<std::string> parameters{"ncclDevComm device"};
  for (auto& item : declarations_of(l)) parameters.push_back(std::move(item));
  parameters.emplace_back("cudaStream_t stream");
  std::vector<std::string> arguments{"device"};
  for (auto& item : names_of_parameters(l)) arguments.push_back(std::move(item));
  return render(kGridText, {{"vector_bytes", std::to_string(l.directives.vector_bytes)}}) + "\n" +
         (global ? "// A cooperative launch: the grid synchronises, so all CTAs must be resident.\n" : "") +
         listed(
             template_head + "inline cudaError_t launch" + (templated ? "_as(" : "("), parameters, ") {\n") +
         render(kLaunchBody,
                {{"launch", global ? "cudaLaunchCooperativeKernel" : "cudaLaunchKernel"},
                 {"kernel", kernel_name(l.site)},
                 {"work", work_of(l)},
                 {"of",
                  !templated             ? ""
                  : is_reduction(l.site) ? "<T, Op>"
                                         : "<Element>"},
                 {"addresses", argument_list(arguments, "&")}});
}

inline std::vector<std::string> dispatch_parameters(Launcher const& l, std::vector<std::string> first) {
  first.emplace_back("const ncclDevComm& device");
  for (auto& item : declarations_of(l)) first.push_back(std::move(item));
  first.emplace_back("cudaStream_t stream");
  return first;
}

/// The NCCL constant of a type, as in nccl.h.
inline std::string type_constant(ElementType type) {
  switch (type) {
    case ElementType::kInt8: return "ncclInt8";
    case ElementType::kUint8: return "ncclUint8";
    case ElementType::kInt32: return "ncclInt32";
    case ElementType::kUint32: return "ncclUint32";
    case ElementType::kInt64: return "ncclInt64";
    case ElementType::kUint64: return "ncclUint64";
    case ElementType::kHalf: return "ncclFloat16";
    case ElementType::kFloat: return "ncclFloat32";
    case ElementType::kDouble: return "ncclFloat64";
    case ElementType::kBfloat16: return "ncclBfloat16";
  }
  return "ncclFloat32";
}

/// `launch` for the types and reductions that the program's text mentions.
inline std::string reduction_dispatch_text(Launcher const& l) {
  std::string const passed = "device, " + argument_list(names_of_parameters(l)) + ", stream";
  std::string out =
      listed("\n// The types that the program mentions.\ntemplate <class Op>\ninline cudaError_t launch_for(",
             dispatch_parameters(l, {"ncclDataType_t datatype"}),
             ") {\n") +
      "  switch (datatype) {\n";
  for (ElementType type : l.site.types)
    out += "    case " + type_constant(type) + ": return launch_as<" + cpp_name(type) + ", Op>(" + passed +
           ");\n";
  out += "    default: stop(\"" + l.name +
         "\", \"the program mentions no such datatype, so there is no kernel\");\n  }\n}\n";
  out += listed("\n// The reductions that it mentions.\ninline cudaError_t launch(",
                dispatch_parameters(l, {"ncclDataType_t datatype", "ncclRedOp_t op"}),
                ") {\n") +
         "  switch (op) {\n";
  for (Reduction op : l.site.ops)
    out += "    case nccl" + op_structure(op) + ": return launch_for<" + op_structure(op) + ">(datatype, " +
           passed + ");\n";
  return out + "    default: stop(\"" + l.name +
         "\", \"the program mentions no such reduction, so there is no kernel\");\n  }\n}\n";
}

/// `launch` for the sizes that elements have: a move does not look at values.
inline std::string move_dispatch_text(Launcher const& l) {
  std::string const passed = "(device, " + argument_list(names_of_parameters(l)) + ", stream);\n";
  return listed("\n// `element`: bytes of one.\ninline cudaError_t launch(",
                dispatch_parameters(l, {"size_t element"}),
                ") {\n") +
         "  switch (element) {\n    case 1: return launch_as<uint8_t>" + passed +
         "    case 2: return launch_as<uint16_t>" + passed + "    case 4: return launch_as<uint32_t>" +
         passed + "    default: return launch_as<uint64_t>" + passed + "  }\n}\n";
}

/// From the end of the kernel to the end of its namespace.
inline std::string launch_text(Launcher const& l, Resources const& r) {
  std::string out = plain_launch_text(l);
  if (kernel_is_template(l)) out += is_reduction(l.site) ? reduction_dispatch_text(l) : move_dispatch_text(l);
  int area = r.staging_area;
  std::string areas;
  if (stages_send(l.site)) areas += "constexpr int kSendArea = " + std::to_string(area++) + ";\n";
  if (l.site.recv_staged) areas += "constexpr int kRecvArea = " + std::to_string(area) + ";\n";
  if (!areas.empty()) out += "\n// Landing buffers in place of the caller's.\n" + areas;
  return out + "\n}  // namespace " + l.name + "_kernel\n";
}

}  // namespace cuco::impl
