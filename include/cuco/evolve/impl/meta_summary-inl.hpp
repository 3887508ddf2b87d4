// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/evolve/impl/meta_summary.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/mutate/impl/mutation_prompt.hpp"
#include "cuco/mutate/impl/prompt_text.hpp"
#include "cuco/mutate/impl/propose_edit.hpp"
#include "cuco/population/seeds.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::string to_json(MetaMemory const& memory) {
  auto price = [](std::optional<double> usd) {
    return usd ? nlohmann::ordered_json(*usd) : nlohmann::ordered_json();
  };
  nlohmann::ordered_json json;
  json["unprocessed_programs"] = nlohmann::ordered_json::array();
  for (auto const& pending : memory.pending)
    json["unprocessed_programs"].push_back({{"id", pending.program.id.value}, {"summary", pending.summary}});
  json["meta_summary"] = memory.summaries;
  json["meta_scratch_pad"] = memory.record;
  json["meta_recommendations"] = memory.recommendations;
  json["meta_recommendations_history"] = memory.history;
  json["total_programs_meta_processed"] = memory.processed;
  json["processed_ids"] = memory.processed_ids;
  json["cost_not_told_usd"] = price(memory.owed);
  json["last_advice"] = {{"generation", memory.advised}, {"cost_usd", price(memory.told)}};
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

CUCO_EVOLVE_INLINE Result<MetaMemory> meta_memory_from_json(std::string const& text,
                                                            std::string const& file) {
  try {
    auto const json = nlohmann::json::parse(text);
    auto price = [](nlohmann::json const& value) {
      return value.is_null() ? std::optional<double>() : std::optional<double>(value.get<double>());
    };
    MetaMemory memory;
    for (auto const& entry : json.at("unprocessed_programs")) {
      PendingProgram pending;
      pending.program.id.value = entry.at("id").get<std::string>();
      pending.summary = entry.value("summary", "");
      memory.pending.push_back(std::move(pending));
    }
    memory.summaries = json.value("meta_summary", "");
    memory.record = json.value("meta_scratch_pad", "");
    memory.recommendations = json.value("meta_recommendations", "");
    memory.history = json.value("meta_recommendations_history", std::vector<std::string>());
    memory.processed = json.at("total_programs_meta_processed").get<std::int64_t>();
    memory.processed_ids = json.at("processed_ids").get<std::vector<std::string>>();
    auto& ids = memory.processed_ids;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (json.contains("cost_not_told_usd")) memory.owed = price(json["cost_not_told_usd"]);
    if (json.contains("last_advice")) {
      memory.advised = json["last_advice"].at("generation").get<int>();
      memory.told = price(json["last_advice"].at("cost_usd"));
    }
    return memory;
  } catch (std::exception const& error) {
    return fail_at(ErrorCode::kParse,
                   file,
                   0,
                   std::string("the memory of the summaries cannot be read: ") + error.what(),
                   "remove the file to start the summaries anew");
  }
}

CUCO_EVOLVE_INLINE std::string MetaSummary::file() const {
  return options_.directory.empty() ? "" : options_.directory + "/meta_memory.json";
}

/// Reads the memory of an earlier run, once.
CUCO_EVOLVE_INLINE void MetaSummary::remember() {
  if (std::exchange(remembered_, true) || options_.directory.empty()) return;
  auto text = read_file(file());
  if (!text) {
    if (text.error().code != ErrorCode::kNotFound) broken_ = std::move(text).error();
    return;
  }
  auto memory = meta_memory_from_json(*text, file());
  if (memory) {
    memory_ = *std::move(memory);
  } else {
    broken_ = std::move(memory).error();
  }
}

CUCO_EVOLVE_INLINE void MetaSummary::keep() {
  if (options_.directory.empty()) return;
  if (auto kept = write_file_atomic(file(), to_json(memory_)); !kept)
    log_warning("meta-summary: its memory is not kept: " + to_line(kept.error()));
}

