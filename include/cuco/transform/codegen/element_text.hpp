// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/plan.hpp"

namespace cuco::impl {

inline std::string accumulator_of(ElementType type) {
  switch (type) {
    case ElementType::kHalf:
    case ElementType::kBfloat16: return "float";
    case ElementType::kInt8: return "int32_t";
    case ElementType::kUint8: return "uint32_t";
    default: return cpp_name(type);
  }
}

/// `combine(a, b)` for one reduction. Signed sums and products wrap as NCCL's do, so they go through
/// unsigned.
inline std::string combine_expression(Reduction op, ElementType type) {
  std::string const acc = accumulator_of(type);
  bool const is_signed = acc == "int32_t" || acc == "int64_t";
  switch (op) {
    case Reduction::kMin: return "b < a ? b : a";
    case Reduction::kMax: return "a < b ? b : a";
    case Reduction::kProd:
      return is_signed
                 ? "static_cast<" + acc + ">(static_cast<u" + acc + ">(a) * static_cast<u" + acc + ">(b))"
                 : "a * b";
    case Reduction::kSum:
    case Reduction::kAvg:
      return is_signed
                 ? "static_cast<" + acc + ">(static_cast<u" + acc + ">(a) + static_cast<u" + acc + ">(b))"
                 : "a + b";
  }
  return "a + b";
}

/// The device functions that load, combine and store elements of one AllReduce.
inline std::string element_text(Site const& site) {
  std::string const acc = accumulator_of(site.type);
  std::string widen = "static_cast<" + acc + ">(value)";
  std::string narrow = std::string("static_cast<") + cpp_name(site.type) + ">(value)";
  if (site.type == ElementType::kHalf) widen = "__half2float(value)", narrow = "__float2half(value)";
  if (site.type == ElementType::kBfloat16)
    widen = "__bfloat162float(value)", narrow = "__float2bfloat16(value)";
  if (acc == cpp_name(site.type)) widen = narrow = "value";
  std::string text = R"(template <int N>
struct alignas(N * sizeof(@T@)) Pack {
  @T@ at[N];
};

__device__ inline @Acc@ widen(@T@ value) { return @widen@; }
__device__ inline @Acc@ combine(@Acc@ a, @Acc@ b) { return @combine@; }
)";
  text += site.op == Reduction::kAvg ? "__device__ inline @T@ finish(@Acc@ value, int ranks) {\n"
                                       "  value = value / static_cast<@Acc@>(ranks);\n"
                                       "  return @narrow@;\n"
                                       "}\n"
                                     : "__device__ inline @T@ finish(@Acc@ value) { return @narrow@; }\n";
  return render(text,
                {{"T", cpp_name(site.type)},
                 {"Acc", acc},
                 {"widen", widen},
                 {"narrow", narrow},
                 {"combine", combine_expression(site.op, site.type)}});
}

/// Arguments after the first of a call of `finish`.
inline std::string finish_arguments(Site const& site) {
  return site.op == Reduction::kAvg ? ", device.nRanks" : "";
}

}  // namespace cuco::impl
