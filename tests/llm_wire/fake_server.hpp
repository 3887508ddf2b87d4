// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cuco_test {

/// What a client sent.
struct Seen {
  std::string method{};
  std::string target{};                               ///< As on the wire: path and query, not decoded.
  std::multimap<std::string, std::string> headers{};  ///< Names in lower case.
  std::string body{};
  [[nodiscard]] std::string header(std::string const& name) const {
    auto const found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

/// What a server answers.
struct Answer {
  int status = 200;
  std::string type = "application/json";
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::size_t piece = 0;  ///< Not 0: chunked, pieces of so many bytes.
};

struct Certificate {
  std::string certificate_file{};
  std::string key_file{};
};

/// A real HTTP or HTTPS server on loopback. Answers from a list; the last answer repeats.
class FakeServer {
 public:
  explicit FakeServer(std::vector<Answer> answers, Certificate const& certificate = {});
  explicit FakeServer(std::function<Answer(Seen const&)> answer, Certificate const& certificate = {});
  FakeServer(FakeServer const&) = delete;
  FakeServer& operator=(FakeServer const&) = delete;
  ~FakeServer();
  [[nodiscard]] int port() const;
  /// "http://127.0.0.1:PORT", or with https and another name of this machine.
  [[nodiscard]] std::string url(std::string const& host = "127.0.0.1") const;
  [[nodiscard]] std::vector<Seen> seen() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A TCP server on loopback for what no HTTP server does: it reads one request per connection and hands the
/// connection to `reply`, which writes what it likes and says how the connection ends.
class RawServer {
 public:
  enum class End { kClose, kReset, kHold };
  struct Script {
    std::string bytes{};
    End end = End::kClose;
  };
  explicit RawServer(Script script);
  RawServer(RawServer const&) = delete;
  RawServer& operator=(RawServer const&) = delete;
  ~RawServer();
  [[nodiscard]] std::string url() const;
  [[nodiscard]] int connections() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A port of loopback on which nobody listens.
[[nodiscard]] int free_port();

}  // namespace cuco_test
