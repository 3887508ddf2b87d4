// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cuco::impl {

/// A token of C++ or CUDA text, as an embedder sees it.
struct CodeWord {
  enum class Kind : std::uint8_t {
    kName,   ///< An identifier that the program chose.
    kKnown,  ///< A name of CUDA, NCCL, MPI or their headers.
    kKeyword,
    kNumber,   ///< In one spelling.
    kLiteral,  ///< A string or character.
    kOperator,
  };
  Kind kind = Kind::kOperator;
  std::string text{};
};

/// The tokens of `text` without comments. Takes any bytes; what is left open ends with the text.
[[nodiscard]] std::vector<CodeWord> code_words(std::string_view text);

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/embed/impl/code_words-inl.hpp"
#endif
