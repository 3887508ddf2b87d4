// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/emu/impl/build_cache_folder.hpp"
#include "cuco/evaluate/build_cache.hpp"
#include "cuco/evaluate/device_backend.hpp"
#include "cuco/evaluate/devices.hpp"

namespace cuco::testing {

/// How `KeptDevices` differ from the emulated devices behind them.
struct KeptOptions {
  std::string machine{};
  std::string folder{};  ///< Where executables stay, for the next test process too.
  /// A program whose runs are kept besides its executable, as long as that is: it is not what is tested.
  std::string given{};
  std::optional<std::uint64_t> reorder_seed{};  ///< Set: every run is one under reordered delivery.
};

/// Emulated devices that compile each text once for all test processes. What was built is keyed by the text
/// and by the emulator.
class KeptDevices final : public DeviceBackend {
 public:
  explicit KeptDevices(KeptOptions options)
      : options_(std::move(options)),
        devices_(Devices::emulated({.machine = options_.machine})),
        cache_(options_.folder) {}

  [[nodiscard]] Result<BuildResult> build(BuildSpec const& spec) const override {
    auto text = read_file(spec.source_path);
    if (!text) return forward_error(std::move(text));
    if (auto made = impl::emulating::make_cache_folder(options_.folder); !made)
      return forward_error(std::move(made));
    std::string const key = content_hash_128(devices_.fingerprint() + *text);
    // Tests of one program for two interfaces run at the same time and begin with the same text.
    auto lock = impl::emulating::FolderLock::take(options_.folder + "/" + key + ".lock");
    if (!lock) return forward_error(std::move(lock));
    auto built = cache_.build(devices_, *text, spec);
    if (!built) return forward_error(std::move(built));
    if (built->result.built) {
      ::unlink(spec.output_path.c_str());
      std::error_code error;
      std::filesystem::create_hard_link(built->binary_path, spec.output_path, error);
      if (error) return fail_at(ErrorCode::kIo, spec.output_path, 0, "cannot be linked: " + error.message());
      ::utimensat(AT_FDCWD, built->binary_path.c_str(), nullptr, 0);  // in use: `forget_unused` keeps it
      std::lock_guard const guard(mutex_);
      if (*text == options_.given) given_binaries_[spec.output_path] = options_.folder + "/" + key;
    }
    return built->result;
  }

  [[nodiscard]] Result<RunResult> run(RunSpec const& asked) const override {
    RunSpec spec = asked;
    if (options_.reorder_seed) {
      spec.gin_mode = GinMode::kRandom;
      spec.seed = *options_.reorder_seed;
      spec.skew_us = kSkewUs;
    }
    std::string stem;
    {
      std::lock_guard const guard(mutex_);
      if (auto const found = given_binaries_.find(spec.binary); found != given_binaries_.end())
        stem = found->second;
    }
    if (stem.empty()) return devices_.run(spec);
    auto lock = impl::emulating::FolderLock::take(stem + ".lock");
    if (!lock) return forward_error(std::move(lock));
    std::string const path = stem + "_" + std::to_string(spec.ranks) + to_string(spec.gin_mode) +
                             std::to_string(spec.seed) + ".json";
    if (auto kept = read_run(path)) return std::move(*kept);
    auto result = devices_.run(spec);
    if (result && result->ok())
      if (auto written = write_file_atomic(path, nlohmann::json(result->rank_stdout).dump()); !written)
        return forward_error(std::move(written));
    return result;
  }

  [[nodiscard]] std::string name() const override { return devices_.name(); }
  [[nodiscard]] bool emulated() const override { return true; }
  [[nodiscard]] std::string fingerprint() const override { return devices_.fingerprint(); }
  [[nodiscard]] int capacity() const override { return devices_.capacity(); }

 private:
  static constexpr double kSkewUs = 300;

  [[nodiscard]] static std::optional<RunResult> read_run(std::string const& path) {
    auto const text = read_file(path);
    if (!text) return {};
    auto const json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_array()) return {};
    RunResult result;
    result.rank_stdout = json.get<std::vector<std::string>>();
    result.rank_stderr.resize(result.rank_stdout.size());
    return result;
  }

  KeptOptions options_;
  Devices devices_;
  BuildCache cache_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string> given_binaries_;  // to what their kept runs' names begin with
};

/// Removes what no test has used for three days, so that changes of generated code do not fill the disk.
inline void forget_unused(std::string const& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  auto const oldest = fs::file_time_type::clock::now() - std::chrono::hours(72);
  for (auto const& entry : fs::directory_iterator(folder, error)) {
    auto const path = entry.is_directory(error) ? entry.path() / "program" : entry.path();
    auto const used = fs::last_write_time(path, error);
    if (!error && used < oldest) fs::remove_all(entry.path(), error);
  }
}

}  // namespace cuco::testing
