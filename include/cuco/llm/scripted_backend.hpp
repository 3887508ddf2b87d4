// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Answers from a list, or from a function of the request: for tests and for runs without a model. Keeps every
/// request it got. Copies share the list and its position.
///
/// Errors: those of the list; kNotFound when the list is used up.
class ScriptedBackend {
 public:
  using Answer = Result<ChatReply>;
  using Function = std::function<Answer(ChatRequest const&)>;

  explicit ScriptedBackend(std::vector<Answer> answers) : state_(std::make_shared<State>()) {
    state_->answers = std::move(answers);
  }
  explicit ScriptedBackend(std::vector<std::string> const& texts) : state_(std::make_shared<State>()) {
    for (std::string const& text : texts) {
      ChatReply reply;
      reply.text = text;
      reply.cost_usd = 0;
      state_->answers.emplace_back(std::move(reply));
    }
  }
  explicit ScriptedBackend(Function answer) : state_(std::make_shared<State>()) {
    state_->function = std::move(answer);
  }

  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) {
    std::lock_guard const lock(state_->mutex);
    state_->requests.push_back(request);
    state_->requests.back().on_text = nullptr;
    Answer answer = state_->function ? state_->function(request) : next();
    if (answer && answer->model.empty()) answer->model = model();
    if (answer && request.on_text) request.on_text(answer->text);
    return answer;
  }
  [[nodiscard]] static std::string model() { return "scripted:list"; }
  /// What was asked so far.
  [[nodiscard]] std::vector<ChatRequest> requests() const {
    std::lock_guard const lock(state_->mutex);
    return state_->requests;
  }

 private:
  struct State {
    std::mutex mutex{};
    std::vector<Answer> answers{};
    Function function{};
    std::size_t position = 0;
    std::vector<ChatRequest> requests{};
  };
  [[nodiscard]] Answer next() {
    if (state_->position == state_->answers.size())
      return fail(ErrorCode::kNotFound,
                  "the script has only " + std::to_string(state_->answers.size()) + " answers");
    return state_->answers[state_->position++];
  }
  std::shared_ptr<State> state_;
};

static_assert(explain_llm_backend<ScriptedBackend>());

}  // namespace cuco
