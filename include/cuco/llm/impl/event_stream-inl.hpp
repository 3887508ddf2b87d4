// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <utility>

#include "cuco/core/impl/inline.hpp"
#include "cuco/llm/impl/event_stream.hpp"

namespace cuco::impl {

CUCO_EVOLVE_INLINE std::uint32_t crc32(std::string_view bytes) {
  static std::array<std::uint32_t, 256> const table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1U) != 0 ? (value >> 1U) ^ 0xEDB88320U : value >> 1U;
      made[i] = value;
    }
    return made;
  }();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (char const c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8U);
  return crc ^ 0xFFFFFFFFU;
}

CUCO_EVOLVE_INLINE std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// Total length, length of the headers and their checksum, four bytes each.
inline constexpr std::size_t kPrelude = 12;
inline constexpr std::size_t kTrailer = 4;
/// More than AWS allows a message to have (24 MiB of payload, 128 KiB of headers).
inline constexpr std::size_t kMostMessageBytes = std::size_t{32} << 20U;

/// Reads the headers of a message; false when they are malformed.
CUCO_EVOLVE_INLINE bool read_stream_headers(std::string_view bytes, StreamMessage& message) {
  std::size_t at = 0;
  auto const left = [&](std::size_t count) { return bytes.size() - at >= count; };
  while (at < bytes.size()) {
    std::size_t const name_size = big_endian(bytes, at, 1);
    ++at;
    if (!left(name_size + 1)) return false;
    std::string name(bytes.substr(at, name_size));
    at += name_size;
    unsigned const type = big_endian(bytes, at, 1);
    ++at;
    // Booleans have no value; then integers of 1, 2, 4 and 8 bytes, bytes, text, a time, a UUID.
    constexpr std::size_t kSizes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
    if (type > 9) return false;
    std::size_t size = kSizes[type];
    if (type == 6 || type == 7) {
      if (!left(2)) return false;
      size = big_endian(bytes, at, 2);
      at += 2;
    }
    if (!left(size)) return false;
    if (type == 7) message.headers[std::move(name)] = std::string(bytes.substr(at, size));
    at += size;
  }
  return true;
}

CUCO_EVOLVE_INLINE Status EventStreamParser::feed(std::string_view bytes,
                                                  std::vector<StreamMessage>& messages) {
  buffer_ += bytes;
  auto const damaged = [](char const* what) {
    return fail(ErrorCode::kParse, std::string("the event stream is damaged: ") + what);
  };
  std::string_view rest = buffer_;
  while (rest.size() >= kPrelude) {
    std::size_t const total = big_endian(rest, 0, 4);
    std::size_t const header_size = big_endian(rest, 4, 4);
    if (crc32(rest.substr(0, 8)) != big_endian(rest, 8, 4)) return damaged("wrong checksum of a prelude");
    if (total > kMostMessageBytes || total < kPrelude + kTrailer || header_size > total - kPrelude - kTrailer)
      return damaged("impossible length of a message");
    if (rest.size() < total) break;
    auto const frame = rest.substr(0, total);
    if (crc32(frame.substr(0, total - kTrailer)) != big_endian(frame, total - kTrailer, 4))
      return damaged("wrong checksum of a message");
    StreamMessage message;
    if (!read_stream_headers(frame.substr(kPrelude, header_size), message))
      return damaged("malformed headers");
    message.payload = frame.substr(kPrelude + header_size, total - kPrelude - kTrailer - header_size);
    messages.push_back(std::move(message));
    rest.remove_prefix(total);
  }
  buffer_.erase(0, buffer_.size() - rest.size());
  return {};
}

}  // namespace cuco::impl
