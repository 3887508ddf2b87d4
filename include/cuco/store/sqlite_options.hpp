// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace cuco {

/// How `SqliteStorage` opens its database.
struct SqliteOptions {
  bool read_only = false;                          ///< Changes nothing, also not the tables of old databases.
  std::chrono::milliseconds busy_timeout{30'000};  ///< How long to wait for another process's transaction.
};

}  // namespace cuco
