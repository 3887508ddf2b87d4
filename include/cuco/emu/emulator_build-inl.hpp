// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/flatten.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/emu/emulator_build.hpp"
#include "cuco/emu/front_end.hpp"
#include "cuco/emu/impl/build_cache_folder.hpp"
#include "cuco/emu/impl/build_products.hpp"
#include "cuco/emu/impl/build_toolchain.hpp"
#include "cuco/emu/impl/front_tokens.hpp"
#include "cuco/emu/impl/wrapped_functions.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco {

struct EmulatorBuild::State {
  EmulatorBuildOptions options;
  std::mutex mutex{};
  std::optional<impl::emulating::EmulatorToolchain> tools{};
  std::string folder{};  ///< In the cache; holds the runtime object.
};

CUCO_EVOLVE_INLINE EmulatorBuild::EmulatorBuild(EmulatorBuildOptions options)
    : state_(std::make_shared<State>()) {
  state_->options = std::move(options);
}

namespace impl::emulating {

/// Finds the tools and the cache folder once. A failure is not kept: what is missing may be installed
/// meanwhile.
CUCO_EVOLVE_INLINE Status find_tools(EmulatorBuild::State& state) {
  std::lock_guard const lock(state.mutex);
  if (state.tools) return {};
  Result<EmulatorToolchain> tools = find_emulator_toolchain(state.options.compiler);
  if (!tools) return forward_error(std::move(tools));
  Result<std::string> cache = find_cache_folder(state.options.cache_directory);
  if (!cache) return forward_error(std::move(cache));
  std::string const all = *cache + "/emulator";
  state.folder = all + "/" + tools->fingerprint;
  if (Status done = make_cache_folder(state.folder); !done) return done;
  std::error_code ignored;
  std::filesystem::last_write_time(state.folder, std::filesystem::file_time_type::clock::now(), ignored);
  prune_folders(all, 6);
  remove_abandoned_folders(state.folder);
  state.tools = std::move(*tools);
  return {};
}

/// `text`, the program after the front end, with a #line where it goes on in another file: diagnostics name
/// the files that the program was put together from.
CUCO_EVOLVE_INLINE std::string with_origins(std::string const& text,
                                            SourceMap const& map,
                                            std::string const& file) {
  if (map.empty()) return text;
  std::string out;
  // The text starts with the #line of the front end.
  std::size_t at = text.find('\n') + 1;
  std::uint32_t line = 1;
  for (SourceMap::Segment const& segment : map.segments) {
    for (; line < segment.first && at < text.size(); ++line) {
      std::size_t const end = std::min(text.find('\n', at), text.size() - 1) + 1;
      out.append(text, at, end - at);
      at = end;
    }
    std::string const& name = map.files[segment.file];
    out += "#line " + std::to_string(segment.line) + " " + string_literal(name.empty() ? file : name) + "\n";
  }
  return out.append(text, at, std::string::npos);
}

}  // namespace impl::emulating

CUCO_EVOLVE_INLINE std::string EmulatorBuild::fingerprint() const {
  if (!impl::emulating::find_tools(*state_)) return {};
  return state_->tools->fingerprint;
}

CUCO_EVOLVE_INLINE Status EmulatorBuild::prepare() const {
  if (Status done = impl::emulating::find_tools(*state_); !done) return done;
  bool built = false;
  if (Status done =
          impl::emulating::ensure_runtime(*state_->tools, state_->folder, state_->options.deadline, built);
      !done)
    return done;
  Result<std::string> headers = impl::emulating::ensure_headers(
      *state_->tools, state_->folder, {}, 17, state_->options.deadline, built);
  if (!headers) return forward_error(std::move(headers));
  return {};
}

