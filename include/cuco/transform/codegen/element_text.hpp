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
/// unsigned. Of a number and a NaN, min and max are the number, as NCCL's are.
inline std::string combine_expression(Reduction op, ElementType type) {
  std::string const acc = accumulator_of(type);
  bool const is_signed = acc == "int32_t" || acc == "int64_t";
  switch (op) {
    case Reduction::kMin:
      return acc == "float" ? "fminf(a, b)" : acc == "double" ? "fmin(a, b)" : "b < a ? b : a";
    case Reduction::kMax:
      return acc == "float" ? "fmaxf(a, b)" : acc == "double" ? "fmax(a, b)" : "a < b ? b : a";
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

inline std::string widen_expression(ElementType type) {
  if (type == ElementType::kHalf) return "__half2float(value)";
  if (type == ElementType::kBfloat16) return "__bfloat162float(value)";
  std::string const acc = accumulator_of(type);
  return acc == cpp_name(type) ? "value" : "static_cast<" + acc + ">(value)";
}

inline std::string narrow_expression(ElementType type) {
  if (type == ElementType::kHalf) return "__float2half(value)";
  if (type == ElementType::kBfloat16) return "__float2bfloat16(value)";
  return accumulator_of(type) == cpp_name(type) ? "value"
                                                : std::string("static_cast<") + cpp_name(type) + ">(value)";
}

/// The device functions that load, combine and store elements of a reduction of one type.
inline std::string plain_element_text(Site const& site) {
  ElementType const type = site.types.front();
  std::string text = R"(template <int N>
struct alignas(N * sizeof(@T@)) Pack {
  @T@ at[N];
};

__device__ inline @Acc@ widen(@T@ value) { return @widen@; }
)";
  std::string const combine = combine_expression(site.ops.front(), type);
  text += combine.size() < 40
              ? "__device__ inline @Acc@ combine(@Acc@ a, @Acc@ b) { return @combine@; }\n"
              : "__device__ inline @Acc@ combine(@Acc@ a, @Acc@ b) {\n  return @combine@;\n}\n";
  text += site.ops.front() == Reduction::kAvg
              ? "__device__ inline @T@ finish(@Acc@ value, int ranks) {\n"
                "  value = value / static_cast<@Acc@>(ranks);\n"
                "  return @narrow@;\n"
                "}\n"
              : "__device__ inline @T@ finish(@Acc@ value) { return @narrow@; }\n";
  return render(text,
                {{"T", cpp_name(type)},
                 {"Acc", accumulator_of(type)},
                 {"widen", widen_expression(type)},
                 {"narrow", narrow_expression(type)},
                 {"combine", combine}});
}

}  // namespace cuco::impl

#include "cuco/transform/codegen/element_template_text.hpp"
