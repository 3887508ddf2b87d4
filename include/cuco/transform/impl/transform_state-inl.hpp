// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/transform/impl/transform_state.hpp"

namespace cuco::impl::transforming {

inline constexpr char const* kStateFile = "/transform_state.json";

CUCO_EVOLVE_INLINE std::string transform_key(std::vector<std::string> const& parts) {
  std::string all = "transform 1";
  // With their lengths, so that no two lists read alike.
  for (std::string const& part : parts) all += "\n" + std::to_string(part.size()) + ":" + part;
  return content_hash_128(all);
}

CUCO_EVOLVE_INLINE TransformStage stage_named(std::string const& name) {
  for (auto stage : {TransformStage::kInfrastructure, TransformStage::kDevice})
    if (name == to_string(stage)) return stage;
  return TransformStage::kSingle;
}

CUCO_EVOLVE_INLINE nlohmann::json to_state_json(TransformIteration const& i) {
  return {{"label", i.label},
          {"stage", to_string(i.stage)},
          {"built", i.built},
          {"ran", i.ran},
          {"verified", i.verified},
          {"accepted", i.accepted},
          {"host_communication", i.host_communication},
          {"slowest_ms", i.slowest_ms},
          {"seconds", i.seconds},
          {"message", i.message},
          {"diagnostics", i.diagnostics},
          {"output", i.output},
          {"rerun", i.rerun},
          {"diagnosis", i.diagnosis},
          {"rewriter", i.rewriter},
          {"code_hash", i.code.empty() ? std::string() : content_hash_128(i.code)},
          {"cost_usd", i.cost_usd ? nlohmann::json(*i.cost_usd) : nlohmann::json(nullptr)},
          {"usage",
           {i.usage.input, i.usage.output, i.usage.cache_read, i.usage.cache_written, i.usage.thinking}}};
}

/// The program of that label, when it is the one with the hash.
CUCO_EVOLVE_INLINE std::string stored_code(std::string const& directory,
                                           std::string const& label,
                                           std::string const& hash) {
  if (hash.empty() || label.empty() || label.find('/') != std::string::npos) return {};
  auto text = read_file(directory + "/" + label + ".cu");
  return text && content_hash_128(*text) == hash ? std::move(*text) : std::string();
}

CUCO_EVOLVE_INLINE TransformIteration read_state_json(nlohmann::json const& json,
                                                      std::string const& directory) {
  TransformIteration i;
  i.label = json.at("label");
  i.stage = stage_named(json.at("stage"));
  i.built = json.at("built");
  i.ran = json.at("ran");
  i.verified = json.at("verified");
  i.accepted = json.at("accepted");
  i.host_communication = json.at("host_communication");
  i.slowest_ms = json.at("slowest_ms");
  i.seconds = json.at("seconds");
  i.message = json.at("message");
  i.diagnostics = json.at("diagnostics");
  i.output = json.at("output");
  i.rerun = json.at("rerun");
  i.diagnosis = json.at("diagnosis");
  i.rewriter = json.at("rewriter");
  i.code = stored_code(directory, i.label, json.at("code_hash"));
  if (json.at("cost_usd").is_null())
    i.cost_usd.reset();
  else
    i.cost_usd = json.at("cost_usd").get<double>();
  auto const& usage = json.at("usage");
  i.usage = {usage.at(0), usage.at(1), usage.at(2), usage.at(3), usage.at(4)};
  return i;
}

CUCO_EVOLVE_INLINE Status save_state(std::string const& directory, TransformState const& state) {
  nlohmann::json iterations = nlohmann::json::array();
  for (auto const& i : state.iterations) iterations.push_back(to_state_json(i));
  nlohmann::json finished = nlohmann::json::array();
  for (auto const& f : state.finished) {
    nlohmann::json changes = nlohmann::json::array();
    for (Change const& c : f.changes) changes.push_back({c.line, c.what, c.why});
    finished.push_back({{"stage", to_string(f.stage)},
                        {"label", f.label},
                        {"code_hash", content_hash_128(f.code)},
                        {"slowest_ms", f.slowest_ms},
                        {"changes", std::move(changes)}});
  }
  nlohmann::json const json{{"key", state.key},
                            {"input_verified", state.input_verified},
                            {"shape", static_cast<int>(state.shape)},
                            {"input_ms", state.input_ms},
                            {"origin", static_cast<int>(state.origin)},
                            {"iterations", std::move(iterations)},
                            {"finished", std::move(finished)},
                            {"number", state.number},
                            {"attempts", state.attempts},
                            {"restarted", state.restarted},
                            {"feedback", state.feedback}};
  return write_file_atomic(directory + kStateFile,
                           json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

CUCO_EVOLVE_INLINE void drop_state(std::string const& directory) {
  std::error_code ignored;
  std::filesystem::remove(directory + kStateFile, ignored);
}

CUCO_EVOLVE_INLINE std::optional<TransformState> load_state(std::string const& directory,
                                                            std::string const& key) {
  auto text = read_file(directory + kStateFile);
  if (!text) return std::nullopt;
  // Whatever is in the file, a state that cannot be read is none. The exceptions of the reader end here.
  try {
    auto const json = nlohmann::json::parse(*text);
    TransformState state;
    state.key = json.at("key");
    if (state.key != key) return std::nullopt;
    state.input_verified = json.at("input_verified");
    int const shape = json.at("shape");
    int const origin = json.at("origin");
    if (!state.input_verified || shape < 0 || shape > static_cast<int>(ContractShape::kAny) || origin < 0 ||
        origin > static_cast<int>(Origin::kModelled))
      return std::nullopt;
    state.shape = static_cast<ContractShape>(shape);
    state.origin = static_cast<Origin>(origin);
    state.input_ms = json.at("input_ms");
    for (auto const& i : json.at("iterations")) state.iterations.push_back(read_state_json(i, directory));
    for (auto const& f : json.at("finished")) {
      FinishedStage stage;
      stage.stage = stage_named(f.at("stage"));
      stage.label = f.at("label");
      stage.code = stored_code(directory, stage.label, f.at("code_hash"));
      if (stage.code.empty()) {
        // Its program was touched; it and what was built on it have to be made again.
        state.attempts = 0;
        state.number = json.at("number");
        state.feedback.clear();
        return state;
      }
      stage.slowest_ms = f.at("slowest_ms");
      for (auto const& c : f.at("changes"))
        stage.changes.push_back({c.at(0).get<std::uint32_t>(), c.at(1), c.at(2)});
      state.finished.push_back(std::move(stage));
    }
    state.number = json.at("number");
    state.attempts = json.at("attempts");
    state.restarted = json.at("restarted");
    state.feedback = json.at("feedback");
    if (state.number < 0 || state.attempts < 0) return std::nullopt;
    return state;
  } catch (nlohmann::json::exception const&) {
    return std::nullopt;
  }
}

}  // namespace cuco::impl::transforming
