// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cuco/core/program.hpp"

namespace cuco {

/// What a selector may know about one program. Light on purpose: no code text.
struct Member {
  ProgramId id;
  double score = 0;
  bool correct = false;
  bool in_archive = false;
  int generation = 0;
  int island = 0;
  int children = 0;
};

/// A snapshot of a run, ordered by insertion, that selectors choose from.
struct Population {
  std::vector<Member> members;
  int islands = 1;
  int island = -1;  ///< The island this draw is restricted to; -1: none.
};

}  // namespace cuco
