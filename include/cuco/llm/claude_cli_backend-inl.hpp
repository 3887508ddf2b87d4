// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/claude_cli_backend.hpp"
#include "cuco/llm/impl/json_reply.hpp"
#include "cuco/llm/impl/scrubbed.hpp"
#include "cuco/llm/impl/settings.hpp"
#include "cuco/llm/llm_error.hpp"
#include "cuco/llm/wire/json.hpp"
#include "cuco/llm/wire/sse_decoder.hpp"
#include "cuco/process/find_program.hpp"
#include "cuco/process/scratch_folder.hpp"
#include "cuco/process/subprocess.hpp"

extern char** environ;

namespace cuco {

namespace impl {

CUCO_EVOLVE_INLINE std::string cli_program(BackendOptions const& options) {
  return options.program.empty() ? "claude" : options.program;
}

/// The whole conversation as one text. A single question stays as it is.
CUCO_EVOLVE_INLINE std::string flattened(std::vector<ChatMessage> const& messages) {
  if (messages.size() == 1 && messages[0].role == ChatMessage::Role::kUser) return messages[0].text;
  std::string text = "What follows is a conversation between [user] and [assistant], which is you.\n";
  for (ChatMessage const& message : messages) {
    switch (message.role) {
      case ChatMessage::Role::kUser: text += "\n[user]\n"; break;
      case ChatMessage::Role::kAssistant: text += "\n[assistant]\n"; break;
      case ChatMessage::Role::kTool: text += "\n[result of tool call " + message.tool_call_id + "]\n"; break;
    }
    text += message.text + "\n";
    for (ToolCall const& call : message.tool_calls)
      text += "[tool call " + call.id + ": " + call.name + " " + call.arguments + "]\n";
  }
  return text + "\nWrite the next turn of [assistant], without its label.\n";
}

/// What of the environment the program needs, and the values that must not appear in errors.
CUCO_EVOLVE_INLINE std::vector<std::string> cli_environment(Settings const& settings,
                                                            std::vector<Secret>& secrets) {
  constexpr std::string_view kPrefixes[] = {"ANTHROPIC_", "CLAUDE_", "AWS_", "GOOGLE_", "CLOUD_ML_"};
  constexpr std::string_view kNames[] = {"HTTP_PROXY",
                                         "HTTPS_PROXY",
                                         "NO_PROXY",
                                         "http_proxy",
                                         "https_proxy",
                                         "no_proxy",
                                         "NODE_EXTRA_CA_CERTS",
                                         "SSL_CERT_FILE",
                                         "SSL_CERT_DIR",
                                         "XDG_CONFIG_HOME",
                                         "USER"};
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view const text = *entry;
    auto const name = text.substr(0, text.find('='));
    bool const passes = std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
                        std::any_of(std::begin(kPrefixes), std::end(kPrefixes), [&](auto prefix) {
                          return name.substr(0, prefix.size()) == prefix;
                        });
    if (passes) names.emplace_back(name);
  }
  // A key file may hold what the environment does not.
  for (char const* name : {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"})
    if (std::find(names.begin(), names.end(), name) == names.end() && !settings.get(name).empty())
      names.emplace_back(name);
  std::vector<std::string> entries;
  for (std::string const& name : names) {
    std::string const value = settings.get(name);
    auto const holds = [&](char const* word) { return name.find(word) != std::string::npos; };
    if (holds("KEY") || holds("TOKEN") || holds("SECRET")) secrets.emplace_back(value);
    entries.push_back(name + "=" + value);
  }
  return entries;
}

CUCO_EVOLVE_INLINE long cli_status(std::string const& words) {
  std::string lower = words;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  auto const says = [&](char const* text) { return lower.find(text) != std::string::npos; };
  if (auto const at = lower.find("api error: "); at != std::string::npos) {
    long const status = std::strtol(lower.c_str() + at + 11, nullptr, 10);
    if (status >= 300 && status < 600) return status;
  }
  if (says("api key") || says("/login") || says("authentication") || says("oauth")) return 401;
  if (says("credit balance")) return 402;
  if (says("prompt is too long")) return 413;
  if (says("limit reached") || says("usage limit") || says("rate limit") || says("hit your limit"))
    return 429;
  if (says("overloaded")) return 529;
  if (says("model") && (says("not exist") || says("not found") || says("issue with the selected")))
    return 404;
  return 0;  // not known
}

/// The reply was cut off at `max_tokens`, which the program tells as an error.
CUCO_EVOLVE_INLINE bool cli_cut_off(std::string const& words) {
  return words.find("output token maximum") != std::string::npos;
}

/// What the program tells of the price, whatever became of the call.
CUCO_EVOLVE_INLINE void read_cli_price(wire::Json const& json, ChatReply& reply) {
  wire::Json const& usage = wire::at(json, "usage");
  reply.usage.cache_read = wire::count_at(usage, "cache_read_input_tokens");
  reply.usage.cache_written = wire::count_at(usage, "cache_creation_input_tokens");
  reply.usage.input =
      wire::count_at(usage, "input_tokens") + reply.usage.cache_read + reply.usage.cache_written;
  reply.usage.output = wire::count_at(usage, "output_tokens");
  wire::Json const& cost = wire::at(json, "total_cost_usd");
  if (cost.is_number() && cost.get<double>() >= 0) reply.cost_usd = cost.get<double>();
}

/// The object of type "result": the output itself, or the last of a list when the user's settings are
/// verbose.
CUCO_EVOLVE_INLINE wire::Json cli_result(std::string const& out) {
  wire::Json json = wire::parse(out);
  if (json.is_array())
    for (auto item = json.rbegin(); item != json.rend(); ++item)
      if (wire::text_at(*item, "type") == "result") return *item;
  return json;
}

CUCO_EVOLVE_INLINE Result<ChatReply> cli_reply(wire::Json const& json) {
  ChatReply reply;
  reply.text = wire::text_at(json, "result");
  read_cli_price(json, reply);
  if (wire::at(json, "is_error") == wire::Json(true) && cli_cut_off(reply.text)) {
    reply.text.clear();  // the program's words, none of the model's
    reply.finish = FinishReason::kLength;
    return reply;
  }
  std::string const reason = wire::text_at(json, "stop_reason");
  if (reason == "end_turn" || reason == "stop_sequence") {
    reply.finish = FinishReason::kEnd;
  } else if (reason == "max_tokens" || reason == "model_context_window_exceeded") {
    reply.finish = FinishReason::kLength;
  } else if (reason == "refusal") {
    reply.finish = FinishReason::kFiltered;
  } else if (reason.empty()) {
    return wire::counted(wire::malformed("claude-cli", "it has no stop_reason; update the program"), reply);
  } else {
    return wire::counted(wire::unknown_finish("claude-cli", reason), reply);
  }
  return reply;
}

CUCO_EVOLVE_INLINE Command cli_command(BackendOptions const& options, ChatRequest const& request) {
  Command command;
  command.argv = {cli_program(options),
                  "-p",
                  "--output-format",
                  "json",
                  "--model",
                  options.model,
                  "--tools",
                  "",
                  "--strict-mcp-config",
                  "--no-session-persistence"};
  switch (request.effort) {
    case Effort::kDefault: break;
    case Effort::kNone:
    case Effort::kLow: command.argv.insert(command.argv.end(), {"--effort", "low"}); break;
    case Effort::kMedium: command.argv.insert(command.argv.end(), {"--effort", "medium"}); break;
    case Effort::kHigh: command.argv.insert(command.argv.end(), {"--effort", "high"}); break;
    case Effort::kMax: command.argv.insert(command.argv.end(), {"--effort", "max"}); break;
  }
  // One argument may have 128 KiB; a longer system text goes before the conversation.
  constexpr std::size_t kMostArgument = 100'000;
  std::string system = request.system;
  if (!request.json_schema.empty())
    system += (system.empty() ? "" : "\n\n") + wire::json_instruction(request.json_schema);
  bool const fits = system.size() < kMostArgument && system.find('\0') == std::string::npos;
  command.standard_input = (fits ? std::string() : system + "\n\n") + flattened(request.messages);
  // Replaces the program's own, which is about working on a code base.
  command.argv.emplace_back("--system-prompt");
  command.argv.push_back(fits && !system.empty() ? system : "Answer what you are asked.");
  command.deadline = options.deadline;
  command.output_cap = options.most_bytes;
  command.cancel = options.cancel;
  return command;
}

CUCO_EVOLVE_INLINE Result<ChatReply> cli_ask(BackendOptions const& options, ChatRequest const& request) {
  auto settings = Settings::read(options);
  if (!settings) return forward_error(std::move(settings));
  auto folder = ScratchFolder::make(shared_temporary_folder());
  if (!folder) return forward_error(std::move(folder));
  std::vector<Secret> secrets;
  Command command = cli_command(options, request);
  command.environment = cli_environment(*settings, secrets);
  command.environment.push_back("CLAUDE_CODE_MAX_OUTPUT_TOKENS=" + std::to_string(request.max_tokens));
  command.directory = folder->path();
  auto ran = run_process(command);
  if (!ran) {
    Error error = std::move(ran).error();
    if (error.code == ErrorCode::kToolMissing)
      error.remedy = "install Claude Code, or name the program with BackendOptions::program";
    return tl::unexpected<Error>(scrubbed(secrets, std::move(error)));
  }
  auto const failed = [&](ErrorCode code, std::string const& what) {
    Error error;
    error.code = code;
    error.cause = "claude-cli: " + what;
    error.detail = "http-status: 0\n" + as_words(ran->err);
    return tl::unexpected<Error>(scrubbed(secrets, std::move(error)));
  };
  if (ran->cancelled) return failed(ErrorCode::kCancelled, "the call was cancelled");
  if (ran->timed_out)
    return failed(ErrorCode::kTimeout, "no reply within " + std::to_string(options.deadline.count()) + " ms");
  if (ran->truncated)
    return failed(ErrorCode::kParse,
                  "the reply is longer than " + std::to_string(options.most_bytes) + " bytes");
  wire::Json const json = cli_result(ran->out);
  bool const is_result = json.is_object() && wire::text_at(json, "type") == "result";
  bool const good = is_result && wire::at(json, "is_error") == wire::Json(false) &&
                    wire::text_at(json, "subtype") == "success";
  bool const cut_off = is_result && cli_cut_off(wire::text_at(json, "result"));
  if (!cut_off && (!ran->ok() || !good)) {
    if (!is_result && ran->ok())
      return failed(ErrorCode::kProcess, "its output is not the JSON that was asked for");
    std::string words = is_result ? wire::text_at(json, "result") : ran->err;
    if (words.empty() && is_result) words = wire::text_at(json, "subtype");
    if (words.empty()) words = describe(*ran);
    scrub(secrets, words);
    Error error = provider_error("claude-cli", cli_status(words), std::nullopt, words);
    ChatReply told;
    read_cli_price(json, told);
    return wire::counted(tl::unexpected<Error>(scrubbed(secrets, std::move(error))), told);
  }
  auto reply = wire::guarded("claude-cli", [&] { return cli_reply(json); });
  if (!reply) return reply;
  reply->model = "claude-cli:" + options.model;
  scrub(secrets, *reply);
  if (request.on_text) request.on_text(reply->text);
  return reply;
}

}  // namespace impl

CUCO_EVOLVE_INLINE ClaudeCliBackend::ClaudeCliBackend(std::string model)
    : ClaudeCliBackend([&] {
        BackendOptions options;
        options.model = std::move(model);
        return options;
      }()) {}

CUCO_EVOLVE_INLINE ClaudeCliBackend::ClaudeCliBackend(BackendOptions const& options)
    : options_(std::make_shared<BackendOptions const>(options)) {}

CUCO_EVOLVE_INLINE Status ClaudeCliBackend::ready() const {
  if (options_->model.empty() || options_->model.front() == '-')
    return fail(ErrorCode::kInvalidArgument, "the claude-cli backend has no model's name");
  auto found = find_program(impl::cli_program(*options_));
  if (!found)
    return fail(found.error().code,
                found.error().cause,
                "install Claude Code, or name the program with BackendOptions::program");
  return {};
}

CUCO_EVOLVE_INLINE Result<ChatReply> ClaudeCliBackend::complete(ChatRequest const& request) const {
  if (auto checked = impl::check_request(request); !checked) return forward_error(std::move(checked));
  if (auto usable = ready(); !usable) return forward_error(std::move(usable));
  if (!request.tools.empty())
    return fail(
        ErrorCode::kInvalidArgument, "claude-cli cannot call the caller's tools", "use anthropic:...");
  return impl::with_json_checked(
      "claude-cli", request, [&](ChatRequest const& asked) { return impl::cli_ask(*options_, asked); });
}

}  // namespace cuco
