// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command.hpp"
#include "cuco/analysis/analyzer.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/progress.hpp"
#include "cuco/report/graph_view.hpp"
#include "cuco/transform/load_program.hpp"

namespace cuco::tool {
namespace {

struct Options {
  Common common;
  std::string file;
  std::string graph;  // "", text, dot, html
  std::string out;
  bool prompt = false;
};

/// The locale's characters, as C libraries find them: the first of the variables that is set decides.
bool locale_is_utf8() {
  for (char const* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    char const* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string const text(value);
    for (std::string_view form : {"UTF-8", "utf-8", "UTF8", "utf8"})
      if (text.find(form) != std::string::npos) return true;
    return false;
  }
  return false;
}

PictureOptions picture_options(Options const& options) {
  PictureOptions picture;
  picture.unicode = locale_is_utf8();
  if (options.out.empty() && ::isatty(STDOUT_FILENO) != 0) {
    TerminalStyle const terminal = detect_terminal(STDOUT_FILENO);
    picture.width = static_cast<std::size_t>(terminal.columns);
    picture.colour = terminal.colour;
  }
  return picture;
}

std::string output_of(Options const& options, Report const& report) {
  if (options.common.json) return to_json(report) + "\n";
  if (options.prompt) return to_prompt(report);
  if (options.graph == "dot") return to_dot(report);
  if (options.graph == "html") return to_html(report);
  std::string const picture = to_picture(report, picture_options(options));
  return options.graph == "text" ? picture : picture + "\n" + to_text(report);
}

int analyze(Options const& options) {
  auto program = load_program(options.file);
  if (!program) return report_error(program.error(), options.common.json);
  auto report = Analyzer{}.analyze(FlatSource{program->code, program->map}, options.file);
  if (!report) return report_error(report.error(), options.common.json);
  std::string const output = output_of(options, *report);
  if (options.out.empty()) {
    fmt::print("{}", output);
  } else if (auto written = write_file_atomic(options.out, output); !written) {
    return report_error(written.error(), options.common.json);
  }
  return kOk;
}

}  // namespace

void add_analyze(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("analyze", "Say how a CUDA program communicates");
  command->add_option("file", options->file, "CUDA source file")->required();
  auto* prompt =
      command->add_flag("--prompt", options->prompt, "Print the text that a language model would be given");
  auto* graph =
      command
          ->add_option(
              "--graph", options->graph, "Only the picture: for the terminal, for Graphviz, or a page")
          ->check(CLI::IsMember({"text", "dot", "html"}))
          ->excludes(prompt);
  command->add_option("--out", options->out, "File to write to instead of standard output");
  add_common(*command, options->common);
  graph->excludes(command->get_option("--json"));
  command->callback([options, &status] { status = analyze(*options); });
}

}  // namespace cuco::tool
