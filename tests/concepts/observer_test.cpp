// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/concepts.hpp"

#include <gtest/gtest.h>

#include "cuco/core/event.hpp"
#include "cuco/core/result.hpp"

namespace cuco {
namespace {

// The least a type may offer: no default construction, no copies.
struct Archetype {
  Archetype() = delete;
  Archetype(Archetype&&) noexcept {}
  Archetype& operator=(Archetype&&) noexcept { return *this; }
  void on(Event const&) {}
};
static_assert(Observer<Archetype>);
static_assert(explain_observer<Archetype>());

struct Fixed : Archetype {
  Fixed(Fixed&&) = delete;
};
static_assert(!Observer<Fixed>);

struct WithoutMember {};
static_assert(!Observer<WithoutMember>);

struct Answers {
  bool on(Event const&);
};
static_assert(!Observer<Answers>);

struct ChangesTheEvent {
  void on(Event&);
};
static_assert(!Observer<ChangesTheEvent>);

TEST(ObserverConcept, IsCheckedAtCompileTime) {
  EXPECT_TRUE(explain_observer<Archetype>());
}

}  // namespace
}  // namespace cuco
