// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/analysis/impl/variables.hpp"
#include "cuco/transform/impl/expanded_program.hpp"
#include "cuco/transform/impl/known_functions.hpp"

namespace cuco::impl {

/// A variable, parameter or member; members of one name are one, whatever their class. Also what a function
/// returns.
struct NamedVariable {
  enum class Kind : std::uint8_t { kScalar, kPointer, kArray, kContainer, kOther };
  int token = -1;    ///< Where it is declared.
  Range scope{};     ///< Where the name is visible; empty: everywhere.
  Range type{};      ///< In front of the name.
  int unit = kNone;  ///< The function or lambda it is local to.
  Kind kind = Kind::kOther;
  int stars = 0;  ///< Pointers in its type.
  bool reference = false;
  bool constant = false;
  bool numbers = false;  ///< Its type is made of numbers.
  bool scalar = false;   ///< A number, or an array or container of numbers.
  bool object = false;   ///< Of a class of the program, and no pointer, array or container.
};

/// A class of the program.
struct ProgramClass {
  std::string_view name;
  int open = -1;
  Range head{};                                        ///< From the keyword to the `{`.
  std::vector<int> members{};                          ///< Variables, in order.
  std::vector<std::pair<Index, bool>> constructors{};  ///< And whether `explicit`.
};

/// What the names of an expanded program mean. Units are its functions, then its lambdas.
class ProgramNames {
 public:
  explicit ProgramNames(ExpandedProgram const& p) : p_(p), code_(p.code) {
    functions_ = static_cast<int>(p.structure.functions.size());
    read_classes();
    read_functions();
    for (std::size_t c = 0; c < classes_.size(); ++c) read_objects(classes_[c].head, classes_[c].open);
    for (Statement const& s : p.structure.statements) read_statement(s);
    for (Lambda const& l : p.lambdas->all()) read_lambda(l);
    for (int u = 0; u < units(); ++u) read_result(u);
    order_locals();
    for (int i = 0; i < code_.size(); ++i) read_constants(i);
    for (int i = 0; i < code_.size(); ++i) {
      // Members of the libraries' classes.
      if (!code_.is_word(i) || !is_member(i) || global_.count(code_.text(i)) != 0) continue;
      if (members_.emplace(code_.text(i), static_cast<int>(variables_.size())).second)
        variables_.emplace_back();
    }
  }

  [[nodiscard]] std::vector<NamedVariable> const& variables() const { return variables_; }
  [[nodiscard]] std::vector<ProgramClass> const& classes() const { return classes_; }
  [[nodiscard]] NamedVariable const& variable(int v) const { return variables_[static_cast<std::size_t>(v)]; }
  [[nodiscard]] int units() const { return functions_ + static_cast<int>(p_.lambdas->all().size()); }
  [[nodiscard]] bool is_lambda(int unit) const { return unit >= functions_; }
  [[nodiscard]] Lambda const& lambda(int unit) const {
    return p_.lambdas->all()[static_cast<std::size_t>(unit - functions_)];
  }
  [[nodiscard]] Range body(int unit) const {
    return is_lambda(unit) ? lambda(unit).body
                           : p_.structure.function_tokens[static_cast<std::size_t>(unit)].body;
  }
  /// Parameters of `unit`; -1 for one without name.
  [[nodiscard]] std::vector<int> const& parameters(int unit) const {
    return parameters_[static_cast<std::size_t>(unit)];
  }
  /// The variable that stands for what `unit` returns.
  [[nodiscard]] int result(int unit) const { return results_[static_cast<std::size_t>(unit)]; }

  /// The function or lambda whose code token `i` is; -1 outside of them.
  [[nodiscard]] int unit_of(int i) const { return unit_of_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] bool is_main(int unit) const {
    return unit >= 0 && !is_lambda(unit) &&
           p_.structure.functions[static_cast<std::size_t>(unit)].name == "main";
  }
  /// Whether token `i` is run by devices only.
  [[nodiscard]] bool on_device(int i) const {
    Index const f = p_.structure.function_of[static_cast<std::size_t>(i)];
    if (f == kNone) return false;
    Function const& function = p_.structure.functions[static_cast<std::size_t>(f)];
    return function.is_kernel || function.is_device;
  }

  /// Functions of the program named `name`.
  [[nodiscard]] std::vector<int> const& functions(std::string_view name) const {
    static std::vector<int> const kNothing;
    auto const it = by_function_.find(name);
    return it == by_function_.end() ? kNothing : it->second;
  }
  [[nodiscard]] bool defines_function_at(int i) const { return definitions_.count(i) != 0; }
  [[nodiscard]] bool is_constant(std::string_view name) const { return constants_.count(name) != 0; }
  [[nodiscard]] bool is_type(std::string_view name) const {
    return is_library_type(name) || types_.count(name) != 0;
  }
  [[nodiscard]] ProgramClass const* find_class(std::string_view name) const {
    auto const alias = aliases_.find(name);
    for (ProgramClass const& c : classes_)
      if (c.name == name || (alias != aliases_.end() && c.name == alias->second)) return &c;
    return nullptr;
  }

