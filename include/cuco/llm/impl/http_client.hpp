// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/result.hpp"

namespace cuco::impl {

/// One HTTP exchange. Headers may hold secrets: nothing of them ever gets into an error or a log.
struct HttpRequest {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::chrono::milliseconds connect_deadline{15'000};
  std::chrono::milliseconds stall_deadline{120'000};  ///< Without a byte for so long: kTimeout.
  std::chrono::milliseconds deadline{1'200'000};      ///< Of the whole exchange.
  std::size_t most_bytes = std::size_t{64} << 20U;    ///< A longer reply is an error.
  std::string ca_file{};    ///< PEM; empty: the system's.
  std::string aws_sigv4{};  ///< Such as "aws:amz:us-east-1:bedrock"; then `user` is "key:secret".
  std::string user{};
  /// Gets the body of a 2xx reply while it arrives; false ends the exchange. Empty: the body is collected.
  std::function<bool(std::string_view)> on_body{};
};

/// A reply that arrived whole, whatever its status.
struct HttpReply {
  long status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};  ///< Names in lower case.
  std::string body{};                                          ///< Empty when `on_body` took it.
  [[nodiscard]] std::string header(std::string_view name) const {
    for (auto const& [key, value] : headers)
      if (key == name) return value;
    return {};
  }
};

/// Errors: kTimeout; kProcess for transport failures (refused, reset, TLS), kInvalidArgument for a URL that is
/// none, kParse for a reply longer than `most_bytes`. Any thread.
[[nodiscard]] Result<HttpReply> http_exchange(HttpRequest const& request);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/http_client-inl.hpp"
#endif
