// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/concepts.hpp"

#include <gtest/gtest.h>

#include "cuco/core/embedding.hpp"
#include "cuco/core/result.hpp"

namespace cuco {
namespace {

// The least a type may offer: no default construction, no copies.
struct Archetype {
  Archetype() = delete;
  Archetype(Archetype&&) noexcept {}
  Archetype& operator=(Archetype&&) noexcept { return *this; }
  Result<Embedding> embed(std::string_view) { return Embedding{}; }
};
static_assert(Embedder<Archetype>);
static_assert(explain_embedder<Archetype>());

struct Fixed : Archetype {
  Fixed(Fixed&&) = delete;
};
static_assert(!Embedder<Fixed>);

struct Unassignable : Archetype {
  Unassignable(Unassignable&&) = default;
  Unassignable& operator=(Unassignable&&) = delete;
};
static_assert(!Embedder<Unassignable>);

struct WithoutMember {};
static_assert(!Embedder<WithoutMember>);

struct WrongName {
  Result<Embedding> embed_one(std::string_view);
};
static_assert(!Embedder<WrongName>);

struct BareResult {
  Embedding embed(std::string_view);
};
static_assert(!Embedder<BareResult>);

struct OtherValue {
  Result<int> embed(std::string_view);
};
static_assert(!Embedder<OtherValue>);

struct MutableArgument {
  Result<Embedding> embed(char*);
};
static_assert(!Embedder<MutableArgument>);

struct PrivateMember {
 private:
  Result<Embedding> embed(std::string_view);
};
static_assert(!Embedder<PrivateMember>);

TEST(EmbedderConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(explain_embedder<Archetype>());
}

}  // namespace
}  // namespace cuco
