// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "cuco/core/api.hpp"

/// @file
/// The corpus: host-driven programs in many styles, and which of them the rules refuse.

namespace cuco::testing {

/// Names of tests/programs/*.cu, without folder and ending, sorted.
inline std::vector<std::string> corpus_programs() {
  std::vector<std::string> out;
  for (auto const& entry :
       std::filesystem::directory_iterator(std::string(CUCO_SOURCE_DIR) + "/tests/programs"))
    if (entry.path().extension() == ".cu") out.push_back(entry.path().stem().string());
  std::sort(out.begin(), out.end());
  return out;
}

inline std::string corpus_path(std::string const& name) {
  return std::string(CUCO_SOURCE_DIR) + "/tests/programs/" + name + ".cu";
}

/// A program that the rules say no to, and a part of the sentence with which they do.
struct ExpectedRefusal {
  char const* program;
  Api api;
  char const* reason;
};

inline std::vector<ExpectedRefusal> const& expected_refusals() {
  static std::vector<ExpectedRefusal> const list{};
  return list;
}

inline ExpectedRefusal const* expected_refusal(std::string const& program, Api api) {
  for (auto const& one : expected_refusals())
    if (one.program == program && one.api == api) return &one;
  return nullptr;
}

}  // namespace cuco::testing
