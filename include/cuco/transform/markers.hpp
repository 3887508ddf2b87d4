// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/analysis/report.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// `code` with EVOLVE markers around what may change: the generated section and the kernels that only timed
/// regions launch; then the statements between start and stop of a timer that communicate or compute (the
/// body of the loop when the timer is around it). Everything else is frozen: includes, macros, main, set-up
/// and clean-up of MPI and NCCL, allocation and registration, inputs, timers, verification, printing. Any
/// name of the host function will do. Without a timer: the smallest range of statements that holds the
/// communication.
///
/// Only marker lines are added, and braces around a loop body that has none. A program that has sound markers
/// comes back unchanged.
/// @param report of `code`; its `file` names the program in messages.
/// Errors: kParse for markers that are nested or without partner; kRefused when there is nothing that may
/// change.
[[nodiscard]] Result<std::string> insert_evolve_markers(std::string_view code, Report const& report);

/// Checks that no EVOLVE block of `code` holds what must be frozen: preprocessor lines, main, MPI calls,
/// communicator set-up and clean-up, allocation, timers, copies to the host, printing. Errors: kRefused with
/// the first offending line; kParse for unsound markers.
[[nodiscard]] Result<void> check_evolve_markers(std::string_view code, std::string const& file = "<source>");

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/markers-inl.hpp"
#endif
