// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"

namespace cuco::impl::evaluating {

CUCO_EVOLVE_INLINE std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::size_t const end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

CUCO_EVOLVE_INLINE std::string without_paths(std::string text, std::vector<std::string> const& directories) {
  for (std::string prefix : directories) {
    if (prefix.empty() || prefix == "/") continue;
    if (prefix.back() != '/') prefix += '/';
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at))
      text.erase(at, prefix.size());
  }
  return text;
}

CUCO_EVOLVE_INLINE std::string excerpt(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t const half = most / 2;
  std::size_t head = text.rfind('\n', half);
  if (head == std::string_view::npos || head < half / 2) head = half;
  std::size_t tail = text.find('\n', text.size() - half);
  if (tail == std::string_view::npos || text.size() - tail < half / 2) tail = text.size() - half;
  std::string out(text.substr(0, head));
  out += "\n[... " + std::to_string(tail - head) + " bytes left out ...]\n";
  return out += text.substr(tail + (text[tail] == '\n' ? 1 : 0));
}

CUCO_EVOLVE_INLINE bool is_error_line(std::string_view line) {
  for (char const* word : {"error:",
                           "error :",
                           "error #",
                           "fatal :",
                           "fatal error",
                           "undefined reference",
                           "multiple definition",
                           "ld: cannot find"})
    if (line.find(word) != std::string_view::npos) return true;
  return false;
}

CUCO_EVOLVE_INLINE std::string relevant_compiler_lines(std::string_view text, std::size_t most) {
  constexpr std::size_t kMostErrors = 6;
  constexpr std::size_t kContextLines = 5;
  auto const lines = split_lines(text);
  std::string out;
  std::set<std::string_view> seen;
  std::size_t errors = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!is_error_line(lines[i]) || !seen.insert(lines[i]).second) continue;
    if (++errors > kMostErrors) continue;
    out += std::string(lines[i]) + "\n";
    // Compilers indent the excerpt of the source that follows; notes that belong to the error come along.
    for (std::size_t j = i + 1; j < lines.size() && j <= i + kContextLines; ++j) {
      bool const indented = !lines[j].empty() && lines[j].front() == ' ';
      bool const note = lines[j].find("note:") != std::string_view::npos;
      if (is_error_line(lines[j]) || (!indented && !note)) break;
      out += std::string(lines[j]) + "\n";
    }
  }
  if (errors > kMostErrors) out += "and " + std::to_string(errors - kMostErrors) + " more errors\n";
  return errors == 0 ? excerpt(text, most) : excerpt(out, most);
}

CUCO_EVOLVE_INLINE std::string first_compiler_error(std::string_view text) {
  auto const lines = split_lines(text);
  auto const found = std::find_if(lines.begin(), lines.end(), is_error_line);
  constexpr std::size_t kLongest = 300;
  if (found != lines.end()) return std::string(found->substr(0, kLongest));
  return lines.empty() ? std::string{} : std::string(lines.front().substr(0, kLongest));
}

/// The emulator's messages, each line once, without rank tags. Of a deadlock every rank may print (a part of)
/// the same table; of other failures the lowest rank that says something is enough, because whether a second
/// one gets that far before the launcher ends it is chance.
CUCO_EVOLVE_INLINE std::string emulator_lines(RunResult const& result) {
  std::string out;
  std::set<std::string_view> seen;
  for (auto const& text : result.rank_stderr) {
    bool inside = false;
    for (auto line : split_lines(text)) {
      inside = line.rfind("cuco-emu:", 0) == 0 || (inside && !line.empty() && line.front() == ' ');
      if (inside && seen.insert(line).second) out += std::string(line) + "\n";
    }
    if (!out.empty() && !result.deadlock) break;
  }
  return out;
}

CUCO_EVOLVE_INLINE std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

CUCO_EVOLVE_INLINE std::string seconds_text(std::chrono::milliseconds time) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g s", static_cast<double>(time.count()) / 1000.0);
  return buffer;
}

CUCO_EVOLVE_INLINE std::string signal_text(int signal) {
  char const* const name = ::sigdescr_np(signal);
  return "signal " + std::to_string(signal) +
         (name != nullptr ? std::string(" (") + name + ")" : std::string{});
}

