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

CUCO_EVOLVE_INLINE std::string transform_summary_json(std::vector<TransformIteration> const& iterations,
                                                      double seconds,
                                                      std::string const& error) {
  constexpr std::size_t kLongest = 500;
  nlohmann::json list = nlohmann::json::array();
  int number = 0;
  for (auto const& i : iterations) {
    bool const input = i.label == "input";
    list.push_back({{"iteration", input ? 0 : ++number},
                    {"label", i.label},
                    {"stage", input ? "input" : to_string(i.stage)},
                    {"build_success", i.built},
                    {"build_errors", i.built ? std::string() : i.message.substr(0, kLongest)},
                    {"run_success", i.ran},
                    {"verification_passed", i.verified},
                    {"time_ms", i.slowest_ms},
                    {"has_host_communication", i.host_communication},
                    {"judge_feedback", i.built ? i.message.substr(0, kLongest) : std::string()},
                    {"duration_sec", i.seconds}});
  }
  nlohmann::json const summary{{"success", error.empty()},
                               {"total_duration_sec", seconds},
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
      {"cost", 0.0},
      {"error", step.error.empty() ? nlohmann::json(nullptr) : nlohmann::json(step.error)},
      {"details", step.details}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace cuco::impl
