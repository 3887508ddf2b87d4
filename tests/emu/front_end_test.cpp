// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "cuco/emu/front_end.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "cuco/analysis/lexer.hpp"

namespace {

using cuco::EmulatedSource;
using cuco::ErrorCode;
using cuco::Result;
using cuco::to_emulated_source;
using testing::HasSubstr;
using testing::Not;

std::string rewritten(std::string const& cuda) {
  Result<EmulatedSource> source = to_emulated_source(cuda, "t.cu");
  EXPECT_TRUE(source) << cuco::to_line(source.error()) << "\nin\n" << cuda;
  if (!source) return {};
  std::string const line = "#line 1 \"t.cu\"\n";
  EXPECT_EQ(source->text.substr(0, line.size()), line);
  return source->text.substr(line.size());
}

cuco::Error refused(std::string const& cuda) {
  Result<EmulatedSource> source = to_emulated_source(cuda, "t.cu");
  EXPECT_FALSE(source) << cuda << "\nbecame\n" << source->text;
  return source ? cuco::Error{} : source.error();
}

/// Without blanks that stand where nothing needs them.
std::string dense(std::string const& text) {
  std::string out;
  for (char const c : text)
    if (c != ' ' && c != '\n') out += c;
  return out;
}

std::string launch(std::string const& call) {
  return dense(
      rewritten("__global__ void k(int*, int);\ntemplate <class T> __global__ void t(T*);\n"
                "template <class T, int N> __global__ void u(T*);\n"
                "namespace ns { __global__ void q(); }\nvoid f() {\n" +
                call + "\n}\n"));
}

TEST(FrontEndLaunch, PlainKernelIsAFunctionPointer) {
  EXPECT_THAT(launch("k<<<1, 256>>>(p, 3);"),
              HasSubstr("::cuco::emu::launch_site(\"k\",__LINE__,k)(dim3(1),dim3(256))(p,3);"));
}

TEST(FrontEndLaunch, SharedBytesAndStream) {
  EXPECT_THAT(launch("k<<<g, b, n * 4, s>>>(p, 3);"),
              HasSubstr("(dim3(g),dim3(b),static_cast<::std::size_t>(n*4),(cudaStream_t)(s))(p,3);"));
}

TEST(FrontEndLaunch, BracesBecomeCalls) {
  EXPECT_THAT(launch("k<<<{n, 2}, {32}, 0>>>(p, 3);"),
              HasSubstr("(dim3(n,2),dim3(32),static_cast<::std::size_t>(0))(p,3);"));
  EXPECT_THAT(launch("k<<<dim3{1, 2}, dim3(3, 4)>>>(p, 3);"), HasSubstr("(dim3(dim3{1,2}),dim3(dim3(3,4)))"));
}

TEST(FrontEndLaunch, TemplatesWithOpenArgumentsAreLambdas) {
  EXPECT_THAT(launch("t<<<1, 2>>>(p);"),
              HasSubstr("[=](auto...cuco_arguments){t(cuco_arguments...);})(dim3(1),dim3(2))(p);"));
  EXPECT_THAT(launch("u<float><<<1, 2>>>(p);"), HasSubstr("{u<float>(cuco_arguments...);}"));
  EXPECT_THAT(launch("u<float, 4><<<1, 2>>>(p);"), HasSubstr("\"u<float,4>\",__LINE__,u<float,4>)(dim3(1)"));
  EXPECT_THAT(launch("t<float><<<1, 2>>>(p);"), HasSubstr(",t<float>)(dim3(1)"));
}

TEST(FrontEndLaunch, NestedTemplateArgumentsEndTheKernelName) {
  EXPECT_THAT(launch("t<pair<int, pair<int, int>>><<<1, 2>>>(p);"),
              HasSubstr(",t<pair<int,pair<int,int>>>)(dim3(1),dim3(2))(p);"));
}

TEST(FrontEndLaunch, QualifiedNamesAndOtherCallables) {
  EXPECT_THAT(launch("ns::q<<<1, 2>>>();"), HasSubstr("(\"ns::q\",__LINE__,ns::q)(dim3(1),dim3(2))();"));
  EXPECT_THAT(launch("::ns::q<<<1, 2>>>();"), HasSubstr("(\"::ns::q\",__LINE__,::ns::q)"));
  EXPECT_THAT(launch("table[i]<<<1, 2>>>();"), HasSubstr("__LINE__,table[i])(dim3(1)"));
  EXPECT_THAT(launch("(c ? a : b)<<<1, 2>>>();"), HasSubstr("__LINE__,(c?a:b))(dim3(1)"));
  EXPECT_THAT(launch("o->m<<<1, 2>>>();"), HasSubstr("__LINE__,o->m)(dim3(1)"));
  EXPECT_THAT(launch("if (x) k<<<1, 2>>>(p, 1); else k<<<3, 4>>>(p, 2);"),
              HasSubstr("else::cuco::emu::launch_site"));
}

TEST(FrontEndLaunch, CallsAndTemplatesInTheConfiguration) {
  EXPECT_THAT(launch("k<<<div_up<int, 4>(n, (a, b)), f(g(1, 2), {3, 4}), sizeof(T[2][3])>>>(p, 3);"),
              HasSubstr("(dim3(div_up<int,4>(n,(a,b))),dim3(f(g(1,2),{3,4})),static_cast<::std::size_t>("
                        "sizeof(T[2][3])))"));
  EXPECT_THAT(launch("k<<<a < b, c>>>(p, 3);"), HasSubstr("(dim3(a<b),dim3(c))"));
  EXPECT_THAT(launch("k<<<(n >> 2), 1 << 3>>>(p, 3);"), HasSubstr("(dim3((n>>2)),dim3(1<<3))"));
}

TEST(FrontEndLaunch, DefaultsAndOverloadsNeedTheArguments) {
  std::string const text =
      dense(rewritten("__global__ void d(int a, int b = 3) {}\n__global__ void o(int) {}\n"
                      "__global__ void o(float) {}\n"
                      "void f() { d<<<1, 1>>>(2); o<<<1, 1>>>(2); }"));
  EXPECT_THAT(text, HasSubstr("{d(cuco_arguments...);}"));
  EXPECT_THAT(text, HasSubstr("{o(cuco_arguments...);}"));
}

TEST(FrontEndLaunch, ADeclarationAndItsDefinitionAreNotOverloads) {
  EXPECT_THAT(dense(rewritten("__global__ void k(float* a, int n);\nvoid f() { k<<<1, 1>>>(p, 2); }\n"
                              "__global__ void k(float* data, int count) {}")),
              HasSubstr("__LINE__,k)(dim3(1)"));
}

TEST(FrontEndLaunch, InsideMacroArgumentsAndMacroBodies) {
  EXPECT_THAT(launch("CHECK((k<<<1, 2>>>(p, 3), cudaGetLastError()));"),
              HasSubstr("CHECK((::cuco::emu::launch_site("));
  std::string const text = rewritten(
      "#define RUN(kernel, g, ...) \\\n  do { \\\n    kernel<<<g, 32>>>(__VA_ARGS__); \\\n  } while (0)\n"
      "#define GO k<<<1, 2>>>\n__global__ void k(int);\n");
  EXPECT_THAT(dense(text),
              HasSubstr("launch_site(#kernel,__LINE__,[=](auto...cuco_arguments){kernel(cuco_arguments...);})"
                        "(dim3(g),dim3(32))(__VA_ARGS__);"));
}

TEST(FrontEndLaunch, MalformedLaunchesNameTheirLine) {
  EXPECT_EQ(refused("__global__ void k();\nvoid f() {\n  k<<<1>>>();\n}").line, 3U);
  EXPECT_EQ(refused("void f() {\n k<<<1, 2, 3, 4, 5>>>();\n}").code, ErrorCode::kParse);
  EXPECT_THAT(refused("void f() {\n k<<<1, 2;\n}").cause, HasSubstr("<<< without >>>"));
  EXPECT_THAT(refused("void f() {\n k<<<1, 2>>>;\n}").cause, HasSubstr("argument list"));
  EXPECT_THAT(refused("void f() {\n return <<<1, 2>>>();\n}").cause, HasSubstr("kernel name"));
  EXPECT_THAT(refused("void f() {\n k<<<1, >>>();\n}").cause, HasSubstr("empty launch argument"));
}

std::string shared(std::string const& declaration) {
  return dense(rewritten("__global__ void k() {\n" + declaration + "\n}\n"));
}

TEST(FrontEndShared, EveryDeclaratorBecomesAReference) {
  std::string const text = shared("__shared__ volatile float a[16][17], b, *q, (*r)[4];");
  EXPECT_THAT(text,
              HasSubstr("volatilefloat(&a)[16][17]=::cuco::emu::shared_static<::std::remove_reference_t<"
                        "decltype(a)>>(__PRETTY_FUNCTION__,0)"));
  EXPECT_THAT(
      text,
      HasSubstr(
          ",(&b)=::cuco::emu::shared_static<::std::remove_reference_t<decltype(b)>>(__PRETTY_FUNCTION__,1)"));
  EXPECT_THAT(text, HasSubstr(",*(&q)="));
  EXPECT_THAT(text, HasSubstr(",(*(&r))[4]="));
}

TEST(FrontEndShared, AlignmentIsPassedOn) {
  EXPECT_THAT(
      shared("__shared__ alignas(128) char a[4];"),
      HasSubstr("char(&a)[4]=::cuco::emu::shared_static<::std::remove_reference_t<decltype(a)>,(128)>("));
  EXPECT_THAT(shared("__shared__ __align__(16) char a[4];"), HasSubstr(",(16)>("));
  EXPECT_THAT(shared("__shared__ __attribute__((aligned(8))) char a[4];"), HasSubstr(",(8)>("));
  EXPECT_THAT(shared("__align__(sizeof(float4)) __shared__ char a[4];"), HasSubstr(",(sizeof(float4))>("));
}

TEST(FrontEndShared, SpecifiersInAnyOrderAndTemplates) {
  EXPECT_THAT(shared("static __shared__ std::array<int, 3> a;"), HasSubstr("std::array<int,3>(&a)="));
  EXPECT_THAT(shared("__shared__ typename Tile<T, (N > 2)>::Storage s;"),
              HasSubstr("typenameTile<T,(N>2)>::Storage(&s)="));
  EXPECT_THAT(shared("__shared__ struct { int x[2]; float y; } s;"),
              HasSubstr("struct{intx[2];floaty;}(&s)="));
  EXPECT_THAT(shared("volatile __shared__ int flag;"), HasSubstr("volatileint(&flag)="));
}

TEST(FrontEndShared, DynamicBecomesAPointer) {
  EXPECT_THAT(shared("extern __shared__ float s[];"),
              HasSubstr("float*s=::cuco::emu::shared_dynamic<::std::remove_pointer_t<decltype(s)>>();"));
  EXPECT_THAT(shared("extern __shared__ __align__(16) unsigned char raw[];"), HasSubstr("unsignedchar*raw="));
  EXPECT_THAT(shared("extern __shared__ float tile[][33];"), HasSubstr("float(*tile)[33]="));
}

TEST(FrontEndShared, LambdasCaptureByReference) {
  std::string const text = shared(
      "__shared__ float a[4]; extern __shared__ int d[];\n auto f = [=] { return a[0] + d[0]; };\n"
      "auto g = [](int i) { return a[i] + d[i]; }; auto h = [&] { return a[0]; }; auto n = [=] { return 1; "
      "};\n"
      "auto m = [a = 3](int i) { return a; }; x[i] = a[0];");
  EXPECT_THAT(text, HasSubstr("[=,&a]{returna[0]+d[0];}"));
  EXPECT_THAT(text, HasSubstr("[&a,&d](inti)"));
  EXPECT_THAT(text, HasSubstr("[&]{returna[0];}"));
  EXPECT_THAT(text, HasSubstr("[=]{return1;}"));
  EXPECT_THAT(text, HasSubstr("[a=3](inti)"));
  EXPECT_THAT(text, HasSubstr("x[i]=a[0]"));
}

TEST(FrontEndShared, NamesEndWithTheirScope) {
  EXPECT_THAT(shared("{ __shared__ int a[2]; }\n auto f = [=] { return a; };"), HasSubstr("[=]{returna;}"));
}

TEST(FrontEndShared, WhatHasNoMeaningIsRefused) {
  EXPECT_THAT(refused("__shared__ float a[3];").cause, HasSubstr("outside a function"));
  EXPECT_THAT(refused("namespace n {\nextern __shared__ float a[];\n}").cause,
              HasSubstr("outside a function"));
  EXPECT_EQ(refused("namespace n {\nextern __shared__ float a[];\n}").line, 2U);
  EXPECT_THAT(refused("__global__ void k() {\n __shared__ int a = 3;\n}").cause, HasSubstr("initialiser"));
  EXPECT_THAT(refused("__global__ void k() {\n extern __shared__ int a;\n}").cause, HasSubstr("without []"));
  EXPECT_THAT(refused("__global__ void k() {\n __shared__ int a").cause, HasSubstr("without ;"));
}

TEST(FrontEndCasts, KernelArgumentsKeepTheirType) {
  std::string const text =
      dense(rewritten("void f() {\n cudaLaunchCooperativeKernel((void*)k, g, b, args, 0, s);\n"
                      "cudaLaunchKernel(reinterpret_cast<const void*>(k<float>), g, b, (void**)args, 0, s);\n"
                      "cudaFuncSetAttribute((const void *)k, a, n);\n"
                      "cudaOccupancyMaxActiveBlocksPerMultiprocessor(&n, (void const*)&k, 256, 0);\n"
                      "other((void*)k); }"));
  EXPECT_THAT(text, HasSubstr("cudaLaunchCooperativeKernel(k,g,b,args,0,s)"));
  EXPECT_THAT(text, HasSubstr("cudaLaunchKernel((k<float>),g,b,(void**)args,0,s)"));
  EXPECT_THAT(text, HasSubstr("cudaFuncSetAttribute(k,a,n)"));
  EXPECT_THAT(text, HasSubstr("(&n,&k,256,0)"));
  EXPECT_THAT(text, HasSubstr("other((void*)k)"));
}

TEST(FrontEndCasts, AKernelAsAnUntypedPointerIsRecorded) {
  std::string const text = dense(rewritten(
      "__global__ void k(int); template <class T> __global__ void t(T);\nnamespace n { __global__ void q(); "
      "}\n"
      "void const* a[] = {(void const*)k, (const void*)&t<int>, reinterpret_cast<void*>(n::q)};\n"
      "void f() { cudaLaunchKernel((void const*)k, g, b, args, 0, s); other((int*)k, (void**)k, k, (k)); }"));
  EXPECT_THAT(text, HasSubstr("(voidconst*)::cuco::emu::kernel_pointer(k)"));
  EXPECT_THAT(text, HasSubstr("(constvoid*)::cuco::emu::kernel_pointer(&t<int>)"));
  EXPECT_THAT(text, HasSubstr("reinterpret_cast<void*>(::cuco::emu::kernel_pointer(n::q))"));
  EXPECT_THAT(text, HasSubstr("cudaLaunchKernel(k,g,b,args,0,s)"));
  EXPECT_THAT(text, HasSubstr("other((int*)k,(void**)k,k,(k))"));
}

TEST(FrontEndRefusal, NamesTheConstructAndTheLine) {
  struct Case {
    char const* code;
    char const* what;
    unsigned line;
  };
  for (Case const& c : {
           Case{
               "__device__ void f() {\n asm volatile(\"fence.sc.sys;\" ::: \"memory\");\n}", "inline PTX", 2},
           Case{"__global__ void f() {\n int x;\n __pipeline_commit();\n}", "asynchronous copy", 3},
           Case{"#include <mma.h>\n", "matrix instructions", 1},
           Case{"int x;\n#include <cublas_v2.h>\n", "cuBLAS", 2},
           Case{"__global__ void f() { nvcuda::wmma::fragment<int> x; }", "matrix instructions", 1},
           Case{"int main() {\n cudaGraph_t g;\n}", "CUDA graphs", 2},
           Case{"int main() {\n cudaStreamBeginCapture(s, m);\n}", "CUDA graphs", 2},
           Case{"cudaTextureObject_t t;", "textures", 1},
           Case{"int main() {\n cudaIpcMemHandle_t h;\n}", "CUDA IPC", 2},
           Case{"__global__ void c();\n__global__ void f() {\n c<<<1, 1>>>();\n}",
                "launch from device code",
                3},
           Case{"__global__ void __cluster_dims__(2) f() {}", "clusters", 1},
           Case{"#define FENCE() asm volatile(\"membar.sys;\")\n", "inline PTX", 1},
       }) {
    cuco::Error const error = refused(c.code);
    EXPECT_EQ(error.code, ErrorCode::kRefused) << c.code;
    EXPECT_THAT(error.cause, HasSubstr("not emulated: ")) << c.code;
    EXPECT_THAT(error.cause, HasSubstr(c.what)) << c.code;
    EXPECT_EQ(error.line, c.line) << c.code;
    EXPECT_EQ(error.file, "t.cu");
  }
}

TEST(FrontEndRefusal, UnderAnUnknownConditionThePreprocessorDecides) {
  std::string const text = rewritten(
      "#ifdef FAST\n#include <mma.h>\n#endif\n__device__ void f() {\n#ifdef FAST\n "
      "asm(\"x;\");\n#endif\n}\n");
  EXPECT_THAT(text, HasSubstr("#error not emulated: matrix instructions (wmma) (header mma.h)"));
  EXPECT_THAT(text, HasSubstr("_Pragma(\"GCC error \\\"not emulated: inline PTX (asm)\\\"\") asm(\"x;\");"));
}

TEST(FrontEndRefusal, HostAssemblyAndCompilerBarriersStay) {
  EXPECT_THAT(rewritten("void f() { asm volatile(\"pause\"); }"), HasSubstr("asm volatile(\"pause\")"));
  EXPECT_THAT(rewritten("__device__ void f() { asm volatile(\"\" ::: \"memory\"); }"),
              HasSubstr("asm volatile(\"\""));
}

TEST(FrontEndText, InactiveCodeStringsAndCommentsStay) {
  std::string const cuda =
      "#if 0\nk<<<1>>>(); __shared__ int x; asm(\"\");\n#endif\n// k<<<1>>>()\nchar const* s = \"k<<<1, "
      "2>>>()\";\n"
      "/* __shared__ int a; */ char const* r = R\"(__shared__ <<<)\";\n";
  EXPECT_EQ(rewritten(cuda), cuda);
}

TEST(FrontEndText, OpeningHeadersAreListed) {
  Result<EmulatedSource> const source = to_emulated_source(
      "// c\n#pragma once\n#include <cstdio>\n#include \"own.h\"\n#include <nccl.h>\n#define X 1\n#include "
      "<vector>\n",
      "t.cu");
  ASSERT_TRUE(source);
  EXPECT_THAT(source->headers, testing::ElementsAre("cstdio", "nccl.h"));
}

TEST(FrontEndText, MalformedTextIsAnErrorWithItsLine) {
  cuco::Error const error = refused("int a;\n/* open");
  EXPECT_EQ(error.code, ErrorCode::kParse);
  EXPECT_EQ(error.line, 2U);
}

/// The one-letter identifiers of `text` with their lines.
std::vector<std::pair<std::string, unsigned>> token_lines(std::string const& text) {
  std::vector<std::pair<std::string, unsigned>> out;
  auto const stream = cuco::lex(text);
  EXPECT_TRUE(stream);
  if (!stream) return out;
  for (cuco::Token const& token : stream->tokens)
    if (token.kind == cuco::TokenKind::kIdentifier && token.text.size() == 1)
      out.emplace_back(std::string(token.text), token.line);
  return out;
}

TEST(FrontEndProperty, EveryTokenStaysOnItsLine) {
  std::vector<std::string> const pieces = {
      "k<<<1, 2>>>(p, 3);",
      "t<<<g,\n b>>>(\n p);",
      "t<float><<<{1,\n 2}, 3,\n 0, s>>>(p);",
      "int x = a < b;",
      "// comment <<<\n",
      "/* a\n b */",
      "cudaFuncSetAttribute((void*)\n k, a, n);",
      "x = y >> 2;",
      "{ __shared__ float a[4],\n b; auto f = [=] { return a[0]\n + b; }; }",
      "\n#pragma unroll\n",
      "\n",
      "extern __shared__\n float d[]\n;",
      "s = \"<<<\";",
      "{ __shared__ alignas(\n 16) int z; }"};
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string cuda =
        "__global__ void k(int*, int);\ntemplate <class T> __global__ void t(T*);\nvoid f() {\n";
    for (int i = 0; i < 12; ++i) cuda += pieces[random() % pieces.size()] + (random() % 2 == 0 ? "\n" : " ");
    cuda += "\n}\n";
    std::string const text = rewritten(cuda);
    ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), std::count(cuda.begin(), cuda.end(), '\n')) << cuda;
    auto const after = token_lines(text);
    for (auto const& name : token_lines(cuda))
      EXPECT_TRUE(std::find(after.begin(), after.end(), name) != after.end())
          << name.first << " of line " << name.second << "\n"
          << cuda << "\n---\n"
          << text;
  }
}

