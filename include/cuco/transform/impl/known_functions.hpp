// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

#include "cuco/analysis/impl/words.hpp"

namespace cuco::impl {

/// What a function that the program does not define does to what it is given.
enum class Effect : std::uint8_t {
  kUnknown,  ///< Anything.
  kPure,     ///< Reads its arguments; the result depends on nothing else.
  kQuiet,    ///< Reads its arguments; the result may be anything.
  kWriter    ///< Sets what its arguments point to, from the other arguments.
};

/// Whether `word` is one of the blank-separated words of `list`.
constexpr bool is_listed(std::string_view list, std::string_view word) {
  for (std::size_t at = list.find(word); at != std::string_view::npos; at = list.find(word, at + 1)) {
    std::size_t const end = at + word.size();
    if ((at == 0 || list[at - 1] == ' ') && (end == list.size() || list[end] == ' ')) return !word.empty();
  }
  return false;
}

inline Effect effect_of(std::string_view name) {
  constexpr std::string_view kPure =
      "min max abs labs llabs fabs fabsf sqrt sqrtf cbrt pow powf powl log logf log2 log10 exp expf exp2 "
      "floor "
      "floorf ceil ceilf round roundf lround llround trunc fmod fmodf remainder hypot sin cos tan sinf cosf "
      "tanh "
      "isnan isinf isfinite signbit copysign nextafter div ldiv make_pair make_tuple move forward get gcd "
      "lcm "
      "clamp strtol strtoul strtoll strtoull atoi atol atoll atof strtod strtof stoi stol stoll stoul stoull "
      "stof stod to_string strcmp strncmp strcasecmp strlen strstr strchr strrchr memcmp accumulate distance "
      "next prev begin end cbegin cend size ssize data empty max_element min_element minmax count count_if "
      "find "
      "find_if equal any_of all_of none_of lower_bound upper_bound binary_search is_sorted as_const malloc "
      "calloc aligned_alloc assert static_assert bit_cast popcount isdigit isalpha isspace toupper tolower "
      "exchange getopt getopt_long make_float2 make_float4 make_double2 make_int2 make_uint2 make_uint4 dim3 "
      "__float2half "
      "__half2float __float2bfloat16 __bfloat162float ncclGetErrorString cudaGetErrorString cudaGetErrorName "
      "ncclTypeSize sizeof alignof";
  constexpr std::string_view kQuiet =
      "printf fprintf vprintf vfprintf puts fputs putchar fputc fflush perror fwrite fclose fopen setvbuf "
      "getpid "
      "gethostid rand random drand48 srand srandom clock time difftime exit _exit _Exit abort quick_exit "
      "terminate free setenv unsetenv usleep sleep nanosleep sched_yield sleep_for now strerror remove "
      "unlink "
      "system secure_getenv getenv flush endl setprecision setw setfill defaultfloat fixed";
  constexpr std::string_view kWriter =
      "swap iter_swap memcpy memmove memset strcpy strncpy strcat strncat snprintf sprintf sscanf fill "
      "fill_n "
      "iota copy copy_n copy_if transform partial_sum exclusive_scan inclusive_scan adjacent_difference sort "
      "stable_sort reverse rotate unique nth_element partial_sort replace from_chars to_chars";
  if (is_listed(kPure, name)) return Effect::kPure;
  if (is_listed(kQuiet, name)) return Effect::kQuiet;
  if (is_listed(kWriter, name)) return Effect::kWriter;
  return Effect::kUnknown;
}

/// Functions of C interfaces: they change what pointers point to, and no variable that is given by name.
inline bool is_c_function(std::string_view name) {
  for (std::string_view prefix : {"cuda",
                                  "cublas",
                                  "curand",
                                  "cufft",
                                  "cusparse",
                                  "cusolver",
                                  "cudnn",
                                  "nccl",
                                  "pnccl",
                                  "MPI_",
                                  "PMPI_",
                                  "nvtx",
                                  "nvml",
                                  "mem",
                                  "str",
                                  "omp_"})
    if (name.starts_with(prefix)) return true;
  return is_listed("snprintf sprintf sscanf fscanf fread fgets read gethostname gettimeofday clock_gettime",
                   name);
}

/// Methods of library types that do not change their object.
inline bool is_reading_method(std::string_view name) {
  return is_listed(
      "size length empty capacity c_str count contains find has_value compare substr use_count max_size str "
      "good "
      "eof is_open fail load min max lowest epsilon infinity key_comp lower_bound upper_bound extent rows "
      "cols "
      "starts_with ends_with rfind time_since_epoch what",
      name);
}

/// Methods of library types that change their object from their arguments.
inline bool is_writing_method(std::string_view name) {
  return is_listed(
      "push_back emplace_back push emplace insert resize assign reserve clear pop_back pop_front pop erase "
      "swap "
      "fill push_front emplace_front append reset release shrink_to_fit store fetch_add fetch_sub "
      "insert_or_assign try_emplace",
      name);
}

/// Environment variables that launchers set differently for each process.
inline bool is_of_one_process(std::string_view variable) {
  for (std::string_view part : {"RANK",
                                "PROCID",
                                "LOCALID",
                                "NODEID",
                                "NODE",
                                "HOST",
                                "VISIBLE",
                                "PMI",
                                "PID",
                                "OMPI",
                                "PRTE",
                                "SLURM",
                                "TASK",
                                "TMP"})
    if (variable.find(part) != std::string_view::npos) return true;
  return false;
}

/// Results that say how far something has come, or what a device can do, rather than that a call went well.
inline bool is_query(std::string_view name) {
  return is_listed(
             "cudaEventQuery cudaStreamQuery cudaDeviceCanAccessPeer "
             "cudaDeviceEnablePeerAccess cudaPointerGetAttributes cudaHostRegister ncclCommGetAsyncError",
             name) ||
         name.starts_with("MPI_Test") || name.starts_with("MPI_Wtime") || name.starts_with("MPI_Iprobe") ||
         name.starts_with("MPI_Improbe") || name.starts_with("cudaIpc");
}

/// The last error: that of a query when the program makes any.
inline bool is_last_error(std::string_view name) {
  return name == "cudaGetLastError" || name == "cudaPeekAtLastError";
}

/// Whether the result of the call says whether the call went well.
inline bool is_status(std::string_view name) {
  return is_recognised_call(name) && !is_query(name);
}

/// Names of headers that stand for constants.
inline bool is_library_constant(std::string_view name) {
  if (is_listed(
          "true false nullptr NULL this npos RAND_MAX SIZE_MAX EXIT_SUCCESS EXIT_FAILURE CHAR_BIT stderr "
          "stdout optarg optind __LINE__ __FILE__ __func__ __FUNCTION__ CUDART_VERSION M_PI M_E value",
          name))
    return true;
  for (std::string_view prefix : {"MPI_",
                                  "CUDA_",
                                  "CUBLAS_",
                                  "NCCL_",
                                  "FLT_",
                                  "DBL_",
                                  "INT",
                                  "UINT",
                                  "LONG_",
                                  "ULONG_",
                                  "LLONG_",
                                  "ULLONG_",
                                  "SHRT_",
                                  "PTRDIFF_"})
    if (name.starts_with(prefix) && is_all_caps(name)) return true;
  return (name.starts_with("nccl") || name.starts_with("cuda")) && name.size() > 4 && name[4] >= 'A' &&
         name[4] <= 'Z';
}

/// Words that are no values: types of the language and of the libraries, casts, operators.
inline bool is_library_type(std::string_view w) {
  if (is_builtin_type(w) || is_cv(w) || is_specifier(w)) return true;
  if (w.size() > 2 && w.ends_with("_t")) return true;
  return is_listed(
      "std chrono numeric_limits sizeof alignof decltype static_cast const_cast reinterpret_cast "
      "dynamic_cast new "
      "vector array string string_view pair tuple map unordered_map set unordered_set deque list span "
      "optional "
      "unique_ptr shared_ptr make_unique make_shared function initializer_list bitset valarray complex dim3 "
      "half "
      "half2 nv_bfloat16 __nv_bfloat16 __nv_bfloat162 float2 float4 double2 int2 int4 uint2 uint4 struct "
      "class "
      "union enum typename template not and or return case else do operator ofstream ifstream ostringstream "
      "istringstream stringstream FILE ncclComm cudaDeviceProp ncclUniqueId MPI_Comm MPI_Datatype MPI_Op "
      "MPI_Request MPI_Status tuple_size conditional_t is_same_v is_same byte common_type multiplies plus "
      "greater "
      "less",
      w);
}

}  // namespace cuco::impl
