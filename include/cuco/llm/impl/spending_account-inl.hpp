// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/llm/impl/spending_account.hpp"
#include "cuco/llm/redaction.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE SpendingAccount::SpendingAccount(Budget budget,
                                                    std::string ledger,
                                                    bool allow_unpriced,
                                                    std::optional<ModelPrices> prices)
    : budget_(budget), allow_unpriced_(allow_unpriced) {
  if ((budget.usd && !(*budget.usd >= 0)) || (budget.tokens && *budget.tokens < 0)) {
    ready_ = fail(ErrorCode::kInvalidArgument, "the budget is not a number >= 0", "give a limit, or none");
    return;
  }
  if (prices) {
    prices_ = *std::move(prices);
  } else if (auto loaded = ModelPrices::load()) {
    prices_ = *std::move(loaded);
  } else {
    ready_ = forward_error(std::move(loaded));
    return;
  }
  if (ledger.empty()) return;
  auto const folder = std::filesystem::path(ledger).parent_path().string();
  if (Status made = make_folder(folder); !made) {
    ready_ = std::move(made);
    return;
  }
  auto file = LineFile::open(ledger, false);
  auto const bytes = read_file(ledger);
  if (!file || !bytes) {
    ready_ = tl::unexpected<Error>(file ? bytes.error() : file.error());
    return;
  }
  restore(*bytes, ledger);
  ledger_ = *std::move(file);
}

CUCO_EVOLVE_INLINE void SpendingAccount::restore(std::string const& bytes, std::string const& path) {
  std::uint32_t number = 0;
  for (std::string_view rest = bytes; !rest.empty() && ready_;) {
    auto const end = std::min(rest.find('\n'), rest.size());
    auto const line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (line.empty()) continue;
    auto const json = nlohmann::json::parse(line, nullptr, false);
    auto const count = [&](char const* key) -> std::int64_t {
      auto const found = json.find(key);
      return found != json.end() && found->is_number_integer()
                 ? std::max<std::int64_t>(0, found->get<std::int64_t>())
                 : 0;
    };
    if (!json.is_object() || !json.contains("cost_usd")) {
      // Spending that cannot be read must not be taken for none.
      ready_ = fail_at(ErrorCode::kParse,
                       path,
                       number,
                       "this line of the ledger is not a booking",
                       "correct the line or remove it");
      return;
    }
    ++spending_.calls;
    if (auto const call = json.find("call"); call != json.end() && call->is_string())
      booked_.insert(call->get<std::string>());
    spending_.tokens += count("input") + count("output");
    auto const& cost = json["cost_usd"];
    if (cost.is_number()) {
      spending_.usd += std::max(0.0, cost.get<double>());
    } else {
      ++spending_.unpriced_calls;
    }
  }
}

CUCO_EVOLVE_INLINE Status SpendingAccount::within_limits() const {
  auto const& s = spending_;
  if (budget_.usd && !(s.usd + s.usd_in_flight < *budget_.usd))
    return fail(ErrorCode::kBudget,
                fmt::format("the budget of {} USD is used up: {:.4f} spent, {:.4f} in flight",
                            *budget_.usd,
                            s.usd,
                            s.usd_in_flight),
                "raise it to go on");
  if (budget_.tokens && s.tokens + s.tokens_in_flight >= *budget_.tokens)
    return fail(ErrorCode::kBudget,
                fmt::format("the budget of {} tokens is used up: {} spent, {} in flight",
                            *budget_.tokens,
                            s.tokens,
                            s.tokens_in_flight),
                "raise it to go on");
  return {};
}

CUCO_EVOLVE_INLINE Result<CallEstimate> SpendingAccount::reserve(std::string const& model,
                                                                 ChatRequest const& request) {
  TokenUsage const usage = expected_usage(request);
  CallEstimate const estimate{prices_.cost_usd(model, usage), usage};
  std::lock_guard const lock(mutex_);
  if (!ready_) return tl::unexpected<Error>(ready_.error());
  if (budget_.usd && !estimate.usd && !allow_unpriced_)
    return fail(ErrorCode::kBudget,
                "the price of " + model + " is not known, so a budget in USD cannot be kept",
                "give its price in a TOML file named by CUCO_PRICES, or give a budget in tokens");
  if (Status within = within_limits(); !within) return forward_error(std::move(within));
  spending_.usd_in_flight += estimate.usd.value_or(0);
  spending_.tokens_in_flight += usage.input + usage.output;
  ++spending_.calls_in_flight;
  return estimate;
}

CUCO_EVOLVE_INLINE std::string utc_now() {
  std::time_t const now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char stamp[24] = {};
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return stamp;
}

CUCO_EVOLVE_INLINE void SpendingAccount::settle(CallEstimate const& reserved,
                                                std::string const& model,
                                                Result<ChatReply> const& answer) {
  // What may be billed counts: a budget that trusts failures to be free is none.
  TokenUsage const usage = answer ? counted_usage(*answer, reserved.expected.input)
                                  : billed_usage(answer.error(), reserved.expected);
  std::string const& who = answer && !answer->model.empty() ? answer->model : model;
  std::optional<double> cost = answer ? answer->cost_usd : billed_usd(answer.error());
  if (cost && !(*cost >= 0 && std::isfinite(*cost))) cost.reset();
  if (!cost) cost = prices_.cost_usd(who, usage);
  if (!cost) cost = prices_.cost_usd(model, usage);
  std::lock_guard const lock(mutex_);
  spending_.usd_in_flight -= reserved.usd.value_or(0);
  spending_.tokens_in_flight -= reserved.expected.input + reserved.expected.output;
  if (--spending_.calls_in_flight == 0) spending_.usd_in_flight = 0;  // no rounding stays behind
  std::string const call = answer ? answer->recorded_as : std::string();
  // An earlier process paid for it and wrote it down.
  if (answer && answer->from_record && booked_.count(call) != 0) return;
  if (!call.empty()) booked_.insert(call);
  ++spending_.calls;
  spending_.tokens += std::max<std::int64_t>(0, usage.input) + std::max<std::int64_t>(0, usage.output);
  spending_.usd += cost.value_or(0);
  if (!cost) ++spending_.unpriced_calls;
  if (!ledger_) return;
  nlohmann::ordered_json line = nlohmann::ordered_json::object();
  line["time"] = utc_now();
  line["model"] = redact_secrets(who);
  if (!call.empty()) line["call"] = call;
  line["outcome"] = answer ? to_string(answer->finish) : to_string(answer.error().code);
  line["input"] = usage.input;
  line["output"] = usage.output;
  line["cache_read"] = usage.cache_read;
  line["cache_written"] = usage.cache_written;
  line["cost_usd"] = cost ? nlohmann::ordered_json(*cost) : nlohmann::ordered_json();
  Status written =
      ledger_->append(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  if (written) return;
  // This reply is paid for and goes to the caller; nothing more is spent that could be forgotten.
  log_warning(to_line(written.error()));
  ready_ = std::move(written);
}

CUCO_EVOLVE_INLINE Spending SpendingAccount::spent() const {
  std::lock_guard const lock(mutex_);
  return spending_;
}

}  // namespace cuco::impl