CUCO_EVOLVE_INLINE Result<BuildOutcome> EmulatorBuild::build(EmulatorBuildRequest const& request) const {
  auto const start = std::chrono::steady_clock::now();
  if (request.standard != 17 && request.standard != 20)
    return fail(
        ErrorCode::kInvalidArgument, "C++ standard " + std::to_string(request.standard), "use 17 or 20");
  Result<FlatSource> cuda = flatten_includes(request.source_path);
  if (!cuda) return forward_error(std::move(cuda));
  if (Status done = impl::emulating::find_tools(*state_); !done) return forward_error(std::move(done));
  impl::emulating::EmulatorToolchain const& tools = *state_->tools;
  std::filesystem::path const path(request.source_path);

  BuildOutcome outcome;
  auto const finish = [&]() {
    outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return outcome;
  };
  std::string const file = path.filename().string();
  Result<EmulatedSource> source = to_emulated_source(cuda->code, file);
  if (!source) {
    outcome.exit_code = 1;
    outcome.diagnostics = to_line(at_origin(std::move(source).error(), cuda->map, file)) + "\n";
    return finish();
  }
  source->text = impl::emulating::with_origins(source->text, cuda->map, file);
  bool built = false;
  if (Status done = impl::emulating::ensure_runtime(tools, state_->folder, state_->options.deadline, built);
      !done)
    return forward_error(std::move(done));
  Result<std::string> headers = impl::emulating::ensure_headers(
      tools, state_->folder, source->headers, request.standard, state_->options.deadline, built);
  if (!headers) return forward_error(std::move(headers));
  outcome.cached = !built;

  std::error_code error;
  std::string const temporary = std::filesystem::temp_directory_path(error).string();
  Result<ScratchFolder> scratch = ScratchFolder::make(error ? state_->folder : temporary);
  if (!scratch) return forward_error(std::move(scratch));
  std::string const object = scratch->path() + "/program.o";
  std::string const binary = scratch->path() + "/program";

  std::string const parent = path.has_parent_path() ? path.parent_path().string() : ".";
  auto const compile = [&](bool precompiled) {
    std::vector<std::string> arguments = tools.program_flags(request.standard);
    for (std::string const& define : request.defines) arguments.push_back("-D" + define);
    for (std::string const& word : {std::string("-iquote"),
                                    parent,
                                    std::string(tools.clang && precompiled ? "-include-pch" : "-include"),
                                    precompiled ? *headers : std::string("cuco_emu_prelude.h"),
                                    std::string("-x"),
                                    std::string("c++"),
                                    std::string("-c"),
                                    std::string("-"),
                                    std::string("-o"),
                                    object})
      arguments.push_back(word);
    // From standard input, so that no temporary path gets into diagnostics.
    return impl::emulating::run_compiler(tools, std::move(arguments), source->text, request.deadline);
  };
  // clang insists that the command line of a precompiled header and its user define the same macros.
  bool const precompiled = !tools.clang || request.defines.empty();
  Result<ProcessResult> result = compile(precompiled);
  // A header of the system that changed under a precompiled one.
  if (result && precompiled && !result->ok() && result->err.find("headers.hpp") != std::string::npos)
    result = compile(false);
  if (!result) return forward_error(std::move(result));
  if (result->ok()) {
    std::vector<std::string> link = {
        object, state_->folder + "/runtime.o", "-o", binary, "-pthread", "-rdynamic"};
    link.insert(link.end(), tools.mpi_link.begin(), tools.mpi_link.end());
    for (char const* library : {"-lboost_context", "-ldl"}) link.emplace_back(library);
    for (char const* name : impl::emulating::kWrappedFunctions)
      link.push_back(std::string("-Wl,--wrap=") + name);
    result = impl::emulating::run_compiler(tools, std::move(link), {}, request.deadline);
    if (!result) return forward_error(std::move(result));
    if (!result->ok() && result->err.find("cannot find -l") != std::string::npos)
      return impl::emulating::broken_emulator(*result, "the program");
  }
  outcome.exit_code = result->exit_code;
  outcome.timed_out = result->timed_out;
  outcome.diagnostics = std::move(result->err);
  outcome.ok = result->ok();
  if (outcome.ok) {
    if (Status done = impl::emulating::publish(binary, request.output_path); !done)
      return forward_error(std::move(done));
    outcome.binary = request.output_path;
  } else if (outcome.diagnostics.find("No space left on device") != std::string::npos) {
    return fail(ErrorCode::kIo, "no space left for the compiler's files", "free some space or set TMPDIR");
  }
  return finish();
}

}  // namespace cuco
