// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// One test for each construct that analysers of CUDA programs are known to miss.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analyze.hpp"

namespace {

using namespace cuco::testing;
using cuco::kNone;
using Texts = std::vector<std::string>;

cuco::CommunicationNode only_node(cuco::Report const& r) {
  if (r.graph.size() == 1) return r.graph.front();
  ADD_FAILURE() << r.graph.size() << " nodes";
  return {};
}
std::string function_of(cuco::Report const& r, cuco::Index f) {
  return f == kNone ? "" : r.functions.at(static_cast<std::size_t>(f)).name;
}
Texts allocators_of(cuco::Report const& r, std::vector<cuco::Index> const& allocations) {
  Texts out;
  for (auto a : allocations) out.push_back(r.allocations.at(static_cast<std::size_t>(a)).buffer);
  return out;
}

TEST(Constructs, Dim3Launch) {
  auto const r = analyze("void f() { k<<<dim3(gx, gy), dim3(bx, by, 2)>>>(a, b); }");
  ASSERT_EQ(r.launches.size(), 1U);
  EXPECT_EQ(r.launches[0].grid, "dim3(gx, gy)");
  EXPECT_EQ(r.launches[0].block, "dim3(bx, by, 2)");
  EXPECT_EQ(arguments(r.launches[0].args), (Texts{"a", "b"}));
}

TEST(Constructs, TemplatedKernel) {
  auto const r = analyze(R"(
template <typename T, int N = (2 > 1 ? 4 : 2)> __global__ void scale(T* out, const T* in) { out[0] = in[0] * N; }
void f(float* a, float* b) { scale<float, 8><<<1, 32>>>(a, b); ncclBcast(a, n, ncclFloat, 0, c, s); scale<decltype(*b)><<<1, 32>>>(b, a); }
)");
  auto const* k = find_function(r, "scale");
  ASSERT_NE(k, nullptr);
  EXPECT_TRUE(k->is_kernel && k->is_template);
  EXPECT_EQ(kernels(r, only_node(r).send.producers), (Texts{"scale<float,8>"}));
  EXPECT_EQ(kernels(r, only_node(r).recv.consumers), (Texts{"scale<decltype(*b)>"}));
}

TEST(Constructs, LaunchBounds) {
  auto const r = analyze(R"(
__global__ void __launch_bounds__(kThreads * 2, 1) a(float* p) { p[0] = 1; }
__global__ __launch_bounds__(256) void b(float* p) { p[0] = 1; }
template <int N> __launch_bounds__(N) __global__ void c(float (*p)[4], int n) { p[0][0] = 1; }
)");
  for (char const* name : {"a", "b", "c"}) {
    auto const* k = find_function(r, name);
    ASSERT_NE(k, nullptr) << name;
    EXPECT_TRUE(k->is_kernel) << name;
    EXPECT_EQ(k->parameter_names.front(), "p") << name;
    EXPECT_EQ(k->return_type, "void") << name;
  }
}

TEST(Constructs, ArrowsAndLessThanInArguments) {
  auto const r = analyze(R"(void f(Ctx* c) {
  ncclAllReduce(c->in + (a < b ? 1 : 2), c->out, c->n << 1, c->type, c->ops->sum, c->comm, c->streams[i < j]);
  k<<<c->grid, a < b ? 1 : 2, c->shared, c->stream>>>(c->in, x < y, y > z);
})");
  auto const n = only_node(r);
  EXPECT_EQ(n.count, "c->n << 1");
  EXPECT_EQ(n.op, "c->ops->sum");
  EXPECT_EQ(n.comm, "c->comm");
  EXPECT_EQ(n.stream, "c->streams[i < j]");
  ASSERT_EQ(r.launches.size(), 1U);
  EXPECT_EQ(r.launches[0].grid, "c->grid");
  EXPECT_EQ(r.launches[0].block, "a < b ? 1 : 2");
  EXPECT_EQ(arguments(r.launches[0].args), (Texts{"c->in", "x < y", "y > z"}));
}

