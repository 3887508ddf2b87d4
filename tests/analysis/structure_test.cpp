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

Texts function_names(cuco::Report const& r) {
  Texts out;
  for (auto const& f : r.functions) out.push_back((f.scope.empty() ? "" : f.scope + "::") + f.name);
  return out;
}
Texts loop_headers(cuco::Report const& r) {
  Texts out;
  for (auto const& l : r.loops) out.push_back(l.header);
  return out;
}

TEST(Structure, FunctionsInAnyBraceStyle) {
  std::string const source = R"(
static inline int a(int x, float *y) { return x; }
void
b
(
)
{
}
    unsigned long long c(void) noexcept
    {
    }
auto d(int n = f(1, 2)) -> std::vector<int> { return {}; }
int declared(int);
int (*pointer)(int) = nullptr;
)";
  auto const r = analyze(source);
  EXPECT_EQ(function_names(r), (Texts{"a", "b", "c", "d"}));
  EXPECT_EQ(r.functions[0].return_type, "int");
  EXPECT_EQ(r.functions[0].parameters, "int x, float *y");
  EXPECT_EQ(r.functions[0].parameter_names, (Texts{"x", "y"}));
  EXPECT_EQ(r.functions[1].line, 4U);
  EXPECT_EQ(r.functions[1].end_line, 8U);
  EXPECT_EQ(text_of(source, r.functions[1].body), "{\n}");
  EXPECT_EQ(r.functions[2].return_type, "unsigned long long");
  EXPECT_TRUE(r.functions[2].parameter_names.empty());
  EXPECT_EQ(r.functions[3].return_type, "std::vector<int>");
  EXPECT_EQ(r.functions[3].parameter_names, (Texts{"n"}));
}

TEST(Structure, Kernels) {
  std::string const source = R"(
#define KERNEL extern "C" __global__ void
template <typename T, int N = (3 > 2)>
__global__ void __launch_bounds__(256, 2) first(T const* __restrict__ in, T* out) {}
__global__ __launch_bounds__(kThreads) void second(float *p) {}
namespace ns { namespace { __global__ void third(dim3 g, void (*f)(int), int a[4]) {} } }
extern "C" { __global__ void fourth() {} }
KERNEL fifth(int n) {}
[[nodiscard]] __host__ __device__ __forceinline__ float both(float) { return 0; }
static __device__ float2 device_only(const float2& v, unsigned) { return v; }
template <> __global__ void sixth<int>(int* p) {}
)";
  auto const r = analyze(source);
  EXPECT_EQ(function_names(r),
            (Texts{"first", "second", "ns::third", "fourth", "fifth", "both", "device_only", "sixth"}));
  for (int i : {0, 1, 2, 3, 4, 7}) EXPECT_TRUE(r.functions[static_cast<std::size_t>(i)].is_kernel) << i;
  EXPECT_TRUE(r.functions[0].is_template);
  EXPECT_EQ(r.functions[0].return_type, "void");
  EXPECT_EQ(r.functions[0].parameter_names, (Texts{"in", "out"}));
  EXPECT_TRUE(text_of(source, r.functions[0].span).starts_with("template <typename T"));
  EXPECT_EQ(r.functions[1].return_type, "void");
  EXPECT_EQ(r.functions[2].parameter_names, (Texts{"g", "f", "a"}));
  EXPECT_FALSE(r.functions[5].is_kernel);
  EXPECT_FALSE(r.functions[5].is_device);
  EXPECT_EQ(r.functions[5].parameter_names, (Texts{""}));
  EXPECT_TRUE(r.functions[6].is_device);
  EXPECT_EQ(r.functions[6].parameter_names, (Texts{"v", ""}));
}

