// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "cuco/analysis/impl/condition.hpp"
#include "cuco/analysis/impl/words.hpp"

namespace cuco::impl {

/// Functions that end, start or steer processes, or reach outside the program.
inline bool is_process_function(std::string_view w) {
  static constexpr std::array<std::string_view, 50> kNames = {
      "exit",        "abort",          "_exit",        "_Exit",    "quick_exit", "at_quick_exit",
      "atexit",      "on_exit",        "system",       "popen",    "fork",       "vfork",
      "clone",       "posix_spawn",    "posix_spawnp", "dlopen",   "dlmopen",    "dlsym",
      "socket",      "connect",        "ptrace",       "signal",   "sigaction",  "raise",
      "kill",        "killpg",         "tgkill",       "setjmp",   "longjmp",    "sigsetjmp",
      "siglongjmp",  "syscall",        "mprotect",     "setenv",   "putenv",     "unsetenv",
      "clearenv",    "pthread_create", "pthread_exit", "prctl",    "terminate",  "set_terminate",
      "personality", "MPI_Abort",      "MPI_Finalize", "MPI_Init", "PMPI_Abort", "PMPI_Finalize",
      "LD_PRELOAD",  "alarm"};
  return one_of(w, kNames) ||
         (w.starts_with("exec") && (w == "execl" || w == "execlp" || w == "execle" || w == "execv" ||
                                    w == "execvp" || w == "execvpe" || w == "execve" || w == "execveat"));
}

/// Of those, words that a kernel's own helper may well be called.
inline bool is_common_word(std::string_view w) {
  static constexpr std::array<std::string_view, 16> kNames = {"signal",
                                                              "connect",
                                                              "raise",
                                                              "kill",
                                                              "clone",
                                                              "open",
                                                              "remove",
                                                              "rename",
                                                              "write",
                                                              "puts",
                                                              "alarm",
                                                              "socket",
                                                              "terminate",
                                                              "system",
                                                              "abort",
                                                              "exit"};
  return one_of(w, kNames);
}

inline bool is_file_function(std::string_view w) {
  static constexpr std::array<std::string_view, 18> kNames = {"fopen",
                                                              "fopen64",
                                                              "freopen",
                                                              "fdopen",
                                                              "open",
                                                              "open64",
                                                              "openat",
                                                              "creat",
                                                              "ofstream",
                                                              "ifstream",
                                                              "fstream",
                                                              "remove",
                                                              "unlink",
                                                              "rename",
                                                              "truncate",
                                                              "mmap",
                                                              "shm_open",
                                                              "memfd_create"};
  return one_of(w, kNames);
}

/// Output functions that always, or with their first argument, write to standard output.
inline bool is_stdout_function(std::string_view w) {
  static constexpr std::array<std::string_view, 12> kNames = {"printf",
                                                              "vprintf",
                                                              "puts",
                                                              "putchar",
                                                              "print",
                                                              "println",
                                                              "puts_unlocked",
                                                              "putchar_unlocked",
                                                              "wprintf",
                                                              "cout",
                                                              "stdout",
                                                              "clog"};
  return one_of(w, kNames);
}
/// Functions that write to a descriptor or redirect one.
inline bool is_descriptor_function(std::string_view w) {
  static constexpr std::array<std::string_view, 12> kNames = {"write",
                                                              "pwrite",
                                                              "writev",
                                                              "dprintf",
                                                              "vdprintf",
                                                              "dup",
                                                              "dup2",
                                                              "dup3",
                                                              "sendfile",
                                                              "splice",
                                                              "setvbuf",
                                                              "fileno"};
  return one_of(w, kNames);
}

/// Library functions whose redefinition would change what frozen code computes or prints.
inline bool is_library_function(std::string_view w) {
  static constexpr std::array<std::string_view, 44> kNames = {
      "printf", "fprintf",  "snprintf", "sprintf", "puts",    "fputs",  "fwrite", "fflush", "memcmp",
      "memcpy", "memset",   "memmove",  "strcmp",  "strncmp", "strlen", "abs",    "labs",   "llabs",
      "fabs",   "fabsf",    "fmax",     "fmaxf",   "fmin",    "fminf",  "sqrt",   "sqrtf",  "isnan",
      "isinf",  "isfinite", "rand",     "srand",   "atoi",    "atol",   "atof",   "strtol", "strtod",
      "malloc", "calloc",   "free",     "exit",    "abort",   "min",    "max",    "equal"};
  return one_of(w, kNames) || is_recognised_call(w);
}

inline bool is_allowed_include(std::string_view target) {
  if (target.size() < 3) return false;
  std::string_view const path = target.substr(1, target.size() - 2);
  if (path.find("..") != std::string_view::npos || path.front() == '/') return false;
  for (std::string_view prefix : {"cuda",
                                  "nccl",
                                  "cooperative_groups",
                                  "mma.h",
                                  "cub/",
                                  "thrust/",
                                  "curand",
                                  "vector_types",
                                  "device_",
                                  "sm_",
                                  "math_constants",
                                  "cuco/gpu/"})
    if (path.starts_with(prefix)) return true;
  static constexpr std::array<std::string_view, 44> kStandard = {
      "algorithm",        "array",    "atomic",      "bit",     "cassert",     "cfloat",
      "chrono",           "climits",  "cmath",       "complex", "concepts",    "cstddef",
      "cstdint",          "cstdio",   "cstdlib",     "cstring", "deque",       "functional",
      "initializer_list", "iterator", "limits",      "list",    "map",         "memory",
      "numeric",          "optional", "queue",       "random",  "set",         "span",
      "stdexcept",        "string",   "string_view", "tuple",   "type_traits", "unordered_map",
      "unordered_set",    "utility",  "variant",     "vector",  "assert.h",    "math.h",
      "stdint.h",         "stddef.h"};
  static constexpr std::array<std::string_view, 6> kC = {
      "stdio.h", "stdlib.h", "string.h", "float.h", "limits.h", "stdbool.h"};
  return target.front() == '<' && (one_of(path, kStandard) || one_of(path, kC));
}

/// The characters of a string literal without prefix and quotes, simple and numeric escapes resolved.
inline std::string literal_value(std::string_view token) {
  std::size_t const open = token.find('"');
  if (open == std::string_view::npos) return {};
  if (open > 0 && token[open - 1] == 'R') {
    std::size_t const begin = token.find('(');
    std::size_t const end = token.rfind(')');
    return begin < end ? std::string(token.substr(begin + 1, end - begin - 1)) : std::string();
  }
  std::string out;
  for (std::size_t i = open + 1; i + 1 < token.size(); ++i) {
    char c = token[i];
    if (std::size_t const n = splice_length(token, i); n != 0) {
      i += n - 1;
      continue;
    }
    if (c != '\\' || i + 2 >= token.size()) {
      out += c;
      continue;
    }
    c = token[++i];
    auto number = [&](int base, std::size_t digits) {
      unsigned value = 0;
      for (std::size_t k = 0; k < digits && i + 1 < token.size(); ++k) {
        std::size_t const d =
            std::string_view("0123456789abcdef").find(static_cast<char>(token[i + 1] | 0x20));
        if (d == std::string_view::npos || static_cast<int>(d) >= base) break;
        value = value * static_cast<unsigned>(base) + static_cast<unsigned>(d);
        ++i;
      }
      return static_cast<char>(value);
    };
    if (c == 'x') {
      out += number(16, 8);
    } else if (c == 'u' || c == 'U') {
      out += number(16, c == 'u' ? 4 : 8);
    } else if (is_digit(c)) {
      --i;
      out += number(8, 3);
    } else {
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
  }
  return out;
}

}  // namespace cuco::impl
