// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The bodies of what asks a model for code: prompts, mutators, summaries, rewriters, compiled once.
#define CUCO_EVOLVE_BODIES
#include "cuco/core/impl/inline.hpp"

#include "cuco/evolve/impl/meta_memory-inl.hpp"
#include "cuco/evolve/impl/meta_summary-inl.hpp"
#include "cuco/llm/prompt_library-inl.hpp"
#include "cuco/mutate/impl/ask_model-inl.hpp"
#include "cuco/mutate/impl/known_codes-inl.hpp"
#include "cuco/mutate/impl/mutation_prompt-inl.hpp"
#include "cuco/mutate/impl/novelty_filter-inl.hpp"
#include "cuco/mutate/impl/prompt_text-inl.hpp"
#include "cuco/mutate/impl/propose_edit-inl.hpp"
#include "cuco/mutate/mixture-inl.hpp"
#include "cuco/transform/agent_rewriter-inl.hpp"
#include "cuco/transform/diagnostic_rerun-inl.hpp"
#include "cuco/transform/impl/attempt-inl.hpp"
#include "cuco/transform/impl/conversation-inl.hpp"
#include "cuco/transform/impl/transform_state-inl.hpp"
