// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analyze.hpp"

namespace {

using namespace cuco::testing;
using Texts = std::vector<std::string>;

cuco::CommunicationNode only_node(cuco::Report const& r) {
  if (r.graph.size() == 1) return r.graph.front();
  ADD_FAILURE() << r.graph.size() << " nodes";
  return {};
}

/// The allocation that `expression` is traced to, with what comes before it in the same function.
std::string traced(std::string const& before, std::string const& expression) {
  auto const r = analyze("void f() {\n cudaMalloc(&p, 1); cudaMalloc(&q, 2); cudaMalloc(&ctx->p, 3);\n" +
                         before + "\n ncclBcast(" + expression + ", n, ncclFloat, 0, comm, s); }");
  return allocated_by(r, only_node(r).send);
}

TEST(Buffers, AreTracedThroughExpressions) {
  for (std::string e : {"p",
                        "(p)",
                        "(float*)p",
                        "(void *)(p)",
                        "static_cast<void*>(p)",
                        "reinterpret_cast<char*>(p) + 4",
                        "&p[off]",
                        "p + off",
                        "off + p",
                        "p + rank * (n - 1)",
                        "((const float*)p) + a.b",
                        "p.get()",
                        "p->data()",
                        "thrust::raw_pointer_cast(p.data())",
                        "std::data(p)",
                        "(T*)(void*)&p[i * n]",
                        "const_cast<float*>(p)",
                        "this->p",
                        "&*p",
                        "std::get<0>(p)",
                        "n + (rank * 4 + p)"})
    EXPECT_EQ(traced("", e), "cudaMalloc(p)") << e;
  EXPECT_EQ(traced("", "ctx->p + 1"), "cudaMalloc(ctx->p)");
  EXPECT_EQ(traced("", "ctx.p"), "cudaMalloc(ctx->p)");
  EXPECT_EQ(traced("", "(*ctx).p"), "none");
  EXPECT_EQ(traced("", "r"), "none");
  EXPECT_EQ(traced("", "ctx->q"), "none");
}

TEST(Buffers, AreTracedThroughAliases) {
  EXPECT_EQ(traced("float *a = q + n;", "a"), "cudaMalloc(q)");
  EXPECT_EQ(traced("auto a = (float*)q;", "a + 1"), "cudaMalloc(q)");
  EXPECT_EQ(traced("float* const __restrict__ a{q}, *b = a;", "b"), "cudaMalloc(q)");
  EXPECT_EQ(traced("auto& c = *ctx;", "c.p"), "none");
  EXPECT_EQ(traced("float* a; a = q;", "a"), "cudaMalloc(q)");
  EXPECT_EQ(traced("Context* c = ctx;", "c->p"), "cudaMalloc(ctx->p)");
  EXPECT_EQ(traced("{ float* a = p; } { float* a = q; use(a); } float* a = q;", "a"), "cudaMalloc(q)");
  EXPECT_EQ(traced("float* a = b; float* b = a;", "a"), "none");
}

TEST(Buffers, ReassignedPointersLowerConfidence) {
  auto const r = analyze(
      "void f() { cudaMalloc(&p, 1); cudaMalloc(&q, 1); float* a = p; if (x) a = q; ncclBcast(a, n, t, 0, c, "
      "s); }");
  auto const n = only_node(r);
  EXPECT_LT(n.confidence, 1);
  EXPECT_EQ(n.guesses, (Texts{"a is set to different buffers; the nearest is taken"}));
  EXPECT_EQ(allocated_by(r, n.send), "cudaMalloc(q)");
  auto const t =
      analyze("void f() { cudaMalloc(&p, 1); cudaMalloc(&q, 1); ncclBcast(x != 0 ? p : q, n, t, 0, c, s); }");
  EXPECT_EQ(only_node(t).guesses, (Texts{"one of two buffers, by a condition"}));
}

TEST(Buffers, Arrays) {
  auto const r = analyze(R"(void f() {
  for (int i = 0; i < 2; ++i) cudaMalloc(&bufs[i], n);
  cudaMalloc(&fixed[0], 1); cudaMalloc(&fixed[1], 2);
  ncclBcast(bufs[r], n, t, 0, c, s); ncclBcast(fixed[1], n, t, 0, c, s); ncclBcast(fixed[2], n, t, 0, c, s);
})");
  ASSERT_EQ(r.graph.size(), 3U);
  EXPECT_EQ(allocated_by(r, r.graph[0].send), "cudaMalloc(bufs[i])");
  EXPECT_EQ(r.graph[0].guesses, (Texts{"one element of bufs is taken for any"}));
  EXPECT_EQ(allocated_by(r, r.graph[1].send), "cudaMalloc(fixed[1])");
  EXPECT_EQ(r.graph[1].confidence, 1.0);
  EXPECT_EQ(allocated_by(r, r.graph[2].send), "none");
  EXPECT_LT(r.graph[2].confidence, 1);
}

