// SPDX-License-Identifier: BSD-3-Clause
// Connections of real clients, opened with the server's keys and sealed again byte for byte.
#include <filesystem>
#include <fstream>
#include <set>

#include "vectors.h"

using namespace ts2021;
using namespace ts2021::noise;

namespace {

struct Capture {
  Buffer initiation, up, down;  // after message 1; with message 2
  test::Chunks up_chunks;
  std::string machine, hash, server_secret, ephemeral_secret;
  std::uint64_t version = 0;
};

Capture load(const std::filesystem::path& path) {
  Capture capture;
  simdjson::dom::parser parser;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const Json row = parser.parse(line);
    if (!row["dir"].error()) {
      const Buffer bytes = bytes_of(row, "hex");
      if (std::string_view(row["dir"]) == "s2c") {
        capture.down.insert(capture.down.end(), bytes.begin(), bytes.end());
      } else if (capture.initiation.empty()) {
        capture.initiation = bytes;
      } else {
        capture.up.insert(capture.up.end(), bytes.begin(), bytes.end());
        capture.up_chunks.push_back(bytes);
      }
    } else {
      capture.machine = std::string_view(row["clientMachineKey"]);
      capture.hash = std::string_view(row["handshakeHash"]);
      capture.version = row["protocolVersion"];
      capture.server_secret = std::string_view(row["serverStaticPrivate"]);
      capture.ephemeral_secret = std::string_view(row["serverEphemeralPrivate"]);
    }
  }
  return capture;
}

struct Opened {
  std::vector<Buffer> texts;
  bool cut;  // the recording ends inside a record
};

Opened open_all(const ReceiveKey& key, test::Chunks chunks) {
  BlockPool pool(1);
  CipherScratch cipher;
  RecordReader reader(ReceiveKey::from_bytes(key.reveal_bytes()), pool, cipher);
  std::vector<Buffer> texts;
  for (Buffer& chunk : chunks) {
    reader.feed(chunk);
    for (;;) {
      auto next = reader.next();
      REQUIRE(next);
      if (!*next) break;
      texts.emplace_back((*next)->begin(), (*next)->end());
    }
  }
  return {texts, reader.mid_record()};
}

// The whole records of a recorded direction are what we make of its texts; returns how many bytes remain.
std::size_t check_sealed(SendKey key, const Opened& opened, const Buffer& recorded) {
  const Buffer sealed = seal_each(std::move(key), opened.texts);
  REQUIRE(sealed.size() <= recorded.size());
  REQUIRE(std::equal(sealed.begin(), sealed.end(), recorded.begin()));
  REQUIRE(opened.cut == (sealed.size() < recorded.size()));
  return recorded.size() - sealed.size();
}

}  // namespace

TEST_CASE("REC-1 REC-2 every recorded connection opens and is sealed again byte for byte") {
  std::set<std::string> clients;
  std::size_t connections = 0, records = 0, left = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::vector_path("captures"))) {
    if (entry.path().extension() != ".jsonl") continue;
    INFO(entry.path().string());
    const Capture capture = load(entry.path());
    auto secret = ControlNoisePrivate::parse(capture.server_secret);
    REQUIRE(secret);
    std::vector<ControlNoisePair> keys;
    keys.push_back(ControlNoisePair::from(std::move(*secret)));
    auto opened = Responder::open(keys, capture.initiation);
    REQUIRE(opened);
    REQUIRE(opened->peer().text() == capture.machine);
    REQUIRE(static_cast<std::uint64_t>(opened->version()) == capture.version);

    std::array<std::uint8_t, response_size> second;
    auto ephemeral = test::unhex(std::string_view(capture.ephemeral_secret).substr(8));
    auto session = std::move(*opened).reply(ephemeral_of(ephemeral), second);
    REQUIRE(session);
    REQUIRE(test::hex(session->handshake_hash) == capture.hash);
    REQUIRE(capture.down.size() > response_size);
    REQUIRE(std::equal(second.begin(), second.end(), capture.down.begin()));
    const Buffer down(capture.down.begin() + response_size, capture.down.end());

    const auto up = open_all(session->receive, capture.up_chunks);
    const auto back = open_all(ReceiveKey::from_bytes(session->send.reveal_bytes()), {down});
    REQUIRE_FALSE(up.texts.empty());
    REQUIRE_FALSE(back.texts.empty());
    REQUIRE(test::string(up.texts[0]).starts_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    left += check_sealed(SendKey::from_bytes(session->receive.reveal_bytes()), up, capture.up);
    left += check_sealed(std::move(session->send), back, down);
    clients.insert(entry.path().parent_path().filename().string());
    ++connections;
    records += up.texts.size() + back.texts.size();
  }
  REQUIRE(clients.size() >= 6);
  REQUIRE(connections >= 20);
  REQUIRE(records > 1000);
  REQUIRE(left == 3);  // one client was ended between a header and its body
}
