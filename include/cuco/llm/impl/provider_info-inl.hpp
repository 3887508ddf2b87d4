// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/provider_info.hpp"
#include "cuco/llm/redaction.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::vector<ProviderInfo> const& provider_infos() {
  static std::vector<ProviderInfo> const infos = {
      {"anthropic",
       {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"},
       true,
       {"ANTHROPIC_BASE_URL"},
       "https://api.anthropic.com"},
      {"openai", {"OPENAI_API_KEY"}, true, {"OPENAI_BASE_URL"}, "https://api.openai.com/v1"},
      {"openai-chat", {"OPENAI_API_KEY"}, true, {"OPENAI_BASE_URL"}, "https://api.openai.com/v1"},
      {"azure", {"AZURE_OPENAI_API_KEY"}, true, {"AZURE_OPENAI_ENDPOINT"}, ""},
      {"gemini",
       {"GEMINI_API_KEY", "GOOGLE_API_KEY"},
       true,
       {"GEMINI_BASE_URL"},
       "https://generativelanguage.googleapis.com"},
      // Its address has the region in it; a key pair does in place of the token.
      {"bedrock",
       {"AWS_BEARER_TOKEN_BEDROCK", "BEDROCK_API_KEY"},
       false,
       {"BEDROCK_BASE_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"},
       "https://bedrock-runtime.REGION.amazonaws.com"},
      {"deepseek", {"DEEPSEEK_API_KEY"}, true, {"DEEPSEEK_BASE_URL"}, "https://api.deepseek.com"},
      {"openrouter", {"OPENROUTER_API_KEY"}, true, {"OPENROUTER_BASE_URL"}, "https://openrouter.ai/api/v1"},
      {"ollama", {"OLLAMA_API_KEY"}, false, {"OLLAMA_BASE_URL"}, "http://localhost:11434/v1"},
      {"vllm", {"VLLM_API_KEY"}, false, {"VLLM_BASE_URL"}, "http://localhost:8000/v1"},
      {"compatible", {"COMPATIBLE_API_KEY"}, false, {"COMPATIBLE_BASE_URL"}, ""},
      {"claude-cli", {}, false, {}, ""},
  };
  return infos;
}

CUCO_EVOLVE_INLINE ProviderInfo const* find_provider(std::string_view name) {
  for (ProviderInfo const& info : provider_infos())
    if (info.name == name) return &info;
  return nullptr;
}

CUCO_EVOLVE_INLINE std::string join_names(std::vector<std::string> const& names, char const* between) {
  std::string text;
  for (std::string const& name : names) text += (text.empty() ? "" : between) + name;
  return text;
}

CUCO_EVOLVE_INLINE std::string unknown_provider(std::string const& provider) {
  std::vector<std::string> names;
  for (ProviderInfo const& info : provider_infos()) names.push_back(info.name);
  return "unknown provider '" + provider + "'; known are " + join_names(names, ", ");
}

CUCO_EVOLVE_INLINE OpenedEndpoint open_endpoint(std::string const& provider, BackendOptions const& options) {
  OpenedEndpoint opened;
  Endpoint& endpoint = opened.endpoint;
  endpoint.provider = provider;
  endpoint.limits = options;
  ProviderInfo const* const info = find_provider(provider);
  if (info == nullptr) {
    endpoint.missing = fail(ErrorCode::kInvalidArgument, unknown_provider(provider)).value();
    return opened;
  }
  auto settings = Settings::read(options);
  if (!settings) {
    endpoint.missing = std::move(settings).error();
    return opened;
  }
  opened.settings = std::move(*settings);

  endpoint.base_url = options.base_url;
  for (std::string const& name : info->base_urls)
    if (endpoint.base_url.empty()) endpoint.base_url = opened.settings.get(name);
  if (endpoint.base_url.empty()) endpoint.base_url = info->default_url;
  while (!endpoint.base_url.empty() && endpoint.base_url.back() == '/') endpoint.base_url.pop_back();
  if (endpoint.base_url.empty() && !info->base_urls.empty()) {
    endpoint.missing = fail(ErrorCode::kInvalidArgument,
                            "provider '" + provider + "' needs a base URL",
                            "set " + join_names(info->base_urls, " or "))
                           .value();
    return opened;
  }

  auto const keys = options.api_key_env.empty() ? info->keys : std::vector<std::string>{options.api_key_env};
  for (std::string const& name : keys) {
    if (!opened.key.empty()) break;
    opened.key = opened.settings.secret(name);
    opened.key_name = name;
  }
  if (!opened.key.empty()) {
    endpoint.secrets.push_back(opened.key);
    // Recordings know the environment's secrets by themselves; this one may come from a file.
    register_secret(opened.key.reveal());
  }
  if (opened.key.empty() && (info->key_needed || !options.api_key_env.empty()))
    endpoint.missing = fail(ErrorCode::kRefused,
                            "no key for provider '" + provider + "'",
                            "set " + join_names(keys, " or ") + " in the environment or in the key file")
                           .value();
  return opened;
}

