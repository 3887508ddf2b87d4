// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/transform/impl/rewriter_traits.hpp"
#include "cuco/transform/impl/transform_parts.hpp"
#include "cuco/transform/transformer.hpp"

namespace cuco {

template <Api A, Rewriter R, Verifier V>
Result<TransformResult> Transformer<A, R, V>::transform(SourceProgram const& program) {
  V const& verifier = verifier_;
  impl::transforming::TransformParts parts;
  parts.rewrite = [this](RewriteRequest const& request) { return rewriter_.rewrite(request); };
  parts.attempts = [this](TransformStage stage) { return impl::transforming::attempts_of(rewriter_, stage); };
  parts.verifier.verify =
      [&verifier](std::string const& code, std::string const& directory, std::string const& label) {
        return verifier.verify(code, directory, label);
      };
  if constexpr (requires { verifier.devices().fingerprint(); })
    parts.fingerprint = [&verifier] { return verifier.devices().fingerprint(); };
  return impl::transforming::run_transform(parts, A, options_, program);
}

}  // namespace cuco
