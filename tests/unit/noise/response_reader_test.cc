// SPDX-License-Identifier: BSD-3-Clause
// What a client may get in place of message 2.
#include "vectors.h"

using namespace ts2021;
using namespace ts2021::noise;

namespace {

// All that a reader says after these chunks, and how much it took.
std::string transcript(const test::Chunks& chunks) {
  ResponseReader reader;
  std::size_t taken = 0;
  std::string out;
  for (const Buffer& chunk : chunks) {
    const auto before = reader.next();
    if (!before || *before) break;
    taken += reader.feed(chunk);
  }
  const auto message = reader.next();
  if (!message)
    out = std::string(name(message.error().code)) + "/" + std::to_string(message.error().origin) + "/" +
          std::to_string(message.error().detail);
  else if (*message)
    out = test::hex(**message);
  else
    out = "more";
  return out + " took " + std::to_string(taken) + " text '" + std::string(reader.untrusted_text()) + "'";
}

Buffer message_of(std::uint8_t type, std::uint16_t length, std::size_t body) {
  Buffer out(3 + body, 'x');
  out[0] = type;
  store_u16be(std::span(out).subspan(1), length);
  return out;
}

}  // namespace

TEST_CASE("HSK-5 message 2 is taken whole however it is cut, and nothing behind it") {
  Buffer input = message_of(2, 48, 48);
  const std::string whole = test::hex(input) + " took 51 text ''";
  REQUIRE(transcript({input}) == whole);
  test::cut_anywhere(input, transcript);
  input.push_back(4);  // the first byte of a record
  REQUIRE(transcript({input}) == whole);
}

TEST_CASE("HSK-5 a wrong type or length fails on the header, before a body") {
  for (const std::uint16_t length : std::initializer_list<std::uint16_t>{0, 47, 49, 65535}) {
    REQUIRE(transcript({message_of(2, length, 0)}) ==
            "bad_message_size/231/" + std::to_string(length) + " took 3 text ''");
    REQUIRE(transcript({message_of(2, length, 100)}) ==
            "bad_message_size/231/" + std::to_string(length) + " took 3 text ''");
  }
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 1, 4, 5, 255})
    REQUIRE(transcript({message_of(type, 48, 48)}) ==
            "bad_message_type/232/" + std::to_string(type) + " took 3 text ''");
}

TEST_CASE("HSK-8 an error record is read to its end, kept up to 256 bytes and never trusted") {
  for (const std::size_t length : std::initializer_list<std::size_t>{0, 1, 31, 255, 256, 257, 4096, 65535}) {
    const Buffer input = message_of(3, static_cast<std::uint16_t>(length), length);
    const std::string whole = "peer_refused/233/0 took " + std::to_string(3 + length) + " text '" +
                              std::string(std::min<std::size_t>(length, 256), 'x') + "'";
    REQUIRE(transcript({input}) == whole);
    if (length > 0) {
      Buffer cut = input;
      cut.pop_back();
      REQUIRE(transcript({cut}).starts_with("more took"));
    }
    if (length < 1000) test::cut_anywhere(input, transcript);
  }
}

TEST_CASE("HSK-8 our error records are what a client reads") {
  for (const auto& [error, text] :
       {std::pair{fail(Errc::bad_message_size, 200), "wrong handshake initiation size"},
        {fail(Errc::bad_message_type, 201), "unexpected handshake message type"},
        {fail(Errc::bad_message_size, 202), "wrong handshake initiation length"}}) {
    const Bytes record = error_record(error);
    ResponseReader reader;
    REQUIRE(reader.feed(record) == record.size());
    REQUIRE(reader.next().error().code == Errc::peer_refused);
    REQUIRE(reader.untrusted_text() == text);
  }
  for (const std::uint16_t origin : std::initializer_list<std::uint16_t>{203, 204, 205, 206, 207, 208})
    REQUIRE(error_record(fail(Errc::bad_tag, origin)).empty());
}
