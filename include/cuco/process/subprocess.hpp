// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/process/process_limits.hpp"

namespace cuco {

/// A program to run, and the conditions under which it runs. No shell is involved anywhere.
struct Command {
  /// Program and arguments. A program without a slash is looked up in PATH; a relative one with a slash is
  /// relative to `directory`.
  std::vector<std::string> argv;
  std::string directory{};  ///< Working directory; empty: the caller's.
  /// NAME=VALUE, added to a scrubbed base. Of the caller's environment only PATH, HOME, LANG, LC_ALL, TMPDIR,
  /// LD_LIBRARY_PATH, XDG_CACHE_HOME, CUDA_*, NCCL_*, OMPI_* and CCACHE_* are passed on: no keys, no tokens.
  std::vector<std::string> environment{};
  std::string standard_input{};           ///< Empty: the program reads end of file at once.
  std::chrono::milliseconds deadline{0};  ///< Wall-clock; 0: none.
  std::size_t output_cap = 4UL << 20U;    ///< Bytes kept per stream, half from its head, half from its tail.
  ProcessLimits limits{};
  std::atomic<bool> const* cancel{nullptr};  ///< Set it to true from any thread to stop the program.
  /// Between the polite signal (TERM) and the final one (KILL). mpirun needs two seconds to tidy up.
  std::chrono::milliseconds grace{3000};
};

/// How a program ended.
struct ProcessResult {
  int exit_code = 0;  ///< -1 when a signal ended it.
  int signal = 0;     ///< 0 when it exited by itself.
  bool timed_out = false;
  bool cancelled = false;
  bool truncated = false;  ///< Some output was cut out of the middle; the text says how many bytes.
  std::string out;         ///< Standard output, bytes as written.
  std::string err;         ///< Standard error.
  double seconds = 0;      ///< Wall-clock, from start to end of the program.
  [[nodiscard]] bool ok() const { return exit_code == 0 && signal == 0 && !timed_out && !cancelled; }
};

/// Runs a program to its end and collects its output.
///
/// When this returns, neither the program nor anything that it started is running, daemons and programs in
/// other process groups (the ranks of an MPI launcher) included: at the deadline, on `cancel` and when the
/// calling process itself dies, all of them get TERM, and KILL after `grace`; what outlives a program that
/// ended by itself gets KILL at once. The program inherits no file descriptors but its three streams, and no
/// ignored or blocked signals.
///
/// A program that fails is a value. Errors: kToolMissing when the program does not exist, kNotFound when the
/// directory does not, kInvalidArgument for an empty argv, NUL bytes or malformed environment entries,
/// kProcess when the operating system refuses or a process does not die. Any number of threads may call at
/// the same time.
[[nodiscard]] Result<ProcessResult> run_process(Command const& command);

/// How a program ended, in words: "exit code 3", "killed by signal 11 (Segmentation fault)" or
/// "timed out after 2.0 s".
[[nodiscard]] std::string describe(ProcessResult const& result);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/process/subprocess-inl.hpp"
#endif
