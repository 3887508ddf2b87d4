// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

/// @file
/// What the rules decide: which memory becomes symmetric, what is copied through landing buffers, which
/// launcher takes the place of which call, and how macros, groups and names used as values come out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "transform/rewriting.hpp"
#include "transform/styles.hpp"

namespace cuco::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char const* kSum = "ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);";

std::string with(std::string const& call,
                 std::string const& before_main = {},
                 std::string const& allocate = kPlainAllocate) {
  return sum_program(before_main, allocate, "    " + call + "\n", kPlainFree);
}

/// The program after stage A; its planned calls and launchers stand in comments.
std::string planned(std::string const& code, Api api = Api::LSA) {
  auto const a = rewrite(api, code, TransformStage::kInfrastructure);
  if (!a) return "refused: " + to_line(a.error());
  return a->code;
}

std::string device(std::string const& code, Api api = Api::LSA) {
  auto const b = to_device(api, code);
  if (!b) return "refused: " + to_line(b.error());
  return *b;
}

std::string allocating(std::string const& in, std::string const& out) {
  return "  float *in, *out;\n  " + in + "\n  " + out + "\n";
}
constexpr char const* kIn = "cudaMalloc(&in, n * sizeof(float));";
constexpr char const* kOut = "cudaMalloc(&out, n * sizeof(float));";

TEST(Planner, PlainMemoryIsReachedInPlace) {
  auto const code = planned(with(kSum));
  EXPECT_THAT(code, HasSubstr("launcher=all_reduce_sum_float\n"));
  EXPECT_THAT(code, HasSubstr("device_nccl::allocate(&in,"));
  EXPECT_THAT(code, HasSubstr("device_nccl::prepare(comm, {in, out});"));
}

struct Staged {
  char const* name;
  char const* allocate;
  bool send, recv;
};
class StagedBuffers : public ::testing::TestWithParam<Staged> {};

TEST_P(StagedBuffers, AreCopiedAndStayWhatTheyAre) {
  Staged const p = GetParam();
  auto const code = planned(with(kSum, "float* from_pool(size_t);\n", p.allocate));
  EXPECT_THAT(code, HasSubstr("launcher=all_reduce_sum_float_staged\n")) << code.substr(0, 300);
  EXPECT_THAT(code, HasSubstr(std::string("send_staged=") + (p.send ? "yes" : "no")));
  EXPECT_THAT(code, HasSubstr(std::string("recv_staged=") + (p.recv ? "yes" : "no")));
}

INSTANTIATE_TEST_SUITE_P(
    Of,
    StagedBuffers,
    ::testing::Values(
        Staged{"managed",
               "  float *in, *out;\n  cudaMallocManaged(&in, n * 4);\n  cudaMalloc(&out, n * 4);\n",
               true,
               false},
        Staged{"pool",
               "  float *in, *out;\n  cudaMalloc(&in, n * 4);\n  cudaMallocAsync(&out, n * 4, stream);\n",
               false,
               true},
        Staged{"pinned",
               "  float *in, *out;\n  cudaMallocHost(&in, n * 4);\n  cudaMalloc(&out, n * 4);\n",
               true,
               false},
        Staged{"unknown", "  float *in = from_pool(n), *out;\n  cudaMalloc(&out, n * 4);\n", true, false},
        Staged{"some_ranks",
               "  float *in, *out = nullptr;\n  cudaMalloc(&in, n * 4);\n  if (rank == 0) cudaMalloc(&out, n "
               "* 4);\n",
               false,
               true},
        Staged{"which_one_depends_on_the_rank",
               "  float *a, *b, *out;\n  cudaMalloc(&a, n * 4);\n  cudaMalloc(&b, n * 4);\n  "
               "cudaMalloc(&out, n * 4);\n"
               "  float* in = rank % 2 ? a : b;\n",
               true,
               false},
        Staged{"set_under_a_condition_on_the_rank",
               "  float *in, *b, *out;\n  cudaMalloc(&in, n * 4);\n  cudaMalloc(&b, n * 4);\n  "
               "cudaMalloc(&out, n * 4);\n"
               "  if (rank > 0) in = b;\n",
               true,
               false},
        Staged{"element_chosen_by_rank",
               "  float *pool[2], *out;\n  for (int i = 0; i < 2; ++i) cudaMalloc(&pool[i], n * 4);\n  "
               "cudaMalloc(&out, n * "
               "4);\n  float* in = pool[rank % 2];\n",
               true,
               false}),
    [](auto const& info) { return info.param.name; });

