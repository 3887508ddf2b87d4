// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/transform/impl/attempt.hpp"
#include "cuco/transform/impl/stage_check.hpp"
#include "cuco/transform/impl/transform_files.hpp"

namespace cuco::impl::transforming {

CUCO_EVOLVE_INLINE std::string without_folder(std::string const& text, std::string const& folder) {
  std::error_code ignored;
  auto const absolute = std::filesystem::absolute(folder, ignored).lexically_normal();
  auto const real = std::filesystem::weakly_canonical(folder, ignored);
  return evaluating::without_paths(text, {absolute.string(), real.string(), folder});
}

CUCO_EVOLVE_INLINE void take_proposal(Rewrite& rewrite,
                                      std::string const& original,
                                      std::string const& given,
                                      std::vector<TransformIteration> const& history,
                                      TransformIteration& now) {
  now.rewriter = rewrite.by;
  now.cost_usd = rewrite.cost_usd;
  now.usage = rewrite.usage;
  if (!rewrite.problem.empty() || (rewrite.code.empty() && !rewrite.by_rules)) {
    std::string const problem = rewrite.problem.empty() ? "there is no program" : rewrite.problem;
    std::size_t const line = std::min(problem.find('\n'), problem.size());
    now.message = problem.substr(0, line);
    if (line < problem.size()) now.diagnostics = problem.substr(line + 1);
    return;
  }
  now.code = std::move(rewrite.code);
  if (rewrite.by_rules) return;
  // Text that is not a program at all keeps its lines, for the compiler to complain about.
  auto const blocks = find_evolve_blocks(original);
  if (!blocks || blocks->empty()) {
    std::string bare = without_marker_lines(now.code);
    if (same_tokens(bare, now.code)) now.code = std::move(bare);
  }
  if (same_tokens(now.code, given)) {
    now.message = "nothing was changed: this is the program that was given";
    return;
  }
  for (TransformIteration const& old : history) {
    if (old.accepted || old.code != now.code) continue;
    now.message = "the same program as " + old.label + ", which failed: " + old.message;
    now.diagnostics = old.diagnostics;
    return;
  }
}

}  // namespace cuco::impl::transforming
