// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <exception>
#include <string>
#include <vector>

#include "cuco/core/population.hpp"
#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// `program` as a database can keep it: numbers that are not finite become 0, metrics that are not finite go.
/// All models of Storage do this, so that a run does not depend on which one it uses, and NaN never gets into
/// the order of `better`.
inline Program storable(Program program) {
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

inline Member member_of(Program const& p) {
  return {p.id, p.combined_score, p.correct, p.in_archive, p.generation, p.island, p.children_count};
}

inline tl::unexpected<Error> no_such_program(ProgramId const& id) {
  return fail(ErrorCode::kNotFound, "there is no program '" + id.value + "' in the storage");
}
inline tl::unexpected<Error> no_correct_program() {
  return fail(ErrorCode::kNotFound, "there is no correct program in the storage");
}
inline tl::unexpected<Error> program_exists(ProgramId const& id) {
  return fail(ErrorCode::kConflict, "program '" + id.value + "' is in the storage already");
}
inline tl::unexpected<Error> program_without_id() {
  return fail(ErrorCode::kInvalidArgument, "a program without id cannot be stored");
}

/// Runs `f` inside a transaction of `s`, which offers begin_, commit_ and rollback_. What `f` throws becomes
/// an error.
template <class S, class F>
Status run_transaction(S& s, F& f) {
  if (auto begun = s.begin_(); !begun) return begun;
  Status done;
  try {
    done = f();
  } catch (std::exception const& e) {
    done = fail(ErrorCode::kInternal, std::string("exception in a storage transaction: ") + e.what());
  } catch (...) {
    done = fail(ErrorCode::kInternal, "exception in a storage transaction");
  }
  if (done) done = s.commit_();
  // A commit that failed may have left the transaction open (disk full, locked).
  if (!done) s.rollback_();
  return done;
}

}  // namespace cuco::impl