TEST(Planner, WhatIsNullIsNotTouched) {
  auto const code =
      planned(with("ncclGather(in, rank == 0 ? out : nullptr, n, ncclFloat, 0, comm, stream);\n    "
                   "ncclScatter(nullptr, in, n, ncclFloat, 0, comm, stream);"));
  EXPECT_THAT(code, HasSubstr("launcher=gather_float_staged\n"));
  EXPECT_THAT(code, HasSubstr("launcher=scatter_float_staged\n"));
}

TEST(Planner, SizesThatDifferBecomeTheLargest) {
  auto const code = planned(with(kSum, "", allocating("cudaMalloc(&in, (n + rank) * sizeof(float));", kOut)));
  EXPECT_THAT(code, HasSubstr("device_nccl::allocate_largest(&in,"));
  EXPECT_THAT(code, HasSubstr("device_nccl::allocate(&out,"));
  EXPECT_THAT(code, HasSubstr("MPI_MAX"));
}

TEST(Planner, RankComesThroughMembersFunctionsAndArguments) {
  char const* const before =
      "struct World { int id; int rank() const { return id; } };\n"
      "static size_t share(size_t n, int who) { return n + who; }\n"
      "static void ask(int* who) { MPI_Comm_rank(MPI_COMM_WORLD, who); }\n";
  for (char const* size :
       {"(n + world.rank()) * 4", "share(n, rank) * 4", "(n + mine) * 4", "(n + twice(rank)) * 4"}) {
    auto const code =
        planned(with(kSum,
                     before,
                     std::string("  World world{rank};\n  int mine;\n  ask(&mine);\n"
                                 "  auto twice = [](int r) { return 2 * r; };\n  float *in, *out;\n") +
                         "  cudaMalloc(&in, " + size + ");\n  " + kOut + "\n"));
    EXPECT_THAT(code, HasSubstr("device_nccl::allocate_largest(&in,")) << size;
  }
}

TEST(Planner, ConditionsThatAllRanksShareDoNotMatter) {
  auto const code = planned(with(
      kSum,
      "",
      "  float *in = nullptr, *out = nullptr;\n  for (int r = 0; r < nranks; ++r)\n    if (r == 0) {\n      "
      "cudaMalloc(&in, n * sizeof(float));\n      cudaMalloc(&out, n * sizeof(float));\n    }\n"));
  EXPECT_THAT(code, HasSubstr("launcher=all_reduce_sum_float\n"));
}

TEST(Planner, EarlyReturnOfSomeRanksMattersUnlessAllMustComeBack) {
  char const* const make =
      "static float* make(size_t n, int rank) {\n  float* p = nullptr;\n  if (rank == 1) return p;\n"
      "  cudaMalloc(&p, n * sizeof(float));\n  return p;\n}\n";
  EXPECT_THAT(planned(with(kSum, make, "  float *in = make(n, rank), *out;\n  cudaMalloc(&out, n * 4);\n")),
              HasSubstr("send_staged=yes"));
  // In main, MPI_Finalize follows: a rank that returned before it would leave the others waiting.
  EXPECT_THAT(planned(with(kSum, "", std::string("  if (rank == 1 && n == 0) return 1;\n") + kPlainAllocate)),
              HasSubstr("launcher=all_reduce_sum_float\n"));
}

TEST(Planner, TypesOfTemplatesAndVariablesAreReadWhenTheProgramRuns) {
  auto const code =
      planned(with("ncclDataType_t type = argc > 1 ? ncclFloat : ncclInt;\n    ncclAllReduce(in, out, n, "
                   "type, ncclSum, comm, stream);"));
  EXPECT_THAT(code, HasSubstr("launcher=all_reduce\n"));
  EXPECT_THAT(code, HasSubstr("type=int32+float op=sum runtime_type=yes"));
  EXPECT_THAT(
      device(
          with("ncclDataType_t type = argc > 1 ? ncclFloat : ncclInt;\n    ncclAllReduce(in, out, n, type, "
               "ncclSum, comm, stream);")),
      HasSubstr("device_nccl::all_reduce(in, out, n, type, ncclSum, comm, stream);"));
}

