// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cuco/core/hash.hpp"
#include "cuco/core/impl/inline.hpp"
#include "cuco/edit/evolve_blocks.hpp"
#include "cuco/embed/impl/code_words.hpp"
#include "cuco/llm/impl/failed_call.hpp"
#include "cuco/mutate/impl/novelty_filter.hpp"

namespace cuco::impl {

/// The mutable text of a program; all of it when it has no blocks that can be found.
CUCO_EVOLVE_INLINE std::string NoveltyFilter::text_of(std::string const& code) const {
  std::string text;
  if (auto const blocks = extract_evolve_blocks(code))
    for (std::string const& block : *blocks) text += block;
  if (text.empty()) text = code;
  if (options_.most_characters != 0 && text.size() > options_.most_characters)
    text.resize(options_.most_characters);
  return text;
}

CUCO_EVOLVE_INLINE Status NoveltyFilter::follow(std::vector<std::string> const& known,
                                                std::vector<std::vector<float>> const* embeddings,
                                                std::size_t dimension,
                                                EmbedText const& embed) {
  constexpr std::size_t kChecked = 8;
  bool same = known.size() >= read_.size() && (read_.empty() || index_.dimension() == dimension);
  for (std::size_t k = 0; same && k < kChecked && !read_.empty(); ++k) {
    std::size_t const i = k * (read_.size() - 1) / (kChecked - 1);
    same = hash64(known[i]) == read_[i];
  }
  if (!same) {
    index_.clear();
    read_.clear();
    settings_.clear();
  }
  for (std::size_t i = read_.size(); i < known.size(); ++i) {
    std::vector<float> row;
    if (embeddings != nullptr && i < embeddings->size() && (*embeddings)[i].size() == dimension) {
      row = (*embeddings)[i];
    } else {
      auto made = embed(text_of(known[i]));
      // What can never be embedded must not stop the comparison with everything else; what failed now is
      // tried again.
      if (!made && made.error().code != ErrorCode::kInvalidArgument)
        return tl::unexpected<Error>(made.error());
      row = made ? std::move(made->values) : std::vector<float>(dimension, 0.0F);
    }
    if (Status added = index_.add(row); !added) return added;
    read_.push_back(hash64(known[i]));
  }
  return {};
}

/// A hash of what decides how a program runs: its numbers, the names of CUDA and its libraries, and the names
/// of the methods it calls, in any order.
CUCO_EVOLVE_INLINE std::uint64_t settings_hash(std::string_view text) {
  using Kind = CodeWord::Kind;
  auto const words = code_words(text);
  std::vector<std::string_view> settings;
  for (std::size_t i = 0; i < words.size(); ++i) {
    bool const method = words[i].kind == Kind::kName && i > 0 && i + 1 < words.size() &&
                        (words[i - 1].text == "." || words[i - 1].text == "->") && words[i + 1].text == "(";
    if (words[i].kind == Kind::kNumber || words[i].kind == Kind::kKnown || method)
      settings.push_back(words[i].text);
  }
  std::sort(settings.begin(), settings.end());
  std::string all;
  for (auto const& setting : settings) all.append(setting).push_back('\n');
  return hash64(all);
}

CUCO_EVOLVE_INLINE std::uint64_t NoveltyFilter::settings_of(std::size_t known_index,
                                                            std::string const& code) {
  auto const found = settings_.find(known_index);
  if (found != settings_.end()) return found->second;
  return settings_.emplace(known_index, settings_hash(text_of(code))).first->second;
}

/// Whether a judge that fails like that would fail about everything, so that the run has to wait for better
/// times; what fails otherwise decides nothing, and the proposal passes.
CUCO_EVOLVE_INLINE bool ends_judging(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBudget:
    case ErrorCode::kCancelled:
    case ErrorCode::kRefused:
    case ErrorCode::kNotFound:
    case ErrorCode::kToolMissing:
    case ErrorCode::kIo:
    case ErrorCode::kStorage: return true;
    default: return false;
  }
}

