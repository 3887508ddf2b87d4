// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace cuco::tool_test {

/// Rows of every table, sorted. Columns of name `timestamp` are left out.
using Contents = std::map<std::string, std::vector<std::string>>;

inline std::vector<std::vector<std::pair<std::string, std::string>>> query(sqlite3* database,
                                                                           std::string const& sql) {
  std::vector<std::vector<std::pair<std::string, std::string>>> rows;
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  while (statement != nullptr && sqlite3_step(statement) == SQLITE_ROW) {
    rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      auto const* text = static_cast<char const*>(sqlite3_column_blob(statement, i));
      bool const null = sqlite3_column_type(statement, i) == SQLITE_NULL;
      rows.back().emplace_back(
          sqlite3_column_name(statement, i),
          null ? "NULL"
               : std::string(text == nullptr ? "" : text,
                             static_cast<std::size_t>(sqlite3_column_bytes(statement, i))));
    }
  }
  sqlite3_finalize(statement);
  return rows;
}

inline Contents contents_of(std::string const& run_directory) {
  Contents contents;
  sqlite3* database = nullptr;
  auto const path = run_directory + "/evolution_db.sqlite";
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK) << path;
  for (auto const& table : query(database, "SELECT name FROM sqlite_master WHERE type = 'table'")) {
    auto& rows = contents[table[0].second];
    for (auto const& row : query(database, "SELECT * FROM " + table[0].second)) {
      std::string text;
      for (auto const& [column, value] : row)
        if (column != "timestamp") text.append(column).append(" = ").append(value).append("\n");
      rows.push_back(std::move(text));
    }
    std::sort(rows.begin(), rows.end());
  }
  sqlite3_close(database);
  return contents;
}

/// Expects equal contents; a failure shows the rows that differ, not whole databases.
inline void expect_same(Contents const& left, Contents const& right) {
  EXPECT_EQ(left.size(), right.size());
  for (auto const& [table, rows] : left) {
    auto const other = right.count(table) != 0 ? right.at(table) : std::vector<std::string>{};
    std::vector<std::string> difference;
    std::set_symmetric_difference(
        rows.begin(), rows.end(), other.begin(), other.end(), std::back_inserter(difference));
    std::string text;
    for (auto const& row : difference) text += row + "\n";
    EXPECT_TRUE(difference.empty()) << "table " << table << ", rows of one database only:\n" << text;
  }
}

}  // namespace cuco::tool_test