TEST(Planner, CallsInMacrosAreReplacedWhereTheyStand) {
  auto const code =
      device(with("SUM(in, out, n);\n    ANY(in, out, n, ncclMax);",
                  "#define SUM(a, b, n) \\\n  ncclAllReduce((a), (b), (n), \\\n                ncclFloat, "
                  "ncclSum, comm, stream)\n"
                  "#define ANY(a, b, n, op) ncclAllReduce(a, b, n, ncclFloat, op, comm, stream)\n"));
  EXPECT_THAT(code, HasSubstr("device_nccl::all_reduce_sum_float"));
  EXPECT_THAT(code, HasSubstr("#define SUM(a, b, n) \\\n  device_nccl::all_reduce_sum_float"));
  EXPECT_THAT(code, HasSubstr("(a, b, n, ncclFloat, op, comm, stream)"));
  EXPECT_THAT(code, HasSubstr("SUM(in, out, n);"));
}

TEST(Planner, NamesThatAreValuesGetALauncherOfTheSameSignature) {
  auto const code =
      device(with("auto* f = &ncclAllReduce;\n    f(in, out, n, ncclFloat, ncclSum, comm, stream);"));
  EXPECT_THAT(code, HasSubstr("&device_nccl::all_reduce_staged;"));
  EXPECT_THAT(code,
              HasSubstr("all_reduce_staged(const void* send, void* recv, size_t count, ncclDataType_t"));
}

TEST(Planner, GroupsAroundCollectivesGo) {
  auto const code =
      device(with("ncclGroupStart();\n    ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);\n    "
                  "if (ncclGroupEnd() != ncclSuccess) return 5;"));
  EXPECT_THAT(code, Not(HasSubstr("ncclGroup")));
  EXPECT_THAT(code, HasSubstr("if (ncclSuccess != ncclSuccess) return 5;"));
}

TEST(Planner, GroupsOfSendsAreTheLaunchersOwn) {
  auto const code =
      device(with("ncclGroupStart();\n    ncclSend(in, n, ncclFloat, 1, comm, stream);\n    ncclRecv(out, n, "
                  "ncclFloat, 0, comm, stream);\n    ncclGroupEnd();"));
  EXPECT_THAT(code, HasSubstr("device_nccl::group_start();"));
  EXPECT_THAT(code, HasSubstr("device_nccl::send(in, n, ncclFloat, 1, comm, stream);"));
  EXPECT_THAT(code, HasSubstr("device_nccl::comm_init_rank("));
  EXPECT_THAT(code, Not(HasSubstr("device_nccl::allocate(&in")));  // sends copy anyway
}

TEST(Planner, GroupsOfCommunicatorsStayNccls) {
  auto const code =
      device(with("ncclGroupStart();\n    ncclComm_t half;\n    ncclCommSplit(comm, 0, rank, &half, "
                  "nullptr);\n    ncclGroupEnd();\n    ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, "
                  "stream);"));
  EXPECT_THAT(code, HasSubstr("ncclGroupStart();"));
  EXPECT_THAT(code, HasSubstr("ncclGroupEnd();"));
}

TEST(Planner, BcastNamesItsBufferTwice) {
  EXPECT_THAT(device(with("ncclBcast(in, n, ncclFloat, 0, comm, stream);")),
              HasSubstr("device_nccl::broadcast_float(in, in, n, 0, comm, stream);"));
}

TEST(Planner, CommentsStringsAndDeadCodeStay) {
  auto const code =
      device(with(std::string("// ncclAllReduce(a, b)\n    const char* s = \"ncclAllReduce(x)\"; (void)s;\n"
                              "#if 0\n    ncclAllReduce(old, old, 1, ncclInt, ncclMax, comm, stream);\n"
                              "#endif\n    ") +
                  kSum));
  EXPECT_THAT(code, HasSubstr("// ncclAllReduce(a, b)"));
  EXPECT_THAT(code, HasSubstr("\"ncclAllReduce(x)\""));
  EXPECT_THAT(code, HasSubstr("ncclAllReduce(old, old, 1, ncclInt, ncclMax, comm, stream);"));
}

