// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

namespace impl::evaluating {
/// Writes `main.cu`, makes `results`, removes logs of an interrupted evaluation.
[[nodiscard]] Result<Evidence> begin_evaluation(Candidate const& candidate);
/// Notes what a rung said. True when the next rung may run.
[[nodiscard]] bool note_rung(std::string_view rung, Verdict const& verdict, Evidence& evidence);
/// Makes the evaluation, writes `results/metrics.json` and `results/correct.json`.
[[nodiscard]] Result<Evaluation> finish_evaluation(Candidate const& candidate,
                                                   Evidence evidence,
                                                   Verdict const& verdict,
                                                   std::string_view rung);
}  // namespace impl::evaluating

/// An `Evaluator` made of rungs, the cheap ones first:
///
///     Cascade judge{LintStage{}, CompileStage{devices}, RunStage{devices}, BenchmarkStage{devices}};
///
/// Runs them in order and stops at the first that fails. The candidate's text is written to
/// `directory`/main.cu; the rungs' logs (build.log, run.log), metrics.json and correct.json go to
/// `directory`/results. Two rungs of one name are told apart in the notes as "run", "run#2".
template <Stage... S>
class Cascade {
  static_assert(sizeof...(S) > 0, "cuco: a Cascade needs at least one stage");

 public:
  explicit Cascade(S... stages) : stages_(std::move(stages)...) {}

  [[nodiscard]] Result<Evaluation> evaluate(Candidate const& candidate) const {
    auto evidence = impl::evaluating::begin_evaluation(candidate);
    if (!evidence) return forward_error(std::move(evidence));
    Result<Verdict> verdict = Verdict{};
    std::string rung;
    auto climb = [&](auto const& stage) {
      rung = stage.name();
      verdict = stage.run(candidate, *evidence);
      return verdict && impl::evaluating::note_rung(rung, *verdict, *evidence);
    };
    std::apply([&](auto const&... stage) { (climb(stage) && ...); }, stages_);
    if (!verdict) return forward_error(std::move(verdict));
    return impl::evaluating::finish_evaluation(candidate, std::move(*evidence), *verdict, rung);
  }

 private:
  std::tuple<S...> stages_;
};

template <class... S>
Cascade(S...) -> Cascade<S...>;

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/cascade-inl.hpp"
#endif
