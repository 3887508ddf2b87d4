// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/evaluate/device_options.hpp"
#include "cuco/evaluate/impl/cuda_toolchain.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco::impl::evaluating {

CUCO_EVOLVE_INLINE bool file_exists(std::string const& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

CUCO_EVOLVE_INLINE std::string environment_or(char const* name, std::string fallback) {
  char const* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr && *value != '\0' ? value : fallback;
}

/// Standard output of a short-lived tool; empty when it failed.
CUCO_EVOLVE_INLINE std::string ask(std::vector<std::string> argv) {
  Command command;
  command.argv = std::move(argv);
  command.deadline = std::chrono::seconds(30);
  auto const result = run_process(command);
  return result && result->ok() ? result->out : std::string{};
}

CUCO_EVOLVE_INLINE Result<std::string> find_nvcc(std::string const& wanted) {
  if (!wanted.empty()) return find_program(wanted);
  std::vector<std::string> const places{
      "nvcc", environment_or("CUDA_HOME", "/usr/local/cuda") + "/bin/nvcc", "/usr/local/cuda/bin/nvcc"};
  for (auto const& place : places)
    if (auto found = find_program(place)) return found;
  return fail(ErrorCode::kToolMissing,
              "CUDA compiler 'nvcc' not found on PATH or in CUDA_HOME/bin",
              "install the CUDA toolkit 12.8 or later, or use emulated devices");
}

CUCO_EVOLVE_INLINE std::vector<std::string> to_nvcc_flags(std::string_view wrapper_flags) {
  std::vector<std::string> out;
  std::istringstream words{std::string(wrapper_flags)};
  for (std::string word; words >> word;) {
    std::string const head = word.substr(0, 2);
    if (head == "-I" || head == "-L" || head == "-l" || head == "-D") {
      out.push_back(word);
    } else if (word.rfind("-Wl,", 0) == 0) {
      std::istringstream parts(word.substr(4));
      for (std::string part; std::getline(parts, part, ',');) out.insert(out.end(), {"-Xlinker", part});
    } else {
      out.insert(out.end(), {"-Xcompiler", word});
    }
  }
  return out;
}

CUCO_EVOLVE_INLINE Result<CudaToolchain> find_cuda_toolchain(CudaOptions const& options) {
  auto nvcc = find_nvcc(options.nvcc);
  if (!nvcc) return forward_error(std::move(nvcc));
  auto mpicxx = find_program(options.mpicxx);
  if (!mpicxx)
    return fail(ErrorCode::kToolMissing,
                "MPI compiler wrapper '" + options.mpicxx + "' not found",
                "install it: apt-get install libopenmpi-dev");

  CudaToolchain toolchain;
  toolchain.nvcc = *nvcc;
  std::string const version = ask({*nvcc, "--version"});
  toolchain.version = version.substr(version.rfind('\n', version.size() < 2 ? 0 : version.size() - 2) + 1);
  while (!toolchain.version.empty() && toolchain.version.back() == '\n') toolchain.version.pop_back();

  std::string const home = environment_or("NCCL_HOME");
  std::string include = options.nccl_include;
  std::string lib = options.nccl_lib;
  if (include.empty() && !home.empty()) include = home + "/include";
  if (lib.empty() && !home.empty()) lib = home + "/lib";
  std::string const toolkit = nvcc->substr(0, nvcc->rfind("/bin/")) + "/include";
  bool found = !include.empty() && file_exists(include + "/nccl.h");
  if (include.empty()) {
    for (auto const& place : {std::string("/usr/include"), toolkit, std::string("/usr/local/include")})
      found = found || file_exists(place + "/nccl.h");
  }
  if (!found)
    return fail(
        ErrorCode::kToolMissing,
        "nccl.h not found in " + (include.empty() ? "the system's include directories" : "'" + include + "'"),
        "install libnccl-dev 2.28.9 or later, or set NCCL_HOME");

  if (!include.empty()) toolchain.compile_flags.push_back("-I" + include);
  for (auto& flag : to_nvcc_flags(ask({*mpicxx, "--showme:compile"})))
    toolchain.compile_flags.push_back(flag);
  if (!lib.empty()) {
    toolchain.library_path = lib;
    toolchain.link_flags.push_back("-L" + lib);
    // Python wheels carry libnccl.so.2 without the development link.
    bool const versioned_only = !file_exists(lib + "/libnccl.so") && file_exists(lib + "/libnccl.so.2");
    if (versioned_only)
      toolchain.link_flags.insert(toolchain.link_flags.end(), {"-Xlinker", lib + "/libnccl.so.2"});
    else
      toolchain.link_flags.emplace_back("-lnccl");
  } else {
    toolchain.link_flags.emplace_back("-lnccl");
  }
  for (auto& flag : to_nvcc_flags(ask({*mpicxx, "--showme:link"}))) toolchain.link_flags.push_back(flag);
  return toolchain;
}

CUCO_EVOLVE_INLINE GpuList parse_gpu_list(std::string_view csv) {
  GpuList list;
  std::istringstream lines{std::string(csv)};
  for (std::string line; std::getline(lines, line);) {
    std::size_t const comma = line.rfind(',');
    std::size_t const digit = comma == std::string::npos ? comma : line.find_first_of("0123456789", comma);
    if (digit == std::string::npos) continue;
    if (list.count++ > 0) continue;
    list.name = line.substr(0, comma);
    list.arch = "sm_";
    for (char c : line.substr(digit))
      if (c >= '0' && c <= '9') list.arch += c;
  }
  return list;
}

CUCO_EVOLVE_INLINE Result<GpuList> list_gpus() {
  auto const smi = find_program("nvidia-smi");
  GpuList list;
  if (smi) list = parse_gpu_list(ask({*smi, "--query-gpu=name,compute_cap", "--format=csv,noheader"}));
  if (list.count > 0) return list;
  return fail(ErrorCode::kToolMissing,
              smi ? "nvidia-smi lists no GPU" : "nvidia-smi not found",
              "install the NVIDIA driver, or use emulated devices");
}

/// "GPU0", "GPU12"; not the "GPU" of a heading of several words.
CUCO_EVOLVE_INLINE bool names_gpu(std::string_view word) {
  return word.size() > 3 && word.substr(0, 3) == "GPU" && word[3] >= '0' && word[3] <= '9';
}

CUCO_EVOLVE_INLINE std::string topology_fact(std::string_view table) {
  // The colours of a terminal are part of what it prints.
  std::string plain;
  bool escape = false;
  for (char const c : table) {
    escape = escape || c == '\x1b';
    if (!escape) plain += c;
    escape = escape && c != 'm';
  }
  std::istringstream lines{plain};
  std::ptrdiff_t gpus = 0;
  std::set<std::string> links;
  std::string nics;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream stream{line};
    std::vector<std::string> const words{std::istream_iterator<std::string>(stream), {}};
    if (words.empty()) continue;
    if (names_gpu(words[0]) && gpus == 0) {  // The heading: GPU0 GPU1 … NIC0 …
      gpus = std::count_if(words.begin(), words.end(), names_gpu);
    } else if (names_gpu(
                   words[0])) {  // A row: its own name, then what connects it to GPU0, GPU1, …; X is itself.
      for (std::size_t i = 1; i < words.size() && i <= static_cast<std::size_t>(gpus); ++i)
        if (words[i] != "X") links.insert(words[i]);
    } else if (words.size() == 2 && words[0].starts_with("NIC") && words[0].back() == ':') {
      nics += (nics.empty() ? "" : ", ") + words[1];
    }
  }
  if (gpus == 0) return {};
  std::string out;
  for (std::string const& link : links) out += (out.empty() ? "the GPUs are linked by " : ", ") + link;
  return (out.empty() ? "one GPU" : out) + "; NICs: " + (nics.empty() ? "none" : nics);
}

