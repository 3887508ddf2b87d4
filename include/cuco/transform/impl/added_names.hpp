// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "cuco/analysis/impl/lint_names.hpp"
#include "cuco/analysis/impl/names.hpp"

/// @file
/// What host code may name that is added around kernels which communicate. Everything else has to be declared
/// in what is added, or be the original's way to name its communication.

namespace cuco::impl::transforming {

/// Of C++: words that neither leave a function nor reach memory that is not the code's own.
inline bool is_harmless_keyword(std::string_view w) {
  static constexpr std::array<std::string_view, 48> kWords = {
      "if",       "else",      "for",           "while",     "do",     "switch",          "case",
      "default",  "struct",    "class",         "enum",      "using",  "typename",        "template",
      "sizeof",   "alignof",   "const",         "constexpr", "inline", "static_cast",     "void",
      "bool",     "char",      "short",         "int",       "long",   "float",           "double",
      "signed",   "unsigned",  "auto",          "nullptr",   "true",   "false",           "public",
      "private",  "namespace", "noexcept",      "return",    "break",  "continue",        "volatile",
      "explicit", "typedef",   "static_assert", "decltype",  "final",  "reinterpret_cast"};
  return one_of(w, kWords);
}

/// Of CUDA's language, in the heads of declarations.
inline bool is_device_word(std::string_view w) {
  static constexpr std::array<std::string_view, 9> kWords = {"__device__",
                                                             "__constant__",
                                                             "__host__",
                                                             "__forceinline__",
                                                             "__inline__",
                                                             "__restrict__",
                                                             "__align__",
                                                             "alignas",
                                                             "__noinline__"};
  return one_of(w, kWords);
}

/// Of the standard library, by themselves.
inline bool is_harmless_library_name(std::string_view w) {
  static constexpr std::array<std::string_view, 24> kWords = {
      "std",     "size_t",  "ptrdiff_t", "uint8_t",   "uint16_t", "uint32_t",     "uint64_t", "int8_t",
      "int16_t", "int32_t", "int64_t",   "uintptr_t", "intptr_t", "NULL",         "stderr",   "fprintf",
      "abort",   "exit",    "__FILE__",  "__LINE__",  "assert",   "EXIT_FAILURE", "dim3",     "uint"};
  return one_of(w, kWords);
}
/// After `std::`, or as a member of an object.
inline bool is_harmless_qualified_name(std::string_view w) {
  static constexpr std::array<std::string_view, 33> kWords = {"min",
                                                              "max",
                                                              "vector",
                                                              "array",
                                                              "push_back",
                                                              "emplace_back",
                                                              "size",
                                                              "data",
                                                              "resize",
                                                              "begin",
                                                              "end",
                                                              "empty",
                                                              "reserve",
                                                              "back",
                                                              "front",
                                                              "byte",
                                                              "move",
                                                              "first",
                                                              "second",
                                                              "pair",
                                                              "initializer_list",
                                                              "x",
                                                              "y",
                                                              "z",
                                                              "get",
                                                              "size_t",
                                                              "multiProcessorCount",
                                                              "maxThreadsPerBlock",
                                                              "uint32_t",
                                                              "uint64_t",
                                                              "uint8_t",
                                                              "int32_t",
                                                              "int64_t"};
  return one_of(w, kWords);
}

/// Of those, members that do not change the original's object.
inline bool is_harmless_reading(std::string_view w) {
  static constexpr std::array<std::string_view, 13> kWords = {
      "size", "data", "begin", "end", "empty", "back", "front", "first", "second", "x", "y", "z", "get"};
  return one_of(w, kWords);
}

/// Of CUDA's host side. Copies are looked at one by one.
inline bool is_harmless_cuda_name(std::string_view w) {
  static constexpr std::array<std::string_view, 24> kWords = {"cudaMalloc",
                                                              "cudaFree",
                                                              "cudaMallocAsync",
                                                              "cudaFreeAsync",
                                                              "cudaGetLastError",
                                                              "cudaPeekAtLastError",
                                                              "cudaDeviceSynchronize",
                                                              "cudaStreamSynchronize",
                                                              "cudaGetDevice",
                                                              "cudaDeviceGetAttribute",
                                                              "cudaGetDeviceProperties",
                                                              "cudaFuncSetAttribute",
                                                              "cudaGetErrorString",
                                                              "cudaLaunchKernel",
                                                              "cudaLaunchCooperativeKernel",
                                                              "cudaMemset",
                                                              "cudaMemsetAsync",
                                                              "cudaMemcpyAsync",
                                                              "cudaMemcpyDeviceToDevice",
                                                              "cudaSuccess",
                                                              "cudaStream_t",
                                                              "cudaDeviceProp",
                                                              "cooperative_groups",
                                                              "cuda"};
  return one_of(w, kWords) || w.starts_with("cudaDevAttr") || w.starts_with("cudaFuncAttribute") ||
         w.starts_with("cudaOccupancy") || w.starts_with("cudaError");
}

/// Of MPI: what moves no data.
inline bool is_harmless_mpi_name(std::string_view w) {
  static constexpr std::array<std::string_view, 6> kWords = {
      "MPI_Barrier", "MPI_COMM_WORLD", "MPI_SUCCESS", "MPI_Comm", "MPI_Abort", "MPI_Comm_rank"};
  return one_of(w, kWords);
}

inline bool is_nccl_name(std::string_view w) {
  bool const upper = w.size() > 4 && w[4] >= 'A' && w[4] <= 'Z';
  bool const prefix = (w.starts_with("nccl") && upper) || w.starts_with("NCCL_");
  return prefix && find_collective(w) == nullptr && !w.starts_with("ncclRedOp") && w != "ncclCommInitAll";
}

/// Never, whoever declares them.
inline bool is_never_added(std::string_view w) {
  static constexpr std::array<std::string_view, 24> kWords = {
      "goto",          "throw",       "asm",          "__asm__",     "__asm",        "operator",
      "extern",        "new",         "delete",       "friend",      "try",          "catch",
      "const_cast",    "static",      "thread_local", "co_return",   "co_await",     "co_yield",
      "__attribute__", "__attribute", "__declspec",   "__managed__", "dynamic_cast", "_Pragma"};
  bool const output = (is_stdout_function(w) || is_descriptor_function(w) || is_file_function(w)) &&
                      w != "signal" && w != "print";
  bool const process = is_process_function(w) && !is_common_word(w) && w != "MPI_Abort" && w != "abort";
  return one_of(w, kWords) || output || process ||
         (is_common_word(w) && w != "signal" && w != "exit" && w != "abort");
}

}  // namespace cuco::impl::transforming
