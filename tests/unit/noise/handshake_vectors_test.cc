// SPDX-License-Identifier: BSD-3-Clause
// Complete sessions made by the official code: every step, both roles, every record.
#include "crypto/blake2s.h"
#include "noise/symmetric_state.h"
#include "vectors.h"

using namespace ts2021;
using namespace ts2021::noise;

namespace {

Json load(simdjson::dom::parser& parser) {
  return parser.load(test::vector_path("handshake/handshake-vectors.json"));
}

void check_state(const SymmetricState& state, Json step) {
  INFO("step " << std::string_view(step["what"]));
  REQUIRE(test::hex(state.hash()) == std::string_view(step["h"]));
  REQUIRE(test::hex(state.chain()) == std::string_view(step["ck"]));
}

// What a reader delivers, with the plaintext of empty records left out, as the official code does.
Buffer read_all(ReceiveKey key, Buffer stream) {
  BlockPool pool(1);
  CipherScratch cipher;
  RecordReader reader(std::move(key), pool, cipher);
  reader.feed(stream);
  Buffer out;
  for (;;) {
    auto text = reader.next();
    REQUIRE(text);
    if (!*text) break;
    out.insert(out.end(), (*text)->begin(), (*text)->end());
  }
  REQUIRE_FALSE(reader.mid_record());
  return out;
}

}  // namespace

TEST_CASE("HSK-1 the constant of the symmetric state is the hash of the protocol's name") {
  std::array<std::uint8_t, 32> hash;
  crypto::blake2s(hash, {as_bytes("Noise_IK_25519_ChaChaPoly_BLAKE2s")});
  simdjson::dom::parser parser;
  for (Json session : load(parser)["handshakes"])
    REQUIRE(test::hex(hash) == std::string_view(session["steps"].at(0)["h"]));
}

TEST_CASE("HSK-2 HSK-3 the symmetric state goes through the recorded steps") {
  simdjson::dom::parser parser;
  std::size_t sessions = 0;
  for (Json session : load(parser)["handshakes"]) {
    INFO(std::string_view(session["name"]));
    const auto server_secret = bytes_of(session, "server_static_priv");
    const auto server_ephemeral = bytes_of(session, "server_ephemeral_priv");
    const auto client_ephemeral_open = bytes_of(session, "client_ephemeral_pub");
    const auto client_open = bytes_of(session, "client_static_pub");
    const auto version = static_cast<std::uint16_t>(std::uint64_t(session["version"]));
    const auto step = [&](std::size_t n) -> Json { return session["steps"].at(n); };

    // As the server: it opens the client's texts.
    SymmetricState state(ProtocolVersion{version}, Bytes(bytes_of(session, "server_static_pub")).first<32>());
    check_state(state, step(2));
    state.mix_hash(client_ephemeral_open);
    check_state(state, step(3));
    REQUIRE(state.mix_key(Bytes(server_secret).first<32>(), Bytes(client_ephemeral_open).first<32>()));
    check_state(state, step(4));
    REQUIRE(test::hex(state.key()) == std::string_view(step(4)["k"]));
    Buffer machine = bytes_of(step(5), "data");
    REQUIRE(state.open(machine));
    check_state(state, step(5));
    REQUIRE(test::hex(state.key()) == std::string(64, '0'));  // used once
    machine.resize(32);
    REQUIRE(machine == client_open);
    REQUIRE(state.mix_key(Bytes(server_secret).first<32>(), Bytes(client_open).first<32>()));
    check_state(state, step(6));
    REQUIRE(test::hex(state.key()) == std::string_view(step(6)["k"]));
    Buffer tag = bytes_of(step(7), "data");
    REQUIRE(state.open(tag));
    check_state(state, step(7));
    state.mix_hash(bytes_of(session, "server_ephemeral_pub"));
    check_state(state, step(8));
    REQUIRE(state.mix_key(Bytes(server_ephemeral).first<32>(), Bytes(client_ephemeral_open).first<32>()));
    check_state(state, step(9));
    REQUIRE(test::hex(state.key()) == std::string_view(step(9)["k"]));
    REQUIRE(state.mix_key(Bytes(server_ephemeral).first<32>(), Bytes(client_open).first<32>()));
    check_state(state, step(10));
    REQUIRE(test::hex(state.key()) == std::string_view(step(10)["k"]));
    Buffer reply(16);
    state.seal(reply);
    REQUIRE(reply == bytes_of(step(11), "data"));
    check_state(state, step(11));
    std::array<std::uint8_t, 32> up, down;
    state.split(up, down);
    REQUIRE(test::hex(up) == std::string_view(step(12)["k"]));
    REQUIRE(test::hex(down) == std::string_view(step(12)["data"]));
    ++sessions;
  }
  REQUIRE(sessions == 4);
}

