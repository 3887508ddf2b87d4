// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuco/llm/impl/event_stream.hpp"
#include "cuco/llm/impl/sse_parser.hpp"
#include "llm_wire/formats.hpp"

using cuco::impl::crc32;
using cuco::impl::EventStreamParser;
using cuco::impl::SseEvent;
using cuco::impl::SseParser;
using cuco::impl::StreamMessage;

namespace {

std::vector<SseEvent> events_of(std::vector<std::string> const& pieces) {
  SseParser parser;
  std::vector<SseEvent> events;
  for (auto const& piece : pieces) EXPECT_TRUE(parser.feed(piece, events));
  parser.finish(events);
  return events;
}

// One text that has everything: a byte order mark, comments, all three line ends, data of several lines,
// fields without value or space, unknown fields, an event without data, and no blank line at the end.
std::string const kEverything =
    "\xEF\xBB\xBF: hello\r\n"
    "event: first\r\ndata: one\r\ndata: two\r\n\r\n"
    "id: 7\nretry: 10\ndata:no space\n\n"
    "event: nothing\n\n"
    "data\rdata:  two spaces\r\r"
    ":\n"
    "data: {\"a\": \"b: c\"}\n\n"
    "data: last";

std::vector<SseEvent> const kEvents = {
    {"first", "one\ntwo"}, {"", "no space"}, {"", "\n two spaces"}, {"", "{\"a\": \"b: c\"}"}, {"", "last"}};

}  // namespace

TEST(SseParser, ReadsEveryKindOfLine) {
  EXPECT_EQ(events_of({kEverything}), kEvents);
}

TEST(SseParser, IsCutAtAnyByte) {
  for (std::size_t cut = 0; cut <= kEverything.size(); ++cut)
    ASSERT_EQ(events_of({kEverything.substr(0, cut), kEverything.substr(cut)}), kEvents) << "cut at " << cut;
}

TEST(SseParser, IsCutAtEveryByte) {
  std::vector<std::string> bytes;
  for (char const c : kEverything) bytes.emplace_back(1, c);
  EXPECT_EQ(events_of(bytes), kEvents);
}

TEST(SseParser, IsCutAtAnyTwoBytes) {
  std::string const text = "data: a\r\n\r\ndata: b\r\rdata: c\n\n";
  std::vector<SseEvent> const wanted = {{"", "a"}, {"", "b"}, {"", "c"}};
  for (std::size_t i = 0; i <= text.size(); ++i)
    for (std::size_t j = i; j <= text.size(); ++j)
      ASSERT_EQ(events_of({text.substr(0, i), text.substr(i, j - i), text.substr(j)}), wanted)
          << i << " " << j;
}

TEST(SseParser, AnEventIsThereAsSoonAsItsBlankLineIs) {
  SseParser parser;
  std::vector<SseEvent> events;
  ASSERT_TRUE(parser.feed("data: x\n", events));
  EXPECT_TRUE(events.empty());
  ASSERT_TRUE(parser.feed("\n", events));
  EXPECT_EQ(events.size(), 1U);
}

TEST(SseParser, RefusesAnEventWithoutEnd) {
  SseParser parser(1000);
  std::vector<SseEvent> events;
  cuco::Status fed;
  for (int i = 0; i < 100 && fed; ++i) fed = parser.feed(std::string(50, 'x'), events);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, cuco::ErrorCode::kParse);

  SseParser lines(1000);
  fed = {};
  for (int i = 0; i < 100 && fed; ++i) fed = lines.feed("data: " + std::string(50, 'x') + "\n", events);
  EXPECT_FALSE(fed) << "many lines of one event";
}

TEST(EventStream, Crc32IsTheOneOfZip) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32(""), 0U);
}

namespace {

std::string two_frames() {
  return cuco_test::aws_frame({{":message-type", "event"}, {":event-type", "a"}}, "{\"x\":1}") +
         cuco_test::aws_frame({{":message-type", "event"}, {":event-type", "b"}}, std::string("\0\xFF", 2));
}

void expect_two(std::vector<StreamMessage> const& messages) {
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].header(":event-type"), "a");
  EXPECT_EQ(messages[0].payload, "{\"x\":1}");
  EXPECT_EQ(messages[1].header(":event-type"), "b");
  EXPECT_EQ(messages[1].payload, std::string("\0\xFF", 2));
  EXPECT_EQ(messages[1].header("none"), "");
}

}  // namespace

