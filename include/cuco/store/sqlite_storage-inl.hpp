// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/store/impl/column_json.hpp"
#include "cuco/store/impl/sqlite_database.hpp"
#include "cuco/store/impl/sqlite_queries.hpp"
#include "cuco/store/impl/sqlite_schema.hpp"
#include "cuco/store/impl/storable.hpp"
#include "cuco/store/sqlite_storage.hpp"

namespace cuco {

namespace impl {

CUCO_EVOLVE_INLINE Program program_of(SqliteStatement const& row) {
  auto const json = [&](int column) { return parse_or_null(row.text(column)); };
  Program p;
  p.id = {row.text(0)};
  p.code = row.text(1);
  p.language = row.text(2);
  p.parent_id = {row.text(3)};
  p.archive_inspiration_ids = ids_from_json(json(4));
  p.top_k_inspiration_ids = ids_from_json(json(5));
  p.generation = row.integer(6);
  p.timestamp = row.real(7);
  p.code_diff = row.text(8);
  p.combined_score = row.real(9);
  p.public_metrics = metrics_from_json(json(10));
  p.private_metrics = metrics_from_json(json(11));
  p.text_feedback = row.text(12);
  p.complexity = row.real(13);
  p.embedding = embedding_from_text(row.text(14));
  p.correct = row.integer(15) == 1;
  p.children_count = row.integer(16);
  p.metadata = attributes_from_json(json(17));
  p.migration_history = migrations_from_json(json(18));
  p.island = row.integer(19);
  p.in_archive = row.integer(20) != 0;
  return p;
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<SqliteStorage> SqliteStorage::open(std::string path, SqliteOptions options) {
  if (path.empty()) return fail(ErrorCode::kInvalidArgument, "the path of the database is empty");
  auto database = std::make_unique<impl::SqliteDatabase>(impl::database_file(path));
  if (auto ok = impl::connect_database(*database, options); !ok) return forward_error(std::move(ok));
  return SqliteStorage(std::move(database));
}

CUCO_EVOLVE_INLINE SqliteStorage::SqliteStorage(std::string path, SqliteOptions options) {
  auto opened = open(path, options);
  if (opened) {
    database_ = std::move(opened->database_);
  } else {
    database_ = std::make_unique<impl::SqliteDatabase>(std::move(path), std::move(opened).error());
  }
}

CUCO_EVOLVE_INLINE SqliteStorage::SqliteStorage(std::unique_ptr<impl::SqliteDatabase> database)
    : database_(std::move(database)) {}
CUCO_EVOLVE_INLINE SqliteStorage::SqliteStorage(SqliteStorage&&) noexcept = default;
CUCO_EVOLVE_INLINE SqliteStorage& SqliteStorage::operator=(SqliteStorage&&) noexcept = default;
CUCO_EVOLVE_INLINE SqliteStorage::~SqliteStorage() = default;

// SQLite ends a transaction by itself after a full disk. What follows in the same transaction must fail too.
CUCO_EVOLVE_INLINE Status SqliteStorage::writable() const {
  // Not left to SQLite: what stands in for a missing table of an old database could be written.
  if (database_->handle() != nullptr && sqlite3_db_readonly(database_->handle(), "main") == 1)
    return fail_at(ErrorCode::kStorage,
                   database_->file(),
                   0,
                   "the database was opened read-only",
                   "open it for writing");
  if (depth_ == 0 || database_->in_transaction()) return {};
  return fail_at(ErrorCode::kStorage, database_->file(), 0, "the transaction has been rolled back already");
}

CUCO_EVOLVE_INLINE Status SqliteStorage::write_row(Program const& given, bool insert) {
  Program const p = impl::storable(given);
  impl::Json old[4];
  if (!insert) {
    auto row = database_->prepare(impl::kSelectJson);
    if (!row) return forward_error(std::move(row));
    row->bind(1, p.id.value);
    int const code = row->step();
    if (code == SQLITE_DONE) return impl::no_such_program(p.id);
    if (code != SQLITE_ROW) return database_->error("cannot read a program");
    for (int i = 0; i < 4; ++i) old[i] = impl::parse_or_null(row->text(i));
  }
  auto row = database_->prepare(insert ? impl::kInsert : impl::kUpdate);
  if (!row) return forward_error(std::move(row));
  row->bind(1, p.code);
  row->bind(2, p.language);
  p.parent_id.empty() ? row->bind_null(3) : row->bind(3, p.parent_id.value);
  row->bind(4, impl::dump(impl::ids_to_json(p.archive_inspiration_ids)));
  row->bind(5, impl::dump(impl::ids_to_json(p.top_k_inspiration_ids)));
  row->bind(6, static_cast<long long>(p.generation));
  row->bind(7, p.timestamp);
  row->bind(8, p.code_diff);
  row->bind(9, p.combined_score);
  row->bind(10, impl::dump(impl::metrics_to_json(p.public_metrics, old[0])));
  row->bind(11, impl::dump(impl::metrics_to_json(p.private_metrics, old[1])));
  row->bind(12, p.text_feedback);
  row->bind(13, p.complexity);
  row->bind(14, impl::embedding_to_text(p.embedding));
  row->bind(15, static_cast<long long>(p.correct));
  row->bind(16, static_cast<long long>(p.children_count));
  row->bind(17, impl::dump(impl::attributes_to_json(p.metadata, old[2])));
  row->bind(18, impl::dump(impl::migrations_to_json(p.migration_history, old[3])));
  row->bind(19, static_cast<long long>(p.island));
  row->bind(20, p.id.value);
  int const code = row->step();
  if (code == SQLITE_DONE) return set_archived(p.id, p.in_archive);
  if ((code & 0xff) == SQLITE_CONSTRAINT && database_->code() == SQLITE_CONSTRAINT_PRIMARYKEY)
    return impl::program_exists(p.id);
  return database_->error("cannot write a program");
}

CUCO_EVOLVE_INLINE Result<void> SqliteStorage::add(Program program) {
  if (program.id.empty()) return impl::program_without_id();
  return transaction([&] { return write_row(program, true); });
}

CUCO_EVOLVE_INLINE Result<void> SqliteStorage::update(Program const& program) {
  return transaction([&] { return write_row(program, false); });
}

CUCO_EVOLVE_INLINE Result<void> SqliteStorage::set_archived(ProgramId const& id, bool archived) {
  if (auto ok = writable(); !ok) return ok;
  auto row = database_->prepare(archived ? impl::kArchive : impl::kUnarchive);
  if (!row) return forward_error(std::move(row));
  row->bind(1, id.value);
  int const code = row->step();
  if ((code & 0xff) == SQLITE_CONSTRAINT) return impl::no_such_program(id);
  if (code != SQLITE_DONE) return database_->error("cannot change the archive");
  if (!archived && sqlite3_changes(database_->handle()) == 0) {
    auto known = get(id);
    if (!known) return forward_error(std::move(known));
  }
  return {};
}

CUCO_EVOLVE_INLINE Result<Program> SqliteStorage::get(ProgramId const& id) const {
  auto row = database_->prepare(impl::kSelectOne);
  if (!row) return forward_error(std::move(row));
  row->bind(1, id.value);
  int const code = row->step();
  if (code == SQLITE_ROW) return impl::program_of(*row);
  if (code == SQLITE_DONE) return impl::no_such_program(id);
  return database_->error("cannot read a program");
}

CUCO_EVOLVE_INLINE Result<std::vector<Program>> SqliteStorage::select(char const* sql,
                                                                      ProgramFilter const& filter,
                                                                      long long limit) const {
  auto row = database_->prepare(sql);
  if (!row) return forward_error(std::move(row));
  row->bind(1, static_cast<long long>(filter.island));
  row->bind(2, static_cast<long long>(filter.correct_only));
  row->bind(3, static_cast<long long>(filter.archive_only));
  row->bind(4, static_cast<long long>(filter.min_generation));
  row->bind(5, limit);
  std::vector<Program> found;
  for (int code = row->step(); code != SQLITE_DONE; code = row->step()) {
    if (code != SQLITE_ROW) return database_->error("cannot read the programs");
    found.push_back(impl::program_of(*row));
  }
  return found;
}

CUCO_EVOLVE_INLINE Result<Program> SqliteStorage::best() const {
  auto found = select(impl::kSelectTop, {.correct_only = true}, 1);
  if (!found) return forward_error(std::move(found));
  if (found->empty()) return impl::no_correct_program();
  return std::move(found->front());
}

CUCO_EVOLVE_INLINE Result<std::vector<Program>> SqliteStorage::top(std::size_t n,
                                                                   ProgramFilter const& filter) const {
  constexpr std::size_t kMost = std::numeric_limits<long long>::max();
  return select(impl::kSelectTop, filter, static_cast<long long>(std::min(n, kMost)));
}

CUCO_EVOLVE_INLINE Result<std::vector<Program>> SqliteStorage::scan(ProgramFilter const& filter) const {
  return select(impl::kSelectAll, filter, -1);
}

CUCO_EVOLVE_INLINE Result<void> SqliteStorage::set_value(std::string const& key, std::string const& value) {
  if (key.empty()) return fail(ErrorCode::kInvalidArgument, "a stored value needs a key");
  if (auto ok = writable(); !ok) return ok;
  auto row = database_->prepare(impl::kSetValue);
  if (!row) return forward_error(std::move(row));
  row->bind(1, key);
  row->bind(2, value);
  return database_->finish(*row, "cannot write a value");
}

CUCO_EVOLVE_INLINE Result<std::optional<std::string>> SqliteStorage::value(std::string const& key) const {
  auto row = database_->prepare(impl::kValue);
  if (!row) return forward_error(std::move(row));
  row->bind(1, key);
  int const code = row->step();
  if (code == SQLITE_ROW) return std::optional(row->text(0));
  if (code == SQLITE_DONE) return std::optional<std::string>();
  return database_->error("cannot read a value");
}

CUCO_EVOLVE_INLINE Result<std::size_t> SqliteStorage::size() const {
  auto row = database_->prepare(impl::kSize);
  if (!row) return forward_error(std::move(row));
  if (row->step() != SQLITE_ROW) return database_->error("cannot count the programs");
  return static_cast<std::size_t>(row->integer(0));
}

CUCO_EVOLVE_INLINE Result<std::vector<Member>> SqliteStorage::members() const {
  auto row = database_->prepare(impl::kMembers);
  if (!row) return forward_error(std::move(row));
  std::vector<Member> members;
  for (int code = row->step(); code != SQLITE_DONE; code = row->step()) {
    if (code != SQLITE_ROW) return database_->error("cannot read the programs");
    members.push_back({{row->text(0)},
                       row->real(1),
                       row->integer(2) == 1,
                       row->integer(3) != 0,
                       row->integer(4),
                       row->integer(5),
                       row->integer(6)});
  }
  return members;
}

CUCO_EVOLVE_INLINE Status SqliteStorage::begin_() {
  if (auto ok = writable(); !ok) return ok;
  // IMMEDIATE: a transaction that reads first and writes later could not wait for another writer.
  auto begun =
      database_->execute(depth_ == 0 ? "BEGIN IMMEDIATE" : "SAVEPOINT level" + std::to_string(depth_));
  if (begun) ++depth_;
  return begun;
}

CUCO_EVOLVE_INLINE Status SqliteStorage::commit_() {
  if (auto ok = writable(); !ok) return ok;
  auto done = database_->execute(depth_ == 1 ? "COMMIT" : "RELEASE level" + std::to_string(depth_ - 1));
  if (done) --depth_;
  return done;
}

CUCO_EVOLVE_INLINE void SqliteStorage::rollback_() {
  --depth_;
  // After a full disk SQLite has rolled back by itself.
  if (!database_->in_transaction()) return;
  std::string const level = "level" + std::to_string(depth_);
  (void)database_->execute(depth_ == 0 ? "ROLLBACK" : "ROLLBACK TO " + level + "; RELEASE " + level);
}

}  // namespace cuco
