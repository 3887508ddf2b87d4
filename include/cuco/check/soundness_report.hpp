// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace cuco {

/// A place in the program.
struct CodePlace {
  std::string file{};    ///< As the program names it; empty: not known.
  int line = 0;          ///< 1-based; 0: not known.
  std::string what{};    ///< "write by rank 1, kernel ring, block 0, thread 5"
  std::string source{};  ///< The line's text.
};

/// A defect that a run showed.
struct Defect {
  std::string rule{};               ///< Of `soundness_rules`.
  std::string message{};            ///< One line: what happened, with the numbers.
  std::vector<CodePlace> places{};  ///< The culprit first.
  std::vector<int> ranks{};         ///< That take part, sorted.
  std::string schedule{};           ///< That shows it; `CheckOptions::schedule` repeats it.
  std::string detail{};             ///< More lines, for example who waits for what; may be empty.
};

/// What the checker says.
enum class Soundness {
  kSound,    ///< No schedule that was tried shows a defect.
  kUnsound,  ///< There are defects.
  kUnknown,  ///< Something stopped the check; `SoundnessReport::stopped` says what.
};
constexpr char const* to_string(Soundness s) {
  return s == Soundness::kSound ? "sound" : s == Soundness::kUnsound ? "unsound" : "unknown";
}

/// One run of the program under one schedule.
struct CheckedRun {
  std::string schedule{};           ///< "4:adversarial:7"
  double seconds = 0;               ///< Wall clock, analysis included.
  unsigned long long accesses = 0;  ///< That were looked at.
  std::size_t defects = 0;
  std::string note{};  ///< Why the run says nothing, if it does not.
};

struct SoundnessReport {
  Soundness verdict = Soundness::kUnknown;
  std::string file{};
  std::vector<Defect> defects{};
  std::vector<CheckedRun> runs{};
  std::vector<std::string> overrides{};  ///< "N: 4096 -> 64 (line 12)"
  std::string stopped{};                 ///< Why the verdict is kUnknown, with the construct and the line.
};

/// For people: each defect with its rule, the lines and their text, ranks and schedule; the verdict last.
/// `colour`: with terminal colours.
[[nodiscard]] std::string to_text(SoundnessReport const& report, bool colour = false);
/// One JSON object.
[[nodiscard]] std::string to_json(SoundnessReport const& report);
/// SARIF 2.1.0, for editors and CI.
[[nodiscard]] std::string to_sarif(SoundnessReport const& report);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/check/soundness_report-inl.hpp"
#endif