TEST(Buffers, SameNamesInOtherFunctionsAreOthers) {
  auto const r = analyze(R"(
void g() { float* d; cudaMalloc(&d, 1); }
void f() { float* d; ncclMemAlloc((void**)&d, 2); ncclBcast(d, n, t, 0, c, s); }
)");
  EXPECT_EQ(allocated_by(r, only_node(r).send), "ncclMemAlloc(d)");
}

TEST(Buffers, ParametersWithOneCallSite) {
  auto const r = analyze(R"(
static void exchange(float* in, float* out, Context& ctx) { ncclAllGather(in, out + 1, n, t, ctx.comm, s); }
int main() { float *a, *b; cudaMalloc(&a, 1); cudaMalloc(&b, 2); exchange(a, b, ctx); }
)");
  auto const n = only_node(r);
  EXPECT_EQ(allocated_by(r, n.send), "cudaMalloc(a)");
  EXPECT_EQ(allocated_by(r, n.recv), "cudaMalloc(b)");
  EXPECT_EQ(n.send.base, "a");
  EXPECT_EQ(n.confidence, 1.0);
}

TEST(Buffers, ParametersWithSeveralCallSitesAreGuesses) {
  auto const r = analyze(R"(
void exchange(float* x) { ncclBcast(x, n, t, 0, c, s); }
int main() { float *a, *b; cudaMalloc(&a, 1); cudaMalloc(&b, 2); exchange(a); exchange(b); }
void unused(float* y) { ncclBcast(y, n, t, 0, c, s); }
void twice(float* z) { ncclBcast(z, n, t, 0, c, s); }
void caller() { float* w; cudaMalloc(&w, 3); twice(w); twice(w); }
)");
  ASSERT_EQ(r.graph.size(), 3U);
  EXPECT_LT(r.graph[0].confidence, 1);
  EXPECT_EQ(r.graph[0].guesses.front(),
            "exchange() is called with different buffers for its parameter x: a, b");
  EXPECT_EQ(r.graph[1].guesses.front(),
            "unused() is not called in this file, so its parameter y is not traced");
  EXPECT_EQ(allocated_by(r, r.graph[2].send), "cudaMalloc(w)");
  EXPECT_EQ(r.graph[2].confidence, 1.0);
}

TEST(Buffers, StructuresAndAllocationHelpers) {
  auto const r = analyze(R"(
struct Buffers { float *in, *out; };
void allocate(float** p, size_t n) { CHECK(cudaMalloc((void**)p, n)); }
void setup(Buffers* b) { allocate(&b->in, 4); cudaMalloc(&b->out, 8); }
void run(Buffers& b, cudaStream_t s) { ncclAllGather(b.in, b.out, n, t, c, s); }
float* make(size_t n) { float* p = nullptr; cudaMalloc(&p, n); return p; }
int main() { Buffers buffers; setup(&buffers); run(buffers, s); float* m = make(3); ncclBcast(m, n, t, 0, c, s); }
)");
  ASSERT_EQ(r.graph.size(), 2U);
  EXPECT_EQ(allocated_by(r, r.graph[0].send), "cudaMalloc(p)");
  EXPECT_EQ(allocated_by(r, r.graph[0].recv), "cudaMalloc(b->out)");
  EXPECT_EQ(r.graph[0].confidence, 1.0);
  EXPECT_EQ(r.graph[0].send.base, "buffers");
  EXPECT_EQ(allocated_by(r, r.graph[1].send), "cudaMalloc(p)");
  EXPECT_EQ(r.graph[1].guesses, (Texts{"m is taken to hold what make() allocates"}));
}

