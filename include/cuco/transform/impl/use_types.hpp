// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "cuco/directives/site.hpp"
#include "cuco/transform/impl/collective_uses.hpp"
#include "cuco/transform/impl/constants.hpp"

namespace cuco::impl {

/// Which launcher stands in for an NCCL function.
inline std::optional<Collective> collective_of(CollectiveSignature const& s) {
  std::string_view const name = s.collective;
  if (name == "AllReduce") return Collective::kAllReduce;
  if (name == "AllGather") return Collective::kAllGather;
  if (name == "AlltoAll") return Collective::kAllToAll;
  if (name == "ReduceScatter") return Collective::kReduceScatter;
  if (name == "Broadcast") return Collective::kBroadcast;
  if (name == "Reduce") return Collective::kReduce;
  if (name == "Gather") return Collective::kGather;
  if (name == "Scatter") return Collective::kScatter;
  if (name == "Send" || name == "Recv") return Collective::kSendRecv;
  return std::nullopt;
}

/// What a use says about element type and reduction: constants, or nothing when only the running program
/// knows.
struct UseTypes {
  std::optional<ElementType> type;
  std::optional<Reduction> op;
  bool fixed = false;  ///< Type, and reduction where there is one, are constants.
};

/// Reads datatype and op of uses, and what the program's text mentions of them.
class UseTypeReader {
 public:
  UseTypeReader(SourceModel const& m, std::vector<MacroBody> const& macros) : m_(m), macros_(macros) {}

  [[nodiscard]] UseTypes read(NcclUse const& use) const {
    UseTypes out;
    CollectiveSignature const& s = *use.signature();
    if (!use.is_call || static_cast<int>(use.args.size()) != s.arguments) return out;
    out.type = element_type_of(constant(use, s.datatype, "ncclDataType_t"));
    if (s.op >= 0) out.op = reduction_of(constant(use, s.op, "ncclRedOp_t"));
    // A directive among the arguments chooses between several.
    Span const span{use.args.front().span.begin, use.args.back().span.end};
    bool const chosen =
        std::any_of(m_.code.directives.begin(), m_.code.directives.end(), [&](Token const& d) {
          return use.macro.empty() && d.offset >= span.begin && d.offset < span.end;
        });
    out.fixed = !chosen && out.type && (s.op < 0 || out.op) && collective_of(s) != Collective::kSendRecv;
    return out;
  }

  /// The constant that argument `index` of `use` stands for, or its text.
  [[nodiscard]] std::string constant(NcclUse const& use, int index, std::string_view type) const {
    std::string const text = use.args[static_cast<std::size_t>(index)].text;
    if (!use.macro.empty()) {
      auto const body = std::find_if(
          macros_.begin(), macros_.end(), [&](MacroBody const& b) { return b.name == use.macro; });
      bool const parameter =
          body != macros_.end() &&
          std::find(body->parameters.begin(), body->parameters.end(), text) != body->parameters.end();
      if (parameter) return {};
    }
    return constant_of(m_, text, type);
  }

  /// Every type and reduction that the program names outside the uses that are `fixed`.
  void mentioned(std::vector<Span> const& fixed, ElementTypes& types, Reductions& ops) const {
    auto add = [&](std::string_view text, Span where) {
      bool const taken = std::any_of(
          fixed.begin(), fixed.end(), [&](Span s) { return s.begin <= where.begin && where.end <= s.end; });
      if (taken || text.substr(0, 4) != "nccl") return;
      if (auto const type = element_type_of(text)) types.insert(*type);
      if (auto const op = reduction_of(text)) ops.insert(*op);
    };
    for (int i = 0; i < m_.code.size(); ++i)
      if (m_.code.is_word(i)) add(m_.code.text(i), m_.code.at(i).span());
    for (MacroBody const& body : macros_)
      for (Token const& t : body.stream.tokens)
        add(t.text, {t.span().begin + body.begin, t.span().end + body.begin});
  }

 private:
  SourceModel const& m_;
  std::vector<MacroBody> const& macros_;
};

}  // namespace cuco::impl
