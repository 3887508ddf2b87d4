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
  Result<Verdict> run(Candidate const&, Evidence&) const { return Verdict{}; }
  std::string_view name() const { return "archetype"; }
};
static_assert(Stage<Archetype>);
static_assert(explain_stage<Archetype>());

struct Fixed : Archetype {
  Fixed(Fixed&&) = delete;
};
static_assert(!Stage<Fixed>);

struct WithoutRun {
  std::string_view name() const;
};
static_assert(!Stage<WithoutRun>);

struct WithoutName {
  Result<Verdict> run(Candidate const&, Evidence&) const;
};
static_assert(!Stage<WithoutName>);

struct RunNotConst {
  Result<Verdict> run(Candidate const&, Evidence&);
  std::string_view name() const;
};
static_assert(!Stage<RunNotConst>);

struct NameNotConst {
  Result<Verdict> run(Candidate const&, Evidence&) const;
  std::string_view name();
};
static_assert(!Stage<NameNotConst>);

struct NameIsANumber {
  Result<Verdict> run(Candidate const&, Evidence&) const;
  int name() const;
};
static_assert(!Stage<NameIsANumber>);

struct BareVerdict {
  Verdict run(Candidate const&, Evidence&) const;
  std::string_view name() const;
};
static_assert(!Stage<BareVerdict>);

struct ChangesTheCandidate {
  Result<Verdict> run(Candidate&, Evidence&) const;
  std::string_view name() const;
};
static_assert(!Stage<ChangesTheCandidate>);

TEST(StageConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(explain_stage<Archetype>());
}

}  // namespace
}  // namespace cuco
