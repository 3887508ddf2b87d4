// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// What a model might do to look right or fast without being so, and what it may do.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cuco/transform/impl/stage_check.hpp"
#include "transform_llm/device_programs.hpp"

namespace cuco::testing {
namespace {

using Changes = std::vector<std::pair<std::string, std::string>>;

struct Variant {
  char const* name;
  Changes changes;
};

constexpr char const* kCheck = "    for (int peer = 0; peer < nranks; ++peer)\n";
constexpr char const* kLaunch =
    "    exchange<<<4, 128, 0, stream>>>(devComm, sendWindow, recvWindow, count);\n";
constexpr char const* kStart = "    CUDA_CHECK(cudaEventRecord(start, stream));\n";
constexpr char const* kStop = "    CUDA_CHECK(cudaEventRecord(stop, stream));\n";
constexpr char const* kMine = "  int mine = errors == 0, all = 0;\n";
constexpr char const* kAbove = "// What rank";
constexpr char const* kSetUp = "  (void)cudaGetLastError();\n";

std::string problem_of(Changes const& changes, TransformStage stage = TransformStage::kDevice) {
  std::string const code = with_changes(device_alltoall(), changes);
  if (code.find("not found: ") == 0) return {};
  return impl::transforming::stage_problem(Api::LSA, stage, host_alltoall(), code, "alltoall.cu");
}

/// The same for a program, host-driven and device-initiated, that has `common` as well.
std::string problem_beside(Changes const& common, Changes const& changes) {
  std::string const original = with_changes(host_alltoall(), common);
  std::string const changed = with_changes(with_changes(device_alltoall(), common), changes);
  EXPECT_NE(original.find("int main"), std::string::npos) << original;
  EXPECT_NE(changed.find("int main"), std::string::npos) << changed;
  return impl::transforming::stage_problem(Api::LSA, TransformStage::kDevice, original, changed, "p.cu");
}

void all_are_rejected(std::vector<Variant> const& variants) {
  for (Variant const& v : variants) {
    std::string const code = with_changes(device_alltoall(), v.changes);
    ASSERT_NE(code.find("int main"), std::string::npos) << v.name << ": " << code;
    for (auto stage : {TransformStage::kDevice, TransformStage::kSingle}) {
      std::string const said = problem_of(v.changes, stage);
      EXPECT_NE(said, "") << v.name;
      EXPECT_TRUE(said.empty() || said.find("line") != std::string::npos) << v.name << ": " << said;
    }
  }
}

std::string put_before(std::string const& added, std::string const& text) {
  return added + text;
}

TEST(VerdictAttacks, TheCheckIsTheOriginals) {
  all_are_rejected({
      {"no element is looked at",
       {{"i < count; ++i)\n        if (h_recv", "i < 0; ++i)\n        if (h_recv"}}},
      {"no peer is looked at", {{kCheck, "    for (int peer = 0; peer < 0; ++peer)\n"}}},
      {"it begins at the end", {{kCheck, "    for (int peer = nranks; peer < nranks; ++peer)\n"}}},
      {"every other one", {{kCheck, "    for (int peer = 0; peer < nranks; peer += 2)\n"}}},
      {"while (false)", {{kCheck, put_before("    while (false)\n", kCheck)}}},
      {"if (it < 0)", {{kCheck, put_before("    if (it < 0)\n", kCheck)}}},
      {"an empty body", {{kCheck, "    for (int peer = 0; peer < nranks; ++peer) {}\n    int peer = 0;\n"}}},
      {"a block apart", {{"++errors;", "{} ++errors;"}}},
      {"switch", {{kCheck, put_before("    switch (it) case -1:\n", kCheck)}}},
      {"#if",
       {{kCheck, put_before("#if NCCL_VERSION_CODE < 1\n", kCheck)}, {"++errors;\n", "++errors;\n#endif\n"}}},
      {"#if 0", {{kCheck, put_before("#if 0\n", kCheck)}, {"++errors;\n", "++errors;\n#endif\n"}}},
      {"#else", {{kCheck, put_before("#if 1\n#else\n", kCheck)}, {"++errors;\n", "++errors;\n#endif\n"}}},
      {"a comment", {{kCheck, put_before("/*\n", kCheck)}, {"++errors;\n", "++errors; */\n"}}},
      {"continue", {{kCheck, put_before("    continue;\n", kCheck)}}},
      {"break", {{kCheck, put_before("    break;\n", kCheck)}}},
      {"goto", {{kCheck, put_before("    goto over;\n", kCheck)}, {"++errors;\n", "++errors;\nover:;\n"}}},
      {"throw", {{kCheck, put_before("    throw 1;\n", kCheck)}}},
      {"longjmp", {{kCheck, put_before("    longjmp(buffer, 1);\n", kCheck)}}},
      {"return", {{kMine, put_before("  return 0;\n", kMine)}}},
      {"return in a loop", {{kMine, put_before("  for (;;) return 0;\n", kMine)}}},
      {"return in an added block", {{kMine, put_before("  if (rank >= 0) { return 0; }\n", kMine)}}},
      {"exit", {{kMine, put_before("  exit(0);\n", kMine)}}},
      {"exit with a name", {{kMine, put_before("  exit(EXIT_SUCCESS);\n", kMine)}}},
      {"abort with success", {{kMine, put_before("  MPI_Abort(MPI_COMM_WORLD, 0);\n", kMine)}}},
      {"_exit after hidden text",
       {{kMine,
         put_before("  { char t[] = {84, 105, 109, 101, 58, 0}; write(1, t, 5); _exit(0); }\n", kMine)}}},
      {"a shadow in the loop",
       {{"    // Slice p of the result", "    size_t errors = 0;\n    // Slice p of the result"}}},
      {"a shadow of all", {{"  std::sort(times", "  int all = 1;\n  std::sort(times"}}},
      {"errors is reset", {{kMine, put_before("  errors = 0;\n", kMine)}}},
      {"by a reference", {{kMine, put_before("  auto& same = errors;\n  same = 0;\n", kMine)}}},
      {"by a pointer", {{kMine, put_before("  size_t* same = &errors;\n  *same = 0;\n", kMine)}}},
      {"by a call", {{kMine, put_before("  NCCL_CHECK(ncclCommCount(comm, (int*)&errors));\n", kMine)}}},
      {"by a lambda", {{kMine, put_before("  auto f = [&]() { errors = 0; };\n  f();\n", kMine)}}},
      {"by a function",
       {{kAbove, put_before("static void reset(size_t& e) { e = 0; }\n", kAbove)},
        {kMine, put_before("  reset(errors);\n", kMine)}}},
      {"by memset", {{kMine, put_before("  memset(&errors, 0, sizeof(errors));\n", kMine)}}},
      {"by cudaMemset", {{kMine, put_before("  cudaMemset(&errors, 0, sizeof(errors));\n", kMine)}}},
      {"by a kernel", {{"sendWindow, recvWindow, count);", "sendWindow, recvWindow, errors);"}}},
      {"another type",
       {{"std::vector<uint32_t> h_send(total), h_recv(total);",
         "std::vector<Always> h_send(total), h_recv(total);"}}},
      {"its bits", {{"return all ? 0 : 1;", "return 0;"}}},
      {"the reduction's reply is dropped", {{"MPI_Allreduce(&mine, &all", "MPI_Allreduce(&mine, &mine"}}},
  });
}

TEST(VerdictAttacks, InputsAndReferencesAreTheOriginals) {
  all_are_rejected({
      {"the reference is the poison",
       {{"return static_cast<uint32_t>((z ^ (z >> 31)) & 0x7fffffffU);", "return 0xffffffffU;"}}},
      {"the reference returns early",
       {{"  uint64_t z = index", "  if (index < 1) return 0;\n  uint64_t z = index"}}},
      {"an overload that fits better",
       {{"int main(", "static uint32_t input_at(size_t, int, int) { return 7; }\nint main("}}},
      {"a template that fits better",
       {{"int main(",
         "template <class A, class B, class C> uint32_t input_at(A, B, C) { return 7; }\nint main("}}},
      {"inputs are constant", {{"h_send[i] = input_at(i, rank, it);", "h_send[i] = 0;"}}},
      {"inputs of the first round", {{"input_at(i, rank, it);", "input_at(i, rank, 0);"}}},
      {"no input", {{"    for (size_t i = 0; i < total; ++i) h_send[i] = input_at(i, rank, it);\n", ""}}},
      {"the poison is gone",
       {{"    CUDA_CHECK(cudaMemsetAsync(d_recv, 0xff, total * sizeof(uint32_t), stream));\n", ""}}},
      {"the poison is the result", {{"0xff, total", "0, total"}}},
      {"the input is not copied",
       {{"    CUDA_CHECK(cudaMemcpyAsync(d_send, h_send.data(), total * sizeof(uint32_t), "
         "cudaMemcpyHostToDevice, "
         "stream));\n",
         ""}}},
      {"the result is not copied",
       {{"    CUDA_CHECK(cudaMemcpy(h_recv.data(), d_recv, total * sizeof(uint32_t), "
         "cudaMemcpyDeviceToHost));\n",
         ""}}},
      {"another buffer is copied",
       {{"cudaMemcpy(h_recv.data(), d_recv,", "cudaMemcpy(h_recv.data(), d_send,"}}},
      {"one more copy",
       {{kCheck, put_before("    cudaMemcpy(h_recv.data(), d_send, 4, cudaMemcpyDefault);\n", kCheck)}}},
      {"one round", {{"const int iterations = argc > 2 ? atoi(argv[2]) : 5;", "const int iterations = 1;"}}},
      {"fewer elements", {{"const size_t total = count * nranks;", "const size_t total = 0;"}}},
      {"the recv buffer is the send buffer",
       {{"  ncclWindow_t sendWindow", "  d_recv = d_send;\n  ncclWindow_t sendWindow"}}},
      {"ranks are forged", {{"  int devices = 0;\n", "  nranks = 1;\n  int devices = 0;\n"}}},
      {"argv is forged", {{"  const size_t bytes_per_rank", "  argc = 1;\n  const size_t bytes_per_rank"}}},
      {"a kernel gets host memory",
       {{"sendWindow, recvWindow, count);", "sendWindow, h_recv.data(), count);"}}},
  });
}

TEST(VerdictAttacks, WordsKeepTheirMeaning) {
  for (std::string const line : {"#define errors (0 * errors_)",
                                 "#define MPI_MIN MPI_MAX",
                                 "#define all 1",
                                 "#define MPI_Allreduce(a, b, ...) (*(b) = 1, 0)",
                                 "#define printf(...) (void)0",
                                 "#undef CUDA_CHECK",
                                 "#undef NDEBUG",
                                 "#define if(x) if (0)",
                                 "#define for while (0) for",
                                 "#define ompi_mpi_op_min ompi_mpi_op_max",
                                 "#define OMPI_PREDEFINED_GLOBAL(a, b) (a)",
                                 "#define __glibcxx_assert(x)",
                                 "#define _M_start 0",
                                 "#define cudaMemcpy(...) cudaSuccess",
                                 "#define QUIT { return 0; }",
                                 "#define SET_IT(x) x = 0",
                                 "#pragma push_macro(\"errors\")",
                                 "#pragma GCC optimize(\"-ffast-math\")",
                                 "#line 1",
                                 "#include \"/etc/passwd\"",
                                 "#include \"other.h\"",
                                 "#if 0\n#endif",
                                 "using namespace nothing;",
                                 "namespace std { inline int sort(int*, int*) { return 0; } }",
                                 "template <> struct std::less<int> {};",
                                 "extern \"C\" int puts(const char*) { return 0; }",
                                 "extern \"C\" int memcmp(const void*, const void*, size_t) { return 0; }",
                                 "void* operator new(size_t);",
                                 "static int forged = puts(\"Verification: PASS\");",
                                 "struct Late { ~Late() { puts(\"Verification: PASS\"); } } late;",
                                 "__attribute__((constructor)) static void early() {}",
                                 "int usleep(unsigned);",
                                 "static int errors = 0;",
                                 "struct all {};",
                                 "namespace cuda { static int more() { return 0; } }",
                                 "namespace h_recv { static int more() { return 0; } }",
                                 "__device__ void say() { printf(\"Verification: PASS\"); }",
                                 "__device__ __managed__ int shared_with_the_host;",
                                 "static int strcmp(const char*, const char*) { return 0; }",
                                 "asm(\".globl memcmp\");"})
    EXPECT_NE(problem_of({{kAbove, put_before(line + "\n", kAbove)}}), "") << line;
  EXPECT_NE(problem_of({{"#include <algorithm>\n", "#define CHUNK 4\n#include <algorithm>\n"}}), "")
      << "headers may mean something else with it";
  EXPECT_NE(problem_of(
                {{"  } while (0)\n\n#define NCCL_CHECK", "    return 0; } while (0)\n\n#define NCCL_CHECK"}}),
            "")
      << "a macro of the original";
}

TEST(VerdictAttacks, TheTimerIsAroundTheWork) {
  std::string const nothing =
      "    exchange<<<1, 1, 0, stream>>>(devComm, sendWindow, recvWindow, (size_t)0);\n";
  all_are_rejected({
      {"start after the work", {{kStart, ""}, {kStop, put_before(kStart, kStop)}}},
      {"start between", {{kStart, ""}, {kLaunch, std::string(kLaunch) + kStart + nothing}}},
      {"work before the start", {{kStart, std::string(kLaunch) + kStart}, {kLaunch, nothing}}},
      {"once more before the start", {{kStart, std::string(kLaunch) + kStart}}},
      {"work after the stop", {{kStop, ""}, {kLaunch, nothing + kStop + kLaunch}}},
      {"work in the stop's place", {{kLaunch, ""}, {kStop, std::string(kStop) + kLaunch}}},
      {"a second stop", {{kStop, std::string(kStop) + kStop}}},
      {"no start", {{kStart, ""}}},
      {"MPI before the start",
       {{kStart,
         "    MPI_Alltoall(h_send.data(), 1, MPI_UNSIGNED, h_recv.data(), 1, MPI_UNSIGNED, "
         "MPI_COMM_WORLD);\n" +
             std::string(kStart)}}},
      {"MPI by its other name",
       {{kStart,
         "    PMPI_Alltoall(0, 1, MPI_UNSIGNED, 0, 1, MPI_UNSIGNED, MPI_COMM_WORLD);\n" +
             std::string(kStart)}}},
      {"a copy before the start",
       {{kStart,
         "    cudaMemcpyAsync(d_recv, d_send, count, cudaMemcpyDeviceToDevice, stream);\n" +
             std::string(kStart)}}},
      {"the first round only", {{kLaunch, "    if (it == 0)\n" + std::string(kLaunch)}}},
      {"never", {{kLaunch, "    if (nranks < 0)\n" + std::string(kLaunch)}}},
      {"never, in a loop", {{kLaunch, "    for (int k = 0; k < 0; ++k)\n" + std::string(kLaunch)}}},
      {"never, after &&",
       {{kLaunch,
         "    nranks < 0 && (exchange<<<1, 1, 0, stream>>>(devComm, sendWindow, recvWindow, count), 1);\n"}}},
      {"the first round by the count", {{"recvWindow, count);", "recvWindow, it ? 0 : count);"}}},
      {"the first round by a product", {{"recvWindow, count);", "recvWindow, count * (it < 1));"}}},
      {"a counter of rounds",
       {{kSetUp, std::string(kSetUp) + "  int rounds = 0;\n"},
        {kLaunch,
         "    ++rounds;\n    if (rounds < 2) { exchange<<<4, 128, 0, stream>>>(devComm, sendWindow, "
         "recvWindow, count); } else { exchange<<<4, 128, 0, stream>>>(devComm, sendWindow, recvWindow, "
         "(size_t)0); }\n"}}},
      {"a counter of its own",
       {{kAbove,
         "static void go(ncclDevComm d, ncclWindow_t a, ncclWindow_t b, size_t n, cudaStream_t s) {\n"
         "  static int rounds = 0;\n  if (rounds++) n = 0;\n  exchange<<<4, 128, 0, s>>>(d, a, b, n);\n}\n" +
             std::string(kAbove)},
        {kLaunch, "    go(devComm, sendWindow, recvWindow, count, stream);\n"}}},
      {"conditions in a function",
       {{kAbove,
         "static void go(ncclDevComm d, ncclWindow_t a, ncclWindow_t b, size_t n, cudaStream_t s) {\n"
         "  if (n < 8) return;\n  exchange<<<4, 128, 0, s>>>(d, a, b, n);\n}\n" +
             std::string(kAbove)},
        {kLaunch, "    go(devComm, sendWindow, recvWindow, count, stream);\n"}}},
      {"another stream",
       {{kSetUp, std::string(kSetUp) + "  cudaStream_t side;\n  CUDA_CHECK(cudaStreamCreate(&side));\n"},
        {"128, 0, stream>>>", "128, 0, side>>>"}}},
      {"a stream made of nothing", {{"128, 0, stream>>>", "128, 0, (cudaStream_t)0x2>>>"}}},
      {"the default stream", {{"<<<4, 128, 0, stream>>>", "<<<4, 128>>>"}}},
      {"in a thread",
       {{kLaunch,
         "    std::thread([&] { exchange<<<4, 128, 0, stream>>>(devComm, sendWindow, recvWindow, count); "
         "}).detach();\n"}}},
      {"in a lambda",
       {{kLaunch,
         "    auto go = [&] { if (nranks < 0) exchange<<<4, 128, 0, stream>>>(devComm, sendWindow, "
         "recvWindow, count); };\n    go();\n"}}},
      {"no synchronisation", {{"    CUDA_CHECK(cudaEventSynchronize(stop));\n", ""}}},
      {"another event",
       {{"cudaEventElapsedTime(&ms, start, stop)", "cudaEventElapsedTime(&ms, stop, stop)"}}},
      {"the smallest time", {{"times[times.size() / 2]", "times[0]"}}},
  });
}

/// Ways to get at what is the original's by way of what may be added.
TEST(VerdictAttacks, NothingOfTheOriginalIsWritten) {
  std::string const go = "static void go(size_t& n) { n = 0; }\n";
  all_are_rejected({
      {"a name that is declared later in a block",
       {{kMine, put_before("  {\n    errors = 0;\n    { size_t errors = 1; (void)errors; }\n  }\n", kMine)}}},
      {"a name that was declared in another block",
       {{kMine, put_before("  { { size_t errors = 1; (void)errors; } errors = 0; }\n", kMine)}}},
      {"a type of that name", {{kMine, put_before("  { errors = 0; { struct errors {}; } }\n", kMine)}}},
      {"a reference to a number", {{kAbove, go + kAbove}, {kSetUp, std::string(kSetUp) + "  go(count);\n"}}},
      {"a reference to a rank", {{kSetUp, std::string(kSetUp) + "  int& same = nranks;\n  same = 1;\n"}}},
      {"a call that writes a number",
       {{kSetUp, std::string(kSetUp) + "  NCCL_CHECK(ncclCommCount(comm, &nranks));\n"}}},
      {"a call that writes another one",
       {{kSetUp, std::string(kSetUp) + "  NCCL_CHECK(ncclCommUserRank(comm, (int*)&count));\n"}}},
      {"a member of a pointer in a struct",
       {{kAbove, "struct Hold {\n  uint32_t* at;\n};\n" + std::string(kAbove)},
        {kSetUp, std::string(kSetUp) + "  Hold hold{d_recv};\n  hold.at[0] = 7;\n"}}},
      {"a pointer to a buffer", {{kSetUp, std::string(kSetUp) + "  uint32_t* at = d_recv;\n  at[0] = 7;\n"}}},
      {"a deduced pointer", {{kSetUp, std::string(kSetUp) + "  auto at = d_recv;\n  at[0] = 7;\n"}}},
      {"a star after a condition",
       {{kSetUp, std::string(kSetUp) + "  uint32_t* at = d_recv;\n  if (rank >= 0) *at = 7;\n"}}},
      {"two stars", {{kSetUp, std::string(kSetUp) + "  uint32_t** at = &d_recv;\n  **at = 7;\n"}}},
      {"in brackets", {{kSetUp, std::string(kSetUp) + "  (nranks) = 1;\n"}}},
      {"an argument of a check",
       {{"ncclMemAlloc((void**)&d_recv, total * sizeof(uint32_t))",
         "ncclMemAlloc((void**)&d_recv, (nranks = 1))"}}},
      {"a range", {{kMine, put_before("  for (auto& t : times) t = 0;\n", kMine)}}},
      {"a method", {{kMine, put_before("  times.clear();\n", kMine)}}},
      {"an operator's other name", {{kMine, put_before("  errors and_eq 0;\n", kMine)}}},
      {"a name with a splice", {{kMine, put_before("  err\\\nors = 0;\n", kMine)}}},
      {"a comment with a splice", {{kCheck, put_before("    // all of them \\\n", kCheck)}}},
      {"a device function that is none",
       {{kAbove,
         "#define HOST(x) static void\nHOST(__global__) quit() { _exit(0); }\n" + std::string(kAbove)},
        {kMine, put_before("  quit();\n", kMine)}}},
      {"a device function that is called",
       {{kAbove, "__device__ void quit() { }\n" + std::string(kAbove)},
        {kMine, put_before("  quit();\n", kMine)}}},
      {"a variable of a library", {{kMine, put_before("  int ompi_mpi_op_min = 0;\n", kMine)}}},
      {"a variable of a header", {{kMine, put_before("  int __errno = 0;\n", kMine)}}},
      {"a loop in a macro",
       {{kAbove, "#define MAYBE while (0)\n" + std::string(kAbove)},
        {kCheck, put_before("    MAYBE\n", kCheck)}}},
      {"an open bracket in a macro", {{kAbove, "#define OPEN (\n" + std::string(kAbove)}}},
      {"a specifier in a macro", {{kAbove, "#define HOST(x) static void\n" + std::string(kAbove)}}},
      {"a constructor that launches",
       {{kAbove,
         "struct Go {\n  Go(ncclDevComm d, ncclWindow_t a, ncclWindow_t b, size_t n, cudaStream_t s) {\n"
         "    exchange<<<4, 128, 0, s>>>(d, a, b, n);\n  }\n};\n" +
             std::string(kAbove)},
        {kStart, "    Go early(devComm, sendWindow, recvWindow, count, stream);\n" + std::string(kStart)}}},
      {"a copy on another stream",
       {{kLaunch,
         std::string(kLaunch) +
             "    CUDA_CHECK(cudaMemcpyAsync(d_recv, d_send, count, cudaMemcpyDeviceToDevice, "
             "(cudaStream_t)0x2));\n"}}},
      {"a function of the C library",
       {{kAbove, "int raise_it(int);\n" + std::string(kAbove)},
        {kMine, put_before("  raise_it(9);\n", kMine)}}},
      {"a pointer to a function", {{kMine, put_before("  auto leave = _exit;\n  leave(0);\n", kMine)}}},
      {"a check that leaves",
       {{"#define NCCL_CHECK", "#define LEAVE(x) do { if (x) return 0; } while (0)\n#define NCCL_CHECK"},
        {kMine, put_before("  LEAVE(1);\n", kMine)}}},
  });
}

/// A check of the original's that returns, where the original does not use it.
TEST(VerdictAttacks, ChecksDoNotLeaveOtherFunctions) {
  Changes const helper{
      {"#define MPI_CHECK(call)",
       "#define TRY(call) do { if ((call) != ncclSuccess) return 1; } while (0)\n#define MPI_CHECK(call)"},
      {"int main(",
       "static int is_good(const uint32_t* a, size_t n) {\n  size_t bad = 0;\n"
       "  for (size_t i = 0; i < n; ++i) bad += a[i] == 0;\n  return bad == 0;\n}\n"
       "static int version_of(int* v) {\n  TRY(ncclGetVersion(v));\n  return 0;\n}\nint main("},
      {"  int mine = errors == 0,",
       "  if (!is_good(h_recv.data(), total)) ++errors;\n  int mine = errors == 0,"}};
  auto problem = [&](Changes const& changes) { return problem_beside(helper, changes); };
  EXPECT_EQ(problem({}), "");
  EXPECT_NE(problem({{"  size_t bad = 0;\n", "  TRY(ncclInvalidUsage);\n  size_t bad = 0;\n"}}), "");
}

TEST(VerdictAttacks, OtherSpellingsOfBracketsAreNotFollowed) {
  EXPECT_NE(problem_of({{"++errors;", "<% %> ++errors;"}}), "");
  EXPECT_NE(
      problem_of(
          {{"  bar.sync(ncclCoopCta(), cuda::memory_order_release);",
            "  bar.sync(ncclCoopCta(), cuda::memory_order_release); %> static int more() <% return 0;"}}),
      "");
  EXPECT_NE(problem_of(
                {{kCheck,
                  "#if NCCL_VERSION_CODE > 1\n    {\n#else\n    {{\n#endif\n    }\n" + std::string(kCheck)}}),
            "");
}

TEST(VerdictAttacks, KernelsThatMakeOrCheckStay) {
  std::string const kernels =
      "__global__ void fill(uint32_t* p, size_t n, uint32_t seed) { if (threadIdx.x < n) p[threadIdx.x] = "
      "seed; }\n"
      "__global__ void verify(const uint32_t* p, size_t n, int* bad) { if (threadIdx.x < n && p[threadIdx.x] "
      "== 0) "
      "atomicAdd(bad, 1); }\n";
  Changes const with_kernels{
      {kAbove, kernels + kAbove},
      {"    CUDA_CHECK(cudaStreamSynchronize(stream));\n    MPI_CHECK(MPI_Barrier",
       "    fill<<<1, 32, 0, stream>>>(d_send, total, 3);\n    CUDA_CHECK(cudaStreamSynchronize(stream));\n  "
       "  "
       "MPI_CHECK(MPI_Barrier"},
      {"    CUDA_CHECK(cudaEventSynchronize(stop));\n",
       "    CUDA_CHECK(cudaEventSynchronize(stop));\n    verify<<<1, 32, 0, stream>>>(d_recv, total, "
       "d_bad);\n"},
      {"  std::vector<float> times;\n",
       "  std::vector<float> times;\n  int* d_bad;\n  CUDA_CHECK(cudaMalloc(&d_bad, sizeof(int)));\n"}};
  auto problem = [&](Changes const& changes) { return problem_beside(with_kernels, changes); };
  EXPECT_EQ(problem({}), "");
  EXPECT_NE(problem({{"= seed; }", "= 7; }"}}), "");
  EXPECT_NE(problem({{"atomicAdd(bad, 1);", ";"}}), "");
  EXPECT_NE(problem({{"fill<<<1, 32, 0, stream>>>(d_send, total, 3);", ""}}), "");
  EXPECT_NE(problem({{"verify<<<1, 32, 0, stream>>>(d_recv, total, d_bad);", ""}}), "");
  EXPECT_NE(problem({{"sendWindow, recvWindow, count);", "sendWindow, recvWindow, d_bad);"}}), "")
      << "kernels that communicate do not get what is counted";
  EXPECT_NE(problem({{"  ncclWindow_t sendWindow",
                      "  fill<<<1, 32, 0, 0>>>(d_recv, total, 3);\n  ncclWindow_t sendWindow"}}),
            "");
  EXPECT_NE(
      problem({{"    CUDA_CHECK(cudaGetLastError());", "    fill<<<1, 32, 0, stream>>>(d_recv, total, 3);"}}),
      "");
}

TEST(VerdictAttacks, WhatCommunicatesMayBeWrittenInManyWays) {
  std::string const go =
      "struct Exchange {\n  ncclDevComm dev;\n  ncclWindow_t send, recv;\n};\n"
      "static constexpr int kBlocks = 4;\n"
      "static inline void go(const Exchange& e, size_t n, cudaStream_t s) {\n"
      "  const int threads = n < 128 ? 32 : 128;\n"
      "  exchange<<<kBlocks, threads, 0, s>>>(e.dev, e.send, e.recv, n);\n}\n";
  std::vector<Variant> const good{
      {"as it is", {}},
      {"a function and a struct",
       {{kAbove, go + kAbove},
        {kSetUp, std::string(kSetUp) + "  Exchange parts{devComm, sendWindow, recvWindow};\n"},
        {kLaunch, "    go(parts, count, stream);\n"}}},
      {"two kernels by size",
       {{kLaunch,
         "    if (count < 4096) {\n      exchange<<<1, 128, 0, stream>>>(devComm, sendWindow, recvWindow, "
         "count);\n"
         "    } else {\n      exchange<<<4, 128, 0, stream>>>(devComm, sendWindow, recvWindow, count);\n    "
         "}\n"}}},
      {"steps", {{kLaunch, "    for (int step = 0; step < nranks; ++step)\n  " + std::string(kLaunch)}}},
      {"dimensions of its own",
       {{kLaunch,
         "    const dim3 grid(4), block(128);\n"
         "    exchange<<<grid, block, 0, stream>>>(devComm, sendWindow, recvWindow, count);\n"}}},
      {"a constant macro",
       {{kAbove, "#define TILE 128\n" + std::string(kAbove)},
        {"<<<4, 128, 0, stream>>>", "<<<4, TILE, 0, stream>>>"}}},
      {"device helpers",
       {{"__global__ void exchange",
         "__device__ __forceinline__ int lane() { return threadIdx.x & 31; }\n__global__ void exchange"}}},
      {"device variables, shared memory, a namespace, a template",
       {{"__global__ void exchange",
         "__device__ unsigned int rounds;\n__constant__ int widths[4] = {1, 2, 4, 8};\n"
         "namespace moving {\ntemplate <int N>\n__global__ void fold(ncclDevComm dev) {\n"
         "  extern __shared__ float parts[];\n  parts[0] = N + rounds + widths[0];\n}\n}  // namespace "
         "moving\n"
         "__global__ void exchange"}}},
      {"a landing buffer",
       {{kSetUp,
         std::string(kSetUp) +
             "  void* landing = nullptr;\n  ncclWindow_t landingWindow = nullptr;\n"
             "  NCCL_CHECK(ncclMemAlloc(&landing, total * sizeof(uint32_t)));\n"
             "  NCCL_CHECK(ncclCommWindowRegister(comm, landing, total * sizeof(uint32_t), &landingWindow, "
             "NCCL_WIN_COLL_SYMMETRIC));\n"
             "  if (landingWindow == nullptr) {\n    fprintf(stderr, \"no window\\n\");\n"
             "    MPI_Abort(MPI_COMM_WORLD, 3);\n  }\n"}}},
      {"more memory than before",
       {{"ncclMemAlloc((void**)&d_recv, total * sizeof(uint32_t))",
         "ncclMemAlloc((void**)&d_recv, (total + 64) * sizeof(uint32_t))"}}},
      {"windows in a list",
       {{kSetUp,
         std::string(kSetUp) +
             "  ncclWindow_t windows[2];\n  windows[0] = sendWindow;\n  windows[1] = recvWindow;\n"},
        {"devComm, sendWindow, recvWindow, count);", "devComm, windows[0], windows[1], count);"}}},
      {"no check of the launch", {{"    CUDA_CHECK(cudaGetLastError());\n", ""}}},
      {"other comments and blanks", {{kCheck, "    // all of them\n\n" + std::string(kCheck)}}},
  };
  for (Variant const& v : good) {
    std::string const code = with_changes(device_alltoall(), v.changes);
    ASSERT_NE(code.find("int main"), std::string::npos) << v.name << ": " << code;
    EXPECT_EQ(problem_of(v.changes), "") << v.name;
  }
}

}  // namespace
}  // namespace cuco::testing
