// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cuco/core/rng.hpp"

namespace cuco::testing {

inline std::string read_file(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline std::vector<std::string> seed_files() {
  std::vector<std::string> out;
  std::filesystem::path const folder = std::filesystem::path(CUCO_SOURCE_DIR) / "seeds";
  if (std::filesystem::is_directory(folder))
    for (auto const& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".cu") out.push_back(entry.path().string());
  std::sort(out.begin(), out.end());
  return out;
}

/// A few random edits: bytes changed, ranges deleted, doubled or moved, brackets and quotes inserted.
inline std::string mutate_bytes(std::string text, std::uint64_t seed) {
  Rng rng(seed);
  std::string const spice = "{}()[]<>;,\"'/*#\\\n&=";
  for (std::size_t edits = 1 + rng.below(6); edits > 0 && !text.empty(); --edits) {
    std::size_t const at = rng.below(text.size());
    std::size_t const size = std::min(rng.below(60), text.size() - at);
    switch (rng.below(5)) {
      case 0: text[at] = static_cast<char>(1 + rng.below(255)); break;
      case 1: text.erase(at, size); break;
      case 2: text.insert(rng.below(text.size()), text.substr(at, size)); break;
      case 3: text.insert(at, 1, spice[rng.below(spice.size())]); break;
      default: text.resize(at); break;
    }
  }
  return text;
}

}  // namespace cuco::testing
