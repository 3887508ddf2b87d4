// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reduce.h"

namespace cooperative_groups {

template <class Group, class T, class Op>
T inclusive_scan(Group const& group, T v, Op op) {
  return group.fold(v, op, 0, group.thread_rank() + 1);
}
template <class Group, class T>
T inclusive_scan(Group const& group, T v) {
  return inclusive_scan(group, v, plus<T>());
}
/// The first thread gets a value-initialised `T`.
template <class Group, class T, class Op>
T exclusive_scan(Group const& group, T v, Op op) {
  unsigned const rank = group.thread_rank();
  T const result = group.fold(v, op, 0, rank == 0 ? 1 : rank);
  return rank == 0 ? T{} : result;
}
template <class Group, class T>
T exclusive_scan(Group const& group, T v) {
  return exclusive_scan(group, v, plus<T>());
}

}  // namespace cooperative_groups
