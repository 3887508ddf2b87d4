// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/backend_options.hpp"
#include "cuco/llm/provider_table.hpp"

namespace cuco {

/// The backend of a model that is named `provider:model`, for example "anthropic:claude-sonnet-4-6",
/// "ollama:qwen3:8b" or "bedrock:us.anthropic.claude-sonnet-4-6". `options.model` is not looked at.
///
/// Nothing is sent. Errors: kInvalidArgument for an unknown provider (the cause names the known ones) or a
/// missing base URL; kRefused without a key; kToolMissing without the program of claude-cli.
[[nodiscard]] Result<AnyBackend> make_backend(std::string const& name, BackendOptions options = {});

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/make_backend-inl.hpp"
#endif
