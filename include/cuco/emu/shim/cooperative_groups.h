// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Cooperative groups: the thread block, tiles of a warp, coalesced threads, and the grid of a cooperative
/// launch.

#include "cuco/emu/impl/group_warp.hpp"

namespace cooperative_groups {

/// All threads of the block.
class thread_block {
 public:
  static void sync() { ::cuco::emu::block_sync(); }
  static unsigned int thread_rank() { return ::cuco::emu::builtins.linear; }
  static unsigned int num_threads() { return ::cuco::emu::builtins.threads; }
  static unsigned int size() { return num_threads(); }
  static dim3 group_index() { return ::cuco::emu::builtins.block_idx; }
  static dim3 thread_index() { return ::cuco::emu::builtins.thread_idx; }
  static dim3 group_dim() { return ::cuco::emu::builtins.block_dim; }
  static dim3 dim_threads() { return group_dim(); }
};
inline thread_block this_thread_block() {
  return {};
}

/// All threads of the grid.
class grid_group {
 public:
  /// Whether sync() may be called: the launch was cooperative.
  static bool is_valid() { return ::cuco::emu::grid_is_cooperative(); }
  static void sync() { ::cuco::emu::grid_sync(); }
  static unsigned long long block_rank() {
    auto const& b = ::cuco::emu::builtins;
    return b.block_idx.x +
           static_cast<unsigned long long>(b.grid_dim.x) *
               (b.block_idx.y + static_cast<unsigned long long>(b.grid_dim.y) * b.block_idx.z);
  }
  static unsigned long long num_blocks() {
    auto const& g = ::cuco::emu::builtins.grid_dim;
    return static_cast<unsigned long long>(g.x) * g.y * g.z;
  }
  static unsigned long long thread_rank() {
    return block_rank() * thread_block::num_threads() + thread_block::thread_rank();
  }
  static unsigned long long num_threads() { return num_blocks() * thread_block::num_threads(); }
  static unsigned long long size() { return num_threads(); }
  static dim3 block_index() { return ::cuco::emu::builtins.block_idx; }
  static dim3 dim_blocks() { return ::cuco::emu::builtins.grid_dim; }
  static dim3 group_dim() { return dim_blocks(); }
};
inline grid_group this_grid() {
  return {};
}

/// `Size` consecutive threads of one warp.
template <unsigned int Size, class Parent = void>
class thread_block_tile : public ::cuco::emu::WarpGroup {
  static_assert(Size <= 32 && (Size & (Size - 1)) == 0,
                "cuco-emu: not emulated: tiles that are larger than a warp");

 public:
  thread_block_tile() : WarpGroup(tile_mask(Size)) {}
  template <class Other>
  thread_block_tile(thread_block_tile<Size, Other> const& other) : WarpGroup(other) {}
  static constexpr unsigned int num_threads() { return Size; }
  static constexpr unsigned int size() { return Size; }
  static unsigned int thread_rank() { return ::cuco::emu::builtins.lane % Size; }
  [[nodiscard]] unsigned int meta_group_rank() const { return ::cuco::emu::builtins.linear / Size; }
  [[nodiscard]] unsigned int meta_group_size() const {
    return (::cuco::emu::builtins.threads + Size - 1) / Size;
  }
};

/// Some threads of one warp, ranked by lane.
class coalesced_group : public ::cuco::emu::WarpGroup {
 public:
  explicit coalesced_group(unsigned int mask) : WarpGroup(mask) {}
  [[nodiscard]] unsigned int meta_group_rank() const { return 0; }
  [[nodiscard]] unsigned int meta_group_size() const { return 1; }
};
/// The lanes that reach this call without waiting for anything in between. The hardware promises no more than
/// that the caller is among them.
inline coalesced_group coalesced_threads() {
  return coalesced_group(::cuco::emu::converged_lanes());
}

/// Any of the groups: the whole block, or some threads of one warp.
class thread_group {
 public:
  thread_group(thread_block const&) {}
  thread_group(::cuco::emu::WarpGroup const& warp) : block_(false), warp_(warp) {}
  void sync() const { block_ ? thread_block::sync() : warp_.sync(); }
  [[nodiscard]] unsigned long long thread_rank() const {
    return block_ ? thread_block::thread_rank() : warp_.thread_rank();
  }
  [[nodiscard]] unsigned long long num_threads() const {
    return block_ ? thread_block::num_threads() : warp_.num_threads();
  }
  [[nodiscard]] unsigned long long size() const { return num_threads(); }

 private:
  bool block_ = true;
  ::cuco::emu::WarpGroup warp_{~0U};
};

/// The members of `group` with the same label.
template <class Group, class Label>
coalesced_group labeled_partition(Group const& group, Label label) {
  return coalesced_group(group.lanes(group.match_any(label)));
}
template <class Group>
coalesced_group binary_partition(Group const& group, bool predicate) {
  return labeled_partition(group, predicate ? 1 : 0);
}
/// One member of `group` calls `function`.
template <class Group, class F, class... A>
void invoke_one(Group const& group, F&& function, A&&... arguments) {
  if (group.thread_rank() == 0) function(static_cast<A&&>(arguments)...);
}

template <unsigned int Size, class Parent>
thread_block_tile<Size, Parent> tiled_partition(Parent const&) {
  return {};
}
/// A tile whose size is known at run time only.
template <class Parent>
coalesced_group tiled_partition(Parent const&, unsigned int size) {
  if (size == 0 || size > 32 || (size & (size - 1)) != 0)
    ::cuco::emu::not_emulated("tiles of a size other than 1, 2, 4, 8, 16, 32");
  return coalesced_group(::cuco::emu::WarpGroup::tile_mask(size));
}

template <class Group>
void sync(Group const& group) {
  group.sync();
}
template <class Group>
auto thread_rank(Group const& group) {
  return group.thread_rank();
}
template <class Group>
auto group_size(Group const& group) {
  return group.size();
}

}  // namespace cooperative_groups
