// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"

namespace cuco::impl {

struct ProviderCall;

/// What all copies of one backend share. Any thread.
class ProviderClient {
 public:
  explicit ProviderClient(ProviderCall call);
  ProviderClient(ProviderClient const&) = delete;
  ProviderClient& operator=(ProviderClient const&) = delete;
  ~ProviderClient();
  [[nodiscard]] Result<ChatReply> ask(ChatRequest const& request);
  [[nodiscard]] std::string const& name() const;
  /// Errors: why calls cannot be made.
  [[nodiscard]] Status ready() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/provider_client-inl.hpp"
#endif
