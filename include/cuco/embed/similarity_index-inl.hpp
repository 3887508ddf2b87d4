// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "cuco/core/impl/inline.hpp"
#include "cuco/embed/similarity_index.hpp"

namespace cuco {

namespace impl {

inline constexpr std::size_t kDotWidth = 16;

/// `n` is a multiple of the width. One sum per lane, so that the compiler may use vector instructions without
/// being allowed to reorder sums.
CUCO_EVOLVE_INLINE float dot_product(float const* a, float const* b, std::size_t n) {
  float sums[kDotWidth] = {};
  for (std::size_t i = 0; i < n; i += kDotWidth)
    for (std::size_t k = 0; k < kDotWidth; ++k) sums[k] += a[i + k] * b[i + k];
  for (std::size_t half = kDotWidth / 2; half > 0; half /= 2)
    for (std::size_t k = 0; k < half; ++k) sums[k] += sums[k + half];
  return sums[0];
}

}  // namespace impl

/// Padded to the width of the loop; all zero for what has no direction.
CUCO_EVOLVE_INLINE std::vector<float> SimilarityIndex::unit_row(std::vector<float> const& values) const {
  std::vector<float> row(stride_, 0.0F);
  double squares = 0;
  for (float const v : values) squares += static_cast<double>(v) * static_cast<double>(v);
  if (!(squares > 0) || !std::isfinite(squares)) return row;
  double const length = std::sqrt(squares);
  std::transform(values.begin(), values.end(), row.begin(), [&](float v) {
    return static_cast<float>(static_cast<double>(v) / length);
  });
  return row;
}

CUCO_EVOLVE_INLINE Status SimilarityIndex::add(std::vector<float> const& embedding) {
  if (embedding.empty()) return fail(ErrorCode::kInvalidArgument, "an embedding without values");
  if (dimension_ == 0) {
    dimension_ = embedding.size();
    stride_ = (dimension_ + impl::kDotWidth - 1) / impl::kDotWidth * impl::kDotWidth;
  }
  if (embedding.size() != dimension_)
    return fail(ErrorCode::kInvalidArgument,
                "an embedding of dimension " + std::to_string(embedding.size()) +
                    " in an index of dimension " + std::to_string(dimension_),
                "use one embedder for one index");
  auto const row = unit_row(embedding);
  rows_.insert(rows_.end(), row.begin(), row.end());
  ++size_;
  return {};
}

CUCO_EVOLVE_INLINE Status SimilarityIndex::check(std::vector<float> const& query) const {
  if (query.size() == dimension_) return {};
  return fail(ErrorCode::kInvalidArgument,
              "a query of dimension " + std::to_string(query.size()) + " in an index of dimension " +
                  std::to_string(dimension_),
              "use one embedder for one index");
}

CUCO_EVOLVE_INLINE Result<std::vector<SimilarityIndex::Match>> SimilarityIndex::above(
    std::vector<float> const& query, double cosine) const {
  std::vector<Match> matches;
  if (size_ == 0) return matches;
  if (auto same = check(query); !same) return forward_error(std::move(same));
  auto const unit = unit_row(query);
  for (std::size_t i = 0; i < size_; ++i) {
    auto const product =
        static_cast<double>(impl::dot_product(rows_.data() + i * stride_, unit.data(), stride_));
    if (std::clamp(product, -1.0, 1.0) > cosine) matches.push_back({i, std::clamp(product, -1.0, 1.0)});
  }
  std::stable_sort(
      matches.begin(), matches.end(), [](Match const& a, Match const& b) { return a.cosine > b.cosine; });
  return matches;
}

CUCO_EVOLVE_INLINE Result<std::optional<SimilarityIndex::Match>> SimilarityIndex::nearest(
    std::vector<float> const& query) const {
  if (size_ == 0) return std::optional<Match>();
  if (auto same = check(query); !same) return forward_error(std::move(same));
  auto const unit = unit_row(query);
  Match best;
  float most = -2.0F;
  for (std::size_t i = 0; i < size_; ++i) {
    float const cosine = impl::dot_product(rows_.data() + i * stride_, unit.data(), stride_);
    if (cosine > most) {
      most = cosine;
      best.index = i;
    }
  }
  best.cosine = std::clamp(static_cast<double>(most), -1.0, 1.0);
  return std::optional<Match>(best);
}

CUCO_EVOLVE_INLINE void SimilarityIndex::clear() {
  *this = SimilarityIndex();
}

}  // namespace cuco