TEST(FrontEndProperty, AnyBytesGiveAResultOrAnError) {
  std::mt19937 random(11);
  std::string const alphabet = "<<<>>>(){}[];,k __shared__ asm\n\"'#define \\/*=:&";
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int i = 0; i < 60; ++i) {
      if (random() % 6 == 0) {
        static constexpr char const* kWords[] = {
            "__shared__ ", "extern ", "<<<", ">>>", "__global__ ", "asm", "#define X ", "[=]", "template <"};
        text += kWords[random() % 9];
      } else {
        text += alphabet[random() % alphabet.size()];
      }
    }
    Result<EmulatedSource> const source = to_emulated_source(text, "t.cu");
    if (!source) {
      EXPECT_TRUE(source.error().code == ErrorCode::kParse || source.error().code == ErrorCode::kRefused);
      EXPECT_FALSE(source.error().cause.empty());
    }
  }
}

TEST(FrontEndProperty, ATruncatedProgramNeverCrashes) {
  std::string const cuda =
      "#define RUN(k, ...) k<<<1, 2>>>(__VA_ARGS__)\ntemplate <class T> __global__ void t(T* p) { extern "
      "__shared__ "
      "float d[]; __shared__ alignas(16) T a[4][5], b; auto f = [=] { return a[0]; }; }\n"
      "int main() { t<float><<<{1, 2}, dim3(3), f(2), s>>>(p); cudaFuncSetAttribute((void*)t<float>, 1, 2); "
      "}\n";
  for (std::size_t n = 0; n <= cuda.size(); ++n) (void)to_emulated_source(cuda.substr(0, n), "t.cu");
}

}  // namespace
