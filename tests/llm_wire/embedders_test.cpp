// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <string>

#include "contract/embedder_contract.hpp"
#include "cuco/embed/bedrock_embedder.hpp"
#include "cuco/embed/gemini_embedder.hpp"
#include "cuco/embed/openai_embedder.hpp"
#include "cuco/llm/llm_error.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;
using cuco::ErrorCode;

namespace {

struct Remote {
  std::string name{};
  std::string variable{};
  std::string path{};
  std::string key_header{};
  std::function<std::string(std::vector<double> const&)> reply{};
  std::function<cuco::Result<cuco::Embedding>(
      std::string const& url, std::string_view text, std::string const& ca)>
      embed{};
};

std::ostream& operator<<(std::ostream& out, Remote const& remote) {
  return out << remote.name;
}

template <class Embedder>
auto embed_with() {
  return [](std::string const& url, std::string_view text, std::string const& ca) {
    auto options = quick();
    options.base_url = url;
    options.ca_file = ca;
    return Embedder(options).embed(text);
  };
}

std::vector<Remote> remotes() {
  return {
      {"openai",
       "OPENAI_API_KEY",
       "/embeddings",
       "authorization",
       [](auto const& v) {
         return Json{{"data", Json::array({Json{{"embedding", v}, {"index", 0}}})}}.dump();
       },
       embed_with<cuco::OpenAiEmbedder>()},
      {"gemini",
       "GEMINI_API_KEY",
       "/v1beta/models/gemini-embedding-001:embedContent",
       "x-goog-api-key",
       [](auto const& v) {
         return Json{{"embedding", Json{{"values", v}}}}.dump();
       },
       embed_with<cuco::GeminiEmbedder>()},
      {"bedrock",
       "AWS_BEARER_TOKEN_BEDROCK",
       "/model/amazon.titan-embed-text-v2%3A0/invoke",
       "authorization",
       [](auto const& v) {
         return Json{{"embedding", v}, {"inputTextTokenCount", 3}}.dump();
       },
       embed_with<cuco::BedrockEmbedder>()},
  };
}

class RemoteEmbedders : public testing::TestWithParam<Remote> {
 protected:
  CleanEnvironment clean_;
  Variable key_{GetParam().variable, kKey};
};

}  // namespace

TEST_P(RemoteEmbedders, MapATextToAPoint) {
  FakeServer server({Answer{200, "application/json", GetParam().reply({0.25, -1, 3e-5}), {}, 0}});
  auto const point = GetParam().embed(server.url(), "__global__ void k();", "");
  ASSERT_TRUE(point) << cuco::to_line(point.error());
  EXPECT_EQ(point->values, (std::vector<float>{0.25F, -1.0F, 3e-5F}));
  auto const seen = server.seen().at(0);
  EXPECT_EQ(seen.target, GetParam().path);
  EXPECT_NE(seen.header(GetParam().key_header).find(kKey), std::string::npos);
  EXPECT_NE(seen.body.find("__global__ void k();"), std::string::npos);
}

TEST_P(RemoteEmbedders, NeverReturnAnEmptyPoint) {
  for (std::string const& body :
       {std::string("{}"),
        GetParam().reply({}),
        std::string("[]"),
        std::string("nonsense"),
        std::string(R"({"data":[{"embedding":["x"]}],"embedding":{"values":["x"]}})"),
        std::string(R"({"data":[{"embedding":[null]}],"embedding":[null]})")}) {
    FakeServer server({Answer{200, "application/json", body, {}, 0}});
    auto const point = GetParam().embed(server.url(), "text", "");
    ASSERT_FALSE(point) << body;
    EXPECT_TRUE(cuco::is_retryable(point.error())) << cuco::to_line(point.error());
  }
}

TEST_P(RemoteEmbedders, FailAsBackendsDo) {
  for (auto const& [status, code] : std::vector<std::pair<int, ErrorCode>>{{401, ErrorCode::kRefused},
                                                                           {400, ErrorCode::kInvalidArgument},
                                                                           {429, ErrorCode::kProcess},
                                                                           {500, ErrorCode::kProcess}}) {
    FakeServer server({Answer{status,
                              "application/json",
                              R"({"message":"it is )" + std::string(kKey) + "\"}",
                              {{"Retry-After", "2"}},
                              0}});
    auto const point = GetParam().embed(server.url(), "text", "");
    ASSERT_FALSE(point);
    EXPECT_EQ(point.error().code, code);
    EXPECT_EQ(cuco::retry_after(point.error()), std::chrono::milliseconds(2000));
    EXPECT_EQ((cuco::to_line(point.error()) + point.error().detail).find(kKey), std::string::npos);
  }
  EXPECT_EQ(GetParam().embed("http://127.0.0.1:" + std::to_string(free_port()), "text", "").error().code,
            ErrorCode::kProcess);
  EXPECT_EQ(GetParam().embed("http://127.0.0.1:1", "", "").error().code, ErrorCode::kInvalidArgument);
  Variable const none(GetParam().variable, std::nullopt);
  EXPECT_EQ(GetParam().embed("http://127.0.0.1:1", "text", "").error().code, ErrorCode::kRefused);
}

