// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "cuco/analysis/lexer.hpp"
#include "cuco/edit/edit_result.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/impl/edit_check.hpp"
#include "cuco/edit/impl/frozen_match.hpp"
#include "cuco/edit/impl/patched_text.hpp"

namespace cuco::impl {

/// Finds in code of a reply the text of each block of a program.
class FullRewriter {
 public:
  using Texts = tl::expected<std::vector<std::string_view>, EditProblem>;

  /// `program` must outlive it.
  explicit FullRewriter(ParsedProgram const& program) : program_(program) {}

  Texts run(std::string_view code) {
    auto stream = lex(code, "the reply's code");
    if (!stream) {
      if (code.find('\0') != std::string_view::npos)
        return refuse(EditFault::kLanguage, "the reply's code holds a NUL byte", "send text only");
      return refuse(EditFault::kMalformed, to_line(stream.error()), "send the whole code again, complete");
    }
    auto marked = find_marked_blocks(code, *stream, "the reply's code");
    if (!marked)
      return program_.blocks.size() == 1 ? one_marker(code, marked.error()) : bad_markers(marked.error());
    if (marked->empty()) {
      if (program_.blocks.size() == 1) return without_markers(code, *stream);
      return refuse(EditFault::kMarkers,
                    "the program has " + std::to_string(program_.blocks.size()) +
                        " EVOLVE blocks, the reply's code has no marker lines",
                    advice());
    }
    if (marked->size() != program_.blocks.size())
      return refuse(EditFault::kMarkers,
                    "the program has " + count(program_.blocks.size()) + ", the reply's code has " +
                        std::to_string(marked->size()),
                    advice());
    std::vector<std::string_view> texts;
    for (std::size_t i = 0; i < marked->size(); ++i) {
      Span const span = (*marked)[i].text;
      auto const [first, last] = tokens_in(*stream, span);
      if (first == last && has_code(i)) return no_code(i);
      texts.push_back(code.substr(span.begin, span.size()));
    }
    note_frozen(*stream, *marked);
    return texts;
  }

  [[nodiscard]] std::vector<std::string> const& notes() const { return notes_; }

 private:
  static constexpr std::size_t kTelling = 8;  ///< Tokens that are not the same by chance.

  static std::string count(std::size_t blocks) {
    return std::to_string(blocks) + (blocks == 1 ? " EVOLVE block" : " EVOLVE blocks");
  }
  [[nodiscard]] std::string advice() const {
    return "send the program with its marker lines: each of its " + count(program_.blocks.size()) +
           " between the lines // EVOLVE-BLOCK-START and // EVOLVE-BLOCK-END, each alone on its line";
  }
  [[nodiscard]] tl::unexpected<EditProblem> bad_markers(Error const& error) const {
    return refuse(EditFault::kMarkers, to_line(error), advice());
  }

  [[nodiscard]] bool has_code(std::size_t block) const {
    auto const [first, last] = tokens_in(program_.stream, program_.blocks[block].text);
    return first != last;
  }
  /// A rewrite does not empty a block; code that was left out, as in "// unchanged", would be lost.
  [[nodiscard]] tl::unexpected<EditProblem> no_code(std::size_t block) const {
    return refuse(EditFault::kNothing,
                  "the reply has no code for " +
                      (program_.blocks.size() == 1 ? "the block" : "block " + std::to_string(block + 1)),
                  "repeat the code of a block that shall stay as it is");
  }

  /// Frozen text of a reply is not used; a model that changed it is told.
  void note_frozen(TokenStream const& code, std::vector<MarkedBlock> const& marked) {
    auto outside = [](TokenStream const& stream, auto const& blocks) {
      std::vector<Token> out;
      auto block = blocks.begin();
      for (Token const& t : stream.tokens) {
        while (block != blocks.end() && block->text.end <= t.offset) ++block;
        if (block == blocks.end() || t.offset < block->text.begin) out.push_back(t);
      }
      return out;
    };
    std::vector<Token> const theirs = outside(code, marked);
    if (theirs.empty()) return;
    std::vector<Token> const ours = outside(program_.stream, program_.blocks);
    auto const [a, b] = std::mismatch(theirs.begin(), theirs.end(), ours.begin(), ours.end(), same_token);
    if (a == theirs.end() && b == ours.end()) return;
    notes_.push_back("frozen text is the program's; the reply's differs" +
                     (a == theirs.end() ? "" : " from line " + std::to_string(a->line) + " of its code on"));
  }

