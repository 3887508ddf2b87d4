// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "cuco/core/api.hpp"
#include "cuco/core/result.hpp"
#include "cuco/evaluate/program_verifier.hpp"
#include "cuco/transform/load_program.hpp"
#include "cuco/transform/rewrite.hpp"
#include "cuco/transform/transform_options.hpp"
#include "cuco/transform/transform_result.hpp"

/// @file
/// A transformer's rewriter and verifier behind functions, so that what it does with them is compiled once.

namespace cuco::impl::transforming {

/// Any `Verifier`.
struct AnyVerifier {
  std::function<Result<VerifyOutcome>(
      std::string const& code, std::string const& directory, std::string const& label)>
      verify{};
};

struct TransformParts {
  std::function<Result<Rewrite>(RewriteRequest const&)> rewrite{};
  std::function<int(TransformStage)> attempts{};  ///< How often the rewriter wants to be asked.
  AnyVerifier verifier{};
  std::function<std::string()> fingerprint{};  ///< Of the verifier's devices; empty: it has none.
};

/// `Transformer::transform`.
[[nodiscard]] Result<TransformResult> run_transform(TransformParts const& parts,
                                                    Api api,
                                                    TransformOptions const& options,
                                                    SourceProgram const& program);

}  // namespace cuco::impl::transforming

#ifdef CUCO_EVOLVE_HEADER_ONLY
#include "cuco/transform/impl/transform_run-inl.hpp"
#endif
