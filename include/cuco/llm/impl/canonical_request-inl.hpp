// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/canonical_request.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE char const* role_name(ChatMessage::Role role) {
  switch (role) {
    case ChatMessage::Role::kUser: return "user";
    case ChatMessage::Role::kAssistant: return "assistant";
    case ChatMessage::Role::kTool: return "tool";
  }
  return "user";
}

/// The parts of a request in a fixed order, each with the name people know it by.
struct RequestField {
  std::string name;
  std::string value;
};

CUCO_EVOLVE_INLINE void add_message(std::vector<RequestField>& fields,
                                    std::size_t index,
                                    ChatMessage const& m) {
  std::string const at = fmt::format("messages[{}]", index);
  fields.push_back({at + ".role", role_name(m.role)});
  fields.push_back({at, m.text});
  fields.push_back({at + ".tool_calls", std::to_string(m.tool_calls.size())});
  for (ToolCall const& call : m.tool_calls) {
    fields.push_back({at + ".tool_calls.id", call.id});
    fields.push_back({at + ".tool_calls.name", call.name});
    fields.push_back({at + ".tool_calls.arguments", call.arguments});
  }
  fields.push_back({at + ".tool_call_id", m.tool_call_id});
  fields.push_back({at + ".provider_state", m.provider_state});
}

CUCO_EVOLVE_INLINE std::vector<RequestField> request_fields(std::string const& model,
                                                            ChatRequest const& request) {
  std::vector<RequestField> fields;
  fields.push_back({"model", model});
  fields.push_back({"system", request.system});
  for (std::size_t i = 0; i < request.messages.size(); ++i) add_message(fields, i, request.messages[i]);
  fields.push_back({"messages", std::to_string(request.messages.size())});
  fields.push_back(
      {"temperature", request.temperature ? fmt::format("{}", *request.temperature) : "default"});
  fields.push_back({"max_tokens", std::to_string(request.max_tokens)});
  fields.push_back({"effort", to_string(request.effort)});
  fields.push_back({"thinking_tokens", std::to_string(request.thinking_tokens)});
  for (ToolSpec const& tool : request.tools) {
    fields.push_back({"tools.name", tool.name});
    fields.push_back({"tools.description", tool.description});
    fields.push_back({"tools.parameters", tool.parameters});
  }
  fields.push_back({"tools", std::to_string(request.tools.size())});
  fields.push_back({"json_schema", request.json_schema});
  return fields;
}

CUCO_EVOLVE_INLINE void append_field(std::string& out, std::string_view value) {
  out += std::to_string(value.size());
  out += ':';
  out += value;
}

CUCO_EVOLVE_INLINE std::string canonical_request(std::string const& model, ChatRequest const& request) {
  std::string out = "cuco request 1\n";
  for (RequestField const& field : request_fields(model, request)) append_field(out, field.value);
  return out;
}

CUCO_EVOLVE_INLINE std::string request_key(std::string const& model, ChatRequest const& request) {
  return content_hash_128(canonical_request(model, request));
}

CUCO_EVOLVE_INLINE bool continues_conversation(ChatRequest const& request) {
  return std::any_of(request.messages.begin(), request.messages.end(), [](ChatMessage const& m) {
    return m.role == ChatMessage::Role::kAssistant;
  });
}

CUCO_EVOLVE_INLINE std::string conversation_key(ChatRequest const& request) {
  std::string out = "cuco conversation 1\n";
  append_field(out, request.system);
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    if (request.messages[i].role == ChatMessage::Role::kAssistant) break;
    std::vector<RequestField> fields;
    add_message(fields, i, request.messages[i]);
    for (RequestField const& field : fields) append_field(out, field.value);
  }
  return content_hash_128(out);
}

/// A few characters of `text` around `at`, fit for a message.
CUCO_EVOLVE_INLINE std::string shown_part(std::string_view text, std::size_t at) {
  std::string out;
  for (char const c : text.substr(std::min(at, text.size()), 24))
    out += c >= ' ' && c < '\x7f' && c != '"' ? c : c == '"' ? '\'' : '.';
  return '"' + out + '"';
}

CUCO_EVOLVE_INLINE RequestDifference compare_requests(std::string const& recorded_model,
                                                      ChatRequest const& recorded,
                                                      std::string const& asked_model,
                                                      ChatRequest const& asked) {
  auto const a = request_fields(recorded_model, recorded);
  auto const b = request_fields(asked_model, asked);
  RequestDifference out;
  std::size_t const common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    std::string_view const x = a[i].value;
    std::string_view const y = b[i].value;
    bool const same = a[i].name == b[i].name && x == y;
    if (same) {
      out.alike += x.size() + 8;
      continue;
    }
    auto const differs = std::mismatch(x.begin(), x.end(), y.begin(), y.end()).first - x.begin();
    if (a[i].name == b[i].name) out.alike += static_cast<std::size_t>(differs);
    if (!out.text.empty()) continue;
    if (a[i].name != b[i].name) {
      out.text = fmt::format(
          "{} messages were recorded, {} are asked", recorded.messages.size(), asked.messages.size());
      if (recorded.messages.size() == asked.messages.size())
        out.text = fmt::format("{} was recorded where {} is asked", a[i].name, b[i].name);
    } else if (x.size() < 24 && y.size() < 24) {
      out.text = fmt::format("{} differs: recorded {}, asked {}", a[i].name, shown_part(x, 0), shown_part(y, 0));
    } else {
      auto const at = static_cast<std::size_t>(differs);
      out.text = fmt::format("{} differs at character {}: recorded {}, asked {}",
                             a[i].name,
                             at + 1,
                             shown_part(x, at),
                             shown_part(y, at));
    }
  }
  if (out.text.empty() && a.size() != b.size()) out.text = "one of them has more parts";
  return out;
}

}  // namespace cuco::impl