TEST(Buffers, ClassMembers) {
  auto const r = analyze(R"(
template <typename T> class Exchange {
 public:
  Exchange(size_t n, T* outside) : n_{n}, borrowed_(outside) { NCCL_CHECK(ncclMemAlloc((void**)&send_, n)); cudaMalloc(&this->recv_, n); }
  void run() { fill<T><<<1, 1>>>(send_, n_); ncclAlltoAll(send_, recv_, n_, ncclFloat, comm_, stream_); use<<<1, 1>>>(recv_); }
  void lent() { ncclBcast(borrowed_, n_, ncclFloat, 0, comm_, stream_); }
 private:
  T* send_ = nullptr; T* recv_{}; T* borrowed_;
};
int main() { float* mine; cudaMalloc(&mine, 4); Exchange<float> x(4, mine); Exchange y(4, mine); x.run(); }
)");
  ASSERT_EQ(r.graph.size(), 2U);
  EXPECT_EQ(allocated_by(r, r.graph[0].send), "ncclMemAlloc(send_)");
  EXPECT_EQ(allocated_by(r, r.graph[0].recv), "cudaMalloc(this->recv_)");
  EXPECT_EQ(kernels(r, r.graph[0].send.producers), (Texts{"fill<T>"}));
  EXPECT_EQ(kernels(r, r.graph[0].recv.consumers), (Texts{"use"}));
  EXPECT_EQ(
      r.functions.at(static_cast<std::size_t>(r.calls.at(static_cast<std::size_t>(r.graph[0].call)).function))
          .name,
      "run");
  EXPECT_EQ(allocated_by(r, r.graph[1].send), "cudaMalloc(mine)");
}

TEST(Buffers, InPlaceIsTextualUpToCasts) {
  auto in_place = [](std::string const& a, std::string const& b) {
    return only_node(analyze("void f() { ncclAllReduce(" + a + ", " + b + ", n, t, o, c, s); }")).in_place;
  };
  EXPECT_TRUE(in_place("p", "p"));
  EXPECT_TRUE(in_place("(const void*)p", "(void*) p"));
  EXPECT_TRUE(in_place("static_cast<void*>(p + n)", "p+n"));
  EXPECT_FALSE(in_place("p", "p + n"));
  EXPECT_FALSE(in_place("p", "q"));
}

std::string const kKernels = R"(
__global__ void produce(float* out, const float* in, int n) { out[threadIdx.x] = in[0] * n; }
__global__ void consume(const float* __restrict__ in, float* result) { result[0] = in[0]; }
__global__ void update(float* x) { x[0] += 1; }
__global__ void escape(float* x) { helper(x); }
__global__ void add(float* x) { atomicAdd(&x[0], 1.f); }
)";

TEST(Flow, ProducersAndConsumersInProgramOrder) {
  auto const r = analyze(kKernels + R"(void f() {
  produce<<<1, 1>>>(a, b, n);
  consume<<<1, 1>>>(a, c);
  update<<<1, 1>>>(a);
  ncclAllReduce(a, b, n, ncclFloat, ncclSum, comm, s);
  consume<<<1, 1>>>(b, d);
  produce<<<1, 1>>>(b, d, n);
  escape<<<1, 1>>>(b + 1);
  elsewhere<<<1, 1>>>(b);
})");
  auto const n = only_node(r);
  EXPECT_EQ(kernels(r, n.send.producers), (Texts{"produce", "update"}));
  EXPECT_TRUE(n.send.consumers.empty());
  EXPECT_TRUE(n.recv.producers.empty());
  // What only overwrites the result does not read it.
  EXPECT_EQ(kernels(r, n.recv.consumers), (Texts{"consume", "escape", "elsewhere"}));
}

TEST(Flow, LoopsRunAgain) {
  auto const r = analyze(kKernels + R"(void f() {
  for (int i = 0; i < 3; ++i) {
    ncclAllReduce(a, b, n, ncclFloat, ncclSum, comm, s);
    update<<<1, 1>>>(a);
    add<<<1, 1>>>(b);
  }
  produce<<<1, 1>>>(a, z, n);
})");
  auto const n = only_node(r);
  EXPECT_EQ(kernels(r, n.send.producers), (Texts{"update"}));
  EXPECT_EQ(kernels(r, n.recv.producers), (Texts{"add"}));
  EXPECT_EQ(kernels(r, n.recv.consumers), (Texts{"add"}));
}

