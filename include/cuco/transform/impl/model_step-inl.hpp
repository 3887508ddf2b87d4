// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/edit/reply_text.hpp"
#include "cuco/transform/impl/frozen_words.hpp"
#include "cuco/transform/impl/marker_scope.hpp"
#include "cuco/transform/impl/model_step.hpp"
#include "cuco/transform/impl/timed_region.hpp"
#include "cuco/transform/impl/transform_files.hpp"
#include "cuco/transform/markers.hpp"

namespace cuco::impl::transforming {

CUCO_EVOLVE_INLINE tl::unexpected<std::string> no(std::string why) {
  return tl::unexpected<std::string>(std::move(why));
}

/// A line of a text, without its newline and the blanks before it.
struct TextLine {
  std::string_view text;
  std::uint32_t begin;  ///< Offset of its first byte.
};

CUCO_EVOLVE_INLINE std::vector<TextLine> lines_of(std::string_view text) {
  std::vector<TextLine> out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t const end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
      line.remove_suffix(1);
    out.push_back({line, static_cast<std::uint32_t>(at)});
    at = end + 1;
  }
  return out;
}

/// Without empty lines at its ends: extracting code from a reply does not keep them.
CUCO_EVOLVE_INLINE std::vector<TextLine> core_lines_of(std::string_view text) {
  auto out = lines_of(text);
  while (!out.empty() && out.back().text.empty()) out.pop_back();
  auto const first = std::find_if(out.begin(), out.end(), [](TextLine const& l) { return !l.text.empty(); });
  out.erase(out.begin(), first);
  return out;
}

CUCO_EVOLVE_INLINE bool is_marker_line(std::string_view line) {
  std::string_view const bare = trim(line);
  return bare == "// EVOLVE-BLOCK-START" || bare == "// EVOLVE-BLOCK-END";
}

/// "\r\n" in a text that uses it.
CUCO_EVOLVE_INLINE std::string newline_of(std::string_view text) {
  return text.find("\r\n") != std::string_view::npos ? "\r\n" : "\n";
}

CUCO_EVOLVE_INLINE Accepted code_of(ChatReply const& reply) {
  if (reply.finish == FinishReason::kLength) return no("the reply was cut off");
  if (reply.finish != FinishReason::kEnd) return no("the reply was withheld, or asks for a tool");
  auto code = extract_code(reply.text);
  if (!code) return no("there is no program in the reply: " + code.error().cause);
  return std::move(*code);
}

/// Whether some block holds a kernel, a launch or a call that communicates.
CUCO_EVOLVE_INLINE bool some_block_works(SourceModel const& m, std::vector<EvolveBlock> const& blocks) {
  Work const work(m);
  return std::any_of(blocks.begin(), blocks.end(), [&](EvolveBlock const& b) {
    if (work.works(m.tokens_in(b.text))) return true;
    return std::any_of(m.report.functions.begin(), m.report.functions.end(), [&](Function const& f) {
      return f.is_kernel && b.text.begin <= f.span.begin && f.span.end <= b.text.end;
    });
  });
}

CUCO_EVOLVE_INLINE Accepted with_markers_of(std::string_view code,
                                            std::string_view reply,
                                            std::string const& file) {
  auto const mine = core_lines_of(code);
  auto const theirs = core_lines_of(reply);
  std::string const newline = newline_of(code);
  SourceEdits edits;
  std::size_t at = 0;
  for (TextLine const& line : theirs) {
    if (at < mine.size() && line.text == mine[at].text) {
      ++at;
      continue;
    }
    if (!is_marker_line(line.text))
      return no(
          "the reply changes line " +
          std::to_string(1 + std::count(code.begin(),
                                        code.begin() + (at < mine.size() ? mine[at].begin : code.size()),
                                        '\n')));
    // After the last line there may be no newline yet.
    bool const end = at == mine.size();
    bool const open_end = end && !code.empty() && code.back() != '\n';
    std::uint32_t const where = end ? static_cast<std::uint32_t>(code.size()) : mine[at].begin;
    edits.insert(where, (open_end ? newline : "") + std::string(line.text) + (open_end ? "" : newline));
  }
  if (at != mine.size()) return no("the reply leaves out the end of the program");
  if (edits.empty()) return no("the reply has no markers");
  auto marked = edits.apply(code);
  if (!marked) return no(to_line(marked.error()));
  if (!same_tokens(std::string(code), *marked)) return no("a marker is inside a literal or a macro");
  auto blocks = find_evolve_blocks(*marked, file);
  if (!blocks) return no(to_line(blocks.error()));
  auto model = SourceModel::make(*marked, file);
  if (!model) return no(to_line(model.error()));
  if (!some_block_works(**model, *blocks))
    return no("no block holds any of the communication or computation");
  if (auto ok = check_evolve_markers(*marked, file); !ok) return no(to_line(ok.error()));
  if (auto why = MarkerScope(**model).problem(*blocks); !why.empty()) return no(std::move(why));
  return std::move(*marked);
}

