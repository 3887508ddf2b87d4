// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/result.hpp"

namespace cuco::impl {

/// A reply: whole if its status is 2xx, else as much of it as arrived, up to 256 KiB.
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

inline bool is_success(HttpReply const& reply) {
  return reply.status >= 200 && reply.status < 300;
}

/// One HTTP exchange. Headers may hold secrets: nothing of them ever gets into an error or a log.
struct HttpRequest {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::chrono::milliseconds connect_deadline{15'000};
  std::chrono::milliseconds stall_deadline{120'000};  ///< Without a byte for so long: kTimeout. 0: none.
  std::chrono::milliseconds deadline{1'200'000};      ///< Of the whole exchange. 0: none.
  std::size_t most_bytes = std::size_t{64} << 20U;    ///< A longer reply is an error.
  std::string ca_file{};    ///< PEM; these authorities and no others. Empty: CUCO_CA_FILE, else the system's.
  std::string aws_sigv4{};  ///< Such as "aws:amz:us-east-1:bedrock"; then `user` is "key:secret".
  std::string user{};
  std::atomic<bool> const* cancel = nullptr;  ///< Set it to true from any thread to stop: kCancelled.
  /// Sees status and headers of a 2xx reply before its body.
  std::function<void(HttpReply const& head)> on_head{};
  /// Gets the body of a 2xx reply while it arrives; false ends the exchange early, which is no error. Empty:
  /// the body is collected.
  std::function<bool(std::string_view)> on_body{};
};

/// Redirects are not followed: they could carry the key to another host. Proxies come from the environment,
/// as with curl. Certificates are always verified.
///
/// Errors: kTimeout; kProcess for transport failures (no such host, refused, reset, cut off), kRefused for a
/// certificate that is not trusted, kInvalidArgument for a URL that is none or a header with a line break,
/// kParse for a reply longer than `most_bytes`, kCancelled. A reply whose status is 300 or more is none of
/// them, also when it breaks off or stalls. An error from before anything was sent says so (`is_free`). Any
/// thread.
[[nodiscard]] Result<HttpReply> http_exchange(HttpRequest const& request);

/// Scheme, host and port of `url`, without user name and path: all that errors may show of it.
[[nodiscard]] std::string url_origin(std::string_view url);

/// `text` as one segment of a URL's path: everything but letters, digits and "-._~" as %XX.
[[nodiscard]] std::string url_segment(std::string_view text);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/http_client-inl.hpp"
#endif
