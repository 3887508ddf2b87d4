// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/analysis/impl/structure.hpp"

namespace cuco::impl {

/// Reads the statements of one group of braces with a stack of its own.
class StructureReader::CodeReader {
 public:
  CodeReader(StructureReader& owner, Region const& region)
      : o_(owner), code_(owner.code_), function_(region.function), scope_(region.scope) {
    frames_.push_back({FrameKind::kBlock, owner.region_end(region.open)});
    block_close_ = frames_.back().close;
    at_ = region.open + 1;
  }

  void run() {
    while (true) {
      if (at_ >= block_close_) {
        if (!close_block()) return;
        continue;
      }
      step();
    }
  }

 private:
  using Kind = FrameKind;

  bool close_block() {
    while (frames_.back().kind != Kind::kBlock) pop(block_close_);
    frames_.pop_back();
    if (frames_.empty()) return false;
    int const after = block_close_ + 1;
    for (auto f = frames_.rbegin(); f != frames_.rend(); ++f) {
      if (f->kind != Kind::kBlock) continue;
      block_close_ = f->close;
      break;
    }
    complete(after);
    return true;
  }

  void pop(int end) {
    Frame const f = frames_.back();
    frames_.pop_back();
    if (f.loop >= 0) {
      Loop& l = o_.out_.loops[static_cast<std::size_t>(f.loop)];
      if (f.kind == Kind::kLoop || l.body.end == 0) l.body.end = code_.at(end - 1).span().end;
      l.body.end = std::max(l.body.end, l.body.begin);  // A body may be missing.
      l.span.end = code_.at(end - 1).span().end;
      l.end_line = code_.at(end - 1).line;
      o_.loop_tokens_[static_cast<std::size_t>(f.loop)].end = end;
    }
    if (f.statement >= 0) o_.out_.statements[static_cast<std::size_t>(f.statement)].range.end = end;
  }

  /// A statement ended just before `end`: ends what it was the body of.
  void complete(int end) {
    while (frames_.back().kind != Kind::kBlock) {
      Frame& top = frames_.back();
      if (top.kind == Kind::kIf && end < block_close_ && code_.is(end, "else")) {
        top.kind = Kind::kPass;
        at_ = end + 1;
        return;
      }
      if (top.kind == Kind::kDo && end < block_close_ && code_.is(end, "while") && code_.is(end + 1, "(")) {
        Loop& l = o_.out_.loops[static_cast<std::size_t>(top.loop)];
        l.body.end = code_.at(end - 1).span().end;
        int stop = code_.partner(end + 1) + 1;
        l.header = "do " + code_.text({end, stop}, 256);
        header({end, stop}, top.statement);
        if (stop < block_close_ && code_.is(stop, ";")) ++stop;
        end = stop;
      }
      pop(end);
    }
    at_ = end;
  }

  void header(Range r, int statement) {
    o_.own(r, statement);
    o_.find_code_in(r, function_);
  }

  /// A compound statement whose header is `r`; its end is set when it is popped.
  void govern(Kind kind, Range r, int loop = -1) {
    int const id = static_cast<int>(o_.out_.statements.size());
    o_.out_.statements.push_back({r, false});
    header(r, id);
    frames_.push_back({kind, -1, loop, id});
    at_ = r.end;
    if (loop >= 0) o_.begin_body(loop, at_);
  }

  void step() {
    std::string_view const t = code_.text(at_);
    if (t == "{") {
      frames_.push_back({Kind::kBlock, code_.partner(at_)});
      block_close_ = frames_.back().close;
      ++at_;
    } else if (t == ";") {
      complete(at_ + 1);
    } else if (!code_.is_word(at_) || !control(t)) {
      simple();
    }
  }

