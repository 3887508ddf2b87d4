// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/any_backend.hpp"
#include "cuco/llm/impl/chat_json.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/recording.hpp"

namespace cuco {

/// Writes every call and its answer to a recording, for `ReplayBackend`.
///
/// An answer is on disk before the caller gets it, and the caller gets what was written: without secrets, so
/// that a replay gives the same bytes. Errors of the inner backend are recorded as answers, so that a
/// replayed run repeats its attempts alike; the user's own limits (kBudget, kCancelled) are not. A call that
/// the recording holds already, because an earlier process was stopped, is answered from it; if that answer
/// is an error, the call is made and its answer replaces the error. Such a reply says so (`from_record`), and
/// every reply has the name of its call (`recorded_as`), by which `Budgeted` books it once.
///
/// Put it inside of `Budgeted` and `Retrying`, so that both see in a replay what they saw in the run. Several
/// backends may share one recording: `Recorded{a, recording}`, `Recorded{b, recording}`.
///
/// Errors: those of the inner backend; kIo when the recording cannot be written, then the answer is lost
/// and the error has its price;
/// those of opening it. Copies share the recording. Any thread, if the inner backend may.
template <LLMBackend B>
class Recorded {
 public:
  Recorded(B backend, Recording recording) : backend_(std::move(backend)), recording_(std::move(recording)) {}
  Recorded(B backend, std::string const& path)
      : Recorded(std::move(backend), Recording(path, Recording::Use::kRecord)) {}

  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) {
    if (!recording_.ready()) return tl::unexpected<Error>(impl::unbilled(recording_.ready().error()));
    auto& book = recording_.book();
    auto const name = model();
    ChatRequest const written = impl::redacted(request);
    auto const call = book.name(name, written);
    if (auto kept = book.find(call); kept && *kept) {
      if (request.on_text) request.on_text((*kept)->text);
      (*kept)->from_record = true;
      return *std::move(kept);
    }
    Result<ChatReply> answer = impl::redacted(backend_.complete(request));
    if (!answer &&
        (answer.error().code == ErrorCode::kBudget || answer.error().code == ErrorCode::kCancelled))
      return answer;
    if (Status stored = book.store(call, name, written, answer); !stored)
      return tl::unexpected<Error>(impl::with_price_of(std::move(stored).error(), answer, request));
    if (answer) answer->recorded_as = call.text();
    return answer;
  }
  [[nodiscard]] std::string model() const { return model_of(backend_); }
  [[nodiscard]] Recording const& recording() const { return recording_; }

 private:
  B backend_;
  Recording recording_;
};

template <class B>
Recorded(B, char const*) -> Recorded<B>;

static_assert(explain_llm_backend<Recorded<AnyBackend>>());

}  // namespace cuco