TEST(Constructs, PointerAliases) {
  auto const r = analyze(R"(void f() {
  float *base; cudaMalloc(&base, n);
  float *a = base + 4, *b;
  auto c = reinterpret_cast<char*>(a);
  auto* d = static_cast<const void*>(c + 1);
  b = (float*)d;
  ncclBcast(b, n, ncclFloat, 0, comm, s);
})");
  EXPECT_EQ(allocated_by(r, only_node(r).send), "cudaMalloc(base)");
  EXPECT_EQ(only_node(r).confidence, 1.0);
}

TEST(Constructs, AsyncPeerAndDeviceToDeviceCopies) {
  auto const r = analyze(R"(void f() {
  cudaMemcpyAsync(a, h, n, cudaMemcpyHostToDevice, s);
  cudaMemcpyPeerAsync(a + 1, 0, x, 1, n, s);
  cudaMemcpyAsync(a + 2, y, n, cudaMemcpyDeviceToDevice, s);
  ncclBcast(a, n, ncclFloat, 0, comm, s);
  cudaMemcpyPeer(z, 1, a, 0, n);
  cudaMemcpy2DAsync(h, 8, a, 8, 4, 4, cudaMemcpyDeviceToHost, s);
})");
  EXPECT_EQ(names(r, only_node(r).send.copies_in),
            (Texts{"cudaMemcpyAsync", "cudaMemcpyPeerAsync", "cudaMemcpyAsync"}));
  EXPECT_EQ(names(r, only_node(r).send.copies_out), (Texts{"cudaMemcpyPeer", "cudaMemcpy2DAsync"}));
}

TEST(Constructs, CooperativeLaunch) {
  auto const r = analyze(R"(
__global__ void k(float* out, const float* in) { out[0] = in[0]; }
void f() {
  void* args[] = {&a, &b};
  CHECK(cudaLaunchCooperativeKernel((void*)k, grid, block, args, 0, s));
  ncclBcast(a, n, ncclFloat, 0, comm, s);
}
)");
  ASSERT_EQ(r.launches.size(), 1U);
  EXPECT_TRUE(r.launches[0].cooperative);
  EXPECT_EQ(kernels(r, only_node(r).send.producers), (Texts{"k"}));
}

TEST(Constructs, LaunchKernelEx) {
  auto const r = analyze(R"(
__global__ void k(float* out) { out[0] = 1; }
void f() {
  cudaLaunchConfig_t config{};
  config.gridDim = 4; config.blockDim = dim3(32, 2); config.stream = queue;
  cudaLaunchAttribute attribute[1];
  attribute[0].id = cudaLaunchAttributeCooperative;
  cudaLaunchKernelEx(&config, k, a);
  ncclBcast(a, n, ncclFloat, 0, comm, queue);
}
)");
  ASSERT_EQ(r.launches.size(), 1U);
  EXPECT_EQ(r.launches[0].block, "dim3(32, 2)");
  EXPECT_EQ(r.launches[0].stream, "queue");
  EXPECT_TRUE(r.launches[0].cooperative);
  EXPECT_EQ(kernels(r, only_node(r).send.producers), (Texts{"k"}));
}

TEST(Constructs, InnermostFunctionAndLoop) {
  auto const r = analyze(R"(
struct Outer { void method() { for (int i = 0; i < f(n, (m)); ++i) while (more(i)) { struct L { void inner() { ncclGroupStart(); } }; do ncclBcast(p, n, t, 0, c, s); while (again()); } } };
)");
  ASSERT_EQ(r.calls.size(), 2U);
  EXPECT_EQ(function_of(r, r.calls[0].function), "inner");
  EXPECT_EQ(r.calls[0].loop, kNone);
  EXPECT_EQ(function_of(r, r.calls[1].function), "method");
  ASSERT_NE(r.calls[1].loop, kNone);
  EXPECT_TRUE(r.loops.at(static_cast<std::size_t>(r.calls[1].loop)).header.starts_with("do"));
  EXPECT_EQ(r.loops.size(), 3U);
}

TEST(Constructs, FalsePreprocessorConditions) {
  auto const r = analyze(R"(void f() {
#if 0
  ncclSend(p, n, t, 0, c, s);
#elif 1
  ncclBcast(p, n, t, 0, c, s);
#else
  ncclRecv(p, n, t, 0, c, s);
#endif
#if defined(X) && 0
  ncclSend(p, n, t, 0, c, s);
#endif
})");
  EXPECT_EQ(only_node(r).collective, "Broadcast");
}

