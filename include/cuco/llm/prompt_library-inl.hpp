// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/prompt_library.hpp"

namespace cuco {

namespace impl {

/// Where templates are when nobody says: CUCO_PROMPTS, else beside this header, in the tree of the sources or
/// in the one it was installed to, else beside the program, for one whose sources are gone.
CUCO_EVOLVE_INLINE std::string prompt_folder() {
  namespace fs = std::filesystem;
  if (char const* named = std::getenv("CUCO_PROMPTS"); named != nullptr && *named != '\0') return named;
  fs::path root = __FILE__;  // <root>/include/cuco/llm/prompt_library-inl.hpp
  for (int up = 0; up < 4; ++up) root = root.parent_path();
  std::error_code ignored;
  auto const prefix = fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path();
  for (auto const& folder : {root / "prompts",
                             root / "share" / "cuco_codesign" / "prompts",
                             prefix / "share" / "cuco_codesign" / "prompts"})
    if (fs::exists(folder / "mutate_system.txt", ignored)) return folder.string();
  return (root / "prompts").string();
}

struct PromptPiece {
  std::string_view text{};         ///< As it stands.
  std::string_view placeholder{};  ///< What follows `text`; empty at the end of the template.
};

/// Cuts off the first piece of `rest`, a template without malformed placeholders.
CUCO_EVOLVE_INLINE PromptPiece next_piece(std::string_view& rest) {
  auto const open = rest.find("{{");
  if (open == std::string_view::npos) return {std::exchange(rest, {}), {}};
  auto const close = rest.find("}}", open);
  PromptPiece const piece{rest.substr(0, open), rest.substr(open + 2, close - open - 2)};
  rest.remove_prefix(close + 2);
  return piece;
}

/// Why `line` of a template cannot be read; empty when it can.
CUCO_EVOLVE_INLINE std::string malformed_placeholder(std::string_view line) {
  while (!line.empty()) {
    auto const open = line.find("{{");
    auto const close = line.find("}}");
    if (open == std::string_view::npos && close == std::string_view::npos) return {};
    if (open == std::string_view::npos || close < open) return "'}}' without '{{' before it";
    if (close == std::string_view::npos) return "'{{' without '}}' on the same line";
    auto const name = line.substr(open + 2, close - open - 2);
    bool const sound = !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
                                            std::string_view::npos;
    if (!sound)
      return "'" + std::string(line.substr(open, close + 2 - open)) +
             "' is not a placeholder: use lower case, digits, _";
    line.remove_prefix(close + 2);
  }
  return {};
}

/// A file as a template: without comment lines, carriage returns, and blank lines at its ends.
CUCO_EVOLVE_INLINE Result<std::string> read_template(std::string const& file, std::string_view bytes) {
  std::string out;
  std::uint32_t number = 0;
  while (!bytes.empty()) {
    auto const end = std::min(bytes.find('\n'), bytes.size());
    auto line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.rfind("#!", 0) == 0) continue;
    if (auto why = malformed_placeholder(line); !why.empty())
      return fail_at(ErrorCode::kParse, file, number, std::move(why), "a placeholder reads {{name}}");
    if (out.empty() && line.find_first_not_of(" \t") == std::string_view::npos) continue;
    out.append(line).push_back('\n');
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ' || out.back() == '\t')) out.pop_back();
  return out;
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<PromptLibrary> PromptLibrary::load(std::string const& folder) {
  namespace fs = std::filesystem;
  std::string const at = folder.empty() ? impl::prompt_folder() : folder;
  std::error_code error;
  PromptLibrary library;
  fs::directory_iterator entry(at, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() != ".txt") continue;
    auto const file = entry->path().string();
    auto bytes = read_file(file);
    if (!bytes) return forward_error(std::move(bytes));
    auto text = impl::read_template(file, *bytes);
    if (!text) return forward_error(std::move(text));
    library.texts_[entry->path().stem().string()] = *std::move(text);
  }
  if (error || library.texts_.empty())
    return fail_at(
        ErrorCode::kNotFound,
        at,
        0,
        error ? "the prompt templates cannot be read: " + error.message() : "holds no prompt templates",
        "name the folder of the templates in CUCO_PROMPTS");
  return library;
}

CUCO_EVOLVE_INLINE Result<std::string> PromptLibrary::fill(
    std::string_view name, std::map<std::string, std::string> const& values) const {
  auto const found = texts_.find(name);
  if (found == texts_.end())
    return fail(ErrorCode::kNotFound, "there is no prompt template '" + std::string(name) + "'");
  std::string out;
  std::set<std::string, std::less<>> used;
  for (std::string_view rest = found->second; !rest.empty();) {
    auto const piece = impl::next_piece(rest);
    out.append(piece.text);
    if (piece.placeholder.empty()) break;
    auto const value = values.find(std::string(piece.placeholder));
    if (value == values.end())
      return fail(ErrorCode::kInvalidArgument,
                  "prompt template '" + std::string(name) + "': nothing fills {{" +
                      std::string(piece.placeholder) + "}}",
                  "docs/prompts.md lists the placeholders of each template");
    out.append(value->second);
    used.insert(value->first);
  }
  for (auto const& [key, value] : values)
    if (used.count(key) == 0)
      return fail(ErrorCode::kInvalidArgument,
                  "prompt template '" + std::string(name) + "' has no {{" + key + "}}",
                  "docs/prompts.md lists the placeholders of each template");
  return out;
}

CUCO_EVOLVE_INLINE std::vector<std::string> PromptLibrary::names() const {
  std::vector<std::string> out;
  out.reserve(texts_.size());
  for (auto const& [name, text] : texts_) out.push_back(name);
  return out;
}

CUCO_EVOLVE_INLINE Result<std::vector<std::string>> PromptLibrary::placeholders(std::string_view name) const {
  auto const found = texts_.find(name);
  if (found == texts_.end())
    return fail(ErrorCode::kNotFound, "there is no prompt template '" + std::string(name) + "'");
  std::vector<std::string> out;
  for (std::string_view rest = found->second; !rest.empty();) {
    auto const piece = impl::next_piece(rest);
    if (!piece.placeholder.empty() && std::find(out.begin(), out.end(), piece.placeholder) == out.end())
      out.emplace_back(piece.placeholder);
  }
  return out;
}

}  // namespace cuco
