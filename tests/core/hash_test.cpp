// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/core/hash.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cuco {
namespace {

// Published values of MurmurHash3 x64 128: the hash must never change, stored names depend on it.
TEST(Hash, IsMurmur3) {
  EXPECT_EQ(content_hash_128(""), "00000000000000000000000000000000");
  EXPECT_EQ(content_hash_128("hello"), "cbd8a7b341bd9b025b1e906a48ae1d19");
  EXPECT_EQ(content_hash_128("The quick brown fox jumps over the lazy dog"),
            "e34bbc7bbc071b6c7a433ca9c49a9347");
}

TEST(Hash, ShortFormIsTheFirstHalf) {
  EXPECT_EQ(content_hash("hello"), "cbd8a7b341bd9b02");
  EXPECT_EQ(hash64("hello"), 0xcbd8a7b341bd9b02ULL);
}

TEST(Hash, TellsEveryLengthAndEveryByteApart) {
  std::set<std::string> seen;
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text(size, '\xff');
    EXPECT_TRUE(seen.insert(content_hash(text)).second) << size;
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\0';
      EXPECT_TRUE(seen.insert(content_hash(text)).second) << size << " " << at;
      text[at] = '\xff';
    }
  }
}

}  // namespace
}  // namespace cuco
