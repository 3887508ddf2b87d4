// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "cuco/analysis/lexer.hpp"
#include "cuco/edit/edit_result.hpp"
#include "cuco/edit/impl/code_language.hpp"
#include "cuco/edit/impl/edit_check.hpp"
#include "cuco/edit/impl/fences.hpp"
#include "cuco/edit/impl/text_line.hpp"

namespace cuco::impl {

/// Code of a reply that is meant as a source file.
struct FoundCode {
  std::string_view text;
  std::vector<std::string> notes{};
};

/// Picks the code of a reply. See `extract_code`.
class CodeFinder {
 public:
  explicit CodeFinder(std::string_view reply) : reply_(reply) {}

  /// @param prefer Says of a text that could be meant whether it has what is expected of it (markers); may be
  /// null.
  tl::expected<FoundCode, EditProblem> run(bool (*prefer)(std::string_view)) {
    std::string_view where = reply_;
    if (auto const element = code_element()) where = *element;
    collect(where, 0);
    if (candidates_.empty() && !open_ && where.size() != reply_.size() && trim(where).empty())
      return refuse(EditFault::kNothing, "the reply's <CODE> is empty", kAdvice);
    if (candidates_.empty() && open_)
      return refuse(EditFault::kMalformed,
                    "the reply ends inside its code fence",
                    "send the whole file, shorter if need be");
    if (candidates_.empty() && fences_ == 0) return without_fence(where);
    if (candidates_.empty()) return none();
    if (open_ && where.size() == reply_.size())
      return refuse(EditFault::kMalformed,
                    "the reply ends inside its last code fence",
                    "send the whole file, shorter if need be");
    return choose(prefer);
  }

 private:
  static constexpr char const* kAdvice =
      "send the whole source file in one fence: a line ```cuda, the code, a line ```";
  struct Candidate {
    std::string_view text;
    std::string label;
  };

  /// The longest <CODE> element that stands in no fence. <code> in lower case is how prose marks words, so it
  /// needs several lines.
  [[nodiscard]] std::optional<std::string_view> code_element() const {
    auto const elements = find_elements(reply_, "CODE");
    if (elements.empty()) return std::nullopt;
    auto const fences = find_fences(reply_);
    auto fence = fences.begin();
    std::optional<std::string_view> out;
    for (Element const& e : elements) {
      while (fence != fences.end() && fence->text.data() + fence->text.size() <= e.text.data()) ++fence;
      if (fence != fences.end() && fence->text.data() < e.text.data()) continue;
      bool const word = !e.exact_case && e.text.find('\n') == std::string_view::npos;
      if (!word && (!out || e.text.size() > out->size())) out = e.text;
    }
    return out;
  }

  void collect(std::string_view where, int depth) {
    char const* taken = where.data();  // What is before belongs to a fence that was extended.
    for (Fence const& fence : find_fences(where)) {
      if (fence.text.data() < taken) continue;
      if (trim(fence.text).empty()) {
        ++empty_;
        continue;
      }
      ++fences_;
      TextKind const kind = TextClassifier::classify(fence.text, fence.label);
      if (depth < 3 && may_wrap(fence, kind)) {
        // A fence around fences: a whole answer quoted, or a stray fence line.
        std::size_t const before = candidates_.size();
        bool const open_before = open_;
        collect(fence.text, depth + 1);
        if (candidates_.size() > before) continue;
        open_ = open_before;
      }
      if (kind.kind != TextKind::kCpp) {
        if (kind.kind == TextKind::kOther && other_.empty()) other_ = kind.name;
        continue;
      }
      // The end of a <CODE> element ends its fence too.
      if (!fence.closed && (depth > 0 || where.size() == reply_.size())) {
        open_ = true;
        continue;
      }
      candidates_.push_back({extended(fence, where), fence.label});
      taken = candidates_.back().text.data() + candidates_.back().text.size();
    }
  }

  static bool may_wrap(Fence const& fence, TextKind const& kind) {
    if (fence.label == "markdown" || fence.label == "md") return true;
    return !is_cpp_label(fence.label) && (!fence.closed || !kind.clearly);
  }

