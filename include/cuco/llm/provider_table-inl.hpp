// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/provider_info.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/provider_table.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco {

namespace impl {

CUCO_EVOLVE_INLINE Endpoint endpoint_of(std::string const& provider, BackendOptions const& options) {
  if (provider == "anthropic") return anthropic_endpoint(options);
  if (provider == "azure") return azure_endpoint(options);
  if (provider == "gemini") return gemini_endpoint(options);
  if (provider == "bedrock") return bedrock_endpoint(options);
  return bearer_endpoint(provider, options);
}

/// Where a list of models is.
CUCO_EVOLVE_INLINE std::string models_path(std::string const& provider) {
  if (provider == "anthropic") return "/v1/models";
  if (provider == "azure") return "/openai/v1/models";
  if (provider == "gemini") return "/v1beta/models?pageSize=1";
  // The lists of these need no key, or are on another host: the first is about the key, the second answers
  // 404.
  if (provider == "openrouter") return "/key";
  if (provider == "bedrock") return "/";
  return "/models";
}

CUCO_EVOLVE_INLINE Status cli_reachable(BackendOptions const& options) {
  Command command;
  command.argv = {options.program.empty() ? "claude" : options.program, "--version"};
  command.deadline = std::chrono::seconds(5);
  auto ran = run_process(command);
  if (!ran) return forward_error(std::move(ran));
  if (!ran->ok()) return fail(ErrorCode::kProcess, "claude-cli: --version gives " + describe(*ran));
  return {};
}

}  // namespace impl

CUCO_EVOLVE_INLINE std::vector<ProviderRow> provider_table(BackendOptions const& options) {
  std::vector<ProviderRow> rows;
  for (impl::ProviderInfo const& info : impl::provider_infos()) {
    ProviderRow row;
    row.name = info.name;
    row.keys = info.keys;
    if (info.name == "bedrock")
      row.keys.insert(row.keys.end(), {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"});
    if (info.name == "claude-cli") {
      auto const found = find_program(options.program.empty() ? "claude" : options.program);
      row.configured = found.has_value();
      if (!found) row.missing = found.error().cause;
    } else {
      impl::Endpoint const endpoint = impl::endpoint_of(info.name, options);
      row.base_url = endpoint.base_url;
      row.configured = !endpoint.missing;
      if (endpoint.missing) row.missing = to_line(*endpoint.missing);
      // A base URL may carry a user's name and password.
      if (auto const origin = impl::url_origin(row.base_url); row.base_url.find('@') != std::string::npos)
        row.base_url = origin;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

CUCO_EVOLVE_INLINE Status reachable(std::string const& provider, BackendOptions const& options) {
  if (impl::find_provider(provider) == nullptr)
    return fail(ErrorCode::kInvalidArgument, impl::unknown_provider(provider));
  if (provider == "claude-cli") return impl::cli_reachable(options);
  constexpr std::chrono::milliseconds kMost{5'000};
  BackendOptions limited = options;
  for (auto* deadline : {&limited.connect_deadline, &limited.stall_deadline, &limited.deadline})
    *deadline = std::min(*deadline, kMost);
  impl::Endpoint endpoint = impl::endpoint_of(provider, limited);
  bool const has_key = !endpoint.secrets.empty();
  // Without a key the address can still be tried.
  if (endpoint.missing && endpoint.missing->code == ErrorCode::kRefused) endpoint.missing.reset();
  auto replied = impl::exchange_json(endpoint, "GET", impl::models_path(provider), {});
  if (replied) return {};
  Error error = std::move(replied).error();
  bool const answered =
      error.detail.rfind("http-status: 0", 0) != 0 && error.detail.rfind("http-status:", 0) == 0;
  bool const key_refused = error.code == ErrorCode::kRefused && has_key && provider != "bedrock";
  bool const ill = error.code == ErrorCode::kProcess || error.code == ErrorCode::kTimeout;
  if (answered && !key_refused && !ill) return {};
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace cuco