TEST(Planner, AStopOfTheHelperLeadsToCopies) {
  auto report = Analyzer{}.analyze(with(kSum), "program.cu").value();
  std::string const code = with(kSum);
  RewriteRequest const request{code,
                               "program.cu",
                               report,
                               TransformStage::kInfrastructure,
                               {},
                               4,
                               "device_nccl: communication buffer: not in memory that …"};
  auto const a = RuleRewriter<Api::LSA>{}.rewrite(request);
  ASSERT_TRUE(a) << to_line(a.error());
  EXPECT_THAT(a->code, HasSubstr("launcher=all_reduce_sum_float_staged\n"));
}

TEST(Planner, AParameterIsNoConstantWhateverElseHasItsName) {
  auto const code = planned(with("sum(in, out, n); sum(in, out, n, ncclInt32);",
                                 "static ncclComm_t g_comm;\nstatic void sum(float* a, float* b, size_t n, "
                                 "ncclDataType_t type = ncclFloat) {\n"
                                 "  ncclAllReduce(a, b, n, type, ncclSum, g_comm, 0);\n}\n"));
  EXPECT_THAT(code, HasSubstr("launcher=all_reduce"));
  EXPECT_THAT(code, HasSubstr("runtime_type=yes"));
}

TEST(Planner, TypesBehindConditionsOfThePreprocessorAreReadAtRunTime) {
  EXPECT_THAT(planned(with("ncclAllReduce(in, out, n,\n#ifdef USE_INT\n    ncclInt32,\n#else\n    "
                           "(ncclDataType_t)ncclFloat,\n#endif\n    ncclSum, comm, stream);")),
              Not(HasSubstr("launcher=all_reduce_sum")));
}

/// Offsets that only some ranks change must not be used for peers' memory.
TEST(Planner, WhatDiffersIsFoundInEveryForm) {
  for (char const* change : {"if (rank == 0) { off = 0; MPI_Barrier(MPI_COMM_WORLD); } else { off = 4; "
                             "MPI_Barrier(MPI_COMM_WORLD); }",
                             "if (rank == 1) ++off;",
                             "if (rank == 1) off++;",
                             "size_t other = 4; if (rank == 1) std::swap(off, other);",
                             "memcpy(&off, &rank, sizeof(rank));",
                             "int who; std::tie(who, off) = std::make_tuple(0, rank);",
                             "for (size_t o : {size_t(0), size_t(rank)}) off = o;"}) {
    auto const code =
        planned(with("ncclAllReduce(in + off, out + off, n - 8, ncclFloat, ncclSum, comm, stream);",
                     "#include <cstring>\n#include <tuple>\n#include <utility>\n",
                     std::string(kPlainAllocate) + "  size_t off = 0;\n  " + change + "\n"));
    EXPECT_TRUE(code.find("recv_offset_varies=yes") != std::string::npos ||
                code.find("launcher=all_reduce_sum_float_staged") != std::string::npos)
        << change;
  }
}

TEST(Planner, OneNameMayBeSeveralStreams) {
  for (char const* call :
       {"ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream); std::swap(stream, side);",
        "cudaStream_t s = round % 2 ? stream : 0; ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, s);"}) {
    auto const code =
        device(with(call,
                    "#include <utility>\n",
                    std::string(kPlainAllocate) + "  cudaStream_t side;\n  cudaStreamCreate(&side);\n"));
    EXPECT_THAT(code, HasSubstr("order_of(comm);")) << call;
  }
}

