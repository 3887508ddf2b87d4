// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cuco::impl {

/// A maximal run of differing lines: `from[a, a_end)` becomes `to[b, b_end)`.
struct DiffRun {
  int a, a_end, b, b_end;
};

/// The lines of `text`, newlines included.
inline std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::size_t const newline = text.find('\n');
    std::size_t const n = newline == std::string_view::npos ? text.size() : newline + 1;
    lines.push_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return lines;
}

/// E. Myers, An O(ND) difference algorithm (1986), in its linear-space form.
class Myers {
 public:
  Myers(std::vector<int> const& a, std::vector<int> const& b)
      : a_(a), b_(b), a_changed_(a.size()), b_changed_(b.size()) {
    offset_ = static_cast<int>(a.size() + b.size()) + 1;
    forward_.resize(2 * static_cast<std::size_t>(offset_) + 1);
    backward_.resize(forward_.size());
  }

  std::vector<DiffRun> run() {
    // An explicit stack, since boxes may nest as deep as there are lines.
    std::vector<Box> stack{{0, static_cast<int>(a_.size()), 0, static_cast<int>(b_.size())}};
    while (!stack.empty()) {
      Box box = stack.back();
      stack.pop_back();
      while (box.a < box.a_end && box.b < box.b_end && same(box.a, box.b)) ++box.a, ++box.b;
      while (box.a < box.a_end && box.b < box.b_end && same(box.a_end - 1, box.b_end - 1))
        --box.a_end, --box.b_end;
      if (box.a == box.a_end || box.b == box.b_end) {
        mark(box);
        continue;
      }
      auto const [x, y] = midpoint(box);
      if (x < 0) {
        mark(box);
        continue;
      }
      stack.push_back({x, box.a_end, y, box.b_end});
      stack.push_back({box.a, x, box.b, y});
    }
    return collect();
  }

 private:
  using Box = DiffRun;
  static constexpr int kMaxCost = 4096;  ///< Bounds the time of one box; beyond, all of it counts as changed.

  [[nodiscard]] bool same(int i, int j) const {
    return a_[static_cast<std::size_t>(i)] == b_[static_cast<std::size_t>(j)];
  }
  int& fwd(int k) { return forward_[static_cast<std::size_t>(k + offset_)]; }
  int& bwd(int k) { return backward_[static_cast<std::size_t>(k + offset_)]; }

  void mark(Box const& box) {
    std::fill(a_changed_.begin() + box.a, a_changed_.begin() + box.a_end, true);
    std::fill(b_changed_.begin() + box.b, b_changed_.begin() + box.b_end, true);
  }

  /// A point on an optimal path through `box`, which has no common prefix or suffix; {-1, -1} when it costs
  /// too much to find.
  std::pair<int, int> midpoint(Box const& box) {
    int const n = box.a_end - box.a;
    int const m = box.b_end - box.b;
    int const delta = n - m;
    bool const odd = (delta & 1) != 0;
    fwd(1) = 0;
    bwd(1) = 0;
    int const limit = std::min((n + m + 1) / 2, kMaxCost);
    for (int d = 0; d <= limit; ++d) {
      for (int k = -d; k <= d; k += 2) {
        int x = k == -d || (k != d && fwd(k - 1) < fwd(k + 1)) ? fwd(k + 1) : fwd(k - 1) + 1;
        int y = x - k;
        while (x < n && y < m && x >= 0 && y >= 0 && same(box.a + x, box.b + y)) ++x, ++y;
        fwd(k) = x;
        int const c = delta - k;
        if (odd && c >= -(d - 1) && c <= d - 1 && x + bwd(c) >= n && inside(x, y, n, m))
          return {box.a + x, box.b + y};
      }
      for (int k = -d; k <= d; k += 2) {
        int x = k == -d || (k != d && bwd(k - 1) < bwd(k + 1)) ? bwd(k + 1) : bwd(k - 1) + 1;
        int y = x - k;
        while (x < n && y < m && x >= 0 && y >= 0 && same(box.a_end - 1 - x, box.b_end - 1 - y)) ++x, ++y;
        bwd(k) = x;
        int const c = delta - k;
        if (!odd && c >= -d && c <= d && x + fwd(c) >= n && inside(x, y, n, m))
          return {box.a_end - x, box.b_end - y};
      }
    }
    return {-1, -1};
  }
  /// Paths may leave the box on diagonals outside it; a split point must not, nor be a corner (no progress).
  static bool inside(int x, int y, int n, int m) {
    return x >= 0 && y >= 0 && x <= n && y <= m && x + y > 0 && x + y < n + m;
  }

  [[nodiscard]] std::vector<DiffRun> collect() const {
    std::vector<DiffRun> runs;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a_.size() || j < b_.size()) {
      DiffRun run{static_cast<int>(i), 0, static_cast<int>(j), 0};
      while (i < a_.size() && a_changed_[i]) ++i;
      while (j < b_.size() && b_changed_[j]) ++j;
      run.a_end = static_cast<int>(i);
      run.b_end = static_cast<int>(j);
      if (run.a != run.a_end || run.b != run.b_end) runs.push_back(run);
      while (i < a_.size() && j < b_.size() && !a_changed_[i] && !b_changed_[j]) ++i, ++j;
    }
    return runs;
  }

  std::vector<int> const& a_;
  std::vector<int> const& b_;
  std::vector<bool> a_changed_, b_changed_;
  std::vector<int> forward_{}, backward_{};
  int offset_ = 0;
};

inline std::vector<DiffRun> diff_lines(std::vector<std::string_view> const& from,
                                       std::vector<std::string_view> const& to) {
  std::unordered_map<std::string_view, int> ids;
  auto number = [&ids](std::vector<std::string_view> const& lines) {
    std::vector<int> out;
    out.reserve(lines.size());
    for (auto line : lines) out.push_back(ids.try_emplace(line, static_cast<int>(ids.size())).first->second);
    return out;
  };
  std::vector<int> const a = number(from);
  std::vector<int> const b = number(to);
  return Myers(a, b).run();
}

}  // namespace cuco::impl
