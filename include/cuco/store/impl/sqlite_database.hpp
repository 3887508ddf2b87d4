// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// One run of a prepared statement; gives it back on destruction.
class SqliteStatement {
 public:
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  SqliteStatement(SqliteStatement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  ~SqliteStatement() {
    if (statement_ == nullptr) return;
    // Reset at once: a statement that is still running holds a read transaction open.
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

  void bind(int at, std::string_view text) {
    sqlite3_bind_text64(statement_, at, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  void bind(int at, long long value) { sqlite3_bind_int64(statement_, at, value); }
  void bind(int at, double value) {
    if (std::isfinite(value)) {
      sqlite3_bind_double(statement_, at, value);
    } else {
      sqlite3_bind_null(statement_, at);
    }
  }
  void bind_null(int at) { sqlite3_bind_null(statement_, at); }

  int step() { return sqlite3_step(statement_); }

  [[nodiscard]] std::string text(int column) const {
    auto const* bytes = static_cast<char const*>(sqlite3_column_blob(statement_, column));
    auto const size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return bytes == nullptr ? std::string() : std::string(bytes, size);
  }
  [[nodiscard]] int integer(int column) const { return sqlite3_column_int(statement_, column); }
  [[nodiscard]] double real(int column) const {
    double const value = sqlite3_column_double(statement_, column);
    return std::isfinite(value) ? value : 0.0;
  }

 private:
  sqlite3_stmt* statement_;
};

/// A connection, its prepared statements, and the words for its errors.
class SqliteDatabase {
 public:
  explicit SqliteDatabase(std::string file) : file_(std::move(file)) {}
  /// Stands for a database that could not be opened.
  SqliteDatabase(std::string file, Error why) : file_(std::move(file)), broken_(std::move(why)) {}
  SqliteDatabase(SqliteDatabase const&) = delete;
  SqliteDatabase& operator=(SqliteDatabase const&) = delete;
  ~SqliteDatabase() { close(); }

  void close() {
    for (auto& [sql, statement] : prepared_) sqlite3_finalize(statement);
    prepared_.clear();
    sqlite3_close(std::exchange(handle_, nullptr));
  }

  Status connect(std::string const& name, int flags) {
    if (int const code = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr); code != SQLITE_OK) {
      auto result = error("cannot open the database");
      close();
      return result;
    }
    sqlite3_extended_result_codes(handle_, 1);
    return {};
  }

  /// `sql` must live as long as this object: it is the key of the cache.
  Result<SqliteStatement> prepare(char const* sql) {
    if (handle_ == nullptr) return tl::unexpected<Error>(broken_);
    for (auto& [known, statement] : prepared_)
      if (known == sql) return SqliteStatement(statement);
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
      return error("the database refuses a statement");
    prepared_.emplace_back(sql, statement);
    return SqliteStatement(statement);
  }

  /// Runs SQL without result.
  Status execute(std::string const& sql) {
    if (handle_ == nullptr) return tl::unexpected<Error>(broken_);
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      return error("the database failed");
    return {};
  }

  /// Runs a statement that returns no rows.
  Status finish(SqliteStatement& statement, char const* what) {
    int const code = statement.step();
    if (code == SQLITE_DONE || code == SQLITE_ROW) return {};
    return error(what);
  }

  /// The first column of all rows of `sql`.
  Result<std::vector<std::string>> column(char const* sql, int which = 0) {
    if (handle_ == nullptr) return tl::unexpected<Error>(broken_);
    sqlite3_stmt* raw = nullptr;
    std::vector<std::string> rows;
    int code = sqlite3_prepare_v2(handle_, sql, -1, &raw, nullptr);
    std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> const owner(raw, sqlite3_finalize);
    if (code == SQLITE_OK) {
      while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
        auto const* text = reinterpret_cast<char const*>(sqlite3_column_text(raw, which));
        rows.emplace_back(text != nullptr ? text : "");
      }
    }
    if (code != SQLITE_DONE) return error("cannot read the database");
    return rows;
  }

  [[nodiscard]] tl::unexpected<Error> error(char const* what) const {
    int const code = handle_ != nullptr ? sqlite3_extended_errcode(handle_) : SQLITE_NOMEM;
    std::string cause = what;
    char const* remedy = "";
    switch (code & 0xff) {
      case SQLITE_FULL:
        cause = "the disk is full, the database is as it was before";
        remedy = "free some space and start again";
        break;
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        cause = "the database is locked by another process";
        remedy = "wait for it or end it";
        break;
      case SQLITE_READONLY:
        cause = "the database or its folder is read-only";
        remedy = "check owner, permissions and mount";
        break;
      case SQLITE_CANTOPEN:
      case SQLITE_IOERR: {
        // A full disk shows up here too, when SQLite extends its index file.
        int const reason = sqlite3_system_errno(handle_);
        cause = (code & 0xff) == SQLITE_IOERR ? "cannot read or write the database"
                                              : "cannot open or create the database";
        if (reason != 0) cause += ": " + errno_text(reason);
        remedy = reason != 0 ? errno_remedy(reason) : "check that its folder exists and can be written";
        break;
      }
      case SQLITE_NOTADB:
        cause = "not a SQLite database";
        remedy = "move the file away or choose another directory";
        break;
      case SQLITE_CORRUPT:
        cause = "the database is corrupt";
        remedy = "restore it from a copy or choose another directory";
        break;
      default:
        cause += std::string(": ") + (handle_ != nullptr ? sqlite3_errmsg(handle_) : "out of memory");
        // SQLite's words may span lines; an error is one.
        for (char& c : cause)
          if (c == '\n' || c == '\r') c = ' ';
    }
    return fail_at(ErrorCode::kStorage, file_, 0, std::move(cause), remedy);
  }

  [[nodiscard]] int code() const { return sqlite3_extended_errcode(handle_); }
  [[nodiscard]] bool in_transaction() const {
    return handle_ != nullptr && sqlite3_get_autocommit(handle_) == 0;
  }
  [[nodiscard]] sqlite3* handle() const { return handle_; }
  [[nodiscard]] std::string const& file() const { return file_; }

 private:
  std::string file_;
  sqlite3* handle_ = nullptr;
  Error broken_{ErrorCode::kStorage, "the database is not open"};
  std::vector<std::pair<char const*, sqlite3_stmt*>> prepared_;
};

}  // namespace cuco::impl
