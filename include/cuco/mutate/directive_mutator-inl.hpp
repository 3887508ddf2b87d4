// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cuco/core/impl/inline.hpp"
#include "cuco/directives/impl/words.hpp"
#include "cuco/mutate/directive_mutator.hpp"
#include "cuco/transform/generated_section-inl.hpp"  // the writer; compiled in the same file

namespace cuco {

namespace impl {

/// The words of `to` that differ from `from`: "ctas=32 unroll=8".
CUCO_EVOLVE_INLINE std::string difference(Directives const& from, Directives const& to) {
  auto const a = to_string(from), b = to_string(to);
  auto const x = split_words(a), y = split_words(b);
  std::string out;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (x[i].second == y[i].second) continue;
    out += (out.empty() ? "" : " ") + std::string(y[i].first) + "=" + std::string(y[i].second);
  }
  return out;
}

/// "ctas=32 unroll=8" -> "ctas_32_unroll_8".
CUCO_EVOLVE_INLINE std::string mutation_name(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '=' || c == ' ' || c == '-'; }, '_');
  return text;
}

CUCO_EVOLVE_INLINE std::string all_directives(std::vector<GeneratedCollective> const& all) {
  std::string out;
  for (auto const& c : all) out += (out.empty() ? "" : "; ") + c.name + ": " + to_string(c.directives);
  return out;
}

}  // namespace impl

CUCO_EVOLVE_INLINE Result<Mutation> DirectiveMutator::mutate(MutationContext const& context, Rng& rng) const {
  std::string const& parent = context.parent.code;
  auto const writer = impl::SectionWriter::open(parent);
  if (!writer)
    return fail(ErrorCode::kNotFound,
                writer.error().code == ErrorCode::kNotFound
                    ? "the parent has no generated section whose directives could change"
                    : "the parent's generated section cannot be read: " + to_line(writer.error()),
                "transform a host-driven program first, or use another mutator");
  auto const& all = writer->collectives();
  std::unordered_set<std::string_view> known;
  if (context.known_codes != nullptr) known.insert(context.known_codes->begin(), context.known_codes->end());
  known.insert(parent);

  std::size_t const first = rng.below(all.size());
  std::size_t tried = 0;
  for (std::size_t k = 0; k < all.size(); ++k) {
    std::size_t const target = (first + k) % all.size();
    GeneratedCollective const original = all[target];
    Directives start = original.directives;
    int const steps =
        context.phase == Phase::kExplore
            ? 1 + static_cast<int>(rng.below(static_cast<std::size_t>(std::max(1, options_.explore_steps))))
            : 1;
    for (int step = 1; step < steps; ++step) {
      auto const next = neighbours(start, original.site);
      if (!next.empty()) start = next[rng.below(next.size())];
    }
    // Breadth first from there, each ring in random order.
    std::set<std::string> seen{to_string(start)};
    std::deque<Directives> ring{start};
    while (!ring.empty() && tried < options_.most_regenerated) {
      auto next = neighbours(ring.front(), original.site);
      ring.pop_front();
      for (std::size_t i = next.size(); i > 1; --i) std::swap(next[i - 1], next[rng.below(i)]);
      for (Directives const& point : next) {
        if (!seen.insert(to_string(point)).second) continue;
        ring.push_back(point);
        if (point == original.directives || tried >= options_.most_regenerated) continue;
        ++tried;
        auto collectives = all;
        collectives[target].directives = point;
        auto code = writer->write(collectives);
        // Another launcher of the parent may be at a point that is not legal: somebody wrote over it.
        if (!code || known.count(*code) != 0) continue;
        std::string const change = impl::difference(original.directives, point);
        Mutation out;
        out.code = std::move(*code);
        out.patch_type = "directive";
        out.name = impl::mutation_name(change);
        out.description = original.name + ": " + change;
        out.metadata.push_back({"directives", impl::all_directives(collectives)});
        return out;
      }
    }
  }
  return fail(ErrorCode::kNotFound,
              "every point of the design space near the parent is known",
              "take another parent or another mutator");
}

}  // namespace cuco
