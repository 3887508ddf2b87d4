// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "cuco/process/scratch_folder.hpp"
#include "llm_wire/fake_server.hpp"
#include "llm_wire/formats.hpp"

namespace cuco_test {

/// Sets a variable of the environment, and puts it back at the end.
class Variable {
 public:
  Variable(std::string name, std::optional<std::string> const& value) : name_(std::move(name)) {
    if (char const* old = ::getenv(name_.c_str())) old_ = old;
    set(value);
  }
  Variable(Variable const&) = delete;
  Variable& operator=(Variable const&) = delete;
  ~Variable() { set(old_); }

 private:
  void set(std::optional<std::string> const& value) const {
    if (value) {
      ::setenv(name_.c_str(), value->c_str(), 1);
    } else {
      ::unsetenv(name_.c_str());
    }
  }
  std::string name_;
  std::optional<std::string> old_;
};

/// Loopback is reached without a proxy, and no key or address of the machine is in the way.
class CleanEnvironment {
 public:
  CleanEnvironment() {
    for (char const* name : {"ANTHROPIC_API_KEY",
                             "ANTHROPIC_AUTH_TOKEN",
                             "ANTHROPIC_BASE_URL",
                             "OPENAI_API_KEY",
                             "OPENAI_BASE_URL",
                             "AZURE_OPENAI_API_KEY",
                             "AZURE_OPENAI_ENDPOINT",
                             "AZURE_OPENAI_API_VERSION",
                             "GEMINI_API_KEY",
                             "GOOGLE_API_KEY",
                             "GEMINI_BASE_URL",
                             "AWS_BEARER_TOKEN_BEDROCK",
                             "BEDROCK_API_KEY",
                             "BEDROCK_BASE_URL",
                             "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
                             "AWS_ACCESS_KEY_ID",
                             "AWS_SECRET_ACCESS_KEY",
                             "AWS_SESSION_TOKEN",
                             "AWS_REGION",
                             "AWS_DEFAULT_REGION",
                             "DEEPSEEK_API_KEY",
                             "DEEPSEEK_BASE_URL",
                             "OPENROUTER_API_KEY",
                             "OPENROUTER_BASE_URL",
                             "OLLAMA_API_KEY",
                             "OLLAMA_BASE_URL",
                             "VLLM_API_KEY",
                             "VLLM_BASE_URL",
                             "COMPATIBLE_API_KEY",
                             "COMPATIBLE_BASE_URL",
                             "CUCO_KEY_FILE",
                             "CUCO_CA_FILE"})
      variables_.emplace_back(std::make_unique<Variable>(name, std::nullopt));
    for (char const* name : {"no_proxy", "NO_PROXY"})
      variables_.emplace_back(std::make_unique<Variable>(name, "127.0.0.1,localhost"));
  }

 private:
  std::vector<std::unique_ptr<Variable>> variables_;
};

inline cuco::ScratchFolder scratch() {
  return cuco::ScratchFolder::make(cuco::shared_temporary_folder()).value();
}

inline void write_file(std::string const& path, std::string const& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline cuco::ChatMessage user(std::string text) {
  cuco::ChatMessage message;
  message.text = std::move(text);
  return message;
}

inline cuco::ChatMessage tool_result(std::string id, std::string text) {
  cuco::ChatMessage message;
  message.role = cuco::ChatMessage::Role::kTool;
  message.tool_call_id = std::move(id);
  message.text = std::move(text);
  return message;
}

/// The turn that a reply becomes in the next request.
inline cuco::ChatMessage assistant(cuco::ChatReply const& reply) {
  cuco::ChatMessage message;
  message.role = cuco::ChatMessage::Role::kAssistant;
  message.text = reply.text;
  message.tool_calls = reply.tool_calls;
  message.provider_state = reply.provider_state;
  return message;
}

inline cuco::ChatRequest question(std::string text = "What is 6 times 7?") {
  cuco::ChatRequest request;
  request.system = "You are terse.";
  request.messages.push_back(user(std::move(text)));
  return request;
}

inline Say forty_two() {
  Say say;
  say.text = {"For", "ty-", "two \xE2\x82\xAC\xF0\x9F\x98\x80."};
  say.usage = {20, 7, 5, 0, 0};
  return say;
}

/// Short deadlines: a test that hangs fails soon.
inline cuco::BackendOptions quick() {
  cuco::BackendOptions options;
  options.connect_deadline = std::chrono::seconds(5);
  options.stall_deadline = std::chrono::seconds(5);
  options.deadline = std::chrono::seconds(20);
  return options;
}

/// Tests that run for every provider.
class EveryProvider : public testing::TestWithParam<Format> {
 protected:
  EveryProvider() : key_(GetParam().key_variable, kKey) {}

  [[nodiscard]] cuco::AnyBackend backend(std::string const& server_url,
                                         cuco::BackendOptions options = quick()) const {
    options.base_url = server_url + GetParam().base_path;
    auto made = cuco::make_backend(GetParam().provider + ":" + GetParam().model, options);
    EXPECT_TRUE(made) << cuco::to_line(made.error());
    return made.value();
  }
  /// The answer of a server that says `say`, streamed in pieces or whole.
  [[nodiscard]] static Answer streamed(Say const& say, std::size_t piece = 64) {
    return {200, GetParam().stream_type, GetParam().stream(say), {}, piece};
  }
  [[nodiscard]] static Answer whole(Say const& say) {
    return {200, "application/json", GetParam().whole(say), {}, 0};
  }
  [[nodiscard]] static Answer refusal(int status, std::string const& message) {
    return {status, "application/json", GetParam().error(status, message), {}, 0};
  }

 private:
  CleanEnvironment clean_;
  Variable key_;
};

inline std::string provider_name(testing::TestParamInfo<Format> const& info) {
  std::string name = info.param.provider;
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

inline void expect_same(cuco::ChatReply const& reply, Say const& say) {
  EXPECT_EQ(reply.text, say.whole_text());
  EXPECT_EQ(reply.thinking, say.thinking);
  EXPECT_EQ(reply.tool_calls.size(), say.calls.size());
  for (std::size_t i = 0; i < std::min(reply.tool_calls.size(), say.calls.size()); ++i) {
    EXPECT_EQ(reply.tool_calls[i].id, say.calls[i].id);
    EXPECT_EQ(reply.tool_calls[i].name, say.calls[i].name);
    EXPECT_EQ(Json::parse(reply.tool_calls[i].arguments), Json::parse(say.calls[i].arguments));
  }
  EXPECT_EQ(reply.finish, say.finish);
  EXPECT_EQ(reply.usage.input, say.usage.input);
  EXPECT_EQ(reply.usage.output, say.usage.output);
  EXPECT_EQ(reply.usage.cache_read, say.usage.cache_read);
}

}  // namespace cuco_test
