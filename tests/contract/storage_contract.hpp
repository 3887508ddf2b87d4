// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The behaviour that every model of Storage and RunStorage shares. To test a model, give a factory
//   struct MyFactory { using Model = MyStorage; Model make(); };  // make(): a new, empty storage
// and instantiate the suites: INSTANTIATE_TYPED_TEST_SUITE_P(My, StorageContract, MyFactory);

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <stdexcept>

#include "cuco/core/rng.hpp"
#include "cuco/store/run_storage.hpp"

namespace cuco {

inline Program contract_program(std::string id, double score = 0, bool correct = true) {
  Program p;
  p.id = {std::move(id)};
  p.code = "int main() {}\n";
  p.combined_score = score;
  p.correct = correct;
  return p;
}

/// A program in which every field has a value that is hard to keep.
inline Program contract_full_program() {
  Program p = contract_program("gen_7/\"quoted\" 'id' \xc3\xa9");
  p.code = std::string("line 1\r\nline 2\0after NUL\n\t\xff\xfe not UTF-8", 38);
  p.language = "cuda";
  p.parent_id = {"parent"};
  p.archive_inspiration_ids = {{"a"}, {"b"}};
  p.top_k_inspiration_ids = {{"c"}};
  p.generation = 7;
  p.island = 3;
  p.timestamp = 1763629200.123456;
  p.code_diff = "--- a\n+++ b\n";
  p.combined_score = 0.1 + 0.2;
  p.public_metrics = {{"z_first", 1.0 / 3}, {"a_second", -0.0}, {"big", 1e300}, {"tiny", 5e-324}};
  p.private_metrics = {{"x", 42}};
  p.text_feedback = "line\n'; DROP TABLE programs; --";
  p.complexity = 2.5;
  p.embedding = {0.1F, -1e-30F, 3.4e37F};
  p.children_count = 5;
  p.in_archive = true;
  p.migration_history = {{4, 0, 3}, {6, 3, 1}};
  p.metadata = {
      {"patch_name", "unroll"}, {"empty", ""}, {"number", "17"}, {"json", "{\"a\": [1]}"}, {"bool", "true"}};
  return p;
}

inline void expect_same(Program const& a, Program const& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.code, b.code);
  EXPECT_EQ(a.language, b.language);
  EXPECT_EQ(a.parent_id, b.parent_id);
  EXPECT_EQ(a.archive_inspiration_ids, b.archive_inspiration_ids);
  EXPECT_EQ(a.top_k_inspiration_ids, b.top_k_inspiration_ids);
  EXPECT_EQ(a.generation, b.generation);
  EXPECT_EQ(a.island, b.island);
  EXPECT_EQ(a.timestamp, b.timestamp);
  EXPECT_EQ(a.code_diff, b.code_diff);
  EXPECT_EQ(a.correct, b.correct);
  EXPECT_EQ(a.combined_score, b.combined_score);
  EXPECT_EQ(a.public_metrics, b.public_metrics);
  EXPECT_EQ(a.private_metrics, b.private_metrics);
  EXPECT_EQ(a.text_feedback, b.text_feedback);
  EXPECT_EQ(a.complexity, b.complexity);
  EXPECT_EQ(a.embedding, b.embedding);
  EXPECT_EQ(a.children_count, b.children_count);
  EXPECT_EQ(a.in_archive, b.in_archive);
  EXPECT_EQ(a.migration_history, b.migration_history);
  EXPECT_EQ(a.metadata, b.metadata);
}

inline std::vector<std::string> ids_of(std::vector<Program> const& programs) {
  std::vector<std::string> ids;
  for (auto const& p : programs) ids.push_back(p.id.value);
  return ids;
}

using Ids = std::vector<std::string>;

template <class Factory>
class StorageContract : public testing::Test {
 protected:
  Factory factory_;
  typename Factory::Model storage_ = factory_.make();
};
TYPED_TEST_SUITE_P(StorageContract);

