// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/diff_patch.hpp"
#include "cuco/edit/frozen_check.hpp"
#include "cuco/edit/impl/diff_patcher.hpp"
#include "cuco/edit/impl/diff_writer.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE EditResult apply_diff_patch(std::string_view source, std::string_view reply) {
  auto edits = impl::DiffReader().run(reply);
  if (!edits) return tl::unexpected<EditProblem>(std::move(edits).error());
  auto const program = impl::program_to_edit(source);
  if (!program) return tl::unexpected<EditProblem>(program.error());
  return impl::DiffPatcher(*program).run(*edits);
}

CUCO_EVOLVE_INLINE Result<std::string> write_diff_patch(std::string_view from, std::string_view to) {
  if (auto same = check_frozen(from, to, "to"); !same)
    return fail(ErrorCode::kInvalidArgument,
                "the two programs differ in more than their EVOLVE blocks (" + to_line(same.error()) + ")",
                "pass programs with the same frozen text");
  if (from == to) return std::string();
  auto const before = impl::program_to_edit(from);
  auto const after = impl::program_to_edit(to);
  auto patch = before && after ? impl::DiffWriter(*before, *after).run() : std::nullopt;
  if (!patch) return fail(ErrorCode::kInternal, "no edits lead from one program to the other");
  return std::move(*patch);
}

}  // namespace cuco
