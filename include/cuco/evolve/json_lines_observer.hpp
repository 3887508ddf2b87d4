// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/core/concepts.hpp"
#include "cuco/core/event.hpp"
#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Appends every event as one JSON object on one line to a file, so that other programs can follow a run.
/// After `open` nothing fails the run: a line that cannot be written is reported once in the log.
class JsonLinesObserver {
 public:
  /// Appends to `path`, or creates it. Errors: kIo with the path.
  [[nodiscard]] static Result<JsonLinesObserver> open(std::string path);

  void on(Event const& event);

 private:
  JsonLinesObserver(std::string path, impl::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  impl::UniqueFd fd_;
  bool reported_ = false;
};

static_assert(explain_observer<JsonLinesObserver>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evolve/json_lines_observer-inl.hpp"
#endif
