// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cuco/transform/impl/device_stage.hpp"
#include "cuco/transform/impl/infrastructure_stage.hpp"
#include "cuco/transform/rule_rewriter.hpp"

namespace cuco {

template <Api A>
Result<Rewrite> RuleRewriter<A>::rewrite(RewriteRequest const& request) const {
  auto out = [&]() -> Result<Rewrite> {
    if (request.stage != TransformStage::kSingle) return one_stage(request);
    RewriteRequest step = request;
    step.stage = TransformStage::kInfrastructure;
    auto first = one_stage(step);
    if (!first) return first;
    step.stage = TransformStage::kDevice;
    step.source = std::move(first->code);
    auto second = one_stage(step);
    if (second) second->changes.insert(second->changes.begin(), first->changes.begin(), first->changes.end());
    return second;
  }();
  if (out) out->by = name(), out->by_rules = true;
  return out;
}

template <Api A>
Result<Rewrite> RuleRewriter<A>::one_stage(RewriteRequest const& request) const {
  auto model = impl::SourceModel::make(request.source, request.file);
  if (!model) return forward_error(std::move(model));
  if (request.stage == TransformStage::kDevice) return impl::DeviceStage(**model, A, request).run();
  return impl::InfrastructureStage(**model, A, request).run();
}

#ifdef CUCO_EVOLVE_BODIES
template class RuleRewriter<Api::LSA>;
template class RuleRewriter<Api::GIN>;
template class RuleRewriter<Api::Auto>;
#endif

}  // namespace cuco