TYPED_TEST_P(StorageContract, GivesBackWhatItWasGiven) {
  Program const p = contract_full_program();
  ASSERT_TRUE(this->storage_.add(p));
  auto const back = this->storage_.get(p.id);
  ASSERT_TRUE(back) << to_line(back.error());
  expect_same(*back, p);
}

TYPED_TEST_P(StorageContract, KeepsNumbersThatAreNotFiniteOut) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  double const inf = std::numeric_limits<double>::infinity();
  Program p = contract_program("a");
  p.combined_score = nan;
  p.complexity = inf;
  p.timestamp = -inf;
  p.public_metrics = {{"bad", nan}, {"good", 1}, {"worse", inf}};
  p.embedding = {1.0F, std::numeric_limits<float>::quiet_NaN()};
  ASSERT_TRUE(this->storage_.add(p));
  ASSERT_TRUE(this->storage_.add(contract_program("b", 1)));
  auto const back = this->storage_.get({"a"});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->combined_score, 0);
  EXPECT_EQ(back->complexity, 0);
  EXPECT_EQ(back->timestamp, 0);
  EXPECT_EQ(back->public_metrics, (Metrics{{"good", 1}}));
  EXPECT_EQ(back->embedding, (std::vector<float>{1.0F, 0.0F}));
  EXPECT_EQ(this->storage_.best()->id.value, "b");
}