/// Why the launcher itself failed, as far as its own words tell: no rank came to print anything, and it does not say
/// that ranks have run. Else "".
CUCO_EVOLVE_INLINE std::string launcher_failure(RunResult const& result) {
  auto const silent = [](std::string const& text) { return text.empty(); };
  if (!std::all_of(result.rank_stdout.begin(), result.rank_stdout.end(), silent) || !result.stderr_text.empty() ||
      result.launcher_text.find("Primary job") != std::string::npos)
    return {};
  std::istringstream lines(result.launcher_text);
  for (std::string line; std::getline(lines, line);) {
    // "[host:1234] what": names of hosts and processes are noise.
    if (line.starts_with('[') && line.find("] ") != std::string::npos) line.erase(0, line.find("] ") + 2);
    if (std::any_of(line.begin(), line.end(), [](unsigned char c) { return std::isalpha(c) != 0; }))
      return ": the launcher says: " + line;
  }
  return {};
}

CUCO_EVOLVE_INLINE RunJudgement judge_run(RunSpec const& spec, RunResult const& result, ContractShape shape) {
  RunJudgement judgement;
  judgement.contract = check_contract(result.rank_stdout, shape);
  Verdict& verdict = judgement.verdict;
  std::string const emulator = emulator_lines(result);
  std::string const told = emulator.empty() ? std::string{} : first_line(emulator);
  auto says_fail = [&] {
    return std::any_of(result.rank_stdout.begin(), result.rank_stdout.end(), [](std::string const& text) {
      return parse_rank_output(text).fail_lines > 0;
    });
  };
  auto refuse = [&](Outcome outcome, std::string message) {
    verdict.outcome = outcome;
    verdict.message = std::move(message);
  };

  if (result.deadlock) {
    refuse(Outcome::kDeadlocked, told.empty() ? "deadlock: every rank waits" : told);
  } else if (result.illegal_use) {
    refuse(Outcome::kRunFailed, told.empty() ? "illegal use of the device interface" : told);
  } else if (result.out_of_bounds) {
    refuse(Outcome::kRunFailed, told.empty() ? "access outside an allocation" : told);
  } else if (result.not_emulated) {
    refuse(Outcome::kRunFailed, told.empty() ? "uses something that is not emulated" : told);
  } else if (result.output_truncated) {
    refuse(Outcome::kRunFailed, "printed more than the limit on output");
  } else if (result.timed_out) {
    refuse(Outcome::kTimedOut, "did not end within " + seconds_text(spec.deadline));
  } else if (result.signal != 0) {
    refuse(Outcome::kRunFailed, "a rank was ended by " + signal_text(result.signal));
  } else if (result.exit_code != 0 && !says_fail()) {
    refuse(Outcome::kRunFailed,
           "ended with exit code " + std::to_string(result.exit_code) + launcher_failure(result));
  } else if (!judgement.contract.passed) {
    refuse(Outcome::kWrongAnswer, judgement.contract.reason);
  } else if (result.exit_code != 0) {
    refuse(Outcome::kRunFailed, "ended with exit code " + std::to_string(result.exit_code));
  }
  if (verdict.passed()) return judgement;

  judgement.contract.passed = false;
  judgement.contract.rank_ms.clear();
  judgement.contract.slowest_ms = 0;
  constexpr std::size_t kMostStderr = 3000;
  constexpr std::size_t kMostStdout = 1000;
  verdict.feedback = verdict.message + "\n";
  if (!emulator.empty()) {
    verdict.feedback += excerpt(emulator, kMostStderr);
  } else if (!result.stderr_text.empty()) {
    verdict.feedback += "standard error:\n" + excerpt(result.stderr_text, kMostStderr) + "\n";
  }
  if (verdict.outcome == Outcome::kWrongAnswer)
    for (std::size_t rank = 0; rank < result.rank_stdout.size(); ++rank)
      verdict.feedback += "output of rank " + std::to_string(rank) + ":\n" +
                          excerpt(result.rank_stdout[rank],
                                  kMostStdout / std::max<std::size_t>(1, result.rank_stdout.size())) +
                          "\n";
  return judgement;
}

CUCO_EVOLVE_INLINE std::string run_log(std::string const& title,
                                       RunSpec const& spec,
                                       RunResult const& result) {
  std::string out = "== " + title + ": " + std::to_string(spec.ranks) + " ranks";
  for (auto const& argument : spec.args) out += " " + argument;
  out += "\nexit code " + std::to_string(result.exit_code) + ", signal " + std::to_string(result.signal) +
         (result.timed_out ? ", timed out" : "") + (result.output_truncated ? ", output cut" : "") + "\n";
  for (std::size_t rank = 0; rank < result.rank_stdout.size(); ++rank)
    out += "-- stdout of rank " + std::to_string(rank) + "\n" + result.rank_stdout[rank] + "\n";
  if (!result.stderr_text.empty()) out += "-- stderr\n" + result.stderr_text;
  if (!result.launcher_text.empty()) out += "-- launcher\n" + result.launcher_text;
  return out + "\n";
}

}  // namespace cuco::impl::evaluating