/// The same lambda, class or loop may make several streams; one that runs once makes one.
TEST(Planner, StreamsThatOneStatementMakes) {
  auto const lanes = [](std::string const& type, std::string const& made) {
    return sum_program("struct Lane { cudaStream_t s = nullptr; " + type + " };\n",
                       kPlainAllocate + made,
                       "    ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, lane.s);\n",
                       kPlainFree);
  };
  auto without_stream = [](std::string code) {
    code.replace(code.find("  cudaStream_t stream;"), 22, "  cudaStream_t stream = 0;");
    std::string const make = "  CUDA_CHECK(cudaStreamCreate(&stream));\n";
    return code.erase(code.find(make), make.size());
  };
  std::string const make = "cudaStreamCreate(&s);";
  EXPECT_THAT(device(without_stream(lanes("Lane() { " + make + " }", "  Lane lane;\n"))),
              Not(HasSubstr("order_of(comm);")));
  EXPECT_THAT(device(without_stream(lanes("Lane() { " + make + " }", "  Lane lane, other;\n"))),
              HasSubstr("order_of(comm);"));
  EXPECT_THAT(device(without_stream(lanes("",
                                          "  Lane lane, b;\n  auto open = [](Lane& l) { "
                                          "cudaStreamCreate(&l.s); };\n  open(lane);\n  open(b);\n"))),
              HasSubstr("order_of(comm);"));
  // One order for all launchers of a communicator, and none for a program with one stream.
  auto const two =
      device(with("cudaStream_t side; cudaStreamCreate(&side);\n    "
                  "ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);\n    "
                  "ncclBroadcast(in, out, n, ncclFloat, 0, comm, side);"));
  EXPECT_EQ(occurrences(two, "LaunchOrder& order = order_of(comm);"), 2);
  EXPECT_THAT(device(with(kSum)), Not(HasSubstr("LaunchOrder")));
}

TEST(Planner, LaunchesReportTheirOwnErrorsOnly) {
  for (char const* call :
       {kSum, "ncclSend(in, n, ncclFloat, 0, comm, stream); ncclRecv(out, n, ncclFloat, 0, comm, stream);"})
    for (Api api : {Api::LSA, Api::GIN, Api::Auto}) {
      auto const code = device(with(call), api);
      EXPECT_EQ(occurrences(code, "cudaGetLastError()"), 1)
          << "but for the one that is put back after creation";
      EXPECT_THAT(code, HasSubstr("if (clean) (void)cudaGetLastError();"));
    }
}

TEST(Planner, ExpressionsWithEffectsAreComputedOnce) {
  std::string const taken =
      "struct Pool { float* at; size_t used = 0; float* take(size_t k) { used += k; return at; } };\n";
  std::string const made = std::string(kPlainAllocate) + "  Pool pool{in};\n";
  for (char const* buffer : {"pool.take(n)", "in++", "(in = pool.at)"}) {
    std::string const arguments = std::string(buffer) + ", out, n, ncclFloat, ncclSum, comm, stream);";
    EXPECT_THAT(planned(with("ncclAllReduce(" + arguments, taken, made)),
                Not(HasSubstr("prepare(comm, {" + std::string(buffer))))
        << buffer;
    auto const code =
        device(with("ncclBcast(" + std::string(buffer) + ", n, ncclFloat, 0, comm, stream);", taken, made));
    EXPECT_EQ(occurrences(code, buffer), 1);
    EXPECT_THAT(code,
                HasSubstr("(one_buffer, one_buffer, n, 0, comm, stream); }(" + std::string(buffer) + ");"));
  }
}

TEST(Planner, AllAllocationsOfABufferBecomeSymmetricOrNone) {
  std::string const grow = "if (round == 1) { cudaFree(in); cudaMalloc(&in, n * sizeof(float)); }\n    ";
  auto const code = planned(with(grow + kSum));
  EXPECT_EQ(occurrences(code, "device_nccl::allocate(&in,"), 2);
  std::string const managed =
      "if (round == 1) { cudaFree(in); cudaMallocManaged(&in, n * sizeof(float)); }\n    ";
  auto const staged = planned(with(managed + kSum));
  EXPECT_THAT(staged, HasSubstr("send_staged=yes recv_staged=no"));
  EXPECT_THAT(staged, Not(HasSubstr("device_nccl::allocate(&in,")));
}