CUCO_EVOLVE_INLINE void MetaSummary::take(Program const& program) {
  // Another row of a program that is known already says nothing new.
  if (!attribute_or(program.metadata, kIslandCopyKey).empty()) return;
  if (!attribute_or(program.metadata, "duplicate_of").empty()) return;
  if (program.correct && (best_.id.empty() || better(program, best_))) best_ = program;
  auto const& done = memory_.processed_ids;
  if (std::binary_search(done.begin(), done.end(), program.id.value)) return;
  for (auto& pending : memory_.pending) {
    if (pending.program.id != program.id) continue;
    pending.program = program;
    return;
  }
  memory_.pending.push_back({program, {}});
}

CUCO_EVOLVE_INLINE void MetaSummary::on(Event const& event) {
  if (event.program == nullptr) return;
  if (event.kind != Event::Kind::kRestored && event.kind != Event::Kind::kEvaluated) return;
  remember();
  take(*event.program);
}

CUCO_EVOLVE_INLINE void MetaSummary::note_processed(std::string const& id) {
  auto& ids = memory_.processed_ids;
  auto const at = std::lower_bound(ids.begin(), ids.end(), id);
  if (at == ids.end() || *at != id) ids.insert(at, id);
}

/// Marks the oldest of too many programs as done.
CUCO_EVOLVE_INLINE void MetaSummary::pass_over() {
  auto& pending = memory_.pending;
  // What the run has not shown again is no part of it any more.
  std::erase_if(pending, [](PendingProgram const& p) { return p.program.code.empty(); });
  auto const most = static_cast<std::size_t>(std::max(1, options_.most_at_once));
  if (pending.size() <= most) return;
  auto const extra = pending.size() - most;
  for (std::size_t i = 0; i < extra; ++i) note_processed(pending[i].program.id.value);
  memory_.processed += static_cast<std::int64_t>(extra);
  pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(extra));
  log_info(fmt::format("meta-summary: the oldest {} new programs are passed over", extra));
}

CUCO_EVOLVE_INLINE Result<std::string> MetaSummary::ask_for(std::string prompt, AskModel const& ask) {
  auto system = fill_prompt(*prompts_, "summary_system");
  if (!system) return system;
  ChatRequest request;
  request.system = *std::move(system);
  request.messages.push_back({ChatMessage::Role::kUser, std::move(prompt)});
  request.temperature = options_.temperature;
  request.max_tokens = options_.max_tokens;
  request.effort = options_.effort;
  auto reply = ask(request);
  Spent spent{memory_.owed};
  spent.add(reply ? reply->cost_usd : billed_usd(reply.error()));
  memory_.owed = spent.usd;
  if (!reply) return forward_error(std::move(reply));
  if (reply->finish != FinishReason::kEnd)
    return fail(ErrorCode::kProcess,
                fmt::format("the reply is of no use (finish reason {})", to_string(reply->finish)));
  auto text = shorten_lines(reply->text, reply->text.size());
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    return fail(ErrorCode::kProcess, "the reply is empty");
  return text;
}