  /// START alone or END alone, where the frozen text on the other side shows how far the block goes.
  Texts one_marker(std::string_view code, Error const& error) {
    FrozenMatch const frozen(program_.stream, program_.blocks[0].text);
    for (bool const start : {true, false}) {
      owned_ = start ? std::string(code) + "\n// EVOLVE-BLOCK-END\n"
                     : "// EVOLVE-BLOCK-START\n" + std::string(code);
      auto const found = find_evolve_blocks(owned_);
      if (!found || found->size() != 1) continue;
      Span const span = (*found)[0].text;
      std::string_view const text = std::string_view(owned_).substr(span.begin, span.size());
      auto const stream = lex(text);
      if (!stream) continue;
      TokenRange range{0, stream->tokens.size()};
      if (start ? !frozen.ends(*stream) : !frozen.begins(*stream)) continue;
      if (start) range.end -= frozen.tail_size();
      if (!start) range.begin += frozen.head_size();
      if (range.begin == range.end && has_code(0)) return no_code(0);
      auto const [begin, end] = frozen.text_of(text, *stream, range);
      notes_.push_back(
          start ? "the reply has no END marker; the frozen text after the block was recognised"
                : "the reply has no START marker; the frozen text before the block was recognised");
      return std::vector<std::string_view>{text.substr(begin, end - begin)};
    }
    return bad_markers(error);
  }

  /// Code for the one block of a program, perhaps with the frozen text around it.
  Texts without_markers(std::string_view code, TokenStream const& stream) {
    FrozenMatch const frozen(program_.stream, program_.blocks[0].text);
    std::size_t const n = stream.tokens.size();
    bool head = frozen.begins(stream);
    bool tail = frozen.ends(stream);
    bool const fits = frozen.head_size() + frozen.tail_size() <= n;
    bool const whole = head && tail && fits;
    if (!whole) {
      head = head && frozen.head_size() >= kTelling;
      tail = tail && frozen.tail_size() >= kTelling && (!head || fits);
    }
    TokenRange range{head ? frozen.head_size() : 0, tail ? n - frozen.tail_size() : n};
    // A closing brace at the end is the block's own where the rest is not balanced without it.
    long const wanted = open_brackets(frozen.tokens(), frozen.block());
    if (open_brackets(stream.tokens, range) != wanted && open_brackets(stream.tokens, {0, n}) == wanted)
      range = {0, n}, head = tail = false;
    bool const stripped = range.begin > 0 || range.end < n;
    if (stripped)
      notes_.push_back("the code has no marker lines; frozen text around the block was recognised");
    if (has_main(stream.tokens, range) && !has_main(frozen.tokens(), frozen.block()))
      return refuse(
          EditFault::kAmbiguous,
          "the reply's code has main, which is frozen, and no marker lines that say where the block is",
          advice());
    std::size_t includes = 0;
    for (; range.begin < range.end && frozen.has_include(stream.tokens[range.begin]); ++range.begin)
      ++includes;
    if (includes > 0)
      notes_.push_back(std::to_string(includes) + " #include lines that the program has left out");
    if (range.begin == range.end && has_code(0)) return no_code(0);
    auto const [begin, end] = frozen.text_of(code, stream, range);
    return std::vector<std::string_view>{code.substr(begin, end - begin)};
  }

  ParsedProgram const& program_;
  std::vector<std::string> notes_{};
  std::string owned_{};  ///< What a text may refer to that is not in the reply.
};

/// Gives texts of a reply the newlines of the blocks that they go to. A reply that mixes newlines is taken as
/// it is.
class NewlineFitter {
 public:
  /// @param code Of the reply.
  explicit NewlineFitter(std::string_view code) {
    for (std::size_t i = code.find('\n'); i != std::string_view::npos; i = code.find('\n', i + 1)) {
      ++lines_;
      returns_ += i > 0 && code[i - 1] == '\r' ? 1 : 0;
    }
  }
  [[nodiscard]] std::string fit(std::string_view text, std::string_view newline) const {
    bool const convert = newline.size() == 2 ? returns_ == 0 : returns_ == lines_ && lines_ > 0;
    std::string out;
    for (std::string_view line : split_lines(text)) {
      std::string_view const old = newline_of(line);
      out += line.substr(0, line.size() - old.size());
      out += convert || old.empty() ? newline : old;
    }
    return out;
  }

 private:
  std::size_t lines_ = 0;
  std::size_t returns_ = 0;  ///< Lines that end in `\r\n`.
};

}  // namespace cuco::impl
