// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cuco/store/impl/storable.hpp"
#include "cuco/store/run_storage.hpp"

namespace cuco {

/// Keeps a run in memory: for tests, dry runs and libraries that persist elsewhere. Models RunStorage.
class MemoryStorage {
 public:
  [[nodiscard]] Result<void> add(Program program);
  [[nodiscard]] Result<Program> get(ProgramId const& id) const;
  [[nodiscard]] Result<Program> best() const;
  [[nodiscard]] Result<std::vector<Program>> top(std::size_t n, ProgramFilter const& filter = {}) const;
  [[nodiscard]] Result<std::vector<Program>> scan(ProgramFilter const& filter = {}) const;
  template <class F>
  [[nodiscard]] Result<void> transaction(F&& f) {
    return impl::run_transaction(*this, f);
  }

  [[nodiscard]] Result<void> update(Program const& program);
  [[nodiscard]] Result<void> set_archived(ProgramId const& id, bool archived);
  [[nodiscard]] Result<void> set_value(std::string const& key, std::string const& value);
  [[nodiscard]] Result<std::optional<std::string>> value(std::string const& key) const;
  [[nodiscard]] Result<std::size_t> size() const { return programs_.size(); }
  [[nodiscard]] Result<std::vector<Member>> members() const;

  /// @private Used by `transaction`.
  Status begin_();
  /// @private
  Status commit_();
  /// @private
  void rollback_();

 private:
  // How to take one change back. Programs are never removed, so an addition is always the last one.
  struct Undo {
    std::optional<Program> program{};  // what `update` replaced
    std::string key{};                 // not empty: what `set_value` replaced
    std::optional<std::string> value{};
  };
  void remember(Undo undo);

  std::vector<Program> programs_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, std::string> values_;
  std::vector<Undo> log_;
  std::vector<std::size_t> open_;  // where the log stood when each open transaction began
};

static_assert(explain_run_storage<MemoryStorage>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/store/memory_storage-inl.hpp"
#endif
