// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/store/sqlite_storage.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "../contract/hostile_file_system.hpp"
#include "../contract/storage_contract.hpp"
#include "cuco/core/atomic_file.hpp"

namespace cuco {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

using Folder = TemporaryFolder;

struct SqliteFactory {
  using Model = SqliteStorage;
  Model make() { return SqliteStorage::open(folder.path).value(); }
  Folder folder;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StorageContract, SqliteFactory);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, RunStorageContract, SqliteFactory);

// Direct access, past the code under test.
std::vector<std::vector<std::string>> query(std::string const& file, std::string const& sql) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  std::vector<std::vector<std::string>> rows;
  auto const collect = [](void* out, int n, char** values, char**) {
    std::vector<std::string> row;
    for (int i = 0; i < n; ++i) row.emplace_back(values[i] != nullptr ? values[i] : "NULL");
    static_cast<std::vector<std::vector<std::string>>*>(out)->push_back(row);
    return 0;
  };
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), collect, &rows, &message), SQLITE_OK)
      << (message != nullptr ? message : "");
  sqlite3_free(message);
  sqlite3_close(db);
  return rows;
}

using Rows = std::vector<std::vector<std::string>>;

TEST(SqliteStorage, PersistsAcrossReopening) {
  Folder const folder;
  Program const p = contract_full_program();
  {
    auto s = SqliteStorage::open(folder.path).value();
    ASSERT_TRUE(s.add(p));
    ASSERT_TRUE(s.set_value("last_iteration", "7"));
  }
  auto const s = SqliteStorage::open(folder.path).value();
  expect_same(s.get(p.id).value(), p);
  EXPECT_EQ(s.value("last_iteration")->value(), "7");
}

TEST(SqliteStorage, TakesFoldersAndFiles) {
  Folder const folder;
  EXPECT_TRUE(SqliteStorage::open(folder / "new/run"));
  EXPECT_TRUE(fs::exists(folder / "new/run/evolution_db.sqlite"));
  EXPECT_TRUE(SqliteStorage::open(folder / "file.db"));
  EXPECT_TRUE(fs::is_regular_file(folder / "file.db"));
  fs::rename(folder / "file.db", folder / "odd");
  EXPECT_TRUE(SqliteStorage::open(folder / "odd"));
  EXPECT_TRUE(fs::is_regular_file(folder / "odd"));
}

TEST(SqliteStorage, HasTheTablesOfTheFormat) {
  Folder const folder;
  std::string const file = folder / "evolution_db.sqlite";
  { auto const s = SqliteStorage::open(folder.path).value(); }
  std::string columns;
  for (auto const& row : query(file, "PRAGMA table_info(programs)")) columns += row[1] + ":" + row[2] + " ";
  EXPECT_EQ(columns,
            "id:TEXT code:TEXT language:TEXT parent_id:TEXT archive_inspiration_ids:TEXT "
            "top_k_inspiration_ids:TEXT "
            "generation:INTEGER timestamp:REAL code_diff:TEXT combined_score:REAL public_metrics:TEXT "
            "private_metrics:TEXT text_feedback:TEXT complexity:REAL embedding:TEXT embedding_pca_2d:TEXT "
            "embedding_pca_3d:TEXT embedding_cluster_id:INTEGER correct:BOOLEAN children_count:INTEGER "
            "metadata:TEXT "
            "migration_history:TEXT island_idx:INTEGER ");
  EXPECT_EQ(
      query(file, "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name LIKE 'idx_programs_%'"),
      (Rows{{"6"}}));
  EXPECT_EQ(query(file, "PRAGMA journal_mode"), (Rows{{"wal"}}));
  auto const key = query(file, "PRAGMA foreign_key_list(archive)").at(0);
  EXPECT_EQ(key.at(2) + "." + key.at(4) + " " + key.at(6), "programs.id CASCADE");
}

