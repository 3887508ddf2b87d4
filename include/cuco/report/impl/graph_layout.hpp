// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>
#include <vector>

#include "cuco/report/impl/graph_model.hpp"
#include "cuco/report/impl/printable.hpp"

namespace cuco::impl {

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  [[nodiscard]] double centre() const { return x + width / 2; }
};

/// Places the vertices in layers, data flowing down. Parts that nothing connects stand beside and below each
/// other in source order. O(v log v + e).
class GraphLayout {
 public:
  static constexpr double kLine = 17, kColumn = 7.3, kPadding = 10;

  explicit GraphLayout(GraphModel const& model) : m_(model), boxes(model.vertices.size()) {
    for (std::size_t v = 0; v < boxes.size(); ++v) {
      Vertex const& vertex = m_.vertices[v];
      std::size_t columns = columns_of(vertex.title) + 2;
      for (auto const& l : vertex.lines) columns = std::max(columns, columns_of(l));
      boxes[v].width = static_cast<double>(columns) * kColumn + 2 * kPadding;
      boxes[v].height = static_cast<double>(vertex.lines.size() + 1) * kLine + kPadding;
    }
    find_neighbours();
    find_layers();
    place_parts(find_parts());
  }

 private:
  static constexpr double kGapX = 26, kGapY = 40, kPartGap = 48, kWidest = 1500;
  GraphModel const& m_;

 public:
  std::vector<Box> boxes;
  double width = 0, height = 0;

 private:
  void find_neighbours() {
    above_.resize(boxes.size());
    below_.resize(boxes.size());
    for (Edge const& e : m_.edges) {
      if (e.kind != EdgeKind::kData || e.from == e.to) continue;
      below_[e.from].push_back(e.to);
      above_[e.to].push_back(e.from);
    }
  }

