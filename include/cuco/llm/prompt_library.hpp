// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"

namespace cuco {

/// The prompt templates: text files `NAME.txt` of one folder, with placeholders `{{name}}`.
///
/// Lines that begin with `#!` are comments of the template and never sent.
class PromptLibrary {
 public:
  /// Reads all templates of `folder`; empty: CUCO_PROMPTS, else the folder this library was built or installed
  /// with. Errors: kNotFound; kParse with file and line for a malformed placeholder.
  [[nodiscard]] static Result<PromptLibrary> load(std::string const& folder = {});

  /// The template with every placeholder filled. Values are inserted as they are and never read as templates.
  /// Errors: kNotFound for an unknown template; kInvalidArgument naming the first placeholder without a value,
  /// or the first value without a placeholder.
  [[nodiscard]] Result<std::string> fill(std::string_view name,
                                         std::map<std::string, std::string> const& values = {}) const;

  [[nodiscard]] std::vector<std::string> names() const;
  /// Placeholders of one template, each once, in order of appearance. Errors: kNotFound.
  [[nodiscard]] Result<std::vector<std::string>> placeholders(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> texts_;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/prompt_library-inl.hpp"
#endif
