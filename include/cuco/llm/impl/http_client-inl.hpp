// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/impl/http_client.hpp"

namespace cuco::impl {

using HttpClock = std::chrono::steady_clock;

/// What the callbacks of one exchange share.
struct HttpTransfer {
  HttpRequest const* request = nullptr;
  CURL* easy = nullptr;
  HttpReply reply{};
  std::size_t received = 0;
  HttpClock::time_point last_byte{};
  curl_off_t moved = 0;  ///< Bytes in both directions, as the progress callback last saw them.
  bool head_told = false;
  bool too_long = false;
  bool ended_early = false;  ///< `on_body` had enough, or enough of a refusal is there.
};

/// Of a reply that is not 2xx only the beginning is of use.
inline constexpr std::size_t kMostErrorBytes = std::size_t{256} << 10U;

CUCO_EVOLVE_INLINE std::size_t on_http_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<HttpTransfer*>(user);
  std::size_t const bytes = size * count;
  transfer.last_byte = HttpClock::now();
  std::string_view line(data, bytes);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.substr(0, 5) == "HTTP/") {
    // A new head: that of a 100 Continue or of a proxy is over.
    transfer.reply.headers.clear();
    return bytes;
  }
  auto const colon = line.find(':');
  if (colon == std::string_view::npos) return bytes;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  auto value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  transfer.reply.headers.emplace_back(std::move(name), std::string(value));
  return bytes;
}

CUCO_EVOLVE_INLINE std::size_t on_http_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<HttpTransfer*>(user);
  std::size_t const bytes = size * count;
  transfer.last_byte = HttpClock::now();
  HttpRequest const& request = *transfer.request;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &transfer.reply.status);
  if (!is_success(transfer.reply)) {
    std::size_t const room = kMostErrorBytes - std::min(kMostErrorBytes, transfer.reply.body.size());
    transfer.reply.body.append(data, std::min(bytes, room));
    if (bytes < room) return bytes;
    transfer.ended_early = true;
    return 0;
  }
  if (bytes > request.most_bytes - std::min(request.most_bytes, transfer.received)) {
    transfer.too_long = true;
    return 0;
  }
  transfer.received += bytes;
  if (!transfer.head_told) {
    transfer.head_told = true;
    if (request.on_head) request.on_head(transfer.reply);
  }
  if (!request.on_body) {
    transfer.reply.body.append(data, bytes);
    return bytes;
  }
  if (request.on_body(std::string_view(data, bytes))) return bytes;
  transfer.ended_early = true;
  return 0;
}

CUCO_EVOLVE_INLINE int on_http_progress(
    void* user, curl_off_t, curl_off_t downloaded, curl_off_t, curl_off_t uploaded) {
  auto& transfer = *static_cast<HttpTransfer*>(user);
  if (downloaded + uploaded != transfer.moved) {
    transfer.moved = downloaded + uploaded;
    transfer.last_byte = HttpClock::now();
  }
  return 0;
}

