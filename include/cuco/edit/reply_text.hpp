// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/edit/edit_result.hpp"

namespace cuco {

/// One fenced block of Markdown.
struct CodeFence {
  std::string label;      ///< First word after the opening fence, lower case: "cuda", "cpp", "", …
  std::string_view text;  ///< Between the two fence lines; refers to the reply.
  bool closed = true;     ///< False: the reply ended before the closing fence.
};

/// The fenced blocks of `reply`, outermost only, in order. Backticks and tildes; a longer fence holds shorter
/// ones.
[[nodiscard]] std::vector<CodeFence> find_code_fences(std::string_view reply);

/// The code of a reply that should hold one whole source file: of the fences that could be CUDA C++ the one
/// meant by the reply (in `<CODE>` if there is such an element, else the only or the longest), or the whole
/// reply when it has no fence and looks like code. Fails with kNothing, kMalformed (an open fence),
/// kAmbiguous or kLanguage.
[[nodiscard]] tl::expected<std::string, EditProblem> extract_code(std::string_view reply);

/// The text of `<TAG>…</TAG>`, blanks trimmed; empty optional when the reply has no such element.
[[nodiscard]] std::optional<std::string> extract_element(std::string_view reply, std::string_view tag);

/// What a reply calls its change.
struct ReplyTitle {
  std::string name;  ///< lower_case_with_underscores, at most 64 characters; "unnamed" when it gives none.
  std::string description;  ///< One paragraph, at most 2000 characters; may be empty.
};
[[nodiscard]] ReplyTitle read_title(std::string_view reply);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/edit/reply_text-inl.hpp"
#endif
