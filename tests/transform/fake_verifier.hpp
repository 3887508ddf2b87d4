// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuco/transform/transformer.hpp"

namespace cuco::testing {

/// Says of each program what a test wants it to say, and remembers what it was asked.
struct FakeVerifier {
  struct Asked {
    std::string code, directory, label;
  };
  std::shared_ptr<std::vector<Asked>> asked = std::make_shared<std::vector<Asked>>();
  std::function<bool(Asked const&)> passes = [](Asked const&) { return true; };

  [[nodiscard]] Result<VerifyOutcome> verify(std::string const& code,
                                             std::string const& directory,
                                             std::string const& label) const {
    Asked const a{code, directory, label};
    asked->push_back(a);
    VerifyOutcome out;
    out.built = out.ran = true;
    out.verified = passes(a);
    out.slowest_ms = 1.0 / static_cast<double>(asked->size());
    out.origin = Origin::kModelled;
    if (!out.verified) out.message = "rank 1 printed 'Verification: FAIL'", out.diagnostics = "long story";
    return out;
  }
};
static_assert(Verifier<FakeVerifier>);

template <Api A>
using FakeTransformer = Transformer<A, RuleRewriter<A>, FakeVerifier>;

}  // namespace cuco::testing
