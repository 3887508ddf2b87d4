// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/emu/impl/emulator_folder.hpp"
#include "cuco/emu/impl/machine_keys.hpp"
#include "cuco/emu/machine.hpp"

namespace cuco {
namespace impl::emulating {

CUCO_EVOLVE_INLINE Result<Machine> read_machine_text(std::string_view toml,
                                                     std::string const& file,
                                                     int depth);
CUCO_EVOLVE_INLINE Result<Machine> read_machine_file(std::string const& name_or_path, int depth);

/// Sorts the keys of a machine file into a `Machine`.
class MachineReader {
 public:
  MachineReader(std::string const& file, int depth) : file_(file), depth_(depth) {
    machine_.file = file;
    emu::impl::Machine defaults;
    defaults.for_each([this](std::string const& key, auto& value) {
      if constexpr (!std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
        machine_.parameters.emplace_back(key, static_cast<double>(value));
        if (std::is_integral_v<std::decay_t<decltype(value)>>) whole_.insert(key);
      }
    });
  }

  Result<Machine> read(toml::table const& root) {
    if (toml::node const* node = root.get("base"); node != nullptr) {
      if (Status done = base(*node); !done) return forward_error(std::move(done));
    }
    for (auto const& [key, node] : root) {
      Status done{};
      if (node.is_table()) {
        done = table(*node.as_table(), std::string(key.str()));
      } else {
        done = text(key.str(), node);
      }
      if (!done) return forward_error(std::move(done));
    }
    if (machine_.name.empty())
      return fail_at(ErrorCode::kParse, file_, 1, "the machine has no name", "add name = \"...\"");
    return std::move(machine_);
  }

 private:
  [[nodiscard]] tl::unexpected<Error> problem(toml::node const& node,
                                              std::string cause,
                                              std::string remedy = {}) const {
    return fail_at(ErrorCode::kParse, file_, node.source().begin.line, std::move(cause), std::move(remedy));
  }

  /// The parameters of another machine first; this file's replace them.
  Status base(toml::node const& node) {
    auto const value = node.value<std::string>();
    if (!value) return problem(node, "'base' is not a string");
    if (depth_ >= 4)
      return problem(node, fmt::format("the chain of base machines does not end (at '{}')", *value));
    Result<Machine> machine = read_machine_file(*value, depth_ + 1);
    if (!machine) return problem(node, fmt::format("base '{}': {}", *value, to_line(machine.error())));
    machine_.parameters = std::move(machine->parameters);
    machine_.shared_process = std::move(machine->shared_process);
    machine_.issue_mode = machine->issue_mode;
    return {};
  }

  Status text(std::string_view key, toml::node const& node) {
    if (key == "base") return {};
    if (key != "name" && key != "description")
      return problem(
          node, fmt::format("unknown key '{}'", key), "parameters belong into a table such as [gpu]");
    auto const value = node.value<std::string>();
    if (!value) return problem(node, fmt::format("'{}' is not a string", key));
    // One line of the flat file each.
    if (value->find_first_of("\r\n#=") != std::string::npos || (key == "name" && value->empty()))
      return problem(node, fmt::format("'{}' is empty or holds a line break, '#' or '='", key));
    (key == "name" ? machine_.name : machine_.description) = *value;
    return {};
  }

  Status table(toml::table const& entries, std::string const& path) {
    for (auto const& [key, node] : entries) {
      std::string const name(key.str());
      Status done{};
      if (node.is_table()) {
        done = table(*node.as_table(), path + "." + name);
      } else if (path == "host" && name == "issue_mode") {
        done = issue_mode(node);
      } else {
        done = parameter(name, path, node);
      }
      if (!done) return done;
    }
    return {};
  }

  Status issue_mode(toml::node const& node) {
    auto const value = node.value<std::string>();
    for (IssueMode mode : {IssueMode::kProcessPerGpu, IssueMode::kSharedProcess}) {
      if (!value || *value != to_string(mode)) continue;
      machine_.issue_mode = mode;
      return {};
    }
    return problem(node, "issue_mode is neither \"process_per_gpu\" nor \"shared_process\"");
  }

