// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace cuco {

/// A point in an embedder's space. All embeddings of one embedder have the same dimension.
struct Embedding {
  std::vector<float> values;
};

}  // namespace cuco
