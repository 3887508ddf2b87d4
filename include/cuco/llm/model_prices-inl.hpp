// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/llm/model_prices.hpp"

namespace cuco {

namespace impl {

CUCO_EVOLVE_INLINE std::string shipped_prices(std::string const& headers, std::string const& program) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (auto const& file : {fs::path(headers) / "prices.toml",
                           fs::path(program).parent_path().parent_path() / "include/cuco/llm/prices.toml"})
    if (fs::exists(file, ignored)) return file.string();
  return {};
}

/// The file that travels with the headers; empty, and told once, when it is gone.
CUCO_EVOLVE_INLINE std::string default_prices_file() {
  std::error_code ignored;
  auto found = shipped_prices(std::filesystem::path(__FILE__).parent_path().string(),
                              std::filesystem::read_symlink("/proc/self/exe", ignored).string());
  static std::atomic<bool> told{false};
  if (found.empty() && !told.exchange(true))
    log_warning(
        "the file of model prices, include/cuco/llm/prices.toml, is gone: no price is known; name one "
        "in CUCO_PRICES");
  return found;
}

/// Whether `text` matches `pattern`, in which `*` stands for any text, also none.
CUCO_EVOLVE_INLINE bool matches_name(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

CUCO_EVOLVE_INLINE std::optional<double> dearer(std::optional<double> a,
                                                double a_input,
                                                std::optional<double> b,
                                                double b_input) {
  return std::max(a.value_or(a_input), b.value_or(b_input));
}

CUCO_EVOLVE_INLINE TokenRates dearer(TokenRates const& a, TokenRates const& b) {
  return {std::max(a.input, b.input),
          std::max(a.output, b.output),
          dearer(a.cache_read, a.input, b.cache_read, b.input),
          dearer(a.cache_write, a.input, b.cache_write, b.input)};
}

/// Reads one `[[model]]` or its `long` table.
class RatesReader {
 public:
  explicit RatesReader(std::string const& file) : file_(file) {}
  [[nodiscard]] tl::unexpected<Error> problem(toml::node const& node,
                                              std::string cause,
                                              std::string remedy = {}) const {
    return fail_at(ErrorCode::kParse, file_, node.source().begin.line, std::move(cause), std::move(remedy));
  }
  [[nodiscard]] Result<double> price(toml::node const& node, std::string_view key) const {
    double const value = node.is_number() ? node.value<double>().value_or(-1) : -1;
    if (!std::isfinite(value) || value < 0 || value > 1e6)
      return problem(
          node, fmt::format("'{}' is not a price", key), "give USD per million tokens, a number >= 0");
    return value;
  }
  /// True when `key` is one of the rates.
  [[nodiscard]] Result<bool> rate(TokenRates& rates, std::string_view key, toml::node const& node) const {
    constexpr std::array<std::string_view, 4> keys{"input", "output", "cache_read", "cache_write"};
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) return false;
    auto const value = price(node, key);
    if (!value) return tl::unexpected<Error>(value.error());
    if (key == "input") rates.input = *value;
    if (key == "output") rates.output = *value;
    if (key == "cache_read") rates.cache_read = *value;
    if (key == "cache_write") rates.cache_write = *value;
    return true;
  }

 private:
  std::string const& file_;
};

}  // namespace impl

CUCO_EVOLVE_INLINE std::vector<std::string> split_models(std::string_view model) {
  constexpr std::string_view prefix = "ensemble:";
  std::vector<std::string> out;
  if (!model.starts_with(prefix)) return {std::string(model)};
  model.remove_prefix(prefix.size());
  while (!model.empty()) {
    auto const end = std::min(model.find('|'), model.size());
    if (end > 0) out.emplace_back(model.substr(0, end));
    model.remove_prefix(std::min(end + 1, model.size()));
  }
  return out;
}

CUCO_EVOLVE_INLINE ModelPrices::ModelPrices() : files_(std::make_shared<std::vector<File> const>()) {}

CUCO_EVOLVE_INLINE Result<ModelPrices::File> ModelPrices::read(std::string_view text,
                                                               std::string const& file) {
  toml::table root;
  try {
    root = toml::parse(text, file);
  } catch (toml::parse_error const& error) {
    return fail_at(ErrorCode::kParse, file, error.source().begin.line, std::string(error.description()));
  }
  impl::RatesReader const reader(file);
  File out;
  for (auto const& [key, node] : root) {
    if (key == "note") continue;
    if (key == "date") {
      if (auto const date = node.value<toml::date>()) {
        out.date = fmt::format("{:04}-{:02}-{:02}", date->year, date->month, date->day);
      } else if (auto const words = node.value<std::string>()) {
        out.date = *words;
      } else {
        return reader.problem(node, "'date' is not a date");
      }
      continue;
    }
    if (key != "model" || !node.is_array())
      return reader.problem(
          node, fmt::format("unknown key '{}'", key.str()), "give prices in [[model]] tables");
    for (toml::node const& item : *node.as_array()) {
      if (!item.is_table()) return reader.problem(item, "a model is not a table");
      Entry entry;
      entry.price.file = file;
      bool input = false;
      bool output = false;
      for (auto const& [name, value] : *item.as_table()) {
        auto const known = reader.rate(entry.price.rates, name.str(), value);
        if (!known) return tl::unexpected<Error>(known.error());
        input = input || name == "input";
        output = output || name == "output";
        if (*known || name == "note") continue;
        if (name == "names" && value.is_array()) {
          for (toml::node const& text_node : *value.as_array()) {
            auto const words = text_node.value<std::string>();
            if (!words || words->empty()) return reader.problem(text_node, "a name is not a text");
            entry.names.push_back(*words);
          }
        } else if (name == "long" && value.is_table()) {
          for (char const* needed : {"above", "input", "output"})
            if (!value.as_table()->contains(needed))
              return reader.problem(value,
                                    fmt::format("'long' has no '{}'", needed),
                                    "give above, input and output: what is missing is not free");
          for (auto const& [inner, inner_value] : *value.as_table()) {
            auto const rate = reader.rate(entry.price.long_rates, inner.str(), inner_value);
            if (!rate) return tl::unexpected<Error>(rate.error());
            if (*rate) continue;
            auto const above = inner == "above" ? inner_value.value<std::int64_t>() : std::nullopt;
            if (!above || *above < 1)
              return reader.problem(inner_value, fmt::format("'long.{}' has no meaning", inner.str()));
            entry.price.long_above = *above;
          }
        } else {
          return reader.problem(value, fmt::format("unknown or malformed key '{}' of a model", name.str()));
        }
      }
      if (entry.names.empty())
        return reader.problem(item, "a model has no names", "add names = [\"provider:model\"]");
      if (!input)
        return reader.problem(item, "a model has no input price", "a model that costs nothing has input = 0");
      if (!output)
        return reader.problem(
            item, "a model has no output price", "a model that writes no text has output = 0");
      out.entries.push_back(std::move(entry));
    }
  }
  return out;
}