TEST(SqliteStorage, WritesColumnsThatOtherToolsRead) {
  Folder const folder;
  std::string const file = folder / "evolution_db.sqlite";
  {
    auto s = SqliteStorage::open(folder.path).value();
    Program p = contract_program("a", 12.5);
    p.public_metrics = {{"time_ms", 0.5}};
    p.metadata = {{"patch_type", "diff"}};
    p.migration_history = {{4, 0, 3}};
    p.top_k_inspiration_ids = {{"x"}};
    p.in_archive = true;
    ASSERT_TRUE(s.add(p));
    p.combined_score = std::numeric_limits<double>::quiet_NaN();
    p.id = {"b"};
    p.in_archive = false;
    ASSERT_TRUE(s.add(p));
  }
  EXPECT_EQ(query(file,
                  "SELECT parent_id, top_k_inspiration_ids, combined_score, public_metrics, metadata, "
                  "migration_history,"
                  " correct, embedding FROM programs WHERE id = 'a'"),
            (Rows{{"NULL",
                   "[\"x\"]",
                   "12.5",
                   "{\"time_ms\":0.5}",
                   "{\"patch_type\":\"diff\"}",
                   "[{\"generation\":4,\"from\":0,\"to\":3}]",
                   "1",
                   "[]"}}));
  EXPECT_EQ(query(file, "SELECT program_id FROM archive"), (Rows{{"a"}}));
}

// A database as another program of the same format leaves it: no text_feedback, nulls, JSON of all types.
void make_foreign_database(std::string const& file) {
  query(file,
        "CREATE TABLE programs (id TEXT PRIMARY KEY, code TEXT NOT NULL, language TEXT NOT NULL, parent_id "
        "TEXT,"
        " archive_inspiration_ids TEXT, top_k_inspiration_ids TEXT, generation INTEGER NOT NULL, timestamp "
        "REAL NOT NULL,"
        " code_diff TEXT, combined_score REAL, public_metrics TEXT, private_metrics TEXT, complexity REAL, "
        "embedding TEXT,"
        " embedding_pca_2d TEXT, embedding_pca_3d TEXT, embedding_cluster_id INTEGER, correct BOOLEAN "
        "DEFAULT 0,"
        " children_count INTEGER NOT NULL DEFAULT 0, metadata TEXT, migration_history TEXT, island_idx "
        "INTEGER);"
        "CREATE TABLE archive (program_id TEXT PRIMARY KEY, FOREIGN KEY (program_id) REFERENCES programs(id) "
        "ON DELETE "
        "CASCADE);"
        "CREATE TABLE metadata_store (key TEXT PRIMARY KEY, value TEXT);"
        "INSERT INTO metadata_store VALUES ('last_iteration', '3');"
        "INSERT INTO programs (id, code, language, generation, timestamp, combined_score, public_metrics, "
        "private_metrics,"
        " embedding, correct, metadata, migration_history, island_idx) VALUES"
        " ('one', 'code', 'cuda', 1, 1.5, 7.25, '{\"time_ms\": 2, \"all_run_times_ms\": [1, 2], \"note\": "
        "\"x\"}', 'null',"
        " '[0.5, null]', 1, '{\"api_costs\": 0.25, \"llm_result\": {\"content\": \"hi\", \"n\": [1]}, "
        "\"thinking\": true,"
        " \"none\": null, \"patch_name\": \"p\"}', '[{\"generation\": 1, \"from\": 0, \"to\": 1, "
        "\"timestamp\": 9.5}]', 1);"
        "INSERT INTO programs (id, code, language, generation, timestamp, metadata) VALUES"
        " ('two', 'code', 'cuda', 2, 2.5, 'not json');"
        "INSERT INTO archive VALUES ('one');");
}