CUCO_EVOLVE_INLINE std::string url_origin(std::string_view url) {
  auto const scheme = url.find("://");
  auto const begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  auto const end = std::min(url.find_first_of("/?#", begin), url.size());
  auto authority = url.substr(begin, end - begin);
  if (auto const at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  return std::string(url.substr(0, begin)) + std::string(authority);
}

CUCO_EVOLVE_INLINE std::string url_segment(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    bool const plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                       byte == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

/// AWS signs the path of a request encoded once more than it is sent. libcurl does so from 8.14 on; older
/// ones sign the URL's path as it stands. They get the twice-encoded path as URL, and the one to send as
/// target.
CUCO_EVOLVE_INLINE void set_signed_path(CURL* easy,
                                        std::string const& url,
                                        std::string& signed_url,
                                        std::string& target) {
  constexpr unsigned kEncodesPath = 0x080E00;
  curl_version_info_data const* const version = curl_version_info(CURLVERSION_NOW);
  if (version->version_num >= kEncodesPath) return;
  auto const scheme = url.find("://");
  auto const path = scheme == std::string::npos ? std::string::npos : url.find('/', scheme + 3);
  if (path == std::string::npos) return;
  auto const query = std::min(url.find('?', path), url.size());
  std::string encoded;
  for (std::size_t at = path; at < query; ++at)
    encoded += url[at] == '/' ? std::string("/") : url_segment(std::string_view(url).substr(at, 1));
  target = url.substr(path);
  signed_url = url.substr(0, path) + encoded + url.substr(query);
  curl_easy_setopt(easy, CURLOPT_URL, signed_url.c_str());
  curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, target.c_str());
}

CUCO_EVOLVE_INLINE tl::unexpected<Error> http_failure(ErrorCode code,
                                                      HttpRequest const& request,
                                                      std::string const& what,
                                                      std::string remedy = {}) {
  Error error;
  error.code = code;
  error.cause = url_origin(request.url) + ": " + what;
  error.remedy = std::move(remedy);
  error.detail = "http-status: 0\n" + what;
  return tl::unexpected<Error>(std::move(error));
}

CUCO_EVOLVE_INLINE tl::unexpected<Error> curl_failure(CURLcode code,
                                                      char const* words,
                                                      HttpRequest const& request) {
  std::string what = words[0] != '\0' ? words : curl_easy_strerror(code);
  // libcurl's words end with a period now and then, and begin in upper case.
  while (!what.empty() && (what.back() == '.' || what.back() == '\n')) what.pop_back();
  if (what.size() > 1 && std::isupper(static_cast<unsigned char>(what[0])) != 0 &&
      std::islower(static_cast<unsigned char>(what[1])) != 0)
    what[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(what[0])));
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return http_failure(ErrorCode::kTimeout, request, what);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return http_failure(ErrorCode::kInvalidArgument, request, what, "correct the base URL");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return http_failure(ErrorCode::kRefused,
                          request,
                          what,
                          "if the server is yours, name its certificate authority: CUCO_CA_FILE or ca_file");
    case CURLE_SSL_CACERT_BADFILE:
      return http_failure(
          ErrorCode::kInvalidArgument, request, what, "CUCO_CA_FILE or ca_file must name a PEM file");
    default: return http_failure(ErrorCode::kProcess, request, what);
  }
}

CUCO_EVOLVE_INLINE bool breaks_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

/// Drives the transfer to its end. A multi handle, because deadlines below one second and `cancel` need a
/// loop of our own.
CUCO_EVOLVE_INLINE Result<CURLcode> drive_transfer(CURLM* multi, HttpTransfer& transfer) {
  HttpRequest const& request = *transfer.request;
  auto const begin = HttpClock::now();
  transfer.last_byte = begin;
  for (;;) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK)
      return http_failure(ErrorCode::kProcess, request, "the transfer cannot go on");
    int left = 0;
    while (CURLMsg const* message = curl_multi_info_read(multi, &left))
      if (message->msg == CURLMSG_DONE) return message->data.result;
    if (running == 0)
      return http_failure(ErrorCode::kProcess, request, "the transfer ended without a result");
    if (request.cancel != nullptr && request.cancel->load(std::memory_order_relaxed))
      return http_failure(ErrorCode::kCancelled, request, "the call was cancelled");
    auto const now = HttpClock::now();
    auto wait = std::chrono::milliseconds(request.cancel != nullptr ? 50 : 1000);
    auto const overdue = [&](std::chrono::milliseconds limit, HttpClock::time_point since) {
      if (limit.count() <= 0) return false;
      auto const remaining = std::chrono::ceil<std::chrono::milliseconds>(since + limit - now);
      wait = std::max(std::chrono::milliseconds(0), std::min(wait, remaining));
      return remaining.count() <= 0;
    };
    auto const text = [](std::chrono::milliseconds limit) { return std::to_string(limit.count()) + " ms"; };
    if (overdue(request.deadline, begin))
      return http_failure(ErrorCode::kTimeout, request, "no whole reply within " + text(request.deadline));
    if (overdue(request.stall_deadline, transfer.last_byte))
      return http_failure(ErrorCode::kTimeout, request, "no byte for " + text(request.stall_deadline));
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
}

