// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/store/impl/storable.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE Program storable(Program program) {
  auto const finite = [](auto& value) {
    if (!std::isfinite(value)) value = 0;
  };
  finite(program.combined_score);
  finite(program.complexity);
  finite(program.timestamp);
  for (auto& x : program.embedding) finite(x);
  for (auto* metrics : {&program.public_metrics, &program.private_metrics})
    std::erase_if(*metrics, [](Metric const& m) { return !std::isfinite(m.value); });
  return program;
}

CUCO_EVOLVE_INLINE Member member_of(Program const& p) {
  return {p.id, p.combined_score, p.correct, p.in_archive, p.generation, p.island, p.children_count};
}

CUCO_EVOLVE_INLINE tl::unexpected<Error> no_such_program(ProgramId const& id) {
  return fail(ErrorCode::kNotFound, "there is no program '" + id.value + "' in the storage");
}

CUCO_EVOLVE_INLINE tl::unexpected<Error> no_correct_program() {
  return fail(ErrorCode::kNotFound, "there is no correct program in the storage");
}

CUCO_EVOLVE_INLINE tl::unexpected<Error> program_exists(ProgramId const& id) {
  return fail(ErrorCode::kConflict, "program '" + id.value + "' is in the storage already");
}

CUCO_EVOLVE_INLINE tl::unexpected<Error> program_without_id() {
  return fail(ErrorCode::kInvalidArgument, "a program without id cannot be stored");
}

CUCO_EVOLVE_INLINE tl::unexpected<Error> transaction_threw(char const* what) {
  std::string cause = "exception in a storage transaction";
  if (what != nullptr) cause.append(": ").append(what);
  return fail(ErrorCode::kInternal, std::move(cause));
}

}  // namespace cuco::impl