TEST(SqliteStorage, OpensAndKeepsForeignDatabases) {
  Folder const folder;
  std::string const file = folder / "evolution_db.sqlite";
  make_foreign_database(file);
  {
    auto opened = SqliteStorage::open(folder.path);
    ASSERT_TRUE(opened) << to_line(opened.error());
    auto& s = *opened;
    EXPECT_EQ(s.value("last_iteration")->value(), "3");
    Program one = s.get({"one"}).value();
    EXPECT_TRUE(one.in_archive);
    EXPECT_EQ(one.public_metrics, (Metrics{{"time_ms", 2}}));
    EXPECT_EQ(one.embedding, (std::vector<float>{0.5F, 0.0F}));
    EXPECT_EQ(one.migration_history, (std::vector<Migration>{{1, 0, 1}}));
    EXPECT_EQ(attribute_or(one.metadata, "api_costs"), "0.25");
    EXPECT_EQ(attribute_or(one.metadata, "thinking"), "true");
    EXPECT_EQ(attribute_or(one.metadata, "patch_name"), "p");
    EXPECT_EQ(attribute_or(one.metadata, "llm_result"), "{\"content\":\"hi\",\"n\":[1]}");
    Program const two = s.get({"two"}).value();
    EXPECT_FALSE(two.correct);
    EXPECT_EQ(two.combined_score, 0);
    EXPECT_TRUE(two.metadata.empty());
    EXPECT_EQ(s.best()->id.value, "one");

    one.children_count = 2;
    one.text_feedback = "now there is a column for it";
    set_attribute(one.metadata, "api_costs", "changed");
    ASSERT_TRUE(s.update(one));
  }
  auto const row =
      query(file, "SELECT metadata, migration_history, public_metrics, text_feedback FROM programs").at(0);
  EXPECT_EQ(row.at(0),
            "{\"api_costs\":\"changed\",\"llm_result\":{\"content\":\"hi\",\"n\":[1]},\"thinking\":true,"
            "\"none\":null,"
            "\"patch_name\":\"p\"}");
  EXPECT_THAT(row.at(1), HasSubstr("\"timestamp\":9.5"));
  EXPECT_THAT(row.at(2), HasSubstr("\"all_run_times_ms\":[1,2]"));
  EXPECT_EQ(row.at(3), "now there is a column for it");
}

TEST(SqliteStorage, ReadsAForeignDatabaseWithoutTouchingIt) {
  Folder const folder;
  std::string const file = folder / "evolution_db.sqlite";
  {
    auto s = SqliteStorage::open(folder.path).value();
    ASSERT_TRUE(s.add(contract_program("a", 1)));
  }
  auto const before = read_file(file).value();
  auto s = SqliteStorage::open(folder.path, {.read_only = true});
  ASSERT_TRUE(s) << to_line(s.error());
  EXPECT_EQ(s->best()->id.value, "a");
  auto const refused = s->add(contract_program("b"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStorage);
  EXPECT_THAT(to_line(refused.error()), HasSubstr("read-only"));
  EXPECT_EQ(read_file(file).value(), before);
  EXPECT_EQ(SqliteStorage::open(folder / "none", {.read_only = true}).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(folder / "none"));
}

TEST(SqliteStorage, ReadsAnOldDatabaseWithoutWritingToIt) {
  Folder const folder;
  std::string const file = folder / "evolution_db.sqlite";
  make_foreign_database(file);
  query(file, "ALTER TABLE programs DROP COLUMN children_count; ALTER TABLE programs DROP COLUMN language");
  auto const before = read_file(file).value();
  {
    auto s = SqliteStorage::open(folder.path, {.read_only = true});
    ASSERT_TRUE(s) << to_line(s.error());
    auto const all = s->scan().value();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].id.value, "one");
    EXPECT_TRUE(all[0].in_archive);
    EXPECT_EQ(all[0].combined_score, 7.25);
    EXPECT_EQ(all[0].text_feedback, "");
    EXPECT_EQ(all[0].language, "cuda");
    EXPECT_EQ(all[0].children_count, 0);
    EXPECT_EQ(s->best()->id.value, "one");
    EXPECT_EQ(s->top(1)->at(0).id.value, "one");
    EXPECT_EQ(s->members()->size(), 2U);
    EXPECT_EQ(*s->size(), 2U);
    EXPECT_EQ(s->value("last_iteration")->value(), "3");
    EXPECT_THAT(to_line(s->add(contract_program("b")).error()), HasSubstr("read-only"));
  }
  EXPECT_EQ(read_file(file).value(), before);
  query(file, "DROP TABLE archive; DROP TABLE metadata_store");
  auto const bare = read_file(file).value();
  {
    auto s = SqliteStorage::open(folder.path, {.read_only = true});
    ASSERT_TRUE(s) << to_line(s.error());
    EXPECT_FALSE(s->best()->in_archive);
    EXPECT_FALSE(s->value("last_iteration")->has_value());
    EXPECT_THAT(to_line(s->set_value("k", "v").error()), HasSubstr("read-only"));
    EXPECT_THAT(to_line(s->set_archived({"one"}, true).error()), HasSubstr("read-only"));
  }
  EXPECT_EQ(read_file(file).value(), bare);
  // Opened for writing it reads the same.
  auto s = SqliteStorage::open(folder.path);
  ASSERT_TRUE(s) << to_line(s.error());
  EXPECT_EQ(s->get({"one"})->language, "cuda");
  EXPECT_EQ(s->get({"one"})->children_count, 0);
}

