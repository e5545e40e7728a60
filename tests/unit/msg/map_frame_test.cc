// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/map_frame.h"

#include <string>

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_outline.h"
#include "ts2021/msg/map_response.h"

namespace ts2021 {
namespace {

using test::Buffer;

Buffer joined(const SharedPieces& pieces) {
  Buffer out;
  for (const auto& piece : *pieces) out.insert(out.end(), piece->begin(), piece->end());
  CHECK(out.size() == total_size(pieces));
  return out;
}

// Every message, one per line; errors at the end.
std::string transcript(MapFrameReader reader, const test::Chunks& chunks) {
  std::string out;
  for (const auto& chunk : chunks) {
    Bytes in(chunk);
    while (!in.empty()) {
      auto taken = reader.feed(in);
      if (!taken) return out + std::string(name(taken.error().code)) + std::to_string(taken.error().origin);
      in = in.subspan(*taken);
      if (reader.ready()) out += std::string(as_text(reader.message())) + "\n";
    }
  }
  return out + (reader.finish() ? "end" : "cut");
}

std::string read_all(const Buffer& stream, Compression compression, MapFrameReader::Limits limits = {}) {
  return transcript(MapFrameReader(compression, limits), {stream});
}

TEST_CASE("map frame: MAP-1 size and bytes") {
  const auto message = map_message(as_bytes(R"({"KeepAlive":true})"), Compression::none, nullptr);
  REQUIRE(message);
  CHECK(test::hex(joined(*message)) == "120000007b224b656570416c697665223a747275657d");
  CHECK(parse_compression("zstd") == Compression::zstd);
  CHECK(parse_compression("") == Compression::none);
  CHECK(parse_compression("gzip") == Compression::none);
}

TEST_CASE("map frame: MAP-1 pieces are shared and make one message") {
  const std::vector<SharedBytes> pieces{share("{\"Domain\":"), share("\"a\""), share("}")};
  const auto message = map_message(pieces, Compression::none);
  REQUIRE(message);
  CHECK((**message)[1] == pieces[0]);
  CHECK(read_all(joined(*message), Compression::none) == "{\"Domain\":\"a\"}\nend");
}

TEST_CASE("map frame: MAP-2 pieces may be compressed apart") {
  ZstdCompressor compressor;
  std::vector<SharedBytes> pieces;
  for (const std::string_view part : {"{\"Domain\":", "\"a\"", "}"})
    pieces.push_back(*compressor.compress(as_bytes(part)));
  const auto message = map_message(pieces, Compression::zstd);
  REQUIRE(message);
  CHECK(read_all(joined(*message), Compression::zstd) == "{\"Domain\":\"a\"}\nend");
  // A recorded one of the official encoder.
  CHECK(read_all(test::unhex("1f00000028b52ffd24129100007b224b656570416c697665223a747275657d0e260c10"),
                 Compression::zstd) == "{\"KeepAlive\":true}\nend");
}

TEST_CASE("map frame: MAP-3 a message is never empty") {
  CHECK(map_message(Bytes(), Compression::none, nullptr).error() == fail(Errc::misuse, 821));
  CHECK(map_message(std::span<const SharedBytes>(), Compression::zstd).error() == fail(Errc::misuse, 821));
  CHECK(map_message(as_bytes("{}"), Compression::zstd, nullptr).error() == fail(Errc::misuse, 822));
  CHECK(read_all(test::unhex("00000000"), Compression::none) == "bad_framing823");
}

TEST_CASE("map frame: MAP-4 limits") {
  const std::vector<SharedBytes> huge(65, share(std::vector<std::uint8_t>(1 << 20, ' ')));
  CHECK(map_message(huge, Compression::none).error() == fail(Errc::limit_exceeded, 820));
  CHECK(map_message(std::span(huge).first(64), Compression::none));
  CHECK(read_all(test::unhex("01000004"), Compression::none) == "limit_exceeded824");
  CHECK(read_all(test::unhex("ffffffff"), Compression::zstd) == "limit_exceeded824");
  CHECK(read_all(test::unhex("0300000020202020"), Compression::none, {.packed = 3, .unpacked = 2}) ==
        "limit_exceeded825");
  ZstdCompressor compressor;
  const std::string big(5000, ' ');
  const Buffer bomb = joined(*map_message(as_bytes(big), Compression::zstd, &compressor));
  CHECK(read_all(bomb, Compression::zstd, {.packed = 100, .unpacked = 4999}) == "limit_exceeded553");
  CHECK(read_all(bomb, Compression::zstd, {.packed = 100, .unpacked = 5000}) == big + "\nend");
}

TEST_CASE("map frame: a size alone takes no memory") {
  MapFrameReader reader(Compression::none);
  const std::size_t before = test::allocation_count();
  REQUIRE(reader.feed(test::unhex("00000004")));
  REQUIRE(reader.feed(test::unhex("20")));
  CHECK(test::allocation_count() - before <= 4);  // the two vectors of unhex, and one small one
  CHECK_FALSE(reader.ready());
  CHECK(reader.finish().error() == fail(Errc::truncated, 826));
}

TEST_CASE("map frame: MAP-5 no byte of an uncompressed size is an opening brace") {
  for (const std::size_t size : std::initializer_list<std::size_t>{0x7a, 0x7b, 0x7c, 0x7aff, 0x7b00, 0x7b7b,
                                                                   0x7bff, 0x7c7b, 0x17b01, 0x7b0000}) {
    INFO(size);
    std::string json(size, ' ');
    json[0] = '[';
    json[size - 1] = ']';
    const auto message = map_message(as_bytes(json), Compression::none, nullptr);
    REQUIRE(message);
    const Buffer bytes = joined(*message);
    for (std::size_t i = 0; i < map_prefix_size; ++i) CHECK(bytes[i] != 0x7b);
    CHECK(load_u32le(bytes) == bytes.size() - map_prefix_size);
    CHECK(bytes.size() - map_prefix_size >= size);
    for (std::size_t i = map_prefix_size + size; i < bytes.size(); ++i) REQUIRE(bytes[i] == ' ');
    if (size == 0x7a) CHECK(bytes.size() == map_prefix_size + size);
    if (size == 0x7b) CHECK(bytes.size() == map_prefix_size + size + 1);
  }
}

TEST_CASE("map frame: MAP-6 a keep-alive ends with a space") {
  const auto plain = keep_alive_message(Compression::none, nullptr);
  REQUIRE(plain);
  CHECK(as_text(joined(*plain)).substr(map_prefix_size) == "{\"KeepAlive\":true} ");
  ZstdCompressor compressor;
  const auto packed = keep_alive_message(Compression::zstd, &compressor);
  REQUIRE(packed);
  CHECK(read_all(joined(*packed), Compression::zstd) == "{\"KeepAlive\":true} \nend");
  CHECK(joined(*packed) == joined(*keep_alive_message(Compression::zstd, &compressor)));
  CHECK(keep_alive_message(Compression::zstd, nullptr).error() == fail(Errc::misuse, 822));
}

TEST_CASE("map frame: cut anywhere") {
  ZstdCompressor compressor;
  for (const Compression compression : {Compression::none, Compression::zstd}) {
    Buffer stream;
    for (const std::string_view json : {R"({"Domain":"example.test"})", R"({"KeepAlive":true} )", "[]"}) {
      const Buffer one = joined(*map_message(as_bytes(json), compression, &compressor));
      stream.insert(stream.end(), one.begin(), one.end());
    }
    test::cut_anywhere(stream, [&](const test::Chunks& chunks) {
      const std::string seen = transcript(MapFrameReader(compression), chunks);
      CHECK(seen == "{\"Domain\":\"example.test\"}\n{\"KeepAlive\":true} \n[]\nend");
      return seen;
    });
    for (std::size_t size = 1; size < 10; ++size)
      CHECK(read_all({stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(size)}, compression) ==
            "cut");
  }
}

TEST_CASE("map frame: an error stays") {
  MapFrameReader reader(Compression::zstd);
  auto bad = reader.feed(test::unhex("0400000001020304"));
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == Errc::bad_compression);
  CHECK(reader.feed(test::unhex("01")).error() == bad.error());
  CHECK(reader.finish().error() == bad.error());
  CHECK_FALSE(reader.ready());
}

TEST_CASE("map frame: a message decodes where it lies") {
  MapFrameReader reader(Compression::none);
  MapResponse response;
  response.domain = "example.test";
  const Buffer stream = joined(*map_message(as_bytes(encoded(response)), Compression::none, nullptr));
  REQUIRE(*reader.feed(stream) == stream.size());
  REQUIRE(reader.ready());
  CHECK(*decode<MapResponse>(reader.message()) == response);
  MapFrameReader moved = std::move(reader);
  CHECK(moved.ready());
}

TEST_CASE("map frame: MAP-1 many streams can share what unpacks") {
  ZstdCompressor compressor;
  const auto first = map_message(as_bytes(R"({"Domain":"a"})"), Compression::zstd, &compressor);
  const auto second = map_message(as_bytes(R"({"Domain":"b"})"), Compression::zstd, &compressor);
  const Buffer streams[] = {joined(*first), joined(*second)};
  MapUnpacker unpacker(Compression::zstd, 64);
  PackedFrameReader readers[2];
  for (std::size_t i = 0; i < streams[0].size(); ++i)  // both grow at once
    for (std::size_t k = 0; k < 2; ++k) REQUIRE(*readers[k].feed(Bytes(streams[k]).subspan(i, 1)) == 1);
  for (std::size_t k = 0; k < 2; ++k) {
    REQUIRE(readers[k].ready());
    const auto json = unpacker.unpack(readers[k].frame());
    REQUIRE(json);
    CHECK(as_text(*json) == (k == 0 ? R"({"Domain":"a"})" : R"({"Domain":"b"})"));
    CHECK(readers[k].finish());
  }
  // A bad message is the stream's matter: the next stream's is read.
  CHECK(unpacker.unpack(as_bytes("not zstd")).error().code == Errc::bad_compression);
  const auto large = compressor.compress(as_bytes(std::string(65, 'x')));
  CHECK(unpacker.unpack(**large).error().code == Errc::limit_exceeded);
  CHECK(unpacker.unpack(readers[0].frame()));
  PackedFrameReader limited(3);
  CHECK(limited.feed(test::unhex("0400000001020304")).error().code == Errc::limit_exceeded);
}

TEST_CASE("map outline: what it reads is what the whole message says") {
  const std::string json = R"({"Node":{"ID":1,"Key":"nodekey:)" + std::string(64, '1') +
                           R"(","Hostinfo":{"OS":"x"}},"Peers":[{"ID":2,"Key":"nodekey:)" +
                           std::string(64, '2') +
                           R"(","Online":true,"Endpoints":["192.0.2.1:5"]}],"PeersRemoved":[7],)"
                           R"("PeersChangedPatch":[{"NodeID":3,"Online":false,"Endpoints":["192.0.2.2:6"]}],)"
                           R"("OnlineChange":{"4":true},"Domain":"d"})";
  const auto whole = decode_copy<MapResponse>(as_bytes(json));
  const auto outline = decode_copy<MapOutline>(as_bytes(json));
  REQUIRE((whole && outline));
  CHECK(outline->node->id == whole->node->id);
  REQUIRE(outline->peers.size() == 1);
  CHECK(outline->peers[0].key == whole->peers[0].key);
  CHECK(outline->peers[0].endpoints == whole->peers[0].endpoints);
  CHECK(outline->peers[0].online == true);
  CHECK(outline->peers_removed == whole->peers_removed);
  REQUIRE(outline->peers_changed_patch.size() == 1);
  CHECK(outline->peers_changed_patch[0].node_id == whole->peers_changed_patch[0].node_id);
  CHECK(outline->peers_changed_patch[0].endpoints == whole->peers_changed_patch[0].endpoints);
  CHECK(outline->peers_changed_patch[0].online == false);
  CHECK(outline->online_change == whole->online_change);
  CHECK_FALSE(decode_copy<MapOutline>(as_bytes(std::string_view(R"({"Peers":[{"ID":"x"}]})"))));
}

}  // namespace
}  // namespace ts2021
