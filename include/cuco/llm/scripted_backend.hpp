// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Answers from a list, or from a function of the request: for tests and for runs without a model. Keeps
/// every request it got. Copies share the list and its position.
///
/// Errors: those of the list; kNotFound when the list is used up.
class ScriptedBackend {
 public:
  using Answer = Result<ChatReply>;
  using Function = std::function<Answer(ChatRequest const&)>;

  explicit ScriptedBackend(std::vector<Answer> answers);
  explicit ScriptedBackend(std::vector<std::string> const& texts);
  explicit ScriptedBackend(Function answer);

  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request);
  [[nodiscard]] static std::string model();
  /// What was asked so far.
  [[nodiscard]] std::vector<ChatRequest> requests() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

static_assert(explain_llm_backend<ScriptedBackend>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/scripted_backend-inl.hpp"
#endif
