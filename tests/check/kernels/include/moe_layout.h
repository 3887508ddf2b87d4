// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

// Every rank owns one expert. A batch of kTokens tokens per rank is spread over the experts; each source rank has
// kTokens places in every expert's inbox, and gets its answers back into the places its tokens came from.
constexpr int kTokens = 12, kDim = 8, kMaxRanks = 8;

struct Batch {
  float tokens[kTokens][kDim];
};

struct MoeMemory {
  Batch outgoing;              // sorted by expert
  Batch inbox[kMaxRanks];      // [source]
  Batch answers;
};

// How many tokens rank `from` has for expert `to`; they sum to at most kTokens.
__host__ __device__ inline int tokens_for(int from, int to, int nranks, int batch) {
  return kTokens / nranks - ((from + to + batch) % 3 == 0 ? 1 : 0);
}
// Where they start among the outgoing tokens.
__host__ __device__ inline int first_for(int from, int to, int nranks, int batch) {
  int first = 0;
  for (int e = 0; e < to; ++e) first += tokens_for(from, e, nranks, batch);
  return first;
}
