// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/build_cache.hpp"
#include "cuco/evaluate/impl/files.hpp"
#include "cuco/process/find_program.hpp"

namespace cuco {

struct BuildCache::State {
  struct Entry {
    std::mutex mutex;  // Held while building: who asks for the same source waits for the result.
    std::optional<CachedBuild> build;
  };
  std::mutex mutex;
  std::string directory;
  std::optional<ScratchFolder> owned;
  // Keys are whole texts, so that nothing collides.
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries;
  std::deque<std::string> order;  // Keys, oldest first.

  // A long run must not fill the disk. Far more builds are kept than can be in use at a time.
  void forget_oldest() {
    constexpr std::size_t kMostKept = 256;
    while (order.size() > kMostKept) {
      std::error_code ignored;
      std::filesystem::remove_all(directory + "/" + content_hash_128(order.front()), ignored);
      entries.erase(order.front());
      order.pop_front();
    }
  }
};

CUCO_EVOLVE_INLINE BuildCache::BuildCache(std::string directory) : state_(std::make_shared<State>()) {
  state_->directory = std::move(directory);
}

CUCO_EVOLVE_INLINE Result<CachedBuild> BuildCache::build(Devices const& devices,
                                                         std::string_view source,
                                                         BuildSpec spec) const {
  std::string key = devices.fingerprint() + "\n-std=" + std::to_string(spec.standard);
  for (auto const& define : spec.defines) key += " -D" + define;
  key += "\n";
  key += source;

  std::shared_ptr<State::Entry> entry;
  std::string directory;
  {
    std::lock_guard const lock(state_->mutex);
    if (state_->directory.empty()) {
      auto made = impl::evaluating::make_private_folder();
      if (!made) return forward_error(std::move(made));
      state_->directory = made->path();
      state_->owned.emplace(std::move(*made));
    }
    directory = state_->directory;
    auto& slot = state_->entries[key];
    if (!slot) {
      slot = std::make_shared<State::Entry>();
      state_->order.push_back(key);
    }
    entry = slot;
    state_->forget_oldest();
  }

  std::lock_guard const lock(entry->mutex);
  // Another process that shares the directory may have removed the file.
  if (entry->build && (!entry->build->result.built || impl::is_executable_file(entry->build->binary_path))) {
    CachedBuild again = *entry->build;
    again.reused = true;
    return again;
  }
  directory += "/" + content_hash_128(key);
  CachedBuild build;
  build.source_path = directory + "/main.cu";
  build.binary_path = directory + "/program";
  auto const kept_key = read_file(directory + "/key");
  if (kept_key && *kept_key == key && impl::is_executable_file(build.binary_path)) {
    build.result.built = true;
    build.reused = true;
    entry->build = build;
    return build;
  }
  if (auto made = impl::evaluating::make_directories(directory); !made) return forward_error(std::move(made));
  if (auto written = write_file_atomic(build.source_path, source); !written)
    return forward_error(std::move(written));
  spec.source_path = build.source_path;
  spec.output_path = build.binary_path;
  auto built = devices.build(spec);
  if (!built) return forward_error(std::move(built));
  build.result = std::move(*built);
  if (!build.result.built) build.binary_path.clear();
  // The key comes last: a directory without it holds a build that did not finish.
  if (build.result.built)
    if (auto written = write_file_atomic(directory + "/key", key); !written)
      return forward_error(std::move(written));
  entry->build = build;
  return build;
}

}  // namespace cuco