/// Names that `code` declares.
CUCO_EVOLVE_INLINE std::set<std::string_view> declared_in(Code const& code) {
  std::set<std::string_view> out;
  for (int i = 1; i < code.size(); ++i) {
    if (!code.is_word(i)) continue;
    bool const typed = (code.is_word(i - 1) && !is_control_word(code.text(i - 1))) || code.is(i - 1, "*") ||
                       code.is(i - 1, ">") || code.is(i - 1, "&");
    bool const opens =
        code.is(i + 1, "=") || code.is(i + 1, ";") || code.is(i + 1, "{") || code.is(i + 1, ":");
    if (typed && opens) out.insert(code.text(i));
  }
  return out;
}

/// Why `text`, which is to be added to frozen text, may not be; empty when it may.
CUCO_EVOLVE_INLINE std::string refused_in_warmup(std::string_view text) {
  auto stream = lex(text, "warm-up");
  if (!stream) return to_line(stream.error());
  bool first_branch_only = false;
  auto code = make_code(text, *stream, "warm-up", first_branch_only);
  if (!code) return to_line(code.error());
  if (!code->directives.empty()) return "a preprocessor line is added";
  if (!find_evolve_blocks(text) || !find_evolve_blocks(text)->empty()) return "a marker is added";
  auto const declared = declared_in(*code);
  auto assigns = [&](int i) {
    for (std::string_view op :
         {"=", "+=", "-=", "*=", "/=", "|=", "&=", "^=", "%=", "<<=", ">>=", "++", "--"})
      if (code->is(i, op)) return true;
    return false;
  };
  for (int i = 0; i < code->size(); ++i) {
    if (code->at(i).kind == TokenKind::kString) return "text is added";
    if (!code->is_word(i)) continue;
    std::string_view const t = code->text(i);
    for (std::string_view word : {"return",
                                  "goto",
                                  "throw",
                                  "asm",
                                  "static",
                                  "new",
                                  "delete",
                                  "malloc",
                                  "free",
                                  "system",
                                  "cudaFree",
                                  "cudaMemcpyDeviceToHost",
                                  "cudaDeviceReset"})
      if (t == word) return std::string(word) + " is added";
    // MPI_COMM_WORLD, and check macros like MPI_CHECK.
    bool const allowed = t == "MPI_Barrier" || (t.starts_with("MPI_") && is_all_caps(t));
    if (auto why = frozen_reason(*code, i); !why.empty() && !allowed)
      return why + " is added: " + std::string(t);
    int const after = code->is(i + 1, "[") ? code->next(i + 1) : i + 1;
    bool const stepped = code->is(i - 1, "++") || code->is(i - 1, "--");
    if ((assigns(after) || stepped) && declared.count(t) == 0)
      return "something of the program is assigned to: " + std::string(t);
  }
  return {};
}

CUCO_EVOLVE_INLINE Accepted with_warmup_of(std::string_view code,
                                           std::string_view reply,
                                           std::string const& file) {
  auto const mine = core_lines_of(code);
  auto const theirs = core_lines_of(reply);
  std::size_t head = 0;
  while (head < mine.size() && head < theirs.size() && mine[head].text == theirs[head].text) ++head;
  std::size_t tail = 0;
  while (tail < mine.size() - head && tail + head < theirs.size() &&
         mine[mine.size() - 1 - tail].text == theirs[theirs.size() - 1 - tail].text)
    ++tail;
  if (head + tail < mine.size()) return no("the reply changes lines, or adds them at several places");
  if (head == mine.size() || head + tail == theirs.size())
    return no("the reply adds no lines before the end");

  std::string const newline = newline_of(code);
  std::string added;
  for (std::size_t i = head; i < theirs.size() - tail; ++i) added += std::string(theirs[i].text) + newline;
  if (auto why = refused_in_warmup(added); !why.empty()) return no(why);
  std::uint32_t const where = mine[head].begin;
  auto blocks = find_evolve_blocks(code, file);
  if (!blocks) return no(to_line(blocks.error()));
  for (EvolveBlock const& b : *blocks)
    if (b.text.begin <= where && where <= b.text.end) return no("the lines are inside an EVOLVE block");

  auto old = SourceModel::make(code, file);
  if (!old) return no(to_line(old.error()));
  Work const old_work(**old);
  bool before = false;
  for (TimedRegion const& r : TimedRegions(**old, old_work).find()) {
    Index const loop = (*old)->outermost_loop(r.start);
    std::uint32_t limit = (*old)->code.at(r.start).offset;
    if (loop != kNone)
      limit = std::min(limit, (*old)->report.loops[static_cast<std::size_t>(loop)].span.begin);
    Span const body = (*old)->function(r.function).body;
    before = before || (r.by_timer && body.begin < where && where <= limit);
  }
  if (!before) return no("the lines are not before the timed region, in its function");

  std::string warm(code.substr(0, where));
  warm += added;
  warm += code.substr(where);
  auto model = SourceModel::make(warm, file);
  if (!model) return no(to_line(model.error()));
  auto const end = static_cast<std::uint32_t>(where + added.size());
  Work const work(**model);
  if (!work.works((*model)->tokens_in({where, end}))) return no("the lines do none of the timed work");
  return warm;
}

}  // namespace cuco::impl::transforming
