// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "cuco/analysis/analyzer.hpp"
#include "cuco/transform/rule_rewriter.hpp"

namespace cuco::testing {

inline Result<Rewrite> rewrite(Api api,
                               std::string const& code,
                               TransformStage stage,
                               std::optional<Directives> directives = {}) {
  auto report = Analyzer{}.analyze(code, "program.cu");
  if (!report) return forward_error(std::move(report));
  RewriteRequest const request{code, "program.cu", *report, stage, directives, 4, {}};
  if (api == Api::Auto) return RuleRewriter<Api::Auto>{}.rewrite(request);
  return api == Api::LSA ? RuleRewriter<Api::LSA>{}.rewrite(request)
                         : RuleRewriter<Api::GIN>{}.rewrite(request);
}

/// Both stages.
inline Result<std::string> to_device(Api api,
                                     std::string const& code,
                                     std::optional<Directives> directives = {}) {
  auto a = rewrite(api, code, TransformStage::kInfrastructure, directives);
  if (!a) return forward_error(std::move(a));
  auto b = rewrite(api, a->code, TransformStage::kDevice, directives);
  if (!b) return forward_error(std::move(b));
  return b->code;
}

/// 1-based line of the first occurrence of `text`.
inline std::uint32_t line_of(std::string const& code, std::string const& text) {
  std::size_t const at = code.find(text);
  if (at == std::string::npos) return 0;
  return static_cast<std::uint32_t>(
      1 + std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

inline int occurrences(std::string const& code, std::string const& text) {
  int n = 0;
  for (std::size_t at = code.find(text); at != std::string::npos; at = code.find(text, at + text.size())) ++n;
  return n;
}

}  // namespace cuco::testing
