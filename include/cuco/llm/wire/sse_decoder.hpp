// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/impl/sse_parser.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/reply_decoder.hpp"

/// @file
/// What the wire formats share. Included by bodies only.

namespace cuco::wire {

/// A reply that cannot be understood. A retry often helps: it was cut, or something between garbled it.
inline tl::unexpected<Error> malformed(std::string const& provider, std::string const& what) {
  return tl::unexpected<Error>(provider_error(provider, 200, std::nullopt, "malformed reply: " + what));
}

inline tl::unexpected<Error> no_finish(std::string const& provider) {
  return malformed(provider, "it ends without a finish reason");
}

inline tl::unexpected<Error> unknown_finish(std::string const& provider, std::string const& reason) {
  return malformed(provider, "unknown finish reason '" + reason + "'");
}

/// `failed` with the tokens and the price that the provider told in the same reply. `whole`: it told all of
/// them.
inline tl::unexpected<Error> counted(tl::unexpected<Error> failed,
                                     ChatReply const& reply,
                                     bool whole = true) {
  if (reply.usage == TokenUsage{} && !reply.cost_usd) return failed;
  impl::FailedCall call{reply.usage, !whole, whole ? reply.cost_usd : std::nullopt};
  if (reply.usage == TokenUsage{}) call.usage.reset();
  return tl::unexpected<Error>(impl::with_failed_call(std::move(failed).value(), call));
}

/// What `read` returns, or an error when `provider` sent JSON of a shape that nobody expects.
template <class Read>
auto guarded(std::string const& provider, Read const& read) -> decltype(read()) {
  try {
    return read();
  } catch (Json::exception const&) {
    return malformed(provider, "it has an unknown structure");
  }
}

/// The state of an earlier turn, if it is `provider`'s own; else null.
inline Json state_of(ChatMessage const& message, char const* provider) {
  if (message.provider_state.empty()) return {};
  Json state = parse(message.provider_state);
  return text_at(state, "provider") == provider ? state : Json();
}

/// A decoder of server-sent events whose data is JSON.
class SseDecoder : public ReplyDecoder {
 public:
  SseDecoder(std::string provider, OnText on_text)
      : provider_(std::move(provider)), on_text_(std::move(on_text)) {}

  [[nodiscard]] Status feed(std::string_view bytes) final {
    std::vector<impl::SseEvent> events;
    if (auto fed = parser_.feed(bytes, events); !fed) return malformed(provider_, fed.error().cause);
    return take_all(events);
  }
  [[nodiscard]] bool ended() const final { return ended_; }
  [[nodiscard]] Result<ChatReply> finish() final {
    std::vector<impl::SseEvent> events;
    parser_.finish(events);
    if (auto taken = take_all(events); !taken) return forward_error(std::move(taken));
    return guarded(provider_, [&] { return complete(); });
  }

 protected:
  /// One event; its name is empty when the server gave none.
  [[nodiscard]] virtual Status take(std::string const& name, Json& event) = 0;
  [[nodiscard]] virtual Result<ChatReply> complete() = 0;
  void tell(std::string const& text) const {
    if (on_text_ && !text.empty()) on_text_(text);
  }
  std::string provider_;
  bool ended_ = false;

 private:
  [[nodiscard]] Status take_all(std::vector<impl::SseEvent> const& events) {
    for (impl::SseEvent const& event : events) {
      if (ended_) break;
      if (event.data == "[DONE]") {
        ended_ = true;
        break;
      }
      Json json = parse(event.data);
      if (!json.is_object()) return malformed(provider_, "an event of the stream is not a JSON object");
      auto taken = guarded(provider_, [&] { return take(event.event, json); });
      if (!taken) return taken;
    }
    return {};
  }
  impl::SseParser parser_{};
  OnText on_text_;
};

}  // namespace cuco::wire
