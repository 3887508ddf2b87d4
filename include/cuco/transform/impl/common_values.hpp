// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/value_flows.hpp"

namespace cuco::impl {

/// How far something is the same on all ranks.
enum class Common : std::uint8_t {
  kYes,
  kIfCallsSucceed,  ///< On all ranks whose calls of CUDA, NCCL and MPI went well.
  kUnproven
};
inline Common worse(Common a, Common b) {
  return std::max(a, b);
}

/// What is proven of a program's values and places so far. Begins with everything; `CommonProof` takes away
/// what does not hold until nothing changes, so what is left supports itself.
struct CommonFacts {
  std::vector<Common> places;  ///< By `Location`.
  std::vector<Common> tokens;  ///< Whether all ranks that begin a function or lambda get there alike.
  std::vector<char> rare;      ///< Units that only some ranks may begin.
  std::vector<char> simple;    ///< Units whose result depends on arguments and common values only.
};

/// Reads expressions: whether a value is the same on all ranks.
class CommonValues {
 public:
  CommonValues(ExpandedProgram const& p,
               ProgramNames const& names,
               CommonFacts const& facts,
               FlowTable const& flows)
      : code_(p.code), names_(names), accesses_(p.code, names), facts_(facts), flows_(flows) {
    for (Function const& f : p.structure.functions)
      if (f.name.starts_with("operator ")) conversions_.insert(f.name);
    for (Function const& f : p.structure.functions)
      if (f.name.starts_with("operator")) operators_.insert(std::string_view(f.name).substr(8));
    for (Token const& t : p.code.tokens)
      queries_ = queries_ || (t.text.starts_with("cuda") && is_query(t.text));
  }

  /// @param deep whether what the value points to counts, too.
  [[nodiscard]] Common of(Range r, bool deep = false) const {
    Common out = Common::kYes;
    for (int i = r.begin; i < r.end && out != Common::kUnproven;) out = worse(out, one(i, r.end, deep));
    return out;
  }

  /// An element of the container or list `r`.
  [[nodiscard]] Common element_of(Range r) const {
    Common out = of(r);
    for (int i = r.begin; i < r.end && !code_.is(r.begin, "{"); ++i) {
      bool const first = code_.is_word(i) && (code_.is(i, "this") || names_.resolve(i) >= 0);
      if (!first) continue;
      ValueAccess const a = accesses_.read(i);
      if (a.variable >= 0) out = worse(out, at(accesses_.places(a.variable, a.derefs + (a.address ? 0 : 1))));
      i = std::max(i, a.range.end - 1);
    }
    return out;
  }

 private:
  using Kind = NamedVariable::Kind;

  [[nodiscard]] Common at(Location l) const { return facts_.places[static_cast<std::size_t>(l)]; }
  [[nodiscard]] Common at(std::vector<Location> const& places) const {
    Common out = Common::kYes;
    for (Location l : places) out = worse(out, at(l));
    return out;
  }
  [[nodiscard]] Common result(int unit, bool deep) const {
    int const r = names_.result(unit);
    return worse(at(location(r, 0)), deep ? at(location(r, 1)) : Common::kYes);
  }

  /// The part of an expression that begins at `i`; moves `i` behind it.
  [[nodiscard]] Common one(int& i, int end, bool deep) const {
    std::string_view const t = code_.text(i);
    if (t == "[") {
      if (int const unit = lambda_at(i); unit >= 0) {
        i = names_.body(unit).end;
        bool const called = code_.is(i, "(") || deep;  // What it is given to may call it.
        return called ? result(unit, deep) : Common::kYes;
      }
    }
    if (!code_.is_word(i)) {
      Common const own = !operators_.empty() && operators_.count(t) != 0
                             ? results("operator" + std::string(t), deep)
                             : Common::kYes;
      ++i;
      return own;
    }
    int const open = accesses_.call_open(i);
    if (t == "sizeof" || t == "alignof" || t == "decltype") {
      i = code_.is(i + 1, "(") ? code_.partner(i + 1) + 1 : std::max(i + 1, accesses_.read(i + 1).range.end);
      return Common::kYes;
    }
    if (t == "reinterpret_cast" && open > 0) {
      bool pointer = false;
      for (int k = i + 2; k < open; ++k) pointer = pointer || code_.is(k, "*") || code_.is(k, "&");
      ++i;
      return pointer ? Common::kYes : Common::kUnproven;
    }
    if (t == "uintptr_t" || t == "intptr_t") return Common::kUnproven;
    if (names_.is_member(i) && open > 0) return method(i, open, deep);
    bool const self = t == "this";
    if (self || names_.resolve(i) >= 0) return variable(i, deep);
    if (code_.is(i + 1, "::")) {
      i += 2;
      return Common::kYes;
    }
    if (open > 0 && !names_.is_type(t)) return call(i, open, end, deep);
    bool const known = names_.is_type(t) || names_.is_constant(t) || is_library_constant(t) ||
                       names_.find_class(t) != nullptr || !names_.functions(t).empty();
    ++i;
    return known ? Common::kYes : Common::kUnproven;
  }

