// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"

namespace cuco {

/// When and how often a call is repeated.
struct RetryOptions {
  int attempts = 5;                           ///< Calls at most, the first included.
  std::chrono::milliseconds base{1'000};      ///< The wait after failure k is random up to base * 2^(k-1) …
  std::chrono::milliseconds longest{60'000};  ///< … and up to this.
  /// All waits of a call together. The time that the calls themselves take does not count: it would be
  /// another one in a replay.
  std::chrono::milliseconds total{900'000};
  std::uint64_t seed = 0;                                  ///< Of the random waits.
  std::atomic<bool> const* cancel = nullptr;               ///< Ends a wait when it becomes true.
  std::function<void(std::chrono::milliseconds)> sleep{};  ///< In place of a real wait.
};

namespace impl {

/// One call and its repetitions.
class RetryRound {
 public:
  RetryRound(RetryOptions const& options, ChatRequest const& request);
  /// kCancelled when the user has stopped the run.
  [[nodiscard]] Status begin() const;
  /// Waits as long as `error` and the options say. False: give up; `error` then says after how many attempts.
  [[nodiscard]] bool wait_after(Error& error);

 private:
  [[nodiscard]] bool cancelled() const { return options_.cancel != nullptr && options_.cancel->load(); }
  [[nodiscard]] std::chrono::milliseconds delay(Error const& error) const;
  void sleep(std::chrono::milliseconds time) const;

  RetryOptions const& options_;
  ChatRequest const& request_;
  std::chrono::milliseconds waited_{0};
  int failures_ = 0;
};

}  // namespace impl

/// Repeats calls that failed for a passing reason: too many requests, an overloaded or failing server, a
/// broken connection, a time-out (`is_retryable`). What the provider rejects (400, 401, 403, …) and the
/// user's own limits are passed on at once.
///
/// The wait is what the provider asks for, or longer: exponential with full jitter, so that callers that
/// failed together do not return together. The jitter depends on seed, request and attempt alone. When the
/// waits would exceed `total`, or after `attempts` calls, the last error is returned and tells how often it
/// was tried. `on_text` of a request hears every attempt from its beginning.
///
/// Errors: those of the inner backend; kCancelled. Copies share the inner backend. Any thread, if the inner
/// one may.
template <LLMBackend B>
class Retrying {
 public:
  explicit Retrying(B backend, RetryOptions options = {})
      : backend_(std::move(backend)), options_(std::make_shared<RetryOptions const>(std::move(options))) {}

  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) {
    impl::RetryRound round(*options_, request);
    if (Status ready = round.begin(); !ready) return forward_error(std::move(ready));
    for (;;) {
      Result<ChatReply> reply = backend_.complete(request);
      if (reply || !round.wait_after(reply.error())) return reply;
    }
  }
  [[nodiscard]] std::string model() const { return model_of(backend_); }

 private:
  B backend_;
  std::shared_ptr<RetryOptions const> options_;
};

static_assert(explain_llm_backend<Retrying<AnyBackend>>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/retrying-inl.hpp"
#endif
