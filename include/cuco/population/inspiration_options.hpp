// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace cuco {

/// How many programs a mutator is shown besides the parent.
struct InspirationOptions {
  int archive = 5;  ///< Programs from the archive: the best, some elites, random ones.
  int top_k = 2;    ///< The best archive members that are not among those.
  double elite_ratio =
      0.3;  ///< floor(archive * elite_ratio) of the archive inspirations are the island's best.
};

}  // namespace cuco
