// SPDX-License-Identifier: BSD-3-Clause
// Broken and hostile handshakes.
#include <map>

#include "vectors.h"

using namespace ts2021;
using namespace ts2021::noise;

namespace {

// One client, one server with its key; messages are made anew for each case from the same randomness.
struct Bench {
  test::SeededEntropy entropy{42};
  MachineKeyPair machine = MachineKeyPair::generate(entropy);
  std::vector<ControlNoisePair> keys;
  std::array<std::uint8_t, initiation_size> first{};
  std::array<std::uint8_t, response_size> second{};

  Bench() { keys.push_back(ControlNoisePair::generate(entropy)); }
  Initiator start(std::uint16_t version = 138) {
    auto started = Initiator::start(machine, keys[0].open, ProtocolVersion{version},
                                    EphemeralKey::generate(entropy), first);
    REQUIRE(started);
    return std::move(*started);
  }
  Session reply() {
    auto opened = Responder::open(keys, first);
    REQUIRE(opened);
    auto session = std::move(*opened).reply(EphemeralKey::generate(entropy), second);
    REQUIRE(session);
    return std::move(*session);
  }
};

// The seven u-coordinates whose product is zero, and one with bit 255 set.
const char* const low_order_points[] = {"0000000000000000000000000000000000000000000000000000000000000000",
                                        "0100000000000000000000000000000000000000000000000000000000000000",
                                        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};

}  // namespace

TEST_CASE("HSK-7 HSK-8 HSK-9 the recorded initiations get the official verdict, or our stricter one") {
  const std::map<std::string_view, Error> refused{
      {"header-version-changed", fail(Errc::bad_tag, 208)},
      {"wrong-type", fail(Errc::bad_message_type, 201, 2)},
      {"type-record", fail(Errc::bad_message_type, 201, 4)},
      {"length-95", fail(Errc::bad_message_size, 202, 95)},
      {"length-97", fail(Errc::bad_message_size, 202, 97)},
      {"short-100-bytes", fail(Errc::bad_message_size, 200, 100)},
      {"long-102-bytes", fail(Errc::bad_message_size, 200, 102)},
      {"empty", fail(Errc::bad_message_size, 200, 0)},
      {"ephemeral-flipped", fail(Errc::bad_tag, 208)},
      {"ephemeral-topbit-set-after", fail(Errc::bad_tag, 208)},
      {"static-ciphertext-flipped", fail(Errc::bad_tag, 208)},
      {"static-tag-flipped", fail(Errc::bad_tag, 208)},
      {"payload-tag-flipped", fail(Errc::bad_tag, 207)},
      {"all-zero-101", fail(Errc::bad_message_type, 201, 0)},
      {"ephemeral-zero-point", fail(Errc::low_order_point, 204)},
      {"ephemeral-order-1", fail(Errc::low_order_point, 204)},
      {"ephemeral-order-8", fail(Errc::low_order_point, 204)},
      {"static-zero-point", fail(Errc::low_order_point, 206)},
      {"static-order-8", fail(Errc::low_order_point, 206)},
      // The official server takes it, as another machine.
      {"static-noncanonical-topbit", fail(Errc::non_canonical_key, 205)},
  };
  simdjson::dom::parser parser;
  const Json root = parser.load(test::vector_path("handshake/handshake-vectors.json"));
  const Buffer ephemeral = bytes_of(root["handshakes"].at(0), "server_ephemeral_priv");
  std::size_t accepted = 0, cases = 0;
  for (Json row : root["initiation_cases"]) {
    const std::string_view name = row["name"];
    INFO(name);
    ++cases;
    std::vector<ControlNoisePair> keys;
    keys.push_back(pair_of<KeyKind::control_noise>(bytes_of(row, "server_static_priv")));
    const std::string_view outcome = row["real_server_outcome"];
    const std::string_view written = row["bytes_written_by_real_server"];
    auto opened = Responder::open(keys, bytes_of(row, "initiation"));
    if (const auto expected = refused.find(name); expected != refused.end()) {
      REQUIRE_FALSE(opened);
      REQUIRE(opened.error() == expected->second);
      if (outcome.starts_with("error: ")) REQUIRE(test::hex(error_record(opened.error())) == written);
      continue;
    }
    REQUIRE(opened);
    REQUIRE(outcome == "accepted, peer " + opened->peer().text());
    std::array<std::uint8_t, response_size> second;
    REQUIRE(std::move(*opened).reply(ephemeral_of(ephemeral), second));
    REQUIRE(test::hex(second) == written);
    ++accepted;
  }
  REQUIRE(cases == 22);
  REQUIRE(accepted == 2);
  REQUIRE(refused.size() + accepted == cases);
}