  Status parameter(std::string const& leaf, std::string const& path, toml::node const& node) {
    constexpr std::string_view kCollective = "collective.";
    bool const shared = path == "host.shared_process";
    std::string key = leaf;
    if (path.substr(0, kCollective.size()) == kCollective) key = path.substr(kCollective.size()) + "_" + leaf;
    auto const at = std::find_if(machine_.parameters.begin(),
                                 machine_.parameters.end(),
                                 [&](auto const& entry) { return entry.first == key; });
    if (at == machine_.parameters.end())
      return problem(node, fmt::format("unknown machine parameter '{}' in [{}]", leaf, path), nearest(key));
    if (!node.is_number()) return problem(node, fmt::format("'{}' is not a number", leaf));
    double const value = node.value<double>().value_or(0);
    bool const positive = whole_.count(key) != 0 || (key.size() > 5 && key.substr(key.size() - 5) == "_gbps");
    if (!std::isfinite(value) || value < 0 || value > 1e15 ||
        (positive && value == 0 && key != "issue_serialised"))
      return problem(node,
                     fmt::format("'{}' = {} is out of range", leaf, value),
                     positive ? "give a positive number" : "give a number >= 0");
    if (whole_.count(key) != 0 && value != std::floor(value))
      return problem(node, fmt::format("'{}' = {} is not a whole number", leaf, value));
    if (!seen_.insert((shared ? "shared." : "") + key).second)
      return problem(node, fmt::format("'{}' is given twice", key));
    if (shared) {
      auto const old = std::find_if(machine_.shared_process.begin(),
                                    machine_.shared_process.end(),
                                    [&](auto const& entry) { return entry.first == key; });
      if (old != machine_.shared_process.end()) machine_.shared_process.erase(old);
      machine_.shared_process.emplace_back(key, value);
    } else {
      at->second = value;
    }
    return {};
  }

  [[nodiscard]] std::string nearest(std::string const& key) const {
    std::string const stem = key.substr(0, key.find('_'));
    std::string out;
    for (auto const& [known, value] : machine_.parameters) {
      if (known.find(stem) == std::string::npos || out.size() > 120) continue;
      out += (out.empty() ? "did you mean " : " or ") + known;
    }
    return out;
  }

  std::string const& file_;
  int depth_;
  Machine machine_{};
  std::set<std::string, std::less<>> whole_{};
  std::set<std::string> seen_{};
};

CUCO_EVOLVE_INLINE std::string machine_folder() {
  return emulator_folder() + "/machines";
}

CUCO_EVOLVE_INLINE Result<Machine> read_machine_text(std::string_view toml,
                                                     std::string const& file,
                                                     int depth) {
  try {
    return MachineReader(file, depth).read(toml::parse(toml, file));
  } catch (toml::parse_error const& error) {
    return fail_at(ErrorCode::kParse, file, error.source().begin.line, std::string(error.description()));
  }
}

CUCO_EVOLVE_INLINE Result<Machine> read_machine_file(std::string const& name_or_path, int depth) {
  std::string const name = name_or_path.empty() ? "h200-nvlink" : name_or_path;
  bool const path =
      name.find('/') != std::string::npos || (name.size() > 5 && name.substr(name.size() - 5) == ".toml");
  std::string const file = path ? name : machine_folder() + "/" + name + ".toml";
  std::ifstream in(file, std::ios::binary);
  std::error_code ignored;
  if (!in || std::filesystem::is_directory(file, ignored)) {
    if (path) return fail(ErrorCode::kNotFound, "machine file '" + file + "' cannot be read");
    return fail(
        ErrorCode::kNotFound,
        "no machine '" + name + "'",
        fmt::format("choose one of {} or give a path to a .toml file", fmt::join(machine_names(), ", ")));
  }
  std::ostringstream text;
  text << in.rdbuf();
  return read_machine_text(text.str(), file, depth);
}

}  // namespace impl::emulating

CUCO_EVOLVE_INLINE std::optional<double> Machine::parameter(std::string_view key) const {
  if (issue_mode == IssueMode::kSharedProcess) {
    for (auto const& [name_, value] : shared_process)
      if (name_ == key) return value;
  }
  for (auto const& [name_, value] : parameters)
    if (name_ == key) return value;
  return std::nullopt;
}

CUCO_EVOLVE_INLINE Result<Machine> parse_machine(std::string_view toml, std::string const& file) {
  return impl::emulating::read_machine_text(toml, file, 0);
}

CUCO_EVOLVE_INLINE Result<Machine> load_machine(std::string const& name_or_path) {
  return impl::emulating::read_machine_file(name_or_path, 0);
}

CUCO_EVOLVE_INLINE std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (auto const& entry : std::filesystem::directory_iterator(impl::emulating::machine_folder(), error))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

CUCO_EVOLVE_INLINE std::string flatten(Machine const& machine) {
  std::string out = "name=" + machine.name + "\n";
  for (auto const& [key, value] : machine.parameters)
    out += fmt::format("{}={}\n", key, machine.parameter(key).value_or(value));
  return out;
}

}  // namespace cuco
