// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The bodies of analysis, edit and directives, compiled once.
#define CUCO_EVOLVE_BODIES
#include "cuco/core/impl/inline.hpp"

#include "cuco/analysis/analyzer-inl.hpp"
#include "cuco/analysis/flatten-inl.hpp"
#include "cuco/analysis/lexer-inl.hpp"
#include "cuco/analysis/lint-inl.hpp"
#include "cuco/analysis/source_map-inl.hpp"
#include "cuco/directives/design_space-inl.hpp"
#include "cuco/directives/directives-inl.hpp"
#include "cuco/directives/site-inl.hpp"
#include "cuco/edit/diff_patch-inl.hpp"
#include "cuco/edit/evolve_blocks-inl.hpp"
#include "cuco/edit/frozen_check-inl.hpp"
#include "cuco/edit/full_rewrite-inl.hpp"
#include "cuco/edit/reply_text-inl.hpp"
#include "cuco/edit/unified_diff-inl.hpp"
