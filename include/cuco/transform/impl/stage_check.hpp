// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/core/api.hpp"
#include "cuco/transform/transform_stage.hpp"

/// @file
/// What a program must have besides its own PASS before it counts as the result of a stage. For programs that
/// rules have not made: a model may leave the work out, or print the verdict itself.

namespace cuco::impl::transforming {

/// Why `code`, which passes its own verification, is not the result of `stage`; empty when it is. Several
/// lines for whoever repairs it, the first of them complete in itself.
///
/// Stage A needs nccl_device.h, symmetric memory, windows and a device communicator, and all host collectives
/// of `original`. Stage B and a single stage need the first four, no host collective under any name (macros,
/// pointers, libraries loaded at run time and MPI in timed regions included), device code that communicates
/// through `api`, and a place for EVOLVE markers. All need what decides about the verdict as it was.
[[nodiscard]] std::string stage_problem(
    Api api, TransformStage stage, std::string_view original, std::string_view code, std::string const& file);

/// Whether `code` names a host collective anywhere that is compiled: in a call, as a pointer, in a macro.
[[nodiscard]] bool names_host_collective(std::string_view code);

/// The first way in which `code` computes or prints its result lines differently from `original`; empty when
/// there is none. Compared are the statements that print them, those that write what they print, two steps
/// back, and the conditions around them.
[[nodiscard]] std::string verdict_problem(std::string_view original, std::string_view code);

/// `code` without lines that are EVOLVE markers and nothing else.
[[nodiscard]] std::string without_marker_lines(std::string_view code);

}  // namespace cuco::impl::transforming

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/impl/stage_check-inl.hpp"
#endif
