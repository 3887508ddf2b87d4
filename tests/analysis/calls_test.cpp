// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analyze.hpp"

namespace {

using namespace cuco::testing;
using cuco::kNone;
using Texts = std::vector<std::string>;

std::string in_function(std::string const& body) {
  return "void f() {\n" + body + "\n}\n";
}

TEST(Calls, WrappersAndStatements) {
  std::string const source = in_function(R"(  NCCL_CHECK(ncclAllReduce(a, b, n, ncclFloat, ncclSum, comm, s));
  ncclAllGather(a, b, n, ncclFloat, comm, s);
  auto e = ncclReduce(a, b, n, ncclFloat, ncclSum, 0, comm, s);
  if (ncclSend(a, n, ncclFloat, p, comm, s) != ncclSuccess) return;
  return CHECK(ncclRecv(a, n, ncclFloat, p, comm, s), "text");
  NCCL_CHECK( // why
      ncclBroadcast(a, b,
                    n, ncclFloat, 0, comm, s)
  );
  (void)::ncclBcast(a, n, ncclFloat, 0, comm, s);)");
  auto const r = analyze(source);
  ASSERT_EQ(r.graph.size(), 7U);
  auto call = [&](std::size_t i) { return r.calls.at(i); };
  EXPECT_EQ(text_of(source, call(0).statement),
            "NCCL_CHECK(ncclAllReduce(a, b, n, ncclFloat, ncclSum, comm, s));");
  EXPECT_EQ(text_of(source, call(0).span), "ncclAllReduce(a, b, n, ncclFloat, ncclSum, comm, s)");
  EXPECT_EQ(call(0).wrapper, "NCCL_CHECK");
  EXPECT_TRUE(call(0).bare_statement);
  EXPECT_EQ(call(1).wrapper, "");
  EXPECT_TRUE(call(1).bare_statement);
  EXPECT_EQ(text_of(source, call(2).statement),
            "auto e = ncclReduce(a, b, n, ncclFloat, ncclSum, 0, comm, s);");
  EXPECT_FALSE(call(2).bare_statement);
  EXPECT_EQ(text_of(source, call(3).statement),
            "if (ncclSend(a, n, ncclFloat, p, comm, s) != ncclSuccess) return;");
  EXPECT_FALSE(call(3).bare_statement);
  EXPECT_EQ(call(3).wrapper, "");
  EXPECT_EQ(call(4).wrapper, "CHECK");
  EXPECT_FALSE(call(4).bare_statement);
  EXPECT_EQ(call(5).line, 8U);
  EXPECT_TRUE(call(5).bare_statement);
  EXPECT_TRUE(text_of(source, call(5).statement).starts_with("NCCL_CHECK( // why"));
  EXPECT_TRUE(text_of(source, call(5).statement).ends_with(")\n  );"));
  EXPECT_TRUE(call(6).bare_statement);
}

TEST(Calls, StatementsInsideControlFlow) {
  std::string const source = in_function(
      R"(  if (rank == 0) NCCL_CHECK(ncclSend(a, n, t, 1, comm, s)); else ncclRecv(a, n, t, 0, comm, s);
  for (int i = 0; i < 2; ++i) ncclGroupStart();
  switch (k) { case 1: ncclGroupEnd(); break; default: cudaDeviceSynchronize(); }
  label: cudaGetLastError();
  try { cudaFree(x); } catch (...) { cudaDeviceReset(); })");
  auto const r = analyze(source);
  Texts statements;
  for (auto const& c : r.calls) {
    statements.push_back(text_of(source, c.statement));
    EXPECT_TRUE(c.bare_statement) << c.name;
  }
  EXPECT_EQ(statements,
            (Texts{"NCCL_CHECK(ncclSend(a, n, t, 1, comm, s));",
                   "ncclRecv(a, n, t, 0, comm, s);",
                   "ncclGroupStart();",
                   "ncclGroupEnd();",
                   "cudaDeviceSynchronize();",
                   "cudaGetLastError();",
                   "cudaFree(x);",
                   "cudaDeviceReset();"}));
}

TEST(Calls, CommasInsideArguments) {
  auto const r = analyze(in_function(
      R"(ncclAllReduce(ctx->a[i < j ? 1 : 2], std::get<0, int>(t).p, f(a, b) < g(c, d), map<int, 3>::type, {1, 2}, "x,y", s->h);)"));
  ASSERT_EQ(r.calls.size(), 1U);
  EXPECT_EQ(arguments(r.calls[0].args),
            (Texts{"ctx->a[i < j ? 1 : 2]",
                   "std::get<0, int>(t).p",
                   "f(a, b) < g(c, d)",
                   "map<int, 3>::type",
                   "{1, 2}",
                   "\"x,y\"",
                   "s->h"}));
  auto const s = analyze(in_function("ncclSend(a < b, c > d, a < b, e > 0, x, y);"));
  EXPECT_EQ(arguments(s.calls[0].args), (Texts{"a < b", "c > d", "a < b", "e > 0", "x", "y"}));
}

TEST(Calls, WhatIsNotACall) {
  auto const r = analyze(R"cuda(
ncclResult_t ncclAllReduce(const void* a, void* b, size_t n, ncclDataType_t t, ncclRedOp_t o, ncclComm_t c, cudaStream_t s);
// ncclAllGather(a, b, n, t, c, s);
/* ncclReduce(a, b); */
const char* text = "ncclBroadcast(a, b)";
#if 0
void g() { ncclSend(a, n, t, p, c, s); }
#endif
#define UNUSED(x) ncclRecv(x, n, t, p, c, s)
void f() { obj.ncclGather(1); other::ncclScatter(2); p->cudaMalloc(3); ncclComm_t comm; MPI_CHECK(x); }
)cuda");
  EXPECT_TRUE(r.calls.empty()) << r.calls.front().name;
  EXPECT_FALSE(r.has_host_communication());
}

TEST(Calls, Categories) {
  auto const r =
      analyze(in_function(R"(MPI_CHECK(MPI_Init(0, 0)); ncclGetUniqueId(&id); ncclCommInitRank(&c, n, id, r);
  cudaDeviceSynchronize(); cudaStreamSynchronize(s); cudaEventSynchronize(e); cudaEventRecord(e, s); cudaStreamWaitEvent(s, e);
  ncclGroupStart(); ncclGroupEnd(); ncclCommWindowRegister(c, p, n, &w, 0); ncclDevCommCreate(c, &q, &d); MPI_Finalize();)"));
  EXPECT_EQ(names(r, r.mpi), (Texts{"MPI_Init", "MPI_Finalize"}));
  EXPECT_EQ(names(r, r.setup),
            (Texts{"ncclGetUniqueId", "ncclCommInitRank", "ncclCommWindowRegister", "ncclDevCommCreate"}));
  EXPECT_EQ(names(r, r.sync_points),
            (Texts{"cudaDeviceSynchronize",
                   "cudaStreamSynchronize",
                   "cudaEventSynchronize",
                   "cudaEventRecord",
                   "cudaStreamWaitEvent"}));
  EXPECT_EQ(names(r, r.collectives), (Texts{"ncclGroupStart", "ncclGroupEnd"}));
  EXPECT_TRUE(r.graph.empty());
}

TEST(Calls, ArgumentRolesOfEveryCollective) {
  auto const r = analyze(in_function(R"(ncclGroupStart();
  ncclAllReduce(S, R, N, T, O, C, X); ncclBroadcast(S, R, N, T, 3, C, X); ncclBcast(B, N, T, 3, C, X);
  ncclReduce(S, R, N, T, O, 3, C, X); ncclAllGather(S, R, N, T, C, X); ncclReduceScatter(S, R, N, T, O, C, X);
  ncclGroupEnd();
  ncclAlltoAll(S, R, N, T, C, X); ncclAllToAll(S, R, N, T, C, X); ncclGather(S, R, N, T, 3, C, X); ncclScatter(S, R, N, T, 3, C, X);
  ncclSend(S, N, T, 7, C, X); ncclRecv(R, N, T, 7, C, X);)"));
  Texts found;
  for (auto const& n : r.graph)
    found.push_back(n.collective + " " + n.send.expr + " " + n.recv.expr + " " + n.count + " " + n.datatype +
                    " " + n.op + " " + n.root + " " + n.peer + " " + n.comm + " " + n.stream +
                    (n.in_group ? " group" : ""));
  EXPECT_EQ(found,
            (Texts{"AllReduce S R N T O   C X group",
                   "Broadcast S R N T  3  C X group",
                   "Broadcast B B N T  3  C X group",
                   "Reduce S R N T O 3  C X group",
                   "AllGather S R N T    C X group",
                   "ReduceScatter S R N T O   C X group",
                   "AlltoAll S R N T    C X",
                   "AlltoAll S R N T    C X",
                   "Gather S R N T  3  C X",
                   "Scatter S R N T  3  C X",
                   "Send S  N T   7 C X",
                   "Recv  R N T   7 C X"}));
  EXPECT_TRUE(r.graph[2].in_place);
  EXPECT_FALSE(r.graph[0].in_place);
}

TEST(Calls, MissingArgumentsLowerConfidence) {
  auto const r = analyze(in_function("ncclAllReduce(a, b, n);"));
  ASSERT_EQ(r.graph.size(), 1U);
  EXPECT_EQ(r.graph[0].count, "n");
  EXPECT_EQ(r.graph[0].stream, "");
  EXPECT_LT(r.graph[0].confidence, 0.5);
  EXPECT_EQ(r.graph[0].guesses.front(), "ncclAllReduce has 3 arguments where 7 are expected");
}

TEST(Calls, MacrosThatHideCollectives) {
  std::string const source = R"(
#define CHECK(c) do { if ((c) != ncclSuccess) exit(1); } while (0)
#define ALL_REDUCE(s, r, ...) CHECK(ncclAllReduce(s, (float*)r, __VA_ARGS__, ncclSum, comm, stream))
#define INDIRECT(p) ALL_REDUCE(p, p, n, ncclFloat)
#define RENAMED ncclAllGather
void f() {
  ALL_REDUCE(x + 1, y, count(1, 2), ncclFloat);
  INDIRECT(buf->q);
  RENAMED(a, b, n, ncclFloat, comm, stream);
  CHECK(ncclBcast(z, n, ncclFloat, 0, comm, stream));
}
)";
  auto const r = analyze(source);
  ASSERT_EQ(r.graph.size(), 4U);
  EXPECT_EQ(r.graph[0].send.expr, "x+1");
  EXPECT_EQ(r.graph[0].recv.base, "y");
  EXPECT_EQ(r.graph[0].count, "count(1,2)");
  EXPECT_EQ(r.graph[0].op, "ncclSum");
  EXPECT_LT(r.graph[0].confidence, 1);
  EXPECT_NE(r.graph[0].guesses.front().find("ALL_REDUCE"), std::string::npos);
  EXPECT_FALSE(r.calls[0].bare_statement);
  EXPECT_EQ(r.calls[0].macro, "ALL_REDUCE");
  EXPECT_EQ(text_of(source, r.calls[0].statement), "ALL_REDUCE(x + 1, y, count(1, 2), ncclFloat);");
  EXPECT_EQ(r.calls[0].line, 7U);
  EXPECT_EQ(r.graph[1].send.expr, "buf->q");
  EXPECT_TRUE(r.graph[1].in_place);
  EXPECT_EQ(r.calls[2].name, "ncclAllGather");
  EXPECT_EQ(r.graph[3].collective, "Broadcast");
  EXPECT_EQ(r.calls[3].macro, "");
  EXPECT_TRUE(r.calls[3].bare_statement);
}

TEST(Calls, FunctionPointersAreNoted) {
  auto const r = analyze(in_function("auto fn = ncclAllReduce; fn(a, b, n, t, o, c, s);"));
  EXPECT_TRUE(r.graph.empty());
  ASSERT_EQ(r.notes.size(), 1U);
  EXPECT_EQ(r.notes[0], "line 2: ncclAllReduce is used as a value; calls through pointers are not followed");
}

TEST(Launches, TripleBrackets) {
  std::string const source = in_function(R"(  k<<<dim3(x, y), 256>>>(a, b);
  ns::t<float, 4><<<grid(n, 2), dim3{32, 8}, n * sizeof(float), ctx->stream>>>(p + 1, f(a, b), x < y);
  for (;;) CHECK((k<<<1, 1, 0, s>>>()));
  t<N<3>><<<g, b>>>(x);)");
  auto const r = analyze(source);
  ASSERT_EQ(r.launches.size(), 4U);
  EXPECT_EQ(r.launches[0].kernel, "k");
  EXPECT_EQ(r.launches[0].grid, "dim3(x, y)");
  EXPECT_EQ(r.launches[0].block, "256");
  EXPECT_EQ(r.launches[0].shared, "0");
  EXPECT_EQ(r.launches[0].stream, "0");
  EXPECT_EQ(text_of(source, r.launches[0].statement), "k<<<dim3(x, y), 256>>>(a, b);");
  EXPECT_EQ(r.launches[1].kernel, "ns::t<float,4>");
  EXPECT_EQ(r.launches[1].grid, "grid(n, 2)");
  EXPECT_EQ(r.launches[1].block, "dim3{32, 8}");
  EXPECT_EQ(r.launches[1].shared, "n * sizeof(float)");
  EXPECT_EQ(r.launches[1].stream, "ctx->stream");
  EXPECT_EQ(arguments(r.launches[1].args), (Texts{"p + 1", "f(a, b)", "x < y"}));
  EXPECT_EQ(r.launches[2].loop, 0);
  EXPECT_EQ(text_of(source, r.launches[2].statement), "CHECK((k<<<1, 1, 0, s>>>()));");
  EXPECT_EQ(r.launches[3].kernel, "t<N<3>>");
}

TEST(Launches, RuntimeCalls) {
  auto const r = analyze(R"(
__global__ void k(float* a, int n) {}
template <class T, int N> __global__ void t(T* a) {}
void f(float* a, int n) {
  void* args[] = {&a, (void*)&n};
  CHECK(cudaLaunchCooperativeKernel((void*)k, dim3(g), dim3(b), args, 0, stream));
  cudaLaunchKernel(reinterpret_cast<const void*>(&t<float, 4>), 1, 2, other_args, 3, 0);
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(4, 2);
  config.blockDim = 128;
  config.dynamicSmemBytes = 64;
  config.stream = s;
  cudaLaunchKernelEx(&config, k, a, n);
  cudaLaunchConfig_t second{g2, b2, 0, s2};
  cudaLaunchKernelEx(&second, t<float, 8>, a);
}
)");
  ASSERT_EQ(r.launches.size(), 4U);
  EXPECT_EQ(r.launches[0].kernel, "k");
  EXPECT_TRUE(r.launches[0].cooperative);
  EXPECT_EQ(r.launches[0].grid, "dim3(g)");
  EXPECT_EQ(r.launches[0].stream, "stream");
  EXPECT_EQ(arguments(r.launches[0].args), (Texts{"a", "n"}));
  EXPECT_EQ(r.launches[1].kernel, "t<float,4>");
  EXPECT_FALSE(r.launches[1].cooperative);
  EXPECT_EQ(r.launches[1].shared, "3");
  EXPECT_EQ(r.notes.size(), 1U);
  EXPECT_EQ(r.launches[2].grid, "dim3(4, 2)");
  EXPECT_EQ(r.launches[2].block, "128");
  EXPECT_EQ(r.launches[2].shared, "64");
  EXPECT_EQ(r.launches[2].stream, "s");
  EXPECT_EQ(arguments(r.launches[2].args), (Texts{"a", "n"}));
  EXPECT_EQ(r.launches[3].kernel, "t<float,8>");
  EXPECT_EQ(r.launches[3].grid, "g2");
  EXPECT_EQ(r.launches[3].stream, "s2");
}

TEST(Launches, FromMacros) {
  auto const r = analyze(R"(
#define LAUNCH(kernel, n, ...) kernel<<<(n + 255) / 256, 256, 0, stream>>>(__VA_ARGS__)
void f() { LAUNCH(fill, count, p, 3); }
)");
  ASSERT_EQ(r.launches.size(), 1U);
  EXPECT_EQ(r.launches[0].kernel, "fill");
  EXPECT_EQ(r.launches[0].grid, "(count+255)/256");
  EXPECT_EQ(arguments(r.launches[0].args), (Texts{"p", "3"}));
  EXPECT_EQ(r.launches[0].line, 3U);
}

TEST(Allocations, EveryAllocator) {
  auto const r =
      analyze(in_function(R"(CHECK(cudaMalloc(&a, n * sizeof(float))); cudaMalloc((void**)&ctx->b, f(1, 2));
  cudaMallocManaged(reinterpret_cast<void**>(&c), 4, cudaMemAttachGlobal); cudaMallocHost(&h[i], 5);
  cudaHostAlloc((void **) &s.t, 6, 0); cudaMallocAsync(&d, 7, stream); NCCL_CHECK(ncclMemAlloc((void**)&e, 8));
  cudaMalloc(pp, 9); cudaMalloc<float>(&g, 10); cudaMallocPitch(&q, &pitch, w, rows);)"));
  Texts found;
  for (auto const& a : r.allocations)
    found.push_back(a.allocator + " " + a.buffer + " " + a.base + " " + a.size +
                    (a.symmetric ? " symmetric" : ""));
  EXPECT_EQ(found,
            (Texts{"cudaMalloc a a n * sizeof(float)",
                   "cudaMalloc ctx->b ctx f(1, 2)",
                   "cudaMallocManaged c c 4",
                   "cudaMallocHost h[i] h 5",
                   "cudaHostAlloc s.t s 6",
                   "cudaMallocAsync d d 7",
                   "ncclMemAlloc e e 8 symmetric",
                   "cudaMalloc pp pp 9",
                   "cudaMalloc g g 10",
                   "cudaMallocPitch q q w * rows"}));
}

}  // namespace
