// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuco/evaluate/device_backend.hpp"
#include "cuco/evaluate/device_options.hpp"

namespace cuco {

/// Where candidate programs are built and run: emulated devices or real GPUs. A cheap, immutable value;
/// copies share one backend. All members may be called from several threads.
///
/// Programs run as processes of their own in a process group with a deadline, resource limits, a scrubbed
/// environment (no credentials) and private temporary directories that are removed afterwards. This keeps
/// honest mistakes from doing harm; it is not a sandbox against an attacker with the same user id.
class Devices {
 public:
  /// Ranks are processes on this machine, GPUs are modelled. Never fails; missing tools show when first used.
  [[nodiscard]] static Devices emulated(EmulatedOptions options = {});
  /// Real GPUs. Never fails; missing tools show when first used.
  [[nodiscard]] static Devices cuda(CudaOptions options = {});
  /// Real GPUs when nvcc, mpirun and at least two GPUs are there, otherwise emulated ones.
  [[nodiscard]] static Devices detect(EmulatedOptions emulated = {}, CudaOptions cuda = {});
  /// Anything else.
  explicit Devices(std::shared_ptr<DeviceBackend const> backend) : backend_(std::move(backend)) {}

  /// Errors: kToolMissing (names the package), kIo, kProcess. Source that does not compile is a value.
  [[nodiscard]] Result<BuildResult> build(BuildSpec const& spec) const { return backend_->build(spec); }
  /// Errors: kToolMissing, kIo, kProcess; kInvalidArgument when there are more ranks than GPUs.
  [[nodiscard]] Result<RunResult> run(RunSpec const& spec) const { return backend_->run(spec); }
  [[nodiscard]] std::string name() const { return backend_->name(); }
  /// What is known of the machine, a line each: devices, links, memory.
  [[nodiscard]] std::vector<std::string> facts() const { return backend_->facts(); }
  [[nodiscard]] bool is_emulated() const { return backend_->emulated(); }
  /// What kind of times programs print here.
  [[nodiscard]] Origin origin() const { return is_emulated() ? Origin::kModelled : Origin::kMeasured; }
  [[nodiscard]] std::string fingerprint() const { return backend_->fingerprint(); }
  [[nodiscard]] int capacity() const { return backend_->capacity(); }

 private:
  std::shared_ptr<DeviceBackend const> backend_;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/evaluate/devices-inl.hpp"
#endif
