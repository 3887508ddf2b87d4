// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <vector>

#include "cuco/core/concepts.hpp"
#include "cuco/core/population.hpp"
#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

namespace impl {
template <class S>
concept HasUpdate = requires(S s, Program const& p) {
  s.update(p);
};
template <class S>
concept HasSetArchived = requires(S s, ProgramId const& id) {
  s.set_archived(id, true);
};
template <class S>
concept HasSetValue = requires(S s, std::string const& key) {
  s.set_value(key, key);
};
template <class S>
concept HasValue = requires(S s, std::string const& key) {
  s.value(key);
};
template <class S>
concept HasSize = requires(S s) {
  s.size();
};
template <class S>
concept HasMembers = requires(S s) {
  s.members();
};
}  // namespace impl

/// A `Storage` that can also keep the state of a run: what `Evolution` needs in order to resume.
///
/// **Syntax.**    `s.update(program)`, `s.set_archived(id, flag)`, `s.set_value(key, value) -> Result<void>`;
///                `s.value(key) -> Result<optional<string>>`; `s.size() -> Result<size_t>`;
///                `s.members() -> Result<vector<Member>>`.
/// **Semantics.** `update` replaces all fields of the program with that id; its place in the order stays.
///                `set_archived` changes `Program::in_archive` alone. Values are one text per key, separate
///                from the programs. `members` has every program in insertion order. All changes belong to
///                the `transaction` around them. A `transaction` inside another one makes all or none of its
///                own changes, and these share the fate of the outer one.
/// **Errors.**    kNotFound from `update` and `set_archived` for an unknown id; kStorage else.
template <class S>
concept RunStorage = Storage<S> &&
    requires(S s, S const& c, Program const& p, ProgramId const& id, std::string const& text) {
  { s.update(p) } -> std::same_as<Result<void>>;
  { s.set_archived(id, true) } -> std::same_as<Result<void>>;
  { s.set_value(text, text) } -> std::same_as<Result<void>>;
  { c.value(text) } -> std::same_as<Result<std::optional<std::string>>>;
  { c.size() } -> std::same_as<Result<std::size_t>>;
  { c.members() } -> std::same_as<Result<std::vector<Member>>>;
};

/// Says in prose why `S` is not a `RunStorage`.
template <class S>
consteval bool explain_run_storage() {
  if constexpr (RunStorage<S>) {
    return true;
  } else if constexpr (!Storage<S>) {
    return explain_storage<S>();
  } else if constexpr (!impl::HasUpdate<S>) {
    static_assert(impl::always_false<S>, "cuco: a RunStorage needs update(Program const&)");
  } else if constexpr (!impl::HasSetArchived<S>) {
    static_assert(impl::always_false<S>, "cuco: a RunStorage needs set_archived(ProgramId const&, bool)");
  } else if constexpr (!impl::HasSetValue<S> || !impl::HasValue<S const>) {
    static_assert(impl::always_false<S>,
                  "cuco: a RunStorage needs set_value(key, value) and value(key) const");
  } else if constexpr (!impl::HasSize<S const> || !impl::HasMembers<S const>) {
    static_assert(impl::always_false<S>, "cuco: a RunStorage needs size() const and members() const");
  } else {
    static_assert(impl::always_false<S>, "cuco: a member of this RunStorage returns the wrong type");
  }
  return false;
}

}  // namespace cuco
