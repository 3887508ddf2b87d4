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

}  // namespace
}  // namespace cuco::testing
