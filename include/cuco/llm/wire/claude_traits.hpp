// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cuco::wire {

/// What the name of a Claude model tells about the parameters it takes, on any platform that serves it.
/// Models of other names, which some servers offer in Anthropic's format, take what the older Claude models
/// took.
struct ClaudeTraits {
  bool is_claude = false;
  int version =
      0;  ///< 100 * major + minor, such as 406; 0: the name does not tell, so it is newer than these.

  [[nodiscard]] bool newer_than(int known) const { return is_claude && (version == 0 || version > known); }
  [[nodiscard]] bool thinks() const { return !is_claude || newer_than(306); }
  [[nodiscard]] bool adaptive() const { return newer_than(405); }  ///< Takes an effort.
  [[nodiscard]] bool takes_budget() const { return thinks() && !newer_than(406); }
  [[nodiscard]] bool takes_temperature() const { return !newer_than(406); }
  [[nodiscard]] bool thinks_unasked() const { return newer_than(499); }
  [[nodiscard]] bool takes_schema() const { return newer_than(404); }  ///< Structured output of its own.
};

/// Reads names such as "claude-opus-4-6", "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
/// "claude-3-7-sonnet-latest" and "anthropic/claude-opus-4.6".
inline ClaudeTraits claude_traits(std::string_view model) {
  ClaudeTraits traits;
  auto const start = model.find("claude");
  if (start == std::string_view::npos) return traits;
  traits.is_claude = true;
  int parts = 0;
  for (std::size_t at = start; at < model.size() && parts < 2;) {
    auto const end = model.find_first_of("-._@:/", at) == std::string_view::npos
                         ? model.size()
                         : model.find_first_of("-._@:/", at);
    auto const word = model.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    bool const number = word.find_first_not_of("0123456789") == std::string_view::npos;
    // A date, or the version of the packaging ("v1"): what follows is no part of the model's version.
    if (number && word.size() > 2) break;
    if (word.size() > 1 && word[0] == 'v' &&
        word.find_first_not_of("0123456789", 1) == std::string_view::npos)
      break;
    if (!number) {
      if (parts == 1) break;
      continue;
    }
    traits.version += std::stoi(std::string(word)) * (parts == 0 ? 100 : 1);
    ++parts;
  }
  return traits;
}

}  // namespace cuco::wire