CUCO_EVOLVE_INLINE Endpoint bearer_endpoint(std::string const& provider, BackendOptions const& options) {
  auto opened = open_endpoint(provider, options);
  if (!opened.key.empty())
    opened.endpoint.headers.emplace_back("authorization", "Bearer " + opened.key.reveal());
  return std::move(opened.endpoint);
}

/// Takes `suffix` off the end: base URLs are written with and without the version of the API.
CUCO_EVOLVE_INLINE void drop_suffix(std::string& url, std::string_view suffix) {
  if (url.size() >= suffix.size() && url.compare(url.size() - suffix.size(), suffix.size(), suffix) == 0)
    url.resize(url.size() - suffix.size());
}

CUCO_EVOLVE_INLINE Endpoint anthropic_endpoint(BackendOptions const& options) {
  auto opened = open_endpoint("anthropic", options);
  drop_suffix(opened.endpoint.base_url, "/v1");
  if (opened.key_name == "ANTHROPIC_AUTH_TOKEN") {
    opened.endpoint.headers.emplace_back("authorization", "Bearer " + opened.key.reveal());
  } else if (!opened.key.empty()) {
    opened.endpoint.headers.emplace_back("x-api-key", opened.key.reveal());
  }
  opened.endpoint.headers.emplace_back("anthropic-version", "2023-06-01");
  return std::move(opened.endpoint);
}

CUCO_EVOLVE_INLINE Endpoint azure_endpoint(BackendOptions const& options) {
  auto opened = open_endpoint("azure", options);
  drop_suffix(opened.endpoint.base_url, "/openai/v1");
  drop_suffix(opened.endpoint.base_url, "/openai");
  if (!opened.key.empty()) opened.endpoint.headers.emplace_back("api-key", opened.key.reveal());
  if (opened.endpoint.limits.api_version.empty())
    opened.endpoint.limits.api_version = opened.settings.get("AZURE_OPENAI_API_VERSION");
  return std::move(opened.endpoint);
}

CUCO_EVOLVE_INLINE Endpoint gemini_endpoint(BackendOptions const& options) {
  auto opened = open_endpoint("gemini", options);
  drop_suffix(opened.endpoint.base_url, "/v1beta");
  if (!opened.key.empty()) opened.endpoint.headers.emplace_back("x-goog-api-key", opened.key.reveal());
  return std::move(opened.endpoint);
}

CUCO_EVOLVE_INLINE Endpoint bedrock_endpoint(BackendOptions const& options) {
  auto opened = open_endpoint("bedrock", options);
  Endpoint& endpoint = opened.endpoint;
  if (endpoint.missing) return std::move(endpoint);
  std::string region = options.region;
  if (region.empty()) region = opened.settings.first({"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (region.empty()) region = "us-east-1";
  if (auto const at = endpoint.base_url.find("REGION"); at != std::string::npos) {
    endpoint.base_url.replace(at, 6, region);
    if (region.rfind("cn-", 0) == 0) endpoint.base_url += ".cn";
  }
  if (!opened.key.empty()) {
    endpoint.headers.emplace_back("authorization", "Bearer " + opened.key.reveal());
    return std::move(endpoint);
  }
  Secret const id = opened.settings.secret("AWS_ACCESS_KEY_ID");
  Secret const secret = opened.settings.secret("AWS_SECRET_ACCESS_KEY");
  Secret const session = opened.settings.secret("AWS_SESSION_TOKEN");
  if (id.empty() || secret.empty()) {
    endpoint.missing =
        fail(ErrorCode::kRefused,
             "no key for provider 'bedrock'",
             "set AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in "
             "the environment or in the key file")
            .value();
    return std::move(endpoint);
  }
  endpoint.aws_sigv4 = "aws:amz:" + region + ":bedrock";
  register_secret(secret.reveal());
  register_secret(session.reveal());
  endpoint.user = id.reveal() + ":" + secret.reveal();
  for (Secret const& value : {secret, session, id})
    if (!value.empty()) endpoint.secrets.push_back(value);
  if (!session.empty()) endpoint.headers.emplace_back("x-amz-security-token", session.reveal());
  return std::move(endpoint);
}

}  // namespace cuco::impl
