// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "cuco/core/result.hpp"

/// @file
/// Numbers of policies as JSON, infinities included.

namespace cuco::impl {

using PolicyJson = nlohmann::ordered_json;

inline PolicyJson policy_number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

inline double policy_number(PolicyJson const& json, char const* key, double fallback = 0) {
  auto const found = json.find(key);
  if (found == json.end()) return fallback;
  if (found->is_number()) return found->get<double>();
  if (*found == "inf") return std::numeric_limits<double>::infinity();
  if (*found == "-inf") return -std::numeric_limits<double>::infinity();
  return fallback;
}

inline std::int64_t policy_count(PolicyJson const& json, char const* key) {
  auto const found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

/// The state of a policy with `arms` arms. Errors: kParse.
inline Result<PolicyJson> policy_state(std::string_view text, std::size_t arms) {
  auto json = PolicyJson::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("arms") || !json["arms"].is_array() || json["arms"].size() != arms)
    return fail(ErrorCode::kParse, "this is not the state of such an ensemble");
  return json;
}

}  // namespace cuco::impl
