// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <map>
#include <string>

#include "cuco/core/result.hpp"
#include "cuco/llm/backend_options.hpp"
#include "cuco/llm/secret.hpp"

namespace cuco::impl {

/// Variables of the key file and, behind it, of the environment.
class Settings {
 public:
  /// Reads the key file that `options` or CUCO_KEY_FILE name; without one, the environment alone.
  ///
  /// Lines are `NAME=value`, with or without "export " before and quotes around the value; empty lines and
  /// lines that begin with # are skipped. Errors: kNotFound, kIo, and kParse with file and line.
  [[nodiscard]] static Result<Settings> read(BackendOptions const& options);

  /// The first of `names` that is set and not empty; else an empty text.
  [[nodiscard]] std::string first(std::initializer_list<char const*> names) const;
  [[nodiscard]] std::string get(std::string const& name) const;
  [[nodiscard]] Secret secret(std::string const& name) const { return Secret(get(name)); }

 private:
  std::map<std::string, Secret> file_{};
};

}  // namespace cuco::impl

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/llm/impl/settings-inl.hpp"
#endif
