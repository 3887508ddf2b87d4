// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/store/impl/sqlite_database.hpp"
#include "cuco/store/sqlite_options.hpp"

namespace cuco::impl {

/// Name and declaration of every column, in the order of the table.
struct SqliteColumn {
  char const* name;
  char const* type;
};
inline constexpr SqliteColumn kProgramColumns[] = {
    {"id", "TEXT PRIMARY KEY"},
    {"code", "TEXT NOT NULL"},
    {"language", "TEXT NOT NULL DEFAULT 'cuda'"},
    {"parent_id", "TEXT"},
    {"archive_inspiration_ids", "TEXT"},
    {"top_k_inspiration_ids", "TEXT"},
    {"generation", "INTEGER NOT NULL DEFAULT 0"},
    {"timestamp", "REAL NOT NULL DEFAULT 0"},
    {"code_diff", "TEXT"},
    {"combined_score", "REAL"},
    {"public_metrics", "TEXT"},
    {"private_metrics", "TEXT"},
    {"text_feedback", "TEXT"},
    {"complexity", "REAL"},
    {"embedding", "TEXT"},
    {"embedding_pca_2d", "TEXT"},
    {"embedding_pca_3d", "TEXT"},
    {"embedding_cluster_id", "INTEGER"},
    {"correct", "BOOLEAN DEFAULT 0"},
    {"children_count", "INTEGER NOT NULL DEFAULT 0"},
    {"metadata", "TEXT"},
    {"migration_history", "TEXT"},
    {"island_idx", "INTEGER"},
};

inline std::string create_statements() {
  std::string sql = "CREATE TABLE IF NOT EXISTS programs (";
  for (auto const& column : kProgramColumns)
    sql += std::string(&column == kProgramColumns ? "" : ", ") + column.name + " " + column.type;
  sql += ");";
  for (char const* name :
       {"generation", "timestamp", "complexity", "parent_id", "children_count", "island_idx"})
    sql += std::string("CREATE INDEX IF NOT EXISTS idx_programs_") + name + " ON programs(" + name + ");";
  sql +=
      "CREATE TABLE IF NOT EXISTS archive (program_id TEXT PRIMARY KEY,"
      " FOREIGN KEY (program_id) REFERENCES programs(id) ON DELETE CASCADE);"
      "CREATE TABLE IF NOT EXISTS metadata_store (key TEXT PRIMARY KEY, value TEXT);";
  return sql;
}

/// What a reader of an old database needs in place of what it lacks: objects of this connection alone, which
/// hide the table of the same name and have the missing columns with the values that adding them would give.
/// The file stays as it is. Empty: nothing is missing.
inline std::string stand_in_statements(std::vector<SqliteColumn const*> const& missing,
                                       bool has_archive,
                                       bool has_values) {
  std::string sql;
  if (!missing.empty()) {
    sql += "CREATE TEMP VIEW programs AS SELECT rowid AS rowid, *";
    for (SqliteColumn const* column : missing) {
      constexpr std::string_view kDefault = "DEFAULT ";
      std::string_view const type = column->type;
      auto const at = type.find(kDefault);
      sql += ", " + (at == type.npos ? "NULL" : std::string(type.substr(at + kDefault.size()))) + " AS " +
             column->name;
    }
    sql += " FROM main.programs;";
  }
  if (!has_archive) sql += "CREATE TEMP TABLE archive (program_id TEXT PRIMARY KEY);";
  if (!has_values) sql += "CREATE TEMP TABLE metadata_store (key TEXT PRIMARY KEY, value TEXT);";
  return sql;
}

/// The database file that `path` stands for (see SqliteStorage::open).
inline std::string database_file(std::string const& path) {
  auto const ends_with = [&](std::string_view end) {
    return path.size() >= end.size() && std::string_view(path).substr(path.size() - end.size()) == end;
  };
  std::error_code ignored;
  if (ends_with(".sqlite") || ends_with(".sqlite3") || ends_with(".db") ||
      std::filesystem::is_regular_file(path, ignored))
    return path;
  return path + (ends_with("/") ? "" : "/") + "evolution_db.sqlite";
}

/// Looks at the bytes before SQLite does: SQLite would take an empty file for a new database and throw its
/// log away.
inline Status check_header(std::string const& file) {
  auto refuse = [&](std::string cause, char const* remedy) {
    return fail_at(ErrorCode::kStorage, file, 0, std::move(cause), remedy);
  };
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return refuse("cannot open the database: " + errno_text(errno), errno_remedy(errno));
  }
  if (!S_ISREG(info.st_mode)) return refuse("not a file", "choose another path");
  if (info.st_size == 0) {
    struct stat log {};
    if (::stat((file + "-wal").c_str(), &log) == 0 && log.st_size > 0)
      return refuse("the database is empty, but its write-ahead log is not",
                    "restore the database from a copy, or move both files away");
    return {};
  }
  UniqueFd const fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return refuse("cannot open the database: " + errno_text(errno), errno_remedy(errno));
  char magic[16] = {};
  if (::read(fd.get(), magic, sizeof magic) != 16 ||
      std::string_view(magic, 16) != std::string_view("SQLite format 3\0", 16))
    return refuse("not a SQLite database", "move the file away or choose another directory");
  return {};
}