  /// Fence lines may also stand in a comment of the code, where the first of them seems to close the fence.
  static std::string_view extended(Fence const& fence, std::string_view where) {
    constexpr int kMost = 4;
    std::size_t const begin = static_cast<std::size_t>(fence.text.data() - where.data());
    std::string_view text = fence.text;
    for (int tries = 0; tries < kMost && fence.closed; ++tries) {
      auto const stream = lex(text);
      if (stream || (stream.error().cause != "a comment is not closed" &&
                     stream.error().cause != "a raw string literal is not closed"))
        return text;
      // To the next fence line but this one.
      std::size_t at = begin + text.size();
      bool found = false;
      at = std::min(where.find('\n', at), where.size());
      while (at < where.size()) {
        std::size_t const end = std::min(where.find('\n', at + 1), where.size());
        if (FenceLine const f = read_fence_line(where.substr(at + 1, end - at - 1)); f.length >= 3) {
          text = where.substr(begin, at + 1 - begin);
          found = true;
          break;
        }
        at = end;
      }
      if (!found) break;
    }
    return lex(text) ? text : fence.text;
  }

  /// The reply itself, when it is code from its first line on; titles are no part of it.
  [[nodiscard]] tl::expected<FoundCode, EditProblem> without_fence(std::string_view where) const {
    std::string_view text = where;
    for (auto const* close : {"</NAME>", "</DESCRIPTION>"})
      if (std::size_t const end = text.rfind(close);
          end != std::string_view::npos && where.size() == reply_.size())
        text = text.substr(end + std::string_view(close).size());
    std::string_view const body = trim(text);
    if (body.empty())
      return refuse(EditFault::kNothing,
                    empty_ > 0 ? "the reply's code fence is empty" : "the reply holds no code",
                    kAdvice);
    TextKind const kind = TextClassifier::classify(body);
    if (kind.kind == TextKind::kOther)
      return refuse(
          EditFault::kLanguage, "the reply is " + std::string(kind.name) + ", not CUDA C++", kAdvice);
    bool const element = where.size() != reply_.size();
    if (kind.kind == TextKind::kCpp && (element || kind.clearly)) {
      std::size_t const begin = static_cast<std::size_t>(body.data() - text.data());
      std::size_t const line = begin == 0 ? 0 : text.rfind('\n', begin - 1) + 1;
      return FoundCode{text.substr(line), {"the code stands in no fence"}};
    }
    return refuse(EditFault::kNothing,
                  empty_ > 0 ? "the reply's code fence is empty" : "the reply holds no code",
                  kAdvice);
  }

  [[nodiscard]] tl::unexpected<EditProblem> none() const {
    if (!other_.empty())
      return refuse(
          EditFault::kLanguage, "the reply's code is " + std::string(other_) + ", not CUDA C++", kAdvice);
    return refuse(EditFault::kLanguage, "the reply's fence holds no CUDA C++", kAdvice);
  }

  [[nodiscard]] tl::expected<FoundCode, EditProblem> choose(bool (*prefer)(std::string_view)) {
    auto found = [](Candidate const& c) {
      FoundCode out{c.text, {}};
      if (!c.label.empty() && !is_cpp_label(c.label))
        out.notes.push_back("the fence is labelled " + excerpt(c.label, 20));
      return out;
    };
    // The same code twice is no ambiguity.
    std::vector<Candidate> distinct;
    for (Candidate const& c : candidates_) {
      bool const known =
          distinct.size() < 64 && std::any_of(distinct.begin(), distinct.end(), [&](Candidate const& d) {
            return trim(d.text) == trim(c.text);
          });
      if (!known) distinct.push_back(c);
    }
    if (distinct.size() == 1) return found(distinct[0]);
    auto note = [&](Candidate const& c) {
      FoundCode out = found(c);
      out.notes.push_back("one of " + std::to_string(distinct.size()) + " code fences taken");
      return out;
    };
    if (prefer != nullptr) {
      Candidate const* only = nullptr;
      std::size_t count = 0;
      for (Candidate const& c : distinct)
        if (prefer(c.text)) only = &c, ++count;
      if (count == 1) return note(*only);
    }
    std::sort(distinct.begin(), distinct.end(), [](Candidate const& a, Candidate const& b) {
      return a.text.size() > b.text.size();
    });
    if (distinct[0].text.size() >= 2 * distinct[1].text.size()) return note(distinct[0]);
    return refuse(
        EditFault::kAmbiguous,
        "the reply has " + std::to_string(distinct.size()) + " code fences, and either could be meant",
        kAdvice);
  }

  std::string_view reply_;
  std::vector<Candidate> candidates_{};
  std::size_t fences_ = 0;  ///< That hold text.
  std::size_t empty_ = 0;
  bool open_ = false;  ///< C++ in a fence that is not closed.
  std::string_view other_{};
};

}  // namespace cuco::impl
