// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "cuco/core/result.hpp"

namespace cuco {

/// Finds the nearest of many embeddings by cosine: exact, one product of a matrix and a vector in float32 per
/// query.
///
/// Embeddings of other lengths than 1 are normalised. One that is zero or not finite has cosine 0 with
/// everything.
class SimilarityIndex {
 public:
  struct Match {
    std::size_t index =
        0;  ///< Of the `add` that brought it, from 0; the smallest where several are equally near.
    double cosine = 0;  ///< In [-1, 1].
  };

  /// Adds one embedding; the first one sets the dimension. Errors: kInvalidArgument for another dimension, or
  /// none.
  [[nodiscard]] Status add(std::vector<float> const& embedding);

  /// The most similar embedding; empty when the index is. Errors: kInvalidArgument for another dimension.
  /// Several threads at once, unless one of them adds.
  [[nodiscard]] Result<std::optional<Match>> nearest(std::vector<float> const& query) const;

  /// All embeddings that are more similar than `cosine`, the most similar first, and the smaller index before
  /// an equal one. Errors and threads as `nearest`.
  [[nodiscard]] Result<std::vector<Match>> above(std::vector<float> const& query, double cosine) const;

  [[nodiscard]] std::size_t size() const { return size_; }
  /// 0 as long as the index is empty.
  [[nodiscard]] std::size_t dimension() const { return dimension_; }
  /// Forgets everything, the dimension too.
  void clear();

 private:
  [[nodiscard]] Status check(std::vector<float> const& query) const;
  [[nodiscard]] std::vector<float> unit_row(std::vector<float> const& values) const;
  std::size_t dimension_ = 0;
  std::size_t stride_ = 0;  ///< Floats per row, a multiple of the loop's width; the rest is zero.
  std::size_t size_ = 0;
  std::vector<float> rows_{};
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/embed/similarity_index-inl.hpp"
#endif