TEST(Constructs, CommentsAndStrings) {
  auto const r = analyze(
      "void f() { // ncclSend(p, n, t, 0, c, s);\n /* ncclRecv(p, n, t, 0, c, s); } */\n puts(\"ncclSend(p) "
      "{ /*\"); "
      "puts(R\"x(ncclRecv(\")x\"); char q = '{';\n ncclBcast(p, n, t, 0, c, s); }");
  EXPECT_EQ(only_node(r).collective, "Broadcast");
  EXPECT_EQ(only_node(r).confidence > 0, true);
}

TEST(Constructs, CollectivesBehindMacrosOfAnyName) {
  auto const r = analyze(R"(
#define OK(x) if (auto e = (x)) fail(e)
#define Sum_All(buf, n) do { \
    OK(ncclAllReduce((buf), (buf), (n), ncclFloat, ncclSum, comm, s)); \
  } while (0)
#define GET(p, n) OK(cudaMalloc((void**)&(p), (n)))
void f() { GET(data, 4 * n); Sum_All(data, n); }
)");
  auto const n = only_node(r);
  EXPECT_EQ(n.collective, "AllReduce");
  EXPECT_TRUE(n.in_place);
  EXPECT_EQ(n.send.base, "data");
  EXPECT_NE(n.send.allocation, kNone);
  EXPECT_EQ(n.guesses, (Texts{"found in the expansion of the macro Sum_All"}));
}

TEST(Constructs, WrapperFunctionsWithSeveralCallersGiveAllAlternatives) {
  auto const r = analyze(R"(
void exchange(const float* send, float* recv, ncclComm_t c) { ncclAllGather(send, recv, n, ncclFloat, c, s); }
void twice(float* a, float* b, ncclComm_t c) { exchange(a, b, c); exchange(b, a, c); }
int main() {
  float *x, *y, *z; cudaMalloc(&x, 1); cudaMalloc(&y, 2); ncclMemAlloc((void**)&z, 3);
  ncclComm_t comm; ncclCommInitRank(&comm, n, id, r);
  fill<<<1, 1>>>(x);
  twice(x, y, comm);
  exchange(x, z, comm);
}
)");
  auto const n = only_node(r);
  EXPECT_EQ(n.send.allocation, kNone);
  EXPECT_EQ(allocators_of(r, n.send.alternatives), (Texts{"x", "y"}));
  EXPECT_EQ(allocators_of(r, n.recv.alternatives), (Texts{"y", "x", "z"}));
  EXPECT_EQ(kernels(r, n.send.producers), (Texts{"fill"}));
  EXPECT_LT(n.confidence, 1);
  EXPECT_EQ(n.guesses,
            (Texts{"exchange() is called with different buffers for its parameter send: x, y",
                   "exchange() is called with different buffers for its parameter recv: y, x, z"}));
  EXPECT_EQ(n.communicator, 0);
  EXPECT_EQ(allocators_of(r, n.needs_symmetric), (Texts{"x", "y"}));
}

TEST(Constructs, CallersThatAgreeAreNoGuess) {
  auto const r = analyze(R"(
void exchange(float* p) { ncclBcast(p, n, ncclFloat, 0, c, s); }
int main() { float* x; cudaMalloc(&x, 1); exchange(x); exchange(x + 4); }
)");
  EXPECT_EQ(allocated_by(r, only_node(r).send), "cudaMalloc(x)");
  EXPECT_EQ(only_node(r).confidence, 1.0);
}

