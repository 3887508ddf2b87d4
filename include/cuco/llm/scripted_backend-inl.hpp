// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/scripted_backend.hpp"

namespace cuco {

struct ScriptedBackend::State {
  std::mutex mutex{};
  std::vector<Answer> answers{};
  Function function{};
  std::size_t position = 0;
  std::vector<ChatRequest> requests{};

  [[nodiscard]] Answer next() {
    if (position == answers.size())
      return fail(ErrorCode::kNotFound,
                  "the script has only " + std::to_string(answers.size()) + " answers",
                  "give it one for every call");
    return answers[position++];
  }
};

CUCO_EVOLVE_INLINE ScriptedBackend::ScriptedBackend(std::vector<Answer> answers)
    : state_(std::make_shared<State>()) {
  state_->answers = std::move(answers);
}

CUCO_EVOLVE_INLINE ScriptedBackend::ScriptedBackend(std::vector<std::string> const& texts)
    : state_(std::make_shared<State>()) {
  for (std::string const& text : texts) {
    ChatReply reply;
    reply.text = text;
    reply.cost_usd = 0;
    state_->answers.emplace_back(std::move(reply));
  }
}

CUCO_EVOLVE_INLINE ScriptedBackend::ScriptedBackend(Function answer) : state_(std::make_shared<State>()) {
  state_->function = std::move(answer);
}

CUCO_EVOLVE_INLINE Result<ChatReply> ScriptedBackend::complete(ChatRequest const& request) {
  std::lock_guard const lock(state_->mutex);
  state_->requests.push_back(request);
  state_->requests.back().on_text = nullptr;
  Answer answer = state_->function ? state_->function(request) : state_->next();
  if (answer && answer->model.empty()) answer->model = model();
  if (answer && request.on_text) request.on_text(answer->text);
  return answer;
}

CUCO_EVOLVE_INLINE std::string ScriptedBackend::model() {
  return "scripted:list";
}

CUCO_EVOLVE_INLINE std::vector<ChatRequest> ScriptedBackend::requests() const {
  std::lock_guard const lock(state_->mutex);
  return state_->requests;
}

}  // namespace cuco
