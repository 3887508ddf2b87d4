// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/recording.hpp"

namespace cuco {

/// Answers from a recording, offline: the same replies, costs and errors in the same places, byte for byte.
///
/// It stands for the backend that was recorded, whose `model()` it has. Connect the recording's observer when
/// the recorded run did (see `Recording`).
///
/// Errors: recorded ones; kNotFound for a request that was not recorded, with its hash and what is different
/// in the nearest one that was; kInvalidArgument when the recording knows several models and none is named;
/// those of opening the recording. Copies share the recording. Any thread.
class ReplayBackend {
 public:
  /// `model`: the one to stand for; empty: the only one of the recording.
  explicit ReplayBackend(Recording recording, std::string model = {});
  explicit ReplayBackend(std::string const& path, std::string model = {})
      : ReplayBackend(Recording(path, Recording::Use::kReplay), std::move(model)) {}

  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request);
  [[nodiscard]] std::string model() const { return model_; }
  [[nodiscard]] Recording const& recording() const { return recording_; }

 private:
  Recording recording_;
  std::string model_;
  bool several_ = false;  ///< The recording knows several models, and none was named.
};

static_assert(explain_llm_backend<ReplayBackend>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/replay_backend-inl.hpp"
#endif
