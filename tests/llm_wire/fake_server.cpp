// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include "llm_wire/fake_server.hpp"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace cuco_test {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

int listen_on_loopback(int& port) {
  int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd, 16) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no port on loopback");
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

struct FakeServer::State {
  std::unique_ptr<httplib::Server> server{};
  std::function<Answer(Seen const&)> answer{};
  bool tls = false;
  int port = 0;
  std::thread thread{};
  mutable std::mutex mutex{};
  std::vector<Seen> seen{};

  void handle(httplib::Request const& request, httplib::Response& response) {
    Seen what;
    what.method = request.method;
    what.target = request.target;
    for (auto const& [name, value] : request.headers) what.headers.emplace(lower(name), value);
    what.body = request.body;
    Answer given;
    {
      std::lock_guard const lock(mutex);
      given = answer(what);
      seen.push_back(std::move(what));
    }
    response.status = given.status;
    for (auto const& [name, value] : given.headers) response.set_header(name, value);
    if (given.piece == 0) {
      response.set_content(given.body, given.type);
      return;
    }
    response.set_chunked_content_provider(given.type, [given](std::size_t offset, httplib::DataSink& sink) {
      if (offset >= given.body.size()) {
        sink.done();
        return true;
      }
      std::size_t const size = std::min(given.piece, given.body.size() - offset);
      return sink.write(given.body.data() + offset, size);
    });
  }
};

FakeServer::FakeServer(std::function<Answer(Seen const&)> answer, Certificate const& certificate)
    : state_(std::make_unique<State>()) {
  state_->answer = std::move(answer);
  state_->tls = !certificate.certificate_file.empty();
  if (state_->tls) {
    state_->server = std::make_unique<httplib::SSLServer>(certificate.certificate_file.c_str(),
                                                          certificate.key_file.c_str());
  } else {
    state_->server = std::make_unique<httplib::Server>();
  }
  if (!state_->server->is_valid()) throw std::runtime_error("the test server's certificate cannot be used");
  state_->server->set_payload_max_length(std::size_t{256} << 20U);
  state_->server->set_tcp_nodelay(true);
  auto const handler = [this](httplib::Request const& request, httplib::Response& response) {
    state_->handle(request, response);
  };
  state_->server->Post(".*", handler);
  state_->server->Get(".*", handler);
  state_->port = state_->server->bind_to_any_port("127.0.0.1");
  if (state_->port <= 0) throw std::runtime_error("no port on loopback");
  state_->thread = std::thread([this] { state_->server->listen_after_bind(); });
  while (!state_->server->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

FakeServer::FakeServer(std::vector<Answer> answers, Certificate const& certificate)
    : FakeServer(
          [answers = std::move(answers), next = std::size_t{0}](Seen const&) mutable {
            Answer const& answer = answers[std::min(next, answers.size() - 1)];
            ++next;
            return answer;
          },
          certificate) {}

FakeServer::~FakeServer() {
  state_->server->stop();
  state_->thread.join();
}

int FakeServer::port() const {
  return state_->port;
}

std::string FakeServer::url(std::string const& host) const {
  return (state_->tls ? "https://" : "http://") + host + ":" + std::to_string(state_->port);
}

std::vector<Seen> FakeServer::seen() const {
  std::lock_guard const lock(state_->mutex);
  return state_->seen;
}

struct RawServer::State {
  Script script{};
  int listener = -1;
  int port = 0;
  std::atomic<bool> stop{false};
  std::atomic<int> connections{0};
  std::thread thread{};
  std::mutex mutex{};
  std::vector<int> held{};

  void serve(int fd) {
    ++connections;
    std::string request;
    char buffer[65536];
    // The head, and as much of a body as it announces.
    for (;;) {
      auto const end = request.find("\r\n\r\n");
      if (end != std::string::npos) {
        auto const at = lower(request.substr(0, end)).find("content-length: ");
        std::size_t const size =
            at == std::string::npos ? 0 : std::strtoul(request.c_str() + at + 16, nullptr, 10);
        if (request.size() >= end + 4 + size) break;
      }
      ssize_t const got = ::recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      request.append(buffer, static_cast<std::size_t>(got));
      // The greeting of TLS has no end that this server knows.
      if (request[0] == '\x16') break;
    }
    for (std::size_t sent = 0; sent < script.bytes.size();) {
      ssize_t const put = ::send(fd, script.bytes.data() + sent, script.bytes.size() - sent, MSG_NOSIGNAL);
      if (put <= 0) break;
      sent += static_cast<std::size_t>(put);
    }
    if (script.end == End::kHold) {
      std::lock_guard const lock(mutex);
      held.push_back(fd);
      return;
    }
    if (script.end == End::kReset) {
      // What was sent must arrive first: a reset drops what is under way.
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      linger const now{1, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    ::close(fd);
  }
};

RawServer::RawServer(Script script) : state_(std::make_unique<State>()) {
  state_->script = std::move(script);
  state_->listener = listen_on_loopback(state_->port);
  state_->thread = std::thread([this] {
    for (;;) {
      int const fd = ::accept4(state_->listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (state_->stop) {
        if (fd >= 0) ::close(fd);
        return;
      }
      if (fd >= 0) state_->serve(fd);
    }
  });
}

RawServer::~RawServer() {
  state_->stop = true;
  ::shutdown(state_->listener, SHUT_RDWR);
  state_->thread.join();
  ::close(state_->listener);
  for (int const fd : state_->held) ::close(fd);
}

std::string RawServer::url() const {
  return "http://127.0.0.1:" + std::to_string(state_->port);
}

int RawServer::connections() const {
  return state_->connections;
}

int free_port() {
  int port = 0;
  ::close(listen_on_loopback(port));
  return port;
}

}  // namespace cuco_test
