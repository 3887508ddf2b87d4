// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cuco/core/concepts.hpp"
#include "cuco/core/embedding.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Embeds C++ and CUDA text without a model: hashed n-grams of its tokens. Needs no network and gives the
/// same bits on every machine.
///
/// Tokens are identifiers, numbers, literals and operators; comments and layout do not count, and neither
/// does how a number is spelled (0x10, 16u and 1'6 are one). Five kinds of features are counted:
///
/// - every run of 1, 2 and 3 tokens as it is, with weight 1,
/// - the same with each identifier that the program itself chose replaced by one word, with weight 2;
/// keywords and the
///   names of CUDA, NCCL and MPI stay,
/// - every number but 0 and 1 with the two tokens before it, with weight 20,
/// - every name of CUDA, NCCL and MPI with the two tokens before it, with weight 10,
/// - every number but 0 and 1 with the name it is given (`name = 4`), with weight 14.
///
/// So two programs that differ in comments and layout have cosine 1; renaming one thing leaves about 0.999,
/// and changing one constant about 0.99. In a long program, that may be more than the usual threshold of
/// novelty; `Novel` therefore compares the numbers themselves too.
///
/// How often a feature occurs enters by its square root. Features are hashed to `dimension` places with a
/// sign; the result has length 1. Text without tokens has a point of its own. Any thread.
class NgramEmbedder {
 public:
  static constexpr std::size_t kDefaultDimension = 1024;

  NgramEmbedder() = default;
  explicit NgramEmbedder(std::size_t dimension) : dimension_(dimension) {}

  /// Errors: kInvalidArgument for dimension 0.
  [[nodiscard]] Result<Embedding> embed(std::string_view text) const;
  [[nodiscard]] std::size_t dimension() const { return dimension_; }
  [[nodiscard]] std::string model() const { return "ngram:" + std::to_string(dimension_); }

 private:
  std::size_t dimension_ = kDefaultDimension;
};

static_assert(explain_embedder<NgramEmbedder>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/embed/ngram_embedder-inl.hpp"
#endif