TEST(Constructs, RaiiClasses) {
  auto const r = analyze(R"(
template <class T> class Buffer {
 public:
  explicit Buffer(size_t n) : n_(n) { CHECK(cudaMalloc(reinterpret_cast<void**>(&p_), n * sizeof(T))); }
  ~Buffer() { cudaFree(p_); }
  T* data() { return p_; }
  T* slot(int i) const { return p_ + i; }
  void clear() { cudaMemset(p_, 0, n_); }
 private:
  T* p_ = nullptr; size_t n_;
};
class Comm {
 public:
  Comm() { ncclCommInitRank(&comm_, size, id, rank); }
  void gather(const Buffer<float>& in, Buffer<float>& out) { ncclAllGather(in.data(), out.slot(2), n, ncclFloat, comm_, s); }
  ncclComm_t comm_;
};
int main() {
  Buffer<float> a(4), b(8), other(2);
  Comm world;
  a.clear();
  fill<<<1, 1>>>(a.data());
  other.clear();
  world.gather(a, b);
  use<<<1, 1>>>(b.slot(0));
}
)");
  auto const n = only_node(r);
  EXPECT_EQ(allocated_by(r, n.send), "cudaMalloc(p_)");
  EXPECT_EQ(allocated_by(r, n.recv), "cudaMalloc(p_)");
  EXPECT_EQ(n.send.base, "a");
  EXPECT_EQ(n.recv.base, "b");
  EXPECT_EQ(kernels(r, n.send.producers), (Texts{"fill"}));
  EXPECT_EQ(names(r, n.send.copies_in), (Texts{"cudaMemset"}));  // a.clear()
  EXPECT_TRUE(n.recv.copies_in.empty());                         // nobody clears b
  EXPECT_EQ(kernels(r, n.recv.consumers), (Texts{"use"}));
  EXPECT_EQ(n.confidence, 1.0);
  ASSERT_NE(n.communicator, kNone);
  EXPECT_EQ(r.communicators.at(static_cast<std::size_t>(n.communicator)).how, "InitRank");
}

TEST(Constructs, NamedLambdas) {
  auto const r = analyze(R"(
__global__ void update(float* p) { p[0] += 1; }
int main() {
  float *x, *y; cudaMalloc(&x, 1); cudaMalloc(&y, 2);
  auto reduce = [&](float* in, float* out) { ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, s); update<<<1, 1>>>(in); };
  for (int i = 0; i < 3; ++i) reduce(x, y);
}
)");
  auto const n = only_node(r);
  EXPECT_EQ(allocated_by(r, n.send), "cudaMalloc(x)");
  EXPECT_EQ(allocated_by(r, n.recv), "cudaMalloc(y)");
  EXPECT_EQ(kernels(r, n.send.producers), (Texts{"update"}));  // The call before.
  EXPECT_EQ(n.confidence, 1.0);
}

TEST(Constructs, LambdaCaptures) {
  auto const r = analyze(R"(
int main() {
  float* x; cudaMalloc(&x, 1);
  auto by_reference = [&] { ncclBcast(x, n, ncclFloat, 0, comm, s); };
  auto renamed = [p = x + 4, comm](int root) { ncclBcast(p, n, ncclFloat, root, comm, s); };
  by_reference(); renamed(1);
}
)");
  ASSERT_EQ(r.graph.size(), 2U);
  for (auto const& n : r.graph) {
    EXPECT_EQ(allocated_by(r, n.send), "cudaMalloc(x)");
    EXPECT_EQ(n.confidence, 1.0);
  }
}

TEST(Constructs, LambdasCalledWithDifferentBuffers) {
  auto const r = analyze(R"(
int main() {
  float *x, *y; cudaMalloc(&x, 1); cudaMalloc(&y, 2);
  auto spread = [&](float* p) { ncclBcast(p, n, ncclFloat, 0, comm, s); };
  spread(x); spread(y);
}
)");
  EXPECT_EQ(allocators_of(r, only_node(r).send.alternatives), (Texts{"x", "y"}));
  EXPECT_LT(only_node(r).confidence, 1);
}

TEST(Constructs, TemplatesOfHostFunctionsAndFunctors) {
  auto const r = analyze(R"(
template <typename T, ncclRedOp_t Op = ncclSum> struct Reducer {
  void operator()(T* p, cudaStream_t s) const { ncclAllReduce(p, p, n, type_v<T>, Op, comm, s); }
};
template <class T> void step(T* q) { Reducer<T> reduce; reduce(q, s); ncclBcast(q, n, type_v<T>, 0, comm, s); }
int main() { half* h; cudaMalloc(&h, 2); step<half>(h); }
)");
  ASSERT_EQ(r.graph.size(), 2U);
  EXPECT_EQ(allocated_by(r, r.graph[0].send), "cudaMalloc(h)");
  EXPECT_EQ(allocated_by(r, r.graph[1].send), "cudaMalloc(h)");
  EXPECT_EQ(r.graph[1].confidence, 1.0);
}

