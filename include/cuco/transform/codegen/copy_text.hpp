// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/transform/codegen/plan.hpp"

namespace cuco::impl {

/// The unsigned type as wide as one element: a move never looks at values.
inline std::string carrier_of(ElementType type) {
  return "uint" + std::to_string(8 * size_in_bytes(type)) + "_t";
}

inline std::string vector_type(int bytes) {
  return bytes == 16 ? "uint4" : bytes == 8 ? "uint2" : "unsigned int";
}

/// Device functions that copy bytes with vectors where the alignment of both ends allows it.
inline constexpr char const* kCopyText = R"(
@units@

// Copies `count` units; `worker` of `workers` threads. All loads of a round are issued before the first store.
template <class Unit>
__device__ inline void copy_units(void* target, const void* source, size_t count, size_t worker, size_t workers) {
  Unit* out = static_cast<Unit*>(target);
  const Unit* in = static_cast<const Unit*>(source);
  size_t i = worker;
  for (; i + (kUnroll - 1) * workers < count; i += kUnroll * workers) {
    Unit unit[kUnroll];
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) unit[u] = in[i + u * workers];
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) out[i + u * workers] = unit[u];
  }
  for (; i < count; i += workers) out[i] = in[i];
}

// Copies `bytes`: elements up to the first vector boundary, vectors, the elements that are left.
@template@__device__ inline void copy(char* out, const char* in, size_t bytes, size_t worker, size_t workers) {
  constexpr size_t kWidth = sizeof(Vector);
  const size_t shift = reinterpret_cast<uintptr_t>(out) % kWidth;
  size_t head = 0, body = 0;
  if (shift == reinterpret_cast<uintptr_t>(in) % kWidth) {
    head = (kWidth - shift) % kWidth;
    head = head < bytes ? head : bytes;
    body = (bytes - head) / kWidth * kWidth;
  }
  const size_t tail = head + body;
  copy_units<Element>(out, in, head / sizeof(Element), worker, workers);
  copy_units<Vector>(out + head, in + head, body / kWidth, worker, workers);
  copy_units<Element>(out + tail, in + tail, (bytes - tail) / sizeof(Element), worker, workers);
}
)";

/// What a move calls its units, and how its functions take the element when its size is known at run time.
inline Substitutions move_words(Site const& site, int vector_bytes) {
  std::string const vector = "using Vector = " + vector_type(vector_bytes) + ";";
  if (is_templated(site))
    return {{"units", vector}, {"template", "template <class Element>\n"}, {"of", "<Element>"}};
  return {{"units", "using Element = " + carrier_of(site.types.front()) + ";\n" + vector},
          {"template", ""},
          {"of", ""}};
}

inline std::string copy_text(Site const& site, int vector_bytes) {
  return render(kCopyText, move_words(site, vector_bytes));
}

}  // namespace cuco::impl
