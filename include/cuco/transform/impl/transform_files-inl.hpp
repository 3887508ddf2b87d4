// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "cuco/analysis/lexer.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/transform/impl/transform_files.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE Result<WorkDirectory> WorkDirectory::open(std::string path) {
  if (path.empty()) {
    std::error_code problem;
    std::string const parent = std::filesystem::temp_directory_path(problem).string();
    if (problem)
      return fail(
          ErrorCode::kIo, "no temporary folder can be created", "give a work directory, or set TMPDIR");
    auto made = ScratchFolder::make(parent);
    if (!made) return forward_error(std::move(made));
    std::string inside = made->path();
    return WorkDirectory(std::move(inside), std::move(*made));
  }
  std::error_code problem;
  std::filesystem::create_directories(path, problem);
  if (problem)
    return fail_at(ErrorCode::kIo,
                   path,
                   0,
                   "the work directory cannot be created: " + problem.message(),
                   "give a folder that can be written");
  return WorkDirectory(std::move(path), std::nullopt);
}

CUCO_EVOLVE_INLINE std::string device_name(std::string const& name) {
  std::filesystem::path const path(name);
  return path.stem().string() + "_device" +
         (path.has_extension() ? path.extension().string() : std::string(".cu"));
}

CUCO_EVOLVE_INLINE bool same_tokens(std::string const& a, std::string const& b) {
  auto x = lex(a);
  auto y = lex(b);
  if (!x || !y || x->tokens.size() != y->tokens.size()) return false;
  return std::equal(
      x->tokens.begin(), x->tokens.end(), y->tokens.begin(), [](Token const& s, Token const& t) {
        return s.text == t.text;
      });
}

CUCO_EVOLVE_INLINE std::optional<double> total_cost(std::vector<TransformIteration> const& iterations) {
  double sum = 0;
  for (auto const& i : iterations) {
    if (!i.cost_usd) return std::nullopt;
    sum += *i.cost_usd;
  }
  return sum;
}

CUCO_EVOLVE_INLINE std::string output_of_log(std::string const& path) {
  auto text = read_file(path);
  if (!text) return {};
  constexpr std::size_t kLongest = 6000;
  // The log holds the compiler's words, then one part for each run.
  std::size_t const run = text->rfind("\n== run");
  std::size_t const begin = run != std::string::npos        ? run + 1
                            : text->rfind("== run", 0) == 0 ? 0
                                                            : text->size();
  // What the launcher says has process ids and the host's name in it.
  std::size_t const launcher = std::min(text->find("\n-- launcher\n", begin), text->size());
  return evaluating::excerpt(std::string_view(*text).substr(begin, launcher - begin), kLongest);
}

inline nlohmann::json cost_json(std::optional<double> const& cost) {
  return cost ? nlohmann::json(*cost) : nlohmann::json(nullptr);
}

CUCO_EVOLVE_INLINE std::string transform_summary_json(std::vector<TransformIteration> const& iterations,
                                                      double seconds,
                                                      std::string const& error) {
  constexpr std::size_t kLongest = 500;
  nlohmann::json list = nlohmann::json::array();
  int number = 0;
  TokenUsage tokens;
  for (auto const& i : iterations) {
    bool const input = i.label == "input";
    tokens.input += i.usage.input;
    tokens.output += i.usage.output;
    std::string const& judged = i.diagnosis.empty() && i.built ? i.message : i.diagnosis;
    list.push_back({{"iteration", input ? 0 : ++number},
                    {"label", i.label},
                    {"stage", input ? "input" : to_string(i.stage)},
                    {"rewriter", i.rewriter},
                    {"build_success", i.built},
                    {"build_errors", i.built ? std::string() : i.message.substr(0, kLongest)},
                    {"run_success", i.ran},
                    {"verification_passed", i.verified},
                    {"accepted", i.accepted},
                    {"time_ms", i.slowest_ms},
                    {"has_host_communication", i.host_communication},
                    {"judge_feedback", judged.substr(0, kLongest)},
                    {"duration_sec", i.seconds},
                    {"cost_usd", cost_json(i.cost_usd)},
                    {"input_tokens", i.usage.input},
                    {"output_tokens", i.usage.output}});
  }
  nlohmann::json const summary{{"success", error.empty()},
                               {"total_duration_sec", seconds},
                               {"total_cost_usd", cost_json(total_cost(iterations))},
                               {"total_input_tokens", tokens.input},
                               {"total_output_tokens", tokens.output},
                               {"num_iterations", number},
                               {"error", error.empty() ? nlohmann::json(nullptr) : nlohmann::json(error)},
                               {"iterations", std::move(list)}};
  return summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

CUCO_EVOLVE_INLINE std::string pipeline_step_json(PipelineStep const& step) {
  nlohmann::json const json{
      {"name", step.name},
      {"skipped", step.skipped},
      {"method", step.method},
      {"duration_sec", step.seconds},
      {"cost", cost_json(step.cost_usd)},
      {"error", step.error.empty() ? nlohmann::json(nullptr) : nlohmann::json(step.error)},
      {"details", step.details}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace cuco::impl
