// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <system_error>
#include <utility>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/analysis/flatten.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/transform/load_program.hpp"

namespace cuco {

CUCO_EVOLVE_INLINE Result<SourceProgram> make_program(std::string code, std::string path) {
  if (code.find_first_not_of(" \t\r\n") == std::string::npos)
    return fail_at(
        ErrorCode::kParse, path, 0, "the file is empty", "give a CUDA program with NCCL collectives");
  if (code.find('\0') != std::string::npos)
    return fail_at(ErrorCode::kParse, path, 0, "the file is binary, not source text", "give the .cu file");
  if (auto report = Analyzer{}.analyze(code, path); !report) return forward_error(std::move(report));
  std::string name = std::filesystem::path(path).filename().string();
  return SourceProgram{std::move(path), std::move(name), std::move(code)};
}

CUCO_EVOLVE_INLINE Result<SourceProgram> load_program(std::string const& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return fail_at(
        ErrorCode::kInvalidArgument, path, 0, "this is a folder, not a program", "give the .cu file in it");
  auto flat = flatten_includes(path);
  if (!flat) return forward_error(std::move(flat));
  auto program = make_program(std::move(flat->code), path);
  if (!program) {
    Error error = std::move(program).error();
    return tl::unexpected<Error>(at_origin(std::move(error), flat->map, path));
  }
  program->map = std::move(flat->map);
  return program;
}

}  // namespace cuco
