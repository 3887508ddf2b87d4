// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/calls.hpp"

namespace cuco::impl {

inline void CallReader::launch(Code const& code, int mark, int position, std::string const& macro) {
  constexpr int kLongest = 2000;
  int close = mark + 1;
  while (close < std::min(code.size(), mark + kLongest) && !code.is(close, ">>>") && !code.is(close, ";") &&
         !code.is(close, "<<<"))
    close = code.next(close);
  if (!code.is(close, ">>>") || !code.is(close + 1, "(")) return;
  int const begin = kernel_begin(code, mark);
  if (begin < 0) return;
  std::vector<Range> const config = code.split({mark + 1, close});
  Launch l;
  bool const bracketed = code.is(begin, "(") && code.is_word(begin + 1);
  l.kernel = code.squeezed(bracketed ? Range{begin + 1, mark - 1} : Range{begin, mark});
  bool const direct = &code == &code_;
  auto text = [&](Range r) { return direct ? code.text(r) : code.squeezed(r); };
  if (!config.empty()) l.grid = text(config[0]);
  if (config.size() > 1) l.block = text(config[1]);
  if (config.size() > 2) l.shared = text(config[2]);
  if (config.size() > 3) l.stream = text(config[3]);
  int const end = code.partner(close + 1) + 1;
  CallTokens tokens{&code, code.split(code.inside(close + 1)), direct ? begin : position, {}, &code};
  if (config.size() > 3) tokens.stream = config[3];
  for (Range a : tokens.args) l.args.push_back({text(a), direct ? code.span(a) : Span{}});
  Range extent{begin, end};
  if (!direct)
    extent = {position, code_.is(position + 1, "(") ? code_.partner(position + 1) + 1 : position + 1};
  if (!direct)
    report_.notes.push_back("line " + std::to_string(code_.at(position).line) + ": the launch of " +
                            l.kernel + " comes from the expansion of " + macro);
  if (direct) enclosing_.push_back(end);
  finish(std::move(l), std::move(tokens), extent);
}

inline int CallReader::kernel_begin(Code const& code, int mark) {
  int i = mark - 1;
  if (code.is(i, ">")) {
    int depth = 0;
    int const floor = std::max(0, mark - 400);
    for (; i >= floor; --i) {
      if (code.is(i, ")") || code.is(i, "]") || code.is(i, "}")) {
        i = code.partner(i);
      } else if (code.is(i, ";")) {
        return -1;
      } else {
        depth += code.is(i, ">") ? 1 : code.is(i, "<") ? -1 : 0;
      }
      if (depth == 0) break;
    }
    if (depth != 0) return -1;
    --i;
  } else if (code.is(i, ")")) {
    return code.partner(i);  // (*function)<<<…>>>
  }
  if (!code.is_word(i)) return -1;
  while (i >= 2 && (code.is(i - 1, "::") || code.is(i - 1, ".") || code.is(i - 1, "->")) &&
         code.is_word(i - 2))
    i -= 2;
  return i > 0 && code.is(i - 1, "::") ? i - 1 : i;
}

inline void CallReader::finish(Launch l, CallTokens tokens, Range extent) {
  int const p = tokens.position;
  l.line = code_.at(p).line;
  l.span = code_.span(extent);
  l.statement = statement_span(extent);
  l.function = function_of(p);
  l.loop = structure_.loop_of[static_cast<std::size_t>(p)];
  report_.launches.push_back(std::move(l));
  out_.launches.push_back(std::move(tokens));
}

inline void CallReader::launch_call(Index index) {
  Call const& call = report_.calls[static_cast<std::size_t>(index)];
  CallTokens const& tokens = out_.calls[static_cast<std::size_t>(index)];
  Code const& code = *tokens.code;
  Launch l;
  CallTokens arguments{&code, {}, tokens.position, {}, &code};
  if ((call.name == "cudaLaunchKernel" || call.name == "cudaLaunchCooperativeKernel") &&
      call.args.size() >= 4) {
    l.kernel = stored_to(code, tokens.args[0]);
    l.grid = call.args[1].text;
    l.block = call.args[2].text;
    if (call.args.size() > 4) l.shared = call.args[4].text;
    if (call.args.size() > 5) {
      l.stream = call.args[5].text;
      arguments.stream = tokens.args[5];
    }
    l.cooperative = call.name == "cudaLaunchCooperativeKernel";
    if (!argument_array(code, tokens.args[3], call.function, arguments))
      report_.notes.push_back("line " + std::to_string(call.line) + ": the arguments of " + l.kernel +
                              " are passed in " + call.args[3].text + ", which is not followed");
  } else if (call.name.starts_with("cudaLaunchKernelEx") && call.args.size() >= 2) {
    l.kernel = stored_to(code, tokens.args[1]);
    configuration(code, tokens.args[0], call, l, arguments);
    if (call.name == "cudaLaunchKernelExC") {
      if (call.args.size() > 2) argument_array(code, tokens.args[2], call.function, arguments);
    } else {
      arguments.args.assign(tokens.args.begin() + 2, tokens.args.end());
    }
  } else {
    return;
  }
  for (Range a : arguments.args)
    l.args.push_back({arguments.code->text(a), arguments.code == &code_ ? code_.span(a) : Span{}});
  l.span = call.span;
  Range extent{tokens.position, tokens.position + 1};
  int const open = call_open(code_, tokens.position);
  if (open > 0) extent.end = code_.partner(open) + 1;
  finish(std::move(l), std::move(arguments), extent);
}

inline bool CallReader::argument_array(Code const& code, Range r, Index function, CallTokens& out) {
  Range values{};
  Code const* where = &code;
  std::string const name = stored_to(code, r);
  for (int i = r.begin; i < r.end; ++i)
    if (code.is(i, "{")) values = code.inside(i);
  if (values.empty() && function != kNone) {
    where = &code_;
    FunctionTokens const& f = structure_.function_tokens[static_cast<std::size_t>(function)];
    int const stop = std::min(out.position, f.body.end);
    int const start = std::max(f.body.begin, stop - kLookBack);
    for (int i = stop - 1; i >= start; --i) {
      if (!code_.is(i, name) || !code_.is(i + 1, "[")) continue;
      int j = code_.next(i + 1);
      if (code_.is(j, "=")) ++j;
      if (!code_.is(j, "{")) continue;
      values = code_.inside(j);
      break;
    }
  }
  if (values.empty()) return r.size() == 1 && (code.is(r.begin, "nullptr") || code.is(r.begin, "NULL"));
  out.code = where;
  for (Range a : where->split(values)) {
    if (where->is(a.begin, "(") && where->partner(a.begin) < a.end - 1) a.begin = where->partner(a.begin) + 1;
    if (where->is(a.begin, "&")) ++a.begin;
    out.args.push_back(a);
  }
  return true;
}

inline void CallReader::configuration(
    Code const& code, Range r, Call const& call, Launch& l, CallTokens& out) {
  std::string const name = stored_to(code, r);
  if (call.function == kNone) return;
  FunctionTokens const& f = structure_.function_tokens[static_cast<std::size_t>(call.function)];
  int const stop = std::min(f.body.end, out_.calls.back().position);
  for (int i = std::max(f.body.begin, stop - kLookBack); i < stop; ++i) {
    if (code_.is(i, "cudaLaunchAttributeCooperative")) l.cooperative = true;
    bool const field = code_.is(i, name) && code_.is(i + 1, ".") && code_.is(i + 3, "=");
    bool const designated = code_.is(i - 1, ".") && code_.is(i + 1, "=") && !code_.is_word(i - 2);
    if (!field && !designated) {
      if (code_.is(i, name) && code_.is(i - 1, "cudaLaunchConfig_t")) positional(i + 1, l, out);
      continue;
    }
    int const key = field ? i + 2 : i;
    int const begin = key + 2;
    int end = begin;
    while (end < stop && !code_.is(end, ";") && !code_.is(end, ",") && !code_.is(end, "}"))
      end = code_.next(end);
    std::string const value = code_.text({begin, end});
    if (code_.is(key, "gridDim")) l.grid = value;
    if (code_.is(key, "blockDim")) l.block = value;
    if (code_.is(key, "dynamicSmemBytes")) l.shared = value;
    if (code_.is(key, "stream")) {
      l.stream = value;
      out.stream = {begin, end};
      out.stream_code = &code_;
    }
  }
}

inline void CallReader::positional(int i, Launch& l, CallTokens& out) {
  if (code_.is(i, "=")) ++i;
  if (!code_.is(i, "{")) return;
  auto const values = code_.split(code_.inside(i));
  if (values.size() < 2 || code_.is(values[0].begin, ".")) return;
  l.grid = code_.text(values[0]);
  l.block = code_.text(values[1]);
  if (values.size() > 2) l.shared = code_.text(values[2]);
  if (values.size() > 3) {
    l.stream = code_.text(values[3]);
    out.stream = values[3];
    out.stream_code = &code_;
  }
}

}  // namespace cuco::impl
