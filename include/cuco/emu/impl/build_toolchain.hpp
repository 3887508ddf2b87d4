// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/core/result.hpp"
#include "cuco/emu/impl/emulator_folder.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco::impl::emulating {

/// The host compiler, Open MPI's flags, and a name for all that decides what a build gives.
struct EmulatorToolchain {
  std::string compiler;
  std::string version;
  bool clang = false;
  std::vector<std::string> mpi_compile;
  std::vector<std::string> mpi_link;
  std::string headers;      ///< Hash of the emulator's headers.
  std::string fingerprint;  ///< Of compiler, flags, and the emulator's headers.

  /// Flags of every compilation.
  [[nodiscard]] std::vector<std::string> common_flags(int standard) const {
    std::string const emulator = emulator_folder();
    std::vector<std::string> flags = {"-std=c++" + std::to_string(standard),
                                      "-pthread",
                                      "-fno-strict-aliasing",
                                      "-ffp-contract=off",
                                      "-w",
                                      "-I" + emulator + "/shim",
                                      "-I" + emulator + "/../.."};
    // The C++ bindings of MPI are gone from the standard and cost parse time.
    flags.emplace_back("-DOMPI_SKIP_MPICXX=1");
    flags.insert(flags.end(), mpi_compile.begin(), mpi_compile.end());
    return flags;
  }
  /// Flags of a program: every memory access calls the emulator, volatile ones by other names.
  [[nodiscard]] std::vector<std::string> program_flags(int standard) const {
    std::vector<std::string> flags = common_flags(standard);
    for (char const* flag : {"-O1", "-g1", "-fsanitize=thread", "-fno-omit-frame-pointer"})
      flags.emplace_back(flag);
    std::vector<std::string> const own =
        clang ? std::vector<std::string>{"-mllvm",
                                         "-tsan-distinguish-volatile=1",
                                         "-mllvm",
                                         "-tsan-instrument-func-entry-exit=0",
                                         "-ferror-limit=20",
                                         "-fno-color-diagnostics",
                                         // The cache is keyed by content; times of files mean nothing.
                                         "-Xclang",
                                         "-fvalidate-ast-input-files-content"}
              : std::vector<std::string>{"--param",
                                         "tsan-distinguish-volatile=1",
                                         "--param",
                                         "tsan-instrument-func-entry-exit=0",
                                         "-fmax-errors=20",
                                         "-fdiagnostics-color=never",
                                         "-fno-diagnostics-show-caret"};
    flags.insert(flags.end(), own.begin(), own.end());
    return flags;
  }
};

inline std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (char const c : text) {
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

/// Standard output of a short helper program, or the error. A program that fails is kToolMissing.
inline Result<std::string> tool_output(std::vector<std::string> argv) {
  std::string const name = argv.front();
  Command command;
  command.argv = std::move(argv);
  command.environment = {"LC_ALL=C"};
  command.deadline = std::chrono::seconds(60);
  Result<ProcessResult> result = run_process(command);
  if (!result) return forward_error(std::move(result));
  if (!result->ok())
    return fail(ErrorCode::kToolMissing, "'" + name + "' does not work: " + describe(*result));
  return std::move(result->out);
}

inline Result<std::string> find_compiler(std::string const& wanted) {
  std::string name = wanted;
  if (char const* cxx = std::getenv("CXX"); name.empty() && cxx != nullptr && words(cxx).size() == 1)
    name = words(cxx)[0];
  if (!name.empty()) {
    Result<std::string> found = find_program(name);
    if (found || !wanted.empty()) return found;
  }
  for (char const* candidate : {"g++", "clang++"})
    if (Result<std::string> found = find_program(candidate)) return found;
  return fail(ErrorCode::kToolMissing,
              "no host C++ compiler found on PATH (g++ or clang++)",
              "install the Debian package g++");
}

/// Fills the MPI flags: from the compiler wrapper, else from pkg-config.
inline Status find_mpi(EmulatorToolchain& tools) {
  for (auto const& [program, compile, link] :
       {std::array<std::string, 3>{"mpicxx", "--showme:compile", "--showme:link"},
        std::array<std::string, 3>{"pkg-config ompi-c", "--cflags", "--libs"}}) {
    std::vector<std::string> argv = words(program);
    if (!find_program(argv[0])) continue;
    std::vector<std::string> link_argv = argv;
    argv.push_back(compile);
    link_argv.push_back(link);
    Result<std::string> compile_flags = tool_output(argv);
    Result<std::string> link_flags = tool_output(link_argv);
    if (!compile_flags || !link_flags) continue;
    tools.mpi_compile = words(*compile_flags);
    tools.mpi_link = words(*link_flags);
    auto& flags = tools.mpi_link;
    flags.erase(std::remove(flags.begin(), flags.end(), "-lmpi_cxx"), flags.end());
    return {};
  }
  return fail(ErrorCode::kToolMissing,
              "Open MPI's development files are not found (mpicxx, pkg-config ompi-c)",
              "install the Debian package libopenmpi-dev");
}

/// Hash of every header of the emulator.
inline Result<std::string> emulator_headers() {
  namespace fs = std::filesystem;
  std::string const folder = emulator_folder();
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->is_regular_file(error) && it->path().extension() != ".toml") files.push_back(it->path().string());
  if (error || files.empty()) {
    return fail(ErrorCode::kIo,
                "the emulator's headers cannot be read in '" + folder + "'",
                "set CUCO_EMU_HOME to the folder include/cuco/emu of the installed library");
  }
  std::sort(files.begin(), files.end());
  std::string all;
  for (std::string const& file : files) {
    Result<std::string> text = read_file(file);
    if (!text) return forward_error(std::move(text));
    all += file + "\n" + *text;
  }
  return content_hash_128(all);
}

inline Result<EmulatorToolchain> find_emulator_toolchain(std::string const& wanted_compiler) {
  EmulatorToolchain tools;
  Result<std::string> compiler = find_compiler(wanted_compiler);
  if (!compiler) return forward_error(std::move(compiler));
  tools.compiler = *compiler;
  Result<std::string> version = tool_output({tools.compiler, "--version"});
  if (!version) return forward_error(std::move(version));
  tools.version = *version;
  tools.clang = version->find("clang") != std::string::npos;
  if (Status done = find_mpi(tools); !done) return forward_error(std::move(done));
  Result<std::string> headers = emulator_headers();
  if (!headers) return forward_error(std::move(headers));
  std::string key = tools.compiler + "\n" + tools.version;
  for (std::string const& flag : tools.program_flags(17)) key += "\n" + flag;
  for (std::string const& flag : tools.mpi_link) key += "\n" + flag;
  tools.headers = *headers;
  tools.fingerprint = content_hash_128(key + "\n" + *headers);
  return tools;
}

}  // namespace cuco::impl::emulating
