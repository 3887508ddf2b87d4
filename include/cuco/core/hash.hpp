// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cuco {

namespace impl {

/// MurmurHash3, x64 128-bit variant with seed 0: fast, well mixed, and published, so that other tools can
/// repeat it.
inline std::pair<std::uint64_t, std::uint64_t> murmur3_128(std::string_view bytes) {
  constexpr std::uint64_t c1 = 0x87c37b91114253d5ULL;
  constexpr std::uint64_t c2 = 0x4cf5ad432745937fULL;
  auto const rotl = [](std::uint64_t x, unsigned k) { return (x << k) | (x >> (64U - k)); };
  auto const finish = [](std::uint64_t k) {
    k = (k ^ (k >> 33U)) * 0xff51afd7ed558ccdULL;
    k = (k ^ (k >> 33U)) * 0xc4ceb9fe1a85ec53ULL;
    return k ^ (k >> 33U);
  };
  // Assembled by shifts, not memcpy, so that the value does not depend on the byte order of the host.
  auto const word = [](char const* p, std::size_t n) {
    std::uint64_t k = 0;
    for (std::size_t i = 0; i < n; ++i) k |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
    return k;
  };
  std::uint64_t h1 = 0;
  std::uint64_t h2 = 0;
  char const* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 16; left -= 16, p += 16) {
    h1 ^= rotl(word(p, 8) * c1, 31) * c2;
    h1 = (rotl(h1, 27) + h2) * 5 + 0x52dce729ULL;
    h2 ^= rotl(word(p + 8, 8) * c2, 33) * c1;
    h2 = (rotl(h2, 31) + h1) * 5 + 0x38495ab5ULL;
  }
  if (left > 8) h2 ^= rotl(word(p + 8, left - 8) * c2, 33) * c1;
  if (left > 0) h1 ^= rotl(word(p, left < 8 ? left : 8) * c1, 31) * c2;
  h1 ^= bytes.size();
  h2 ^= bytes.size();
  h1 += h2;
  h2 += h1;
  h1 = finish(h1);
  h2 = finish(h2);
  h1 += h2;
  h2 += h1;
  return {h1, h2};
}

inline std::string hex16(std::uint64_t value) {
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4U) text[i] = "0123456789abcdef"[value & 15U];
  return text;
}

}  // namespace impl

/// A number that names `bytes`; the same on every machine and in every version. Not against adversaries.
[[nodiscard]] inline std::uint64_t hash64(std::string_view bytes) {
  return impl::murmur3_128(bytes).first;
}

/// `hash64` as 16 lower-case hex digits.
[[nodiscard]] inline std::string content_hash(std::string_view bytes) {
  return impl::hex16(hash64(bytes));
}

/// 32 lower-case hex digits, for keys of caches, where a collision would give a wrong result.
[[nodiscard]] inline std::string content_hash_128(std::string_view bytes) {
  auto const [high, low] = impl::murmur3_128(bytes);
  return impl::hex16(high) + impl::hex16(low);
}

}  // namespace cuco
