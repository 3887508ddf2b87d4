// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace cuco {

/// Why a model's reply could not be applied to a program.
enum class EditFault : std::uint8_t {
  kNothing,    ///< The reply holds no edit: prose only, or an empty fence.
  kMalformed,  ///< An edit is begun but not finished, or not in its grammar.
  kLanguage,   ///< The code is not CUDA C++.
  kNotFound,   ///< The text to search for does not occur.
  kAmbiguous,  ///< It occurs several times in mutable text, or several codes could be meant.
  kFrozen,     ///< It would change frozen text.
  kMarkers,    ///< Markers are missing, nested, unpaired or of another number than in the program.
  kNoChange,   ///< The result is the program it started from.
};
constexpr char const* to_string(EditFault fault) {
  switch (fault) {
    case EditFault::kNothing: return "nothing";
    case EditFault::kMalformed: return "malformed";
    case EditFault::kLanguage: return "language";
    case EditFault::kNotFound: return "not_found";
    case EditFault::kAmbiguous: return "ambiguous";
    case EditFault::kFrozen: return "frozen";
    case EditFault::kMarkers: return "markers";
    case EditFault::kNoChange: return "no_change";
  }
  return "nothing";
}

/// A failing edit is a value: feedback for the model, not an `Error` of the harness.
struct EditProblem {
  EditFault fault = EditFault::kNothing;
  std::string cause;     ///< One line, lower case, with the number of the edit where there are several.
  std::string advice{};  ///< Lines for the model: the nearest lines with their numbers, what may be edited.
};

/// A program after an edit. Frozen bytes are those of the source.
struct Edited {
  std::string code;
  std::size_t edits = 0;  ///< Blocks replaced.
  std::vector<std::string>
      notes{};  ///< What was read leniently, one line each ("edit 2: matched without indentation").
};

using EditResult = tl::expected<Edited, EditProblem>;

/// The text a model gets: cause, then advice.
[[nodiscard]] inline std::string to_feedback(EditProblem const& problem) {
  return problem.advice.empty() ? problem.cause : problem.cause + "\n" + problem.advice;
}

}  // namespace cuco
