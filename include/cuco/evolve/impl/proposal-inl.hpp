// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <nlohmann/json.hpp>

#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evolve/impl/proposal.hpp"
#include "cuco/store/impl/column_json.hpp"
#include "cuco/store/program_json.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string proposal_json(Proposal const& proposal, std::string_view run) {
  nlohmann::ordered_json json;
  json["run"] = run;
  json["generation"] = proposal.generation;
  json["seed_slot"] = proposal.seed_slot;
  json["skipped"] = proposal.skipped;
  json["code_hash"] = content_hash_128(proposal.program.code);
  json["duplicate_of"] = proposal.duplicate_of.value;
  json["selector_state"] = proposal.selector_state;
  json["mutator_state"] = proposal.mutator_state;
  if (!proposal.skipped.empty()) {
    json["cost_usd"] =
        proposal.cost_usd ? nlohmann::ordered_json(*proposal.cost_usd) : nlohmann::ordered_json();
  } else {
    Program without_code = proposal.program;
    without_code.code.clear();
    without_code.embedding.clear();
    // A thousand numbers in one text: as values they would be most of the work of a generation.
    json["embedding"] = embedding_to_text(proposal.program.embedding);
    json["program"] = nlohmann::ordered_json::parse(cuco::to_json(without_code));
  }
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

CUCO_EVOLVE_INLINE Result<Proposal> proposal_from_json(std::string_view text,
                                                       std::string_view run,
                                                       std::string code) {
  try {
    auto const json = nlohmann::ordered_json::parse(text);
    if (json.at("run").get<std::string>() != run)
      return fail(ErrorCode::kConflict, "the proposal belongs to another run");
    Proposal out;
    out.generation = json.at("generation").get<int>();
    out.seed_slot = json.at("seed_slot").get<int>();
    out.skipped = json.at("skipped").get<std::string>();
    out.duplicate_of.value = json.at("duplicate_of").get<std::string>();
    out.selector_state = json.at("selector_state").get<std::string>();
    out.mutator_state = json.at("mutator_state").get<std::string>();
    if (!out.skipped.empty()) {
      auto const cost = json.find("cost_usd");
      if (cost != json.end() && cost->is_null()) out.cost_usd.reset();
      if (cost != json.end() && cost->is_number()) out.cost_usd = cost->get<double>();
      return out;
    }
    if (json.at("code_hash").get<std::string>() != content_hash_128(code))
      return fail(ErrorCode::kConflict, "the source file is not the one that was proposed");
    auto program = program_from_json(json.at("program").dump());
    if (!program) return forward_error(std::move(program));
    out.program = *std::move(program);
    out.program.code = std::move(code);
    out.program.embedding = embedding_from_text(json.at("embedding").get<std::string>());
    return out;
  } catch (nlohmann::ordered_json::exception const& error) {
    return fail(ErrorCode::kParse, std::string("not a proposal: ") + error.what());
  }
}

}  // namespace cuco::impl
