// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuco/transform/impl/pipeline_parts.hpp"
#include "cuco/transform/pipeline.hpp"

namespace cuco {

template <class T>
Result<PipelineResult> Pipeline<T>::run(SourceProgram const& program, std::string const& output_directory) {
  impl::PipelineParts parts;
  parts.transform = [this](SourceProgram const& given) { return transformer_.transform(given); };
  parts.verify = [this](std::string const& code, std::string const& directory, std::string const& label) {
    return transformer_.verifier().verify(code, directory, label);
  };
  if constexpr (requires { transformer_.options().resume; }) parts.resume = transformer_.options().resume;
  return impl::run_pipeline(parts, models_, steps_, program, output_directory);
}

}  // namespace cuco