INSTANTIATE_TEST_SUITE_P(Http, RemoteEmbedders, testing::ValuesIn(remotes()), [](auto const& info) {
  return info.param.name;
});

TEST(Embedders, KeepOneDimension) {
  CleanEnvironment const clean;
  Variable const key("OPENAI_API_KEY", kKey);
  auto const body = [](std::vector<double> const& v) {
    return Answer{
        200, "application/json", Json{{"data", Json::array({Json{{"embedding", v}}})}}.dump(), {}, 0};
  };
  FakeServer server({body({1, 2}), body({1, 2, 3}), body({3, 4})});
  auto options = quick();
  options.base_url = server.url();
  cuco::OpenAiEmbedder const embedder(options);
  auto const copy = embedder;
  EXPECT_TRUE(embedder.embed("a"));
  EXPECT_FALSE(copy.embed("b"));
  EXPECT_TRUE(copy.embed("c"));
}

TEST(Embedders, AskForADimension) {
  CleanEnvironment const clean;
  Variable const openai("OPENAI_API_KEY", kKey), gemini("GEMINI_API_KEY", kKey),
      bedrock("AWS_BEARER_TOKEN_BEDROCK", kKey);
  FakeServer server({Answer{200,
                            "application/json",
                            R"({"data":[{"embedding":[1]}],"embedding":{"values":[1]},"embeddings":[[1]]})",
                            {},
                            0}});
  auto options = quick();
  options.base_url = server.url();
  auto const last = [&] { return Json::parse(server.seen().back().body); };
  ASSERT_TRUE(cuco::OpenAiEmbedder(options, 256).embed("x"));
  EXPECT_EQ(last()["dimensions"], 256);
  EXPECT_EQ(last()["model"], "text-embedding-3-small");
  ASSERT_TRUE(cuco::GeminiEmbedder(options, 256).embed("x"));
  EXPECT_EQ(last()["outputDimensionality"], 256);
  (void)cuco::BedrockEmbedder(options, 256).embed("x");
  EXPECT_EQ(last()["dimensions"], 256);
  options.model = "cohere.embed-multilingual-v3";
  ASSERT_TRUE(cuco::BedrockEmbedder(options).embed("x"));
  EXPECT_EQ(last()["texts"][0], "x");
  options.model = "nomic-embed-text";
  ASSERT_TRUE(cuco::OpenAiEmbedder(options, 0, "ollama").embed("x"));
  EXPECT_EQ(last()["model"], "nomic-embed-text");
  EXPECT_EQ(cuco::OpenAiEmbedder(options, 0, "ollama").model(), "ollama:nomic-embed-text");
}

namespace {

/// A server that maps every text to a point of its own.
template <class Embedder>
class RemoteFixture {
 public:
  using Model = Embedder;
  Model make() {
    auto options = quick();
    options.base_url = server_.url();
    return Model(options);
  }

 private:
  static Answer answer(Seen const& seen) {
    Json const body = Json::parse(seen.body);
    std::string text = body.value("input", body.value("inputText", std::string()));
    if (body.contains("content")) text = body["content"]["parts"][0]["text"].get<std::string>();
    std::mt19937 random(static_cast<unsigned>(std::hash<std::string>()(text)));
    std::vector<double> point;
    for (int i = 0; i < 64; ++i) point.push_back(static_cast<double>(random() % 2000) / 1000 - 1);
    Json reply{{"data", Json::array({Json{{"embedding", point}}})}};
    if (body.contains("content")) {
      reply["embedding"]["values"] = point;
    } else {
      reply["embedding"] = point;
    }
    return {200, "application/json", reply.dump(), {}, 0};
  }
  CleanEnvironment clean_;
  Variable openai_{"OPENAI_API_KEY", kKey}, gemini_{"GEMINI_API_KEY", kKey},
      aws_{"AWS_BEARER_TOKEN_BEDROCK", kKey};
  FakeServer server_{answer};
};

using RemoteFixtures = testing::Types<RemoteFixture<cuco::OpenAiEmbedder>,
                                      RemoteFixture<cuco::GeminiEmbedder>,
                                      RemoteFixture<cuco::BedrockEmbedder>>;

}  // namespace

namespace cuco::testing {
INSTANTIATE_TYPED_TEST_SUITE_P(Remote, EmbedderContract, RemoteFixtures);
}  // namespace cuco::testing
