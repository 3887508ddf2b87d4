// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "cuco/llm/model_prices.hpp"
#include "cuco/llm/provider_table.hpp"

namespace cuco::tool {
namespace {

struct Options {
  Common common;
  std::vector<std::string> names;
  std::string key_file;
  std::string ca_file;
  std::string prices;
  bool check = false;
};

std::string joined(std::vector<std::string> const& words) {
  std::string out;
  for (auto const& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

nlohmann::json price_json(std::optional<ModelPrice> const& price) {
  if (!price) return nullptr;
  nlohmann::json out = {{"input_usd_per_million", price->rates.input},
                        {"output_usd_per_million", price->rates.output},
                        {"file", price->file}};
  if (price->rates.cache_read) out["cache_read_usd_per_million"] = *price->rates.cache_read;
  if (price->rates.cache_write) out["cache_write_usd_per_million"] = *price->rates.cache_write;
  return out;
}

std::string price_text(std::optional<ModelPrice> const& price) {
  if (!price) return "unknown; name a file of prices with --prices";
  return fmt::format("{:g} USD in, {:g} USD out per million tokens", price->rates.input, price->rates.output);
}

int models(Options const& options) {
  bool const json = options.common.json;
  BackendOptions where;
  where.key_file = options.key_file;
  where.ca_file = options.ca_file;
  auto const prices = ModelPrices::load(options.prices);
  if (!prices) return report_error(prices.error(), json);

  nlohmann::json out = {{"providers", nlohmann::json::array()},
                        {"prices_of", prices->date()},
                        {"models", nlohmann::json::array()}};
  if (!json) fmt::print("{:<14} {:<12} {:<44} {}\n", "provider", "state", "address", "keys");
  for (auto const& row : provider_table(where)) {
    std::string state = row.configured ? "configured" : "-";
    std::string told = row.missing;
    if (options.check && row.configured) {
      auto const answer = reachable(row.name, where);
      state = answer ? "reachable" : "FAILS";
      if (!answer) told = to_line(answer.error());
    }
    if (json) {
      out["providers"].push_back({{"name", row.name},
                                  {"configured", row.configured},
                                  {"state", row.configured ? state : "not configured"},
                                  {"base_url", row.base_url},
                                  {"keys", row.keys},
                                  {"note", told}});
    } else {
      fmt::print("{:<14} {:<12} {:<44} {}\n", row.name, state, row.base_url, joined(row.keys));
      if (!told.empty()) fmt::print("{:<14} {}\n", "", told);
    }
  }
  if (!json && !options.names.empty()) fmt::print("\nprices of {}\n", prices->date());
  for (auto const& name : options.names) {
    auto const price = prices->find(name);
    if (json)
      out["models"].push_back({{"model", name}, {"price", price_json(price)}});
    else
      fmt::print("{:<40} {}\n", name, price_text(price));
  }
  if (json) fmt::print("{}\n", out.dump(2));
  return kOk;
}

}  // namespace

void add_models(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("models", "Providers of language models: what is configured, reachable, priced");
  command->add_option("model", options->names, "Models, provider:model, whose prices are wanted");
  command->add_flag(
      "--check", options->check, "Ask each configured provider whether it answers (5 seconds each)");
  command->add_option(
      "--key-file", options->key_file, "File of NAME=value lines with keys, read before the environment");
  command->add_option(
      "--ca-file", options->ca_file, "PEM file with the authorities to trust, in place of the system's");
  command->add_option(
      "--prices", options->prices, "TOML file with prices of models, besides those that are known");
  add_common(*command, options->common);
  command->callback([options, &status] { status = models(*options); });
}

}  // namespace cuco::tool
