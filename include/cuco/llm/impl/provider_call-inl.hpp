// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/impl/json_reply.hpp"
#include "cuco/llm/impl/provider_call.hpp"
#include "cuco/llm/impl/scrubbed.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"

namespace cuco::impl {

/// Milliseconds of "12", "1.5" or "34.07s"; nothing for anything else.
CUCO_EVOLVE_INLINE std::optional<std::chrono::milliseconds> seconds_in(std::string text) {
  if (!text.empty() && text.back() == 's') text.pop_back();
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string::npos) return std::nullopt;
  // Not strtod, which would wait for a comma where the locale has one.
  double seconds = -1;
  auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(seconds >= 0 && seconds < 1e7)) return std::nullopt;
  return std::chrono::milliseconds(static_cast<long long>(std::llround(seconds * 1000)));
}

CUCO_EVOLVE_INLINE std::optional<std::chrono::milliseconds> wait_asked_for(HttpReply const& reply) {
  std::string const exact = reply.header("retry-after-ms");
  if (auto const wait = seconds_in(exact)) return *wait / 1000;
  std::string const after = reply.header("retry-after");
  if (auto const wait = seconds_in(after)) return wait;
  if (!after.empty()) {
    std::time_t const then = curl_getdate(after.c_str(), nullptr);
    // The server's clock, where it shows it, since ours may be off.
    std::string const date = reply.header("date");
    std::time_t now = date.empty() ? -1 : curl_getdate(date.c_str(), nullptr);
    if (now < 0) now = std::time(nullptr);
    if (then >= 0) return std::chrono::seconds(std::max<std::time_t>(then - now, 0));
  }
  wire::Json const json = wire::parse(reply.body);
  wire::Json const& top = json.is_array() ? wire::item(json, 0) : json;
  wire::Json const& details = wire::at(wire::at(top, "error"), "details");
  if (details.is_array())
    for (wire::Json const& detail : details)
      if (auto const wait = seconds_in(wire::text_at(detail, "retryDelay"))) return wait;
  return std::nullopt;
}

CUCO_EVOLVE_INLINE HttpRequest http_request(Endpoint const& endpoint,
                                            std::string method,
                                            std::string const& path,
                                            std::string body) {
  HttpRequest request;
  request.method = std::move(method);
  request.url = endpoint.base_url + path;
  request.headers = endpoint.headers;
  if (request.method != "GET") request.headers.emplace_back("content-type", "application/json");
  request.body = std::move(body);
  request.connect_deadline = endpoint.limits.connect_deadline;
  request.stall_deadline = endpoint.limits.stall_deadline;
  request.deadline = endpoint.limits.deadline;
  request.most_bytes = endpoint.limits.most_bytes;
  request.ca_file = endpoint.limits.ca_file;
  request.cancel = endpoint.limits.cancel;
  request.aws_sigv4 = endpoint.aws_sigv4;
  request.user = endpoint.user;
  return request;
}

/// A transport's error, with the provider's name before it.
CUCO_EVOLVE_INLINE Error transport_error(Endpoint const& endpoint, Error error) {
  error.cause = endpoint.provider + ": " + error.cause;
  return scrubbed(endpoint.secrets, std::move(error));
}

CUCO_EVOLVE_INLINE std::string scrubbed_words(Endpoint const& endpoint, std::string_view body) {
  std::string words = wire::error_words(body);
  scrub(endpoint.secrets, words);
  return words;
}

CUCO_EVOLVE_INLINE Error status_error(Endpoint const& endpoint, HttpReply const& reply) {
  return scrubbed(
      endpoint.secrets,
      provider_error(
          endpoint.provider, reply.status, wait_asked_for(reply), scrubbed_words(endpoint, reply.body)));
}

CUCO_EVOLVE_INLINE Result<std::string> exchange_json(Endpoint const& endpoint,
                                                     std::string const& method,
                                                     std::string const& path,
                                                     std::string const& body) {
  if (endpoint.missing) return tl::unexpected<Error>(*endpoint.missing);
  auto reply = http_exchange(http_request(endpoint, method, path, body));
  if (!reply) return tl::unexpected<Error>(transport_error(endpoint, std::move(reply).error()));
  if (!is_success(*reply)) return tl::unexpected<Error>(status_error(endpoint, *reply));
  return std::move(reply->body);
}

/// One exchange's end: the reply or its error, and what a refusal said.
struct Attempt {
  Result<ChatReply> reply = fail(ErrorCode::kInternal, "no attempt was made");
  long status = 0;
  std::string refusal{};
};

CUCO_EVOLVE_INLINE bool has_type(HttpReply const& head, std::string_view type) {
  std::string given = head.header("content-type").substr(0, type.size());
  std::transform(given.begin(), given.end(), given.begin(), [](unsigned char c) { return std::tolower(c); });
  return given == type;
}

