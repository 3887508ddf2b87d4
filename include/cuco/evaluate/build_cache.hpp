// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cuco/core/result.hpp"
#include "cuco/evaluate/devices.hpp"

namespace cuco {

/// A build that is kept.
struct CachedBuild {
  BuildResult result;
  std::string source_path;  ///< `…/main.cu` in the cache; what diagnostics refer to.
  std::string binary_path;  ///< Empty unless built.
  bool reused = false;      ///< Nothing was compiled this time.
};

/// Builds each source once per `Devices::fingerprint`, also when several threads ask for it at the same time.
/// Failures are remembered in memory, executables on disk; the last 256 of a process. A cheap value; copies
/// share the cache.
class BuildCache {
 public:
  /// @param directory where executables stay; they are found again by the next process that is given the same
  /// directory. Empty: a private directory that goes away with the last copy.
  explicit BuildCache(std::string directory = {});

  /// Errors: those of `Devices::build`, and kIo. `spec.source_path` and `spec.output_path` are ignored: a
  /// candidate's text is compiled from the cache, so that messages and `__FILE__` do not depend on who asked
  /// first.
  [[nodiscard]] Result<CachedBuild> build(Devices const& devices,
                                          std::string_view source,
                                          BuildSpec spec) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/build_cache-inl.hpp"
#endif
