// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/store/impl/storable.hpp"
#include "cuco/store/memory_storage.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE void MemoryStorage::remember(Undo undo) {
  if (!open_.empty()) log_.push_back(std::move(undo));
}

CUCO_EVOLVE_INLINE Result<void> MemoryStorage::add(Program program) {
  if (program.id.empty()) return impl::program_without_id();
  if (!index_.emplace(program.id.value, programs_.size()).second) return impl::program_exists(program.id);
  programs_.push_back(impl::storable(std::move(program)));
  remember({});
  return {};
}

CUCO_EVOLVE_INLINE Result<Program> MemoryStorage::get(ProgramId const& id) const {
  auto const found = index_.find(id.value);
  if (found == index_.end()) return impl::no_such_program(id);
  return programs_[found->second];
}

CUCO_EVOLVE_INLINE Result<Program> MemoryStorage::best() const {
  Program const* best = nullptr;
  for (auto const& p : programs_)
    if (p.correct && (best == nullptr || better(p, *best))) best = &p;
  if (best == nullptr) return impl::no_correct_program();
  return *best;
}

CUCO_EVOLVE_INLINE Result<std::vector<Program>> MemoryStorage::top(std::size_t n,
                                                                   ProgramFilter const& filter) const {
  std::vector<Program const*> found;
  for (auto const& p : programs_)
    if (matches(filter, p)) found.push_back(&p);
  std::sort(found.begin(), found.end(), [](auto* a, auto* b) { return better(*a, *b); });
  found.resize(std::min(n, found.size()));
  std::vector<Program> result;
  result.reserve(found.size());
  for (auto* p : found) result.push_back(*p);
  return result;
}

CUCO_EVOLVE_INLINE Result<std::vector<Program>> MemoryStorage::scan(ProgramFilter const& filter) const {
  std::vector<Program> result;
  for (auto const& p : programs_)
    if (matches(filter, p)) result.push_back(p);
  return result;
}

CUCO_EVOLVE_INLINE Result<void> MemoryStorage::update(Program const& program) {
  auto const found = index_.find(program.id.value);
  if (found == index_.end()) return impl::no_such_program(program.id);
  remember({std::exchange(programs_[found->second], impl::storable(program))});
  return {};
}

CUCO_EVOLVE_INLINE Result<void> MemoryStorage::set_archived(ProgramId const& id, bool archived) {
  auto const found = index_.find(id.value);
  if (found == index_.end()) return impl::no_such_program(id);
  if (!open_.empty()) remember({programs_[found->second]});
  programs_[found->second].in_archive = archived;
  return {};
}

CUCO_EVOLVE_INLINE Result<void> MemoryStorage::set_value(std::string const& key, std::string const& value) {
  if (key.empty()) return fail(ErrorCode::kInvalidArgument, "a stored value needs a key");
  auto const found = values_.find(key);
  remember({{}, key, found == values_.end() ? std::nullopt : std::optional(found->second)});
  values_[key] = value;
  return {};
}

CUCO_EVOLVE_INLINE Result<std::optional<std::string>> MemoryStorage::value(std::string const& key) const {
  auto const found = values_.find(key);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

CUCO_EVOLVE_INLINE Result<std::vector<Member>> MemoryStorage::members() const {
  std::vector<Member> result;
  result.reserve(programs_.size());
  for (auto const& p : programs_) result.push_back(impl::member_of(p));
  return result;
}

CUCO_EVOLVE_INLINE Status MemoryStorage::begin_() {
  open_.push_back(log_.size());
  return {};
}

CUCO_EVOLVE_INLINE Status MemoryStorage::commit_() {
  open_.pop_back();
  if (open_.empty()) log_.clear();
  return {};
}

CUCO_EVOLVE_INLINE void MemoryStorage::rollback_() {
  for (std::size_t const begin = open_.back(); log_.size() > begin; log_.pop_back()) {
    Undo& undo = log_.back();
    if (undo.program) {
      programs_[index_.at(undo.program->id.value)] = std::move(*undo.program);
    } else if (!undo.key.empty()) {
      if (undo.value) {
        values_[undo.key] = std::move(*undo.value);
      } else {
        values_.erase(undo.key);
      }
    } else {
      index_.erase(programs_.back().id.value);
      programs_.pop_back();
    }
  }
  open_.pop_back();
}

}  // namespace cuco
