// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/common_proof.hpp"

namespace cuco::impl {

/// Which values may differ between ranks, and which places only some ranks may get to: all for which there is
/// no proof of the opposite (`CommonProof`). Where macros have several definitions, it must hold for each.
class RankDependence {
 public:
  explicit RankDependence(SourceModel const& model) : m_(model) {
    std::size_t const variants = ProgramExpander(model, 0).variants();
    for (std::size_t pick = 0; pick < std::min(variants, kMostVariants); ++pick) {
      auto one = std::make_unique<Variant>();
      one->program = ProgramExpander(model, pick).run();
      if (one->program == nullptr) {
        variants_.clear();
        return;
      }
      one->names = std::make_unique<ProgramNames>(*one->program);
      one->proof = std::make_unique<CommonProof>(*one->program, *one->names);
      variants_.push_back(std::move(one));
    }
    if (variants > kMostVariants) variants_.clear();
  }

  /// Whether the value of the tokens `r` of argument `argument` of call `c` may differ.
  [[nodiscard]] bool varies(Index c, std::size_t argument, Range r) const {
    return !each(c, argument, r, [](Variant const& v, Range there) {
      return v.proof->values_of().of(there) == Common::kYes;
    });
  }
  /// Whether only some ranks may get to the call `c`.
  [[nodiscard]] bool some_ranks_call(Index c) const {
    if (variants_.empty()) return true;
    for (auto const& v : variants_) {
      auto const names = names_of(*v, c);
      if (names.empty()) return true;
      for (int i : names)
        if (!v->proof->all_reach(i)) return true;
    }
    return false;
  }
  /// Whether only some ranks may get to token `i` of the program.
  [[nodiscard]] bool some_ranks_only(int i) const {
    if (variants_.empty()) return true;
    return !std::all_of(variants_.begin(), variants_.end(), [&](auto const& v) {
      auto const there = v->program->from(i);
      return !there.empty() && v->proof->all_reach(there.front());
    });
  }
  /// Whether more than the offset of the pointer in argument `argument` of call `c` may differ: it may be
  /// another buffer, or null.
  [[nodiscard]] bool base_varies(Index c, std::size_t argument, Range r) const {
    return !each(c, argument, r, [&](Variant const& v, Range there) { return is_one_base(v, there, 0); });
  }

 private:
  static constexpr std::size_t kMostVariants = 6;
  static constexpr int kDeepest = 6;

  struct Variant {
    std::unique_ptr<ExpandedProgram> program;
    std::unique_ptr<ProgramNames> names;
    std::unique_ptr<CommonProof> proof;
  };

  /// Where the name of call `c` stands after macros are replaced.
  [[nodiscard]] std::vector<int> names_of(Variant const& v, Index c) const {
    std::vector<int> out;
    Call const& call = m_.call(c);
    Code const& code = v.program->code;
    int const position = m_.call_tokens(c).position;
    auto const from = v.program->from(position);
    if (from.empty()) return out;
    if (call.macro.empty()) {
      for (int i : from)
        if (code.is(i, call.name) || from.size() == 1) out.push_back(i);
      return out;
    }
    for (int i : from)
      if (code.is(i, call.name) && code.is(i + 1, "(")) out.push_back(i);
    return out;
  }

  /// Whether `holds` for the tokens that `r`, of an argument of call `c`, becomes.
  template <class F>
  [[nodiscard]] bool each(Index c, std::size_t argument, Range r, F holds) const {
    if (variants_.empty()) return false;
    CallTokens const& t = m_.call_tokens(c);
    if (argument >= t.args.size()) return false;
    Range const whole = t.args[argument];
    for (auto const& v : variants_) {
      auto const names = names_of(*v, c);
      if (names.empty()) return false;
      for (int i : names) {
        int const open = ValueAccessReader(v->program->code, *v->names).call_open(i);
        if (open < 0) return false;
        auto const args = v->program->code.split(v->program->code.inside(open));
        if (argument >= args.size()) return false;
        Range there = args[argument];
        // A part of the argument, as far as macros leave it what it is.
        bool const part = r.begin != whole.begin || r.end != whole.end;
        if (part && there.size() == whole.size())
          there = {there.begin + (r.begin - whole.begin), there.end - (whole.end - r.end)};
        if (!holds(*v, there)) return false;
      }
    }
    return true;
  }

  /// Whether `r` points into one buffer on all ranks.
  [[nodiscard]] bool is_one_base(Variant const& v, Range r, int depth) const {
    Code const& code = v.program->code;
    Range const base = base_of(v, r);
    if (v.proof->values_of().of(base) == Common::kYes) return true;
    if (base.size() != 1 || depth > kDeepest) return false;
    // A variable that is set once, by all ranks, to a buffer that does not vary and an offset that does.
    int const variable = v.names->resolve(base.begin);
    if (variable < 0 || v.names->variable(variable).unit < 0) return false;
    Location const place = location(variable, 0);
    FlowTable const& flows = v.proof->flows();
    bool const linked = std::any_of(flows.links.begin(), flows.links.end(), [&](auto const& l) {
      return l.first == place || l.second == place;
    });
    if (linked || flows.unknown.count(place) != 0) return false;
    Flow const* set = nullptr;
    for (Flow const& f : flows.flows) {
      if (f.to != place) continue;
      if (set != nullptr) return false;
      set = &f;
    }
    bool const parameter = set == nullptr || code.is(set->at, "+=") || code.is(set->at, "-=");
    if (parameter || set->value.empty() || !v.proof->all_reach(set->at)) return false;
    auto const& own = v.names->parameters(v.names->variable(variable).unit);
    if (std::find(own.begin(), own.end(), variable) != own.end()) return false;
    return is_one_base(v, set->value, depth + 1);
  }

  /// `recv` of `recv + rank * n`, of `&recv[rank * n]` and of casts around them.
  [[nodiscard]] static Range base_of(Variant const& v, Range r) {
    Code const& code = v.program->code;
    ValueAccessReader const accesses(code, *v.names);
    for (int steps = 0; steps < kDeepest; ++steps) {
      if (code.is(r.begin, "(") && accesses.is_cast(r.begin) && code.partner(r.begin) < r.end - 1) {
        r.begin = code.partner(r.begin) + 1;
      } else if (code.is(r.begin, "(") && code.partner(r.begin) == r.end - 1) {
        r = code.inside(r.begin);
      } else if (code.text(r.begin).ends_with("_cast") && code.is(r.end - 1, ")") &&
                 accesses.call_open(r.begin) == code.partner(r.end - 1)) {
        r = code.inside(code.partner(r.end - 1));
      } else {
        break;
      }
    }
    bool const address = code.is(r.begin, "&");
    if (address) ++r.begin;
    int cut = r.end;
    for (int i = r.begin; i < r.end; i = code.next(i)) {
      bool const choice = code.is(i, "?") || code.is(i, "&&") || code.is(i, "||");
      if (choice) return r;
      if (!address && i > r.begin && (code.is(i, "+") || code.is(i, "-"))) {
        for (int k = i; k < r.end; k = code.next(k))
          if (code.is(k, "?") || code.is(k, ",")) return r;
        return {r.begin, i};
      }
      if (address && code.is(i, "[")) cut = i;
    }
    return {r.begin, cut};
  }

  SourceModel const& m_;
  std::vector<std::unique_ptr<Variant>> variants_{};
};

}  // namespace cuco::impl