void expect_refused(std::string const& path, char const* words) {
  auto const s = SqliteStorage::open(path, {.busy_timeout = 50ms});
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, ErrorCode::kStorage);
  EXPECT_THAT(to_line(s.error()), HasSubstr(words));
  EXPECT_EQ(to_line(s.error()).find('\n'), std::string::npos);
  EXPECT_FALSE(s.error().file.empty());
}

TEST(SqliteStorage, RefusesWhatIsNotADatabaseAndLeavesItAlone) {
  Folder const folder;
  std::string const file = folder / "evolution_db.sqlite";
  for (std::string const& bytes :
       {std::string("hello, this is text"), std::string(5000, '\0'), std::string("x")}) {
    ASSERT_TRUE(write_file_atomic(file, bytes));
    expect_refused(folder.path, "not a SQLite database");
    EXPECT_EQ(read_file(file).value(), bytes);
  }
  fs::remove(file);
  fs::create_directory(file);
  expect_refused(folder.path, "not a file");
}

TEST(SqliteStorage, TakesAnEmptyFileForANewDatabase) {
  Folder const folder;
  ASSERT_TRUE(write_file_atomic(folder / "evolution_db.sqlite", ""));
  auto s = SqliteStorage::open(folder.path);
  ASSERT_TRUE(s);
  EXPECT_EQ(*s->size(), 0U);
  EXPECT_TRUE(s->add(contract_program("a")));
}

TEST(SqliteStorage, RefusesAnEmptyFileWhoseLogIsNotEmpty) {
  Folder const folder;
  std::string const file = folder / "evolution_db.sqlite";
  ASSERT_TRUE(write_file_atomic(file, ""));
  ASSERT_TRUE(write_file_atomic(file + "-wal", "precious"));
  expect_refused(folder.path, "write-ahead log");
  EXPECT_EQ(read_file(file + "-wal").value(), "precious");
}

