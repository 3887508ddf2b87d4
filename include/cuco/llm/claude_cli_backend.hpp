// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "cuco/core/chat.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/llm/backend_options.hpp"

namespace cuco {

/// Claude through its command line, `claude -p`, as a subprocess without tools: for users whose subscription
/// covers it. The conversation is flattened into one text on standard input; temperatures do not exist there.
///
/// Of the environment the program gets, besides the usual ones, only its own variables: ANTHROPIC_*,
/// CLAUDE_*, those of AWS and Google for its other platforms, and proxies. It runs in an empty folder. Copies
/// share their settings. Errors: those of llm_error.hpp; kToolMissing without the program; kInvalidArgument
/// for a request with tools. Any number of threads may call at the same time.
class ClaudeCliBackend {
 public:
  using Options = BackendOptions;
  explicit ClaudeCliBackend(std::string model);
  explicit ClaudeCliBackend(BackendOptions const& options);
  [[nodiscard]] Result<ChatReply> complete(ChatRequest const& request) const;
  /// `claude-cli:model`.
  [[nodiscard]] std::string model() const { return "claude-cli:" + options_->model; }
  /// Errors: kToolMissing without the program, kInvalidArgument without a model's name.
  [[nodiscard]] Status ready() const;

 private:
  std::shared_ptr<BackendOptions const> options_;
};

static_assert(explain_llm_backend<ClaudeCliBackend>());

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/claude_cli_backend-inl.hpp"
#endif