CUCO_EVOLVE_INLINE Attempt attempt(ProviderCall const& call, ChatRequest const& request, std::string body) {
  Endpoint const& endpoint = call.endpoint;
  bool const stream = endpoint.limits.stream;
  Attempt result;
  HttpRequest http = http_request(endpoint, "POST", stream ? call.stream_path : call.path, std::move(body));
  if (stream) http.headers.emplace_back("accept", call.stream_type);
  // A whole reply comes when it is done, without a byte before.
  if (!stream) http.stall_deadline = http.deadline;
  std::unique_ptr<wire::ReplyDecoder> decoder;
  Status decoded;
  std::string whole;
  http.on_head = [&](HttpReply const& head) {
    // A server that does not stream answers at once. One that says nothing about the type does what it was
    // told.
    bool const streams = stream && (has_type(head, call.stream_type) || head.header("content-type").empty());
    if (streams) decoder = call.decoder(request.on_text);
  };
  http.on_body = [&](std::string_view bytes) {
    if (!decoder) {
      whole += bytes;
      return true;
    }
    decoded = decoder->feed(bytes);
    return decoded.has_value() && !decoder->ended();
  };
  auto const exchanged = http_exchange(http);
  auto const failed = [&](Error error) {
    // What was written before it broke off is billed.
    auto const counted = decoder ? decoder->counted() : std::nullopt;
    auto told = failed_call_of(error);
    if (counted && !told.usage && !told.usd) {
      told.usage = counted;
      told.broke_off = true;
      error = with_failed_call(std::move(error), told);
    }
    result.reply = tl::unexpected<Error>(std::move(error));
    return std::move(result);
  };
  if (!decoded) return failed(scrubbed(endpoint.secrets, std::move(decoded).error()));
  if (!exchanged) return failed(transport_error(endpoint, exchanged.error()));
  result.status = exchanged->status;
  if (!is_success(*exchanged)) {
    result.refusal = scrubbed_words(endpoint, exchanged->body);
    return failed(status_error(endpoint, *exchanged));
  }
  if (decoder) {
    result.reply = decoder->finish();
  } else {
    std::string const type = exchanged->header("content-type");
    bool const json = type.empty() || type.find("json") != std::string::npos;
    if (!json) {
      // Before it is cut: a key that was cut in two would not be found.
      scrub(endpoint.secrets, whole);
      std::string const words = "malformed reply: it is '" + type + "', not JSON: " + whole.substr(0, 4096);
      return failed(scrubbed(endpoint.secrets,
                             provider_error(endpoint.provider, exchanged->status, std::nullopt, words)));
    }
    result.reply = call.reply(whole);
    if (result.reply && request.on_text) request.on_text(result.reply->text);
  }
  if (!result.reply) return failed(scrubbed(endpoint.secrets, std::move(result.reply).error()));
  scrub(endpoint.secrets, *result.reply);
  return result;
}

/// Remembers for all later calls what one has learned that was answered in the end.
CUCO_EVOLVE_INLINE void remember(SharedDialect& shared,
                                 wire::Dialect const& learned,
                                 std::string const& name,
                                 std::string const& refusal) {
  std::unique_lock lock(shared.mutex);
  auto const before = shared.dialect;
  shared.dialect = wire::joined(before, learned);
  auto const after = shared.dialect;
  lock.unlock();
  if (before == after) return;
  log_warning(name + ": the server does not take " + wire::what_is_left_out(before, after) +
              "; requests do without from now on: " + as_one_line(refusal, 200));
}

CUCO_EVOLVE_INLINE Result<ChatReply> ask_once(ProviderCall const& call,
                                              SharedDialect& shared,
                                              ChatRequest const& request) {
  wire::Dialect dialect;
  {
    std::lock_guard const lock(shared.mutex);
    dialect = shared.dialect;
  }
  std::string refusal;  // the last that taught something
  // `learn` is bounded by itself; this guards against one that is not.
  for (int round = 0;; ++round) {
    wire::Body body = call.body(request, dialect, call.endpoint.limits.stream);
    Attempt result = attempt(call, request, std::move(body.text));
    bool const refused = !result.reply && (result.status == 400 || result.status == 422);
    wire::Dialect next = dialect;
    next.json = body.json;
    if (!refused || round == 12 || !wire::learn(next, call.knobs, request, result.refusal)) {
      // What did not help was not the reason: later requests must not suffer from it.
      if (result.reply && !refusal.empty()) remember(shared, dialect, call.name, refusal);
      if (result.reply) result.reply->model = call.name;
      return std::move(result.reply);
    }
    if (next.json == body.json) next.json = dialect.json;
    dialect = next;
    refusal = std::move(result.refusal);
  }
}

CUCO_EVOLVE_INLINE Result<ChatReply> ask(ProviderCall const& call,
                                         SharedDialect& shared,
                                         ChatRequest const& request) {
  if (auto checked = check_request(request); !checked) return forward_error(std::move(checked));
  if (call.endpoint.missing) return tl::unexpected<Error>(*call.endpoint.missing);
  if (!call.name.empty() && call.name.back() == ':')
    return fail(ErrorCode::kInvalidArgument,
                "the " + call.endpoint.provider + " backend has no model's name");
  return with_json_checked(call.endpoint.provider, request, [&](ChatRequest const& asked) {
    return ask_once(call, shared, asked);
  });
}

}  // namespace cuco::impl
