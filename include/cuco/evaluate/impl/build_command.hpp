// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/errno_text.hpp"
#include "cuco/evaluate/device_backend.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco::impl::evaluating {

/// Runs one compiler command that writes `spec.output_path`, under limits, with a private TMPDIR.
/// The result file appears only when the compiler succeeded.
inline Result<BuildResult> run_build(std::vector<std::string> argv, BuildSpec const& spec) {
  auto scratch = make_private_folder();
  if (!scratch) return forward_error(std::move(scratch));
  std::string const output = spec.output_path + ".part";
  for (auto& word : argv)
    if (word == spec.output_path) word = output;
  Command command;
  command.argv = std::move(argv);
  command.environment = {"TMPDIR=" + scratch->path(), "LC_ALL=C"};
  command.deadline = spec.deadline;
  // A source that makes the compiler eat all memory or disk is a failing candidate, not a dead machine.
  command.limits.address_space_bytes = std::uint64_t{16} << 30U;
  command.limits.file_size_bytes = std::uint64_t{4} << 30U;
  auto process = run_process(command);
  if (!process) {
    ::unlink(output.c_str());
    return forward_error(std::move(process));
  }
  BuildResult result;
  result.built = process->ok();
  result.timed_out = process->timed_out;
  result.exit_code = process->exit_code;
  result.seconds = process->seconds;
  result.diagnostics = process->err + process->out;
  if (!result.built && result.diagnostics.empty())
    result.diagnostics = "the compiler said nothing: " + describe(*process);
  if (result.built && std::rename(output.c_str(), spec.output_path.c_str()) != 0)
    return fail_at(
        ErrorCode::kIo, spec.output_path, 0, "cannot write: " + errno_text(errno), errno_remedy(errno));
  if (!result.built) ::unlink(output.c_str());
  return result;
}

}  // namespace cuco::impl::evaluating
