// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace cuco::impl {

template <std::size_t N>
constexpr bool one_of(std::string_view word, std::array<std::string_view, N> const& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Words that begin or continue a statement and never name a function that is called or defined.
inline bool is_control_word(std::string_view w) {
  static constexpr std::array<std::string_view, 26> kWords = {
      "if",       "for",       "while",    "switch",  "return",  "catch",    "do",
      "else",     "case",      "sizeof",   "alignof", "throw",   "new",      "delete",
      "co_await", "co_return", "goto",     "typeid",  "alignas", "decltype", "static_assert",
      "co_yield", "requires",  "noexcept", "default", "break"};
  return one_of(w, kWords);
}

/// Names of the form NAME(…) that decorate a declaration.
inline bool is_attribute_call(std::string_view w) {
  static constexpr std::array<std::string_view, 17> kWords = {"__launch_bounds__",
                                                              "__attribute__",
                                                              "__attribute",
                                                              "alignas",
                                                              "__align__",
                                                              "decltype",
                                                              "noexcept",
                                                              "throw",
                                                              "__declspec",
                                                              "explicit",
                                                              "requires",
                                                              "asm",
                                                              "__asm__",
                                                              "__cluster_dims__",
                                                              "__block_size__",
                                                              "__maxnreg__",
                                                              "typeof"};
  return one_of(w, kWords);
}

/// Words before a declaration that are no part of its type.
inline bool is_specifier(std::string_view w) {
  static constexpr std::array<std::string_view, 28> kWords = {"static",          "inline",
                                                              "extern",          "constexpr",
                                                              "consteval",       "constinit",
                                                              "virtual",         "explicit",
                                                              "friend",          "typename",
                                                              "mutable",         "thread_local",
                                                              "register",        "__global__",
                                                              "__device__",      "__host__",
                                                              "__inline__",      "__inline",
                                                              "__forceinline__", "__noinline__",
                                                              "__shared__",      "__constant__",
                                                              "__managed__",     "__extension__",
                                                              "__restrict__",    "__grid_constant__",
                                                              "_Noreturn",       "export"};
  return one_of(w, kWords);
}

inline bool is_cv(std::string_view w) {
  return w == "const" || w == "volatile" || w == "__restrict__" || w == "__restrict" || w == "restrict";
}

inline bool is_builtin_type(std::string_view w) {
  static constexpr std::array<std::string_view, 16> kWords = {"void",
                                                              "bool",
                                                              "char",
                                                              "short",
                                                              "int",
                                                              "long",
                                                              "float",
                                                              "double",
                                                              "signed",
                                                              "unsigned",
                                                              "auto",
                                                              "wchar_t",
                                                              "char8_t",
                                                              "char16_t",
                                                              "char32_t",
                                                              "__half"};
  return one_of(w, kWords);
}

/// True for MACRO_LIKE names.
inline bool is_all_caps(std::string_view w) {
  return std::none_of(w.begin(), w.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

/// NCCL functions (ncclAllReduce), CUDA runtime functions (cudaMalloc), MPI functions. Types are left out.
inline bool is_recognised_call(std::string_view w) {
  auto upper_after = [&](std::string_view prefix) {
    return w.size() > prefix.size() && w.starts_with(prefix) && w[prefix.size()] >= 'A' &&
           w[prefix.size()] <= 'Z';
  };
  if (w.ends_with("_t") || is_all_caps(w)) return false;  // Types; MPI_CHECK and its like.
  return upper_after("nccl") || upper_after("pnccl") || upper_after("cuda") || upper_after("MPI_") ||
         upper_after("PMPI_");
}

}  // namespace cuco::impl
