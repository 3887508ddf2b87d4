// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/transform/impl/program_tree.hpp"

namespace cuco::impl::transforming {

/// The pairs of nodes of two lists that are the same, or have the same head and differ inside, in order and
/// as many as there can be. Empty when the lists are too long.
inline std::optional<std::vector<std::pair<std::size_t, std::size_t>>> align_nodes(
    std::vector<ProgramNode> const& a, std::vector<ProgramNode> const& b) {
  constexpr std::size_t kLargest = std::size_t{16} << 20U;
  std::size_t const n = a.size(), m = b.size();
  if ((n + 1) * (m + 1) > kLargest) return std::nullopt;
  auto hashes = [](std::vector<ProgramNode> const& nodes, std::string ProgramNode::*member) {
    std::vector<std::size_t> out;
    for (ProgramNode const& x : nodes) out.push_back(std::hash<std::string>{}(x.*member));
    return out;
  };
  auto const text_a = hashes(a, &ProgramNode::text), text_b = hashes(b, &ProgramNode::text);
  auto const head_a = hashes(a, &ProgramNode::head), head_b = hashes(b, &ProgramNode::head);
  constexpr int kSame = 8, kAlike = 3;
  auto weight = [&](std::size_t i, std::size_t k) {
    if (text_a[i] == text_b[k] && a[i].text == b[k].text) return kSame;
    bool const alike = head_a[i] == head_b[k] && a[i].head == b[k].head && !a[i].parts.empty() &&
                       a[i].parts.size() == b[k].parts.size();
    return alike ? kAlike : 0;
  };
  std::vector<int> best((n + 1) * (m + 1), 0);
  auto at = [&](std::size_t i, std::size_t k) -> int& { return best[i * (m + 1) + k]; };
  for (std::size_t i = n; i-- > 0;)
    for (std::size_t k = m; k-- > 0;) {
      int const w = weight(i, k);
      at(i, k) = std::max({at(i + 1, k), at(i, k + 1), w > 0 ? at(i + 1, k + 1) + w : 0});
    }
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (std::size_t i = 0, k = 0; i < n && k < m;) {
    int const w = weight(i, k);
    if (w > 0 && at(i, k) == at(i + 1, k + 1) + w) {
      out.emplace_back(i++, k++);
    } else if (at(i, k) == at(i + 1, k)) {
      ++i;
    } else {
      ++k;
    }
  }
  return out;
}

}  // namespace cuco::impl::transforming