  [[nodiscard]] bool is_member(int i) const {
    return code_.is(i - 1, ".") || code_.is(i - 1, "->") || code_.is(i - 1, ".*");
  }
  /// The variable or member that the word at `i` names, or -1.
  [[nodiscard]] int resolve(int i) const {
    std::string_view const name = code_.text(i);
    if (is_member(i) && global_.count(name) == 0) {
      auto const member = members_.find(name);
      return member == members_.end() ? -1 : member->second;
    }
    if (!is_member(i) && !code_.is(i - 1, "::")) {
      if (int const v = resolve_local(name, i); v >= 0) return v;
    }
    if (code_.is(i - 1, "::") && (code_.is(i - 2, "std") || code_.is(i - 2, "chrono"))) return -1;
    auto const it = global_.find(name);
    return it == global_.end() ? -1 : it->second;
  }
  [[nodiscard]] bool declares(int i) const { return declared_.count(i) != 0; }
  /// Whether token `i` is part of a declaration without effect, as of a function.
  [[nodiscard]] bool is_prototype(int i) const { return prototype_[static_cast<std::size_t>(i)] != 0; }

 private:
  using Kind = NamedVariable::Kind;

  void read_classes();

  void read_functions();

  void read_lambda(Lambda const& l);

  int parameter(Range r, Range scope, int unit) {
    int const name = parameter_name(code_, r);
    return name < 0 ? -1 : declare(name, {r.begin, name}, scope, unit);
  }

  void read_result(int unit);

  void read_statement(Statement const& s);

  /// `struct {…} name;`
  void read_objects(Range head, int open);

  /// Names that `r` declares, visible in `scope`.
  void read_declarations(Range r, Range scope);

  int declare(int token, Range type, Range scope, int unit);

  [[nodiscard]] bool has(Range r, std::string_view word) const {
    for (int i = r.begin; i < r.end; ++i)
      if (code_.is(i, word)) return true;
    return false;
  }

  /// Reads the kind of `v` off its type. Of `T *a, *b` what stands in front of the name counts, and the first
  /// word.
  void describe(NamedVariable& v) const;
  [[nodiscard]] bool is_number_name(std::string_view t) const {
    constexpr int kDeepest = 4;
    for (int depth = 0; depth < kDeepest; ++depth) {
      if (is_number(t)) return true;
      auto const alias = aliases_.find(t);
      if (alias == aliases_.end()) return false;
      t = alias->second;
    }
    return false;
  }
  [[nodiscard]] static bool is_number(std::string_view t) {
    return is_listed(
        "bool char short int long float double signed unsigned size_t ssize_t ptrdiff_t int8_t int16_t "
        "int32_t int64_t uint8_t uint16_t uint32_t uint64_t uintptr_t intptr_t ncclDataType_t "
        "ncclRedOp_t cudaError_t ncclResult_t",
        t);
  }

  /// Enumerators and template parameters.
  void read_constants(int i);

  ExpandedProgram const& p_;
  Code const& code_;
  int functions_ = 0;
  std::vector<NamedVariable> variables_{};
  std::vector<ProgramClass> classes_{};
  std::map<int, std::size_t> class_braces_{};
  /// Variables of functions that share a name, by where they are declared.
  struct Homonyms {
    std::vector<int> variables{};
    std::vector<int> last_end{};  ///< Where the last scope up to this one ends.
  };
  void order_locals() {
    for (auto& [name, all] : local_) {
      std::stable_sort(all.variables.begin(), all.variables.end(), [&](int a, int b) {
        return variable(a).token < variable(b).token;
      });
      int last = -1;
      for (int v : all.variables) all.last_end.push_back(last = std::max(last, variable(v).scope.end));
    }
  }
  /// The innermost one that is visible at `i`, or -1.
  [[nodiscard]] int resolve_local(std::string_view name, int i) const {
    auto const it = local_.find(name);
    if (it == local_.end()) return -1;
    auto const& [all, last_end] = it->second;
    auto const after =
        std::partition_point(all.begin(), all.end(), [&](int v) { return variable(v).token <= i; });
    for (auto k = static_cast<std::size_t>(after - all.begin()); k-- > 0 && last_end[k] > i;) {
      Range const scope = variable(all[k]).scope;
      if (scope.begin <= i && i < scope.end) return all[k];
    }
    return -1;
  }

  std::map<std::string_view, Homonyms> local_{};
  std::map<std::string_view, int> global_{}, members_{};
  std::map<std::string_view, std::vector<int>, std::less<>> by_function_{};
  std::map<std::string_view, std::string_view> aliases_{};
  std::set<int> definitions_{}, declared_{};
  std::set<std::string_view> constants_{}, types_{};
  std::vector<std::vector<int>> parameters_{};
  std::vector<int> results_{};
  std::vector<int> unit_of_{};
  std::vector<char> prototype_{};
};

}  // namespace cuco::impl

#include "cuco/transform/impl/program_names_reading.hpp"
