// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/entry/early_payload.h"

#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;
using namespace ts2021::entry;
using test::Buffer;

namespace {

// Feeds all chunks; what the reader leaves goes to HTTP/2.
std::string read(EarlyPayloadReader& reader, const test::Chunks& chunks) {
  Buffer rest;
  for (const Buffer& chunk : chunks) {
    const auto used = reader.feed(chunk);
    if (!used) return "error " + std::to_string(used.error().origin);
    rest.insert(rest.end(), chunk.begin() + static_cast<std::ptrdiff_t>(*used), chunk.end());
  }
  if (!reader.done()) return "more";
  const std::string front = test::string(reader.bytes());
  return reader.present() ? "json " + front + " then " + test::hex(rest)
                          : "none, " + test::hex(test::buffer(front + test::string(rest)));
}

std::string read(const Buffer& bytes) {
  EarlyPayloadReader reader;
  return read(reader, {bytes});
}

Buffer payload(std::string_view json) {
  const auto header = early_payload_header(json.size());
  return test::buffer(test::string(header).append(json));
}

const std::string json = "{\"nodeKeyChallenge\":\"chalpub:" + std::string(64, 'a') + "\"}";

}  // namespace

TEST_CASE("EAR-1: magic, length and JSON, then HTTP/2, in any cut") {
  REQUIRE(json.size() == 95);
  REQUIRE(test::hex(early_payload_header(95)) == "ffffff54530000005f");
  Buffer bytes = payload(json);
  const Buffer settings = test::unhex("000000040000000000");
  bytes.insert(bytes.end(), settings.begin(), settings.end());
  REQUIRE(read(bytes) == "json " + json + " then 000000040000000000");
  test::cut_anywhere(bytes, [](const test::Chunks& chunks) {
    EarlyPayloadReader reader;
    return read(reader, chunks);
  });
}

TEST_CASE("row 63: magic split over five pieces") {
  const Buffer bytes = payload("{}");
  EarlyPayloadReader reader;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto used = reader.feed(Bytes(bytes).subspan(i, 1));
    REQUIRE(used);
    REQUIRE(*used == 1);
    REQUIRE_FALSE(reader.done());
  }
  REQUIRE(read(reader, {Buffer(bytes.begin() + 5, bytes.end())}) == "json {} then ");
}

TEST_CASE("EAR-4, row 64: anything but the magic belongs to HTTP/2, at once and untouched") {
  EarlyPayloadReader reader;
  const Buffer settings = test::unhex("000012040000000000");
  const auto used = reader.feed(Bytes(settings).first(1));
  REQUIRE(used);
  REQUIRE(*used == 0);
  REQUIRE(reader.done());
  REQUIRE_FALSE(reader.present());
  REQUIRE(reader.bytes().empty());
  for (const std::string_view text :
       {"000012040000000000", "ffffff54540000000000", "ffff00", "ffffff545400"}) {
    const Buffer bytes = test::unhex(text);
    REQUIRE(read(bytes) == "none, " + std::string(text));
    test::cut_anywhere(bytes, [](const test::Chunks& chunks) {
      EarlyPayloadReader fresh;
      return read(fresh, chunks);
    });
  }
}

TEST_CASE("EAR-5, row 62: length 0 and a length above the limit fail, and stay failed") {
  REQUIRE(read(test::unhex("ffffff545300000000")) == "error 390");
  REQUIRE(read(test::unhex("ffffff5453ffffffff")) == "error 391");
  EarlyPayloadReader reader(100);
  REQUIRE(read(reader, {test::unhex("ffffff545300000065")}) == "error 391");
  const auto again = reader.feed(test::unhex("00"));
  REQUIRE_FALSE(again);
  REQUIRE(again.error() == fail(Errc::bad_early_payload, 391, 101));
  REQUIRE_FALSE(reader.done());
  EarlyPayloadReader exact(100);
  Buffer bytes = payload(std::string(100, 'x'));
  REQUIRE(read(exact, {bytes}) == "json " + std::string(100, 'x') + " then ");
}

TEST_CASE("the largest length is announced without memory for it") {
  EarlyPayloadReader reader(max_early_payload_read);
  const Buffer head = test::unhex("ffffff545300a00000");
  const std::size_t before = test::allocation_count();
  REQUIRE(reader.feed(head));
  REQUIRE(test::allocation_count() - before < 10);
  REQUIRE_FALSE(reader.done());
}
