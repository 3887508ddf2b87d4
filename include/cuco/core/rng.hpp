// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace cuco {

namespace impl {
constexpr std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325ULL) {
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}
}  // namespace impl

/// The only source of randomness: xoshiro256** seeded by one number.
///
/// A run has one seed. Every role and every generation gets its own stream through `split`, so that adding
/// a draw in one place changes nothing elsewhere, and a resumed run continues as if it had never stopped.
/// Satisfies `std::uniform_random_bit_generator`. The distributions below are our own because those of
/// the standard library differ between implementations.
class Rng {
 public:
  using result_type = std::uint64_t;

  constexpr explicit Rng(std::uint64_t seed) : seed_(seed) {
    std::uint64_t state = seed;
    for (auto& word : state_) word = impl::splitmix64(state);
  }

  /// An independent stream named by `role` and `index`; does not advance this one.
  [[nodiscard]] constexpr Rng split(std::string_view role, std::uint64_t index = 0) const {
    std::uint64_t state = seed_ ^ impl::fnv1a(role);
    std::uint64_t mixed = impl::splitmix64(state) ^ (index * 0xd1342543de82ef95ULL + 1);
    return Rng(impl::splitmix64(mixed));
  }

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

  constexpr result_type operator()() {
    auto rotl = [](std::uint64_t x, unsigned k) { return (x << k) | (x >> (64U - k)); };
    std::uint64_t const out = rotl(state_[1] * 5, 7) * 9;
    std::uint64_t const t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotl(state_[3], 45);
    return out;
  }

  /// Uniform in [0, 1).
  constexpr double uniform() { return static_cast<double>((*this)() >> 11U) * 0x1.0p-53; }

  /// Uniform in [0, bound). `bound` must not be 0. Unbiased (rejection).
  constexpr std::size_t below(std::size_t bound) {
    std::uint64_t const limit = max() - max() % bound;
    std::uint64_t draw = (*this)();
    while (draw >= limit) draw = (*this)();
    return static_cast<std::size_t>(draw % bound);
  }

  /// True with probability `p`.
  constexpr bool chance(double p) { return uniform() < p; }

  /// An index drawn with probability proportional to `weights[i]`; uniform when all weights are 0.
  /// `weights` must not be empty and holds finite values >= 0.
  template <class Weights>
  constexpr std::size_t weighted(Weights const& weights) {
    double total = 0;
    for (double w : weights) total += w;
    std::size_t const n = weights.size();
    if (!(total > 0)) return below(n);
    double point = uniform() * total;
    for (std::size_t i = 0; i < n; ++i) {
      point -= weights[i];
      if (point < 0) return i;
    }
    return n - 1;
  }

  [[nodiscard]] constexpr std::uint64_t seed() const { return seed_; }

 private:
  std::uint64_t seed_;
  std::uint64_t state_[4]{};
};

}  // namespace cuco
