// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuco/analysis/analyzer.hpp"

namespace cuco::testing {

inline Report analyze(std::string const& source) {
  auto report = Analyzer{}.analyze(source, "t.cu");
  if (!report) {
    ADD_FAILURE() << to_line(report.error());
    return {};
  }
  return *report;
}

inline std::string text_of(std::string const& source, Span s) {
  return source.substr(s.begin, s.size());
}

inline Function const* find_function(Report const& r, std::string const& name) {
  for (auto const& f : r.functions)
    if (f.name == name) return &f;
  return nullptr;
}

inline std::vector<std::string> kernels(Report const& r, std::vector<Index> const& launches) {
  std::vector<std::string> out;
  for (Index i : launches) out.push_back(r.launches.at(static_cast<std::size_t>(i)).kernel);
  return out;
}
inline std::vector<std::string> names(Report const& r, std::vector<Index> const& calls) {
  std::vector<std::string> out;
  for (Index i : calls) out.push_back(r.calls.at(static_cast<std::size_t>(i)).name);
  return out;
}
inline Call const* find_call(Report const& r, std::string const& name) {
  for (auto const& c : r.calls)
    if (c.name == name) return &c;
  return nullptr;
}
inline std::vector<std::string> arguments(std::vector<Argument> const& args) {
  std::vector<std::string> out;
  for (auto const& a : args) out.push_back(a.text);
  return out;
}
/// What allocated the buffer: "allocator(expression)".
inline std::string allocated_by(Report const& r, BufferRole const& b) {
  if (b.allocation == kNone) return "none";
  auto const& a = r.allocations.at(static_cast<std::size_t>(b.allocation));
  return a.allocator + "(" + a.buffer + ")";
}

}  // namespace cuco::testing