  [[nodiscard]] int lambda_at(int captures) const {
    for (int u = 0; u < names_.units(); ++u)
      if (names_.is_lambda(u) && names_.lambda(u).captures == captures) return u;
    return -1;
  }
  [[nodiscard]] Common results(std::string_view name, bool deep) const {
    Common out = Common::kYes;
    for (int f : names_.functions(name)) out = worse(out, result(f, deep));
    return out;
  }

  [[nodiscard]] Common variable(int& i, bool deep) const {
    ValueAccess const a = accesses_.read(i);
    int const last = std::max(a.range.end, i + 1);
    int const first = i;
    i = last;
    if (a.punned) return Common::kUnproven;
    // (status = call()) is what the call gives.
    if (code_.is(last, "=") && last == first + 1) return Common::kYes;
    Common out = Common::kYes;
    // What leads to it, and indices.
    for (int k = first; k < last; ++k) {
      if ((code_.is(k, "[") || code_.is(k, "(")) && k > first) {
        out = worse(out, of(code_.inside(k), deep));
        k = code_.partner(k);
      } else if (code_.is_word(k) && (k == first || names_.is_member(k))) {
        int const v = names_.resolve(k);
        if (v >= 0) out = worse(out, at(location(v, 0)));
      }
    }
    if (a.variable < 0) return out;
    NamedVariable const& v = names_.variable(a.variable);
    if (!a.address) out = worse(out, at(accesses_.places(a)));
    if (v.kind == Kind::kPointer && v.stars > 1 && a.derefs > 1 && !a.address)
      out = worse(out, at(location(a.variable, 2)));
    if (deep) out = worse(out, at(accesses_.pointees(a)));
    if (a.method >= 0 && code_.is(a.method - 1, "->"))
      out = worse(out, at(accesses_.places(a.variable, a.derefs + 1)));
    if (v.kind == Kind::kOther)
      for (std::string_view conversion : conversions_) out = worse(out, results(conversion, deep));
    // Addresses differ between ranks.
    bool const pointer = a.address || (v.kind == Kind::kPointer && a.derefs < v.stars);
    if (pointer && (is_number_cast(a.range.begin, first) || is_compared(a.range))) return Common::kUnproven;
    if (!a.path) {
      bool found = false;
      for (int u = 0; u < names_.units(); ++u) {
        if (!names_.is_lambda(u) || names_.lambda(u).name < 0 ||
            names_.resolve(names_.lambda(u).name) != a.variable)
          continue;
        found = true;
        out = worse(out, result(u, deep));
      }
      if (!found) return worse(out, through_pointer(a.range.end));
    }
    return out;
  }
  /// Which of two addresses is lower, and how far they are apart.
  [[nodiscard]] bool is_compared(Range r) const {
    for (int i : {r.begin - 1, r.end})
      if (code_.is(i, "<") || code_.is(i, ">") || code_.is(i, "<=") || code_.is(i, ">=")) return true;
    bool const minus = code_.is(r.end, "-") && code_.is_word(r.end + 1) && names_.resolve(r.end + 1) >= 0;
    return minus && names_.variable(names_.resolve(r.end + 1)).kind == Kind::kPointer;
  }
  [[nodiscard]] bool is_number_cast(int begin, int end) const {
    for (int k = begin; k < end; ++k)
      if (code_.is(k, "(") && accesses_.is_cast(k)) {
        bool star = false;
        for (int j = k; j < code_.partner(k); ++j) star = star || code_.is(j, "*");
        if (!star) return true;
      }
    return false;
  }

