// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command.hpp"
#include "cuco/report/run_report.hpp"

namespace cuco::tool {
namespace {

struct Options {
  Common common;
  std::string directory;
  std::size_t top = 10;
};

int show(Options const& options) {
  ReportOptions report_options;
  report_options.directory = options.directory;
  report_options.top = options.top;
  auto report = load_report(options.directory, report_options);
  if (!report) return report_error(report.error(), options.common.json);
  fmt::print("{}", options.common.json ? to_json(*report) + "\n" : to_text(*report));
  return kOk;
}

}  // namespace

void add_show(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("show", "Show the best program of a run, its lineage and its gain");
  command->add_option("dir", options->directory, "Run directory")->required();
  command->add_option("--top", options->top, "Rows of the table of the best")->capture_default_str();
  add_common(*command, options->common);
  command->callback([options, &status] { status = show(*options); });
}

}  // namespace cuco::tool