/// Code as a fenced block whose fence does not occur in it.
CUCO_EVOLVE_INLINE std::string fence(std::string const& code) {
  std::size_t longest = 2;
  for (std::size_t i = 0, run = 0; i < code.size(); ++i) {
    run = code[i] == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  std::string const ticks(longest + 1, '`');
  return ticks + "cuda\n" + code + (code.ends_with('\n') ? "" : "\n") + ticks;
}

/// Takes the first word off `text`, whatever stands before it, in capital letters.
CUCO_EVOLVE_INLINE std::string take_word(std::string_view& text) {
  auto const capital = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  auto const is_letter = [&](char c) { return capital(c) >= 'A' && capital(c) <= 'Z'; };
  auto const begin = std::find_if(text.begin(), text.end(), is_letter);
  auto const end = std::find_if_not(begin, text.end(), is_letter);
  std::string word(begin, end);
  std::transform(word.begin(), word.end(), word.begin(), capital);
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  return word;
}

/// What a judge's reply says, which begins with one of two words; empty when it says neither.
CUCO_EVOLVE_INLINE std::optional<bool> says_novel(std::string_view reply) {
  auto const word = take_word(reply);
  if (word == "NOVEL") return true;
  if (word == "NOTNOVEL" || (word == "NOT" && take_word(reply) == "NOVEL")) return false;
  return std::nullopt;
}

CUCO_EVOLVE_INLINE void NoveltyFilter::ask_judge(std::string const& existing,
                                                 std::string const& proposed,
                                                 NoveltyVerdict& verdict) {
  std::string const key = content_hash_128(proposed);
  if (auto const found = judged_.find(key); found != judged_.end()) {
    verdict.is_new = found->second;
    verdict.note = verdict.is_new ? "judged novel before" : "judged not novel before";
    return;
  }
  verdict.is_new = true;
  auto failed = [&](Error const& error) { verdict.note = "the judge failed: " + to_line(error); };
  if (!options_.prompts) {
    auto loaded = PromptLibrary::load();
    if (!loaded) return failed(loaded.error());
    options_.prompts = *std::move(loaded);
  }
  auto prompt =
      options_.prompts->fill("novelty", {{"existing", fence(existing)}, {"proposed", fence(proposed)}});
  if (!prompt) return failed(prompt.error());
  ChatRequest request;
  request.messages.push_back({ChatMessage::Role::kUser, *std::move(prompt)});
  request.temperature = 0;
  request.max_tokens = 2048;
  auto const reply = options_.judge.complete(request);
  if (!reply) {
    verdict.cost_usd = billed_usd(reply.error());
    if (ends_judging(reply.error().code)) verdict.error = reply.error();
    return failed(reply.error());
  }
  verdict.cost_usd = reply->cost_usd;
  if (reply->finish != FinishReason::kEnd) {
    verdict.note =
        std::string("the judge's reply is of no use (finish reason ") + to_string(reply->finish) + ")";
    return;
  }
  auto const novel = says_novel(reply->text);
  if (!novel) {
    verdict.note = "the judge's reply is neither NOVEL nor NOT_NOVEL";
    return;
  }
  judged_.emplace(key, *novel);
  verdict.is_new = *novel;
  verdict.note = *novel ? "judged novel" : "judged not novel";
}

CUCO_EVOLVE_INLINE NoveltyVerdict NoveltyFilter::check(Mutation const& mutation,
                                                       MutationContext const& context,
                                                       EmbedText const& embed) {
  NoveltyVerdict verdict;
  std::string const proposed = text_of(mutation.code);
  auto made = embed(proposed);
  if (!made || made->values.empty()) {
    verdict.note = "not compared: " + (made ? std::string("the embedding is empty") : to_line(made.error()));
    return verdict;
  }
  verdict.embedding = std::move(made->values);
  std::vector<std::string> const parent_alone{context.parent.code};
  std::vector<std::vector<float>> const parent_embedding{context.parent.embedding};
  bool const alone = context.known_codes == nullptr;
  auto const& known = alone ? parent_alone : *context.known_codes;
  Status const followed =
      follow(known, alone ? &parent_embedding : context.known_embeddings, verdict.embedding.size(), embed);
  if (!followed) {
    verdict.note = "not compared: " + to_line(followed.error());
    return verdict;
  }
  auto const nearest = index_.nearest(verdict.embedding);
  if (!nearest || !*nearest) return verdict;
  verdict.similarity = (*nearest)->cosine;
  // A repair is near to what it repairs.
  if (mutation.patch_type == "fix" || !((*nearest)->cosine > options_.threshold)) return verdict;
  auto const near = index_.above(verdict.embedding, options_.threshold);
  if (!near) return verdict;
  auto const settings = settings_hash(proposed);
  auto const same = std::find_if(near->begin(), near->end(), [&](SimilarityIndex::Match const& match) {
    return settings_of(match.index, known[match.index]) == settings;
  });
  if (same == near->end()) {
    verdict.note = "other numbers or names of the libraries than in all programs near it";
    return verdict;
  }
  verdict.is_new = false;
  verdict.similarity = same->cosine;
  // Kept for one generation only: a run that is resumed has to ask the same.
  if (std::exchange(judged_in_, context.generation) != context.generation) judged_.clear();
  if (options_.judge) ask_judge(text_of(known[same->index]), proposed, verdict);
  return verdict;
}

CUCO_EVOLVE_INLINE std::string rejection_advice(Mutation const& mutation, NoveltyVerdict const& verdict) {
  std::string out = fmt::format(
      "The proposal '{}' was rejected before it was evaluated: it is almost the same as a program that "
      "exists already "
      "(similarity {:.4f}).",
      mutation.name,
      verdict.similarity.value_or(1));
  if (!mutation.description.empty()) out += " It was described as: " + mutation.description;
  return out + " Propose a change of another kind.";
}

CUCO_EVOLVE_INLINE void note_novelty(Mutation& mutation, NoveltyVerdict& verdict, int checks) {
  if (!verdict.embedding.empty()) mutation.embedding = std::move(verdict.embedding);
  set_attribute(mutation.metadata, "novelty_checks_performed", std::to_string(checks));
  if (verdict.similarity)
    set_attribute(mutation.metadata, "novelty_similarity", fmt::format("{:.6f}", *verdict.similarity));
  if (!verdict.note.empty()) set_attribute(mutation.metadata, "novelty_note", verdict.note);
}

}  // namespace cuco::impl