  /// Longest path from the top. A circle (calls among functions may make one) is cut at its first vertex in
  /// the source.
  void find_layers() {
    layer_.assign(boxes.size(), 0);
    std::vector<std::size_t> waiting(boxes.size());
    std::vector<bool> done(boxes.size(), false);
    std::vector<std::size_t> order(boxes.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return before(a, b); });
    std::vector<std::size_t> ready;
    for (std::size_t v : order) {
      waiting[v] = above_[v].size();
      if (waiting[v] == 0) ready.push_back(v);
    }
    std::size_t next = 0;
    std::size_t cut = 0;
    for (std::size_t count = 0; count < boxes.size(); ++count) {
      if (next == ready.size()) {
        while (done[order[cut]]) ++cut;
        ready.push_back(order[cut]);
      }
      std::size_t const v = ready[next++];
      done[v] = true;
      for (std::size_t w : below_[v]) {
        if (done[w]) continue;
        layer_[w] = std::max(layer_[w], layer_[v] + 1);
        if (--waiting[w] == 0) ready.push_back(w);
      }
    }
    // What only writes stands right above what it writes.
    for (std::size_t v = 0; v < boxes.size(); ++v) {
      if (!above_[v].empty() || below_[v].empty()) continue;
      std::size_t nearest = static_cast<std::size_t>(-1);
      for (std::size_t w : below_[v]) nearest = std::min(nearest, layer_[w]);
      if (nearest > layer_[v] + 1) layer_[v] = nearest - 1;
    }
  }
  [[nodiscard]] bool before(std::size_t a, std::size_t b) const {
    auto const pa = m_.vertices[a].position;
    auto const pb = m_.vertices[b].position;
    return pa != pb ? pa < pb : a < b;
  }

  /// Vertices that edges or a group connect, in source order.
  std::vector<std::vector<std::size_t>> find_parts() {
    std::vector<std::size_t> root(boxes.size());
    std::iota(root.begin(), root.end(), 0U);
    auto const find = [&](std::size_t v) {
      while (root[v] != v) v = root[v] = root[root[v]];
      return v;
    };
    for (Edge const& e : m_.edges) root[find(e.from)] = find(e.to);
    std::vector<std::size_t> order(boxes.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return before(a, b); });
    std::unordered_map<Index, std::size_t> groups;
    for (std::size_t v : order)
      if (m_.vertices[v].group != kNone) {
        auto const [first, is_new] = groups.try_emplace(m_.vertices[v].group, v);
        if (!is_new) root[find(v)] = find(first->second);
      }
    std::vector<std::vector<std::size_t>> parts;
    std::unordered_map<std::size_t, std::size_t> part_of;
    for (std::size_t v : order) {
      auto const [part, is_new] = part_of.try_emplace(find(v), parts.size());
      if (is_new) parts.emplace_back();
      parts[part->second].push_back(v);
    }
    return parts;
  }

  void place_parts(std::vector<std::vector<std::size_t>> const& parts) {
    double x = 0, y = 0, row = 0;
    for (auto const& part : parts) {
      auto const [w, h] = place(part);
      if (x > 0 && x + w > kWidest) {
        x = 0;
        y += row + kPartGap;
        row = 0;
      }
      for (std::size_t v : part) {
        boxes[v].x += x;
        boxes[v].y += y;
      }
      width = std::max(width, x + w);
      height = std::max(height, y + h);
      row = std::max(row, h);
      x += w + kPartGap;
    }
  }

  /// One part at the origin. Returns its width and height.
  std::pair<double, double> place(std::vector<std::size_t> const& part) {
    std::vector<std::vector<std::size_t>> rows;
    for (std::size_t v : part) {
      if (rows.size() <= layer_[v]) rows.resize(layer_[v] + 1);
      rows[layer_[v]].push_back(v);
    }
    double y = 0;
    for (auto& row : rows) {
      double tallest = 0;
      for (std::size_t v : row) tallest = std::max(tallest, boxes[v].height);
      for (std::size_t v : row) boxes[v].y = y + (tallest - boxes[v].height) / 2;
      if (!row.empty()) y += tallest + kGapY;
      spread(row, {});
    }
    for (int sweep = 0; sweep < 3; ++sweep) {
      for (auto& row : rows) spread(row, above_);
      for (auto row = rows.rbegin(); row != rows.rend(); ++row) spread(*row, below_);
    }
    double left = 1e300, right = 0;
    for (std::size_t v : part) left = std::min(left, boxes[v].x);
    for (std::size_t v : part) {
      boxes[v].x -= left;
      right = std::max(right, boxes[v].x + boxes[v].width);
    }
    return {right, std::max(0.0, y - kGapY)};
  }

  /// Orders a row by the mean of its neighbours and keeps each as near to it as the others leave room.
  void spread(std::vector<std::size_t>& row, std::vector<std::vector<std::size_t>> const& neighbours) {
    std::vector<std::pair<double, std::size_t>> wanted;
    for (std::size_t v : row) {
      double sum = 0;
      std::size_t count = 0;
      if (!neighbours.empty()) {
        for (std::size_t w : neighbours[v]) sum += boxes[w].centre();
        count = neighbours[v].size();
      }
      wanted.emplace_back(count == 0 ? boxes[v].centre() : sum / static_cast<double>(count), v);
    }
    std::stable_sort(
        wanted.begin(), wanted.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
    double end = -1e300, shift = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      auto const [centre, v] = wanted[i];
      row[i] = v;
      boxes[v].x = std::max(centre - boxes[v].width / 2, end);
      end = boxes[v].x + boxes[v].width + kGapX;
      shift += centre - boxes[v].centre();
    }
    if (row.empty()) return;
    for (std::size_t v : row) boxes[v].x += shift / static_cast<double>(row.size());
  }

  std::vector<std::vector<std::size_t>> above_{}, below_{};
  std::vector<std::size_t> layer_{};
};

}  // namespace cuco::impl
