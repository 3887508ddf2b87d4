// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Elementwise reduction of host collectives: in rank order; half and bfloat16 accumulate in float.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "cuco/emu/impl/fatal.hpp"
#include "nccl.h"

namespace cuco::emu::impl {

inline std::size_t type_bytes(int type) {
  switch (type) {
    case ncclInt8:
    case ncclUint8:
    case ncclFloat8e4m3:
    case ncclFloat8e5m2: return 1;
    case ncclFloat16:
    case ncclBfloat16: return 2;
    case ncclInt32:
    case ncclUint32:
    case ncclFloat32: return 4;
    default: return 8;
  }
}
inline char const* type_name(int type) {
  static char const* const names[] = {"int8",
                                      "uint8",
                                      "int32",
                                      "uint32",
                                      "int64",
                                      "uint64",
                                      "float16",
                                      "float32",
                                      "float64",
                                      "bfloat16",
                                      "float8e4m3",
                                      "float8e5m2"};
  return type >= 0 && type < ncclNumTypes ? names[type] : "?";
}
inline char const* op_name(int op) {
  static char const* const names[] = {"sum", "prod", "max", "min", "avg"};
  return op >= 0 && op < ncclNumOps ? names[op] : op >= ncclNumOps ? "pre-multiplied sum" : "?";
}

/// Of two values the larger or smaller one; of a number and a NaN the number, as NCCL does.
template <typename Acc>
inline Acc extreme(Acc a, Acc b, bool larger) {
  if constexpr (std::is_floating_point_v<Acc>)
    return larger ? std::fmax(a, b) : std::fmin(a, b);
  else
    return (larger ? a < b : b < a) ? b : a;
}

/// Reduces `parts` (one array of `count` elements per rank) into `out`.
template <typename T, typename Acc>
inline void reduce_typed(std::vector<char const*> const& parts, char* out, std::size_t count, int op) {
  auto* to = reinterpret_cast<T*>(out);
  for (std::size_t i = 0; i < count; ++i) {
    Acc acc = static_cast<Acc>(reinterpret_cast<T const*>(parts[0])[i]);
    for (std::size_t r = 1; r < parts.size(); ++r) {
      Acc v = static_cast<Acc>(reinterpret_cast<T const*>(parts[r])[i]);
      switch (op) {
        case ncclProd: acc = static_cast<Acc>(acc * v); break;
        case ncclMax: acc = extreme(acc, v, true); break;
        case ncclMin: acc = extreme(acc, v, false); break;
        default: acc = static_cast<Acc>(acc + v);
      }
    }
    if (op == ncclAvg) acc = static_cast<Acc>(acc / static_cast<Acc>(parts.size()));
    to[i] = static_cast<T>(acc);
  }
}

inline void reduce(std::vector<char const*> const& parts, char* out, std::size_t count, int type, int op) {
  switch (type) {
    case ncclInt8: return reduce_typed<std::int8_t, std::int8_t>(parts, out, count, op);
    case ncclUint8: return reduce_typed<std::uint8_t, std::uint8_t>(parts, out, count, op);
    case ncclInt32: return reduce_typed<std::int32_t, std::int32_t>(parts, out, count, op);
    case ncclUint32: return reduce_typed<std::uint32_t, std::uint32_t>(parts, out, count, op);
    case ncclInt64: return reduce_typed<std::int64_t, std::int64_t>(parts, out, count, op);
    case ncclUint64: return reduce_typed<std::uint64_t, std::uint64_t>(parts, out, count, op);
    case ncclFloat16: return reduce_typed<__half, float>(parts, out, count, op);
    case ncclFloat32: return reduce_typed<float, float>(parts, out, count, op);
    case ncclFloat64: return reduce_typed<double, double>(parts, out, count, op);
    case ncclBfloat16: return reduce_typed<__nv_bfloat16, float>(parts, out, count, op);
    default: fatal(kNotEmulated, "not emulated: reductions of %s", type_name(type));
  }
}

/// Multiplies `count` elements by the factor whose bits are given.
template <typename T, typename Acc>
inline void scale_typed(char* data, std::size_t count, std::uint64_t bits) {
  T factor;
  std::memcpy(static_cast<void*>(&factor), &bits, sizeof(T));
  auto* at = reinterpret_cast<T*>(data);
  for (std::size_t i = 0; i < count; ++i)
    at[i] = static_cast<T>(static_cast<Acc>(static_cast<Acc>(at[i]) * static_cast<Acc>(factor)));
}

inline void scale(char* data, std::size_t count, int type, std::uint64_t bits) {
  switch (type) {
    case ncclInt8: return scale_typed<std::int8_t, std::int8_t>(data, count, bits);
    case ncclUint8: return scale_typed<std::uint8_t, std::uint8_t>(data, count, bits);
    case ncclInt32: return scale_typed<std::int32_t, std::uint32_t>(data, count, bits);
    case ncclUint32: return scale_typed<std::uint32_t, std::uint32_t>(data, count, bits);
    case ncclInt64: return scale_typed<std::int64_t, std::uint64_t>(data, count, bits);
    case ncclUint64: return scale_typed<std::uint64_t, std::uint64_t>(data, count, bits);
    case ncclFloat16: return scale_typed<__half, float>(data, count, bits);
    case ncclFloat32: return scale_typed<float, float>(data, count, bits);
    case ncclFloat64: return scale_typed<double, double>(data, count, bits);
    case ncclBfloat16: return scale_typed<__nv_bfloat16, float>(data, count, bits);
    default: fatal(kNotEmulated, "not emulated: reductions of %s", type_name(type));
  }
}

}  // namespace cuco::emu::impl
