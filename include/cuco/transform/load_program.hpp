// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/analysis/source_map.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// A program as a user has it.
struct SourceProgram {
  std::string path;  ///< For messages.
  std::string name;  ///< File name, for example "alltoall.cu".
  std::string code;
  SourceMap map{};  ///< Where its lines were written, for a program of several files.
};

/// Reads a program, local includes put in place (`flatten_includes`), and checks that it can be one.
/// Errors: kNotFound; kInvalidArgument for a folder; kIo for what cannot be read; kParse, with the line where
/// there is one, for an empty file, a binary one, and brackets that do not balance.
[[nodiscard]] Result<SourceProgram> load_program(std::string const& path);

/// The same checks for text that is in memory already.
[[nodiscard]] Result<SourceProgram> make_program(std::string code, std::string path);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/load_program-inl.hpp"
#endif
