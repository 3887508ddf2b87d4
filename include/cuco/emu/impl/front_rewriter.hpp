// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/emu/front_end.hpp"
#include "cuco/emu/impl/front_edits.hpp"
#include "cuco/emu/impl/front_kernels.hpp"
#include "cuco/emu/impl/front_refused.hpp"
#include "cuco/emu/impl/front_tokens.hpp"

namespace cuco::impl::emulating {

/// Where a token stands; inherited by the scopes inside it.
struct FrontScope {
  bool function = false;  ///< Inside a function (or a macro body).
  bool device = false;    ///< Inside a `__global__` or `__device__` function.
};

/// Rewrites one run of tokens: a file, or the body of one macro.
class Rewriter {
 public:
  struct Context {
    std::string const& file;
    KernelTable const& kernels;
    TextEdits& edits;
    EmulatedSource& out;
    std::vector<std::string> macro_parameters{};
    bool macro = false;
  };

  /// @param conditional per token: it stands under an `#if` of unknown value.
  Rewriter(TokenView const& tokens, std::vector<bool> const& conditional, Context context)
      : t_(tokens), conditional_(conditional), c_(std::move(context)) {}

  Status run() {
    scopes_.push_back({c_.macro, c_.macro});
    for (std::size_t i = 0; i < t_.size(); ++i) {
      Status done{};
      if (t_.is(i, "{")) {
        scopes_.push_back(scope_at(i));
        head_ = i + 1;
      } else if (t_.is(i, "}")) {
        if (scopes_.size() > 1) scopes_.pop_back();
        while (!shared_.empty() && shared_.back().depth > scopes_.size()) shared_.pop_back();
        head_ = i + 1;
      } else if (t_.is(i, ";")) {
        head_ = i + 1;
      } else if (t_.is(i, "<<<")) {
        done = launch(i);
      } else if (t_.is(i, "[") && scopes_.back().device) {
        capture_shared(i);
      } else if (t_.identifier(i)) {
        done = identifier(i);
      }
      if (!done) return done;
    }
    return {};
  }

 private:
  struct SharedName {
    std::string_view name;
    std::size_t depth;
    bool array;  ///< A reference to storage; else a pointer.
  };

  [[nodiscard]] tl::unexpected<Error> problem(ErrorCode code,
                                              std::size_t i,
                                              std::string cause,
                                              std::string remedy = {}) const {
    return fail_at(code, c_.file, t_[i].line, std::move(cause), std::move(remedy));
  }

  /// An error now, or one that the preprocessor raises if it keeps the token.
  Status not_emulated(std::size_t i, std::string_view what, std::string remedy = {}) {
    std::string cause = "not emulated: " + std::string(what);
    if (!conditional_[i]) return problem(ErrorCode::kRefused, i, std::move(cause), std::move(remedy));
    if (!c_.macro) c_.edits.insert(t_[i].offset, "_Pragma(\"GCC error \\\"" + cause + "\\\"\") ");
    return {};
  }

  [[nodiscard]] FrontScope scope_at(std::size_t brace) const {
    FrontScope scope = scopes_.back();
    bool name_space = false;
    bool type = false;
    bool parenthesis = false;
    for (std::size_t i = head_; i < brace; ++i) {
      if (t_.is(i, "namespace") || (t_.is(i, "extern") && t_[i + 1].kind == TokenKind::kString))
        name_space = true;
      if (t_.is(i, "struct") || t_.is(i, "class") || t_.is(i, "union") || t_.is(i, "enum")) type = true;
      if (t_.is(i, "(")) parenthesis = true;
      if (t_.is(i, "__global__") || t_.is(i, "__device__")) scope.device = true;
    }
    if (!name_space && (!type || parenthesis)) scope.function = true;
    return scope;
  }

  Status identifier(std::size_t& i) {
    std::string_view const text = t_[i].text;
    if (text == "__shared__") return shared(i);
    if ((text == "asm" || text == "__asm__") && scopes_.back().device) return inline_assembly(i);
    if (RefusedName const* entry = refused_name(text); entry != nullptr) {
      bool const declares = c_.kernels.count(text) != 0 || t_.is(i - 1, ".") || t_.is(i - 1, "->");
      bool const qualifier_only = text == "wmma" && !t_.is(i + 1, "::");
      if (!declares && !qualifier_only) return not_emulated(i, entry->what);
    }
    static constexpr std::array<std::string_view, 4> kKernelCalls = {
        "cudaLaunchCooperativeKernel", "cudaLaunchKernel", "cudaFuncSetAttribute", "cudaFuncGetAttributes"};
    // What stays a pointer to void is looked up when the program runs.
    bool kernel_call = text.substr(0, 13) == "cudaOccupancy" || text == "cudaFuncSetCacheConfig";
    for (std::string_view name : kKernelCalls) kernel_call = kernel_call || text == name;
    if (kernel_call && t_.is(i + 1, "(")) strip_casts(i + 1);
    if (c_.kernels.count(text) != 0) keep_kernel_type(i);
    return {};
  }