TEST_CASE("every changed bit of message 1 is refused") {
  Bench bench;
  (void)bench.start();
  std::map<std::size_t, std::size_t> origins;
  std::vector<std::uint8_t> flips;
  for (unsigned bit = 0; bit < 8; ++bit) flips.push_back(static_cast<std::uint8_t>(1u << bit));
  test::flip_every_byte(
      bench.first,
      [&](Buffer changed, std::size_t) {
        auto opened = Responder::open(bench.keys, changed);
        if (opened) return false;
        ++origins[opened.error().origin];
        return true;
      },
      flips);
  // Type 8 bits, length 16; the payload tag 128; version 16, ephemeral 256 and machine key 384.
  REQUIRE(origins == std::map<std::size_t, std::size_t>{{201, 8}, {202, 16}, {207, 128}, {208, 656}});
}

TEST_CASE("every changed bit of message 2 is refused, and nothing can be tried twice") {
  Bench bench;
  auto initiator = bench.start();
  (void)bench.reply();
  std::vector<std::uint8_t> flips{1, 2, 4, 8, 16, 32, 64, 128};
  test::flip_every_byte(
      bench.second,
      [&](Buffer changed, std::size_t position) {
        Bench again;
        auto fresh = again.start();
        auto session = std::move(fresh).finish(again.machine, Bytes(changed).first<response_size>());
        if (session) return false;
        const auto origin = session.error().origin;
        return position == 0 ? origin == 225 : position < 3 ? origin == 226 : origin == 229;
      },
      flips);
  // The unchanged one is good, in the same world.
  Bench again;
  auto fresh = again.start();
  REQUIRE(std::move(fresh).finish(again.machine, bench.second));
}

TEST_CASE("every cut or lengthened message 1 is refused with the size error") {
  Bench bench;
  (void)bench.start();
  Buffer longer(bench.first.begin(), bench.first.end());
  longer.resize(300);
  for (std::size_t n = 0; n <= longer.size(); ++n) {
    auto opened = Responder::open(bench.keys, Bytes(longer).first(n));
    if (n == initiation_size)
      REQUIRE(opened);
    else
      REQUIRE(opened.error() == fail(Errc::bad_message_size, 200, static_cast<std::uint32_t>(n)));
  }
}

TEST_CASE("HSK-6 every version is taken, and is part of what is signed") {
  for (const std::uint16_t version :
       std::initializer_list<std::uint16_t>{0, 1, 9, 10, 99, 138, 10000, 65535}) {
    Bench bench;
    auto initiator = bench.start(version);
    REQUIRE(bench.reply().version == ProtocolVersion{version});
    REQUIRE(std::move(initiator).finish(bench.machine, bench.second));
  }
}

TEST_CASE("HSK-7 low-order points are refused on both sides, whichever operation meets them") {
  for (const char* const point : low_order_points) {
    INFO(point);
    const Buffer raw = test::unhex(point);
    Bench bench;
    // es of the server: the ephemeral in the clear.
    (void)bench.start();
    std::copy(raw.begin(), raw.end(), bench.first.begin() + 5);
    REQUIRE(Responder::open(bench.keys, bench.first).error() == fail(Errc::low_order_point, 204));
    // ss of the server: a machine key that nobody owns. Our own client seals what it is told.
    MachineKeyPair nobody{MachinePrivate::generate(bench.entropy),
                          MachinePublic::from_bytes(Bytes(raw).first<32>())};
    REQUIRE(Initiator::start(nobody, bench.keys[0].open, ProtocolVersion{138},
                             EphemeralKey::generate(bench.entropy), bench.first));
    // HSK-9 comes first for those that have another spelling.
    REQUIRE(
        Responder::open(bench.keys, bench.first).error() ==
        (nobody.open.is_canonical() ? fail(Errc::low_order_point, 206) : fail(Errc::non_canonical_key, 205)));
    // es of the client: the server's key.
    REQUIRE(Initiator::start(bench.machine, ControlNoisePublic::from_bytes(Bytes(raw).first<32>()),
                             ProtocolVersion{138}, EphemeralKey::generate(bench.entropy), bench.first)
                .error() == fail(Errc::low_order_point, 222));
    // ee of the client: the server's ephemeral.
    auto initiator = bench.start();
    (void)bench.reply();
    std::copy(raw.begin(), raw.end(), bench.second.begin() + 3);
    REQUIRE(std::move(initiator).finish(bench.machine, bench.second).error() ==
            fail(Errc::low_order_point, 227));
  }
}

