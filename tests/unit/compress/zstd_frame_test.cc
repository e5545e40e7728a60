// SPDX-License-Identifier: BSD-3-Clause
#include "compress/zstd_frame.h"

#include <string>

#include "support/catch.h"
#include "support/support.h"

namespace ts2021 {
namespace {

using compress::Decoder, compress::Encoder;
using test::Buffer;

Buffer packed(Encoder& encoder, std::string_view text) {
  Buffer out;
  REQUIRE(encoder.compress(as_bytes(text), out));
  return out;
}

TEST_CASE("zstd: there and back, with every level") {
  Decoder decoder;
  const std::string text(300'000, 'a');
  for (const int level : {-5, 0, 1, 3, 9, 19, 99}) {
    INFO(level);
    Encoder encoder(level);
    for (const std::string_view in : {std::string_view(), std::string_view("x"), std::string_view(text)}) {
      const Buffer frame = packed(encoder, in);
      Buffer out;
      REQUIRE(decoder.decompress(frame, 1 << 20, out));
      CHECK(as_text(out) == in);
    }
    CHECK(packed(encoder, text) == packed(encoder, text));
  }
}

TEST_CASE("zstd: MAP-2 several frames are one text, under one limit") {
  Encoder encoder(1);
  Decoder decoder;
  Buffer all;
  for (const std::string_view part : {"{\"a\":", "[1,2", "", ",3]", "}"}) {
    const Buffer frame = packed(encoder, part);
    all.insert(all.end(), frame.begin(), frame.end());
  }
  Buffer out;
  REQUIRE(decoder.decompress(all, 13, out));
  CHECK(as_text(out) == "{\"a\":[1,2,3]}");
}

TEST_CASE("zstd: a frame that others made") {
  Decoder decoder;
  Buffer out;
  const auto frame = test::unhex("28b52ffd24129100007b224b656570416c697665223a747275657d0e260c10");
  REQUIRE(decoder.decompress(frame, 100, out));
  CHECK(as_text(out) == "{\"KeepAlive\":true}");
}

TEST_CASE("zstd: the limit is exact") {
  Encoder encoder(1);
  Decoder decoder;
  Buffer out;
  const Buffer frame = packed(encoder, std::string(10'000, 'z'));
  CHECK(decoder.decompress(frame, 10'000, out));
  CHECK(out.size() == 10'000);
  const auto over = decoder.decompress(frame, 9'999, out);
  REQUIRE_FALSE(over);
  CHECK(over.error().code == Errc::limit_exceeded);
  CHECK(over.error().origin == 553);
  CHECK(out.empty());
}

TEST_CASE("zstd: a bomb takes no more memory than its limit") {
  Encoder encoder(3);
  Decoder decoder;
  const Buffer inner = packed(encoder, std::string(64 << 20, '\0'));
  REQUIRE(inner.size() < 20'000);
  Buffer bomb;
  for (int i = 0; i < 50; ++i) bomb.insert(bomb.end(), inner.begin(), inner.end());
  Buffer out;
  const auto result = decoder.decompress(bomb, 1 << 20, out);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::limit_exceeded);
  CHECK(out.capacity() <= (2u << 20));
}

TEST_CASE("zstd: cut, damaged and foreign input is an error and not the end of the decoder") {
  Encoder encoder(1);
  Decoder decoder;
  Buffer out;
  const Buffer frame = packed(encoder, "{\"KeepAlive\":true,\"Domain\":\"example.test\"}");
  for (std::size_t size = 0; size < frame.size(); ++size) {
    INFO(size);
    const auto result = decoder.decompress(Bytes(frame).first(size), 1 << 20, out);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::bad_compression);
  }
  Buffer trailing = frame;
  trailing.push_back('{');
  CHECK_FALSE(decoder.decompress(trailing, 1 << 20, out));
  CHECK_FALSE(decoder.decompress(as_bytes("{\"KeepAlive\":true}"), 1 << 20, out));
  // A header that asks for a window of 2 GiB.
  CHECK_FALSE(decoder.decompress(test::unhex("28b52ffd00a8000000"), 1 << 20, out));
  REQUIRE(decoder.decompress(frame, 1 << 20, out));
  CHECK(as_text(out).starts_with("{\"KeepAlive\""));
}

}  // namespace
}  // namespace ts2021
