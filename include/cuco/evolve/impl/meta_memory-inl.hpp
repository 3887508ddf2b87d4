// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <exception>
#include <utility>

#include <nlohmann/json.hpp>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evolve/impl/meta_memory.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string to_json(MetaMemory const& memory) {
  auto price = [](std::optional<double> usd) {
    return usd ? nlohmann::ordered_json(*usd) : nlohmann::ordered_json();
  };
  nlohmann::ordered_json json;
  json["unprocessed_programs"] = nlohmann::ordered_json::array();
  for (auto const& pending : memory.pending)
    json["unprocessed_programs"].push_back({{"id", pending.program.id.value},
                                            {"summary", pending.summary},
                                            {"cost_usd", price(pending.cost_usd)}});
  json["meta_summary"] = memory.summaries;
  json["meta_scratch_pad"] = memory.record;
  json["meta_recommendations"] = memory.recommendations;
  json["meta_recommendations_history"] = memory.history;
  json["total_programs_meta_processed"] = memory.processed;
  json["processed_ids"] = memory.processed_ids;
  json["cost_not_told_usd"] = price(memory.owed);
  json["draft"] = {{"of", memory.draft_of}, {"record", memory.draft}};
  json["concluded"] = memory.concluded;
  json["last_advice"] = {{"generation", memory.advised}, {"cost_usd", price(memory.told)}};
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

CUCO_EVOLVE_INLINE Result<MetaMemory> meta_memory_from_json(std::string const& text,
                                                            std::string const& file) {
  try {
    auto const json = nlohmann::json::parse(text);
    auto price = [](nlohmann::json const& value) {
      return value.is_null() ? std::optional<double>() : std::optional<double>(value.get<double>());
    };
    MetaMemory memory;
    for (auto const& entry : json.at("unprocessed_programs")) {
      PendingProgram pending;
      pending.program.id.value = entry.at("id").get<std::string>();
      pending.summary = entry.value("summary", "");
      if (entry.contains("cost_usd")) pending.cost_usd = price(entry["cost_usd"]);
      memory.pending.push_back(std::move(pending));
    }
    memory.summaries = json.value("meta_summary", "");
    memory.record = json.value("meta_scratch_pad", "");
    memory.recommendations = json.value("meta_recommendations", "");
    memory.history = json.value("meta_recommendations_history", std::vector<std::string>());
    memory.processed = json.at("total_programs_meta_processed").get<std::int64_t>();
    memory.processed_ids = json.at("processed_ids").get<std::vector<std::string>>();
    auto& ids = memory.processed_ids;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (json.contains("cost_not_told_usd")) memory.owed = price(json["cost_not_told_usd"]);
    if (json.contains("draft")) {
      memory.draft_of = json["draft"].at("of").get<std::string>();
      memory.draft = json["draft"].at("record").get<std::string>();
    }
    memory.concluded = json.value("concluded", "");
    if (json.contains("last_advice")) {
      memory.advised = json["last_advice"].at("generation").get<int>();
      memory.told = price(json["last_advice"].at("cost_usd"));
    }
    return memory;
  } catch (std::exception const& error) {
    return fail_at(ErrorCode::kParse,
                   file,
                   0,
                   std::string("the memory of the summaries cannot be read: ") + error.what(),
                   "remove the file to start the summaries anew");
  }
}

}  // namespace cuco::impl