TEST_CASE("HSK-12 keys are tried in order and the one that opened it is told") {
  Bench bench;
  auto initiator = bench.start();
  std::vector<ControlNoisePair> rotated;
  rotated.push_back(ControlNoisePair::generate(bench.entropy));
  rotated.push_back(ControlNoisePair::generate(bench.entropy));
  REQUIRE(Responder::open(rotated, bench.first).error() == fail(Errc::bad_tag, 208));
  rotated.push_back(std::move(bench.keys[0]));
  auto opened = Responder::open(rotated, bench.first);
  REQUIRE(opened);
  REQUIRE(opened->key_index() == 2);
  REQUIRE(std::move(*opened).reply(EphemeralKey::generate(bench.entropy), bench.second));
  REQUIRE(std::move(initiator).finish(bench.machine, bench.second));
  REQUIRE(Responder::open({}, bench.first).error() == fail(Errc::bad_tag, 208));
}

TEST_CASE("HSK-11 a spent ephemeral key, initiator or responder is refused") {
  Bench bench;
  auto ephemeral = EphemeralKey::generate(bench.entropy);
  REQUIRE(Initiator::start(bench.machine, bench.keys[0].open, ProtocolVersion{1}, std::move(ephemeral),
                           bench.first));
  REQUIRE(Initiator::start(bench.machine, bench.keys[0].open, ProtocolVersion{1}, std::move(ephemeral),
                           bench.first)
              .error() == fail(Errc::misuse, 220));

  auto initiator = bench.start();
  auto opened = Responder::open(bench.keys, bench.first);
  REQUIRE(opened);
  REQUIRE(std::move(*opened).reply(EphemeralKey::generate(bench.entropy), bench.second));
  std::array<std::uint8_t, response_size> third;
  REQUIRE(std::move(*opened).reply(EphemeralKey::generate(bench.entropy), third).error() ==
          fail(Errc::misuse, 209));
  auto moved_from = Responder::open(bench.keys, bench.first);
  Responder moved_to = std::move(*moved_from);
  REQUIRE(std::move(*moved_from).reply(EphemeralKey::generate(bench.entropy), third).error() ==
          fail(Errc::misuse, 209));
  REQUIRE(std::move(moved_to).reply(std::move(ephemeral), third).error() == fail(Errc::misuse, 210));

  auto bad = bench.second;
  bad[50] ^= 1;
  REQUIRE(std::move(initiator).finish(bench.machine, bad).error() == fail(Errc::bad_tag, 229));
  // The failure has spent it: a good answer comes too late.
  REQUIRE(std::move(initiator).finish(bench.machine, bench.second).error() == fail(Errc::misuse, 224));

  const MachineKeyPair nobody;
  REQUIRE(Initiator::start(nobody, bench.keys[0].open, ProtocolVersion{1},
                           EphemeralKey::generate(bench.entropy), bench.first)
              .error() == fail(Errc::misuse, 221));
}

TEST_CASE("HSK-10 a replayed message 1 is answered, but the replayer proves nothing") {
  Bench bench;
  auto initiator = bench.start();
  const auto replayed = bench.first;
  auto one = bench.reply();
  auto client = std::move(initiator).finish(bench.machine, bench.second);
  REQUIRE(client);
  auto two = Responder::open(bench.keys, replayed);
  REQUIRE(two);
  auto other = std::move(*two).reply(EphemeralKey::generate(bench.entropy), bench.second);
  REQUIRE(other);
  // The real client's records open in its own session and in no other.
  Buffer record = seal_each(std::move(client->send), {test::buffer("hello")});
  BlockPool pool(2);
  CipherScratch cipher;
  RecordReader theirs(std::move(other->receive), pool, cipher), ours(std::move(one.receive), pool, cipher);
  REQUIRE_FALSE(ours.proven());
  Buffer copy = record;
  theirs.feed(copy);
  REQUIRE(theirs.next().error() == fail(Errc::bad_tag, 246));
  REQUIRE_FALSE(theirs.proven());
  ours.feed(record);
  REQUIRE(ours.next());
  REQUIRE(ours.proven());
}

TEST_CASE("a client with the wrong key pair at the second step fails the tag") {
  Bench bench;
  auto initiator = bench.start();
  (void)bench.reply();
  const auto wrong = MachineKeyPair::generate(bench.entropy);
  REQUIRE(std::move(initiator).finish(wrong, bench.second).error() == fail(Errc::bad_tag, 229));
}
