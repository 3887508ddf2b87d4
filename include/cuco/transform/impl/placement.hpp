// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/collective_sites.hpp"
#include "cuco/transform/impl/device_ranges.hpp"
#include "cuco/transform/impl/source_edit.hpp"

namespace cuco::impl {

/// Where generated text goes. Offsets at the begin of a line.
struct InsertionPoints {
  std::uint32_t infrastructure = 0;
  std::uint32_t section = 0;
};

/// The end of the line of a directive, continuations included.
inline std::uint32_t after_directive(SourceModel const& m, Token const& t) {
  return line_end(m.source, t.span().end);
}

/// The first place at file scope after every #include that comes before `first_use`.
inline std::uint32_t after_includes(SourceModel const& m, std::uint32_t first_use) {
  std::uint32_t found = 0;
  int conditions = 0;
  bool wait_for_end = false;
  for (Token const& t : m.code.directives) {
    if (t.offset > first_use) break;
    DirectiveParts const d = split_directive(t.text);
    if (d.name.substr(0, 2) == "if") ++conditions;
    if (d.name == "endif" && --conditions == 0 && wait_for_end) {
      found = after_directive(m, t);
      wait_for_end = false;
    }
    if (d.name != "include") continue;
    int const next = m.token_at(t.offset);
    if (next < m.code.size() && m.code.enclosing(next) >= 0 && !m.code.is(next, "}"))
      continue;  // Inside something.
    if (conditions == 0) found = after_directive(m, t);
    wait_for_end = conditions != 0;
  }
  return found;
}

inline InsertionPoints insertion_points(SourceModel const& m, std::uint32_t first_use) {
  InsertionPoints points;
  points.infrastructure = after_includes(m, first_use);
  points.section = points.infrastructure;
  // Next to the timed kernels, so that one block holds both, if all users of the launchers come later.
  for (Span const& range : mutable_device_ranges(m)) {
    int const token = m.token_at(range.begin);
    bool const at_file_scope = token >= m.code.size() || m.code.enclosing(token) < 0;
    if (at_file_scope && range.begin > points.infrastructure && range.begin < first_use) {
      points.section = range.begin;
      break;
    }
  }
  return points;
}

/// Includes that generated code needs and the program lacks.
struct Headers {
  std::uint32_t after_nccl = 0;  ///< Where `beside_nccl` goes.
  std::string beside_nccl;
  std::string others;
};

/// @param at where generated text goes; what is included later does not help it.
inline Headers missing_headers(SourceModel const& m, Plan const& plan, std::uint32_t at) {
  std::set<std::string> present;
  Headers out;
  bool found = false;
  for (Include const& include : m.report.includes) {
    if (include.span.begin >= at) continue;
    std::string const name =
        include.target.size() > 2 ? include.target.substr(1, include.target.size() - 2) : std::string();
    present.insert(name);
    if (name == "nccl.h" && !found) {
      out.after_nccl = line_end(m.source, include.span.end);
      found = true;
    }
  }
  auto need = [&](std::string const& name) {
    if (present.insert(name).second) out.others += "#include <" + name + ">\n";
  };
  if (found && present.count("nccl_device.h") == 0) {
    out.beside_nccl = "#include <nccl_device.h>\n";
    present.insert("nccl_device.h");
  }
  for (char const* name :
       {"algorithm", "cstdint", "cstdio", "cstdlib", "initializer_list", "vector", "cooperative_groups.h"})
    need(name);
  for (Launcher const& l : plan.launchers) {
    if (l.site.types.contains(ElementType::kHalf)) need("cuda_fp16.h");
    if (l.site.types.contains(ElementType::kBfloat16)) need("cuda_bf16.h");
  }
  need("cuda_runtime.h");
  need("nccl.h");
  need("nccl_device.h");
  return out;
}

}  // namespace cuco::impl
