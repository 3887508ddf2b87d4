// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/directives/design_space.hpp"

namespace cuco {

/// One kernel of a generated section with its launcher: what it replaces and the point of the design space it
/// was generated at.
struct GeneratedCollective {
  std::string name;
  Site site;
  Directives directives;
  bool operator==(GeneratedCollective const&) const = default;
};

/// Reads the annotations of the generated section of `code`, in order; empty when there is no section.
/// Errors: kParse with the line of an annotation that cannot be read.
[[nodiscard]] Result<std::vector<GeneratedCollective>> read_annotations(std::string_view code,
                                                                        std::string_view file = "<source>");

/// What the generated section of `code` is for; empty when there is none.
[[nodiscard]] std::optional<Api> generated_api(std::string_view code);

/// `code` with its generated section written anew for `collectives`, which must have the names of the
/// annotations. Nothing outside the section changes, byte for byte. Errors: kNotFound without a section;
/// kInvalidArgument for other names or a point that is not legal.
[[nodiscard]] Result<std::string> regenerate(std::string_view code,
                                             std::vector<GeneratedCollective> const& collectives);

/// The same with one collective, named `name`, at `directives` and the others as they are.
[[nodiscard]] Result<std::string> regenerate(std::string_view code,
                                             std::string_view name,
                                             Directives const& directives);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/generated_section-inl.hpp"
#endif
