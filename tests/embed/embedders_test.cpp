// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "../contract/embedder_contract.hpp"
#include "cuco/core/atomic_file.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/core/rng.hpp"
#include "cuco/embed/any_embedder.hpp"
#include "cuco/embed/impl/code_words.hpp"
#include "cuco/embed/ngram_embedder.hpp"

namespace cuco::testing {
namespace {

using ::testing::ElementsAre;

struct NgramFixture {
  using Model = NgramEmbedder;
  static Model make() { return NgramEmbedder(); }
};
struct SmallNgramFixture {
  using Model = NgramEmbedder;
  static Model make() { return NgramEmbedder(64); }
};
struct AnyFixture {
  using Model = AnyEmbedder;
  static Model make() { return NgramEmbedder(); }
};
using Embedders = ::testing::Types<NgramFixture, SmallNgramFixture, AnyFixture>;
INSTANTIATE_TYPED_TEST_SUITE_P(Local, EmbedderContract, Embedders);

std::vector<float> embed(std::string_view text) {
  return NgramEmbedder().embed(text).value().values;
}

double similarity(std::string_view a, std::string_view b) {
  return cosine(embed(a), embed(b));
}

std::string seed_text() {
  auto text = read_file(std::string(CUCO_SOURCE_DIR) + "/tests/programs/moe_dispatch.cu");
  EXPECT_TRUE(text) << to_line(text.error());
  return text.value_or("");
}

std::string replace_all(std::string text, std::string const& from, std::string const& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

TEST(NgramEmbedder, CommentsAndLayoutDoNotCount) {
  std::string const code =
      "__global__ void k(float* x, int n) {\n  // add one\n  if (threadIdx.x < n) x[threadIdx.x] += "
      "1.0f;\n}\n";
  auto const base = embed(code);
  EXPECT_EQ(embed("__global__ void k(float*x,int n){if(threadIdx.x<n)x[threadIdx.x]+=1.0f;}"), base);
  EXPECT_EQ(embed("/* a\n * kernel */ " + code + "// the end"), base);
  EXPECT_EQ(embed(replace_all(code, "\n", "\r\n")), base);
  EXPECT_EQ(embed(replace_all(code, "add one", "add \xff two \"quote")), base);
  EXPECT_EQ(embed(replace_all(code, "  if", "  i\\\nf")) == base, false)
      << "a spliced word is two words here";
  EXPECT_EQ(embed(replace_all(code, " int n", " \\\n int n")), base);
  EXPECT_NE(embed(replace_all(code, "+=", "-=")), base);
}

TEST(NgramEmbedder, NumbersCountByValue) {
  auto const base = embed("int n = 1024; float f = 1.5f;");
  EXPECT_EQ(embed("int n = 0x400u; float f = 1.5;"), base);
  EXPECT_EQ(embed("int n = 1'024ULL; float f = 1.5F;"), base);
  EXPECT_NE(embed("int n = 1025; float f = 1.5f;"), base);
  EXPECT_NE(embed("int n = 1024; float f = 1.25f;"), base);
}

TEST(NgramEmbedder, RenamingStaysNearAndChangingDoesNot) {
  auto const code = seed_text();
  ASSERT_GT(code.size(), 2000U);
  auto const renamed = replace_all(replace_all(code, "tokens", "slots_of_rank"), "expert", "specialist");
  ASSERT_TRUE(renamed != code);
  double const by_name = similarity(code, renamed);
  EXPECT_GT(by_name, 0.95);
  EXPECT_LT(by_name, 1 - 1e-6) << "but it is not the same program";
  auto const other = read_file(std::string(CUCO_SOURCE_DIR) + "/tests/programs/halo_ring.cu").value();
  EXPECT_LT(similarity(code, other), 0.9);
  EXPECT_GT(similarity(code, other), 0.1) << "both are CUDA with NCCL";
  EXPECT_GT(by_name, similarity(code, other));
}

TEST(NgramEmbedder, AChangedConstantIsBelowTheUsualThresholdAndARenamedThingIsNot) {
  std::string const kernel = R"(
__global__ void exchange(float* send, float* receive, int count, ncclDevComm comm) {
  ncclGin gin(comm, 0);
  constexpr int kChunk = 256;
  for (int peer = 0; peer < comm.nRanks; ++peer) {
    if (peer == comm.rank) continue;
    for (int at = blockIdx.x * kChunk; at < count; at += gridDim.x * kChunk) {
      int const left = min(kChunk, count - at);
      gin.put(ncclTeamWorld(comm), peer, receive, at, send, at, left, ncclGin_SignalInc(0), ncclCoopCta());
    }
  }
  gin.waitSignal(ncclCoopCta(), 0, expected);
  gin.flush(ncclCoopCta());
}
)";
  EXPECT_LT(similarity(kernel, replace_all(kernel, "256", "512")), 0.98);
  EXPECT_LT(similarity(kernel, replace_all(kernel, "flush(ncclCoopCta())", "flush(ncclCoopThread())")),
            0.995);
  EXPECT_LT(
      similarity(kernel, replace_all(kernel, "at += gridDim.x * kChunk", "at += gridDim.x * kChunk * 2")),
      0.995);
  // Also when it is one of many, in a whole program.
  auto const program = seed_text();
  auto const changed = replace_all(program, "<<<48", "<<<96");
  ASSERT_TRUE(changed != program);
  EXPECT_LT(similarity(program, changed), 0.995);
  for (auto const& [from, to] :
       {std::pair{"left", "remaining"}, {"peer", "other"}, {"exchange", "swap"}, {"receive", "to"}}) {
    EXPECT_GT(similarity(kernel, replace_all(kernel, from, to)), 0.985) << from;
    EXPECT_LT(similarity(kernel, replace_all(kernel, from, to)), 1 - 1e-6) << from;
  }
  // The name of a number belongs to it.
  double const constant = similarity(kernel, replace_all(kernel, "kChunk", "kPiece"));
  EXPECT_GT(constant, 0.93);
  EXPECT_GT(constant, similarity(kernel, replace_all(kernel, "256", "512")));
}

TEST(NgramEmbedder, ANumberBelongsToTheNameItIsGiven) {
  // Many constants of one value: which of them changes, and to what, counts all the same.
  std::string text;
  for (char const* name : {"kA", "kB", "kC", "kD", "kE", "kF"}) {
    text += std::string("constexpr int ") + name + " = 4;\n";
    text += std::string("constexpr int ") + name + "2 = 2;\n";
  }
  auto const one = replace_all(text, "kA = 4", "kA = 2");
  auto const other = replace_all(text, "kB = 4", "kB = 2");
  EXPECT_LT(similarity(text, one), 0.99);
  EXPECT_LT(similarity(one, other), 0.98);
  auto const swapped = replace_all(replace_all(one, "kA2 = 2", "kA2 = 4"), "  ", " ");
  EXPECT_LT(similarity(text, swapped), 0.98);
  for (auto const& [from, to] : {std::pair{"int k = 4;", "int k = 8;"},
                                 {"int k{4};", "int k{8};"},
                                 {"#define k 4\n", "#define k 8\n"},
                                 {"use(4);", "use(8);"}})
    EXPECT_LT(similarity(text + from, text + to), 0.99) << from;
}

TEST(NgramEmbedder, AMemoryOrderIsAName) {
  auto const words = impl::code_words("cuda::memory_order_acquire thread_scope_device order");
  ASSERT_EQ(words.size(), 5U);
  EXPECT_EQ(words[2].kind, impl::CodeWord::Kind::kKnown);
  EXPECT_EQ(words[3].kind, impl::CodeWord::Kind::kKnown);
  EXPECT_EQ(words[4].kind, impl::CodeWord::Kind::kName);
  std::string const line = "bar.sync(ncclCoopCta(), cuda::memory_order_acq_rel);\n";
  std::string text = line;
  for (int i = 0; i < 30; ++i) text += "to[" + std::to_string(i) + "] = from;\n";
  EXPECT_LT(similarity(text, replace_all(text, "acq_rel", "acquire")), 0.995);
}

TEST(NgramEmbedder, HasUnitLengthAlsoForNothing) {
  for (std::string const& text : {std::string(),
                                  std::string("  \n"),
                                  std::string("// only words"),
                                  std::string("x"),
                                  std::string(1, '\0')}) {
    auto const point = embed(text);
    double squares = 0;
    for (float const v : point) squares += static_cast<double>(v) * v;
    EXPECT_NEAR(squares, 1, 1e-6);
  }
  EXPECT_EQ(embed(""), embed("/* nothing */"));
  EXPECT_EQ(NgramEmbedder(0).embed("x").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(NgramEmbedder().dimension(), 1024U);
  EXPECT_EQ(NgramEmbedder(64).model(), "ngram:64");
}

TEST(NgramEmbedder, GivesTheSameBitsEverywhere) {
  // Embeddings are stored with programs and compared with those of other machines and versions.
  auto const point =
      embed(R"(__global__ void k(int* x) { for (int i = 0; i < 42; ++i) x[i] = i << 2; } // "c")");
  std::string bytes;
  for (float const v : point) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &v, sizeof bits);
    bytes += std::to_string(bits) + ",";
  }
  EXPECT_EQ(content_hash(bytes), "feb1439e78f70d23");
}

TEST(NgramEmbedder, TakesAnyBytes) {
  Rng rng(77);
  std::string const pieces[] = {"\"",
                                "'",
                                "/*",
                                "*/",
                                "//",
                                "\\",
                                "\n",
                                "R\"(",
                                ")\"",
                                "0x",
                                "1e+",
                                ".",
                                "'",
                                "<<<",
                                "u8",
                                "\xff",
                                "\0"};
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (std::size_t k = rng.below(12); k > 0; --k) {
      text += rng.chance(0.5) ? pieces[rng.below(std::size(pieces))]
                              : std::string(1, static_cast<char>(rng.below(256)));
    }
    ASSERT_TRUE(NgramEmbedder(32).embed(text));
  }
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (auto const& word : impl::code_words(text)) out.push_back(word.text);
  return out;
}

