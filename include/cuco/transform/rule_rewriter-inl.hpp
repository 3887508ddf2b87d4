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
