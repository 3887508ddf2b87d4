// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include "cuco/core/chat.hpp"
#include "cuco/llm/wire/claude_traits.hpp"
#include "cuco/llm/wire/dialect.hpp"
#include "cuco/llm/wire/json.hpp"

/// @file
/// How thinking is asked for, on every platform that serves Claude. Included by bodies only.

namespace cuco::wire {

/// Others go to 2.
inline constexpr double kMostClaudeTemperature = 1;

/// Thinking tokens for an effort where a model takes a budget: what is asked for, at most three quarters of
/// `max_tokens`, at least 1024; 0 when `max_tokens` leaves no room.
inline int thinking_budget(ChatRequest const& request) {
  int budget = request.thinking_tokens;
  if (budget <= 0) {
    switch (request.effort) {
      case Effort::kDefault:
      case Effort::kNone: return 0;
      case Effort::kLow: budget = 2048; break;
      case Effort::kMedium: budget = 4096; break;
      case Effort::kHigh: budget = 8192; break;
      case Effort::kMax: budget = 16384; break;
    }
  }
  if (request.max_tokens <= 1024) return 0;
  return std::max(1024, std::min(budget, request.max_tokens / 4 * 3));
}

/// Where thinking is asked for by an effort word; a budget is turned into the nearest one.
inline std::string claude_effort(ChatRequest const& request, Dialect const& dialect) {
  if (dialect.effort_step > 1) return {};
  Effort effort = request.effort;
  if (effort == Effort::kDefault && request.thinking_tokens > 0) {
    int const tokens = request.thinking_tokens;
    effort = tokens <= 2048 ? Effort::kLow : tokens <= 4096 ? Effort::kMedium : Effort::kHigh;
  }
  switch (effort) {
    case Effort::kLow: return "low";
    case Effort::kMedium: return "medium";
    case Effort::kHigh: return "high";
    case Effort::kMax: return dialect.effort_step == 0 ? "max" : "high";
    default: return {};
  }
}

/// Thinking and effort as a Claude model takes them: the members `thinking` and `output_config` of the
/// request.
struct ClaudeThinking {
  Json thinking{};  ///< Null: not sent.
  std::string effort{};
  bool on = false;  ///< Forced tools and temperatures are refused then.
};

inline ClaudeThinking claude_thinking(ClaudeTraits const& traits,
                                      ChatRequest const& request,
                                      Dialect const& dialect) {
  using Mode = Dialect::Thinking;
  ClaudeThinking out;
  bool const asked =
      request.thinking_tokens > 0 || (request.effort != Effort::kDefault && request.effort != Effort::kNone);
  bool adaptive =
      dialect.thinking == Mode::kAdaptive || (dialect.thinking != Mode::kManual && traits.adaptive());
  // Between the generations: a model that takes both gets the budget that the caller counted out.
  if (dialect.thinking == Mode::kByName && request.thinking_tokens > 0 && traits.takes_budget())
    adaptive = false;
  out.on = asked || traits.thinks_unasked();
  if (!traits.thinks()) {
    out.on = false;
    return out;
  }
  if (!asked) {
    if (request.effort != Effort::kNone || !traits.thinks_unasked()) return out;
    // Some models cannot be told not to think: those get the least effort.
    if (dialect.thinking == Mode::kLeaveOut) {
      if (dialect.effort_step == 0) out.effort = "low";
    } else {
      out.thinking["type"] = "disabled";
      out.on = false;
    }
    return out;
  }
  if (adaptive) {
    out.effort = claude_effort(request, dialect);
    if (dialect.thinking != Mode::kLeaveOut) out.thinking["type"] = "adaptive";
    return out;
  }
  int const budget = thinking_budget(request);
  out.on = budget > 0 && dialect.thinking != Mode::kLeaveOut;
  if (out.on) {
    out.thinking["type"] = "enabled";
    out.thinking["budget_tokens"] = budget;
  }
  return out;
}

}  // namespace cuco::wire