TYPED_TEST_P(StorageContract, RefusesASecondProgramOfTheSameId) {
  ASSERT_TRUE(this->storage_.add(contract_program("a", 1)));
  auto const again = this->storage_.add(contract_program("a", 2));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
  EXPECT_NE(again.error().cause.find("'a'"), std::string::npos);
  EXPECT_EQ(this->storage_.get({"a"})->combined_score, 1);
  EXPECT_EQ(this->storage_.add(contract_program("")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(this->storage_.scan({})->size(), 1U);
}

TYPED_TEST_P(StorageContract, SaysWhatIsNotThere) {
  EXPECT_EQ(this->storage_.get({"nobody"}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(this->storage_.best().error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(this->storage_.top(3, {})->empty());
  EXPECT_TRUE(this->storage_.scan({})->empty());
  ASSERT_TRUE(this->storage_.add(contract_program("wrong", 99, false)));
  EXPECT_EQ(this->storage_.best().error().code, ErrorCode::kNotFound);
}

TYPED_TEST_P(StorageContract, OrdersByBetterAndByInsertion) {
  auto add = [&](char const* id, double score, bool correct, int generation) {
    Program p = contract_program(id, score, correct);
    p.generation = generation;
    ASSERT_TRUE(this->storage_.add(p));
  };
  add("wrong", 500, false, 0);
  add("z", 5, true, 2);
  add("late", 9, true, 3);
  add("early", 9, true, 1);
  add("y", 5, true, 2);
  EXPECT_EQ(ids_of(*this->storage_.scan({})), (Ids{"wrong", "z", "late", "early", "y"}));
  EXPECT_EQ(ids_of(*this->storage_.top(99, {})), (Ids{"early", "late", "y", "z", "wrong"}));
  EXPECT_EQ(ids_of(*this->storage_.top(2, {})), (Ids{"early", "late"}));
  EXPECT_TRUE(this->storage_.top(0, {})->empty());
  EXPECT_EQ(this->storage_.top(std::numeric_limits<std::size_t>::max(), {})->size(), 5U);
  EXPECT_EQ(this->storage_.best()->id.value, "early");
}

TYPED_TEST_P(StorageContract, Filters) {
  for (int i = 0; i < 12; ++i) {
    Program p = contract_program("p" + std::to_string(10 + i), i, i % 2 == 0);
    p.island = i % 3;
    p.generation = i;
    p.in_archive = i % 4 == 0;
    ASSERT_TRUE(this->storage_.add(p));
  }
  ProgramFilter filter;
  filter.island = 0;
  EXPECT_EQ(ids_of(*this->storage_.scan(filter)), (Ids{"p10", "p13", "p16", "p19"}));
  filter.correct_only = true;
  EXPECT_EQ(ids_of(*this->storage_.scan(filter)), (Ids{"p10", "p16"}));
  EXPECT_EQ(ids_of(*this->storage_.top(1, filter)), (Ids{"p16"}));
  filter = {};
  filter.archive_only = true;
  EXPECT_EQ(ids_of(*this->storage_.scan(filter)), (Ids{"p10", "p14", "p18"}));
  filter.min_generation = 5;
  EXPECT_EQ(ids_of(*this->storage_.scan(filter)), (Ids{"p18"}));
}

TYPED_TEST_P(StorageContract, ATransactionMakesAllOrNone) {
  auto& s = this->storage_;
  ASSERT_TRUE(s.transaction([&]() -> Result<void> {
    if (auto r = s.add(contract_program("a")); !r) return r;
    return s.add(contract_program("b"));
  }));
  auto const failed = s.transaction([&]() -> Result<void> {
    EXPECT_TRUE(s.add(contract_program("c")));
    EXPECT_TRUE(s.get({"c"})) << "a transaction sees its own changes";
    return fail(ErrorCode::kBudget, "changed my mind");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kBudget);
  EXPECT_EQ(failed.error().cause, "changed my mind");
  EXPECT_EQ(ids_of(*s.scan({})), (Ids{"a", "b"}));
  EXPECT_TRUE(s.add(contract_program("c"))) << "as if it had never been there";
}

TYPED_TEST_P(StorageContract, ATransactionInsideAnotherOneSharesItsFate) {
  auto& s = this->storage_;
  auto const outer_fails = s.transaction([&]() -> Result<void> {
    EXPECT_TRUE(s.transaction([&] { return s.add(contract_program("inner")); }));
    return fail(ErrorCode::kBudget, "outer");
  });
  EXPECT_FALSE(outer_fails);
  EXPECT_TRUE(s.scan({})->empty());
  ASSERT_TRUE(s.transaction([&]() -> Result<void> {
    EXPECT_TRUE(s.add(contract_program("before")));
    EXPECT_FALSE(s.transaction([&]() -> Result<void> {
      EXPECT_TRUE(s.add(contract_program("lost")));
      return fail(ErrorCode::kBudget, "inner");
    }));
    EXPECT_FALSE(s.add(contract_program("before"))) << "a refused change leaves the transaction usable";
    return s.add(contract_program("after"));
  }));
  EXPECT_EQ(ids_of(*s.scan({})), (Ids{"before", "after"}));
}

TYPED_TEST_P(StorageContract, AnExceptionInATransactionIsAnErrorAndChangesNothing) {
  auto& s = this->storage_;
  auto const thrown = s.transaction([&]() -> Result<void> {
    EXPECT_TRUE(s.add(contract_program("a")));
    throw std::runtime_error("oops");
  });
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().code, ErrorCode::kInternal);
  EXPECT_NE(thrown.error().cause.find("oops"), std::string::npos);
  EXPECT_TRUE(s.scan({})->empty());
  EXPECT_TRUE(s.transaction([&] { return s.add(contract_program("a")); }));
}

TYPED_TEST_P(StorageContract, KeepsItsContentWhenMoved) {
  ASSERT_TRUE(this->storage_.add(contract_program("a")));
  auto moved = std::move(this->storage_);
  EXPECT_TRUE(moved.get({"a"}));
  EXPECT_TRUE(moved.add(contract_program("b")));
  this->storage_ = std::move(moved);
  EXPECT_EQ(ids_of(*this->storage_.scan({})), (Ids{"a", "b"}));
}

REGISTER_TYPED_TEST_SUITE_P(StorageContract,
                            GivesBackWhatItWasGiven,
                            KeepsNumbersThatAreNotFiniteOut,
                            RefusesASecondProgramOfTheSameId,
                            SaysWhatIsNotThere,
                            OrdersByBetterAndByInsertion,
                            Filters,
                            ATransactionMakesAllOrNone,
                            ATransactionInsideAnotherOneSharesItsFate,
                            AnExceptionInATransactionIsAnErrorAndChangesNothing,
                            KeepsItsContentWhenMoved);

template <class Factory>
class RunStorageContract : public StorageContract<Factory> {};
TYPED_TEST_SUITE_P(RunStorageContract);

TYPED_TEST_P(RunStorageContract, UpdatesInPlace) {
  auto& s = this->storage_;
  Program p = contract_full_program();
  Program plain = contract_program(p.id.value);
  ASSERT_TRUE(s.add(plain));
  ASSERT_TRUE(s.add(contract_program("later")));
  ASSERT_TRUE(s.update(p));
  expect_same(*s.get(p.id), p);
  EXPECT_EQ(ids_of(*s.scan({})), (Ids{p.id.value, "later"}));
  ASSERT_TRUE(s.update(plain));
  expect_same(*s.get(p.id), plain);
  EXPECT_EQ(s.update(contract_program("nobody")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(*s.size(), 2U);
}

TYPED_TEST_P(RunStorageContract, ChangesTheArchiveAlone) {
  auto& s = this->storage_;
  Program p = contract_full_program();
  ASSERT_TRUE(s.add(p));
  for (bool flag : {false, false, true, true}) {
    ASSERT_TRUE(s.set_archived(p.id, flag));
    p.in_archive = flag;
    expect_same(*s.get(p.id), p);
    EXPECT_EQ(s.members()->front().in_archive, flag);
  }
  EXPECT_EQ(s.set_archived({"nobody"}, true).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(s.set_archived({"nobody"}, false).error().code, ErrorCode::kNotFound);
}

TYPED_TEST_P(RunStorageContract, KeepsValues) {
  auto& s = this->storage_;
  ASSERT_TRUE(s.value("k"));
  EXPECT_FALSE(s.value("k")->has_value());
  ASSERT_TRUE(s.set_value("k", ""));
  EXPECT_EQ(s.value("k")->value(), "");
  std::string const odd("a\0b'\xff", 5);
  ASSERT_TRUE(s.set_value("k", odd));
  ASSERT_TRUE(s.set_value("other", "2"));
  EXPECT_EQ(s.value("k")->value(), odd);
  EXPECT_FALSE(s.set_value("", "x"));
  EXPECT_FALSE(s.transaction([&]() -> Result<void> {
    EXPECT_TRUE(s.set_value("k", "new"));
    EXPECT_TRUE(s.set_value("fresh", "new"));
    return fail(ErrorCode::kBudget, "no");
  }));
  EXPECT_EQ(s.value("k")->value(), odd);
  EXPECT_FALSE(s.value("fresh")->has_value());
}

TYPED_TEST_P(RunStorageContract, ListsMembers) {
  auto& s = this->storage_;
  EXPECT_TRUE(s.members()->empty());
  Program p = contract_program("b", 3.5);
  p.generation = 4;
  p.island = 2;
  p.children_count = 6;
  p.in_archive = true;
  ASSERT_TRUE(s.add(p));
  ASSERT_TRUE(s.add(contract_program("a", 1, false)));
  auto const members = s.members();
  ASSERT_TRUE(members);
  ASSERT_EQ(members->size(), 2U);
  Member const& m = members->front();
  EXPECT_EQ(m.id.value, "b");
  EXPECT_EQ(m.score, 3.5);
  EXPECT_TRUE(m.correct);
  EXPECT_TRUE(m.in_archive);
  EXPECT_EQ(m.generation, 4);
  EXPECT_EQ(m.island, 2);
  EXPECT_EQ(m.children, 6);
  EXPECT_EQ(members->back().id.value, "a");
  EXPECT_FALSE(members->back().correct);
  EXPECT_EQ(*s.size(), 2U);
}

// Random changes in random, randomly failing transactions, compared with plain copies of a map.
TYPED_TEST_P(RunStorageContract, BehavesLikeAMap) {
  struct Model {
    std::vector<std::string> order;
    std::map<std::string, Program> programs;
    std::map<std::string, std::string> values;
  };
  Rng rng(20);
  auto& s = this->storage_;
  Model model;
  auto random_program = [&](std::string id) {
    Program p = contract_program(std::move(id), static_cast<double>(rng.below(5)), rng.chance(0.7));
    p.generation = static_cast<int>(rng.below(4));
    p.island = static_cast<int>(rng.below(3));
    p.children_count = static_cast<int>(rng.below(9));
    p.in_archive = rng.chance(0.5);
    return p;
  };
  auto change = [&] {
    std::string const id = "p" + std::to_string(rng.below(40));
    bool const known = model.programs.count(id) != 0;
    switch (rng.below(4)) {
      case 0: {
        Program const p = random_program(id);
        EXPECT_EQ(s.add(p).has_value(), !known);
        if (known) break;
        model.order.push_back(id);
        model.programs[id] = p;
        break;
      }
      case 1: {
        Program const p = random_program(id);
        EXPECT_EQ(s.update(p).has_value(), known);
        if (known) model.programs[id] = p;
        break;
      }
      case 2: {
        bool const flag = rng.chance(0.5);
        EXPECT_EQ(s.set_archived({id}, flag).has_value(), known);
        if (known) model.programs[id].in_archive = flag;
        break;
      }
      default:
        EXPECT_TRUE(s.set_value(id, std::to_string(rng.below(9))));
        model.values[id] = s.value(id)->value();
    }
  };
  std::function<Result<void>(int)> some_changes = [&](int depth) {
    Model const before = model;
    bool const fails = rng.chance(0.3);
    auto const done = s.transaction([&]() -> Result<void> {
      for (std::size_t n = rng.below(5); n > 0; --n) change();
      if (depth < 3 && rng.chance(0.5)) (void)some_changes(depth + 1);
      for (std::size_t n = rng.below(3); n > 0; --n) change();
      if (fails) return fail(ErrorCode::kBudget, "no");
      return {};
    });
    EXPECT_EQ(done.has_value(), !fails);
    if (fails) model = before;
    return done;
  };
  for (int round = 0; round < 200; ++round) {
    if (rng.chance(0.3)) change();
    (void)some_changes(0);
    ASSERT_EQ(*s.size(), model.order.size());
    ProgramFilter filter;
    filter.island = static_cast<int>(rng.below(4)) - 1;
    filter.correct_only = rng.chance(0.5);
    filter.archive_only = rng.chance(0.3);
    filter.min_generation = static_cast<int>(rng.below(3));
    std::vector<Program> expected;
    for (auto const& id : model.order)
      if (matches(filter, model.programs[id])) expected.push_back(model.programs[id]);
    auto const scanned = s.scan(filter);
    ASSERT_TRUE(scanned);
    ASSERT_EQ(ids_of(*scanned), ids_of(expected));
    for (std::size_t i = 0; i < expected.size(); ++i) expect_same((*scanned)[i], expected[i]);
    std::sort(expected.begin(), expected.end(), better);
    ASSERT_EQ(
        ids_of(*s.top(5, filter)),
        ids_of({expected.begin(), expected.begin() + std::min<std::ptrdiff_t>(5, std::ssize(expected))}));
    for (auto const& [key, value] : model.values) ASSERT_EQ(s.value(key)->value_or("none"), value);
  }
}

REGISTER_TYPED_TEST_SUITE_P(
    RunStorageContract, UpdatesInPlace, ChangesTheArchiveAlone, KeepsValues, ListsMembers, BehavesLikeAMap);

}  // namespace cuco
