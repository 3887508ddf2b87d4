// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../cooperative_groups.h"

namespace cooperative_groups {

// clang-format off
template <class T = void> struct plus { template <class V> V operator()(V a, V b) const { return static_cast<V>(a + b); } };
template <class T = void> struct less { template <class V> V operator()(V a, V b) const { return b < a ? b : a; } };
template <class T = void> struct greater { template <class V> V operator()(V a, V b) const { return a < b ? b : a; } };
template <class T = void> struct bit_and { template <class V> V operator()(V a, V b) const { return static_cast<V>(a & b); } };
template <class T = void> struct bit_or { template <class V> V operator()(V a, V b) const { return static_cast<V>(a | b); } };
template <class T = void> struct bit_xor { template <class V> V operator()(V a, V b) const { return static_cast<V>(a ^ b); } };
// clang-format on

/// Folds `v` over the group's threads, in rank order; every thread gets the result.
template <class Group, class T, class Op>
T reduce(Group const& group, T v, Op op) {
  return group.fold(v, op, 0, group.num_threads());
}

}  // namespace cooperative_groups
