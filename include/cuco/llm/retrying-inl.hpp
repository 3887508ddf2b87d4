// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <thread>

#include "cuco/core/impl/inline.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/llm/impl/canonical_request.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/retrying.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE RetryRound::RetryRound(RetryOptions const& options, ChatRequest const& request)
    : options_(options), request_(request) {}

CUCO_EVOLVE_INLINE Status RetryRound::begin() const {
  if (cancelled()) return fail(ErrorCode::kCancelled, "cancelled before a call to a model");
  return {};
}

CUCO_EVOLVE_INLINE std::chrono::milliseconds RetryRound::delay(Error const& error) const {
  double const longest = static_cast<double>(std::max<std::int64_t>(0, options_.longest.count()));
  double bound = static_cast<double>(std::max<std::int64_t>(0, options_.base.count()));
  for (int k = 1; k < failures_ && bound < longest; ++k) bound *= 2;
  Rng rng =
      Rng(options_.seed).split("retry " + request_key({}, request_), static_cast<std::uint64_t>(failures_));
  auto const jitter =
      std::chrono::milliseconds(static_cast<std::int64_t>(std::min(bound, longest) * rng.uniform()));
  // Kept within a day, so that sums below cannot overflow whatever a provider says.
  auto const asked = std::min(retry_after(error).value_or(std::chrono::milliseconds(0)),
                              std::chrono::milliseconds(86'400'000));
  return std::max(asked, jitter);
}

CUCO_EVOLVE_INLINE void RetryRound::sleep(std::chrono::milliseconds time) const {
  if (options_.sleep) {
    options_.sleep(time);
    return;
  }
  // In slices: a signal handler can set a flag, but not wake a thread.
  auto const end = std::chrono::steady_clock::now() + time;
  for (auto left = time; left.count() > 0 && !cancelled();
       left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()))
    std::this_thread::sleep_for(std::min(left, std::chrono::milliseconds(20)));
}

CUCO_EVOLVE_INLINE bool RetryRound::wait_after(Error& error) {
  ++failures_;
  if (!is_retryable(error)) return false;
  auto give_up = [&] {
    if (failures_ > 1) error.cause += " (" + std::to_string(failures_) + " attempts)";
    return false;
  };
  if (failures_ >= options_.attempts) return give_up();
  auto const wait = delay(error);
  // Of planned waits, not of the clock: a replay has to give up where the run did.
  if (waited_ + wait > options_.total) return give_up();
  waited_ += wait;
  if (!cancelled()) sleep(wait);
  if (!cancelled()) return true;
  error =
      Error{ErrorCode::kCancelled, "cancelled before the next attempt after: " + error.cause, {}, {}, 0, {}};
  return false;
}

}  // namespace cuco::impl
