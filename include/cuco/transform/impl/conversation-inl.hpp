// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/analysis/impl/words.hpp"
#include "cuco/analysis/lexer.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/reply_text.hpp"
#include "cuco/evaluate/impl/diagnostics.hpp"
#include "cuco/transform/impl/conversation.hpp"
#include "cuco/transform/impl/text_lines.hpp"

namespace cuco::impl::transforming {

CUCO_EVOLVE_INLINE std::string fenced(std::string_view text) {
  std::size_t longest = 2;
  std::size_t run = 0;
  for (char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  std::string const fence(longest + 1, '`');
  bool const ends_line = !text.empty() && text.back() == '\n';
  return fence + "cuda\n" + std::string(text) + (ends_line ? "" : "\n") + fence;
}

CUCO_EVOLVE_INLINE Result<std::string> api_card(PromptLibrary const& library, Api api) {
  auto card = library.fill("api_card_common");
  for (auto [part, name] : {std::pair{Api::LSA, "api_card_lsa"}, std::pair{Api::GIN, "api_card_gin"}}) {
    if (!card || (api != part && api != Api::Auto)) continue;
    auto more = library.fill(name);
    if (!more) return more;
    *card += "\n\n" + *more;
  }
  return card;
}

CUCO_EVOLVE_INLINE Result<std::string> system_text(TransformPrompts const& prompts) {
  auto card = api_card(prompts.library, prompts.api);
  if (!card) return card;
  std::string hardware;
  if (!prompts.hardware.empty()) {
    auto facts = prompts.library.fill("hardware", {{"facts", prompts.hardware}});
    if (!facts) return facts;
    hardware = "\n" + *facts;
  }
  return prompts.library.fill("transform_system", {{"api_card", *card}, {"hardware", hardware}});
}

CUCO_EVOLVE_INLINE std::string reference_text(std::string const& reference) {
  if (reference.empty()) return {};
  return "\n# A program that does such a thing\n\nIt is an example of how, not part of your program.\n\n" +
         fenced(reference) + "\n";
}

/// @param place where the stage stands among others; empty when it is part of a single one.
CUCO_EVOLVE_INLINE Result<std::string> part_task(PromptLibrary const& library,
                                                 Api api,
                                                 TransformStage stage,
                                                 std::string const& place) {
  std::string const name = std::string("transform_task_") + to_string(stage);
  auto part = [&](Api which) { return library.fill(name + "_" + to_string(which)); };
  Result<std::string> mine;
  if (api == Api::Auto && stage == TransformStage::kDevice) {
    auto lsa = part(Api::LSA);
    if (!lsa) return lsa;
    auto gin = part(Api::GIN);
    if (!gin) return gin;
    mine = library.fill(name + "_auto", {{"lsa", *lsa}, {"gin", *gin}});
  } else {
    mine = part(api);
  }
  if (!mine) return mine;
  return library.fill(name, {{"place", place}, {"api_part", *mine}});
}

CUCO_EVOLVE_INLINE Result<std::string> stage_task(PromptLibrary const& library,
                                                  Api api,
                                                  TransformStage stage) {
  if (stage == TransformStage::kSingle) {
    auto infrastructure = part_task(library, api, TransformStage::kInfrastructure, {});
    if (!infrastructure) return infrastructure;
    auto device = part_task(library, api, TransformStage::kDevice, {});
    if (!device) return device;
    return library.fill("transform_task_single", {{"infrastructure", *infrastructure}, {"device", *device}});
  }
  bool const first = stage == TransformStage::kInfrastructure;
  auto place = library.fill(first ? "transform_task_infrastructure_first" : "transform_task_device_second");
  if (!place) return place;
  return part_task(library, api, stage, *place + (first ? "\n\n" : " "));
}

CUCO_EVOLVE_INLINE std::string outcome_text(TransformIteration const& i) {
  constexpr std::size_t kMostDiagnostics = 6000;
  std::string out = i.code.empty() ? "There is no program: "
                    : i.verified
                        ? "The program builds, runs and passes its verification. It is not done, though: "
                    : i.built && i.ran ? "The program builds and runs, but is wrong: "
                    : i.built          ? "The program builds, but fails when it runs: "
                                       : "The program was not accepted: ";
  out += i.message + "\n";
  // A verdict repeats its one line at the head of what it has to say.
  if (!i.diagnostics.empty() && i.diagnostics != i.message && i.diagnostics != i.message + "\n")
    out += "\n" + evaluating::excerpt(i.diagnostics, kMostDiagnostics) + "\n";
  if (!i.rerun.empty())
    out += "\nThe same program with a synchronisation after every kernel launch:\n" + i.rerun + "\n";
  if (!i.output.empty()) out += "\nOutput of that run:\n" + i.output + "\n";
  return out;
}

CUCO_EVOLVE_INLINE std::string history_text(RewriteRequest const& request) {
  std::string out;
  if (request.history != nullptr)
    for (TransformIteration const& i : *request.history)
      if (i.label != "input") out += "- " + history_line(i) + "\n";
  return out.empty() ? "none" : out.substr(0, out.size() - 1);
}

CUCO_EVOLVE_INLINE TransformIteration const* last_attempt(RewriteRequest const& request) {
  if (request.attempt < 2 || request.history == nullptr || request.history->empty()) return nullptr;
  return &request.history->back();
}

/// The latest program of the stage; null when none of its attempts gave one.
CUCO_EVOLVE_INLINE TransformIteration const* last_program(RewriteRequest const& request) {
  auto const& all = *request.history;
  std::size_t const most = std::min(all.size(), static_cast<std::size_t>(request.attempt - 1));
  for (std::size_t back = 1; back <= most; ++back)
    if (!all[all.size() - back].code.empty()) return &all[all.size() - back];
  return nullptr;
}

CUCO_EVOLVE_INLINE Result<ChatRequest> conversation(TransformPrompts const& prompts,
                                                    RewriteRequest const& request,
                                                    std::string const& diagnosis) {
  auto system = system_text(prompts);
  if (!system) return forward_error(std::move(system));
  auto task = stage_task(prompts.library, prompts.api, request.stage);
  if (!task) return forward_error(std::move(task));
  auto first = prompts.library.fill("transform_first",
                                    {{"program", fenced(request.source)},
                                     {"analysis", to_prompt(request.report)},
                                     {"reference", reference_text(prompts.reference)},
                                     {"task", *task}});
  if (!first) return forward_error(std::move(first));

  ChatRequest chat;
  chat.system = std::move(*system);
  chat.messages.push_back({ChatMessage::Role::kUser, std::move(*first)});
  TransformIteration const* last = last_attempt(request);
  if (last == nullptr) return chat;

  TransformIteration const* program = last_program(request);
  std::string latest = program != nullptr ? fenced(program->code) : "(There was no usable program.)";
  std::string outcome = outcome_text(*last);
  if (program != nullptr && program != last)
    outcome += "\nThe program above is that of " + program->label + ": " + history_line(*program) + "\n";
  auto retry = prompts.library.fill(
      "transform_retry",
      {{"outcome", outcome},
       {"diagnosis", diagnosis.empty() ? std::string() : "\n# A reviewer's diagnosis\n\n" + diagnosis + "\n"},
       {"history", history_text(request)},
       {"task", *task}});
  if (!retry) return forward_error(std::move(retry));
  chat.messages.push_back({ChatMessage::Role::kAssistant, std::move(latest)});
  chat.messages.push_back({ChatMessage::Role::kUser, std::move(*retry)});
  return chat;
}

/// Whether `code` defines main.
CUCO_EVOLVE_INLINE bool has_main(std::string_view code) {
  auto stream = lex(code);
  if (!stream) return true;  // The compiler will say what is wrong with it.
  auto const& t = stream->tokens;
  for (std::size_t i = 0; i + 1 < t.size(); ++i)
    if (t[i].active && t[i].is("main") && t[i + 1].is("(")) return true;
  return false;
}

CUCO_EVOLVE_INLINE Rewrite read_program(ChatReply const& reply, RewriteRequest const& request) {
  Rewrite out;
  out.cost_usd = reply.cost_usd;
  out.usage = reply.usage;
  switch (reply.finish) {
    case FinishReason::kLength:
      out.problem =
          "the reply was cut off, so nothing of it was used; answer with the program and hardly any other "
          "text";
      return out;
    case FinishReason::kFiltered: out.problem = "the provider withheld the reply"; return out;
    case FinishReason::kToolUse:
      out.problem = "the reply asks for a tool; there are none, answer with the program";
      return out;
    case FinishReason::kEnd: break;
  }
  auto code = extract_code(reply.text);
  if (!code) {
    out.problem = "no program was found in the reply: " + to_feedback(code.error());
    return out;
  }
  if (has_main(request.source) && !has_main(*code)) {
    out.problem = "the reply's code is not the whole program: it has no main";
    return out;
  }
  out.code = std::move(*code);
  if (!out.code.empty() && out.code.back() != '\n') out.code += '\n';
  ReplyTitle const title = read_title(reply.text);
  out.changes.push_back({1,
                         std::string("rewrite the program for the ") + to_string(request.stage) + " stage",
                         title.description});
  return out;
}

CUCO_EVOLVE_INLINE std::string turns_text(ChatRequest const& chat) {
  std::string out;
  for (ChatMessage const& m : chat.messages) {
    out += m.role == ChatMessage::Role::kAssistant ? "===== assistant\n" : "===== user\n";
    out += m.text;
    if (out.back() != '\n') out += '\n';
  }
  return out;
}

CUCO_EVOLVE_INLINE std::string prose(std::string_view text, std::size_t words) {
  std::string plain;
  bool code = false;
  for (auto line : text_lines(text)) {
    bool const fence = line.substr(0, 3) == "```" || line.substr(0, 3) == "~~~";
    if (fence) code = !code;
    if (!code && !fence) plain += std::string(line) + "\n";
  }
  std::size_t count = 0;
  bool inside = false;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    bool const blank = plain[i] == ' ' || plain[i] == '\n' || plain[i] == '\t' || plain[i] == '\r';
    if (!blank && !inside && count++ == words) {
      plain.resize(i);
      plain += "[...]";
      break;
    }
    inside = !blank;
  }
  std::size_t const begin = plain.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return plain.substr(begin, plain.find_last_not_of(" \t\r\n") + 1 - begin);
}

CUCO_EVOLVE_INLINE void add_cost(std::optional<double>& sum, std::optional<double> const& cost) {
  if (sum && cost) {
    *sum += *cost;
  } else {
    sum.reset();
  }
}

}  // namespace cuco::impl::transforming
