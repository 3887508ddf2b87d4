// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuco/core/api.hpp"
#include "cuco/core/concepts.hpp"
#include "cuco/core/result.hpp"
#include "cuco/transform/rewrite.hpp"

namespace cuco {

/// Rewrites by rules over tokens: deterministic, and nothing of the user's text changes but the tokens that
/// must.
///
/// Stage A: buffers of collectives are allocated as symmetric memory (`cudaMalloc` becomes
/// `device_nccl::allocate`, and so on), registered before the loop or timer that uses them, and unregistered
/// before the communicator ends; a device communicator is created; host collectives stay. Stage B: each
/// NCCL call that moves data becomes the call of a generated launcher. `TransformStage::kSingle` is A, then
/// B.
///
/// Errors: kRefused with file, line, construct, reason and remedy, for everything in docs/transform.md that
/// the rules do not cover; kInvalidArgument when stage B is asked for before stage A. O(n log n) in the size
/// of the source.
template <Api A>
class RuleRewriter {
 public:
  [[nodiscard]] Result<Rewrite> rewrite(RewriteRequest const& request) const;
  [[nodiscard]] static char const* name() { return "rules"; }

 private:
  [[nodiscard]] Result<Rewrite> one_stage(RewriteRequest const& request) const;
};

}  // namespace cuco

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/rule_rewriter-inl.hpp"
#endif

namespace cuco {
static_assert(explain_rewriter<RuleRewriter<Api::LSA>>());
static_assert(explain_rewriter<RuleRewriter<Api::GIN>>());
static_assert(explain_rewriter<RuleRewriter<Api::Auto>>());
}  // namespace cuco
