// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/subprocess.hpp"

namespace cuco::testing {

/// The flag that makes nvcc translate quickly instead of well, which is all that tests need; nothing for
/// versions without it.
inline std::vector<std::string> fast_translation(std::string const& nvcc) {
  auto const help = run_process(Command{{nvcc, "--help"}});
  bool const known = help && help->out.find("-Ofc") != std::string::npos;
  return known ? std::vector<std::string>{"-Ofc=max"} : std::vector<std::string>{};
}

/// nvcc with the warnings of -Wall and -Wextra, through ccache where that is installed: the same text gives
/// the same verdict.
class Nvcc {
 public:
  /// @param nccl_headers a folder with nccl.h and nccl_device.h; empty: those that are installed. Against
  /// given ones device code is checked and instantiated but not translated to machine code: other headers
  /// declare other things, and translating takes ten times as long.
  explicit Nvcc(std::string nccl_headers = {}) : headers_(std::move(nccl_headers)) {
    namespace fs = std::filesystem;
    std::string const usual = "/usr/local/cuda/bin/nvcc";
    auto const found = find_program("nvcc");
    nvcc_ = found ? *found : fs::exists(usual) ? usual : std::string();
    if (nvcc_.empty()) {
      missing_ = "nvcc is not installed";
      return;
    }
    auto const toolkit = fs::path(nvcc_).parent_path().parent_path() / "include";
    if (!headers_.empty()
            ? !fs::exists(headers_ + "/nccl_device.h")
            : !fs::exists(toolkit / "nccl_device.h") && !fs::exists("/usr/include/nccl_device.h"))
      missing_ = "the NCCL headers with the device interface are not " +
                 (headers_.empty() ? std::string("installed") : "in " + headers_);
    auto const mpi = run_process(Command{{"mpicxx", "--showme:incdirs"}});
    if (!mpi || !mpi->ok()) missing_ = "mpicxx is not installed";
    if (!missing_.empty()) return;
    fast_ = fast_translation(nvcc_);
    std::istringstream words(mpi->out);
    for (std::string word; words >> word;) mpi_.push_back("-I" + word);
  }

  /// Why there is nothing to compile with; empty when there is.
  [[nodiscard]] std::string const& missing() const { return missing_; }

  /// Compiles `code` as `folder`/`label`.cu. What it says about that text, whatever it says of the headers of
  /// others; empty: all is well.
  [[nodiscard]] std::string complaints(std::string const& code,
                                       std::string const& folder,
                                       std::string const& label,
                                       int standard = 17) const {
    std::filesystem::create_directories(folder);
    std::string const source = folder + "/" + label + ".cu";
    std::ofstream(source) << code;
    std::vector<std::string> argv{nvcc_,
                                  "-std=c++" + std::to_string(standard),
                                  "-arch=sm_90",
                                  "-Xcompiler",
                                  "-Wall,-Wextra",
                                  "-DOMPI_SKIP_MPICXX",
                                  "-c",
                                  source,
                                  "-o",
                                  source + ".o"};
    // Before the toolkit's own folder, where a release of NCCL may be installed.
    if (!headers_.empty()) argv.insert(argv.end(), {"-I" + headers_, "-fdevice-syntax-only"});
    if (headers_.empty()) argv.insert(argv.end(), fast_.begin(), fast_.end());
    argv.insert(argv.end(), mpi_.begin(), mpi_.end());
    if (auto const ccache = find_program("ccache")) argv.insert(argv.begin(), *ccache);
    Command command{argv};
    command.environment = {"TMPDIR=" + folder, "LC_ALL=C"};
    command.deadline = std::chrono::minutes(5);
    auto const result = run_process(command);
    std::filesystem::remove(source + ".o");
    if (!result) return to_line(result.error());
    if (!result->ok()) return describe(*result) + "\n" + result->err + result->out;
    return lines_about(source, result->err + result->out);
  }

 private:
  /// Diagnostics begin with the file they are about, whichever compiler wrote them; ptxas names none.
  [[nodiscard]] static std::string lines_about(std::string const& source, std::string const& text) {
    std::istringstream lines(text);
    std::string out;
    for (std::string line; std::getline(lines, line);)
      if (line.find("warning") != std::string::npos &&
          (line.rfind(source, 0) == 0 || line.rfind("ptxas", 0) == 0))
        out += line + "\n";
    return out;
  }

  std::string headers_, nvcc_, missing_;
  std::vector<std::string> mpi_, fast_;
};

}  // namespace cuco::testing
