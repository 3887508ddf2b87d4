// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// From return addresses to lines of the program, by addr2line (binutils, which the compiler brings).

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cuco/check/impl/trace_reader.hpp"
#include "cuco/core/result.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco::checking {

struct SourceLine {
  std::string file;  ///< Its name without folders.
  int line = 0;
  bool operator==(SourceLine const&) const = default;
};

class SourceLines {
 public:
  /// @param files names (without folders) of the files of the program; frames elsewhere are the emulator's.
  SourceLines(Trace const& trace, std::set<std::string> files) : trace_(trace), files_(std::move(files)) {}

  /// Looks up all stacks at once. Without addr2line no line is known.
  Status load(std::set<std::pair<int, std::uint32_t>> const& stacks) {
    std::set<std::uint64_t> addresses;
    for (auto const& [rank, stack] : stacks)
      for (std::uint64_t const a : frames(rank, stack))
        addresses.insert(a - 1);  // in the call, not behind it
    if (addresses.empty()) return {};
    auto const tool = find_program("addr2line");
    if (!tool) return {};
    Command command;
    command.argv = {*tool, "-e", trace_.program, "-a", "-i", "-f"};
    for (std::uint64_t const a : addresses) command.standard_input += fmt::format("0x{:x}\n", a);
    command.deadline = std::chrono::seconds(60);
    command.output_cap = std::size_t{64} << 20U;
    auto const result = run_process(command);
    if (!result) return tl::unexpected<Error>(result.error());
    std::uint64_t now = 0;
    std::size_t at = 0;
    while (at < result->out.size()) {
      std::string const first = next_line(result->out, at);
      if (first.starts_with("0x")) {
        now = std::stoull(first, nullptr, 16);
        continue;
      }
      std::string const place = next_line(result->out, at);
      std::size_t const colon = place.rfind(':');
      if (colon == std::string::npos) continue;
      std::string const path = place.substr(0, colon);
      std::string const name = path.substr(path.rfind('/') + 1);
      lines_[now].push_back({name, std::atoi(place.c_str() + colon + 1)});
    }
    return {};
  }
  /// The innermost line of the program itself.
  [[nodiscard]] SourceLine of(int rank, std::uint32_t stack) const {
    for (std::uint64_t const a : frames(rank, stack)) {
      auto const it = lines_.find(a - 1);
      if (it == lines_.end()) continue;
      for (SourceLine const& line : it->second)
        if (files_.contains(line.file) && line.line > 0) return line;
    }
    return {};
  }

 private:
  static std::string next_line(std::string const& text, std::size_t& at) {
    std::size_t const end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    return line;
  }
  [[nodiscard]] std::vector<std::uint64_t> const& frames(int rank, std::uint32_t stack) const {
    static std::vector<std::uint64_t> const none;
    auto const r = static_cast<std::size_t>(rank);
    return r < trace_.stacks.size() && stack < trace_.stacks[r].size() ? trace_.stacks[r][stack] : none;
  }
  Trace const& trace_;
  std::set<std::string> files_;
  std::map<std::uint64_t, std::vector<SourceLine>> lines_;
};

}  // namespace cuco::checking