  [[nodiscard]] Common method(int& i, int open, bool deep) const {
    std::string_view const name = code_.text(i);
    ++i;
    bool const known =
        is_reading_method(name) || is_writing_method(name) ||
        is_listed("front back at top value data begin end rbegin rend cbegin cend get count", name);
    bool const own = !names_.functions(name).empty();
    if (!own && !known && names_.resolve(i - 1) >= 0)
      return worse(facts_.places[static_cast<std::size_t>(location(names_.resolve(i - 1), 0))],
                   through_pointer(open));
    if (own) return results(name, deep);
    return known && !is_listed("fetch_add fetch_sub pop", name) ? Common::kYes : Common::kUnproven;
  }

  /// What a call through a pointer with the arguments at `open` gives.
  [[nodiscard]] Common through_pointer(int open) const {
    std::size_t const arguments = code_.split(code_.inside(open)).size();
    Common out = Common::kYes;
    bool any = false;
    for (int f : flows_.valued) {
      if (names_.parameters(f).size() != arguments) continue;
      any = true;
      out = worse(out, result(f, false));
    }
    for (int u = 0; u < names_.units(); ++u)
      if (names_.is_lambda(u) && names_.parameters(u).size() == arguments) out = worse(out, result(u, false));
    return any ? out : Common::kUnproven;
  }

  [[nodiscard]] Common call(int& i, int open, int end, bool deep) const {
    std::string_view const name = code_.text(i);
    bool const library = code_.is(i - 1, "::") && (code_.is(i - 2, "std") || code_.is(i - 2, "chrono"));
    auto const& functions = library ? names_.functions({}) : names_.functions(name);
    int const from = i;
    ++i;
    if (!functions.empty()) {
      if (names_.find_class(name) != nullptr) return Common::kYes;
      Common out = results(name, deep);
      bool simple = true, pointers = false;
      for (int f : functions) {
        simple = simple && facts_.simple[static_cast<std::size_t>(f)] != 0;
        for (int v : names_.parameters(f))
          pointers = pointers || v < 0 || names_.variable(v).kind != Kind::kScalar;
      }
      if (simple && pointers) out = worse(out, of(code_.inside(open), true));
      return out;
    }
    if (is_recognised_call(name)) {
      i = std::min(end, code_.partner(open) + 1);
      return is_status(name) && !(queries_ && is_last_error(name)) ? Common::kIfCallsSucceed
                                                                   : Common::kUnproven;
    }
    if (name == "getenv" || name == "secure_getenv") {
      Range const r = code_.inside(open);
      bool const literal = r.size() == 1 && code_.at(r.begin).kind == TokenKind::kString;
      return literal && !is_of_one_process(code_.text(r.begin)) ? Common::kYes : Common::kUnproven;
    }
    if (is_listed("strtol strtoul strtoll strtoull strtod strtof", name)) {
      // The second argument only is set.
      auto const args = code_.split(code_.inside(open));
      i = std::min(end, code_.partner(open) + 1);
      return args.empty() ? Common::kUnproven : of(args.front(), true);
    }
    if (effect_of(name) == Effect::kPure) {
      bool const deeper = is_listed(
          "strcmp strncmp strcasecmp strlen strstr memcmp atoi atol atof stoi stoul stoull accumulate "
          "max_element min_element count count_if find find_if equal any_of all_of none_of",
          name);
      if (deeper) {
        i = std::min(end, code_.partner(open) + 1);
        return of(code_.inside(open), true);
      }
      return Common::kYes;
    }
    (void)from;
    return Common::kUnproven;
  }

  Code const& code_;
  ProgramNames const& names_;
  ValueAccessReader accesses_;
  CommonFacts const& facts_;
  FlowTable const& flows_;
  std::set<std::string_view> operators_{};
  std::set<std::string_view> conversions_{};
  bool queries_ = false;
};

}  // namespace cuco::impl
