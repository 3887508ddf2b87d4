// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/backend_options.hpp"
#include "cuco/llm/impl/http_client.hpp"
#include "cuco/llm/secret.hpp"
#include "cuco/llm/wire/dialect.hpp"
#include "cuco/llm/wire/reply_decoder.hpp"

namespace cuco::impl {

/// Address and credentials of a provider, and the limits of a call.
struct Endpoint {
  std::string provider{};  ///< For errors: "anthropic".
  std::string base_url{};  ///< Without a slash at its end.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::vector<Secret> secrets{};  ///< What must not appear in errors and replies.
  std::string aws_sigv4{};
  std::string user{};
  BackendOptions limits{};
  std::optional<Error> missing{};  ///< Why no call can be made: no key, no address.
};

/// A call of one wire format at an endpoint.
struct ProviderCall {
  Endpoint endpoint{};
  std::string name{};  ///< `provider:model`
  std::string path{};  ///< Behind the base URL.
  std::string stream_path{};
  wire::Knobs knobs{};
  std::string stream_type = "text/event-stream";
  std::function<wire::Body(ChatRequest const&, wire::Dialect const&, bool stream)> body{};
  std::function<Result<ChatReply>(std::string_view)> reply{};
  std::function<std::unique_ptr<wire::ReplyDecoder>(wire::OnText)> decoder{};
};

/// What one backend and its copies have learned about their server.
struct SharedDialect {
  std::mutex mutex{};
  wire::Dialect dialect{};
};

/// Asks the provider: sends, adapts to what the server does not take, decodes, checks JSON replies and has a
/// malformed one repaired once. Errors: see llm_error.hpp. Any thread.
[[nodiscard]] Result<ChatReply> ask(ProviderCall const& call,
                                    SharedDialect& shared,
                                    ChatRequest const& request);

/// Sends `body` and returns the body of the 2xx reply; for embedders and checks. `method` GET sends none.
[[nodiscard]] Result<std::string> exchange_json(Endpoint const& endpoint,
                                                std::string const& method,
                                                std::string const& path,
                                                std::string const& body);

/// What the provider asked to wait: `retry-after-ms`, `retry-after` in seconds or as a date, or a delay in
/// the body of the error.
[[nodiscard]] std::optional<std::chrono::milliseconds> wait_asked_for(HttpReply const& reply);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/provider_call-inl.hpp"
#endif
