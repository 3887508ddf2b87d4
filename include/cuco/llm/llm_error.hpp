// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "cuco/core/error.hpp"

namespace cuco {

/// How providers' failures map to `Error`s, so that decorators can decide without parsing prose:
///
/// | what happened | code | retried |
/// |---|---|---|
/// | 429, overloaded (529), quota per minute | kBudget is *not* used; kProcess | yes |
/// | 500, 502, 503, 504, 409, 424, 425, connection refused or reset, malformed or truncated JSON | kProcess |
/// yes | | no byte for the stall deadline, whole deadline, 408 | kTimeout | yes | | 400, 404, 413, 422,
/// context too long, other 3xx and 4xx | kInvalidArgument | no | | 401, 402, 403, no credit (also when told
/// as 429), no key, certificate not trusted | kRefused | no | | a reply longer than the limit, a JSON reply
/// that stays malformed after the repair turn | kParse | no | | the user's budget | kBudget | no |
///
/// `Error::detail` of a provider's failure begins with one line `http-status: N` (0: none) and, where the
/// provider said so, a line `retry-after-ms: N`; then what is known of the price of the call, as lines
/// `usage:` and `cost-usd:` (docs/budgets-and-recordings.md); then its message, cut at 4 KiB, without
/// secrets.
[[nodiscard]] bool is_retryable(Error const& error);

/// What the provider asked to wait, if it did.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(Error const& error);

/// Builds such an error. `message` is one that holds no secrets, or is scrubbed by the caller afterwards.
[[nodiscard]] Error provider_error(std::string const& provider,
                                   long http_status,
                                   std::optional<std::chrono::milliseconds> retry_after,
                                   std::string const& message);

namespace impl {
/// What a provider said, for the end of a detail: at most 4 KiB, and not to be read as one of the lines
/// above.
[[nodiscard]] std::string as_words(std::string const& message);
/// One line of at most `most` bytes: runs of blanks and control characters become one space, and a cut never
/// splits a UTF-8 sequence.
[[nodiscard]] std::string as_one_line(std::string_view text, std::size_t most);
}  // namespace impl

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/llm_error-inl.hpp"
#endif
