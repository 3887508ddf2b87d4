// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cuco/core/result.hpp"
#include "cuco/transform/impl/collective_uses.hpp"

namespace cuco::impl {

/// A use of ncclGroupStart or ncclGroupEnd.
struct GroupUse {
  NcclUse use;
  bool of_communicators = false;  ///< The group makes or ends communicators, so it stays NCCL's.
};

/// Which groups hold what: communicators are made and ended in groups of NCCL, data moves without.
class GroupReader {
 public:
  GroupReader(SourceModel const& m, std::vector<MacroBody> const& macros) : m_(m), macros_(macros) {}

  /// In source order. Errors: kRefused for a group that does both.
  [[nodiscard]] Result<std::vector<GroupUse>> read(std::string const& file) const {
    std::vector<GroupUse> out;
    for (NcclUse& use : find_uses(m_, macros_, is_group_call)) out.push_back({std::move(use)});
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (out[i].use.token < 0 || out[i].use.function != "ncclGroupStart") continue;
      std::size_t const end = end_of(out, i);
      int const last = end < out.size() ? out[end].use.token : body_end(out[i].use.token);
      bool const makes = any(out[i].use.token, last, makes_communicator);
      bool const moves =
          any(out[i].use.token, last, [](std::string_view w) { return find_collective(w) != nullptr; });
      if (makes && moves)
        return fail_at(ErrorCode::kRefused,
                       file,
                       out[i].use.line,
                       "a group makes communicators and moves data",
                       "use one group for each");
      if (auto const other = work_after_collective(out[i].use.token, last); other >= 0)
        return fail_at(
            ErrorCode::kRefused,
            file,
            m_.code.at(other).line,
            "work is given to the GPU between a collective and the end of its group",
            "move it before ncclGroupStart or after ncclGroupEnd; NCCL runs the collective at the end");
      out[i].of_communicators = makes;
      if (end < out.size()) out[end].of_communicators = makes;
    }
    return out;
  }

 private:
  static bool makes_communicator(std::string_view w) {
    return w.starts_with("ncclCommInit") || w == "ncclCommSplit" || w == "ncclCommDestroy" ||
           w == "ncclCommFinalize" || w == "ncclCommAbort" || w.starts_with("comm_init_rank") ||
           w == "comm_split" || w == "comm_destroy" || w == "comm_finalize" || w == "comm_abort";
  }

  /// The end that belongs to the start at `i`, in the same function.
  [[nodiscard]] std::size_t end_of(std::vector<GroupUse> const& uses, std::size_t i) const {
    int depth = 0;
    for (std::size_t k = i; k < uses.size(); ++k) {
      if (uses[k].use.token < 0 || m_.function_of(uses[k].use.token) != m_.function_of(uses[i].use.token))
        continue;
      depth += uses[k].use.function == "ncclGroupStart" ? 1 : -1;
      if (depth == 0) return k;
    }
    return uses.size();
  }

  [[nodiscard]] int body_end(int token) const {
    Index const f = m_.function_of(token);
    return f == kNone ? token : m_.structure.function_tokens[static_cast<std::size_t>(f)].body.end;
  }

  /// A launch, copy or fill after a collective in the same group, which would come before it with NCCL; -1:
  /// none.
  [[nodiscard]] int work_after_collective(int begin, int end) const {
    bool collective = false;
    for (int i = begin; i < end; ++i) {
      std::string_view const t = m_.code.text(i);
      auto const* call = m_.code.is_word(i) ? find_collective(t) : nullptr;
      collective = collective || (call != nullptr && call->peer < 0);
      bool const work = t == "<<<" || t.starts_with("cudaLaunch") || t.starts_with("cudaMemcpy") ||
                        t.starts_with("cudaMemset");
      if (collective && work) return i;
    }
    return -1;
  }

  template <class Predicate>
  [[nodiscard]] bool any(int begin, int end, Predicate matches) const {
    for (int i = begin; i < end; ++i)
      if (m_.code.is_word(i) && matches(m_.code.text(i))) return true;
    return false;
  }

  SourceModel const& m_;
  std::vector<MacroBody> const& macros_;
};

}  // namespace cuco::impl
