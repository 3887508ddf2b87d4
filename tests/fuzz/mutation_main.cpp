// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Runs a libFuzzer target without libFuzzer: every file of the corpus as it is, then mutations of them, the
// same ones for the same seed. usage: PROGRAM [-max_total_time=SECONDS] [-seed=N] FOLDER|FILE…
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/rng.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace {

void run(std::string const& text) {
  LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(text.data()), text.size());
}

std::string mutate(std::vector<std::string> const& corpus, cuco::Rng& rng) {
  static constexpr std::string_view kSpice[] = {"{",
                                                "}",
                                                "(",
                                                ")",
                                                "[",
                                                "]",
                                                "<<<",
                                                ">>>",
                                                "<",
                                                ">",
                                                ";",
                                                ",",
                                                "\"",
                                                "'",
                                                "/*",
                                                "*/",
                                                "//",
                                                "#",
                                                "\\\n",
                                                "\n",
                                                "&",
                                                "=",
                                                "->",
                                                "::",
                                                "ncclGroupStart()",
                                                "ncclGroupEnd()",
                                                "for(;;)",
                                                "[&]{",
                                                "#if 0\n",
                                                "#endif\n",
                                                "#define "};
  std::string text = corpus[rng.below(corpus.size())];
  for (std::size_t edits = 1 + rng.below(8); edits > 0; --edits) {
    std::size_t const at = rng.below(text.size() + 1);
    std::size_t const n = std::min(rng.below(80), text.size() - at);
    switch (rng.below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(1 + rng.below(255));
        break;
      case 1: text.erase(at, n); break;
      case 2: text.insert(rng.below(text.size() + 1), text.substr(at, n)); break;
      case 3: text.insert(at, kSpice[rng.below(std::size(kSpice))]); break;
      case 4: {
        std::string const& other = corpus[rng.below(corpus.size())];
        text.insert(at, other.substr(rng.below(other.size() + 1), rng.below(400)));
        break;
      }
      default: text.resize(at); break;
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  double seconds = 10;
  std::uint64_t seed = 1;
  std::vector<std::string> corpus;
  auto add = [&](fs::path const& file) {
    std::ifstream in(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  };
  for (int i = 1; i < argc; ++i) {
    std::string const arg = argv[i];
    if (arg.rfind("-max_total_time=", 0) == 0) {
      seconds = std::stod(arg.substr(16));
    } else if (arg.rfind("-seed=", 0) == 0) {
      seed = std::stoull(arg.substr(6));
    } else if (fs::is_directory(arg)) {
      for (auto const& entry : fs::directory_iterator(arg))
        if (entry.is_regular_file()) add(entry.path());
    } else if (arg[0] != '-') {
      add(arg);
    }
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "usage: %s [-max_total_time=SECONDS] [-seed=N] FOLDER|FILE...\n", argv[0]);
    return 2;
  }
  for (std::string const& text : corpus) run(text);
  auto const stop = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  cuco::Rng rng(seed);
  std::size_t runs = 0;
  while (std::chrono::steady_clock::now() < stop) {
    std::string const text = mutate(corpus, rng);
    // What is running when it crashes can be read back.
    if (char const* last = std::getenv("CUCO_FUZZ_LAST")) std::ofstream(last, std::ios::binary) << text;
    run(text);
    ++runs;
  }
  std::printf("%zu inputs, %zu mutations, nothing found\n", corpus.size(), runs);
  return 0;
}
