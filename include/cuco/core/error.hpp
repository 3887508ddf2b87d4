// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace cuco {

/// Why the harness could not do what it was asked. A candidate that fails is not an `Error`: it is an
/// `Evaluation` with a failing verdict.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  ///< The caller asked for something that has no meaning.
  kParse,            ///< Input text is malformed.
  kRefused,      ///< Input is well formed, but the rules will not change it; the cause says which construct.
  kNotVerified,  ///< A program did not pass its own verification.
  kNotFound,     ///< A file, program or key does not exist.
  kIo,           ///< The operating system refused a read or a write.
  kStorage,      ///< The program database refused.
  kConflict,     ///< Something of that name already exists, or somebody else holds it.
  kToolMissing,  ///< A compiler, launcher or library that is needed is not installed.
  kProcess,      ///< A helper process could not be started or supervised.
  kTimeout,      ///< A deadline passed.
  kBudget,       ///< A limit set by the user is reached.
  kCancelled,    ///< The user stopped it.
  kInternal,     ///< A broken invariant of the library itself.
};

/// The name of `code` as written in JSON and logs, for example "refused".
constexpr char const* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kParse: return "parse";
    case ErrorCode::kRefused: return "refused";
    case ErrorCode::kNotVerified: return "not_verified";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kStorage: return "storage";
    case ErrorCode::kConflict: return "conflict";
    case ErrorCode::kToolMissing: return "tool_missing";
    case ErrorCode::kProcess: return "process";
    case ErrorCode::kTimeout: return "timeout";
    case ErrorCode::kBudget: return "budget";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

/// Carried by every `Result<T>`. Reads as one line: `file:line: cause; remedy`.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string cause;      ///< One line, lower case, no trailing period, with the value that broke it.
  std::string remedy{};   ///< What the user can do about it; may be empty.
  std::string file{};     ///< The user's file the error is about; empty when there is none.
  std::uint32_t line{0};  ///< 1-based line in `file`; 0 when there is none.
  std::string detail{};   ///< Captured output, may be long; never part of the one line.
};

/// Formats `error` as the one line a user sees: `file:line: cause; remedy`.
inline std::string to_line(Error const& error) {
  std::string out;
  if (!error.file.empty()) {
    out += error.file;
    if (error.line != 0) out += ":" + std::to_string(error.line);
    out += ": ";
  }
  out += error.cause;
  if (!error.remedy.empty()) out += "; " + error.remedy;
  return out;
}

}  // namespace cuco