TEST(EventStream, IsCutAtAnyByte) {
  std::string const bytes = two_frames();
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    EventStreamParser parser;
    std::vector<StreamMessage> messages;
    ASSERT_TRUE(parser.feed(std::string_view(bytes).substr(0, cut), messages));
    ASSERT_TRUE(parser.feed(std::string_view(bytes).substr(cut), messages));
    ASSERT_NO_FATAL_FAILURE(expect_two(messages)) << "cut at " << cut;
    ASSERT_TRUE(parser.at_boundary());
  }
}

TEST(EventStream, KnowsThatAMessageIsIncomplete) {
  std::string const bytes = two_frames();
  EventStreamParser parser;
  std::vector<StreamMessage> messages;
  ASSERT_TRUE(parser.feed(std::string_view(bytes).substr(0, bytes.size() - 1), messages));
  EXPECT_EQ(messages.size(), 1U);
  EXPECT_FALSE(parser.at_boundary());
}

// Every bit of a frame counts: a flip anywhere is found, or leaves the frame incomplete, but never gives
// another message.
TEST(EventStream, FindsEveryFlippedBit) {
  std::string const good = cuco_test::aws_frame({{":event-type", "a"}}, "{\"x\":1}");
  for (std::size_t byte = 0; byte < good.size(); ++byte)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[byte] = static_cast<char>(bad[byte] ^ (1 << bit));
      EventStreamParser parser;
      std::vector<StreamMessage> messages;
      bool const fed = parser.feed(bad, messages).has_value();
      ASSERT_TRUE(messages.empty()) << byte << "." << bit;
      ASSERT_FALSE(fed) << byte << "." << bit;
    }
}

TEST(EventStream, RefusesLengthsThatCannotBe) {
  auto const prelude = [](std::uint32_t total, std::uint32_t headers) {
    std::string out;
    for (std::uint32_t value : {total, headers})
      for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
    std::uint32_t const crc = crc32(out);
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(crc >> shift);
    return out;
  };
  for (auto const& [total, headers] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {0, 0}, {15, 0}, {0xFFFFFFFF, 0}, {20, 10}, {100, 0xFFFFFFFF}}) {
    EventStreamParser parser;
    std::vector<StreamMessage> messages;
    EXPECT_FALSE(parser.feed(prelude(total, headers), messages)) << total << " " << headers;
  }
}

TEST(EventStream, ReadsHeadersOfAllTypes) {
  // true, false, byte, short, integer, long, bytes, text, time, UUID; only text is kept.
  std::string head;
  auto const add = [&](char const* name, char type, std::string const& value) {
    head += static_cast<char>(std::string(name).size());
    head += name;
    head += type;
    head += value;
  };
  add("t", 0, "");
  add("f", 1, "");
  add("b", 2, "x");
  add("s", 3, "xx");
  add("i", 4, "xxxx");
  add("l", 5, "xxxxxxxx");
  add("y", 6, std::string("\0\x02", 2) + "yy");
  add("text", 7, std::string("\0\x05", 2) + "hello");
  add("time", 8, "xxxxxxxx");
  add("uuid", 9, "xxxxxxxxxxxxxxxx");
  auto const frame = [](std::string const& headers) {
    auto const number = [](std::size_t value) {
      std::string out;
      for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
      return out;
    };
    std::string out = number(16 + headers.size()) + number(headers.size());
    out += number(crc32(out));
    out += headers;
    return out + number(crc32(out));
  };
  EventStreamParser parser;
  std::vector<StreamMessage> messages;
  ASSERT_TRUE(parser.feed(frame(head), messages));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].headers.size(), 1U);
  EXPECT_EQ(messages[0].header("text"), "hello");
  // Cut anywhere inside a header, with right checksums around it: refused, unless the cut is between two.
  for (std::size_t cut = 1; cut < head.size(); ++cut) {
    EventStreamParser again;
    messages.clear();
    (void)again.feed(frame(head.substr(0, cut)), messages);
  }
  EventStreamParser unknown;
  EXPECT_FALSE(unknown.feed(frame(std::string("\x01n\x0A", 3)), messages)) << "unknown type";
}