/// Brings the tables to what this version expects. Refuses what is not ours.
inline Status prepare_tables(SqliteDatabase& db, bool read_only) {
  auto const tables = db.column("SELECT name FROM sqlite_master WHERE type = 'table'");
  if (!tables) return tl::unexpected<Error>(tables.error());
  auto refuse = [&](std::string cause) {
    return fail_at(ErrorCode::kStorage, db.file(), 0, std::move(cause), "choose another directory");
  };
  auto const has = [](std::vector<std::string> const& names, char const* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  bool const known = has(*tables, "programs");
  if (!known && !tables->empty())
    return refuse("a database of some other program: it has no table 'programs'");
  if (!known && read_only) return refuse("the database holds no run yet");
  std::string sql;
  std::vector<SqliteColumn const*> missing;
  if (known) {
    auto const columns = db.column("PRAGMA table_info(programs)", 1);
    if (!columns) return tl::unexpected<Error>(columns.error());
    for (char const* key : {"id", "code"})
      if (!has(*columns, key)) return refuse(std::string("table 'programs' has no column '") + key + "'");
    for (auto const& column : kProgramColumns) {
      if (has(*columns, column.name)) continue;
      missing.push_back(&column);
      sql += std::string("ALTER TABLE programs ADD COLUMN ") + column.name + " " + column.type + ";";
    }
  }
  if (read_only) {
    std::string const stand_ins =
        stand_in_statements(missing, has(*tables, "archive"), has(*tables, "metadata_store"));
    return stand_ins.empty() ? Status{} : db.execute(stand_ins);
  }
  bool const complete = known && sql.empty() && has(*tables, "archive") && has(*tables, "metadata_store");
  if (complete) return {};
  sql = "BEGIN IMMEDIATE;" + sql + create_statements() + "COMMIT;";
  auto made = db.execute(sql);
  if (!made && db.in_transaction()) (void)db.execute("ROLLBACK");
  return made;
}

/// ": Tree 2 page 3: …": the first finding of SQLite's integrity check, past the line that names the
/// database.
inline std::string first_finding(std::vector<std::string> const& rows) {
  for (std::string const& row : rows) {
    std::istringstream lines(row);
    for (std::string line; std::getline(lines, line);)
      if (!line.empty() && line.rfind("*** in database", 0) != 0) return ": " + line;
  }
  return {};
}

inline Status connect_database(SqliteDatabase& db, SqliteOptions const& options) {
  std::string const& file = db.file();
  if (auto ok = check_header(file); !ok) return ok;
  std::error_code ignored;
  if (options.read_only) {
    if (!std::filesystem::exists(file, ignored))
      return fail_at(ErrorCode::kNotFound, file, 0, "there is no database", "check the path");
  } else {
    auto const folder = std::filesystem::path(file).parent_path();
    std::error_code error;
    if (!folder.empty()) std::filesystem::create_directories(folder, error);
    if (error)
      return fail_at(ErrorCode::kStorage,
                     file,
                     0,
                     "cannot create its folder: " + errno_text(error.value()),
                     errno_remedy(error.value()));
  }
  int const mode = options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (auto ok = db.connect(file, mode | SQLITE_OPEN_FULLMUTEX); !ok) return ok;
  // SQLite falls back to reading when it may not write; a run must hear of it before its first evaluation.
  if (!options.read_only && sqlite3_db_readonly(db.handle(), "main") == 1)
    return fail_at(ErrorCode::kStorage,
                   file,
                   0,
                   "the database or its folder is read-only",
                   "check owner, permissions and mount");
  sqlite3_busy_timeout(db.handle(), static_cast<int>(options.busy_timeout.count()));

  auto check = db.column("PRAGMA quick_check(1)");
  if (!check && options.read_only && !std::filesystem::exists(file + "-wal", ignored)) {
    // A reader of a database in WAL mode writes an index beside it. In a read-only folder nobody else writes
    // either.
    db.close();
    std::string uri = "file:";
    for (char c : std::filesystem::absolute(file, ignored).string()) {
      if (c == '?' || c == '#' || c == '%') {
        char hex[4];
        std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
        uri += hex;
      } else {
        uri += c;
      }
    }
    if (auto ok = db.connect(uri + "?immutable=1", mode | SQLITE_OPEN_URI | SQLITE_OPEN_FULLMUTEX); !ok)
      return ok;
    check = db.column("PRAGMA quick_check(1)");
  }
  if (!check) return tl::unexpected<Error>(check.error());
  if (check->empty() || check->front() != "ok")
    return fail_at(ErrorCode::kStorage,
                   file,
                   0,
                   "the database is corrupt" + first_finding(*check),
                   "restore it from a copy or choose another directory");
  if (!options.read_only) {
    auto const journal = db.column("PRAGMA journal_mode = WAL");
    if (!journal) return tl::unexpected<Error>(journal.error());
  }
  auto set = db.execute(
      "PRAGMA wal_autocheckpoint = 1000; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -64000;"
      "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON;");
  if (!set) return set;
  return prepare_tables(db, options.read_only);
}

}  // namespace cuco::impl
