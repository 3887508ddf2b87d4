// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The bodies of transformation and mutation, compiled once.
#define CUCO_EVOLVE_BODIES
#include "cuco/core/impl/inline.hpp"

#include "cuco/mutate/directive_mutator-inl.hpp"
#include "cuco/transform/generated_section-inl.hpp"
#include "cuco/transform/impl/kept_answers-inl.hpp"
#include "cuco/transform/impl/model_step-inl.hpp"
#include "cuco/transform/impl/pipeline_run-inl.hpp"
#include "cuco/transform/impl/rewriter_order-inl.hpp"
#include "cuco/transform/impl/stage_check-inl.hpp"
#include "cuco/transform/impl/transform_files-inl.hpp"
#include "cuco/transform/impl/transform_run-inl.hpp"
#include "cuco/transform/load_program-inl.hpp"
#include "cuco/transform/markers-inl.hpp"
#include "cuco/transform/rule_rewriter-inl.hpp"
#include "cuco/transform/warmup-inl.hpp"