  /// Handles a statement that begins with a keyword; false when `t` is none.
  bool control(std::string_view t) {
    int open = at_ + 1;
    if (t == "if" && (code_.is(open, "constexpr") || code_.is(open, "!") || code_.is(open, "consteval")))
      ++open;
    if (t == "if" && code_.is(open, "consteval")) ++open;
    if (t == "for" && code_.is(open, "co_await")) ++open;
    bool const parenthesised = code_.is(open, "(");
    int const after = parenthesised ? code_.partner(open) + 1 : open;
    Range const head{at_, after};
    if ((t == "for" || t == "while") && parenthesised) {
      govern(Kind::kLoop, head, o_.add_loop(at_, head, function_));
    } else if (t == "if") {
      if (!parenthesised && !code_.is(open, "{")) return false;
      govern(Kind::kIf, head);
    } else if ((t == "switch" || t == "catch") && parenthesised) {
      govern(Kind::kPass, head);
    } else if (t == "do") {
      int const loop = o_.add_loop(at_, {at_, at_ + 1}, function_);
      govern(Kind::kDo, {at_, at_ + 1}, loop);
    } else if (t == "else" || t == "try") {
      govern(Kind::kPass, {at_, at_ + 1});
    } else if (t == "case" || t == "default") {
      int i = at_ + 1;
      while (i < block_close_ && !code_.is(i, ":") && !code_.is(i, ";")) i = code_.next(i);
      at_ = std::min(i + 1, block_close_);
    } else if (code_.is(at_ + 1, ":")) {
      at_ += 2;
    } else if (t == "struct" || t == "class" || t == "union") {
      return local_class();
    } else {
      return false;
    }
    return true;
  }

  bool local_class() {
    constexpr int kLookAhead = 64;
    for (int i = at_ + 1; i < std::min(block_close_, at_ + kLookAhead); i = code_.next(i)) {
      if (code_.is(i, ";") || code_.is(i, "=")) return false;
      if (code_.is(i, "(") && !is_attribute_call(code_.text(i - 1))) return false;
      if (!code_.is(i, "{")) continue;
      Head const head = o_.heads_.read({at_, i});
      if (head.kind != HeadKind::kClass) return false;
      o_.work_.push_back({i, function_, true, scope_.empty() ? head.text : scope_ + "::" + head.text});
      simple(i);
      return true;
    }
    return false;
  }

  /// A statement up to its `;`. @param class_open the `{` of a class defined in it.
  void simple(int class_open = -1) {
    int const begin = at_;
    int const id = static_cast<int>(o_.out_.statements.size());
    o_.out_.statements.push_back({{begin, begin}, true});
    int const block_open = code_.partner(block_close_);
    int i = begin;
    for (; i < block_close_; ++i) {
      o_.out_.statement_of[static_cast<std::size_t>(i)] = id;
      std::string_view const t = code_.text(i);
      if (t == ";" && code_.enclosing(i) == (block_close_ < code_.size() ? block_open : -1)) {
        ++i;
        break;
      }
      if (t != "{") continue;
      if (i == class_open) {
        i = code_.partner(i);
        o_.out_.statement_of[static_cast<std::size_t>(i)] = id;
        continue;
      }
      if (!o_.is_code_brace(i)) continue;
      if (code_.is_word(begin) && code_.is(begin + 1, "(") && code_.partner(begin + 1) == i - 1) {
        // NAME(…) { … }: a macro that governs a block.
        o_.out_.statements.back().range.end = i;
        o_.out_.statements.back().simple = false;
        bool const loop = o_.loop_macros_.count(code_.text(begin)) != 0;
        o_.find_code_in({begin, i}, function_);
        frames_.push_back({loop ? Kind::kLoop : Kind::kPass,
                           -1,
                           loop ? o_.add_loop(begin, {begin, i}, function_) : -1,
                           id});
        if (loop) o_.begin_body(frames_.back().loop, i);
        at_ = i;
        return;
      }
      o_.work_.push_back({i, function_, false, {}});
      i = code_.partner(i);
      o_.out_.statement_of[static_cast<std::size_t>(i)] = id;
    }
    o_.out_.statements[static_cast<std::size_t>(id)].range.end = i;
    complete(i);
  }

  StructureReader& o_;
  Code const& code_;
  Index function_;
  std::string scope_;
  std::vector<Frame> frames_{};
  int block_close_ = 0;
  int at_ = 0;
};

inline void StructureReader::read_code(Region const& region) {
  CodeReader(*this, region).run();
}

}  // namespace cuco::impl