CUCO_EVOLVE_INLINE Result<HttpReply> http_exchange(HttpRequest const& request) {
  // Not thread-safe in older libcurl; a static's initialisation is.
  static CURLcode const started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) return http_failure(ErrorCode::kInternal, request, "libcurl does not start");
  if (breaks_line(request.url))
    return http_failure(ErrorCode::kInvalidArgument, request, "the URL holds a line break");

  std::unique_ptr<CURL, void (*)(CURL*)> const easy(curl_easy_init(), curl_easy_cleanup);
  std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> const multi(curl_multi_init(), curl_multi_cleanup);
  if (!easy || !multi) return http_failure(ErrorCode::kInternal, request, "libcurl is out of memory");
  CURL* const handle = easy.get();

  struct ListFree {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  std::unique_ptr<curl_slist, ListFree> headers;
  auto const add_header = [&](std::string const& line) {
    curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return false;
    (void)headers.release();
    headers.reset(longer);
    return true;
  };
  for (auto const& [name, value] : request.headers) {
    if (breaks_line(name) || breaks_line(value))
      return http_failure(
          ErrorCode::kInvalidArgument, request, "the value of header '" + name + "' holds a line break");
    if (!add_header(name + ": " + value))
      return http_failure(ErrorCode::kInternal, request, "libcurl is out of memory");
  }
  // Without it, long bodies wait a second for a "100 Continue" that few servers send. A signed request keeps
  // it: libcurl would sign the empty header.
  if (request.aws_sigv4.empty()) (void)add_header("Expect:");

  HttpTransfer transfer;
  transfer.request = &request;
  transfer.easy = handle;
  char words[CURL_ERROR_SIZE] = "";
  bool set = true;
  auto const option = [&](CURLoption name, auto value) {
    set = curl_easy_setopt(handle, name, value) == CURLE_OK && set;
  };
  option(CURLOPT_ERRORBUFFER, static_cast<char*>(words));
  option(CURLOPT_URL, request.url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  option(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  option(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  option(CURLOPT_NOSIGNAL, 1L);
  option(CURLOPT_FOLLOWLOCATION, 0L);
  option(CURLOPT_SSL_VERIFYPEER, 1L);
  option(CURLOPT_SSL_VERIFYHOST, 2L);
  option(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  char const* const named = std::getenv("CUCO_CA_FILE");
  std::string const ca_file = !request.ca_file.empty() ? request.ca_file : named != nullptr ? named : "";
  if (!ca_file.empty()) {
    option(CURLOPT_CAINFO, ca_file.c_str());
    option(CURLOPT_CAPATH, static_cast<char const*>(nullptr));
  }
  option(CURLOPT_USERAGENT, "cuco");
  option(CURLOPT_HTTPHEADER, headers.get());
  option(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_deadline.count()));
  option(CURLOPT_HEADERFUNCTION, on_http_header);
  option(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  option(CURLOPT_WRITEFUNCTION, on_http_body);
  option(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  option(CURLOPT_NOPROGRESS, 0L);
  option(CURLOPT_XFERINFOFUNCTION, on_http_progress);
  option(CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  if (request.method == "GET") {
    option(CURLOPT_HTTPGET, 1L);
  } else {
    option(CURLOPT_POST, 1L);
    option(CURLOPT_POSTFIELDS, request.body.c_str());
    option(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    if (request.method != "POST") option(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  std::string signed_url, target;
  if (!request.aws_sigv4.empty()) {
    option(CURLOPT_AWS_SIGV4, request.aws_sigv4.c_str());
    option(CURLOPT_USERPWD, request.user.c_str());
    set_signed_path(handle, request.url, signed_url, target);
  }
  if (!set) return http_failure(ErrorCode::kInternal, request, "libcurl lacks an option that is needed");

  if (curl_multi_add_handle(multi.get(), handle) != CURLM_OK)
    return http_failure(ErrorCode::kInternal, request, "libcurl is out of memory");
  auto const ended = drive_transfer(multi.get(), transfer);
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &transfer.reply.status);
  curl_off_t sending = 0;
  curl_easy_getinfo(handle, CURLINFO_PRETRANSFER_TIME_T, &sending);
  curl_multi_remove_handle(multi.get(), handle);
  // A refusal stands, however much of its words has arrived: it is not a broken connection, which would be
  // tried again.
  bool const refused = transfer.reply.status >= 300 && (ended || ended.error().code != ErrorCode::kCancelled);
  if (refused) return std::move(transfer.reply);
  auto const failed = [&](tl::unexpected<Error> failure) {
    if (sending == 0) return tl::unexpected<Error>(unbilled(std::move(failure).value()));
    return failure;
  };
  if (!ended) return failed(tl::unexpected<Error>(ended.error()));
  if (transfer.too_long)
    return http_failure(ErrorCode::kParse,
                        request,
                        "the reply is longer than " + std::to_string(request.most_bytes) + " bytes");
  if (*ended != CURLE_OK && !transfer.ended_early) return failed(curl_failure(*ended, words, request));
  // A 2xx reply without a body has a head too.
  if (is_success(transfer.reply) && !transfer.head_told && request.on_head) request.on_head(transfer.reply);
  return std::move(transfer.reply);
}

}  // namespace cuco::impl
