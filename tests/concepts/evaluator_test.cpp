// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/concepts.hpp"

#include <gtest/gtest.h>

#include "cuco/core/evaluation.hpp"
#include "cuco/core/result.hpp"

namespace cuco {
namespace {

// The least a type may offer: no default construction, no copies.
struct Archetype {
  Archetype() = delete;
  Archetype(Archetype&&) noexcept {}
  Archetype& operator=(Archetype&&) noexcept { return *this; }
  Result<Evaluation> evaluate(Candidate const&) const { return Evaluation{}; }
};
static_assert(Evaluator<Archetype>);
static_assert(explain_evaluator<Archetype>());

struct Fixed : Archetype {
  Fixed(Fixed&&) = delete;
};
static_assert(!Evaluator<Fixed>);

struct Unassignable : Archetype {
  Unassignable(Unassignable&&) = default;
  Unassignable& operator=(Unassignable&&) = delete;
};
static_assert(!Evaluator<Unassignable>);

struct WithoutMember {};
static_assert(!Evaluator<WithoutMember>);

struct WrongName {
  Result<Evaluation> evaluate_one(Candidate const&) const;
};
static_assert(!Evaluator<WrongName>);

struct BareResult {
  Evaluation evaluate(Candidate const&) const;
};
static_assert(!Evaluator<BareResult>);

struct OtherValue {
  Result<int> evaluate(Candidate const&) const;
};
static_assert(!Evaluator<OtherValue>);

struct MutableArgument {
  Result<Evaluation> evaluate(Candidate&) const;
};
static_assert(!Evaluator<MutableArgument>);

struct PrivateMember {
 private:
  Result<Evaluation> evaluate(Candidate const&) const;
};
static_assert(!Evaluator<PrivateMember>);

struct NotConst {
  Result<Evaluation> evaluate(Candidate const&);
};
static_assert(!Evaluator<NotConst>);

TEST(EvaluatorConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(explain_evaluator<Archetype>());
}

}  // namespace
}  // namespace cuco