  Status inline_assembly(std::size_t i) {
    std::size_t j = i + 1;
    while (t_.is(j, "volatile") || t_.is(j, "__volatile__")) ++j;
    // An empty statement only keeps the compiler from moving code.
    if (t_.is(j, "(") && t_.is(j + 1, "\"\"")) return {};
    return not_emulated(i, "inline PTX (asm)", "use the CUDA intrinsic or the nccl device call for it");
  }

  /// `(void*)k` and its like among the arguments of the call whose `(` is at `open` become `k`.
  void strip_casts(std::size_t open) {
    std::size_t const close = t_.match(open);
    if (close == TokenView::kNone) return;
    for (auto [begin, end] : t_.split(open + 1, close)) {
      std::size_t cast_end = TokenView::kNone;
      if (t_.is(begin, "(")) {
        cast_end = t_.match(begin);
        if (cast_end == TokenView::kNone || !t_.is(cast_end - 1, "*")) continue;
      } else if (t_.is(begin + 1, "<") && (t_.is(begin, "reinterpret_cast") || t_.is(begin, "static_cast") ||
                                           t_.is(begin, "const_cast"))) {
        cast_end = t_.match_angle(begin + 1, end);
        if (cast_end == TokenView::kNone) continue;
      } else {
        continue;
      }
      bool to_void = false;
      for (std::size_t i = begin; i < cast_end; ++i) to_void = to_void || t_.is(i, "void");
      // `(void*)p` of an array of arguments (cudaLaunchKernel's `args`) is `void**`.
      if (!to_void || (t_.is(cast_end - 1, "*") && t_.is(cast_end - 2, "*"))) continue;
      for (std::size_t i = begin; i <= cast_end; ++i) c_.edits.erase(t_[i]);
      stripped_.insert(cast_end);
    }
  }

  /// `(void*)k` elsewhere: a kernel that is launched later through an untyped pointer must be known by then.
  void keep_kernel_type(std::size_t name) {
    std::size_t first = name;
    while (first > 1 && t_.is(first - 1, "::")) first = t_.identifier(first - 2) ? first - 2 : first - 1;
    if (first > 0 && t_.is(first - 1, "&")) --first;
    if (first == 0) return;
    std::size_t cast_end = first - 1;
    std::size_t cast_begin = TokenView::kNone;
    if (t_.is(cast_end, "(")) {
      if (cast_end == 0 || !t_.is(--cast_end, ">")) return;
      cast_begin = t_.match_angle_back(cast_end);
      if (cast_begin == TokenView::kNone || cast_begin == 0 || !t_.is(cast_begin - 1, "reinterpret_cast"))
        return;
    } else if (t_.is(cast_end, ")")) {
      cast_begin = t_.match_back(cast_end);
    }
    if (cast_begin == TokenView::kNone || stripped_.count(cast_end) != 0 || !t_.is(cast_end - 1, "*")) return;
    for (std::size_t i = cast_begin + 1; i < cast_end - 1; ++i)
      if (!t_.is(i, "void") && !t_.is(i, "const")) return;
    std::size_t last = name;
    if (t_.is(name + 1, "<")) last = t_.match_angle(name + 1);
    if (last == TokenView::kNone) return;
    c_.edits.insert(t_[first].offset, "::cuco::emu::kernel_pointer(");
    c_.edits.insert(t_[last].span().end, ")");
  }

  Status launch(std::size_t open);
  [[nodiscard]] std::size_t callable_begin(std::size_t open) const;
  [[nodiscard]] bool needs_lambda(std::size_t begin, std::size_t end) const;
  Status shared(std::size_t& i);
  void capture_shared(std::size_t open);

  TokenView const& t_;
  std::vector<bool> const& conditional_;
  Context c_;
  std::vector<FrontScope> scopes_{};
  std::vector<SharedName> shared_{};
  std::set<std::size_t> stripped_{};  ///< Last tokens of casts that have been taken away.
  std::size_t head_ = 0;              ///< First token of the statement or declaration.
};

}  // namespace cuco::impl::emulating

#include "cuco/emu/impl/front_launch.hpp"
#include "cuco/emu/impl/front_shared.hpp"
