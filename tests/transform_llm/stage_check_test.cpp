// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/transform/impl/stage_check.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "corpus/programs.hpp"
#include "cuco/transform/load_program.hpp"
#include "transform/rewriting.hpp"
#include "transform_llm/device_programs.hpp"

namespace cuco::testing {
namespace {

using impl::transforming::stage_problem;
using impl::transforming::verdict_problem;
using impl::transforming::without_marker_lines;

std::string problem(Api api, TransformStage stage, std::string const& code) {
  return stage_problem(api, stage, host_alltoall(), code, "alltoall.cu");
}

TEST(StageCheck, GoodStagesHaveNoProblem) {
  for (bool gin : {false, true}) {
    Api const api = gin ? Api::GIN : Api::LSA;
    EXPECT_EQ(problem(api, TransformStage::kInfrastructure, infrastructure_alltoall(gin)), "");
    EXPECT_EQ(problem(api, TransformStage::kDevice, device_alltoall(gin)), "");
    EXPECT_EQ(problem(api, TransformStage::kSingle, device_alltoall(gin)), "");
    EXPECT_EQ(problem(Api::Auto, TransformStage::kDevice, device_alltoall(gin)), "");
  }
  EXPECT_EQ(problem(Api::LSA, TransformStage::kInfrastructure, device_alltoall()), "")
      << "who does both steps at once is done with the first, too";
}

TEST(StageCheck, StageANeedsItsInfrastructure) {
  auto const a = [](std::string const& code) {
    return problem(Api::LSA, TransformStage::kInfrastructure, code);
  };
  EXPECT_NE(a(host_alltoall()).find("nccl_device.h"), std::string::npos);
  EXPECT_NE(a(with_changes(host_alltoall(),
                           {{"#include <nccl.h>\n", "#include <nccl.h>\n#include <nccl_device.h>\n"}}))
                .find("ncclMemAlloc"),
            std::string::npos);
  for (std::string const call : {"ncclCommWindowRegister", "ncclDevCommCreate", "ncclMemAlloc"}) {
    std::string code = infrastructure_alltoall();
    for (std::size_t at = code.find(call + "("); at != std::string::npos; at = code.find(call + "(", at))
      code.replace(at, call.size(), "made_up_call");
    // In a comment it does not count.
    EXPECT_NE(a("// " + call + "(comm)\n" + code).find(call), std::string::npos);
  }
}

TEST(StageCheck, StageAKeepsTheHostCollectives) {
  std::string const gone = with_changes(infrastructure_alltoall(), {{kHostCall, ""}});
  std::string const said = problem(Api::LSA, TransformStage::kInfrastructure, gone);
  EXPECT_NE(said.find("1 of 1 host collectives were removed"), std::string::npos) << said;
}

/// Ways to leave, or hide, a collective in a program with a kernel.
TEST(StageCheck, HostCollectivesAreFoundUnderAnyName) {
  std::vector<std::pair<std::string, std::string>> const hidden{
      {"plainly", kHostCall},
      {"a macro with arguments", "EXCHANGE(d_send, d_recv);"},
      {"a wrapper", "wrapped(d_send, d_recv, count, comm, stream);"},
      {"a pointer", "auto call = ncclAlltoAll; call(d_send, d_recv, count, ncclUint32, comm, stream);"},
      {"a table", "table[0](d_send, d_recv, count, ncclUint32, comm, stream);"},
      {"the profiling name", "pncclAlltoAll(d_send, d_recv, count, ncclUint32, comm, stream);"},
      {"a pasted name", "PASTED(AlltoAll)(d_send, d_recv, count, ncclUint32, comm, stream);"},
      {"sends and receives",
       "ncclGroupStart(); for (int p = 0; p < nranks; ++p) { ncclSend(d_send, count, ncclUint32, p, comm, "
       "stream); "
       "ncclRecv(d_recv, count, ncclUint32, p, comm, stream); } ncclGroupEnd();"},
  };
  std::string const above =
      "#define EXCHANGE(a, b) ncclAlltoAll(a, b, count, ncclUint32, comm, stream)\n"
      "#define PASTED(what) nccl##what\n"
      "static void wrapped(uint32_t* a, uint32_t* b, size_t n, ncclComm_t c, cudaStream_t s) { "
      "ncclAlltoAll(a, b, n, ncclUint32, c, s); }\n"
      "static ncclResult_t (*table[])(const void*, void*, size_t, ncclDataType_t, ncclComm_t, cudaStream_t) "
      "= "
      "{ncclAlltoAll};\n";
  for (auto const& [name, call] : hidden) {
    // Only what the way needs, so that each is found by itself.
    std::string need;
    for (std::size_t at = 0; at < above.size();) {
      std::size_t const end = above.find('\n', at) + 1;
      std::string const line = above.substr(at, end - at);
      for (std::string const word : {"EXCHANGE", "PASTED", "wrapped", "table"})
        if (line.find(word) != std::string::npos && call.find(word) != std::string::npos) need += line;
      at = end;
    }
    std::string const code = with_changes(
        device_alltoall(),
        {{"// What rank", need + "// What rank"}, {"    CUDA_CHECK(cudaGetLastError());", "    " + call}});
    std::string const said = problem(Api::LSA, TransformStage::kDevice, code);
    EXPECT_NE(said.find("host collectives"), std::string::npos) << name << ": " << said;
    EXPECT_EQ(impl::transforming::names_host_collective(code), name != "a pasted name") << name;
  }
  EXPECT_FALSE(impl::transforming::names_host_collective(device_alltoall()));
  // A pasting macro that builds other names, or nothing any more, may stay.
  EXPECT_EQ(
      problem(Api::LSA,
              TransformStage::kDevice,
              with_changes(
                  device_alltoall(),
                  {{"// What rank", "#define PASTED(what) nccl##what\n// What rank"},
                   {"    CUDA_CHECK(cudaGetLastError());",
                    "    CUDA_CHECK(cudaGetLastError()); int version = 0; PASTED(GetVersion)(&version);"}})),
      "");
  std::string const loaded = with_changes(
      device_alltoall(),
      {{"    CUDA_CHECK(cudaGetLastError());", "    void* f = dlsym(nullptr, \"ncclAlltoAll\"); (void)f;"}});
  EXPECT_NE(problem(Api::LSA, TransformStage::kDevice, loaded).find("dlsym"), std::string::npos);
  std::string const comment = with_changes(
      device_alltoall(),
      {{"    CUDA_CHECK(cudaGetLastError());", "    // in place of ncclAlltoAll(d_send, d_recv)"}});
  EXPECT_EQ(problem(Api::LSA, TransformStage::kDevice, comment), "") << "a comment is no call";
}

TEST(StageCheck, DataMayNotTakeAnotherWay) {
  for (auto const& [call, word] : std::vector<std::pair<std::string, std::string>>{
           {"MPI_Alltoall(h_send.data(), (int)count, MPI_UNSIGNED, h_recv.data(), (int)count, MPI_UNSIGNED, "
            "MPI_COMM_WORLD);",
            "MPI_Alltoall"},
           {"cudaMemcpyPeerAsync(d_recv, 0, d_send, 1, count, stream);", "cudaMemcpyPeerAsync"},
           {"cudaIpcOpenMemHandle(nullptr, {}, 0);", "cudaIpcOpenMemHandle"}}) {
    std::string const code =
        with_changes(device_alltoall(), {{"    CUDA_CHECK(cudaGetLastError());", "    " + call}});
    EXPECT_NE(problem(Api::LSA, TransformStage::kDevice, code).find(word), std::string::npos) << call;
  }
}

TEST(StageCheck, KernelsMustReachAPeer) {
  std::string const idle =
      with_changes(infrastructure_alltoall(),
                   {{"// What rank `rank` sends",
                     "__global__ void idle(uint32_t* p) { p[0] = 1; }\n// What rank `rank` sends"},
                    {kHostCall, "idle<<<1, 1, 0, stream>>>(d_recv);"}});
  for (Api api : {Api::LSA, Api::GIN, Api::Auto})
    EXPECT_NE(problem(api, TransformStage::kDevice, idle).find("no kernel reaches a peer"),
              std::string::npos);
  EXPECT_NE(problem(Api::LSA, TransformStage::kDevice, device_alltoall(true)).find("ncclGin"),
            std::string::npos);
  EXPECT_NE(problem(Api::GIN, TransformStage::kDevice, device_alltoall(false)).find("put"),
            std::string::npos);
}

/// A model that cannot make the kernel work may want to look as if it did.
TEST(StageCheck, TheVerdictIsNotTheModelsToMake) {
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> const lies{
      {"prints PASS",
       {{"printf(\"Verification: %s\\n\", all ? \"PASS\" : \"FAIL\");",
         "printf(\"Verification: PASS\\n\");"}}},
      {"prints it as well",
       {{"  CUDA_CHECK(cudaEventDestroy(start));",
         "  puts(\"Verification: PASS\");\n  CUDA_CHECK(cudaEventDestroy(start));"}}},
      {"prints it from a macro",
       {{"// What rank", "#define SAY printf(\"Verification: PASS\\n\")\n// What rank"}}},
      {"forgets the errors",
       {{"  int mine = errors == 0, all = 0;", "  errors = 0;\n  int mine = errors == 0, all = 0;"}}},
      {"counts none", {{"++errors;", "(void)errors;"}}},
      {"weakens the check",
       {{"if (h_recv[peer * count + i] != input_at",
         "if (i > count && h_recv[peer * count + i] != input_at"}}},
      {"takes another minimum", {{"MPI_MIN", "MPI_MAX"}}},
      {"makes up the time", {{"times.push_back(ms);", "times.push_back(0.001f);"}}},
      {"measures something else",
       {{"cudaEventElapsedTime(&ms, start, stop)", "cudaEventElapsedTime(&ms, stop, stop)"}}},
  };
  for (auto const& [name, changes] : lies) {
    std::string const code = with_changes(device_alltoall(), changes);
    ASSERT_EQ(code.find("not found: "), std::string::npos) << code;
    std::string const said = problem(Api::LSA, TransformStage::kDevice, code);
    EXPECT_NE(said.find("result lines"), std::string::npos) << name << ": " << said;
  }
}

TEST(StageCheck, MarkersNeedAPlace) {
  // The kernel is in a namespace, and the statement that launches it prints: nothing may change.
  std::string const code =
      with_changes(device_alltoall(),
                   {{"__global__ void exchange", "namespace parts {\n__global__ void exchange"},
                    {"// What rank `rank` sends", "}  // namespace parts\n// What rank `rank` sends"},
                    {"    exchange<<<", "    fprintf(stderr, \"go\\n\"), parts::exchange<<<"},
                    {"    CUDA_CHECK(cudaGetLastError());\n", ""}});
  std::string const said = problem(Api::LSA, TransformStage::kDevice, code);
  EXPECT_NE(said.find("the parts that may evolve"), std::string::npos) << said;
}

TEST(StageCheck, MarkerLinesAreTakenOut) {
  EXPECT_EQ(
      without_marker_lines("a\n  // EVOLVE-BLOCK-START\nb // EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-END\r\nc"),
      "a\nb // EVOLVE-BLOCK-START\nc");
}

/// What the rules insert may not compute anything on the way.
TEST(StageCheck, ArgumentsOfGeneratedCallsAreTheOriginals) {
  auto const made = to_device(Api::LSA, host_alltoall());
  ASSERT_TRUE(made) << to_line(made.error());
  std::size_t const at = made->find("device_nccl::prepare(comm, {");
  ASSERT_NE(at, std::string::npos);
  for (std::string const text :
       {"(errors = 0, comm)", "(exit(0), comm)", "(times.clear(), comm)", "(++nranks, comm)"}) {
    std::string code = *made;
    code.replace(at + 21, 4, text);
    EXPECT_NE(problem(Api::LSA, TransformStage::kDevice, code), "") << text;
  }
  std::size_t const call = made->find("(d_send, d_recv, count", made->find("int main("));
  ASSERT_NE(call, std::string::npos);
  for (std::string const text : {"(d_send, d_recv, it ? 0 : count", "(d_send, (errors = 0, d_recv), count"}) {
    std::string code = *made;
    code.replace(call, 22, text);
    EXPECT_NE(problem(Api::LSA, TransformStage::kDevice, code), "") << text;
  }
}

TEST(StageCheck, MarkersInOtherSpellingsAreMarkers) {
  for (std::string const start :
       {"//EVOLVE-BLOCK-START", "//   EVOLVE-BLOCK-START ", "\t//\tEVOLVE-BLOCK-START"}) {
    EXPECT_EQ(without_marker_lines("a\n" + start + "\nb\n//EVOLVE-BLOCK-END\nc\n"), "a\nb\nc\n") << start;
    std::string const marked = with_changes(
        device_alltoall(),
        {{"// What rank", start + "\n// What rank"}, {"int main(", "//EVOLVE-BLOCK-END\nint main("}});
    EXPECT_NE(problem(Api::LSA, TransformStage::kDevice, marked), "") << start;
    EXPECT_EQ(problem(Api::LSA, TransformStage::kDevice, without_marker_lines(marked)), "") << start;
  }
}

/// An original with markers: they stay around communication.
TEST(StageCheck, MarkersOfTheProgramAreNotMoved) {
  std::string const start = "    // EVOLVE-BLOCK-START\n", end = "    // EVOLVE-BLOCK-END\n";
  std::string const call = "    " + std::string(kHostCall) + "\n";
  std::string const original = with_changes(host_alltoall(), {{call, start + call + end}});
  std::string const launch = "    exchange<<<4, 128, 0, stream>>>(devComm, sendWindow, recvWindow, count);\n";
  auto said = [&](std::vector<std::pair<std::string, std::string>> const& changes) {
    std::string const code = with_changes(device_alltoall(), changes);
    EXPECT_NE(code.find("int main"), std::string::npos) << code;
    return stage_problem(Api::LSA, TransformStage::kDevice, original, code, "alltoall.cu");
  };
  std::string const check = "    for (int peer = 0; peer < nranks; ++peer)\n";
  EXPECT_EQ(said({{launch, start + launch + end}}), "");
  EXPECT_NE(said({}), "") << "they are gone";
  EXPECT_NE(said({{launch, start + launch}, {"++errors;\n", "++errors;\n" + end}}), "") << "to the check";
  EXPECT_NE(said({{check, start + check}, {"++errors;\n", "++errors;\n" + end}}), "") << "around the check";
  EXPECT_NE(said({{"// What rank", start + "// What rank"}, {"int main(", end + "int main("}}), "");
  EXPECT_NE(
      said({{launch, start + launch + end}, {check, start + check}, {"++errors;\n", "++errors;\n" + end}}),
      "")
      << "one more";
}

TEST(StageCheck, TagsAloneAreNotGeneratedText) {
  std::string const check = "    for (int peer = 0; peer < nranks; ++peer)\n";
  for (auto const& [begin, end] : std::vector<std::pair<std::string, std::string>>{
           {"// cuco: section begin api=lsa\n", "// cuco: section end\n"},
           {"// cuco: infrastructure begin api=lsa\n", "// cuco: infrastructure end\n"}}) {
    std::string const code =
        with_changes(device_alltoall(), {{check, begin + check}, {"++errors;\n", "++errors;\n" + end}});
    EXPECT_NE(problem(Api::LSA, TransformStage::kDevice, code).find("generated text"), std::string::npos)
        << begin;
  }
  // The rules' own text, with one more line in it.
  auto const made = to_device(Api::LSA, host_alltoall());
  ASSERT_TRUE(made) << to_line(made.error());
  EXPECT_EQ(problem(Api::LSA, TransformStage::kDevice, *made), "");
  std::string const more =
      with_changes(*made, {{"struct Allocation {", "inline int more = puts(\"x\");\nstruct Allocation {"}});
  EXPECT_NE(problem(Api::LSA, TransformStage::kDevice, more), "");
}

TEST(StageCheck, AnyTextIsChecked) {
  for (std::string const text : {"", "\"", "}", "#define", "int main("})
    EXPECT_NE(problem(Api::LSA, TransformStage::kDevice, text), "") << text;
}

class CorpusStages : public ::testing::TestWithParam<std::string> {};

/// What rules make of every program passes the checks for what models make: they ask for nothing that a right
/// program does not have.
TEST_P(CorpusStages, AskForNothingThatRightProgramsLack) {
  auto const program = load_program(corpus_path(GetParam()));
  ASSERT_TRUE(program) << to_line(program.error());
  for (Api api : {Api::LSA, Api::GIN}) {
    auto const a = rewrite(api, program->code, TransformStage::kInfrastructure);
    ASSERT_TRUE(a) << to_line(a.error());
    EXPECT_EQ(verdict_problem(program->code, a->code), "");
    EXPECT_EQ(stage_problem(api, TransformStage::kInfrastructure, program->code, a->code, "p.cu"), "");
    auto const b = rewrite(api, a->code, TransformStage::kDevice);
    ASSERT_TRUE(b) << to_line(b.error());
    EXPECT_EQ(stage_problem(api, TransformStage::kDevice, program->code, b->code, "p.cu"), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Programs,
                         CorpusStages,
                         ::testing::ValuesIn(corpus_programs()),
                         [](auto const& info) { return info.param; });

}  // namespace
}  // namespace cuco::testing
