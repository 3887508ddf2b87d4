// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/transform/impl/value_flows.hpp"

namespace cuco::impl {

/// The call named at `i`, whatever its function is.
inline void FlowReader::call(int i) {
  int const open = code_.is_word(i) ? accesses_.call_open(i) : -1;
  if (open < 0 || names_.defines_function_at(i) || names_.declares(i) ||
      claimed_[static_cast<std::size_t>(i)] != 0)
    return;
  std::string_view const name = code_.text(i);
  if (is_control_word(name) || is_attribute_call(name) || code_.is(i + 1, "<<<")) return;
  Range const inside = code_.inside(open);
  auto const args = code_.split(inside);
  bool const member = names_.is_member(i);
  bool const library = code_.is(i - 1, "::") && (code_.is(i - 2, "std") || code_.is(i - 2, "chrono"));
  if (name == "make_unique" || name == "make_shared") {
    each_access(inside, [&](ValueAccess const& a) { covered_[static_cast<std::size_t>(a.root)] = 1; });
    return construct(classes_in({i + 1, open}), args, i);
  }
  if (member && is_listed("emplace_back emplace push_back push insert emplace_front", name)) {
    int const v = code_.is_word(i - 2) ? names_.resolve(i - 2) : -1;
    auto of = v >= 0 && names_.variable(v).kind == Kind::kContainer ? classes_in(names_.variable(v).type)
                                                                    : std::vector<ProgramClass const*>{};
    if (of.empty() && (v < 0 || !names_.variable(v).numbers))
      for (ProgramClass const& c : names_.classes()) of.push_back(&c);
    for (ProgramClass const* c : of)
      for (auto const& [f, only] : c->constructors)
        if (args.size() == names_.parameters(f).size() && (name.starts_with("emplace") || !only))
          bind(f, {i, args, {}});
  }
  if (!member && names_.resolve(i) >= 0) {
    // A lambda, which is bound elsewhere, or an object that is called.
    bool const lambda = std::any_of(p_.lambdas->all().begin(), p_.lambdas->all().end(), [&](Lambda const& l) {
      return l.name >= 0 && code_.is(l.name, name);
    });
    if (lambda) {
      each_access(inside, [&](ValueAccess const& a) { covered_[static_cast<std::size_t>(a.root)] = 1; });
      return;
    }
    indirect_.push_back({i, args, {i, i}, i});
    return;
  }
  if (member && names_.functions(name).empty() && names_.resolve(i) >= 0 && !is_reading_method(name) &&
      !is_writing_method(name)) {
    int begin = i;
    while (names_.is_member(begin) && begin > 1)
      begin = code_.is(begin - 2, "]") ? code_.partner(begin - 2) - 1 : begin - 2;
    indirect_.push_back({i, args, {begin, i - 1}, i});
    return;
  }
  auto const& functions = library ? names_.functions({}) : names_.functions(name);
  if (!functions.empty()) {
    ProgramClass const* c = member ? nullptr : names_.find_class(name);
    if (c != nullptr) return construct({c}, args, i);
    Range object{i, i};
    if (member) {
      int begin = i - 1;
      while (begin > 0 && (code_.is_word(begin - 1) || code_.is(begin - 1, "]") || code_.is(begin - 1, ")") ||
                           names_.is_member(begin) || code_.is(begin - 1, "::"))) {
        --begin;
        if (code_.partner(begin) >= 0) begin = code_.partner(begin);
        if (code_.is_word(begin) && is_listed("return else case", code_.text(begin))) break;
        if (code_.is_word(begin) && !names_.is_member(begin) && !code_.is(begin - 1, "::")) break;
      }
      object = {begin, i - 1};
    }
    for (int f : functions) bind(f, {i, args, object});
    return;
  }
  if (member) return;  // With its object.
  if (ProgramClass const* c = names_.find_class(name)) return construct({c}, args, i);
  if (names_.is_type(name)) {
    if (name.starts_with("unique_ptr") || name.starts_with("shared_ptr"))
      each_access(inside, [&](ValueAccess const& a) { covered_[static_cast<std::size_t>(a.root)] = 1; });
    return;
  }
  library_call(name, args, inside, i);
}

/// Whether the function whose name is used as a value at `i` stays in the program's own tables and variables.
inline bool FlowReader::is_kept(int i) const {
  for (int open = code_.enclosing(i); open >= 0 && !code_.is(open, "{"); open = code_.enclosing(open)) {
    if (!accesses_.is_call(open)) continue;
    int const name = code_.is(open - 1, ">") ? accesses_.angle_name(open) : open - 1;
    std::string_view const t = code_.text(name);
    bool const own = !names_.functions(t).empty() || names_.find_class(t) != nullptr;
    return own || (names_.is_member(name) && is_writing_method(t));
  }
  return true;
}

/// What a call through a pointer may call are the functions that are kept in variables.
inline void FlowReader::through_pointer(UnitCall site) {
  bool known = false, lambdas = false;
  for (int f : out_.valued)
    if (names_.parameters(f).size() == site.args.size()) {
      known = true;
      bind(f, site);
    }
  for (int u = 0; u < names_.units(); ++u) {
    if (!names_.is_lambda(u) || names_.parameters(u).size() != site.args.size()) continue;
    known = true;
    for (int v : names_.parameters(u))
      lambdas = lambdas || (v >= 0 && names_.variable(v).reference && !names_.variable(v).constant);
  }
  for (int f : names_.functions("operator()"))
    if (names_.parameters(f).size() == site.args.size()) {
      known = true;
      bind(f, site);
    }
  if (!known || lambdas) changes_arguments(site.args, true);
}

/// Classes of the program of which an object may be made from the list at `list` among arguments.
inline std::vector<ProgramClass const*> FlowReader::argument_classes(int list, bool& known) const {
  int const open = code_.enclosing(list);
  if (!accesses_.is_call(open)) return {};
  int const name = code_.is(open - 1, ">") ? accesses_.angle_name(open) : open - 1;
  std::string_view const t = code_.text(name);
  if (is_listed("max min", t)) {
    known = true;
    return {};
  }
  if (names_.is_member(name) && names_.functions(t).empty() && code_.is_word(name - 2)) {
    int const v = names_.resolve(name - 2);
    if (v < 0 || names_.variable(v).kind != Kind::kContainer) return {};
    auto const classes = classes_in(names_.variable(v).type);
    known = names_.variable(v).numbers || !classes.empty();
    return classes;
  }
  // The parameters of lambdas and functions.
  std::vector<int> units;
  int const variable = names_.is_member(name) ? -1 : names_.resolve(name);
  for (int u = 0; u < names_.units() && variable >= 0; ++u)
    if (names_.is_lambda(u) && names_.lambda(u).name >= 0 &&
        names_.resolve(names_.lambda(u).name) == variable)
      units.push_back(u);
  if (variable < 0) units = names_.functions(t);
  auto const args = code_.split(code_.inside(open));
  std::vector<ProgramClass const*> out;
  known = !units.empty();
  for (int u : units)
    for (std::size_t k = 0; k < args.size(); ++k) {
      if (list < args[k].begin || list >= args[k].end) continue;
      if (k >= names_.parameters(u).size() || names_.parameters(u)[k] < 0) {
        known = false;
        continue;
      }
      NamedVariable const& v = names_.variable(names_.parameters(u)[k]);
      auto const classes = classes_in(v.type);
      known = known && (!classes.empty() || v.numbers);
      out.insert(out.end(), classes.begin(), classes.end());
    }
  return out;
}

/// Looks for the only communicator, when it can only be one of all ranks: one id, which all get.
inline void FlowReader::find_world() {
  int ids = -1, creations = 0, made = 0;
  bool shared = false;
  only_world_ = true;
  for (int i = 0; i < code_.size(); ++i)
    if (is_listed("MPI_COMM_SELF MPI_Comm_split MPI_Comm_split_type MPI_Comm_create MPI_Comm_create_group "
                  "MPI_Cart_create MPI_Cart_sub MPI_Graph_create MPI_Dist_graph_create MPI_Comm_spawn "
                  "MPI_Comm_get_parent MPI_Intercomm_create MPI_Intercomm_merge MPI_Comm_f2c",
                  code_.text(i)))
      only_world_ = false;
  for (int i = 0; i < code_.size(); ++i) {
    if (!only_world_ || is_listed("ncclCommSplit ncclCommShrink ncclCommInitAll", code_.text(i))) {
      world_ = -1;
      return;
    }
    if (!code_.is(i + 1, "(")) continue;
    if (code_.is(i, "ncclGetUniqueId")) ids = i, ++made;
    if (code_.text(i).starts_with("ncclCommInitRank")) world_ = i, ++creations;
  }
  for (int i = 0; i < code_.size() && ids >= 0; ++i) {
    if (!code_.is(i, "MPI_Bcast") || !code_.is(i + 1, "(")) continue;
    auto const args = code_.split(code_.inside(i + 1));
    bool const same = !args.empty() && code_.squeezed(args[0]) == code_.squeezed(code_.inside(ids + 1));
    shared = shared || (same && args.size() == 5);
  }
  if (made != 1 || creations != 1 || !shared) world_ = -1;
}

/// Parameters of `unit` get what `site` passes.
inline void FlowReader::bind(int unit, UnitCall site) {
  auto const& parameters = names_.parameters(unit);
  for (std::size_t k = 0; k < site.args.size(); ++k) {
    if (k >= parameters.size() || parameters[k] < 0) {
      if (parameters.size() < site.args.size() && !parameters.empty() && parameters.back() >= 0)
        forget(ValueAccessReader::all(parameters.back()));  // A pack.
      continue;
    }
    NamedVariable const& v = names_.variable(parameters[k]);
    if (v.reference && v.constant) {
      // What is read through it is what is passed.
      each_access(site.args[k], [&](ValueAccess const& a) {
        covered_[static_cast<std::size_t>(a.root)] = 1;
        link({location(parameters[k], 1)}, accesses_.pointees(a));
      });
    } else {
      alias(whole(parameters[k], site.at), site.args[k]);
    }
  }
  out_.sites[static_cast<std::size_t>(unit)].push_back(std::move(site));
}

/// Functions that are not known may change all that they can reach.
inline void FlowReader::changes_arguments(std::vector<Range> const& args, bool by_name) {
  for (Range r : args)
    each_access(r, [&](ValueAccess const& a) {
      covered_[static_cast<std::size_t>(a.root)] = 1;
      forget(accesses_.pointees(a));
      bool const alone = a.range.begin == r.begin && a.range.end == r.end;
      if (by_name && alone && a.path) forget(accesses_.places(a));
    });
}

inline void FlowReader::library_call(std::string_view name,
                                     std::vector<Range> const& args,
                                     Range all,
                                     int at) {
  if (interface_call(name, args, at)) return;
  switch (effect_of(name)) {
    case Effect::kPure:
    case Effect::kQuiet:
      each_access(all, [&](ValueAccess const& a) {
        bool const read =
            effect_of(name) == Effect::kQuiet || is_listed("strtol strtoul strtoll strtoull", name);
        if (read) covered_[static_cast<std::size_t>(a.root)] = 1;
      });
      if (name == "exchange" && args.size() == 2)
        each_access(args[0], [&](ValueAccess const& a) { assign(a, args[1], at); });
      return;
    case Effect::kWriter: {
      bool const c = is_c_function(name);
      // An object is more than its variable shows.
      bool bytes = false;
      each_access(all, [&](ValueAccess const& a) {
        covered_[static_cast<std::size_t>(a.root)] = 1;
        NamedVariable const& v = names_.variable(a.variable);
        bytes = bytes || (c && a.address && v.kind == Kind::kOther && !v.scalar);
      });
      for (std::size_t k = 0; k < args.size(); ++k) {
        bool const written = !c || (name == "sscanf" ? k > 1 : k == 0);
        bool const by_name = name == "swap" || name == "iter_swap" || name == "fill" || name == "fill_n";
        if (written)
          each_access(args[k], [&](ValueAccess const& a) {
            if (bytes) forget(accesses_.pointees(a));
            set(accesses_.pointees(a), all, a.range, at, true);
            if (by_name) set(accesses_.places(a), all, a.range, at);
          });
      }
      if (name == "swap" && args.size() == 2)
        each_access(args[0], [&](ValueAccess const& a) { alias(a, args[1], false, false); });
      return;
    }
    case Effect::kUnknown: changes_arguments(args, !is_c_function(name)); return;
  }
}

/// A method that the program does not define is called on `object`.
inline void FlowReader::method(int i, ValueAccess const& object) {
  std::string_view const name = code_.text(i);
  int const open = accesses_.call_open(i);
  if (open < 0) return;
  auto const args = code_.split(code_.inside(open));
  bool const own = !names_.functions(name).empty();
  if (!is_writing_method(name) && names_.resolve(i) >= 0) return;  // A pointer to a function.
  if (is_writing_method(name)) {
    Range const all = code_.inside(open);
    int const through = code_.is(i - 1, "->") ? 1 : 0;
    set(accesses_.places(object.variable, object.derefs + through), all, object.range, i);
    if (object.derefs == 0) set({location(object.variable, 0)}, all, object.range, i);
    each_access(all, [&](ValueAccess const& a) {
      covered_[static_cast<std::size_t>(a.root)] = 1;
      link({location(object.variable, 1)}, accesses_.pointees(a));
      if (name == "swap") assign(a, object.range, i);
    });
  } else if (!own && !is_reading_method(name)) {
    forget(ValueAccessReader::all(object.variable));
    forget({location(names_.resolve(object.root) < 0 ? object.variable : names_.resolve(object.root), 0)});
    changes_arguments(args, true);
  }
}

/// CUDA, NCCL, MPI. Returns false for functions of others.
inline bool FlowReader::interface_call(std::string_view name, std::vector<Range> const& args, int at) {
  if (!is_recognised_call(name)) return false;
  auto given = [&](std::size_t k, auto visit) {
    if (k < args.size()) each_access(args[k], visit, true);
  };
  auto world = [&](std::size_t k) {
    if (k >= args.size()) return false;
    return (args[k].size() == 1 && code_.is(args[k].begin, "MPI_COMM_WORLD")) || only_world_;
  };
  for (std::size_t k = 0; k < args.size(); ++k)
    given(k, [&](ValueAccess const& a) { covered_[static_cast<std::size_t>(a.root)] = 1; });
  // Arguments that are set to the same on all ranks, and those that are only read.
  std::vector<std::size_t> common, read;
  bool const copies = name.starts_with("cudaMemcpy") && !name.starts_with("cudaMemcpyFromSymbol") &&
                      !name.starts_with("cudaMemcpyToSymbol") && !name.starts_with("cudaMemcpy3D");
  if (find_allocator(name) != nullptr || name.starts_with("cudaStreamCreate") ||
      name.starts_with("cudaEventCreate") || name.starts_with("ncclCommInitRank"))
    common = {0};
  if (name == "MPI_Init" || name == "MPI_Init_thread") read = {0, 1};
  if (name == "MPI_Comm_size" && world(0)) common = {1};
  if (name == "MPI_Bcast" && world(4)) common = {0};
  if (name == "MPI_Allreduce" && world(5)) common = {1}, read = {0};
  if ((name == "MPI_Allgather" && world(6)) || (name == "MPI_Allgatherv" && world(7)))
    common = {3}, read = {0};
  if (is_listed("MPI_Send MPI_Isend MPI_Ssend cudaFree cudaFreeHost cudaFreeAsync ncclMemFree ncclSend",
                name) ||
      name.starts_with("MPI_Reduce") || name.starts_with("MPI_Gather") || name.starts_with("MPI_All"))
    read.push_back(0);
  if (name.starts_with("cudaMemset")) {
    given(0, [&](ValueAccess const& a) {
      set(accesses_.pointees(a), {args.front().begin, args.back().end}, a.range, at);
    });
    read = {0};
  }
  if (copies && args.size() > 2) {
    std::size_t const from = name.starts_with("cudaMemcpy2D") || name.starts_with("cudaMemcpyPeer") ? 2 : 1;
    bool const same = gives_all_the_same(at);
    given(0, [&](ValueAccess const& a) {
      set(accesses_.pointees(a), same ? Range{} : args[from], a.range, at, !same);
    });
    given(from, [&](ValueAccess const& a) {
      // An object is more than its variable shows.
      NamedVariable const& v = names_.variable(a.variable);
      if (a.address && v.kind == Kind::kOther && !v.scalar)
        given(0, [&](ValueAccess const& to) { forget(accesses_.pointees(to)); });
    });
    read = {0, from};
  }
  if (auto const* s = find_collective(name); s != nullptr) {
    if (s->send >= 0) read.push_back(static_cast<std::size_t>(s->send));
    if (name == "ncclBcast" || name == "pncclBcast") read.clear();
    if (world_ >= 0 && s->recv >= 0 && is_listed("AllReduce AllGather Broadcast", s->collective)) {
      // All ranks receive the same, when all call it and have the same communicator.
      auto const made = code_.split(code_.inside(world_ + 1));
      given(static_cast<std::size_t>(s->recv), [&](ValueAccess const& a) {
        set(accesses_.pointees(a), {}, a.range, at);
        set(accesses_.pointees(a), made.size() > 1 ? made[1] : Range{}, {}, world_);
      });
      read.push_back(static_cast<std::size_t>(s->recv));
    }
  }
  // void* arguments[] = {&a, &b}; cudaLaunchKernel(…, arguments, …)
  if (name.starts_with("cudaLaunchKernel") || name == "cudaLaunchCooperativeKernel") {
    for (std::size_t k = 0; k < args.size(); ++k)
      if (args[k].size() == 1 && is_argument_array(names_.resolve(args[k].begin))) read.push_back(k);
  }
  for (std::size_t k = 0; k < args.size(); ++k) {
    if (std::find(read.begin(), read.end(), k) != read.end()) continue;
    bool const same = std::find(common.begin(), common.end(), k) != common.end();
    given(k, [&](ValueAccess const& a) {
      if (same) {
        set(accesses_.pointees(a), {}, a.range, at);
      } else {
        forget(accesses_.pointees(a));
      }
    });
  }
  return true;
}

/// for (void* p : {a, b}) cudaFree(p);
inline bool FlowReader::is_freed_in_turn(int i) const {
  int const list = code_.enclosing(i);
  int const open = code_.enclosing(list);
  if (!code_.is(list, "{") || !code_.is(list - 1, ":") || !code_.is(open - 1, "for")) return false;
  bool frees = false;
  int const body = code_.partner(open) + 1;
  int const end = code_.is(body, "{") ? code_.partner(body) : body + 64;
  for (int k = body; k < std::min(end, code_.size()) && !(code_.is(k, ";") && !code_.is(body, "{")); ++k) {
    if (code_.is(k, "<<<") || code_.is(k, "[") || code_.is(k, "=")) return false;
    frees = frees || code_.is(k, "cudaFree");
  }
  return frees;
}

/// Whether the pointer at `i` is a local variable that no other pointer gets its value from, and what it
/// points to is its own. Then kernels that do not get it do not change that; those that get it may only read
/// it.
inline bool FlowReader::is_alone(int i) const {
  int const variable = names_.resolve(i);
  if (variable < 0) return false;
  NamedVariable const& v = names_.variable(variable);
  if (v.kind != Kind::kPointer || v.unit < 0 || v.stars != 1 || code_.is(i + 1, "[") || code_.is(i + 1, "."))
    return false;
  bool own = false;
  for (int k = v.token; k < v.scope.end; ++k) {
    if (!code_.is(k, code_.text(v.token)) || names_.resolve(k) != variable) continue;
    if (k == v.token) {
      if (!code_.is(k + 1, "=")) continue;
      // What a function returns that allocates it.
      Range const value = expression(k + 2);
      for (int w = value.begin; w < value.end; ++w)
        for (int f : names_.functions(code_.text(w)))
          for (int b = names_.body(f).begin; b < names_.body(f).end; ++b)
            own = own ||
                  (code_.is(b, "cudaMalloc") &&
                   p_.structure.functions[static_cast<std::size_t>(f)].scope.find("::") == std::string::npos);
      continue;
    }
    int open = code_.enclosing(k);
    while (code_.is(open, "(") && accesses_.is_cast(open)) open = code_.enclosing(open);
    std::string_view const callee = code_.text(open - 1);
    bool const launched = callee == ">>>";
    if (is_freed_in_turn(k)) continue;
    if (!code_.is(open, "(") || (!launched && !is_recognised_call(callee))) return false;
    if (callee == "cudaMalloc") own = true;
    if (!launched) continue;
    // Only kernels before the collective may write it; those that do are in front of it in the text.
    if (k < i) {
      int mark = open - 1;
      while (mark > 0 && !code_.is(mark, "<<<")) --mark;
      int const angle = code_.is(mark - 1, ">") ? accesses_.angle_name(mark) : -1;
      auto const args = code_.split(code_.inside(open));
      for (int f : names_.functions(code_.text(angle >= 0 ? angle : mark - 1)))
        for (std::size_t a = 0; a < args.size(); ++a) {
          bool const here = args[a].begin <= k && k < args[a].end;
          auto const& parameters = names_.parameters(f);
          bool const reads =
              a < parameters.size() && parameters[a] >= 0 && names_.variable(parameters[a]).constant;
          if (here && !reads && !collective_between(k, i, variable)) return false;
        }
    }
  }
  return own;
}
/// Whether `variable` is received by a collective between the tokens `from` and `to`.
inline bool FlowReader::collective_between(int from, int to, int variable) const {
  for (int i = from; i < to; ++i) {
    auto const* s = code_.is(i + 1, "(") ? find_collective(code_.text(i)) : nullptr;
    if (s == nullptr || s->recv < 0) continue;
    auto const args = code_.split(code_.inside(i + 1));
    auto const k = static_cast<std::size_t>(s->recv);
    if (k < args.size() && args[k].size() == 1 && names_.resolve(args[k].begin) == variable) return true;
  }
  return false;
}

/// Whether the copy at `call` reads what a collective has just given to all ranks.
inline bool FlowReader::gives_all_the_same(int call) const {
  auto const copy = code_.split(code_.inside(call + 1));
  if (world_ < 0 || copy.size() < 3 || code_.text(call).find("2D") != std::string_view::npos) return false;
  std::string const source = code_.squeezed(copy[1]);
  auto block = [&](int i) {
    while (i >= 0 && !code_.is(i, "{")) i = code_.enclosing(i);
    // The braces of a check macro.
    while (i > 0 && code_.is(i - 1, "do")) {
      i = code_.enclosing(i);
      while (i >= 0 && !code_.is(i, "{")) i = code_.enclosing(i);
    }
    return i;
  };
  int const here = block(code_.enclosing(call));
  for (int i = call - 1; i > here; --i) {
    if ((code_.is(i, "<<<") && !is_alone(copy[1].begin)) || code_.is(i, "goto") || code_.is(i, "break") ||
        code_.is(i, "continue"))
      return false;
    if (!code_.is_word(i) || accesses_.call_open(i) < 0 || is_control_word(code_.text(i))) continue;
    std::string_view const name = code_.text(i);
    auto const* s = find_collective(name);
    if (s != nullptr && s->recv >= 0) {
      auto const args = code_.split(code_.inside(i + 1));
      if (static_cast<int>(args.size()) != s->arguments) return false;
      if (code_.squeezed(args[static_cast<std::size_t>(s->recv)]) != source) return false;
      auto const made = code_.split(code_.inside(world_ + 1));
      bool const all = s->collective == "AllGather" && made.size() > 1 &&
                       code_.squeezed(copy[2]).find(code_.squeezed(made[1])) != std::string::npos;
      if ((!all && !is_listed("AllReduce Broadcast", s->collective)) || block(code_.enclosing(i)) != here)
        return false;
      std::string const count = code_.squeezed(args[static_cast<std::size_t>(s->count)]);
      std::string const bytes = code_.squeezed(copy[2]);
      return count == "1" ? bytes.find('*') == std::string::npos : bytes.find(count) != std::string::npos;
    }
    bool const waits = is_sync_call(name) || name == "cudaEventElapsedTime" || name.starts_with("MPI_") ||
                       name == "ncclGroupEnd" || effect_of(name) != Effect::kUnknown;
    bool const own = !names_.functions(name).empty();
    bool quiet = own;
    for (int f : names_.functions(name)) {
      Range const body = names_.body(f);
      for (int k = body.begin; k < body.end; ++k)
        quiet = quiet && !code_.is(k, "<<<") &&
                (accesses_.call_open(k) < 0 || !code_.is_word(k) || is_control_word(code_.text(k)) ||
                 effect_of(code_.text(k)) != Effect::kUnknown || code_.is(k, "MPI_Abort") ||
                 names_.is_type(code_.text(k)) || code_.is(k, "runtime_error") || names_.is_member(k));
    }
    if (!waits && !quiet) return false;
  }
  return false;
}

/// Whether `variable` is an array of pointers to a kernel's arguments and nothing else.
inline bool FlowReader::is_argument_array(int variable) const {
  if (variable < 0) return false;
  NamedVariable const& v = names_.variable(variable);
  bool const pointers = v.kind == Kind::kArray && v.stars == 1 && code_.is(v.token - 2, "void");
  if (!pointers || v.unit < 0) return false;
  for (int i = v.token + 1; i < v.scope.end; ++i) {
    if (!code_.is(i, code_.text(v.token)) || names_.resolve(i) != variable) continue;
    int const open = code_.enclosing(i);
    bool const passed = code_.is(open, "(") && (code_.is(i - 1, "(") || code_.is(i - 1, ",")) &&
                        (code_.is(i + 1, ")") || code_.is(i + 1, ","));
    if (!passed || !code_.text(open - 1).starts_with("cudaLaunch")) return false;
  }
  return true;
}

/// What a kernel is given it may change, but not the pointers themselves.
inline void FlowReader::launch(int i) {
  if (!code_.is(i, "<<<")) return;
  int close = i;
  while (close < code_.size() && !code_.is(close, ">>>") && !code_.is(close, ";")) close = code_.next(close);
  if (!code_.is(close, ">>>") || !code_.is(close + 1, "(")) return;
  int const angle = code_.is(i - 1, ">") ? accesses_.angle_name(i) : -1;
  auto const& kernels = names_.functions(code_.text(angle >= 0 ? angle : i - 1));
  auto const args = code_.split(code_.inside(close + 1));
  for (std::size_t k = 0; k < args.size(); ++k) {
    bool const constant = !kernels.empty() && std::all_of(kernels.begin(), kernels.end(), [&](int f) {
      auto const& parameters = names_.parameters(f);
      return k < parameters.size() && parameters[k] >= 0 && names_.variable(parameters[k]).constant;
    });
    each_access(
        args[k],
        [&](ValueAccess const& a) {
          covered_[static_cast<std::size_t>(a.root)] = 1;
          if (constant) return;
          forget(accesses_.pointees(a));
          NamedVariable const& v = names_.variable(a.variable);
          if (v.kind != Kind::kOther || a.address) return;
          for (ProgramClass const& c : names_.classes())
            for (int m : c.members)
              if (names_.variable(m).stars > 0) forget({location(m, 1)});
        },
        true);
  }
}

}  // namespace cuco::impl