TEST(Structure, ClassesConstructorsOperators) {
  auto const r = analyze(R"(
template <class T> struct Engine : public Base<decltype(f())> {
  explicit Engine(int n) : Base<int>(n), a_(n), b_{n, [] { return 1; }()}, c_{} { run(); }
  ~Engine() { if (a_) { free(a_); } }
  int run() const noexcept override { return a_; }
  bool operator()(int x) const { return x > 0; }
  Engine& operator=(Engine const&) = default;
  friend bool operator<(Engine const& l, Engine const& r) { return l.a_ < r.a_; }
  int a_ = 0, b_{3};
 private:
  enum class Kind : int { kA, kB = sizeof(int) };
  struct Inner { void deep() {} } inner;
};
template <class T> void Engine<T>::other(T* p) & {}
struct Plain make() { return {}; }
class alignas(16) Wide final { void w() {} };
union U { int i; float f; U() {} };
int table[] = {1, 2, 3}; std::map<int, int> m{{1, 2}};
)");
  EXPECT_EQ(function_names(r),
            (Texts{"Engine::Engine",
                   "Engine::~Engine",
                   "Engine::run",
                   "Engine::operator()",
                   "Engine::operator<",
                   "Engine::Inner::deep",
                   "other",
                   "make",
                   "Wide::w",
                   "U::U"}));
  EXPECT_EQ(find_function(r, "run")->return_type, "int");
  EXPECT_EQ(find_function(r, "other")->return_type, "void");
  EXPECT_EQ(find_function(r, "make")->return_type, "struct Plain");
}

TEST(Structure, MacrosAroundFunctions) {
  auto const r = analyze(R"(
#define API __attribute__((visibility("default")))
API EXPORT(int) int exported(int a) { return a; }
void annotated(int x) ATTRIBUTE(3) { }
__attribute__((noinline)) static void quiet() {}
TEST(Suite, Case) { check(); }
BEGIN_NAMESPACE
void after() {}
)");
  EXPECT_EQ(function_names(r), (Texts{"exported", "annotated", "quiet", "TEST", "after"}));
}

TEST(Structure, LoopsWithAndWithoutBraces) {
  std::string const source = R"(
void f(int n) {
  for (int i = 0; i < g(n, 1); ++i) {
    while (n > 0)
      for (auto x : list) use(x);
    do { n--; } while (n > 3);
  }
  for (;;) if (n) break; else n = 1;
  do n++; while (n < 5);
}
)";
  auto const r = analyze(source);
  EXPECT_EQ(loop_headers(r),
            (Texts{"for (int i = 0; i < g(n, 1); ++i)",
                   "while (n > 0)",
                   "for (auto x : list)",
                   "do while (n > 3)",
                   "for (;;)",
                   "do while (n < 5)"}));
  EXPECT_EQ(r.loops[0].parent, kNone);
  EXPECT_EQ(r.loops[1].parent, 0);
  EXPECT_EQ(r.loops[2].parent, 1);
  EXPECT_EQ(r.loops[3].parent, 0);
  EXPECT_EQ(r.loops[4].parent, kNone);
  EXPECT_TRUE(r.loops[0].braced);
  EXPECT_FALSE(r.loops[1].braced);
  EXPECT_EQ(text_of(source, r.loops[1].body), "for (auto x : list) use(x);");
  EXPECT_EQ(text_of(source, r.loops[2].body), "use(x);");
  EXPECT_EQ(text_of(source, r.loops[3].body), "{ n--; }");
  EXPECT_EQ(text_of(source, r.loops[3].span), "do { n--; } while (n > 3);");
  EXPECT_EQ(text_of(source, r.loops[4].span), "for (;;) if (n) break; else n = 1;");
  EXPECT_EQ(text_of(source, r.loops[5].body), "n++;");
  EXPECT_EQ(r.loops[0].line, 3U);
  EXPECT_EQ(r.loops[0].end_line, 7U);
}

TEST(Structure, LambdasBelongToTheirFunctionAndLoop) {
  auto const r = analyze(R"(
void f() {
  for (int i = 0; i < 3; ++i) {
    auto work = [&](int k) { for (int j = 0; j < k; ++j) ncclAllReduce(a, b, n, ncclFloat, ncclSum, comm, s); };
    std::for_each(v.begin(), v.end(), [&](auto x) { cudaDeviceSynchronize(); });
  }
}
auto global = [](int x) { while (x) cudaDeviceReset(); };
)");
  ASSERT_EQ(r.functions.size(), 1U);
  ASSERT_EQ(r.loops.size(), 3U);
  EXPECT_EQ(find_call(r, "ncclAllReduce")->function, 0);
  EXPECT_EQ(find_call(r, "ncclAllReduce")->loop, 1);
  EXPECT_EQ(r.loops[1].parent, 0);
  EXPECT_EQ(find_call(r, "cudaDeviceSynchronize")->loop, 0);
  EXPECT_EQ(find_call(r, "cudaDeviceReset")->function, kNone);
  EXPECT_EQ(find_call(r, "cudaDeviceReset")->loop, 2);
}

