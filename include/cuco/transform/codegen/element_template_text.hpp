// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "cuco/transform/codegen/element_text.hpp"

/// @file
/// Reductions whose type and operation are known at run time: the same device functions, as templates.

namespace cuco::impl {

inline constexpr char const* kPackTemplate = R"(// What values of a type are combined in.
template <class T>
struct AccumulatorOf {
  using type = T;
};
@accumulators@template <class T>
using Accumulator = typename AccumulatorOf<T>::type;

template <class T, int N>
struct alignas(N * sizeof(T)) Pack {
  T at[N];
};

template <class T>
__device__ inline Accumulator<T> widen(T value) {
  return static_cast<Accumulator<T>>(value);
}
@widens@template <class T>
__device__ inline T narrow(Accumulator<T> value) {
  return static_cast<T>(value);
}
@narrows@
@arithmetic@@ops@template <class T, class Op>
__device__ inline T finish(Accumulator<T> value@ranks@) {
@average@  return narrow<T>(value);
}
)";

/// `combine` of one operation on accumulators of any type.
inline std::string combine_template(Reduction op, bool wraps, bool floats) {
  switch (op) {
    case Reduction::kMin: return floats ? "smaller(a, b)" : "b < a ? b : a";
    case Reduction::kMax: return floats ? "larger(a, b)" : "a < b ? b : a";
    case Reduction::kProd: return wraps ? "multiply(a, b)" : "a * b";
    case Reduction::kSum:
    case Reduction::kAvg: return wraps ? "add(a, b)" : "a + b";
  }
  return "a + b";
}

/// The C++ name of the structure of an operation.
inline std::string op_structure(Reduction op) {
  std::string name = to_string(op);
  name.front() = static_cast<char>(name.front() - 'a' + 'A');
  return name;
}

/// `add` or `multiply`: signed values wrap as NCCL's do, so they go through unsigned.
inline std::string wrapping_text(std::string const& name,
                                 std::string const& sign,
                                 std::vector<std::string> const& types) {
  std::string out =
      "template <class A>\n__device__ inline A " + name + "(A a, A b) {\n  return a " + sign + " b;\n}\n";
  for (auto const& type : types)
    out += "__device__ inline " + type + " " + name + "(" + type + " a, " + type +
           " b) {  // wraps, as in NCCL\n  return static_cast<" + type + ">(static_cast<u" + type + ">(a) " +
           sign + " static_cast<u" + type + ">(b));\n}\n";
  return out + "\n";
}

/// `smaller` or `larger`: of a number and a NaN the number, as in NCCL.
inline std::string extreme_text(std::string const& name,
                                Reduction op,
                                std::vector<std::string> const& types) {
  std::string out = "template <class A>\n__device__ inline A " + name + "(A a, A b) {\n  return " +
                    combine_template(op, false, false) + ";\n}\n";
  for (auto const& type : types) {
    std::string const function =
        std::string(op == Reduction::kMin ? "fmin" : "fmax") + (type == "float" ? "f" : "");
    out += "__device__ inline " + type + " " + name + "(" + type + " a, " + type +
           " b) {  // a NaN loses, as in NCCL\n  return " + function + "(a, b);\n}\n";
  }
  return out + "\n";
}

inline std::string templated_element_text(Site const& site) {
  std::string accumulators, widens, narrows, arithmetic, ops;
  std::vector<std::string> is_signed, floats;
  for (ElementType type : site.types) {
    std::string const acc = accumulator_of(type), cpp = cpp_name(type);
    if ((acc == "float" || acc == "double") && std::find(floats.begin(), floats.end(), acc) == floats.end())
      floats.push_back(acc);
    if (acc == "int32_t" || acc == "int64_t")
      if (is_signed.empty() || is_signed.back() != acc) is_signed.push_back(acc);
    if (acc == cpp) continue;
    accumulators += "template <>\nstruct AccumulatorOf<" + cpp + "> {\n  using type = " + acc + ";\n};\n";
    if (acc != "float") continue;
    widens += "__device__ inline float widen(" + cpp + " value) { return " + widen_expression(type) + "; }\n";
    narrows += "template <>\n__device__ inline " + cpp + " narrow<" + cpp + ">(float value) {\n  return " +
               narrow_expression(type) + ";\n}\n";
  }
  bool const adds = site.ops.contains(Reduction::kSum) || site.ops.contains(Reduction::kAvg);
  bool const multiplies = site.ops.contains(Reduction::kProd);
  if (!is_signed.empty() && adds) arithmetic += wrapping_text("add", "+", is_signed);
  if (!is_signed.empty() && multiplies) arithmetic += wrapping_text("multiply", "*", is_signed);
  if (!floats.empty() && site.ops.contains(Reduction::kMin))
    arithmetic += extreme_text("smaller", Reduction::kMin, floats);
  if (!floats.empty() && site.ops.contains(Reduction::kMax))
    arithmetic += extreme_text("larger", Reduction::kMax, floats);
  bool const averages = site.ops.contains(Reduction::kAvg);
  for (Reduction op : site.ops) {
    ops += "struct " + op_structure(op) + " {\n";
    if (averages)
      ops += std::string("  static constexpr bool kAverages = ") +
             (op == Reduction::kAvg ? "true" : "false") + ";\n";
    ops += "  template <class A>\n  static __device__ A combine(A a, A b) {\n    return " +
           combine_template(op, !is_signed.empty(), !floats.empty()) + ";\n  }\n};\n\n";
  }
  return render(
      kPackTemplate,
      {{"accumulators", accumulators},
       {"widens", widens},
       {"narrows", narrows},
       {"arithmetic", arithmetic},
       {"ops", ops},
       {"ranks", averages ? ", int ranks" : ""},
       {"average",
        averages ? "  if constexpr (Op::kAverages) value = value / static_cast<Accumulator<T>>(ranks);\n"
                 : ""}});
}

/// How the texts of a reduction name its type and what they need of it, for one type or as templates.
inline Substitutions reduction_words(Site const& site, Directives const& d) {
  bool const averages = site.ops.contains(Reduction::kAvg);
  std::string const width = std::to_string(d.vector_bytes);
  std::string const finish_more = averages ? ", device.nRanks" : "";
  if (is_templated(site))
    return {{"T", "T"},
            {"Acc", "Accumulator<T>"},
            {"template", "template <class T, class Op>\n"},
            {"more", "class T, class Op, "},
            {"type", "class T, "},
            {"pass", "T, Op, "},
            {"of", "<T, Op>"},
            {"pack", "T, "},
            {"combine", "Op::combine"},
            {"finish", "finish<T, Op>"},
            {"lanes_text",
             "template <class T>\nconstexpr int kLanes = " + width +
                 " / sizeof(T);  // elements of one load or store: " + width + " bytes\n"},
            {"lanes", "kLanes<T>"},
            {"finish_arguments", finish_more},
            {"elements", templated_element_text(site)}};
  ElementType const type = site.types.front();
  std::string const lanes = std::to_string(d.vector_bytes / size_in_bytes(type));
  return {{"T", cpp_name(type)},
          {"Acc", accumulator_of(type)},
          {"template", ""},
          {"more", ""},
          {"type", ""},
          {"pass", ""},
          {"of", ""},
          {"pack", ""},
          {"combine", "combine"},
          {"finish", "finish"},
          {"lanes_text",
           "constexpr int kLanes = " + lanes + ";  // elements of one load or store: " + width + " bytes\n"},
          {"lanes", "kLanes"},
          {"finish_arguments", finish_more},
          {"elements", plain_element_text(site)}};
}

}  // namespace cuco::impl
