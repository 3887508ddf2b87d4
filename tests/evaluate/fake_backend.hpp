// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cuco/evaluate/devices.hpp"

namespace cuco::testing {

/// A directory that goes away at the end of the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "cuco-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data()) != nullptr ? name : std::string{};
  }
  TemporaryDirectory(TemporaryDirectory const&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory const&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string const& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string const& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string slurp(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void spit(std::string const& path, std::string const& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline void make_script(std::string const& path, std::string const& text) {
  spit(path, text);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

inline std::string contract_lines(double ms, char const* verdict = "PASS") {
  return "Time: " + std::to_string(ms) + " ms\nVerification: " + verdict + "\n";
}

/// A run in which every rank did what it should.
inline RunResult good_run(std::vector<double> const& rank_ms) {
  RunResult result;
  for (double ms : rank_ms) result.rank_stdout.push_back(contract_lines(ms));
  result.rank_stderr.resize(rank_ms.size());
  return result;
}

/// Devices that do what the test says and remember what they were asked.
class FakeBackend final : public DeviceBackend {
 public:
  std::function<Result<BuildResult>(BuildSpec const&)> on_build =
      [](BuildSpec const& spec) -> Result<BuildResult> {
    make_script(spec.output_path, "binary");
    BuildResult result;
    result.built = true;
    return result;
  };
  std::function<Result<RunResult>(RunSpec const&)> on_run = [](RunSpec const& spec) -> Result<RunResult> {
    return good_run(std::vector<double>(static_cast<std::size_t>(spec.ranks), 1.0));
  };
  bool is_emulated = true;
  mutable std::mutex mutex;
  mutable std::vector<BuildSpec> builds;
  mutable std::vector<RunSpec> runs;

  [[nodiscard]] Result<BuildResult> build(BuildSpec const& spec) const override {
    {
      std::lock_guard const lock(mutex);
      builds.push_back(spec);
    }
    return on_build(spec);
  }
  [[nodiscard]] Result<RunResult> run(RunSpec const& spec) const override {
    {
      std::lock_guard const lock(mutex);
      runs.push_back(spec);
    }
    return on_run(spec);
  }
  [[nodiscard]] std::string name() const override { return "fake devices"; }
  [[nodiscard]] bool emulated() const override { return is_emulated; }
  [[nodiscard]] std::string fingerprint() const override { return "fake"; }
  [[nodiscard]] int capacity() const override { return 0; }
};

}  // namespace cuco::testing