TEST(SqliteStorage, RefusesACorruptDatabaseAndLeavesItAlone) {
  Folder const folder;
  std::string const file = folder / "evolution_db.sqlite";
  {
    auto s = SqliteStorage::open(folder.path).value();
    for (int i = 0; i < 50; ++i) {
      Program p = contract_program("p" + std::to_string(i));
      p.code.assign(3000, 'x');
      ASSERT_TRUE(s.add(p));
    }
  }
  std::string bytes = read_file(file).value();
  std::string damaged = bytes;
  for (std::size_t page = 4096; page + 64 < damaged.size(); page += 4096)
    damaged.replace(page, 64, 64, '\xee');
  ASSERT_TRUE(write_file_atomic(file, damaged));
  expect_refused(folder.path, "corrupt");
  auto const cause = SqliteStorage::open(folder.path).error().cause;
  EXPECT_THAT(cause, testing::ContainsRegex("corrupt: .*[Pp]age [0-9]+")) << "no finding is named";
  EXPECT_THAT(cause, testing::Not(HasSubstr("***")));
  EXPECT_EQ(read_file(file).value(), damaged);
  ASSERT_TRUE(write_file_atomic(file, bytes.substr(0, bytes.size() / 2)));
  expect_refused(folder.path, "corrupt");
  EXPECT_EQ(read_file(file)->size(), bytes.size() / 2);
}

TEST(SqliteStorage, RefusesTheDatabaseOfAnotherProgram) {
  Folder const folder;
  std::string const file = folder / "evolution_db.sqlite";
  query(file, "CREATE TABLE bookmarks (url TEXT)");
  expect_refused(folder.path, "some other program");
  EXPECT_EQ(query(file, "SELECT name FROM sqlite_master"), (Rows{{"bookmarks"}}));
}

TEST(SqliteStorage, SaysWhenAnotherProcessHoldsTheLock) {
  Folder const folder;
  auto s = SqliteStorage::open(folder.path, {.busy_timeout = 50ms}).value();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "evolution_db.sqlite").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  auto const blocked = s.add(contract_program("a"));
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().code, ErrorCode::kStorage);
  EXPECT_THAT(blocked.error().cause, HasSubstr("locked"));
  sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_TRUE(s.add(contract_program("a")));
}

TEST(SqliteStorage, AStorageThatCouldNotOpenAnswersWithTheReason) {
  Folder const folder;
  ASSERT_TRUE(write_file_atomic(folder / "evolution_db.sqlite", "garbage garbage garbage"));
  SqliteStorage s(folder.path);
  for (auto const& error : {s.add(contract_program("a")).error(),
                            s.get({"a"}).error(),
                            s.best().error(),
                            s.scan().error(),
                            s.members().error(),
                            s.set_value("k", "v").error(),
                            s.transaction([] { return Result<void>(); }).error()}) {
    EXPECT_EQ(error.code, ErrorCode::kStorage);
    EXPECT_THAT(to_line(error), HasSubstr("not a SQLite database"));
  }
}

TEST(SqliteStorage, SaysThatAFileOrFolderIsReadOnly) {
  Folder const folder;
  std::string const file = folder / "evolution_db.sqlite";
  {
    auto s = SqliteStorage::open(folder.path).value();
    ASSERT_TRUE(s.add(contract_program("a", 1)));
  }
  auto const before = read_file(file).value();
  ::chmod(file.c_str(), 0444);
  ::chmod(folder.path.c_str(), 0555);
  int const code = in_child([&] {
    if (!drop_root()) return kCannotTestHere;
    expect_refused(folder.path, "read-only");
    expect_refused(folder / "sub/run", "ermission denied");
    auto const reader = SqliteStorage::open(folder.path, {.read_only = true});
    EXPECT_TRUE(reader) << to_line(reader.error());
    EXPECT_TRUE(reader && reader->best() && reader->best()->id.value == "a");
    return 0;
  });
  ::chmod(folder.path.c_str(), 0755);
  EXPECT_EQ(read_file(file).value(), before);
  if (code == kCannotTestHere) GTEST_SKIP() << "runs as root and cannot change the user";
  EXPECT_EQ(code, 0);
}

