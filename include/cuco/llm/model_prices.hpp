// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/chat.hpp"
#include "cuco/core/result.hpp"

namespace cuco {

/// Prices in USD per million tokens.
struct TokenRates {
  double input = 0;
  double output = 0;
  std::optional<double> cache_read{};   ///< Of input read from the provider's cache; empty: as `input`.
  std::optional<double> cache_write{};  ///< Of input written to it; empty: as `input`.
};

/// What one model costs.
struct ModelPrice {
  TokenRates rates{};
  std::int64_t long_above =
      0;  ///< A prompt of more tokens costs `long_rates` throughout; 0: there is no such step.
  TokenRates long_rates{};
  std::string file{};  ///< Where the price comes from.
};

/// What models cost, from dated TOML files: the one beside this header (or, when that is gone, beside the
/// program: <prefix>/include/cuco/llm/prices.toml), then the one named by CUCO_PRICES,
/// then the caller's. A later file wins over an earlier one; within a file the name with most literal
/// characters wins. docs/budgets-and-recordings.md has the format. Cheap to copy. Any thread.
class ModelPrices {
 public:
  /// No prices.
  ModelPrices();
  /// Errors: kNotFound or kIo for a file that was asked for; kParse with file and line.
  [[nodiscard]] static Result<ModelPrices> load(std::string const& extra = {});
  /// The prices of one text alone. Errors: kParse with `file` and line.
  [[nodiscard]] static Result<ModelPrices> parse(std::string_view toml, std::string const& file = "<prices>");

  /// The price of `provider:model`. Empty: unknown, which is not free. For `ensemble:A|B`, rates that are at
  /// least those of each of its models.
  [[nodiscard]] std::optional<ModelPrice> find(std::string_view model) const;
  /// What a call cost. Empty when the price is unknown, or when no token was counted of a model that is not
  /// free.
  [[nodiscard]] std::optional<double> cost_usd(std::string_view model, TokenUsage const& usage) const;
  /// The date of the newest file that gives one, as `YYYY-MM-DD`; empty: none does.
  [[nodiscard]] std::string date() const;

 private:
  struct Entry {
    std::vector<std::string> names;  ///< With `*` for any text.
    ModelPrice price;
  };
  struct File {
    std::string date;
    std::vector<Entry> entries;
  };
  [[nodiscard]] static Result<File> read(std::string_view toml, std::string const& file);
  std::shared_ptr<std::vector<File> const> files_;
};

namespace impl {
/// The file of prices beside `headers`, else in the installation that `program` is part of; empty: there is
/// none.
[[nodiscard]] std::string shipped_prices(std::string const& headers, std::string const& program);
}  // namespace impl

/// The models behind a backend's name: those of an `ensemble:A|B`, else the name itself.
[[nodiscard]] std::vector<std::string> split_models(std::string_view model);

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/model_prices-inl.hpp"
#endif