CUCO_EVOLVE_INLINE Result<ModelPrices> ModelPrices::parse(std::string_view toml, std::string const& file) {
  auto read_one = read(toml, file);
  if (!read_one) return forward_error(std::move(read_one));
  ModelPrices out;
  out.files_ = std::make_shared<std::vector<File> const>(std::vector<File>{*std::move(read_one)});
  return out;
}

CUCO_EVOLVE_INLINE Result<ModelPrices> ModelPrices::load(std::string const& extra) {
  std::vector<std::string> paths;
  // A program that outlives the folder of the headers has no prices; that is not an error of the user's.
  if (auto shipped = impl::default_prices_file(); !shipped.empty()) paths.push_back(std::move(shipped));
  if (char const* named = std::getenv("CUCO_PRICES"); named != nullptr && *named != '\0')
    paths.emplace_back(named);
  if (!extra.empty()) paths.push_back(extra);
  std::vector<File> files;
  for (std::string const& path : paths) {
    auto const bytes = read_file(path);
    if (!bytes) {
      Error error = bytes.error();
      error.remedy = "name a file of prices in CUCO_PRICES";
      return tl::unexpected<Error>(std::move(error));
    }
    auto file = read(*bytes, path);
    if (!file) return forward_error(std::move(file));
    files.push_back(*std::move(file));
  }
  ModelPrices out;
  out.files_ = std::make_shared<std::vector<File> const>(std::move(files));
  return out;
}

CUCO_EVOLVE_INLINE std::optional<ModelPrice> ModelPrices::find(std::string_view model) const {
  auto const models = split_models(model);
  if (models.size() != 1 || models.front() != model) {
    std::optional<ModelPrice> all;
    for (std::string const& one : models) {
      auto const price = find(one);
      if (!price) return std::nullopt;
      if (!all) {
        all = price;
        continue;
      }
      // The step to long prompts is not the same everywhere; the dearest rates hold for any length.
      TokenRates const first = all->long_above > 0 ? impl::dearer(all->rates, all->long_rates) : all->rates;
      TokenRates const second =
          price->long_above > 0 ? impl::dearer(price->rates, price->long_rates) : price->rates;
      all = ModelPrice{impl::dearer(first, second), 0, {}, price->file};
    }
    return all;
  }
  for (auto file = files_->rbegin(); file != files_->rend(); ++file) {
    Entry const* best = nullptr;
    std::size_t most = 0;
    for (Entry const& entry : file->entries) {
      for (std::string const& name : entry.names) {
        auto const literal =
            name.size() - static_cast<std::size_t>(std::count(name.begin(), name.end(), '*'));
        if ((best == nullptr || literal > most) && impl::matches_name(name, model)) {
          best = &entry;
          most = literal;
        }
      }
    }
    if (best != nullptr) return best->price;
  }
  return std::nullopt;
}

CUCO_EVOLVE_INLINE std::optional<double> ModelPrices::cost_usd(std::string_view model,
                                                               TokenUsage const& usage) const {
  auto const price = find(model);
  if (!price) return std::nullopt;
  if (usage == TokenUsage{} && (price->rates.input > 0 || price->rates.output > 0)) return std::nullopt;
  TokenRates const& rates =
      price->long_above > 0 && usage.input > price->long_above ? price->long_rates : price->rates;
  auto const count = [](std::int64_t n) { return static_cast<double>(std::max<std::int64_t>(0, n)); };
  double const fresh =
      std::max(0.0, count(usage.input) - count(usage.cache_read) - count(usage.cache_written));
  return (fresh * rates.input + count(usage.cache_read) * rates.cache_read.value_or(rates.input) +
          count(usage.cache_written) * rates.cache_write.value_or(rates.input) +
          count(usage.output) * rates.output) /
         1e6;
}

CUCO_EVOLVE_INLINE std::string ModelPrices::date() const {
  std::string newest;
  for (File const& file : *files_) newest = std::max(newest, file.date);
  return newest;
}

}  // namespace cuco
