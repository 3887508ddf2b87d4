// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"

int main(int argc, char** argv) {
  namespace tool = cuco::tool;
  CLI::App app{"cuco: from host-driven NCCL programs to verified, evolved device-initiated ones"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "cuco 0.1.0");
  app.footer(
      "Exit codes: 0 ok, 1 not verified, 2 usage, 3 bad input, 4 refused (by the rules, or by a model's "
      "provider),\n"
      "5 tool missing, 6 input/output, 7 directory in use, 70 internal, 130 interrupted. `cuco COMMAND "
      "--help` for options.");

  int status = tool::kOk;
  tool::add_doctor(app, status);
  tool::add_analyze(app, status);
  tool::add_check(app, status);
  tool::add_transform(app, status);
  tool::add_evolve(app, status);
  tool::add_run(app, status);
  tool::add_show(app, status);
  tool::add_models(app, status);

  try {
    app.parse(argc, argv);
  } catch (CLI::Success const& success) {  // --help, --version
    return app.exit(success);
  } catch (CLI::ParseError const& error) {
    // One line, as for every other kind of bad input; CLI11's own report spans several.
    std::string what = error.what();
    std::string_view const first = argc > 1 ? argv[1] : "";
    if (!first.empty() && app.get_subcommands().empty())
      what = fmt::format("there is no {} '{}'", first.front() == '-' ? "option" : "command", first);
    for (char& c : what)
      if (c == '\n') c = ' ';
    bool json = false;
    for (int i = 1; i < argc; ++i) json = json || std::string_view(argv[i]) == "--json";
    if (json) {
      nlohmann::json const out = {{"error", {{"code", "usage"}, {"cause", what}}},
                                  {"exit_code", tool::kUsage}};
      fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
      fmt::print(stderr, "cuco: {}; see cuco --help\n", what);
    }
    return tool::kUsage;
  }
  return status;
}
