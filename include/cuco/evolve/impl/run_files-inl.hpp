// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/evaluation_files.hpp"
#include "cuco/evolve/impl/run_files.hpp"
#include "cuco/store/evaluation_json.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string proposal_file(GenerationPaths const& at) {
  return at.path + "/proposal.json";
}

CUCO_EVOLVE_INLINE Status make_candidate_folder(GenerationPaths const& at) {
  std::error_code error;
  std::filesystem::create_directories(at.results(), error);
  if (error)
    return fail_at(ErrorCode::kIo,
                   at.results(),
                   0,
                   "cannot create folder: " + errno_text(error.value()),
                   errno_remedy(error.value()));
  return {};
}

CUCO_EVOLVE_INLINE Result<RunFiles> RunFiles::open(RunDirectory const* directory) {
  RunFiles files;
  files.directory_ = directory;
  if (directory == nullptr) {
    std::error_code error;
    auto const base = std::filesystem::temp_directory_path(error);
    if (error)
      return fail(
          ErrorCode::kIo, "no temporary folder: " + error.message(), "set TMPDIR to a writable folder");
    auto made = ScratchFolder::make(base.string());
    if (!made) return forward_error(std::move(made));
    files.temporary_ = std::make_shared<ScratchFolder>(*std::move(made));
  }
  return files;
}

CUCO_EVOLVE_INLINE GenerationPaths RunFiles::paths(int generation, int seed_slot) const {
  if (durable()) return seed_slot < 0 ? directory_->generation(generation) : directory_->seed(seed_slot);
  auto const name =
      seed_slot < 0 ? "gen_" + std::to_string(generation) : "gen_0_island" + std::to_string(seed_slot);
  return {temporary_->path() + "/" + name, generation, seed_slot};
}

CUCO_EVOLVE_INLINE Status RunFiles::store(Proposal const& proposal,
                                          std::string const& parent_code,
                                          std::string_view run) const {
  auto const at = paths(proposal.generation, proposal.seed_slot);
  if (!durable() && !proposal.skipped.empty()) return {};
  std::error_code ignored;
  std::filesystem::remove_all(at.path, ignored);
  if (auto made = make_candidate_folder(at); !made) return made;
  if (proposal.skipped.empty()) {
    if (!durable()) {
      // Nobody reads it after a crash, so it need not reach the disk.
      std::ofstream out(at.main(), std::ios::binary);
      if (!(out << proposal.program.code).flush())
        return fail_at(
            ErrorCode::kIo, at.main(), 0, "cannot write: " + errno_text(errno), errno_remedy(errno));
      return {};
    }
    if (auto written = write_file_atomic(at.main(), proposal.program.code); !written) return written;
    if (!proposal.program.parent_id.empty()) {
      if (auto written = write_file_atomic(at.original(), parent_code); !written) return written;
      if (auto written = write_file_atomic(at.diff(), proposal.program.code_diff); !written) return written;
    }
  }
  return write_file_atomic(proposal_file(at), proposal_json(proposal, run));
}

CUCO_EVOLVE_INLINE std::optional<Proposal> RunFiles::load(GenerationPaths const& at,
                                                          std::string_view run) const {
  if (!durable()) return std::nullopt;
  auto const text = read_file(proposal_file(at));
  if (!text) return std::nullopt;
  auto code = read_file(at.main());
  auto proposal = proposal_from_json(*text, run, code ? *std::move(code) : std::string());
  if (!proposal) return std::nullopt;
  return *std::move(proposal);
}

CUCO_EVOLVE_INLINE Status RunFiles::store(GenerationPaths const& at, Evaluation const& evaluation) const {
  if (!durable()) return {};
  if (auto written = write_evaluation_files(at.results(), evaluation); !written) return written;
  return write_file_atomic(at.evaluation(), cuco::to_json(evaluation));
}

CUCO_EVOLVE_INLINE std::optional<Evaluation> RunFiles::load_evaluation(GenerationPaths const& at) const {
  if (!durable()) return std::nullopt;
  auto const text = read_file(at.evaluation());
  if (!text) return std::nullopt;
  auto evaluation = evaluation_from_json(*text);
  if (!evaluation) return std::nullopt;
  return *std::move(evaluation);
}

CUCO_EVOLVE_INLINE void RunFiles::release(GenerationPaths const& at) const {
  if (durable()) return;
  std::error_code ignored;
  std::filesystem::remove_all(at.path, ignored);
}

CUCO_EVOLVE_INLINE Status RunFiles::update_best(GenerationPaths const& at) const {
  return durable() ? directory_->update_best(at) : Status{};
}

}  // namespace cuco::impl