TEST(Constructs, BuffersInStructMembers) {
  auto const r = analyze(R"(
typedef struct { float *in, *out; ncclComm_t comm; } Context;
void open(Context* c) { cudaMalloc((void**)&c->in, 4); cudaMalloc((void**)&c->out, 8); ncclCommInitRank(&c->comm, n, id, r); }
void run(const Context* c) { ncclAllGather(c->in, c->out, n, t, c->comm, s); }
int main() { Context context; open(&context); run(&context); }
)");
  auto const n = only_node(r);
  EXPECT_EQ(allocated_by(r, n.send), "cudaMalloc(c->in)");
  EXPECT_EQ(allocated_by(r, n.recv), "cudaMalloc(c->out)");
  EXPECT_EQ(n.confidence, 1.0);
  EXPECT_EQ(n.communicator, 0);
}

TEST(Constructs, ArraysAndVectorsOfPointers) {
  auto const r = analyze(R"(int main() {
  std::vector<float*> bufs(4);
  for (auto& b : bufs) cudaMalloc(&b, 1);
  std::vector<Layer> layers;
  for (int i = 0; i < 3; ++i) { Layer layer; cudaMalloc(&layer.weight, 2); layers.push_back(layer); }
  float* fixed[2]; cudaMalloc(&fixed[0], 3); cudaMalloc(&fixed[1], 4);
  float *x, *y; cudaMalloc(&x, 5); cudaMalloc(&y, 6);
  float* list[] = {x, y};
  ncclBcast(bufs[i], n, t, 0, c, s);
  for (Layer& l : layers) ncclBcast(l.weight, n, t, 0, c, s);
  ncclBcast(fixed[1], n, t, 0, c, s);
  ncclBcast(list[1], n, t, 0, c, s);
  for (float* p : {x, y}) ncclBcast(p, n, t, 0, c, s);
})");
  ASSERT_EQ(r.graph.size(), 5U);
  EXPECT_EQ(allocated_by(r, r.graph[0].send), "cudaMalloc(b)");
  EXPECT_EQ(allocated_by(r, r.graph[1].send), "cudaMalloc(layer.weight)");
  EXPECT_EQ(allocated_by(r, r.graph[2].send), "cudaMalloc(fixed[1])");
  EXPECT_EQ(r.graph[2].confidence, 1.0);
  EXPECT_EQ(allocated_by(r, r.graph[3].send), "cudaMalloc(y)");
  EXPECT_EQ(allocators_of(r, r.graph[4].send.alternatives), (Texts{"x", "y"}));
  EXPECT_LT(r.graph[4].confidence, 1);
}

TEST(Constructs, IndicesThatBeginWithADigitAreNoNumbers) {
  auto const r = analyze(R"(int main() {
  float* kv[2]; for (auto& p : kv) cudaMalloc(&p, n);
  fill<<<1, 1>>>(kv[0]);
  ncclBcast(kv[1 - current], n, ncclFloat, 0, comm, s);
})");
  EXPECT_EQ(kernels(r, only_node(r).send.producers), (Texts{"fill"}));
}

TEST(Constructs, AllocationsInALoopOverAddresses) {
  auto const r = analyze(R"(int main() {
  float *a, *b;
  for (float** p : {&a, &b}) cudaMalloc((void**)p, n);
  ncclAllGather(a, b, n, t, c, s);
})");
  EXPECT_EQ(allocated_by(r, only_node(r).send), "cudaMalloc(p)");
  EXPECT_EQ(allocated_by(r, only_node(r).recv), "cudaMalloc(p)");
}

TEST(Constructs, OffsetsIntoOneAllocation) {
  auto const r = analyze(R"(int main() {
  char* arena; cudaMalloc(&arena, total);
  float* in = (float*)(arena + off_in);
  auto* out = reinterpret_cast<float*>(&arena[off_out]);
  ncclReduceScatter(in, out + rank * n, n, ncclFloat, ncclSum, comm, s);
})");
  EXPECT_EQ(allocated_by(r, only_node(r).send), "cudaMalloc(arena)");
  EXPECT_EQ(allocated_by(r, only_node(r).recv), "cudaMalloc(arena)");
  EXPECT_FALSE(only_node(r).in_place);
  EXPECT_EQ(allocators_of(r, only_node(r).needs_symmetric), (Texts{"arena"}));
}