TEST(Planner, WhatOtherLibrariesShareStaysCudaMallocs) {
  for (char const* use : {"MPI_Send(in, int(n), MPI_FLOAT, 0, 0, MPI_COMM_WORLD);",
                          "MPI_Send(in + 5, 1, MPI_FLOAT, 0, 0, MPI_COMM_WORLD);",
                          "MPI_Send(&in[5], 1, MPI_FLOAT, 0, 0, MPI_COMM_WORLD);",
                          "cudaFreeAsync(in, stream);"}) {
    auto const code = planned(with(std::string(kSum) + use));
    EXPECT_THAT(code, HasSubstr("send_staged=yes recv_staged=no")) << use;
    EXPECT_THAT(code, Not(HasSubstr("device_nccl::allocate(&in,"))) << use;
  }
  EXPECT_THAT(planned(with(kSum, "#define SHARE(p) cudaIpcGetMemHandle(&handle, p)\n")),
              HasSubstr("send_staged=yes recv_staged=yes"));
  EXPECT_THAT(planned(with(std::string(kSum) + "MPI_Send(&n, 1, MPI_FLOAT, 0, 0, MPI_COMM_WORLD);")),
              HasSubstr("send_staged=no recv_staged=no"));
}

TEST(Planner, CommunicatorsOfAGroupAreSetUpAtItsEnd) {
  std::string const sends =
      "ncclSend(in, n, ncclFloat, 0, part, stream); ncclRecv(out, n, ncclFloat, 0, part, stream);";
  auto const code = device(
      with("ncclComm_t part;\n    ncclGroupStart();\n    ncclCommSplit(comm, 0, rank, &part, nullptr);\n    "
           "ncclGroupEnd();\n    " +
           sends));
  EXPECT_THAT(code, HasSubstr("device_nccl::creation_group_start();\n    device_nccl::comm_split("));
  EXPECT_THAT(code, HasSubstr("device_nccl::creation_group_end();\n    device_nccl::send("));
  EXPECT_THAT(code, HasSubstr("made(part)"));
  EXPECT_THAT(device(with(sends, "static ncclComm_t part;\n")), Not(HasSubstr("creation_group")));
}

TEST(Planner, SeveralCommunicatorsOfOneDeviceAreFine) {
  for (char const* more :
       {"  ncclComm_t others[2];\n  for (int k = 0; k < 2; ++k) ncclCommInitRank(&others[k], nranks, "
        "ncclUniqueId{}, rank);\n",
        "  make_comm(rank, nranks);\n",
        "  for (int d = 0; d < 2; ++d) { cudaSetDevice(d); cudaDeviceSynchronize(); }\n"})
    EXPECT_THAT(planned(with(kSum, "", std::string(kPlainAllocate) + more)), Not(HasSubstr("refused")))
        << more;
}

TEST(Planner, RegistersAheadOnlyWhatIsAlwaysUsed) {
  EXPECT_THAT(planned(with("if (n > 5) ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);")),
              Not(HasSubstr("device_nccl::prepare(comm, {")));
  EXPECT_THAT(
      planned(
          with("ncclComm_t part; ncclCommSplit(comm, 0, rank, &part, nullptr);\n    ncclAllReduce(in, out, "
               "n, ncclFloat, ncclSum, part, stream);")),
      Not(HasSubstr("device_nccl::prepare(part")));
}

TEST(Planner, WhatOnlySomeRanksFreeIsNotSymmetric) {
  auto const code = planned(sum_program("",
                                        kPlainAllocate,
                                        std::string("    ") + kSum + "\n",
                                        "  if (rank == 0) cudaFree(in);\n  cudaFree(out);\n"));
  EXPECT_THAT(code, HasSubstr("send_staged=yes"));
}

/// A program whose offset `off` is set by `change`. The second part, if any, stands before main.
std::string with_offset(std::string const& change, std::string const& before) {
  return planned(with("ncclAllReduce(in + off, out + off, n - 8, ncclFloat, ncclSum, comm, stream);",
                      "#include <cstring>\n#include <functional>\n#include <map>\n" + before,
                      std::string(kPlainAllocate) + "  size_t off = 0;\n  " + change + "\n"));
}
struct Offset {
  char const* change;
  char const* before = "";
};

