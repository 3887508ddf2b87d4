// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/llm/impl/settings.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  auto const begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

CUCO_EVOLVE_INLINE std::string environment_value(std::string const& name) {
  char const* const value = std::getenv(name.c_str());
  return value != nullptr ? std::string(trimmed(value)) : std::string();
}

CUCO_EVOLVE_INLINE Result<Settings> Settings::read(BackendOptions const& options) {
  Settings settings;
  std::string const file = options.key_file.empty() ? environment_value("CUCO_KEY_FILE") : options.key_file;
  if (file.empty()) return settings;
  auto const content = read_file(file);
  if (!content) return tl::unexpected<Error>(content.error());
  if (struct stat info{}; ::stat(file.c_str(), &info) == 0 && (info.st_mode & (S_IRGRP | S_IROTH)) != 0)
    log_warning("the key file '" + file + "' can be read by others (chmod 600)");
  std::string_view rest = *content;
  for (std::uint32_t number = 1; !rest.empty(); ++number) {
    auto const end = std::min(rest.find('\n'), rest.size());
    auto line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    if (line.substr(0, 7) == "export ") line = trimmed(line.substr(7));
    auto const equals = line.find('=');
    auto const name = trimmed(line.substr(0, equals));
    bool const named = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
    // The line itself stays out of the error: it may be a key.
    if (equals == std::string_view::npos || !named)
      return fail_at(ErrorCode::kParse, file, number, "this line of the key file is not NAME=value");
    auto value = trimmed(line.substr(equals + 1));
    if (value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    settings.file_[std::string(name)] = Secret(std::string(value));
  }
  return settings;
}

CUCO_EVOLVE_INLINE std::string Settings::get(std::string const& name) const {
  auto const found = file_.find(name);
  if (found != file_.end() && !found->second.empty()) return found->second.reveal();
  return environment_value(name);
}

CUCO_EVOLVE_INLINE std::string Settings::first(std::initializer_list<char const*> names) const {
  for (char const* name : names)
    if (std::string value = get(name); !value.empty()) return value;
  return {};
}

}  // namespace cuco::impl
