// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The bodies of decorators, ensembles, prices, recordings and local embedders, compiled once.
#define CUCO_EVOLVE_BODIES
#include "cuco/core/impl/inline.hpp"

#include "cuco/embed/impl/code_words-inl.hpp"
#include "cuco/embed/ngram_embedder-inl.hpp"
#include "cuco/embed/similarity_index-inl.hpp"
#include "cuco/llm/asymmetric_ucb-inl.hpp"
#include "cuco/llm/cost_aware_ucb-inl.hpp"
#include "cuco/llm/ensemble_policy-inl.hpp"
#include "cuco/llm/impl/canonical_request-inl.hpp"
#include "cuco/llm/impl/chat_json-inl.hpp"
#include "cuco/llm/impl/ensemble_book-inl.hpp"
#include "cuco/llm/impl/generation_scope-inl.hpp"
#include "cuco/llm/impl/line_file-inl.hpp"
#include "cuco/llm/impl/record_book-inl.hpp"
#include "cuco/llm/impl/reply_cache-inl.hpp"
#include "cuco/llm/impl/spending_account-inl.hpp"
#include "cuco/llm/model_prices-inl.hpp"
#include "cuco/llm/recording-inl.hpp"
#include "cuco/llm/redaction-inl.hpp"
#include "cuco/llm/replay_backend-inl.hpp"
#include "cuco/llm/retrying-inl.hpp"
#include "cuco/llm/scripted_backend-inl.hpp"
#include "cuco/llm/thompson_policy-inl.hpp"
#include "cuco/llm/weighted_policy-inl.hpp"
