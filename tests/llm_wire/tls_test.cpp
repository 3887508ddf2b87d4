// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// HTTPS with a certificate authority of our own.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuco/llm/impl/http_client.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/process/subprocess.hpp"
#include "llm_wire/wire_fixture.hpp"

using namespace cuco_test;
using cuco::ErrorCode;

namespace {

/// Runs `openssl`; a machine without it fails these tests, it does not skip them.
void openssl(std::vector<std::string> arguments) {
  cuco::Command command;
  command.argv = std::move(arguments);
  command.argv.insert(command.argv.begin(), "openssl");
  command.deadline = std::chrono::seconds(30);
  auto const ran = cuco::run_process(command);
  if (!ran) throw std::runtime_error(cuco::to_line(ran.error()));
  if (!ran->ok()) throw std::runtime_error("openssl: " + ran->err);
}

/// An authority, and a certificate that it signed for "localhost".
class Authority {
 public:
  Authority() : folder_(scratch()) {
    std::string const at = folder_.path() + "/";
    std::vector<std::string> const curve = {
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"};
    auto const with_key = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.end(), curve.begin(), curve.end());
      openssl(arguments);
    };
    with_key({"req",
              "-x509",
              "-keyout",
              at + "ca.key",
              "-out",
              at + "ca.pem",
              "-subj",
              "/CN=cuco test authority",
              "-days",
              "2"});
    with_key({"req",
              "-x509",
              "-keyout",
              at + "other.key",
              "-out",
              at + "other.pem",
              "-subj",
              "/CN=another authority",
              "-days",
              "2"});
    with_key({"req", "-keyout", at + "server.key", "-out", at + "server.csr", "-subj", "/CN=localhost"});
    write_file(at + "names", "subjectAltName=DNS:localhost\n");
    openssl({"x509",
             "-req",
             "-in",
             at + "server.csr",
             "-CA",
             at + "ca.pem",
             "-CAkey",
             at + "ca.key",
             "-CAcreateserial",
             "-out",
             at + "server.pem",
             "-days",
             "2",
             "-extfile",
             at + "names"});
  }
  [[nodiscard]] std::string file(std::string const& name) const { return folder_.path() + "/" + name; }
  [[nodiscard]] Certificate server() const { return {file("server.pem"), file("server.key")}; }

 private:
  cuco::ScratchFolder folder_;
};

Authority const& authority() {
  static Authority const made;
  return made;
}

}  // namespace

using Tls = EveryProvider;

TEST_P(Tls, TrustsTheAuthorityThatIsNamed) {
  FakeServer server({streamed(forty_two())}, authority().server());
  auto options = quick();
  options.ca_file = authority().file("ca.pem");
  auto const reply = backend(server.url("localhost"), options).complete(question());
  ASSERT_TRUE(reply) << cuco::to_line(reply.error());
  expect_same(*reply, forty_two());
  EXPECT_EQ(server.seen().at(0).header(GetParam().key_header), GetParam().key_prefix + kKey);
}

TEST_P(Tls, TrustsNobodyElse) {
  FakeServer server({streamed(forty_two())}, authority().server());
  auto options = quick();
  for (std::string const& file : {std::string(), authority().file("other.pem")}) {
    options.ca_file = file;
    auto const reply = backend(server.url("localhost"), options).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kRefused) << cuco::to_line(reply.error());
    EXPECT_FALSE(cuco::is_retryable(reply.error()));
  }
  EXPECT_TRUE(server.seen().empty()) << "the key was sent to a server that is not trusted";
}

TEST_P(Tls, TrustsTheRightNameOnly) {
  FakeServer server({streamed(forty_two())}, authority().server());
  auto options = quick();
  options.ca_file = authority().file("ca.pem");
  auto const reply = backend(server.url("127.0.0.1"), options).complete(question());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kRefused) << cuco::to_line(reply.error());
  EXPECT_TRUE(server.seen().empty());
}

INSTANTIATE_TEST_SUITE_P(Http, Tls, testing::ValuesIn(formats()), provider_name);

TEST(TlsOptions, TheEnvironmentMayNameTheAuthority) {
  CleanEnvironment const clean;
  Variable const named("CUCO_CA_FILE", authority().file("ca.pem"));
  FakeServer server({Answer{200, "application/json", "{}", {}, 0}}, authority().server());
  cuco::impl::HttpRequest request;
  request.method = "GET";
  request.url = server.url("localhost") + "/x";
  EXPECT_TRUE(cuco::impl::http_exchange(request));
  // The option goes before it.
  request.ca_file = authority().file("other.pem");
  EXPECT_FALSE(cuco::impl::http_exchange(request));
}

TEST(TlsOptions, AnAuthorityFileThatIsNoneIsTheCallersError) {
  CleanEnvironment const clean;
  FakeServer server({Answer{}}, authority().server());
  cuco::impl::HttpRequest request;
  request.url = server.url("localhost");
  request.ca_file = authority().file("does-not-exist.pem");
  auto const reply = cuco::impl::http_exchange(request);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument) << cuco::to_line(reply.error());
}

TEST(TlsOptions, PlainTextOnAnHttpsPortFails) {
  CleanEnvironment const clean;
  RawServer server({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", RawServer::End::kClose});
  cuco::impl::HttpRequest request;
  request.url = "https" + server.url().substr(4);
  auto const reply = cuco::impl::http_exchange(request);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kProcess);
}