/// What is not proven to be the same on all ranks is no offset in peers' memory.
TEST(Planner, WhatIsNotProvenIsNotTheSame) {
  Offset const cases[] = {
      {"size_t* p = &off; *p = rank;"},
      {"auto& r = off; r += rank;"},
      {"auto flip = [&] { off ^= 4; }; if (rank == 1) flip();"},
      {"std::function<void()> f = [&] { off = 4; }; if (rank == 1) f();"},
      {"auto g = [r = rank] { return size_t(r); }; off = g();"},
      {"put(&off, rank);", "static void put(size_t* p, size_t v) { *p = v; }\n"},
      {"if (rank == 2) bump(off);", "static void bump(size_t& p) { ++p; }\n"},
      {"where(off) = rank;", "static size_t& where(size_t& a) { return a; }\n"},
      {"S s = make(rank); off = s.a;",
       "struct S { size_t a, b; };\nstatic S make(int r) { return {size_t(r), 1}; }\n"},
      {"std::vector<S> v; v.push_back({size_t(rank), 2}); off = v[0].a;", "struct S { size_t a, b; };\n"},
      {"S s(rank); off = s.a;", "struct S { size_t a = 0; S(int r) : a(r) {} };\n"},
      {"S s; L l; s.init(rank); l.init(rank); off = s.a;",
       "struct S { size_t a = 0; void init(int r) { a = r; } };\nstruct L { size_t q = 0; void init(int) { q "
       "= 1; } };\n"},
      {"T t; S* s = &t; off = s->f(rank);",
       "struct S { virtual size_t f(int) { return 0; } };\nstruct T : S { size_t f(int r) override { return "
       "r; } };\n"},
      {"size_t (*f[2])() = {one, two}; off = f[rank % 2]();",
       "static size_t one() { return 4; }\nstatic size_t two() { return 0; }\n"},
      {"std::vector<size_t> v; v.push_back(rank); off = v[0];"},
      {"std::vector<size_t> v(4); *v.begin() = rank; off = v[0];"},
      {"std::vector<size_t> v(rank + 1); off = v.size();"},
      {"std::vector<size_t> v{1, 2, 3}; off = v[rank % 3];"},
      {"std::map<float*, size_t> m; m[in] = 1; m[out] = 2; off = m.begin()->second;"},
      {"MPI_Comm row; MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &row); MPI_Bcast(&off, 8, MPI_BYTE, 0, "
       "row);"},
      {"off = (size_t)in % 4;"},
      {"off = rand() % 4;"},
      {"off = atoi(getenv(\"OMPI_COMM_WORLD_RANK\"));"},
      {"size_t* h; cudaMallocManaged(&h, 8); k<<<1, 1>>>(h); off = *h;",
       "__global__ void k(size_t* p) { *p = 1; }\n"},
      {"from_elsewhere(off);", "void from_elsewhere(size_t&);\n"},
      {"FILE* f = fopen(\"x\", \"r\"); if (fscanf(f, \"%zu\", &off) != 1) return 1;"},
      {"char t[9]; snprintf(t, 9, \"%d\", rank); off = atoi(t);"},
      {"for (;;) { ++off; if (off > size_t(3 + rank)) break; }"},
      {"do { ++off; } while (off < size_t(rank));"},
      {"if (rank == 0) goto skip; off = 4; skip:;"},
      {"off = ME;", "#define ME (rank)\n"},
      {"IF_ROOT off = 4;", "#define IF_ROOT if (rank == 0)\n"},
      {"off = K;", "#ifdef FAST\n#define K 4\n#else\n#define K rank\n#endif\n"},
      {"if (cudaEventQuery(start) == cudaSuccess) off = 4;"},
      {"size_t big = 4; while (cudaMalloc(&in, big) != cudaSuccess) big /= 2; off = big;"},
      {"size_t* t[1] = {&off}; *t[0] = rank;"},
      {"S s; s.r = rank; off = s;", "struct S { int r; operator size_t() const { return r; } };\n"},
      {"U u; u.a = rank; off = u.b;", "union U { int a; unsigned b; };\n"},
  };
  for (Offset const& c : cases) {
    auto const code = with_offset(c.change, c.before);
    EXPECT_TRUE(code.find("recv_offset_varies=yes") != std::string::npos ||
                code.find("launcher=all_reduce_sum_float_staged") != std::string::npos)
        << c.before << c.change;
  }
}