TEST(SqliteStorage, SurvivesAFullDisk) {
  Folder const folder;
  int const code = in_child([&] {
    if (!mount_small(folder.path, "size=1m")) return kCannotTestHere;
    auto s = SqliteStorage::open(folder.path).value();
    Program p = contract_program("small");
    EXPECT_TRUE(s.add(p));
    p.code.assign(100'000, 'x');
    int added = 0;
    for (; added < 100; ++added) {
      p.id = {"p" + std::to_string(added)};
      auto const done = s.transaction([&]() -> Result<void> {
        auto first = s.add(p);
        Program twin = p;
        twin.id.value += "_twin";
        // Goes on after a failure, as careless code does: nothing of it may stay.
        auto second = s.add(twin);
        return first ? second : first;
      });
      if (done) continue;
      EXPECT_EQ(done.error().code, ErrorCode::kStorage);
      EXPECT_THAT(to_line(done.error()),
                  testing::AnyOf(HasSubstr("disk is full"), HasSubstr("no space left")));
      break;
    }
    EXPECT_LT(added, 100);
    auto const size = s.size();
    EXPECT_TRUE(size);
    EXPECT_EQ(size.value_or(0), 1U + 2U * static_cast<unsigned>(added));
    return 0;
  });
  if (code == kCannotTestHere) GTEST_SKIP() << "may not mount a small file system here";
  EXPECT_EQ(code, 0);
}

// Each transaction adds three programs and counts them in a value. The child dies at a random instant.
TEST(SqliteStorage, KeepsWholeTransactionsWhenKilled) {
  Folder const folder;
  Rng rng(5);
  std::size_t last = 0;
  for (int round = 0; round < 20; ++round) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    pid_t const child = ::fork();
    if (child == 0) {
      auto s = SqliteStorage::open(folder.path);
      if (!s) ::_exit(1);
      int n = std::stoi(s->value("transactions")->value_or("0"));
      if (::write(ready[1], "r", 1) != 1) ::_exit(1);
      for (;;) {
        ++n;
        auto const done = s->transaction([&]() -> Result<void> {
          for (char part : {'a', 'b', 'c'}) {
            Program p = contract_program(std::to_string(n) + part, n);
            p.code.assign(2000, part);
            p.in_archive = part == 'a';
            if (auto r = s->add(p); !r) return r;
          }
          return s->set_value("transactions", std::to_string(n));
        });
        if (!done) ::_exit(2);
      }
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    ::usleep(static_cast<useconds_t>(rng.below(30'000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer itself failed: " << status;

    auto const s = SqliteStorage::open(folder.path);
    ASSERT_TRUE(s) << to_line(s.error());
    auto const count = std::stoul(s->value("transactions")->value_or("0"));
    ASSERT_EQ(*s->size(), 3 * count);
    ASSERT_EQ(s->scan({.archive_only = true})->size(), count);
    ASSERT_GE(count, last);
    last = count;
  }
  EXPECT_GT(last, 0U);
  EXPECT_EQ(query(folder / "evolution_db.sqlite", "PRAGMA integrity_check"), (Rows{{"ok"}}));
}

TEST(SqliteStorage, ReadersSeeWholeTransactionsWhileAWriterWorks) {
  Folder const folder;
  auto writer = SqliteStorage::open(folder.path).value();
  std::atomic<bool> done{false};
  std::atomic<int> looks{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      auto reader = SqliteStorage::open(folder.path, {.read_only = true});
      EXPECT_TRUE(reader) << to_line(reader.error());
      std::size_t last = 0;
      while (reader && !done) {
        auto const members = reader->members();
        EXPECT_TRUE(members) << to_line(members.error());
        if (!members) return;
        EXPECT_EQ(members->size() % 2, 0U) << "half a transaction is visible";
        EXPECT_GE(members->size(), last);
        last = members->size();
        ++looks;
      }
    });
  }
  for (int i = 0; i < 150 || looks < 20; ++i) {
    EXPECT_TRUE(writer.transaction([&]() -> Result<void> {
      if (auto r = writer.add(contract_program("x" + std::to_string(i))); !r) return r;
      std::this_thread::yield();
      return writer.add(contract_program("y" + std::to_string(i)));
    }));
  }
  done = true;
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace cuco
