// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cuco/core/result.hpp"

namespace cuco {

/// Settings of `EmulatorBuild`. Every default works where a host compiler and Open MPI are installed.
struct EmulatorBuildOptions {
  std::string compiler{};  ///< Name or path; empty: $CXX, then g++, then clang++.
  std::string
      cache_directory{};  ///< Empty: $XDG_CACHE_HOME/cuco, else ~/.cache/cuco, else one under $TMPDIR.
  std::chrono::milliseconds deadline{
      std::chrono::minutes(5)};  ///< For each compiler run that fills the cache.
};

/// One program to build.
struct EmulatorBuildRequest {
  std::string source_path;  ///< The `.cu` file. Diagnostics name it without its folder.
  std::string output_path;  ///< The executable; its folder exists. Written only when the build succeeds.
  std::vector<std::string> defines{};  ///< "NAME" or "NAME=VALUE".
  int standard = 17;                   ///< C++ standard: 17 or 20.
  std::chrono::milliseconds deadline{std::chrono::minutes(5)};
};

/// How a build ended. A program that does not compile, or that needs something that is not emulated, is a
/// value.
struct BuildOutcome {
  bool ok = false;
  bool timed_out = false;
  int exit_code = 0;          ///< Of the compiler; 1 when the front end refused the program.
  std::string diagnostics{};  ///< One line per problem, as the compiler writes them.
  std::string binary{};       ///< `output_path`, when ok.
  bool cached = false;        ///< The runtime and the precompiled headers were there already.
  double seconds = 0;         ///< Wall clock.
};

/// Builds CUDA programs for emulated devices: local includes put in place (`flatten_includes`), front end, host compiler with access instrumentation, link with
/// the emulator's runtime and Open MPI.
///
/// The runtime object and precompiled headers are built once per compiler, flags and emulator version, and
/// kept in the cache directory; any number of processes may share it. An immutable value; copies share what
/// they found out; all members may be called from several threads.
class EmulatorBuild {
 public:
  /// Nothing is looked up or built before it is needed.
  explicit EmulatorBuild(EmulatorBuildOptions options = {});

  /// Errors: kToolMissing (compiler, Open MPI, Boost.Context; the remedy names the Debian package), kNotFound
  /// for the source, kIo, kProcess, kInvalidArgument for another standard.
  [[nodiscard]] Result<BuildOutcome> build(EmulatorBuildRequest const& request) const;

  /// Fills the cache now. The same errors.
  [[nodiscard]] Status prepare() const;

  /// Changes whenever the same source could give another binary. Empty when no compiler is found.
  [[nodiscard]] std::string fingerprint() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/emu/emulator_build-inl.hpp"
#endif