TEST(CodeWords, AreThoseOfTheLanguage) {
  EXPECT_THAT(
      words("k<<<grid, 2>>>(a->b, c::d);"),
      ElementsAre("k", "<<<", "grid", ",", "2", ">>>", "(", "a", "->", "b", ",", "c", "::", "d", ")", ";"));
  EXPECT_THAT(words("\"a // b\" 'c' // d\n'\\''"), ElementsAre("\"a // b\"", "'c'", "'\\''"));
  EXPECT_THAT(words("R\"x(a )\" // )x\" + 1"), ElementsAre("R\"x(a )\" // )x\"", "+", "1"));
  EXPECT_THAT(words("u8\"x\" L'y' u9"), ElementsAre("u8\"x\"", "L'y'", "u9"));
  EXPECT_THAT(words("017 0b101 0xFFu 1'000'000ul 3.f 2e-3 .5 1.0e+10f"),
              ElementsAre("15", "5", "255", "1000000", "3.", "2e-3", ".5", "1.0e+10"));
  EXPECT_THAT(words("a // b \\\n c\nd"), ElementsAre("a", "d"));
  EXPECT_THAT(words("#pragma unroll 4"), ElementsAre("#", "pragma", "unroll", "4"));
  EXPECT_THAT(words("\"open\nnext"), ElementsAre("\"open", "next"));
  EXPECT_THAT(words("/* open"), ElementsAre());
  auto const kinds = impl::code_words("ncclGin for mine threadIdx");
  ASSERT_EQ(kinds.size(), 4U);
  EXPECT_EQ(kinds[0].kind, impl::CodeWord::Kind::kKnown);
  EXPECT_EQ(kinds[1].kind, impl::CodeWord::Kind::kKeyword);
  EXPECT_EQ(kinds[2].kind, impl::CodeWord::Kind::kName);
  EXPECT_EQ(kinds[3].kind, impl::CodeWord::Kind::kKnown);
}

TEST(AnyEmbedder, MustHoldOne) {
  AnyEmbedder empty;
  EXPECT_FALSE(empty);
  EXPECT_EQ(empty.embed("x").error().code, ErrorCode::kInternal);
  AnyEmbedder const held = NgramEmbedder(16);
  EXPECT_EQ(held.model(), "ngram:16");
}

}  // namespace
}  // namespace cuco::testing
