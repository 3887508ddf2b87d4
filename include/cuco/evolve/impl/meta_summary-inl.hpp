// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "cuco/core/atomic_file.hpp"
#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/core/log.hpp"
#include "cuco/evolve/impl/meta_questions-inl.hpp"
#include "cuco/evolve/impl/meta_summary.hpp"
#include "cuco/mutate/impl/propose_edit.hpp"
#include "cuco/population/seeds.hpp"

namespace cuco::impl {

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

CUCO_EVOLVE_INLINE void MetaSummary::keep() const {
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

/// The first step: one summary for each program. What has one is not asked about again, by a later process
/// neither.
CUCO_EVOLVE_INLINE Result<MetaSummary::Text> MetaSummary::ask_summaries(std::size_t first,
                                                                        bool concluding,
                                                                        AskModel const& ask,
                                                                        std::optional<double>& cost) {
  std::string summaries;
  for (std::size_t i = first; i < memory_.pending.size(); ++i) {
    auto& pending = memory_.pending[i];
    if (pending.program.code.empty()) continue;
    std::optional<double> price = 0;
    if (pending.summary.empty()) {
      auto text = ask_about(pending.program, ask, price);
      if (text && *text) {
        pending.summary = **std::move(text);
        pending.cost_usd = price;
      }
      if (!text || !*text) {
        Spent spent{cost};
        spent.add(price);
        cost = spent.usd;
        return text;
      }
    } else {
      price = pending.cost_usd;
    }
    Spent spent{cost};
    spent.add(price);
    cost = spent.usd;
    if (!concluding) pending.cost_usd = 0;
    keep();
    summaries += (summaries.empty() ? "" : "\n\n") + pending.summary;
  }
  return Text(std::move(summaries));
}

/// The three steps. What was done is kept when a later one fails, or the process dies.
CUCO_EVOLVE_INLINE Status MetaSummary::summarise(AskModel const& ask) {
  constexpr std::size_t kHistory = 10;
  auto& owed = memory_.owed;
  if (auto loaded = need_prompts(prompts_, options_.prompts); !loaded) return loaded;
  auto summaries = ask_summaries(0, false, ask, owed);
  if (!summaries) return forward_error(std::move(summaries));
  if (!*summaries) return {};
  if (auto const name = content_hash_128(**summaries); memory_.draft_of != name) {
    auto record = ask_insights(**summaries, ask, owed);
    if (!record) return forward_error(std::move(record));
    if (!*record) return {};
    memory_.draft = **std::move(record);
    memory_.draft_of = name;
    keep();
  }
  auto recommendations = ask_recommendations(memory_.draft, ask, owed);
  if (!recommendations) return forward_error(std::move(recommendations));
  if (!*recommendations) return {};

  memory_.summaries = **std::move(summaries);
  memory_.record = std::exchange(memory_.draft, {});
  memory_.draft_of.clear();
  memory_.recommendations = **std::move(recommendations);
  memory_.history.push_back(memory_.recommendations);
  if (memory_.history.size() > kHistory) memory_.history.erase(memory_.history.begin());
  for (auto const& pending : memory_.pending) note_processed(pending.program.id.value);
  memory_.processed += static_cast<std::int64_t>(memory_.pending.size());
  memory_.pending.clear();
  write_text(memory_.processed, memory_.summaries, memory_.record, memory_.recommendations);
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
      keep();
      return forward_error(std::move(done));
    }
  }
  memory_.advised = generation;
  memory_.told = std::exchange(memory_.owed, 0);
  keep();
  return Advice{memory_.recommendations, memory_.told};
}

/// Nothing that a longer run would go on from may change, so that it has the same rows as one that was not
/// concluded in between: only the texts and the summaries of single programs stay.
CUCO_EVOLVE_INLINE Result<Advice> MetaSummary::conclude(AskModel const& ask) {
  remember();
  if (broken_) return tl::unexpected<Error>(*broken_);
  auto const most = std::max(1, options_.most_at_once);
  std::size_t first = memory_.pending.size();
  int count = 0;
  for (; first > 0 && count < most; --first) count += memory_.pending[first - 1].program.code.empty() ? 0 : 1;
  if (count == 0) return Advice{memory_.recommendations, 0};
  std::optional<double> cost = 0;
  auto failed = [&](Error error) {
    auto spent = spent_of(error);
    spent.add(cost);
    return tl::unexpected<Error>(with_spent(std::move(error), spent));
  };
  if (auto loaded = need_prompts(prompts_, options_.prompts); !loaded)
    return forward_error(std::move(loaded));
  auto summaries = ask_summaries(first, true, ask, cost);
  if (!summaries) return failed(std::move(summaries).error());
  if (!*summaries) return Advice{memory_.recommendations, cost};
  auto const name = content_hash_128(**summaries);
  if (memory_.concluded == name) return Advice{memory_.recommendations, 0};
  auto record = ask_insights(**summaries, ask, cost);
  if (!record) return failed(std::move(record).error());
  if (!*record) return Advice{memory_.recommendations, cost};
  auto recommendations = ask_recommendations(**record, ask, cost);
  if (!recommendations) return failed(std::move(recommendations).error());
  if (!*recommendations) return Advice{memory_.recommendations, cost};
  write_text(memory_.processed + count, **summaries, **record, **recommendations);
  memory_.concluded = name;
  keep();
  return Advice{**std::move(recommendations), cost};
}

}  // namespace cuco::impl
