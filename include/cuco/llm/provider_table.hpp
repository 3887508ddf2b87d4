// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/llm/backend_options.hpp"

namespace cuco {

/// What is known of a provider without asking it.
struct ProviderRow {
  std::string name;                 ///< Before the colon of `provider:model`.
  std::vector<std::string> keys{};  ///< Variables that hold its key; the first that is set counts.
  std::string base_url{};           ///< Where calls would go.
  bool configured = false;          ///< Key and address are there. Says nothing about whether they work.
  std::string missing{};            ///< If it is not configured: why, and what to do.
};

/// All providers, with what `options` and the environment say of them. No network.
[[nodiscard]] std::vector<ProviderRow> provider_table(BackendOptions const& options = {});

/// Asks for the provider's list of models, or another cheap reply, and waits 5 seconds at most. Without a key
/// any reply counts. Errors: those of llm_error.hpp, kRefused for a key that is not taken; kInvalidArgument
/// for an unknown provider.
[[nodiscard]] Status reachable(std::string const& provider, BackendOptions const& options = {});

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/provider_table-inl.hpp"
#endif
