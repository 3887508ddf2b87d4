// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cuco/store/impl/storable.hpp"
#include "cuco/store/run_storage.hpp"
#include "cuco/store/sqlite_options.hpp"

namespace cuco {

namespace impl {
class SqliteDatabase;
}

/// Keeps a run in a SQLite database in write-ahead-log mode: survives kill -9 at any instant. Models
/// RunStorage.
///
/// The tables are those of docs/storage.md. Any number of processes may read while one writes. One thread at
/// a time.
class SqliteStorage {
 public:
  /// Opens or creates the database. A `path` that ends in .sqlite, .sqlite3 or .db, or names an existing
  /// file, is the file itself; any other is a run directory, which holds `evolution_db.sqlite` and is created
  /// if needed. Errors: kStorage with the file when it is corrupt, not a SQLite database, a database of some
  /// other program, locked, or cannot be created or written; the file is then as it was. kNotFound for
  /// read_only when there is none.
  [[nodiscard]] static Result<SqliteStorage> open(std::string path, SqliteOptions options = {});

  /// The same for places that cannot return an error: when opening fails, every call returns that error.
  explicit SqliteStorage(std::string path, SqliteOptions options = {});

  SqliteStorage(SqliteStorage&&) noexcept;
  SqliteStorage& operator=(SqliteStorage&&) noexcept;
  ~SqliteStorage();

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
  [[nodiscard]] Result<std::size_t> size() const;
  [[nodiscard]] Result<std::vector<Member>> members() const;

  /// @private Used by `transaction`.
  Status begin_();
  /// @private
  Status commit_();
  /// @private
  void rollback_();

 private:
  explicit SqliteStorage(std::unique_ptr<impl::SqliteDatabase> database);
  [[nodiscard]] Result<std::vector<Program>> select(char const* sql,
                                                    ProgramFilter const& filter,
                                                    long long limit) const;
  [[nodiscard]] Status writable() const;
  [[nodiscard]] Status write_row(Program const& program, bool insert);

  std::unique_ptr<impl::SqliteDatabase> database_;
  int depth_ = 0;
};

static_assert(explain_run_storage<SqliteStorage>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/store/sqlite_storage-inl.hpp"
#endif
