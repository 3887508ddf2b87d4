// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command.hpp"
#include "cuco/analysis/analyzer.hpp"
#include "cuco/transform/load_program.hpp"

namespace cuco::tool {
namespace {

struct Options {
  Common common;
  std::string file;
  bool prompt = false;
};

int analyze(Options const& options) {
  auto program = load_program(options.file);
  if (!program) return report_error(program.error(), options.common.json);
  auto report = Analyzer{}.analyze(program->code, options.file);
  if (!report) return report_error(report.error(), options.common.json);
  if (options.common.json) {
    fmt::print("{}\n", to_json(*report));
  } else {
    fmt::print("{}", options.prompt ? to_prompt(*report) : to_text(*report));
  }
  return kOk;
}

}  // namespace

void add_analyze(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("analyze", "Say how a CUDA program communicates");
  command->add_option("file", options->file, "CUDA source file")->required();
  command->add_flag("--prompt", options->prompt, "Print the text that a language model would be given");
  add_common(*command, options->common);
  command->callback([options, &status] { status = analyze(*options); });
}

}  // namespace cuco::tool