/// The three steps. What the first has done is kept when a later one fails.
CUCO_EVOLVE_INLINE Status MetaSummary::summarise(AskModel const& ask) {
  constexpr std::size_t kSummaryCharacters = 2000;
  constexpr std::size_t kFeedbackCharacters = 3000;
  constexpr std::size_t kHistory = 10;
  if (auto loaded = need_prompts(prompts_, options_.prompts); !loaded) return loaded;
  auto step = [&](std::string_view name,
                  std::map<std::string, std::string> const& values) -> Result<std::string> {
    auto prompt = fill_prompt(*prompts_, name, values);
    if (!prompt) return prompt;
    return ask_for(*std::move(prompt), ask);
  };

  std::string summaries;
  for (auto& pending : memory_.pending) {
    auto const& program = pending.program;
    if (pending.summary.empty()) {
      auto summary = step(
          "summary_program",
          {{"title", program_title(program)},
           {"result", result_line(program)},
           {"description", attribute_or(program.metadata, "patch_description", "(nothing)")},
           {"change", program.code_diff.empty() ? fenced(program.code) : fenced(program.code_diff, "diff")},
           {"feedback",
            program.text_feedback.empty() ? "(none)"
                                          : shorten_lines(program.text_feedback, kFeedbackCharacters)}});
      if (!summary) return forward_error(std::move(summary));
      pending.summary = fmt::format("{}\n({}, {})",
                                    shorten_lines(*summary, kSummaryCharacters),
                                    program_title(program),
                                    program.correct ? "correct" : "failed");
    }
    summaries += (summaries.empty() ? "" : "\n\n") + pending.summary;
  }
  auto const best =
      best_.id.empty()
          ? std::string("No program is correct yet.")
          : paragraphs({program_title(best_) + "\nResult: " + result_line(best_), fenced(best_.code)});
  auto record = step("summary_insights",
                     {{"summaries", summaries},
                      {"previous", memory_.record.empty() ? "(none yet)" : memory_.record},
                      {"best", best}});
  if (!record) return forward_error(std::move(record));
  auto const insights = shorten_lines(*record, options_.record_characters);
  auto recommendations =
      step("summary_recommendations",
           {{"insights", insights},
            {"previous", memory_.recommendations.empty() ? "(none yet)" : memory_.recommendations},
            {"best", best},
            {"count", std::to_string(options_.recommendations)}});
  if (!recommendations) return forward_error(std::move(recommendations));

  memory_.summaries = std::move(summaries);
  memory_.record = insights;
  memory_.recommendations = shorten_lines(*recommendations, options_.recommendation_characters);
  memory_.history.push_back(memory_.recommendations);
  if (memory_.history.size() > kHistory) memory_.history.erase(memory_.history.begin());
  for (auto const& pending : memory_.pending) note_processed(pending.program.id.value);
  memory_.processed += static_cast<std::int64_t>(memory_.pending.size());
  memory_.pending.clear();
  if (!options_.directory.empty()) {
    auto const path = fmt::format("{}/meta_{}.txt", options_.directory, memory_.processed);
    auto const text = fmt::format(
        "# INDIVIDUAL PROGRAM SUMMARIES\n\n{}\n\n# GLOBAL INSIGHTS SCRATCHPAD\n\n{}\n\n# META "
        "RECOMMENDATIONS\n\n{}\n",
        memory_.summaries,
        memory_.record,
        memory_.recommendations);
    if (auto written = write_file_atomic(path, text); !written)
      log_warning("meta-summary: " + to_line(written.error()));
  }
  return {};
}

CUCO_EVOLVE_INLINE Result<Advice> MetaSummary::advise(int generation, AskModel const& ask) {
  remember();
  if (broken_) return tl::unexpected<Error>(*broken_);
  // A proposal that was lost with the process is made anew, with the same advice at the same price.
  if (generation == memory_.advised) return Advice{memory_.recommendations, memory_.told};
  auto const shown = std::count_if(memory_.pending.begin(),
                                   memory_.pending.end(),
                                   [](PendingProgram const& p) { return !p.program.code.empty(); });
  if (shown < std::max(1, options_.interval)) {
    if (memory_.owed == 0) return Advice{memory_.recommendations, 0};
  } else {
    pass_over();
    if (auto done = summarise(ask); !done) {
      auto const& error = done.error();
      if (error.code == ErrorCode::kBudget || error.code == ErrorCode::kCancelled) {
        keep();
        return forward_error(std::move(done));
      }
      log_warning("meta-summary: " + to_line(error) + "; the last recommendations stay");
    }
  }
  memory_.advised = generation;
  memory_.told = std::exchange(memory_.owed, 0);
  keep();
  return Advice{memory_.recommendations, memory_.told};
}

}  // namespace cuco::impl
