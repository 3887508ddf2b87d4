// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/chat_json.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/replay_backend.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE ReplayBackend::ReplayBackend(Recording recording, std::string model)
    : recording_(std::move(recording)), model_(std::move(model)) {
  if (!model_.empty()) return;
  auto const models = recording_.models();
  several_ = models.size() > 1;
  model_ = models.size() == 1 ? models.front() : "replay:none";
}

CUCO_EVOLVE_INLINE Result<ChatReply> ReplayBackend::complete(ChatRequest const& request) {
  if (!recording_.ready()) return tl::unexpected<Error>(impl::unbilled(recording_.ready().error()));
  if (several_) {
    std::string names;
    for (auto const& name : recording_.models()) names += (names.empty() ? "" : ", ") + name;
    return fail(ErrorCode::kInvalidArgument,
                "the recording holds several models: " + names,
                "name the one to replay");
  }
  auto& book = recording_.book();
  ChatRequest const asked = impl::redacted(request);
  auto const call = book.name(model_, asked);
  auto answer = book.find(call);
  if (!answer) return tl::unexpected<Error>(book.missing(call, model_, asked));
  if (*answer) (*answer)->from_record = true;
  if (*answer && request.on_text) request.on_text((*answer)->text);
  return *std::move(answer);
}

}  // namespace cuco