CUCO_EVOLVE_INLINE std::vector<std::string> gpu_facts() {
  auto const smi = find_program("nvidia-smi");
  if (!smi) return {};
  std::vector<std::string> out;
  std::istringstream gpus{ask(
      {*smi, "--query-gpu=index,name,memory.total,clocks.max.sm,driver_version", "--format=csv,noheader"})};
  for (std::string line; std::getline(gpus, line);)
    out.push_back("GPU " + line + " (index, name, memory, highest clock, driver)");
  if (auto fact = topology_fact(ask({*smi, "topo", "-m"})); !fact.empty()) out.push_back(std::move(fact));
  return out;
}

CUCO_EVOLVE_INLINE std::vector<std::string> nvcc_argv(CudaToolchain const& toolchain,
                                                      BuildSpec const& spec,
                                                      std::string const& arch,
                                                      bool compile_only) {
  std::vector<std::string> argv{toolchain.nvcc, "-std=c++" + std::to_string(spec.standard), "-arch=" + arch};
  if (compile_only)
    argv.insert(argv.end(), {"-c", "-O0"});
  else
    argv.emplace_back("-O3");
  for (auto const& define : spec.defines) argv.push_back("-D" + define);
  argv.insert(argv.end(), toolchain.compile_flags.begin(), toolchain.compile_flags.end());
  argv.insert(argv.end(), {spec.source_path, "-o", spec.output_path});
  if (!compile_only) argv.insert(argv.end(), toolchain.link_flags.begin(), toolchain.link_flags.end());
  return argv;
}

}  // namespace cuco::impl::evaluating
