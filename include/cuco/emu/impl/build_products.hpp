// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/emu/impl/build_cache_folder.hpp"
#include "cuco/emu/impl/build_toolchain.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco::impl::emulating {

inline Result<ProcessResult> run_compiler(EmulatorToolchain const& tools,
                                          std::vector<std::string> arguments,
                                          std::string input,
                                          std::chrono::milliseconds deadline) {
  Command command;
  command.argv = std::move(arguments);
  command.argv.insert(command.argv.begin(), tools.compiler);
  command.environment = {"LC_ALL=C"};
  command.standard_input = std::move(input);
  command.deadline = deadline;
  command.output_cap = std::size_t{1} << 20U;
  return run_process(command);
}

/// Copies a file with its permissions. std::filesystem::copy_file would report a full disk as an input/output
/// error.
/// @return 0, or the errno of the first call that failed.
inline int copy_program(std::string const& from, std::string const& to) {
  UniqueFd const in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!in || ::fstat(in.get(), &info) != 0) return errno;
  UniqueFd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, info.st_mode & 0777U));
  if (!out) return errno;
  std::vector<char> buffer(std::size_t{1} << 16U);
  for (;;) {
    ssize_t const got = ::read(in.get(), buffer.data(), buffer.size());
    if (got == 0) return out.reset() ? 0 : errno;
    if (got < 0 && errno != EINTR) return errno;
    for (ssize_t done = 0; done < got;) {
      ssize_t const put = ::write(out.get(), buffer.data() + done, static_cast<std::size_t>(got - done));
      if (put < 0 && errno != EINTR) return errno;
      if (put > 0) done += put;
    }
  }
}

inline Status publish(std::string const& from, std::string const& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  int reason = errno;
  if (reason == EXDEV) {
    // Another file system: copy beside the target, then rename.
    std::string const beside = to + ".partial-" + std::to_string(::getpid());
    reason = copy_program(from, beside);
    if (reason == 0 && ::rename(beside.c_str(), to.c_str()) == 0) return {};
    if (reason == 0) reason = errno;
    ::unlink(beside.c_str());
  }
  return fail_at(ErrorCode::kIo, to, 0, "cannot be written: " + errno_text(reason), errno_remedy(reason));
}

/// Why a part of the emulator itself did not compile or link.
inline tl::unexpected<Error> broken_emulator(ProcessResult const& result, std::string const& what) {
  struct Hint {
    char const* text;
    char const* cause;
    char const* package;
  };
  for (Hint const& hint : {Hint{"boost/context", "Boost.Context is not installed", "libboost-context-dev"},
                           Hint{"lboost_context", "Boost.Context is not installed", "libboost-context-dev"},
                           Hint{"mpi.h", "Open MPI's header mpi.h is not found", "libopenmpi-dev"},
                           Hint{"-lmpi", "Open MPI's library is not found", "libopenmpi-dev"}}) {
    if (result.err.find(hint.text) != std::string::npos && result.err.find("error") != std::string::npos)
      return fail(
          ErrorCode::kToolMissing, hint.cause, std::string("install the Debian package ") + hint.package);
  }
  Error error{result.timed_out ? ErrorCode::kTimeout : ErrorCode::kInternal,
              what + " does not build: " + describe(result),
              "try another compiler (CXX)"};
  error.detail = result.err;
  return tl::unexpected<Error>(std::move(error));
}

/// What was just compiled belongs under the key of `tools` only if the headers are still those.
inline Status check_headers(EmulatorToolchain const& tools) {
  Result<std::string> now = emulator_headers();
  if (!now) return forward_error(std::move(now));
  if (*now != tools.headers)
    return fail(ErrorCode::kConflict, "the emulator's headers changed while they were compiled", "try again");
  return {};
}

