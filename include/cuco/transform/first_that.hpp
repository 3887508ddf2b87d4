// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/transform/impl/rewriter_order.hpp"
#include "cuco/transform/impl/rewriter_traits.hpp"
#include "cuco/transform/rewrite.hpp"
#include "cuco/transform/rule_rewriter.hpp"

namespace cuco {

/// Several rewriters, each of which is asked when those before it cannot: `FirstThat{RuleRewriter<A>{},
/// LlmRewriter<A>{backend}}`.
///
/// A rewriter has had its turn at a stage when it refuses (kRefused) or when as many of its proposals as it
/// wants to make (one, without `attempts(stage)`) have failed. The next one then gets the same program and
/// what the earlier ones tried, and the changes say who took over and why. A stage that builds on the work of
/// a later rewriter begins with that one: the earlier ones would not know its helpers.
///
/// Errors: those of the rewriter that is asked; when the last one refuses, the detail has the reasons of all.
template <Rewriter... R>
requires(sizeof...(R) > 0) class FirstThat {
 public:
  explicit FirstThat(R... rewriters) : rewriters_(std::move(rewriters)...), names_(unique_names()) {}

  [[nodiscard]] Result<Rewrite> rewrite(RewriteRequest const& request) {
    std::vector<std::string> stopped;
    return ask<0>(request, impl::transforming::first_of(names_, request), stopped);
  }

  /// All of its rewriters' attempts.
  [[nodiscard]] int attempts(TransformStage stage) const {
    return std::apply([&](auto const&... r) { return (impl::transforming::attempts_of(r, stage) + ...); },
                      rewriters_);
  }
  [[nodiscard]] std::string name() const { return impl::transforming::joined_names(names_); }

 private:
  static constexpr std::size_t kCount = sizeof...(R);

  [[nodiscard]] std::vector<std::string> unique_names() const {
    return std::apply(
        [](auto const&... r) {
          return impl::transforming::unique_names({std::string(impl::transforming::name_of(r))...});
        },
        rewriters_);
  }

  template <std::size_t I>
  [[nodiscard]] Result<Rewrite> ask(RewriteRequest const& request,
                                    std::size_t begin,
                                    std::vector<std::string>& stopped) {
    constexpr bool kLast = I + 1 == kCount;
    auto& rewriter = std::get<I>(rewriters_);
    if constexpr (!kLast)
      if (I < begin) return ask<I + 1>(request, begin, stopped);
    std::string why;
    int const failed = impl::transforming::failures_of(names_[I], request, why);
    if (failed > 0 && failed >= impl::transforming::attempts_of(rewriter, request.stage)) {
      stopped.push_back(names_[I] + ": what it made failed: " + why);
      if constexpr (kLast)
        return impl::transforming::nobody_left(stopped);
      else
        return ask<I + 1>(request, begin, stopped);
    }
    auto out = rewriter.rewrite(request);
    if (!out && out.error().code == ErrorCode::kRefused) {
      if constexpr (!kLast) {
        stopped.push_back(names_[I] + ": refused: " + to_line(out.error()));
        return ask<I + 1>(request, begin, stopped);
      }
    }
    impl::transforming::tell_who(names_[I], stopped, out);
    return out;
  }

  std::tuple<R...> rewriters_;
  std::vector<std::string> names_;
};

static_assert(explain_rewriter<FirstThat<RuleRewriter<Api::LSA>, RuleRewriter<Api::LSA>>>());

}  // namespace cuco
