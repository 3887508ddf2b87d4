// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuco/core/impl/errno_text.hpp"
#include "cuco/core/impl/unique_fd.hpp"
#include "cuco/evaluate/device_backend.hpp"
#include "cuco/evaluate/device_options.hpp"
#include "cuco/evaluate/impl/build_command.hpp"
#include "cuco/evaluate/impl/cuda_toolchain.hpp"
#include "cuco/evaluate/impl/mpirun.hpp"
#include "cuco/process/scratch_folder.hpp"

namespace cuco::impl::evaluating {

/// Holds the GPUs of this machine against every other run of this user, so that no two programs share them
/// while one is timed. Released by the kernel when the holder dies.
class GpuLease {
 public:
  /// Waits until the GPUs are free. Errors: kIo.
  [[nodiscard]] static Result<GpuLease> acquire() {
    std::string const path = shared_temporary_folder() + "/cuco-gpus-" + std::to_string(::getuid()) + ".lock";
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file)
      return fail_at(ErrorCode::kIo,
                     path,
                     0,
                     "cannot open the lock on the GPUs: " + errno_text(errno),
                     errno_remedy(errno));
    while (::flock(file.get(), LOCK_EX) != 0)
      if (errno != EINTR)
        return fail_at(ErrorCode::kIo, path, 0, "cannot lock the GPUs: " + errno_text(errno));
    return GpuLease(std::move(file));
  }

 private:
  explicit GpuLease(UniqueFd file) : file_(std::move(file)) {}
  UniqueFd file_;
};

/// Real GPUs of this machine.
class CudaBackend final : public DeviceBackend {
 public:
  explicit CudaBackend(CudaOptions options) : options_(std::move(options)) {}

  [[nodiscard]] Result<BuildResult> build(BuildSpec const& spec) const override {
    auto const tools = toolchain();
    if (!tools) return tl::unexpected(tools.error());
    auto const arch = this->arch();
    if (!arch) return tl::unexpected(arch.error());
    return run_build(nvcc_argv(*tools, spec, *arch, false), spec);
  }

  [[nodiscard]] Result<RunResult> run(RunSpec const& spec) const override {
    auto const tools = toolchain();
    if (!tools) return tl::unexpected(tools.error());
    auto const gpus = this->gpus();
    if (!gpus) return tl::unexpected(gpus.error());
    if (spec.ranks > capacity())
      return fail(ErrorCode::kInvalidArgument,
                  std::to_string(spec.ranks) + " ranks need as many GPUs, and there are " +
                      std::to_string(capacity()),
                  "ask for fewer ranks or use emulated devices");
    auto launcher = find_launcher(options_.mpirun);
    if (!launcher) return forward_error(std::move(launcher));
    LaunchSettings settings{std::move(*launcher), options_.output_cap};
    // NVLink multicast stays off: no multimem path is part of the design space.
    settings.environment = {"NCCL_NVLS_ENABLE=0"};
    if (!tools->library_path.empty()) {
      std::string const inherited = environment_or("LD_LIBRARY_PATH");
      settings.environment.push_back("LD_LIBRARY_PATH=" + tools->library_path +
                                     (inherited.empty() ? "" : ":" + inherited));
    }
    auto const lease = GpuLease::acquire();
    if (!lease) return tl::unexpected(lease.error());
    return launch(spec, settings);
  }

  [[nodiscard]] std::string name() const override {
    auto const gpus = this->gpus();
    if (!gpus) return "GPUs (" + gpus.error().cause + ")";
    return std::to_string(capacity()) + " x " + gpus->name + " (" + gpus->arch + ")";
  }
  [[nodiscard]] std::vector<std::string> facts() const override {
    std::vector<std::string> out{name()};
    for (std::string& line : gpu_facts()) out.push_back(std::move(line));
    if (auto const tools = toolchain()) out.push_back("nvcc " + tools->version);
    return out;
  }
  [[nodiscard]] bool emulated() const override { return false; }
  [[nodiscard]] std::string fingerprint() const override {
    auto const tools = toolchain();
    auto const arch = this->arch();
    std::string out = "cuda";
    if (tools) {
      out += " " + tools->nvcc + " " + tools->version;
      for (auto const& flag : tools->compile_flags) out += " " + flag;
      for (auto const& flag : tools->link_flags) out += " " + flag;
    }
    return out + " " + arch.value_or("");
  }
  [[nodiscard]] int capacity() const override {
    auto const gpus = this->gpus();
    int const present = gpus ? gpus->count : 0;
    return options_.gpus > 0 && options_.gpus < present ? options_.gpus : present;
  }

 private:
  // Asked once, when first needed: constructing `Devices` must not start programs.
  [[nodiscard]] Result<CudaToolchain> toolchain() const {
    std::lock_guard const lock(mutex_);
    if (!toolchain_) toolchain_ = find_cuda_toolchain(options_);
    return *toolchain_;
  }
  [[nodiscard]] Result<GpuList> gpus() const {
    std::lock_guard const lock(mutex_);
    if (!gpus_) gpus_ = list_gpus();
    return *gpus_;
  }
  [[nodiscard]] Result<std::string> arch() const {
    if (!options_.arch.empty()) return options_.arch;
    auto gpus = this->gpus();
    if (!gpus) return forward_error(std::move(gpus));
    return gpus->arch;
  }

  CudaOptions options_;
  mutable std::mutex mutex_;
  mutable std::optional<Result<CudaToolchain>> toolchain_;
  mutable std::optional<Result<GpuList>> gpus_;
};

}  // namespace cuco::impl::evaluating
