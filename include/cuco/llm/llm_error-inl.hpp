// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/llm_error.hpp"

namespace cuco {

namespace impl {

/// The number after `label` when `text` begins with it; -1 otherwise.
CUCO_EVOLVE_INLINE long long labelled_number(std::string_view text, std::string_view label) {
  if (text.substr(0, label.size()) != label) return -1;
  text.remove_prefix(label.size());
  long long value = -1;
  auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && (end == text.data() + text.size() || *end == '\n') ? value : -1;
}

CUCO_EVOLVE_INLINE bool holds_ignoring_case(std::string_view text, std::string_view lower_word) {
  auto const same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), lower_word.begin(), lower_word.end(), same) != text.end();
}

CUCO_EVOLVE_INLINE std::string as_one_line(std::string_view text, std::size_t most) {
  std::string line;
  bool blank = false;
  for (char const c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7F') {
      blank = !line.empty();
      continue;
    }
    if (blank) line += ' ';
    blank = false;
    line += c;
    if (line.size() > most + 4) break;
  }
  if (line.size() <= most) return line;
  std::size_t cut = most;
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0U) == 0x80U) --cut;
  return line.substr(0, cut) + "...";
}

CUCO_EVOLVE_INLINE std::string as_words(std::string const& message) {
  auto const begins = [&](std::string_view label) { return message.rfind(label, 0) == 0; };
  bool const like_ours =
      begins("http-status:") || begins("retry-after-ms:") || begins("usage:") || begins("cost-usd:");
  return (like_ours ? " " : "") + message.substr(0, 4096);
}

CUCO_EVOLVE_INLINE ErrorCode code_of_status(long status, std::string_view message) {
  // Some providers tell an empty account with the status that otherwise means "slow down".
  bool const no_credit = holds_ignoring_case(message, "insufficient_quota") ||
                         holds_ignoring_case(message, "insufficient balance") ||
                         holds_ignoring_case(message, "credit balance is too low");
  switch (status) {
    case 401:
    case 402:
    case 403: return ErrorCode::kRefused;
    case 408: return ErrorCode::kTimeout;
    case 409:
    case 424:
    case 425: return ErrorCode::kProcess;
    case 429: return no_credit ? ErrorCode::kRefused : ErrorCode::kProcess;
    case 501:
    case 505: return ErrorCode::kInvalidArgument;
    default: break;
  }
  if (status >= 300 && status < 500) return no_credit ? ErrorCode::kRefused : ErrorCode::kInvalidArgument;
  return ErrorCode::kProcess;
}

CUCO_EVOLVE_INLINE std::string remedy_of_status(long status, ErrorCode code) {
  if (status >= 300 && status < 400)
    return "redirects are not followed, because they could carry the key elsewhere; correct the base URL";
  if (status == 401 || status == 403) return "check the key, and that it may use this model";
  if (code == ErrorCode::kRefused) return "add credit to the account";
  if (status == 404) return "check the model's name and the base URL";
  if (status == 413) return "shorten the prompt";
  if (status == 429) return "wait, or lower the number of calls at the same time";
  return {};
}

}  // namespace impl

CUCO_EVOLVE_INLINE bool is_retryable(Error const& error) {
  return error.code == ErrorCode::kProcess || error.code == ErrorCode::kTimeout;
}

CUCO_EVOLVE_INLINE std::optional<std::chrono::milliseconds> retry_after(Error const& error) {
  std::string_view detail = error.detail;
  if (impl::labelled_number(detail, "http-status: ") < 0) return std::nullopt;
  auto const line = detail.find('\n');
  if (line == std::string_view::npos) return std::nullopt;
  auto const wait = impl::labelled_number(detail.substr(line + 1), "retry-after-ms: ");
  if (wait < 0) return std::nullopt;
  return std::chrono::milliseconds(wait);
}

CUCO_EVOLVE_INLINE Error provider_error(std::string const& provider,
                                        long http_status,
                                        std::optional<std::chrono::milliseconds> retry_after,
                                        std::string const& message) {
  Error error;
  error.code = impl::code_of_status(http_status, message);
  std::string const words = impl::as_one_line(message, 300);
  error.cause = provider;
  if (http_status != 0 && !(http_status >= 200 && http_status < 300))
    error.cause += " answered " + std::to_string(http_status);
  if (!words.empty()) error.cause += ": " + words;
  error.remedy = impl::remedy_of_status(http_status, error.code);
  error.detail = "http-status: " + std::to_string(http_status) + "\n";
  if (retry_after) {
    error.detail += "retry-after-ms: " + std::to_string(std::max<long long>(retry_after->count(), 0)) + "\n";
  }
  error.detail += impl::as_words(message);
  return error;
}

}  // namespace cuco
