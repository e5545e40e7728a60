// SPDX-License-Identifier: BSD-3-Clause
// Reading of the handshake vectors, and the objects that tests of records and handshakes start from.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/base/block_pool.h"
#include "ts2021/base/byte_queue.h"
#include "ts2021/noise/handshake.h"
#include "ts2021/noise/record.h"

namespace ts2021::noise {

using Json = simdjson::dom::element;
using test::Buffer;

inline Buffer bytes_of(Json object, std::string_view member) {
  return test::unhex(std::string_view(object[member]));
}

// A fixed-size copy of the start of a buffer.
template <std::size_t N>
std::array<std::uint8_t, N> array_of(Bytes from) {
  REQUIRE(from.size() >= N);
  std::array<std::uint8_t, N> to;
  std::copy_n(from.begin(), N, to.begin());
  return to;
}

template <KeyKind K>
KeyPair<K> pair_of(Bytes secret) {
  return KeyPair<K>::from(PrivateKey<K>::from_bytes(secret.first<32>()));
}

inline EphemeralKey ephemeral_of(Buffer secret) {
  test::FixedEntropy entropy(std::move(secret));
  return EphemeralKey::generate(entropy);
}

// Two ends that have just shaken hands.
struct Ends {
  std::optional<Session> client, server;
};

inline Ends shake_hands(std::uint64_t seed = 1, std::uint16_t version = 138) {
  test::SeededEntropy entropy(seed);
  const auto machine = MachineKeyPair::generate(entropy);
  std::vector<ControlNoisePair> keys;
  keys.push_back(ControlNoisePair::generate(entropy));
  std::array<std::uint8_t, initiation_size> first;
  std::array<std::uint8_t, response_size> second;
  auto initiator = Initiator::start(machine, keys[0].open, ProtocolVersion{version},
                                    EphemeralKey::generate(entropy), first);
  REQUIRE(initiator);
  auto responder = Responder::open(keys, first);
  REQUIRE(responder);
  REQUIRE(responder->peer() == machine.open);
  auto server = std::move(*responder).reply(EphemeralKey::generate(entropy), second);
  REQUIRE(server);
  auto client = std::move(*initiator).finish(machine, second);
  REQUIRE(client);
  return {std::move(*client), std::move(*server)};
}

// All that is queued, moved out.
inline Buffer take_all(ByteQueue& queue) {
  Buffer out;
  while (!queue.empty()) {
    Bytes piece;
    REQUIRE(queue.gather(std::span(&piece, 1)) == 1);
    out.insert(out.end(), piece.begin(), piece.end());
    queue.consume(piece.size());
  }
  return out;
}

// The texts sealed as one record each, with the given key.
inline Buffer seal_each(SendKey key, const std::vector<Buffer>& texts) {
  BlockPool pool(1000);
  ByteQueue queue(pool, 16 << 20);
  CipherScratch cipher;
  RecordWriter writer(std::move(key), queue, cipher);
  for (const Buffer& text : texts) {
    REQUIRE(writer.append(text));
    REQUIRE(writer.flush());
  }
  return take_all(queue);
}

// One record around any plaintext, an empty one included, which the writer never makes.
Buffer seal_raw(std::span<const std::uint8_t, 32> key, std::uint64_t counter, Bytes text);

}  // namespace ts2021::noise
