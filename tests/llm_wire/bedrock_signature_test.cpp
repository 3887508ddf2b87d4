// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// Signed requests, verified in the way that AWS documents for its servers, with OpenSSL.
#include <gtest/gtest.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <sstream>
#include <string>
#include <vector>

#include "cuco/embed/bedrock_embedder.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;

namespace {

std::string hex(std::string const& bytes) {
  static char const digits[] = "0123456789abcdef";
  std::string out;
  for (unsigned char const c : bytes) {
    out += digits[c >> 4];
    out += digits[c & 15];
  }
  return out;
}

std::string sha256(std::string const& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<unsigned char const*>(text.data()), text.size(), digest);
  return std::string(reinterpret_cast<char const*>(digest), sizeof digest);
}

std::string hmac(std::string const& key, std::string const& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(),
       key.data(),
       static_cast<int>(key.size()),
       reinterpret_cast<unsigned char const*>(text.data()),
       text.size(),
       digest,
       &size);
  return std::string(reinterpret_cast<char const*>(digest), size);
}

std::string between(std::string const& text, std::string const& from, std::string const& to) {
  auto const begin = text.find(from);
  if (begin == std::string::npos) return {};
  auto const start = begin + from.size();
  auto const end = text.find(to, start);
  return text.substr(start, end == std::string::npos ? end : end - start);
}

/// The path as it was sent, each segment encoded once more: what AWS signs for every service but S3.
std::string canonical_path(std::string const& sent) {
  std::string out;
  for (unsigned char const c : sent) {
    if (std::isalnum(c) != 0 ||
        std::string_view("-._~/").find(static_cast<char>(c)) != std::string_view::npos) {
      out += static_cast<char>(c);
    } else {
      char text[4];
      std::snprintf(text, sizeof text, "%%%02X", c);
      out += text;
    }
  }
  return out;
}

/// Empty when the signature is right; else what is wrong.
std::string verify(Seen const& seen, std::string const& secret) {
  std::string const authorization = seen.header("authorization");
  if (authorization.rfind("AWS4-HMAC-SHA256 ", 0) != 0) return "no signature: " + authorization;
  std::string const scope = between(authorization, "Credential=", ",");
  std::string const names = between(authorization, "SignedHeaders=", ",");
  std::string const signature = between(authorization, "Signature=", "\n");
  auto const first = scope.find('/');
  std::vector<std::string> parts;
  std::istringstream pieces(scope.substr(first + 1));
  for (std::string part; std::getline(pieces, part, '/');) parts.push_back(part);
  if (parts.size() != 4) return "malformed scope " + scope;

  std::string headers;
  std::istringstream list(names);
  bool has_host = false;
  for (std::string name; std::getline(list, name, ';');) {
    if (seen.headers.count(name) == 0) return "signed header '" + name + "' was not sent";
    headers += name + ":" + seen.header(name) + "\n";
    has_host = has_host || name == "host";
  }
  if (!has_host) return "the host is not signed";
  for (auto const& [name, value] : seen.headers)
    if (name.rfind("x-amz-", 0) == 0 && (";" + names + ";").find(";" + name + ";") == std::string::npos)
      return "header '" + name + "' is not signed";

  auto const query = seen.target.find('?');
  std::string const request = seen.method + "\n" + canonical_path(seen.target.substr(0, query)) + "\n" +
                              (query == std::string::npos ? "" : seen.target.substr(query + 1)) + "\n" +
                              headers + "\n" + names + "\n" + hex(sha256(seen.body));
  std::string const to_sign = "AWS4-HMAC-SHA256\n" + seen.header("x-amz-date") + "\n" +
                              scope.substr(first + 1) + "\n" + hex(sha256(request));
  std::string key = hmac("AWS4" + secret, parts[0]);
  for (std::size_t i = 1; i < 4; ++i) key = hmac(key, parts[i]);
  std::string const wanted = hex(hmac(key, to_sign));
  return wanted == signature ? "" : "wrong signature; canonical request:\n" + request;
}

class Signed : public testing::Test {
 protected:
  CleanEnvironment clean_;
  Variable id_{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE0000"};
  Variable secret_{"AWS_SECRET_ACCESS_KEY", kKey};
  Variable region_{"AWS_REGION", "eu-west-3"};
};

cuco::AnyBackend bedrock_at(std::string const& url, std::string const& model, bool stream = true) {
  auto options = quick();
  options.base_url = url;
  options.stream = stream;
  return cuco::make_backend("bedrock:" + model, options).value();
}

Answer good() {
  return {200, "application/vnd.amazon.eventstream", bedrock_stream(forty_two()), {}, 100};
}

}  // namespace

