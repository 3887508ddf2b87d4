// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cuco/analysis/flatten.hpp"
#include "cuco/analysis/impl/condition.hpp"
#include "cuco/analysis/impl/pasted_names.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"

namespace cuco {
namespace impl {

/// How a file keeps itself from coming twice.
struct OnceGuard {
  bool pragma = false;
  bool macro = false;  ///< `#ifndef X`, `#define X`, …, `#endif` around everything.
  [[nodiscard]] bool any() const { return pragma || macro; }
};

inline OnceGuard find_once_guard(std::vector<Token> const& tokens) {
  OnceGuard guard;
  auto directive = [&](std::size_t i) {
    return i < tokens.size() && tokens[i].kind == TokenKind::kDirective ? split_directive(tokens[i].text)
                                                                        : DirectiveParts{};
  };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind != TokenKind::kDirective || !tokens[i].active) continue;
    DirectiveParts const d = directive(i);
    guard.pragma |= d.name == "pragma" && trim(d.rest) == "once";
  }
  DirectiveParts const first = directive(0);
  DirectiveParts const second = directive(1);
  std::string_view const name = trim(first.rest);
  bool const opens = first.name == "ifndef" && second.name == "define" && !name.empty() &&
                     (trim(second.rest) == name || trim(second.rest).starts_with(std::string(name) + " "));
  if (!opens) return guard;
  int depth = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    DirectiveParts const d = directive(i);
    if (d.name.starts_with("if")) ++depth;
    if (d.name == "endif") --depth;
    bool const alternative = depth == 1 && i > 0 && (d.name == "else" || d.name.starts_with("elif"));
    if (alternative || (depth == 0 && i + 1 < tokens.size())) return guard;
  }
  guard.macro = depth == 0;
  return guard;
}

class Flattener {
 public:
  explicit Flattener(std::string path) : path_(std::move(path)) {}

  Result<FlatSource> run() {
    auto text = read_file(path_);
    if (!text) return forward_error(std::move(text));
    FlatSource same{*text, {}};
    // What does not lex is reported by whoever analyses it.
    if (!lex(*text, path_)) return same;
    map_.files.emplace_back();
    auto ok = add(path_, *text, 0, {});
    if (!ok) return forward_error(std::move(ok));
    if (map_.files.size() == 1) return same;
    return FlatSource{std::move(out_), std::move(map_)};
  }

 private:
  static constexpr std::size_t kDeepest = 64;
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20U;
  static constexpr std::size_t kMostFiles = 10000;

  struct Seen {
    bool unconditional;
    std::size_t number;
  };

  /// @param file index in `map_.files`.
  Status add(std::string const& path,
             std::string const& text,
             std::uint32_t file,
             std::string const& name,
             bool conditional = false) {
    auto stream = lex(text, name.empty() ? path : name);
    if (!stream) return forward_error(std::move(stream));
    OnceGuard const guard = find_once_guard(stream->tokens);
    stack_.push_back(identity(path));
    int depth = guard.macro ? -1 : 0;
    std::size_t done = 0;
    std::uint32_t line = 1;
    begin_segment(file, line);
    for (Token const& t : stream->tokens) {
      if (t.kind != TokenKind::kDirective) continue;
      DirectiveParts const d = split_directive(t.text);
      if (d.name.starts_with("if")) ++depth;
      if (d.name == "endif") --depth;
      if (!t.active) continue;
      bool const once = d.name == "pragma" && trim(d.rest) == "once" && file != 0;
      std::string const target = d.name == "include" && !once ? included(path, d.rest) : std::string();
      if (!once && target.empty()) continue;
      copy(text, done, t.offset, line);
      done = t.span().end;
      if (once) {
        append("// ");
        done = t.offset;
        continue;
      }
      Status ok = include(target, std::string(trim(d.rest)), name, t.line, conditional || depth > 0);
      if (!ok) return ok;
      for (char c : t.text) line += c == '\n' ? 1 : 0;
      std::size_t const end = std::min(text.find('\n', done), text.size());
      if (trim(std::string_view(text).substr(done, end - done)).empty()) done = end;
      // What follows on the line of the include gets a line of its own.
      if (done < end) {
        append("\n");
        begin_segment(file, line);
      }
      if (done < text.size() && text[done] == '\n') {
        append("\n");
        ++done;
        begin_segment(file, ++line);
      }
    }
    copy(text, done, text.size(), line);
    stack_.pop_back();
    return {};
  }