TEST(Structure, InnermostFunctionAndLoop) {
  auto const r = analyze(R"(
void outer() {
  for (;;) {
    struct Local { void method() { cudaDeviceSynchronize(); } };
    for (;;) { cudaStreamSynchronize(s); }
    cudaEventSynchronize(e);
  }
}
#define REPEAT(i, n) for (int i = 0; i < n; ++i)
void macro_loop() { REPEAT(i, 3) { cudaEventRecord(e); } SCOPE("x") { cudaGetLastError(); } }
)");
  EXPECT_EQ(function_names(r), (Texts{"outer", "outer::Local::method", "macro_loop"}));
  EXPECT_EQ(find_call(r, "cudaDeviceSynchronize")->function, 1);
  EXPECT_EQ(find_call(r, "cudaDeviceSynchronize")->loop, kNone);
  EXPECT_EQ(find_call(r, "cudaStreamSynchronize")->loop, 1);
  EXPECT_EQ(find_call(r, "cudaEventSynchronize")->loop, 0);
  ASSERT_EQ(r.loops.size(), 3U);
  EXPECT_EQ(r.loops[2].header, "REPEAT(i, 3)");
  EXPECT_EQ(find_call(r, "cudaEventRecord")->loop, 2);
  EXPECT_EQ(find_call(r, "cudaGetLastError")->loop, kNone);
}

TEST(Structure, IncludesAndMacros) {
  std::string const source =
      "#include <nccl.h> // x\n#  include \"a b.h\"\n#define N 4 // four\n#define F(a, b) \\\n  g(a) /* c */ "
      "+ b\n#define E\n";
  auto const r = analyze(source);
  ASSERT_EQ(r.includes.size(), 2U);
  EXPECT_EQ(r.includes[0].target, "<nccl.h>");
  EXPECT_EQ(text_of(source, r.includes[0].span), "#include <nccl.h>");
  EXPECT_EQ(r.includes[1].target, "\"a b.h\"");
  ASSERT_EQ(r.macros.size(), 3U);
  EXPECT_EQ(r.macros[0].value, "4");
  EXPECT_EQ(r.macros[1].parameters, "(a, b)");
  EXPECT_EQ(r.macros[1].value, "g(a)   + b");
  EXPECT_EQ(r.macros[1].line, 4U);
  EXPECT_EQ(r.macros[2].value, "");
  EXPECT_EQ(r.lines, 6U);
}

TEST(Structure, AlternativeBranchesMayOpenTheSameBrace) {
  auto const r =
      analyze("#ifdef A\nvoid f(int a) {\n#else\nvoid f(long a) {\n#endif\n ncclGroupStart(); }\n");
  EXPECT_EQ(function_names(r), (Texts{"f"}));
  EXPECT_EQ(r.notes.size(), 1U);
}

TEST(Structure, UnbalancedBracketsAreAnErrorWithALine) {
  auto error = [](std::string const& s) {
    auto const r = cuco::Analyzer{}.analyze(s, "t.cu");
    return r ? "none" : to_line(r.error());
  };
  EXPECT_EQ(error("\nvoid f() {\n"), "t.cu:2: '{' is not closed; balance the brackets");
  EXPECT_EQ(error("void f() {}\n}\n"), "t.cu:2: '}' closes nothing; remove it, or add what it should close");
  EXPECT_EQ(error("f(\n]"), "t.cu:2: ']' does not close the '(' of line 1; balance the brackets");
  EXPECT_EQ(error("\"\n"),
            "t.cu:1: a string literal is not closed on its line; close it, or escape the quote");
  EXPECT_EQ(error(""), "none");
  EXPECT_EQ(error("#if 0\n}}}\n#endif\n// {\n\"{\";"), "none");
}

}  // namespace
