// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/report/graph_view.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"
#include "cuco/report/impl/printable.hpp"
#include "cuco/transform/load_program.hpp"

namespace cuco {
namespace {

namespace fs = std::filesystem;

std::string const kRoot = CUCO_SOURCE_DIR;

std::string read_text(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Report analyze_file(std::string const& relative) {
  auto program = load_program(kRoot + "/" + relative);
  EXPECT_TRUE(program) << relative;
  auto report = Analyzer{}.analyze(FlatSource{program->code, program->map}, relative);
  EXPECT_TRUE(report) << relative;
  return report ? *report : Report{};
}

Report analyze_text(std::string const& code) {
  auto report = Analyzer{}.analyze(std::string_view(code), "t.cu");
  EXPECT_TRUE(report);
  return report ? *report : Report{};
}

std::vector<std::string> lines_of(std::string const& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::size_t widest(std::string const& picture) {
  std::size_t out = 0;
  for (std::string const& line : lines_of(picture)) out = std::max(out, impl::columns_of(line));
  return out;
}

/// What is wrong with a DOT text: quotes, braces and statements; "" when nothing is.
std::string dot_fault(std::string const& dot) {
  if (dot.rfind("digraph communication {\n", 0) != 0) return "does not begin a digraph";
  int depth = 0;
  int clusters = 0;
  std::set<std::string> declared;
  std::string bare;  // the text outside of strings
  for (std::size_t i = 0; i < dot.size(); ++i) {
    char const c = dot[i];
    if (c != '"') {
      bare += c;
      if (c == '{') ++depth;
      if (c == '}' && --depth < 0) return "a brace closes nothing";
      continue;
    }
    bare += "\"\"";
    for (++i; i < dot.size() && dot[i] != '"'; ++i) {
      if (dot[i] == '\n') return "a string goes over the end of its line";
      if (dot[i] == '\\') ++i;
    }
    if (i >= dot.size()) return "a string does not end";
  }
  if (depth != 0) return "braces do not balance";
  for (std::string const& line : lines_of(bare)) {
    std::istringstream words(line);
    std::string first, second, third;
    words >> first >> second >> third;
    if (first == "subgraph") ++clusters;
    if (second.rfind("[label", 0) == 0) declared.insert(first);
    if (second == "->") {
      if (!third.empty() && third.back() == ';') third.pop_back();
      if (declared.count(first) == 0 || declared.count(third) == 0)
        return "an edge without its ends: " + line;
    }
    char const last = line.empty() ? ';' : line.back();
    if (last != ';' && last != '{' && last != '}') return "a statement does not end: " + line;
  }
  return clusters > 0 ? "" : "no cluster";
}

/// Graphviz's own verdict; "" when it is not installed or accepts the text without a warning.
std::string graphviz_fault(std::string const& dot) {
  auto const program = find_program("dot");
  if (!program) return "";
  fs::path const file =
      fs::temp_directory_path() / ("cuco_graph_view_" + std::to_string(::getpid()) + ".dot");
  std::ofstream(file, std::ios::binary) << dot;
  Command command;
  command.argv = {*program, "-Tsvg", file.string(), "-o", "/dev/null"};
  auto const result = run_process(command);
  fs::remove(file);
  if (!result) return result.error().cause;
  return result->exit_code == 0 ? result->err
                                : "exit code " + std::to_string(result->exit_code) + result->err;
}

/// What is wrong with the tags of a page; "" when they nest.
std::string html_fault(std::string html) {
  for (std::string_view raw : {"style", "script"}) {
    std::size_t const begin = html.find("<" + std::string(raw) + ">");
    std::size_t const end = html.find("</" + std::string(raw) + ">");
    if (begin != std::string::npos) html.erase(begin, end + raw.size() + 3 - begin);
  }
  std::vector<std::string> open;
  for (std::size_t i = 0; i < html.size(); ++i) {
    if (html[i] == '>') return "a bare '>' at " + html.substr(i, 40);
    if (html[i] != '<') continue;
    std::size_t end = i + 1;
    for (bool quoted = false; end < html.size() && (quoted || html[end] != '>'); ++end)
      if (html[end] == '"') quoted = !quoted;
    std::string const tag = html.substr(i + 1, end - i - 1);
    i = end;
    std::string const name = tag.substr(0, tag.find_first_of(" \n"));
    if (name == "!DOCTYPE" || name == "meta" || tag.back() == '/') continue;
    if (name[0] != '/') {
      open.push_back(name);
    } else {
      if (open.empty() || "/" + open.back() != name) return "<" + tag + "> closes nothing";
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

void expect_valid(Report const& report) {
  EXPECT_EQ(dot_fault(to_dot(report)), "");
  EXPECT_EQ(graphviz_fault(to_dot(report)), "");
  EXPECT_EQ(html_fault(to_html(report)), "");
}

std::string const kOneAllReduce = R"(
__global__ void fill(float* p) { p[0] = 1; }
__global__ void use(const float* p, float* q) { q[0] = p[0]; }
int main() {
  float *a, *b;
  cudaMalloc(&a, 64);
  cudaMalloc(&b, 64);
  fill<<<1, 1, 0, s>>>(a);
  ncclAllReduce(a, b, 16, ncclFloat, ncclSum, comm, s);
  use<<<1, 1, 0, s>>>(b, other);
}
)";

/// The pictures of programs against tests/report/golden. CUCO_UPDATE_GOLDEN=1 writes them anew.
TEST(GraphView, Goldens) {
  for (std::string const file : {"seeds/allreduce.cu",
                                 "seeds/alltoall.cu",
                                 "seeds/allgather_gemm.cu",
                                 "tests/programs/halo_ring.cu",
                                 "tests/programs/overlap_streams.cu",
                                 "tests/programs/hierarchical_allreduce.cu",
                                 "tests/programs/moe_dispatch.cu",
                                 "tests/programs/double_buffer.cu",
                                 "tests/programs/context_struct.cu",
                                 "tests/programs/weight_broadcast.cu"}) {
    SCOPED_TRACE(file);
    Report const report = analyze_file(file);
    std::string const picture = to_picture(report);
    fs::path const golden = fs::path(kRoot) / "tests/report/golden" / fs::path(file).stem().concat(".txt");
    if (std::getenv("CUCO_UPDATE_GOLDEN") != nullptr) {
      fs::create_directories(golden.parent_path());
      std::ofstream(golden, std::ios::binary) << picture;
    }
    EXPECT_EQ(read_text(golden), picture) << golden << " differs; CUCO_UPDATE_GOLDEN=1 writes it anew";
    EXPECT_LE(widest(picture), 100U);
    expect_valid(report);
  }
}

TEST(GraphView, EveryProgramOfTheCorpusIsDrawnAndValid) {
  for (auto const& entry : fs::directory_iterator(fs::path(kRoot) / "tests/programs")) {
    if (entry.path().extension() != ".cu") continue;
    SCOPED_TRACE(entry.path().filename());
    Report const report = analyze_file("tests/programs/" + entry.path().filename().string());
    std::string const picture = to_picture(report);
    for (std::size_t i = 1; i <= report.graph.size(); ++i)
      EXPECT_NE(picture.find("[" + std::to_string(i) + "] "), std::string::npos) << i;
    EXPECT_LE(widest(picture), 100U);
    EXPECT_EQ(dot_fault(to_dot(report)), "");
    EXPECT_EQ(html_fault(to_html(report)), "");
  }
}

TEST(GraphView, WriterCollectiveAndReaderStandInTheOrderOfTheData) {
  std::string const picture = to_picture(analyze_text(kOneAllReduce));
  std::vector<std::size_t> at;
  for (char const* what :
       {"fill ", "a  cudaMalloc, line 6", "[1] AllReduce", "b  cudaMalloc, line 7", "use "}) {
    at.push_back(picture.find(what));
    EXPECT_NE(at.back(), std::string::npos) << what << "\n" << picture;
  }
  EXPECT_TRUE(std::is_sorted(at.begin(), at.end())) << picture;
}

TEST(GraphView, EdgesOfTheDotAreTheFlowOfTheData) {
  std::string const dot = to_dot(analyze_text(kOneAllReduce));
  std::map<std::string, std::string> name_of;  // first line of the label -> vertex
  for (std::string const& line : lines_of(dot)) {
    std::size_t const label = line.find(" [label=\"");
    if (label == std::string::npos || line.rfind("  v", 0) != 0) continue;
    std::size_t const begin = label + 9;
    name_of[line.substr(begin, line.find_first_of("\\\"", begin) - begin)] = line.substr(2, label - 2);
  }
  for (auto const& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"fill", "a"}, {"a", "[1] AllReduce"}, {"[1] AllReduce", "b"}, {"b", "use"}})
    EXPECT_NE(dot.find("  " + name_of[from] + " -> " + name_of[to] + ";"), std::string::npos) << from << dot;
}

TEST(GraphView, EmptyGraph) {
  for (std::string const code :
       {"int main() {}\n", "__global__ void k() {}\nvoid f() { k<<<1, 1>>>(); }\n"}) {
    Report const report = analyze_text(code);
    EXPECT_NE(to_picture(report).find("no host-driven collective"), std::string::npos);
    EXPECT_NE(to_html(report).find("No host-driven collective"), std::string::npos);
    expect_valid(report);
  }
  expect_valid(Report{});
}

TEST(GraphView, IndicesThatLeadNowhereAreLeftOut) {
  Report report;
  report.graph.emplace_back();
  report.graph[0].collective = "AllReduce";
  report.graph[0].call = 7;
  report.graph[0].group = 9;
  report.graph[0].communicator = 3;
  report.graph[0].send.expr = report.graph[0].recv.expr = "p";
  report.graph[0].send.allocation = 5;
  report.graph[0].send.alternatives = {4, 6};
  report.graph[0].send.producers = {11, -1};
  report.graph[0].recv.copies_out = {12};
  EXPECT_NE(to_picture(report).find("[1] AllReduce"), std::string::npos);
  EXPECT_EQ(html_fault(to_html(report)), "");
}

TEST(GraphView, NamesCannotSteerTerminalGraphvizOrBrowser) {
  Report report = analyze_text(kOneAllReduce);
  std::string const hostile =
      "\x1b]0;x\x07\"];}\\n</text><script>alert(1)</script>&lt;\x9b'\xff\xe2\x80\xae\n\xc3\xa9";
  report.file = report.graph[0].send.expr = report.graph[0].count = report.graph[0].comm = hostile;
  report.graph[0].confidence = 0.5;
  report.graph[0].guesses = {hostile};
  report.launches[0].kernel = report.functions.back().name = report.allocations[0].size = hostile;
  report.notes = {hostile};
  for (bool const unicode : {true, false}) {
    std::string const picture = to_picture(report, {100, false, unicode});
    for (std::string_view rest = picture; !rest.empty();) {
      auto const c = impl::decode_utf8(rest);
      ASSERT_NE(c.length, 0U) << "no UTF-8: " << rest.substr(0, 40);
      ASSERT_TRUE(c.value == '\n' || (c.value >= 32 && c.value != 127 && !impl::is_invisible(c.value)))
          << c.value;
      rest.remove_prefix(c.length);
    }
    EXPECT_NE(picture.find("\\x1b"), std::string::npos);
    EXPECT_LE(widest(picture), 100U);
    if (!unicode) {
      EXPECT_TRUE(std::all_of(
          picture.begin(), picture.end(), [](char c) { return c == '\n' || (c >= 32 && c < 127); }));
    }
  }
  std::string const html = to_html(report);
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_EQ(html.find("</text><script"), std::string::npos);
  EXPECT_EQ(html_fault(html), "");
  EXPECT_EQ(dot_fault(to_dot(report)), "");
  EXPECT_EQ(graphviz_fault(to_dot(report)), "");
}

TEST(GraphView, PrintableText) {
  using impl::printable;
  EXPECT_EQ(printable(" a \t\n b "), "a b");
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(printable("gr\xc3\xbc", true), "gr\\u{fc}");
  EXPECT_EQ(printable("\xc0\x80\xed\xa0\x80\xf5"), "\\xc0\\x80\\xed\\xa0\\x80\\xf5") << "no UTF-8";
  EXPECT_EQ(printable("\xe2\x80"), "\\xe2\\x80") << "cut off";
  EXPECT_EQ(impl::columns_of("\xe4\xb8\xad"), 2U);
  EXPECT_EQ(impl::shorten("abcdefgh", 6), "abc...");
  EXPECT_EQ(impl::shorten("abcdef", 6), "abcdef");
}

TEST(GraphView, ColourOnlyWhenAskedAndOtherwiseTheSamePicture) {
  Report const report = analyze_file("seeds/allreduce.cu");
  std::string const plain = to_picture(report);
  std::string const coloured = to_picture(report, {100, true, true});
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  std::string stripped;
  for (std::size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] == '\x1b')
      i = coloured.find('m', i);
    else
      stripped += coloured[i];
  }
  EXPECT_NE(coloured, plain);
  EXPECT_EQ(stripped, plain);
}

TEST(GraphView, FitsItsWidth) {
  for (std::string const file : {"tests/programs/double_buffer.cu", "tests/programs/moe_dispatch.cu"}) {
    Report const report = analyze_file(file);
    for (std::size_t width : {60U, 80U, 133U})
      for (bool unicode : {true, false})
        EXPECT_LE(widest(to_picture(report, {width, false, unicode})), width) << file;
  }
}

TEST(GraphView, StreamsHaveLanesAndWhatNothingOrdersIsMarked) {
  std::string code = kOneAllReduce;
  code.replace(code.find("0, s>>>(a)"), 10, "0, t>>>(a)");
  Report report = analyze_text(code);
  report.graph[0].send.unordered_launches = {0};
  std::string const picture = to_picture(report);
  EXPECT_NE(picture.find("1 t, 2 s"), std::string::npos) << picture;
  EXPECT_NE(picture.find("◆"), std::string::npos);
  EXPECT_NE(picture.find("fill (line 8, stream t) touches the buffer"), std::string::npos) << picture;
  EXPECT_NE(to_dot(report).find("not ordered"), std::string::npos);
  EXPECT_NE(to_html(report).find("edge unordered"), std::string::npos);
  EXPECT_EQ(to_picture(analyze_text(kOneAllReduce)).find("one lane each"), std::string::npos);
}

TEST(GraphView, GuessesAreShownWithTheirReason) {
  Report report = analyze_text(kOneAllReduce);
  report.graph[0].confidence = 0.7;
  report.graph[0].guesses = {"one element is taken for any"};
  EXPECT_NE(to_picture(report).find("confidence 0.70: one element is taken for any"), std::string::npos);
  EXPECT_NE(to_html(report).find("confidence 0.70: one element is taken for any"), std::string::npos);
}

TEST(GraphView, PageNeedsNothingElse) {
  std::string const html = to_html(analyze_file("tests/programs/halo_ring.cu"));
  for (char const* reference : {"src=", "url(http", "@import", "<link", "fetch("})
    EXPECT_EQ(html.find(reference), std::string::npos) << reference;
  for (char const* needed :
       {"default-src 'none'", "prefers-color-scheme: dark", "aria-label", "In words", "<title>"})
    EXPECT_NE(html.find(needed), std::string::npos) << needed;
  EXPECT_EQ(html.find("MPI_Init"), std::string::npos) << "source text";
}

std::string many_collectives(int count, bool connected) {
  std::ostringstream code;
  code << "__global__ void k(float* p);\nint main() {\n  float* p;\n  cudaMalloc(&p, 64);\n";
  for (int i = 0; i < count; ++i) {
    std::string const buffer = connected ? "p" : "p" + std::to_string(i);
    if (!connected) code << "  float* " << buffer << "; cudaMalloc(&" << buffer << ", 64);\n";
    code << "  k<<<1, 1, 0, s>>>(" << buffer << ");\n  ncclAllReduce(" << buffer << ", " << buffer
         << ", 16, ncclFloat, ncclSum, comm, s);\n";
  }
  code << "}\n";
  return code.str();
}

TEST(GraphView, FiveHundredCollectivesStayReadableAndFast) {
  for (bool const connected : {false, true}) {
    Report const report = analyze_text(many_collectives(500, connected));
    ASSERT_EQ(report.graph.size(), 500U);
    auto const start = std::chrono::steady_clock::now();
    std::string const picture = to_picture(report);
    std::string const dot = to_dot(report);
    std::string const html = to_html(report);
    std::chrono::duration<double> const taken = std::chrono::steady_clock::now() - start;
    // An unoptimised and sanitized build on a busy machine is meant: what is quadratic takes minutes there.
    EXPECT_LT(taken.count(), 20.0);
    EXPECT_LE(lines_of(picture).size(), 500U * 4 + 20) << "a few lines each";
    EXPECT_LE(widest(picture), 100U);
    EXPECT_NE(picture.find("[500] AllReduce"), std::string::npos);
    EXPECT_EQ(dot_fault(dot), "");
    EXPECT_EQ(html_fault(html), "");
    EXPECT_LT(html.size(), 8U << 20);
  }
}

}  // namespace
}  // namespace cuco
