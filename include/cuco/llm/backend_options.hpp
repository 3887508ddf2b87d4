// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

namespace cuco {

/// What the backends and embedders of providers have in common. Empty texts stand for the provider's usual
/// value, which docs/models.md lists.
struct BackendOptions {
  std::string model{};     ///< As the provider calls it.
  std::string base_url{};  ///< Else the provider's variable (such as ANTHROPIC_BASE_URL), else its address.
  /// The variable that holds the key, in place of the provider's usual ones.
  std::string api_key_env{};
  /// A file of lines `NAME=value`, read before the environment: keys, base URLs, regions. Empty:
  /// CUCO_KEY_FILE of the environment, else none.
  std::string key_file{};
  std::string ca_file{};  ///< PEM file with the authorities to trust; empty: CUCO_CA_FILE, else the system's.
  std::chrono::milliseconds connect_deadline{15'000};
  /// Without a byte for so long: kTimeout. Models that think may be silent for minutes. Does not count where
  /// the reply is not streamed.
  std::chrono::milliseconds stall_deadline{300'000};
  std::chrono::milliseconds deadline{1'200'000};    ///< Of one whole call.
  std::size_t most_bytes = std::size_t{64} << 20U;  ///< A longer reply is an error.
  bool stream = true;         ///< Ask for the reply piece by piece: a stalled server is noticed early.
  std::string region{};       ///< Bedrock: else AWS_REGION, AWS_DEFAULT_REGION, us-east-1.
  std::string api_version{};  ///< Azure: a dated version of the deployments API; empty: the version-free one.
  std::string program{};      ///< claude-cli: the program; empty: `claude` in PATH.
  std::atomic<bool> const* cancel = nullptr;  ///< Set it to true from any thread to stop calls: kCancelled.
};

}  // namespace cuco
