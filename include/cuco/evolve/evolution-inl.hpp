// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <optional>

#include "cuco/core/run_directory.hpp"
#include "cuco/evolve/evolution.hpp"
#include "cuco/evolve/impl/evolution_run.hpp"
#include "cuco/evolve/impl/run_files.hpp"

namespace cuco {

template <RunStorage S, Selector L, Mutator M, Evaluator E>
Result<RunSummary> Evolution<S, L, M, E>::run(std::vector<Seed> const& seeds) {
  try {
    if (auto valid = check(options_); !valid) return forward_error(std::move(valid));
    auto islands = place_seeds(seeds, options_.islands);
    if (!islands) return forward_error(std::move(islands));
    std::optional<RunDirectory> opened;
    if (options_.run_directory == nullptr && !options_.directory.empty()) {
      auto directory = RunDirectory::open(options_.directory);
      if (!directory) return forward_error(std::move(directory));
      opened = *std::move(directory);
    }
    auto files = impl::RunFiles::open(opened ? &*opened : options_.run_directory);
    if (!files) return forward_error(std::move(files));
    return impl::EvolutionRun<S, L, M, E>(*this, *std::move(files), seeds, *islands).run();
  } catch (std::exception const& error) {
    return fail(ErrorCode::kInternal, std::string("a part of the run threw: ") + error.what());
  } catch (...) {
    return fail(ErrorCode::kInternal, "a part of the run threw something that is not an exception");
  }
}

}  // namespace cuco