TEST(Constructs, GatherAndScatter) {
  auto const r = analyze(R"(void f() {
  ncclGather(a, rank == root ? b : nullptr, n, ncclInt, root, comm, s);
  ncclScatter(nullptr, a, n, ncclInt, 0, comm, s);
})");
  ASSERT_EQ(r.graph.size(), 2U);
  EXPECT_EQ(r.graph[0].collective, "Gather");
  EXPECT_EQ(r.graph[0].root, "root");
  EXPECT_EQ(r.graph[0].recv.base, "b");
  EXPECT_EQ(r.graph[1].collective, "Scatter");
  EXPECT_EQ(r.graph[1].send.expr, "nullptr");
  EXPECT_EQ(r.graph[1].send.allocation, kNone);
  EXPECT_EQ(r.graph[1].recv.base, "a");
}

TEST(Constructs, KernelArgumentRoles) {
  auto const r = analyze(R"(
__device__ void store(float* q, float v) { *q = v; }
__device__ float load(const float* q) { return *q; }
__global__ void by_alias(float* p, float* unused, int n) { float* row = p + blockIdx.x * n; row[0] = 1; }
__global__ void by_call(float* p, float* q) { store(p + 1, load(q)); }
__global__ void by_star(float* p) { if (threadIdx.x == 0) *p = 2; else *p = 3; }
__global__ void vectorised(float* p) { reinterpret_cast<float4*>(p)[0] = make_float4(0, 0, 0, 0); }
__global__ void reads_only(float* p, float* q) { q[0] = p[1] + *(p + 2); }
void f() {
  by_alias<<<1, 1>>>(a, b, n); by_call<<<1, 1>>>(a, b); by_star<<<1, 1>>>(a); reads_only<<<1, 1>>>(a, z);
  ncclAllReduce(a, b, n, ncclFloat, ncclSum, comm, s);
  by_alias<<<1, 1>>>(b, b, n); by_call<<<1, 1>>>(z, b); by_star<<<1, 1>>>(b); reads_only<<<1, 1>>>(b, z);
}
)");
  auto const n = only_node(r);
  EXPECT_EQ(kernels(r, n.send.producers), (Texts{"by_alias", "by_call", "by_star"}));
  EXPECT_EQ(kernels(r, n.recv.consumers), (Texts{"by_call", "reads_only"}));
  EXPECT_TRUE(n.recv.producers.empty());
}

TEST(Constructs, DeviceSideFieldsOfANode) {
  auto const r = analyze(R"(void f() {
  float *a, *b; ncclMemAlloc((void**)&a, 4); cudaMalloc(&b, 4);
  ncclAllReduce(a, b, n, ncclFloat, ncclSum, comm, s);
  ncclBcast(a, n, ncclFloat, 0, comm, s);
})");
  ASSERT_EQ(r.graph.size(), 2U);
  EXPECT_EQ(r.graph[0].pattern,
            "each rank reduces its share from all peers, then writes the result to all peers");
  EXPECT_TRUE(r.graph[0].send.symmetric);
  EXPECT_FALSE(r.graph[0].recv.symmetric);
  EXPECT_EQ(allocators_of(r, r.graph[0].needs_symmetric), (Texts{"b"}));
  EXPECT_TRUE(r.graph[1].needs_symmetric.empty());
}

TEST(Constructs, ReasonsAreGivenForWhatIsGuessed) {
  auto const r = analyze(R"(
void unused(float* p) { ncclBcast(p, n, ncclFloat, 0, comm, s); }
void f() { float* q = pick(); ncclBcast(cond ? x : y, n, ncclFloat, 0, comm, s); ncclBcast(q, n, ncclFloat, 0, comm); }
)");
  ASSERT_EQ(r.graph.size(), 3U);
  for (auto const& n : r.graph) {
    EXPECT_LT(n.confidence, 1);
    EXPECT_FALSE(n.guesses.empty());
  }
  EXPECT_NE(to_text(r).find("ncclBcast has 5 arguments where 6 are expected"), std::string::npos);
}

}  // namespace