TEST_CASE("HSK-4 HSK-5 HSK-6 both roles make the official messages, keys and records byte for byte") {
  simdjson::dom::parser parser;
  for (Json session : load(parser)["handshakes"]) {
    INFO(std::string_view(session["name"]));
    const auto machine = pair_of<KeyKind::machine>(bytes_of(session, "client_static_priv"));
    std::vector<ControlNoisePair> keys;
    keys.push_back(pair_of<KeyKind::control_noise>(bytes_of(session, "server_static_priv")));
    REQUIRE(test::hex(machine.open.bytes()) == std::string_view(session["client_static_pub"]));
    REQUIRE(test::hex(keys[0].open.bytes()) == std::string_view(session["server_static_pub"]));
    const auto version = ProtocolVersion{static_cast<std::uint16_t>(std::uint64_t(session["version"]))};

    std::array<std::uint8_t, initiation_size> first;
    std::array<std::uint8_t, response_size> second;
    auto initiator = Initiator::start(machine, keys[0].open, version,
                                      ephemeral_of(bytes_of(session, "client_ephemeral_priv")), first);
    REQUIRE(initiator);
    REQUIRE(test::hex(first) == std::string_view(session["initiation"]));
    auto responder = Responder::open(keys, first);
    REQUIRE(responder);
    REQUIRE(responder->peer() == machine.open);
    REQUIRE(responder->version() == version);
    auto server =
        std::move(*responder).reply(ephemeral_of(bytes_of(session, "server_ephemeral_priv")), second);
    REQUIRE(server);
    REQUIRE(test::hex(second) == std::string_view(session["response"]));
    auto client = std::move(*initiator).finish(machine, second);
    REQUIRE(client);
    for (const Session* end : {&*server, &*client}) {
      REQUIRE(test::hex(end->handshake_hash) == std::string_view(session["handshake_hash"]));
      REQUIRE(end->version == version);
    }
    REQUIRE(test::hex(client->send.reveal_bytes()) == std::string_view(session["key_client_to_server"]));
    REQUIRE(test::hex(server->send.reveal_bytes()) == std::string_view(session["key_server_to_client"]));

    const auto check_direction = [&](Json records, const SendKey& send, ReceiveKey receive) {
      Buffer stream, texts;
      std::uint64_t counter = 0;
      for (Json record : records) {
        const Buffer text = bytes_of(record, "plaintext");
        const Buffer sealed = bytes_of(record, "record");
        // REC-3: from 0, empty records included.
        REQUIRE(counter == std::uint64_t(record["counter"]));
        if (text.empty())
          REQUIRE(seal_raw(send.reveal_bytes(), counter, text) == sealed);
        else
          REQUIRE(seal_each(SendKey::from_bytes(send.reveal_bytes(), counter), {text}) == sealed);
        ++counter;
        stream.insert(stream.end(), sealed.begin(), sealed.end());
        texts.insert(texts.end(), text.begin(), text.end());
      }
      REQUIRE(counter >= 3);
      REQUIRE(read_all(std::move(receive), stream) == texts);
    };
    check_direction(session["records_client_to_server"], client->send, std::move(server->receive));
    check_direction(session["records_server_to_client"], server->send, std::move(client->receive));
  }
}

TEST_CASE("REC-3 REC-4 late counters: big-endian, and the last one is refused by both directions") {
  simdjson::dom::parser parser;
  const Json root = load(parser);
  const Buffer key = bytes_of(root["handshakes"].at(0), "key_client_to_server");
  std::size_t good = 0, refused = 0;
  for (Json record : root["late_records"]["records"]) {
    const std::uint64_t counter = std::stoull(std::string(std::string_view(record["counter"])));
    INFO("counter " << counter);
    const Buffer text = bytes_of(record, "plaintext");
    BlockPool pool(4);
    ByteQueue queue(pool, 1 << 16);
    CipherScratch cipher;
    RecordWriter writer(SendKey::from_bytes(Bytes(key).first<32>(), counter), queue, cipher);
    RecordReader reader(ReceiveKey::from_bytes(Bytes(key).first<32>(), counter), pool, cipher);
    REQUIRE(writer.append(text));
    if (record["record"].error()) {
      REQUIRE(writer.flush().error() == fail(Errc::nonce_exhausted, 264));
      REQUIRE(writer.append(text).error() == fail(Errc::nonce_exhausted, 264));
      REQUIRE(writer.failed());
      REQUIRE(queue.empty());
      Buffer forged = seal_raw(Bytes(key).first<32>(), counter, text);
      reader.feed(forged);
      REQUIRE(reader.next().error() == fail(Errc::nonce_exhausted, 248));
      ++refused;
      continue;
    }
    REQUIRE(writer.flush());
    Buffer sealed = take_all(queue);
    REQUIRE(test::hex(sealed) == std::string_view(record["record"]));
    reader.feed(sealed);
    auto opened = reader.next();
    REQUIRE((opened && *opened));
    REQUIRE(Buffer((*opened)->begin(), (*opened)->end()) == text);
    ++good;
  }
  REQUIRE(good == 6);
  REQUIRE(refused == 1);
}

TEST_CASE("REC-4 the counter before the last one is usable once, then the direction is dead") {
  const Buffer key(32, 7);
  BlockPool pool(4);
  ByteQueue queue(pool, 1 << 16);
  CipherScratch cipher;
  RecordWriter writer(SendKey::from_bytes(Bytes(key).first<32>(), SendKey::last_counter - 1), queue, cipher);
  REQUIRE(writer.append(test::buffer("a")));
  REQUIRE(writer.flush());
  REQUIRE(writer.append(test::buffer("b")));
  REQUIRE(writer.flush().error().code == Errc::nonce_exhausted);
  REQUIRE(take_all(queue).size() == 20);
}
