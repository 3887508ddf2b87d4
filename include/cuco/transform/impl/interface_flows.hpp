// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cuco/transform/impl/value_flows.hpp"

namespace cuco::impl {

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