TEST_F(Signed, VerifierKnowsAKnownSignature) {
  // The example "get-vanilla" of AWS's published test suite for Signature Version 4.
  Seen seen;
  seen.method = "GET";
  seen.target = "/";
  seen.headers = {{"host", "example.amazonaws.com"},
                  {"x-amz-date", "20150830T123600Z"},
                  {"authorization",
                   "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                   "SignedHeaders=host;x-amz-date, "
                   "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"}};
  EXPECT_EQ(verify(seen, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "");
  seen.target = "/x";
  EXPECT_NE(verify(seen, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "");
}

// Names with colons and slashes are where signatures go wrong.
TEST_F(Signed, EveryKindOfModelName) {
  for (char const* model : {"amazon.nova-pro",
                            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                            "arn:aws:bedrock:eu-west-3:123456789012:application-inference-profile/abc123",
                            "odd name%2F+\xC3\xA9"}) {
    FakeServer server({good()});
    auto const reply = bedrock_at(server.url(), model).complete(question("caf\xC3\xA9?"));
    ASSERT_TRUE(reply) << model << ": " << cuco::to_line(reply.error());
    auto const seen = server.seen().at(0);
    EXPECT_EQ(verify(seen, kKey), "") << model;
    EXPECT_NE(seen.header("authorization").find("/eu-west-3/bedrock/aws4_request"), std::string::npos);
    EXPECT_EQ(seen.header("x-amz-security-token"), "");
  }
}

TEST_F(Signed, SessionTokensAreSentAndSigned) {
  Variable const token("AWS_SESSION_TOKEN", "session//token+with=signs");
  FakeServer server({good()});
  ASSERT_TRUE(bedrock_at(server.url(), "amazon.nova-pro-v1:0").complete(question()));
  EXPECT_EQ(server.seen()[0].header("x-amz-security-token"), "session//token+with=signs");
  EXPECT_EQ(verify(server.seen()[0], kKey), "");
}

TEST_F(Signed, LongAndWholeRequestsToo) {
  FakeServer server({Answer{200, "application/json", bedrock_whole(forty_two()), {}, 0}});
  auto const reply =
      bedrock_at(server.url(), "amazon.nova-pro-v1:0", false).complete(question(std::string(2 << 20, 'x')));
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  EXPECT_EQ(verify(server.seen()[0], kKey), "");
}

TEST_F(Signed, EmbeddersToo) {
  FakeServer server({Answer{200, "application/json", R"({"embedding":[0.5,-1,2]})", {}, 0}});
  auto options = quick();
  options.base_url = server.url();
  cuco::BedrockEmbedder const embedder(options);
  auto const point = embedder.embed("text");
  ASSERT_TRUE(point) << cuco::to_line(point.error());
  EXPECT_EQ(verify(server.seen()[0], kKey), "");
}

TEST_F(Signed, TheSecretIsNeverSent) {
  Variable const token("AWS_SESSION_TOKEN", "session-token-value-123");
  FakeServer server([](Seen const& seen) {
    std::string all = seen.body + seen.target;
    for (auto const& [name, value] : seen.headers) all += name + value;
    EXPECT_EQ(all.find(kKey), std::string::npos);
    return Answer{
        403, "application/json", bedrock_error(403, "The request signature does not match. " + all), {}, 0};
  });
  auto const reply = bedrock_at(server.url(), "amazon.nova-pro-v1:0").complete(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, cuco::ErrorCode::kRefused);
  std::string const all = cuco::to_line(reply.error()) + reply.error().detail;
  for (char const* word : {"session-token-value-123", "AKIDEXAMPLE0000", kKey})
    EXPECT_EQ(all.find(word), std::string::npos) << all;
}

TEST_F(Signed, ABearerTokenGoesFirst) {
  Variable const token("AWS_BEARER_TOKEN_BEDROCK", "bearer-token-value");
  FakeServer server({good()});
  ASSERT_TRUE(bedrock_at(server.url(), "amazon.nova-pro-v1:0").complete(question()));
  EXPECT_EQ(server.seen()[0].header("authorization"), "Bearer bearer-token-value");
  EXPECT_EQ(server.seen()[0].header("x-amz-date"), "");
}
