// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/concepts.hpp"

#include <gtest/gtest.h>

#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"

namespace cuco {
namespace {

// The least a type may offer: no default construction, no copies.
struct Archetype {
  Archetype() = delete;
  Archetype(Archetype&&) noexcept {}
  Archetype& operator=(Archetype&&) noexcept { return *this; }
  Result<ChatReply> complete(ChatRequest const&) { return ChatReply{}; }
};
static_assert(LLMBackend<Archetype>);
static_assert(explain_llm_backend<Archetype>());

struct Fixed : Archetype {
  Fixed(Fixed&&) = delete;
};
static_assert(!LLMBackend<Fixed>);

struct Unassignable : Archetype {
  Unassignable(Unassignable&&) = default;
  Unassignable& operator=(Unassignable&&) = delete;
};
static_assert(!LLMBackend<Unassignable>);

struct WithoutMember {};
static_assert(!LLMBackend<WithoutMember>);

struct WrongName {
  Result<ChatReply> complete_one(ChatRequest const&);
};
static_assert(!LLMBackend<WrongName>);

struct BareResult {
  ChatReply complete(ChatRequest const&);
};
static_assert(!LLMBackend<BareResult>);

struct OtherValue {
  Result<int> complete(ChatRequest const&);
};
static_assert(!LLMBackend<OtherValue>);

struct MutableArgument {
  Result<ChatReply> complete(ChatRequest&);
};
static_assert(!LLMBackend<MutableArgument>);

struct PrivateMember {
 private:
  Result<ChatReply> complete(ChatRequest const&);
};
static_assert(!LLMBackend<PrivateMember>);

TEST(LLMBackendConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(explain_llm_backend<Archetype>());
}

}  // namespace
}  // namespace cuco
