// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cuco/core/result.hpp"

namespace cuco {

/// A program as a user has it.
struct SourceProgram {
  std::string path;  ///< For messages.
  std::string name;  ///< File name, for example "alltoall.cu".
  std::string code;
};

/// Reads a program and checks that it can be one.
/// Errors: kNotFound; kIo for what cannot be read, folders included; kParse, with the line where there is
/// one, for an empty file, a binary one, and brackets that do not balance.
[[nodiscard]] Result<SourceProgram> load_program(std::string const& path);

/// The same checks for text that is in memory already.
[[nodiscard]] Result<SourceProgram> make_program(std::string code, std::string path);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/load_program-inl.hpp"
#endif
