// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/setup_json.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string setup_line(RecordingSetup const& setup) {
  auto json = nlohmann::ordered_json::object();
  json["arms"] = nlohmann::ordered_json::array();
  for (auto const& arm : setup.arms) json["arms"].push_back({{"model", arm.model}, {"weight", arm.weight}});
  json["policy"] = setup.policy;
  json["effort"] = to_string(setup.effort);
  return "{\"setup\":" + json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "}";
}

CUCO_EVOLVE_INLINE std::optional<RecordingSetup> setup_from_line(std::string_view line) {
  if (!line.starts_with("{\"setup\":")) return std::nullopt;
  auto const json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || !json["setup"].is_object()) return std::nullopt;
  auto const& told = json["setup"];
  auto const arms = told.value("arms", nlohmann::json());
  auto const policy = told.value("policy", nlohmann::json());
  auto const effort = told.value("effort", nlohmann::json());
  if (!arms.is_array() || !policy.is_string() || !effort.is_string()) return std::nullopt;
  RecordingSetup setup;
  for (auto const& arm : arms) {
    if (!arm.is_object() || !arm.value("model", nlohmann::json()).is_string() ||
        !arm.value("weight", nlohmann::json()).is_number())
      return std::nullopt;
    setup.arms.push_back({arm["model"].get<std::string>(), arm["weight"].get<double>()});
  }
  setup.policy = policy.get<std::string>();
  for (Effort const known : {Effort::kNone, Effort::kLow, Effort::kMedium, Effort::kHigh, Effort::kMax})
    if (effort == to_string(known)) setup.effort = known;
  return setup;
}

}  // namespace cuco::impl