TEST(Flow, CopiesOfEveryKind) {
  auto const r = analyze(R"(void f() {
  cudaMemcpy(a, h, n, cudaMemcpyHostToDevice); cudaMemcpyAsync(a + 1, x, n, cudaMemcpyDeviceToDevice, s); cudaMemset(b, 0, n);
  cudaMemcpyPeer(a, 0, y, 1, n); cudaMemsetAsync(other, 0, n, s); cudaMemcpy2D(a, 8, z, 8, 4, 4, k);
  ncclAllReduce(a, b, n, ncclFloat, ncclSum, comm, s);
  cudaMemcpyAsync(h, b, n, cudaMemcpyDeviceToHost, s); cudaMemcpyPeerAsync(y, 1, b, 0, n, s); cudaMemset(b, 0, n);
  ncclBcast(b, n, ncclFloat, 0, comm, s);
})");
  ASSERT_EQ(r.graph.size(), 2U);
  EXPECT_EQ(names(r, r.graph[0].send.copies_in),
            (Texts{"cudaMemcpy", "cudaMemcpyAsync", "cudaMemcpyPeer", "cudaMemcpy2D"}));
  EXPECT_EQ(names(r, r.graph[0].recv.copies_in), (Texts{"cudaMemset"}));
  EXPECT_EQ(names(r, r.graph[0].recv.copies_out),
            (Texts{"cudaMemcpyAsync", "cudaMemcpyPeerAsync", "ncclBcast"}));
  EXPECT_EQ(names(r, r.graph[1].send.copies_in), (Texts{"cudaMemset", "ncclAllReduce", "cudaMemset"}));
}

TEST(Flow, OrderReachesAcrossFunctions) {
  auto const r = analyze(kKernels + R"(
void prepare(float* x) { produce<<<1, 1>>>(x, nullptr, 1); }
void communicate(float* y) { ncclBcast(y, n, ncclFloat, 0, comm, s); }
void check(float* z) { float h; cudaMemcpy(&h, z, 4, cudaMemcpyDeviceToHost); late<<<1, 1>>>(z); }
int main() { float* d; cudaMalloc(&d, 1); prepare(d); communicate(d); check(d); }
)");
  auto const n = only_node(r);
  EXPECT_EQ(kernels(r, n.send.producers), (Texts{"produce"}));
  EXPECT_EQ(kernels(r, n.send.consumers), (Texts{"late"}));
  EXPECT_EQ(names(r, n.send.copies_out), (Texts{"cudaMemcpy"}));
  auto const again = analyze(kKernels + R"(
void step(float* y) { ncclBcast(y, n, ncclFloat, 0, comm, s); update<<<1, 1>>>(y); }
int main() { float* d; cudaMalloc(&d, 1); while (more()) step(d); }
)");
  EXPECT_EQ(kernels(again, only_node(again).send.producers), (Texts{"update"}));
}

TEST(Flow, StructuresPassedWholeCarryTheirBuffers) {
  auto const r = analyze(
      R"(void f() { Buffers b; cudaMalloc(&b.x, 1); fill<<<1, 1>>>(b); ncclBcast(b.x, n, t, 0, c, s); other<<<1, 1>>>(b.y); })");
  EXPECT_EQ(kernels(r, only_node(r).send.producers), (Texts{"fill"}));
  EXPECT_TRUE(only_node(r).send.consumers.empty());
}

TEST(Confidence, OddExpressionsGiveReasons) {
  auto const r = analyze(
      "void f() { ncclBcast(pick(a, b)[3], n, t, 0, c, s); ncclBcast(n * 2, n, t, 0, c, s); ncclBcast(\"x\", "
      "n, t, 0, c, s); }");
  ASSERT_EQ(r.graph.size(), 3U);
  for (auto const& n : r.graph) {
    EXPECT_LT(n.confidence, 1);
    EXPECT_FALSE(n.guesses.empty());
  }
}

}  // namespace
