// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cuco {

/// One turn of a conversation with a language model.
struct ChatMessage {
  enum class Role : std::uint8_t { kUser, kAssistant };
  Role role = Role::kUser;
  std::string text;
};

/// What an `LLMBackend` is asked.
struct ChatRequest {
  std::string system;
  std::vector<ChatMessage> messages;
  double temperature = 0;
  int max_tokens = 4096;
};

/// Why a model finished writing. `kLength` means the text is cut off and must not be used as code.
enum class FinishReason : std::uint8_t { kEnd, kLength, kFiltered };

/// What an `LLMBackend` answers.
struct ChatReply {
  std::string text;
  FinishReason finish = FinishReason::kEnd;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  double cost_usd = -1;  ///< Negative: unknown.
};

}  // namespace cuco
