// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/analysis/impl/calls.hpp"
#include "cuco/analysis/impl/code.hpp"
#include "cuco/analysis/impl/macros.hpp"
#include "cuco/analysis/impl/places.hpp"
#include "cuco/analysis/impl/structure.hpp"
#include "cuco/analysis/lexer.hpp"

namespace cuco::impl {

/// One source with everything the analysis knows about it, at the level of tokens. Stays where it was made:
/// its parts refer to each other.
class SourceModel {
 public:
  static Result<std::unique_ptr<SourceModel>> make(std::string_view source, std::string const& file) {
    auto report = Analyzer{}.analyze(source, file);
    if (!report) return forward_error(std::move(report));
    auto model = std::unique_ptr<SourceModel>(new SourceModel(std::string(source), std::move(*report)));
    auto stream = lex(model->source, file);
    if (!stream) return forward_error(std::move(stream));
    model->stream = std::move(*stream);
    bool first_branch_only = false;
    auto code = make_code(model->source, model->stream, file, first_branch_only);
    if (!code) return forward_error(std::move(code));
    model->code = std::move(*code);
    model->macros_ = std::make_unique<Macros>(model->report.macros);
    model->structure =
        StructureReader(
            model->code, model->macros_->containing("__global__"), model->macros_->containing("for", "while"))
            .run();
    // The tables of calls lie beside those of a report, so they are made together with one.
    model->tables_.macros = model->report.macros;
    model->calls = CallReader(model->code, model->structure, *model->macros_, model->tables_).run();
    model->places = std::make_unique<Places>(model->code, model->structure, model->calls, model->tables_);
    return model;
  }

  SourceModel(SourceModel const&) = delete;
  SourceModel& operator=(SourceModel const&) = delete;

  std::string source;
  Report report;
  TokenStream stream;
  Code code;
  Structure structure;
  CallTable calls;
  std::unique_ptr<Places> places;

  /// Index of the token that begins at `offset` or first after it.
  [[nodiscard]] int token_at(std::uint32_t offset) const {
    auto const at =
        std::lower_bound(code.tokens.begin(), code.tokens.end(), offset, [](Token const& t, std::uint32_t o) {
          return t.offset < o;
        });
    return static_cast<int>(at - code.tokens.begin());
  }
  /// The tokens within `span`.
  [[nodiscard]] Range tokens_in(Span span) const { return {token_at(span.begin), token_at(span.end)}; }
  [[nodiscard]] Index function_of(int token) const {
    return token < code.size() ? structure.function_of[static_cast<std::size_t>(token)] : kNone;
  }
  [[nodiscard]] Function const& function(Index f) const {
    return report.functions[static_cast<std::size_t>(f)];
  }
  [[nodiscard]] Call const& call(Index c) const { return report.calls[static_cast<std::size_t>(c)]; }
  [[nodiscard]] CallTokens const& call_tokens(Index c) const {
    return calls.calls[static_cast<std::size_t>(c)];
  }
  [[nodiscard]] std::vector<CallSite> const& sites_of(Index f) const {
    return calls.sites[static_cast<std::size_t>(f)];
  }

  /// True when the word at `i` is a use of a variable or function of that name, not a member of something.
  [[nodiscard]] bool is_free_word(int i) const {
    return code.is_word(i) && !code.is(i - 1, ".") && !code.is(i - 1, "->");
  }

  /// The outermost loop around token `i` in its function, or `kNone`.
  [[nodiscard]] Index outermost_loop(int i) const {
    Index loop = i < code.size() ? structure.loop_of[static_cast<std::size_t>(i)] : kNone;
    while (loop != kNone && report.loops[static_cast<std::size_t>(loop)].parent != kNone)
      loop = report.loops[static_cast<std::size_t>(loop)].parent;
    return loop;
  }

  /// True when a statement may be put before token `i`: `i` begins a statement that lies directly in a block.
  [[nodiscard]] bool begins_block_statement(int i) const {
    int const open = code.enclosing(i);
    if (i >= code.size() || !code.is(open, "{")) return false;
    return code.is(i - 1, ";") || code.is(i - 1, "}") || i - 1 == open;
  }

 private:
  SourceModel(std::string text, Report r) : source(std::move(text)), report(std::move(r)) {}
  std::unique_ptr<Macros> macros_{};
  Report tables_{};
};

}  // namespace cuco::impl