/// The runtime object in `folder`, built unless it is there.
inline Status ensure_runtime(EmulatorToolchain const& tools,
                             std::string const& folder,
                             std::chrono::milliseconds deadline,
                             bool& built) {
  std::string const object = folder + "/runtime.o";
  std::error_code ignored;
  if (std::filesystem::exists(object, ignored)) return {};
  // Somebody may have emptied the cache meanwhile.
  if (Status done = make_cache_folder(folder); !done) return done;
  Result<FolderLock> lock = FolderLock::take(folder + "/lock");
  if (!lock) return forward_error(std::move(lock));
  if (std::filesystem::exists(object, ignored)) return {};
  built = true;
  Result<ScratchFolder> scratch = ScratchFolder::make(folder);
  if (!scratch) return forward_error(std::move(scratch));
  std::string const partial = scratch->path() + "/runtime.o";
  std::vector<std::string> arguments = tools.common_flags(17);
  for (std::string const& word : {std::string("-O2"),
                                  std::string("-g1"),
                                  std::string("-fno-omit-frame-pointer"),
                                  std::string("-x"),
                                  std::string("c++"),
                                  std::string("-c"),
                                  std::string("-"),
                                  std::string("-o"),
                                  partial})
    arguments.push_back(word);
  Result<ProcessResult> result =
      run_compiler(tools, std::move(arguments), "#include \"cuco/emu/runtime-inl.hpp\"\n", deadline);
  if (!result) return forward_error(std::move(result));
  if (Status done = check_headers(tools); !done) return done;
  if (!result->ok()) return broken_emulator(*result, "the emulator's runtime");
  return publish(partial, object);
}

/// A precompiled header with the prelude and `headers`. Returns the path to pass to -include (g++) or
/// -include-pch (clang).
inline Result<std::string> ensure_headers(EmulatorToolchain const& tools,
                                          std::string const& folder,
                                          std::vector<std::string> const& headers,
                                          int standard,
                                          std::chrono::milliseconds deadline,
                                          bool& built) {
  namespace fs = std::filesystem;
  std::string text = "#include \"cuco_emu_prelude.h\"\n";
  for (std::string const& header : headers)
    text += "#if __has_include(<" + header + ">)\n#include <" + header + ">\n#endif\n";
  std::string const all = folder + "/headers";
  std::string const mine = all + "/" + content_hash(text + std::to_string(standard));
  std::string const plain = mine + "/headers.hpp";
  std::string const compiled = plain + (tools.clang ? ".pch" : ".gch");
  std::error_code ignored;
  if (fs::exists(compiled, ignored)) {
    fs::last_write_time(mine, fs::file_time_type::clock::now(), ignored);
    return tools.clang ? compiled : plain;
  }
  Result<FolderLock> taken = FolderLock::take(folder + "/lock");
  if (!taken) return forward_error(std::move(taken));
  std::optional<FolderLock> lock(std::move(*taken));
  if (fs::exists(compiled, ignored)) return tools.clang ? compiled : plain;
  built = true;
  if (Status done = make_cache_folder(mine); !done) return forward_error(std::move(done));
  if (Status done = write_file_atomic(plain, text); !done) return forward_error(std::move(done));
  Result<ScratchFolder> scratch = ScratchFolder::make(folder);
  if (!scratch) return forward_error(std::move(scratch));
  std::string const partial = scratch->path() + "/headers";
  std::vector<std::string> arguments = tools.program_flags(standard);
  for (std::string const& word :
       {std::string("-x"), std::string("c++-header"), plain, std::string("-o"), partial})
    arguments.push_back(word);
  Result<ProcessResult> result = run_compiler(tools, std::move(arguments), {}, deadline);
  if (!result) return forward_error(std::move(result));
  if (Status done = check_headers(tools); !done) return forward_error(std::move(done));
  // A program's own headers may not compile in this order; then it gets the prelude alone.
  if (!result->ok() && !headers.empty()) {
    lock.reset();
    return ensure_headers(tools, folder, {}, standard, deadline, built);
  }
  if (!result->ok()) return broken_emulator(*result, "the emulator's headers");
  if (Status done = publish(partial, compiled); !done) return forward_error(std::move(done));
  prune_folders(all, 8);
  return tools.clang ? compiled : plain;
}

}  // namespace cuco::impl::emulating
