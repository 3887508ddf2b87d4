// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/result.hpp"
#include "cuco/process/scratch_folder.hpp"
#include "cuco/transform/verifier.hpp"

namespace cuco {

namespace impl::transforming {

/// A program that looks for errors after each of its kernel launches.
struct CheckedLaunches {
  std::string code;
  std::size_t launches =
      0;  ///< Places that are checked, in the text: `<<<>>>`, cudaLaunch…, those in macros.
};

/// `code` with a synchronisation and a look for errors after each launch on the host. The first error is told
/// on standard error with kernel and line, and ends the process; so does a kernel that is not over after
/// `hang_seconds`. Lines keep their numbers. Errors: kParse.
[[nodiscard]] Result<CheckedLaunches> with_checked_launches(std::string_view code,
                                                            std::string const& file,
                                                            unsigned hang_seconds = 20);

/// The lines that such a program told.
[[nodiscard]] std::string checked_launch_lines(std::string const& text);

/// What emulated devices have said already: lines that name the kernel. Empty for others.
[[nodiscard]] std::string emulator_told(VerifyOutcome const& outcome);

/// Whether a synchronisation after each launch may tell more about the failure.
[[nodiscard]] bool worth_a_rerun(VerifyOutcome const& outcome);

/// What the rerun says in one text. @param told by the program.
[[nodiscard]] std::string rerun_text(CheckedLaunches const& checked,
                                     VerifyOutcome const& rerun,
                                     std::string const& told);

/// A folder whose path is short, removed afterwards.
[[nodiscard]] Result<ScratchFolder> rerun_folder();

}  // namespace impl::transforming

/// Finds out which kernel makes a program fail that ended with an error of the GPU (an illegal or misaligned
/// access, any other CUDA error) or did not end: builds and runs it once more with a synchronisation after
/// every launch. Kernels then run one after the other, so a program whose kernels wait for each other stops
/// for that reason; the text says under which condition it was found.
///
/// Emulated devices name the kernel by themselves: their words are returned without a rerun. Nothing is left
/// on disk. Not to be called for programs that do not build.
///
/// @return what was found, for models and people; empty when there is nothing to find this way.
/// Errors: those of the verifier; kIo.
template <Verifier V>
[[nodiscard]] Result<std::string> diagnostic_rerun(V const& verifier,
                                                   std::string const& code,
                                                   VerifyOutcome const& outcome) {
  if (std::string told = impl::transforming::emulator_told(outcome); !told.empty()) return told;
  if (!impl::transforming::worth_a_rerun(outcome)) return std::string();
  auto checked = impl::transforming::with_checked_launches(code, "program.cu");
  if (!checked || checked->launches == 0) return std::string();
  auto folder = impl::transforming::rerun_folder();
  if (!folder) return forward_error(std::move(folder));
  auto rerun = verifier.verify(checked->code, folder->path(), std::string("diagnostic"));
  if (!rerun) return forward_error(std::move(rerun));
  auto log = read_file(folder->path() + "/diagnostic.log");
  std::string const said = (log ? *log : std::string()) + "\n" + rerun->diagnostics;
  return impl::transforming::rerun_text(*checked, *rerun, impl::transforming::checked_launch_lines(said));
}

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/diagnostic_rerun-inl.hpp"
#endif
