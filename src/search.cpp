// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The bodies of population, selection, evolution and reports, compiled once.
#define CUCO_EVOLVE_BODIES
#include "cuco/core/impl/inline.hpp"

#include "cuco/evolve/event_text-inl.hpp"
#include "cuco/evolve/impl/proposal-inl.hpp"
#include "cuco/evolve/impl/run_files-inl.hpp"
#include "cuco/evolve/impl/search_state-inl.hpp"
#include "cuco/evolve/json_lines_observer-inl.hpp"
#include "cuco/evolve/log_observer-inl.hpp"
#include "cuco/evolve/progress_observer-inl.hpp"
#include "cuco/evolve/run_summary-inl.hpp"
#include "cuco/population/archive-inl.hpp"
#include "cuco/population/inspirations-inl.hpp"
#include "cuco/population/migration-inl.hpp"
#include "cuco/population/roster-inl.hpp"
#include "cuco/population/seeds-inl.hpp"
#include "cuco/report/graph_view-inl.hpp"
#include "cuco/report/run_report-inl.hpp"
#include "cuco/select/any_selector-inl.hpp"
#include "cuco/select/beam_selector-inl.hpp"
#include "cuco/select/best_of_n_selector-inl.hpp"
#include "cuco/select/power_law_selector-inl.hpp"
#include "cuco/select/uniform_selector-inl.hpp"
#include "cuco/select/weighted_selector-inl.hpp"
