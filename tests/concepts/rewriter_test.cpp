// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/concepts.hpp"

#include <gtest/gtest.h>

#include "cuco/core/result.hpp"
#include "cuco/transform/rewrite.hpp"

namespace cuco {
namespace {

// The least a type may offer: no default construction, no copies.
struct Archetype {
  Archetype() = delete;
  Archetype(Archetype&&) noexcept {}
  Archetype& operator=(Archetype&&) noexcept { return *this; }
  Result<Rewrite> rewrite(RewriteRequest const&) { return Rewrite{}; }
};
static_assert(Rewriter<Archetype>);
static_assert(explain_rewriter<Archetype>());

struct Fixed : Archetype {
  Fixed(Fixed&&) = delete;
};
static_assert(!Rewriter<Fixed>);

struct Unassignable : Archetype {
  Unassignable(Unassignable&&) = default;
  Unassignable& operator=(Unassignable&&) = delete;
};
static_assert(!Rewriter<Unassignable>);

struct WithoutMember {};
static_assert(!Rewriter<WithoutMember>);

struct BareResult {
  Rewrite rewrite(RewriteRequest const&);
};
static_assert(!Rewriter<BareResult>);

struct OtherValue {
  Result<int> rewrite(RewriteRequest const&);
};
static_assert(!Rewriter<OtherValue>);

struct MutableArgument {
  Result<Rewrite> rewrite(RewriteRequest&);
};
static_assert(!Rewriter<MutableArgument>);

struct PrivateMember {
 private:
  Result<Rewrite> rewrite(RewriteRequest const&);
};
static_assert(!Rewriter<PrivateMember>);

TEST(RewriterConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(explain_rewriter<Archetype>());
}

}  // namespace
}  // namespace cuco