TEST(Planner, WhatIsProvenStaysInPlace) {
  Offset const cases[] = {
      {"off = nranks;"},
      {"if (argc > 1) off = strtoull(argv[1], nullptr, 0);"},
      {"const char* e = getenv(\"PROBLEM_SIZE\"); if (e != nullptr) off = atoi(e);"},
      {"for (int i = 0; i < nranks; ++i) off += i;"},
      {"std::vector<size_t> v(nranks, 3); v.push_back(4); off = v[0] + v.size();"},
      {"auto set = [&](size_t v) { off = v; }; set(4);"},
      {"put(&off, 4);", "static void put(size_t* p, size_t v) { *p = v; }\n"},
      {"off = up(4, nranks); size_t mine = up(rank, 4); (void)mine;",
       "static size_t up(size_t a, size_t b) { return (a + b - 1) / b * b; }\n"},
      {"S s{4, size_t(rank)}; off = s.a;", "struct S { size_t a, b; };\n"},
      {"S s(nranks); off = s.a;", "struct S { size_t a = 0; S(int r) : a(r) {} };\n"},
      {"int mine = rank, most = 0; MPI_Allreduce(&mine, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD); off = "
       "most;"},
      {"for (const auto& l : kLayers) off += l.n;",
       "struct L { const char* name; size_t n; };\nstatic const L kLayers[] = {{\"a\", 4}, {\"b\", 8}};\n"},
      {"if (rank == 0) printf(\"hello\\n\");"},
  };
  for (Offset const& c : cases) {
    auto const code = with_offset(c.change, c.before);
    EXPECT_THAT(code, HasSubstr("launcher=all_reduce_sum_float\n")) << c.before << c.change;
    EXPECT_THAT(code, HasSubstr("recv_offset_varies=no")) << c.before << c.change;
  }
}

TEST(Planner, CallsAtDifferentPlacesMeetInOneLauncher) {
  auto const one = planned(with(
      "if (rank == 0) ncclReduce(in, in, n, ncclFloat, ncclSum, 0, comm, stream);\n    else ncclReduce(in, "
      "nullptr, n, ncclFloat, ncclSum, 0, comm, stream);\n    ncclReduce(out, out, n, ncclFloat, ncclSum, 0, "
      "comm, stream);"));
  EXPECT_EQ(occurrences(one, "launcher=reduce_sum_float_staged\n"), 3) << one.substr(0, 600);
  auto const two = planned(with(
      "ncclDataType_t type = argc > 1 ? ncclFloat : ncclInt;\n    if (rank == 0) ncclReduce(in, out, n, "
      "ncclFloat, ncclSum, 0, comm, stream);\n    else ncclReduce(in, nullptr, n, type, ncclSum, 0, comm, "
      "stream);"));
  EXPECT_EQ(occurrences(two, "launcher=reduce_staged\n"), 2) << two.substr(0, 600);
}

TEST(Planner, WhatTheCommandLineMaySetIsNoConstant) {
  EXPECT_THAT(planned(with("ncclAllReduce(in, out, n, REAL, ncclSum, comm, stream);",
                           "#ifndef REAL\n#define REAL ncclFloat\n#endif\n")),
              HasSubstr("runtime_type=yes"));
}

TEST(Planner, AnotherNameForTheTypeOfAParameterHidesNothing) {
  EXPECT_THAT(
      planned(with("sum(in, out, n, type); sum(in, out, n, ncclInt32);",
                   "typedef ncclDataType_t dtype_t;\nstatic const ncclDataType_t type = ncclFloat;\nstatic "
                   "ncclComm_t g_comm;\nstatic void sum(float* a, float* b, size_t n, dtype_t type) {\n  "
                   "ncclAllReduce(a, b, n, type, ncclSum, g_comm, 0);\n}\n")),
      HasSubstr("runtime_type=yes"));
}

}  // namespace
}  // namespace cuco::testing
