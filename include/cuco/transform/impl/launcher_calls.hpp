// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/collective_sites.hpp"

/// @file
/// How stage A tells stage B which launcher takes the place of which use: by their order in the source.

namespace cuco::impl {

inline constexpr char const* kCallsTag = "// cuco: call line=";

/// `section` with one line for each use, after its first line.
inline std::string with_launcher_calls(std::string section, Plan const& plan, Api api) {
  std::string lines;
  for (PlannedUse const& u : plan.uses)
    lines += kCallsTag + std::to_string(u.use.line) + " function=" + u.use.function +
             " launcher=" + called_name(plan.launchers[u.launcher], api) + "\n";
  std::size_t const first = section.find('\n');
  return section.insert(first == std::string::npos ? section.size() : first + 1, lines);
}

/// What `with_launcher_calls` wrote.
struct LauncherCall {
  std::uint32_t line = 0;  ///< In the program before stage A.
  std::string function;
  std::string launcher;
};

inline std::vector<LauncherCall> read_launcher_calls(SourceModel const& m) {
  std::vector<LauncherCall> out;
  for (Comment const& c : m.stream.comments) {
    if (!c.active || c.text.substr(0, std::string_view(kCallsTag).size()) != kCallsTag) continue;
    std::istringstream words{std::string(c.text)};
    LauncherCall call;
    for (std::string word; words >> word;) {
      if (word.rfind("line=", 0) == 0) std::from_chars(word.data() + 5, word.data() + word.size(), call.line);
      if (word.rfind("function=", 0) == 0) call.function = word.substr(9);
      if (word.rfind("launcher=", 0) == 0) call.launcher = word.substr(9);
    }
    out.push_back(std::move(call));
  }
  return out;
}

}  // namespace cuco::impl
