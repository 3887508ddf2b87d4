// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cuco/llm/backend_options.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/impl/settings.hpp"

namespace cuco::impl {

/// What is known of a provider without asking it.
struct ProviderInfo {
  std::string name{};
  std::vector<std::string> keys{};  ///< Variables; the first that is set counts.
  bool key_needed = true;
  std::vector<std::string> base_urls{};  ///< Variables, likewise.
  std::string default_url{};             ///< Empty: the user must name one.
};

/// All providers, in the order in which they are listed to users.
[[nodiscard]] std::vector<ProviderInfo> const& provider_infos();

/// Null for an unknown name.
[[nodiscard]] ProviderInfo const* find_provider(std::string_view name);

/// The words of an error that names the known ones.
[[nodiscard]] std::string unknown_provider(std::string const& provider);

/// The names, with `between` between them.
[[nodiscard]] std::string join_names(std::vector<std::string> const& names, char const* between);

/// An endpoint with its address and limits, and the key for it, which is not in the headers yet.
struct OpenedEndpoint {
  Endpoint endpoint{};
  Secret key{};
  std::string key_name{};  ///< The variable it came from.
  Settings settings{};
};

/// Never fails: what keeps calls from being made is `Endpoint::missing`.
[[nodiscard]] OpenedEndpoint open_endpoint(std::string const& provider, BackendOptions const& options);

/// `open_endpoint` with the header of providers that take `Authorization: Bearer`.
[[nodiscard]] Endpoint bearer_endpoint(std::string const& provider, BackendOptions const& options);
[[nodiscard]] Endpoint anthropic_endpoint(BackendOptions const& options);
[[nodiscard]] Endpoint azure_endpoint(BackendOptions const& options);
[[nodiscard]] Endpoint gemini_endpoint(BackendOptions const& options);
/// Signs requests, or sends a bearer token if there is one.
[[nodiscard]] Endpoint bedrock_endpoint(BackendOptions const& options);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/provider_info-inl.hpp"
#endif
