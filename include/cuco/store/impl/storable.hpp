// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>

#include "cuco/core/population.hpp"
#include "cuco/core/program.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

/// `program` as a database can keep it: numbers that are not finite become 0, metrics that are not finite go.
/// All models of Storage do this, so that a run does not depend on which one it uses, and NaN never gets into
/// the order of `better`.
[[nodiscard]] Program storable(Program program);

[[nodiscard]] Member member_of(Program const& program);

[[nodiscard]] tl::unexpected<Error> no_such_program(ProgramId const& id);
[[nodiscard]] tl::unexpected<Error> no_correct_program();
[[nodiscard]] tl::unexpected<Error> program_exists(ProgramId const& id);
[[nodiscard]] tl::unexpected<Error> program_without_id();

/// That `f` threw inside of a transaction. `what`: of the exception; null: there is none.
[[nodiscard]] tl::unexpected<Error> transaction_threw(char const* what);

/// Runs `f` inside a transaction of `s`, which offers begin_, commit_ and rollback_. What `f` throws becomes
/// an error.
template <class S, class F>
Status run_transaction(S& s, F& f) {
  if (auto begun = s.begin_(); !begun) return begun;
  Status done;
  try {
    done = f();
  } catch (std::exception const& e) {
    done = transaction_threw(e.what());
  } catch (...) {
    done = transaction_threw(nullptr);
  }
  if (done) done = s.commit_();
  // A commit that failed may have left the transaction open (disk full, locked).
  if (!done) s.rollback_();
  return done;
}

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/store/impl/storable-inl.hpp"
#endif
