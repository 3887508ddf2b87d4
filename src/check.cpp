// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The bodies of the checker, compiled once.
#define CUCO_EVOLVE_BODIES
#include "cuco/core/impl/inline.hpp"

#include "cuco/check/check_stage-inl.hpp"
#include "cuco/check/checker-inl.hpp"
#include "cuco/check/soundness_report-inl.hpp"
#include "cuco/check/soundness_rule-inl.hpp"
