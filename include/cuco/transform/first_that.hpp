// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
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
    return ask<0>(request, first(request), stopped);
  }

  /// All of its rewriters' attempts.
  [[nodiscard]] int attempts(TransformStage stage) const {
    return std::apply([&](auto const&... r) { return (impl::transforming::attempts_of(r, stage) + ...); },
                      rewriters_);
  }
  [[nodiscard]] std::string name() const {
    std::string out;
    for (auto const& n : names_) out += (out.empty() ? "" : ", else ") + n;
    return out;
  }

 private:
  static constexpr std::size_t kCount = sizeof...(R);
  using Names = std::array<std::string, kCount>;

  [[nodiscard]] Names unique_names() const {
    Names names = std::apply(
        [](auto const&... r) { return Names{std::string(impl::transforming::name_of(r))...}; }, rewriters_);
    // Attempts are told apart by these.
    for (std::size_t i = 1; i < kCount; ++i) {
      auto const same = std::count(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]);
      if (same > 0) names[i] += " (" + std::to_string(same + 1) + ")";
    }
    return names;
  }

  /// The rewriter that made what this stage builds on, or the first one.
  [[nodiscard]] std::size_t first(RewriteRequest const& request) const {
    if (request.history == nullptr || request.stage != TransformStage::kDevice) return 0;
    for (auto i = request.history->rbegin(); i != request.history->rend(); ++i) {
      if (!i->accepted || i->stage != TransformStage::kInfrastructure || i->label == "input") continue;
      auto const who = std::find(names_.begin(), names_.end(), i->rewriter);
      return who == names_.end() ? 0 : static_cast<std::size_t>(who - names_.begin());
    }
    return 0;
  }

  /// How many of the failed attempts at this stage are `name`'s; `why` gets the reason of the last.
  [[nodiscard]] static int failures(RewriteRequest const& request,
                                    std::string const& name,
                                    std::string& why) {
    if (request.history == nullptr) return 0;
    auto const& all = *request.history;
    std::size_t const mine = std::min(all.size(), static_cast<std::size_t>(std::max(0, request.attempt - 1)));
    int count = 0;
    for (std::size_t i = all.size() - mine; i < all.size(); ++i) {
      if (all[i].rewriter != name) continue;
      ++count;
      why = all[i].message.substr(0, all[i].message.find('\n'));
    }
    return count;
  }

  template <std::size_t I>
  [[nodiscard]] Result<Rewrite> ask(RewriteRequest const& request,
                                    std::size_t begin,
                                    std::vector<std::string>& stopped) {
    constexpr bool kLast = I + 1 == kCount;
    auto& rewriter = std::get<I>(rewriters_);
    if constexpr (!kLast) {
      if (I < begin) return ask<I + 1>(request, begin, stopped);
      std::string why;
      if (failures(request, names_[I], why) >= impl::transforming::attempts_of(rewriter, request.stage)) {
        stopped.push_back(names_[I] + ": what it made failed: " + why);
        return ask<I + 1>(request, begin, stopped);
      }
    }
    auto out = rewriter.rewrite(request);
    if (!out && out.error().code == ErrorCode::kRefused) {
      if constexpr (!kLast) {
        stopped.push_back(names_[I] + ": refused: " + to_line(out.error()));
        return ask<I + 1>(request, begin, stopped);
      }
    }
    if (!out) {
      Error error = std::move(out).error();
      for (auto const& reason : stopped) error.detail += (error.detail.empty() ? "" : "\n") + reason;
      return tl::unexpected<Error>(std::move(error));
    }
    out->by = names_[I];
    std::vector<Change> told;
    for (auto const& reason : stopped) told.push_back({1, "ask " + names_[I], reason});
    out->changes.insert(out->changes.begin(), told.begin(), told.end());
    return out;
  }

  std::tuple<R...> rewriters_;
  Names names_;
};

static_assert(explain_rewriter<FirstThat<RuleRewriter<Api::LSA>, RuleRewriter<Api::LSA>>>());

}  // namespace cuco
