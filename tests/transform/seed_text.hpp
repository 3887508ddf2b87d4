// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <sstream>
#include <string>

namespace cuco::testing {

/// The text of one of the seeds.
inline std::string seed_text(std::string const& name) {
  std::ifstream file(std::string(CUCO_SOURCE_DIR) + "/seeds/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace cuco::testing
