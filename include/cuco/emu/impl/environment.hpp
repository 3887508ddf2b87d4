// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "cuco/emu/impl/fatal.hpp"
#include "cuco/emu/impl/machine_keys.hpp"
#include "cuco/emu/impl/machine_model.hpp"

namespace cuco::emu::impl {

/// Sets one parameter. False: no such key, or not a number.
inline bool set_machine_key(Machine& machine, std::string const& key, std::string const& value) {
  bool found = false, good = true;
  machine.for_each([&](std::string const& name, auto& field) {
    if (name != key) return;
    found = true;
    if constexpr (std::is_same_v<std::decay_t<decltype(field)>, std::string>) {
      field = value;
    } else {
      char* end = nullptr;
      double number = std::strtod(value.c_str(), &end);
      good = end != value.c_str() && *end == '\0';
      field = static_cast<std::decay_t<decltype(field)>>(number);
    }
  });
  return found && good;
}

inline Machine read_machine() {
  Machine machine;
  char const* path = std::getenv("CUCO_EMU_MACHINE");
  if (path == nullptr || *path == '\0') return machine;
  std::ifstream in(path);
  if (!in) fatal(kNotEmulated, "cannot read the machine description %s (CUCO_EMU_MACHINE)", path);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (auto comment = line.find('#'); comment != std::string::npos) line.resize(comment);
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (line.empty()) continue;
    auto equals = line.find('=');
    if (equals == std::string::npos ||
        !set_machine_key(machine, line.substr(0, equals), line.substr(equals + 1)))
      fatal(kNotEmulated, "%s:%d: not a machine parameter: %s", path, number, line.c_str());
  }
  return machine;
}

/// How puts are scheduled (gin_engine.hpp).
enum class GinMode { kEager, kLazy, kRandom, kAdversarial };

/// Everything the runtime takes from its environment, read once.
struct Environment {
  Machine machine = read_machine();
  GinMode mode = GinMode::kEager;
  std::uint64_t seed = 1;
  double skew_us = 0;
  double deadlock_ms = 2000;
  std::string report_dir;
  std::string trace_dir;  ///< Empty: no trace is written.
  int world_rank = 0;
  int world_size = 1;

  static Environment const& get() {
    static Environment const* const environment = new Environment;
    return *environment;
  }

 private:
  static double number(char const* name, double otherwise) {
    char const* text = std::getenv(name);
    return text != nullptr && *text != '\0' ? std::strtod(text, nullptr) : otherwise;
  }
  Environment() {
    if (char const* text = std::getenv("CUCO_EMU_GIN_MODE"); text != nullptr && *text != '\0') {
      if (std::strcmp(text, "lazy") == 0)
        mode = GinMode::kLazy;
      else if (std::strcmp(text, "random") == 0)
        mode = GinMode::kRandom;
      else if (std::strcmp(text, "adversarial") == 0)
        mode = GinMode::kAdversarial;
      else if (std::strcmp(text, "eager") != 0)
        fatal(kNotEmulated, "not emulated: CUCO_EMU_GIN_MODE=%s (eager, lazy, random or adversarial)", text);
    }
    if (char const* text = std::getenv("CUCO_EMU_SEED")) seed = std::strtoull(text, nullptr, 0);
    skew_us = number("CUCO_EMU_SKEW_US", 0);
    deadlock_ms = number("CUCO_EMU_DEADLOCK_MS", 2000);
    if (char const* text = std::getenv("CUCO_EMU_REPORT_DIR")) report_dir = text;
    if (char const* text = std::getenv("CUCO_EMU_TRACE_DIR")) trace_dir = text;
    for (char const* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"})
      if (std::getenv(name) != nullptr) {
        world_rank = static_cast<int>(number(name, 0));
        message_rank = world_rank;
        break;
      }
    world_size = static_cast<int>(number("OMPI_COMM_WORLD_SIZE", number("PMI_SIZE", 1)));
    if (world_size < 1) world_size = 1;
  }
};

inline Machine const& machine() {
  return Environment::get().machine;
}

/// Number of ranks that share one node of the modelled machine.
inline int ranks_per_node(int ranks) {
  return ranks < machine().gpus_per_node ? ranks : machine().gpus_per_node;
}

/// SplitMix64: small, seedable, the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, n).
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }

 private:
  std::uint64_t state_;
};

}  // namespace cuco::emu::impl
