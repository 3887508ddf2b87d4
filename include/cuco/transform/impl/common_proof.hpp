// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/common_values.hpp"

namespace cuco::impl {

/// Proves which values of a program are the same on all ranks and which places all ranks get to alike. What
/// the proof needs: every place that sets a variable is understood, gives it a common value, and is one that
/// all ranks get to; every way into a function is in sight.
class CommonProof {
 public:
  CommonProof(ExpandedProgram const& p, ProgramNames const& names)
      : p_(p),
        code_(p.code),
        names_(names),
        flows_(FlowReader(p, names).run()),
        values_(p, names, facts_, flows_) {
    facts_.places.assign(3 * names.variables().size(), Common::kYes);
    facts_.tokens.assign(static_cast<std::size_t>(code_.size()), Common::kYes);
    facts_.rare.assign(static_cast<std::size_t>(names.units()), 0);
    facts_.simple.assign(static_cast<std::size_t>(names.units()), 1);
    find_simple();
    find_choices();
    for (Location l : flows_.unknown) lower(l, Common::kUnproven);
    do {
      do {
        changed_ = false;
        values();
        control();
        units();
      } while (changed_);
      // Which jumps are those of calls that failed is known when all else is.
      for (int i = 0; i < code_.size(); ++i)
        if (code_.is_word(i)) leave(i);
    } while (changed_);
  }

  [[nodiscard]] CommonValues const& values_of() const { return values_; }
  [[nodiscard]] FlowTable const& flows() const { return flows_; }

  /// Whether all ranks get to token `i` alike.
  [[nodiscard]] bool all_reach(int i) const {
    int const unit = names_.unit_of(i);
    return facts_.tokens[static_cast<std::size_t>(i)] == Common::kYes && (unit < 0 || !is_rare(unit));
  }

 private:
  using Kind = NamedVariable::Kind;

  [[nodiscard]] bool is_rare(int unit) const { return facts_.rare[static_cast<std::size_t>(unit)] != 0; }
  void lower(Location l, Common to) {
    Common& place = facts_.places[static_cast<std::size_t>(l)];
    if (place >= to) return;
    place = to;
    changed_ = true;
  }
  void lower(Range r, Common to) {
    for (int i = std::max(0, r.begin); i < r.end; ++i) {
      Common& token = facts_.tokens[static_cast<std::size_t>(i)];
      if (token >= to) continue;
      token = to;
      changed_ = true;
    }
  }

  // ---- functions whose result depends on their arguments only (common_control.hpp) -----------------------

  void find_simple();
  [[nodiscard]] bool is_checked(int unit, int depth) const;
  [[nodiscard]] bool is_failure(int i) const;
  [[nodiscard]] bool is_end(Range r) const;
  [[nodiscard]] bool leads_out(int then, int unit, int depth) const;
  /// `a ? b : c`, `a && b`, `a || b`: the second part is evaluated when the first says so.
  void find_choices();
  void control();
  void branch(Statement const& s);
  void leave(int i);
  [[nodiscard]] bool ends_program(Range block, bool deep = true, int open = -1) const;
  [[nodiscard]] Statement const* around(int i, bool switches) const;
  void units();

  // ---- values --------------------------------------------------------------------------------------------

  void values() {
    for (Flow const& f : flows_.flows) {
      Common value =
          worse(f.element ? values_.element_of(f.value) : values_.of(f.value, f.deep), place_of(f));
      int const variable = f.to / 3;
      int const unit = names_.unit_of(f.at);
      // Where only some ranks get to a variable's declaration, the others have none.
      NamedVariable const& v = names_.variable(variable);
      Common const reached = facts_.tokens[static_cast<std::size_t>(f.at)];
      bool const inside = v.unit >= 0 && v.unit == unit && v.token >= 0 && f.to % 3 == 0 && !v.reference &&
                          facts_.tokens[static_cast<std::size_t>(v.token)] >= reached;
      if (!inside) value = worse(value, reached);
      // What is local to a function that only some ranks call, other ranks have not.
      bool const local = unit >= 0 && v.unit == unit && f.to % 3 == 0 && !v.reference;
      if (unit >= 0 && is_rare(unit) && !local) value = Common::kUnproven;
      lower(f.to, value);
    }
    for (int u = 0; u < names_.units(); ++u) arguments(u);
    for (auto const& [a, b] : flows_.links) {
      lower(a, facts_.places[static_cast<std::size_t>(b)]);
      lower(b, facts_.places[static_cast<std::size_t>(a)]);
    }
  }
  /// Whether it is the same thing on all ranks that is set.
  [[nodiscard]] Common place_of(Flow const& f) const {
    Common out = Common::kYes;
    int const last = f.to / 3;
    for (int i = f.place.begin; i < f.place.end; ++i) {
      if (code_.is(i, "[") ||
          (code_.is(i, "(") && !values_accesses().is_cast(i) && values_accesses().is_call(i))) {
        out = worse(out, values_.of(code_.inside(i)));
        i = code_.partner(i);
      } else if (code_.is_word(i)) {
        int const v = names_.resolve(i);
        if (v >= 0 && v != last) out = worse(out, facts_.places[static_cast<std::size_t>(location(v, 0))]);
      }
    }
    return out;
  }
  [[nodiscard]] ValueAccessReader values_accesses() const { return {code_, names_}; }

  void arguments(int unit) {
    auto const& parameters = names_.parameters(unit);
    bool const main = names_.is_main(unit);
    auto const& sites = flows_.sites[static_cast<std::size_t>(unit)];
    bool const unseen = !main && (sites.empty() || flows_.taken.count(unit) != 0);
    bool const simple = facts_.simple[static_cast<std::size_t>(unit)] != 0;
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      int const v = parameters[k];
      if (v < 0 || main || (simple && !unseen)) continue;
      // Copies and moves of objects.
      if (unseen && moves_common_ && is_own_class(unit, v)) continue;
      if (unseen) {
        for (Location l : ValueAccessReader::all(v)) lower(l, Common::kUnproven);
        continue;
      }
      for (UnitCall const& site : sites) {
        if (!reached(site.at) || k >= site.args.size()) continue;  // Its effects are told by `rare`.
        lower(location(v, 0), values_.of(site.args[k]));
      }
    }
  }
  /// Whether `unit` makes or sets an object from the object `parameter` of its class.
  [[nodiscard]] bool is_own_class(int unit, int parameter) const {
    if (names_.is_lambda(unit)) return false;
    Function const& f = p_.structure.functions[static_cast<std::size_t>(unit)];
    ProgramClass const* c = nullptr;
    for (ProgramClass const& each : names_.classes()) {
      bool const scope = !each.name.empty() && std::string_view(f.scope).ends_with(each.name);
      if (scope && (f.name == "operator=" || f.name == each.name)) c = &each;
    }
    Range const type = names_.variable(parameter).type;
    for (int i = type.begin; c != nullptr && i < type.end; ++i)
      if (code_.is_word(i) && names_.find_class(code_.text(i)) == c) return true;
    return false;
  }
  /// Whether all ranks come to `i` alike. What only some ranks do cannot change what is local to a function.
  [[nodiscard]] bool reached(int i) const { return all_reach(i); }

  ExpandedProgram const& p_;
  Code const& code_;
  ProgramNames const& names_;
  FlowTable flows_;
  CommonFacts facts_{};
  CommonValues values_;
  struct Choice {
    Range condition, chosen;
  };
  std::vector<Choice> choices_{};
  bool moves_common_ = true;
  bool changed_ = false;
};

}  // namespace cuco::impl

#include "cuco/transform/impl/common_control.hpp"