  Status include(std::string const& target,
                 std::string const& quoted,
                 std::string const& from,
                 std::uint32_t line,
                 bool conditional) {
    std::string const where = from.empty() ? path_ : from;
    std::string const key = identity(target);
    auto text = read_file(target);
    if (!text) return forward_error(std::move(text));
    std::string const name = quoted.substr(1, quoted.size() - 2);
    auto stream = lex(*text, name);
    if (!stream) return forward_error(std::move(stream));
    OnceGuard const guard = find_once_guard(stream->tokens);
    auto const it = seen_.find(key);
    bool const running = std::find(stack_.begin(), stack_.end(), key) != stack_.end();
    if (running && !guard.any())
      return fail_at(ErrorCode::kParse, where, line, quoted + " includes itself", "give it a #pragma once");
    if (guard.any() && (running || (it != seen_.end() && it->second.unconditional))) {
      append("// from " + quoted + ": see above");
      return {};
    }
    if (stack_.size() >= kDeepest)
      return fail_at(ErrorCode::kParse, where, line, "includes are nested deeper than 64", "include less");
    if (out_.size() > kMostBytes || map_.files.size() > kMostFiles)
      return fail_at(ErrorCode::kParse,
                     where,
                     line,
                     "with its includes the program is larger than 64 MiB or 10000 files",
                     "guard the files that are included again and again");
    std::size_t const number = it == seen_.end() ? seen_.size() : it->second.number;
    seen_[key] = {!conditional, number};
    map_.files.push_back(name);
    auto const file = static_cast<std::uint32_t>(map_.files.size() - 1);
    append("// from " + quoted + "\n");
    // Under a condition only the preprocessor knows whether the text came already.
    bool const wrap = guard.pragma && conditional;
    std::string const macro = "FLATTENED_FILE_" + std::to_string(number);
    if (wrap || (guard.pragma && it != seen_.end())) append("#ifndef " + macro + "\n#define " + macro + "\n");
    Status ok = add(target, *text, file, name, conditional);
    if (!ok) return ok;
    if (!out_.empty() && out_.back() != '\n') append("\n");
    if (wrap || (guard.pragma && it != seen_.end())) append("#endif\n");
    append("// end of " + quoted);
    return {};
  }

  /// The path of the file that `rest`, what follows `#include`, names; "" when it stays.
  [[nodiscard]] std::string included(std::string const& from, std::string_view rest) const {
    namespace fs = std::filesystem;
    rest = trim(rest);
    if (rest.size() < 3 || rest.front() != '"' || rest.back() != '"') return {};
    fs::path const target = fs::path(from).parent_path() / rest.substr(1, rest.size() - 2);
    std::error_code ignored;
    return fs::is_regular_file(target, ignored) ? target.string() : std::string();
  }

  static std::string identity(std::string const& path) {
    std::error_code ignored;
    auto const canonical = std::filesystem::weakly_canonical(path, ignored);
    return ignored ? path : canonical.string();
  }

  void append(std::string_view s) {
    out_ += s;
    flat_line_ += static_cast<std::uint32_t>(std::count(s.begin(), s.end(), '\n'));
  }
  void copy(std::string const& text, std::size_t begin, std::size_t end, std::uint32_t& line) {
    std::string_view const part = std::string_view(text).substr(begin, end - begin);
    append(part);
    line += static_cast<std::uint32_t>(std::count(part.begin(), part.end(), '\n'));
  }
  void begin_segment(std::uint32_t file, std::uint32_t line) {
    if (!map_.segments.empty() && map_.segments.back().first == flat_line_) map_.segments.pop_back();
    map_.segments.push_back({flat_line_, file, line});
  }

  std::string path_;
  std::string out_{};
  SourceMap map_{};
  std::uint32_t flat_line_ = 1;
  std::vector<std::string> stack_{};
  std::map<std::string, Seen> seen_{};
};

}  // namespace impl

CUCO_EVOLVE_INLINE Result<FlatSource> flatten_includes(std::string const& path) {
  auto flat = impl::Flattener(path).run();
  if (flat && flat->code.find('#') != std::string::npos && flat->code.find("nccl") != std::string::npos)
    impl::PastedNames(flat->code).write_out(flat->code, flat->map);
  return flat;
}

CUCO_EVOLVE_INLINE Error at_origin(Error error, SourceMap const& map, std::string const& file) {
  if (map.empty() || error.line == 0 || error.file != file) return error;
  SourcePlace place = map.locate(error.line);
  error.line = place.line;
  if (!place.file.empty()) error.file = std::move(place.file);
  return error;
}

}  // namespace cuco
