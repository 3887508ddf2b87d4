// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cuco/core/embedding.hpp"
#include "cuco/core/mutation.hpp"
#include "cuco/core/result.hpp"
#include "cuco/embed/similarity_index.hpp"
#include "cuco/mutate/novel_options.hpp"

namespace cuco::impl {

/// What a filter thinks of one proposal.
struct NoveltyVerdict {
  bool is_new = true;
  std::vector<float> embedding{};
  std::optional<double>
      similarity{};    ///< With the nearest known program; empty: there is none, or it is not known.
  std::string note{};  ///< What went wrong, and what the judge said.
  std::optional<double> cost_usd = 0;  ///< Of the judge.
  std::optional<Error> error{};        ///< The judge has no means to go on: nothing is decided.
};

/// Compares proposals with the programs of a run. The list of programs it is shown only grows, so embeddings
/// are made and kept once; it is read anew when another list is shown.
class NoveltyFilter {
 public:
  using EmbedText = std::function<Result<Embedding>(std::string_view)>;
  explicit NoveltyFilter(NovelOptions options) : options_(std::move(options)) {}

  [[nodiscard]] NovelOptions const& options() const { return options_; }
  [[nodiscard]] NoveltyVerdict check(Mutation const& mutation,
                                     MutationContext const& context,
                                     EmbedText const& embed);

 private:
  [[nodiscard]] std::string text_of(std::string const& code) const;
  [[nodiscard]] Status follow(std::vector<std::string> const& known,
                              std::vector<std::vector<float>> const* embeddings,
                              std::size_t dimension,
                              EmbedText const& embed);
  /// Equal for programs with the same numbers and the same names of the libraries, each as often.
  [[nodiscard]] std::uint64_t settings_of(std::size_t known_index, std::string const& code);
  void ask_judge(std::string const& existing, std::string const& proposed, NoveltyVerdict& verdict);

  NovelOptions options_;
  SimilarityIndex index_{};
  std::vector<std::uint64_t> read_{};                          ///< Hash of each code in the index.
  std::unordered_map<std::size_t, std::uint64_t> settings_{};  ///< Of those that something came near to.
  int judged_in_ = -1;                                         ///< The generation of `judged_`.
  std::unordered_map<std::string, bool> judged_{};             ///< Text of a proposal, hashed -> new or not.
};

/// What the next proposal is told about one that was rejected.
[[nodiscard]] std::string rejection_advice(Mutation const& mutation, NoveltyVerdict const& verdict);
/// Writes the outcome to the mutation that is kept.
void note_novelty(Mutation& mutation, NoveltyVerdict& verdict, int checks);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/mutate/impl/novelty_filter-inl.hpp"
#endif
