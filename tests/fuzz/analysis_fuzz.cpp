// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Lexer, analyser, lint and flattening on any bytes. A libFuzzer target; mutation_main.cpp runs it where the
// compiler has no libFuzzer.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/analysis/flatten.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/analysis/lint.hpp"

namespace {

void require(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

bool is_index(cuco::Index i, std::size_t n) {
  return i == cuco::kNone || (i >= 0 && static_cast<std::size_t>(i) < n);
}

void check_tokens(std::string_view source) {
  auto const stream = cuco::lex(source, "fuzz");
  if (!stream) return;
  std::size_t at = 0;
  for (cuco::Token const& t : stream->tokens) {
    require(t.offset >= at && t.offset + t.text.size() <= source.size(),
            "tokens are in order and within the source");
    require(!t.text.empty(), "tokens have text");
    require(source.substr(t.offset, t.text.size()) == t.text, "tokens are what the source says");
    at = t.offset + t.text.size();
  }
}

void check_report(cuco::Report const& r, std::size_t size) {
  auto within = [&](cuco::Span s) { return s.begin <= s.end && s.end <= size; };
  for (auto const& f : r.functions)
    require(within(f.span) && within(f.body) && f.line <= f.end_line, "functions");
  for (auto const& l : r.loops)
    require(within(l.span) && within(l.body) && is_index(l.function, r.functions.size()) &&
                is_index(l.parent, r.loops.size()),
            "loops");
  for (auto const& c : r.calls) {
    require(within(c.span) && within(c.statement), "spans of calls");
    require(c.statement.begin <= c.span.begin && c.span.end <= c.statement.end,
            "statements hold their calls");
    require(is_index(c.function, r.functions.size()) && is_index(c.loop, r.loops.size()), "owners of calls");
  }
  for (auto const& a : r.allocations) require(is_index(a.call, r.calls.size()), "allocations");
  for (auto const& n : r.graph) {
    require(n.confidence > 0 && n.confidence <= 1 && (n.confidence < 1) == !n.guesses.empty(), "confidence");
    require(is_index(n.group, r.groups.size()) && (n.group != cuco::kNone) == n.in_group, "groups of nodes");
    require(is_index(n.communicator, r.communicators.size()), "communicators of nodes");
    for (auto c : n.communicators)
      require(c >= 0 && is_index(c, r.communicators.size()), "communicators of nodes");
    for (auto const* b : {&n.send, &n.recv}) {
      require(is_index(b->allocation, r.allocations.size()), "allocations of buffers");
      for (auto a : b->alternatives) require(a >= 0 && is_index(a, r.allocations.size()), "alternatives");
      for (auto const* launches : {&b->producers, &b->consumers, &b->unordered_launches})
        for (auto i : *launches) require(i >= 0 && is_index(i, r.launches.size()), "launches of buffers");
      for (auto const* calls : {&b->copies_in, &b->copies_out, &b->unordered_calls})
        for (auto i : *calls) require(i >= 0 && is_index(i, r.calls.size()), "calls of buffers");
    }
  }
  for (auto const& g : r.groups)
    require(g.start >= 0 && is_index(g.start, r.calls.size()) && is_index(g.end, r.calls.size()), "groups");
  for (auto const& c : r.communicators)
    require(is_index(c.call, r.calls.size()) && is_index(c.parent, r.communicators.size()), "communicators");
  require(nlohmann::json::accept(to_json(r)), "to_json gives JSON");
  require(!to_text(r).empty() && !to_prompt(r).empty(), "there is a text");
}

/// `// FILE name` lines begin further files, which the first may include.
void check_flattening(std::string_view source) {
  namespace fs = std::filesystem;
  constexpr std::string_view kMark = "\n// FILE ";
  if (source.find(kMark) == std::string_view::npos) return;
  static fs::path const folder = [] {
    fs::path path = fs::temp_directory_path() / ("cuco_fuzz_" + std::to_string(::getpid()));
    fs::create_directories(path);
    static fs::path kept;
    kept = path;
    std::atexit([] {
      std::error_code ignored;
      fs::remove_all(kept, ignored);
    });
    return path;
  }();
  std::string name = "main.cu";
  int files = 0;
  while (++files < 8) {
    std::size_t const next = source.find(kMark);
    std::ofstream(folder / name, std::ios::binary) << source.substr(0, next);
    if (next == std::string_view::npos) break;
    source.remove_prefix(next + kMark.size());
    std::size_t const line = std::min(source.find('\n'), source.size());
    name = "x.h";
    // Only plain names, so that nothing is written elsewhere.
    for (std::string_view known : {"a.h", "b.h", "c.h"})
      if (source.substr(0, line) == known) name = known;
    source.remove_prefix(std::min(line + 1, source.size()));
  }
  auto const flat = cuco::flatten_includes((folder / "main.cu").string());
  if (flat) {
    std::uint32_t lines = 1;
    for (char c : flat->code) lines += c == '\n' ? 1 : 0;
    for (std::uint32_t l = 1; l <= lines; ++l) require(flat->map.locate(l).line >= 1, "lines have a place");
    if (auto const report = cuco::Analyzer{}.analyze(*flat, "main.cu"))
      check_report(*report, flat->code.size());
  }
  std::error_code ignored;
  for (char const* file : {"a.h", "b.h", "c.h", "x.h"}) fs::remove(folder / file, ignored);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const source(reinterpret_cast<char const*>(data), size);
  check_tokens(source);
  (void)cuco::lint(source);
  auto const report = cuco::Analyzer{}.analyze(source);
  if (report) {
    check_report(*report, source.size());
  } else {
    require(report.error().code == cuco::ErrorCode::kParse && !report.error().cause.empty(),
            "errors say why");
  }
  check_flattening(source);
  return 0;
}
