// SPDX-License-Identifier: BSD-3-Clause
// What a server keeps between handshakes: never another byte on the wire, bounded, and wiped.
#include "ts2021/noise/handshake_cache.h"

#include <set>

#include "crypto/x25519.h"
#include "vectors.h"

using namespace ts2021;
using namespace ts2021::noise;

namespace {

// A server with its keys and a cache; machines come and go.
struct World {
  test::SeededEntropy entropy{7};
  std::vector<ControlNoisePair> keys;
  HandshakeCache cache;
  std::array<std::uint8_t, initiation_size> first{};
  std::array<std::uint8_t, response_size> second{};

  explicit World(HandshakeCacheLimits limits = {}, std::size_t key_count = 1) : cache(entropy, limits) {
    for (std::size_t i = 0; i < key_count; ++i) keys.push_back(ControlNoisePair::generate(entropy));
  }

  Initiator start(const MachineKeyPair& machine, std::size_t key = 0, std::uint16_t version = 138) {
    auto started = Initiator::start(machine, keys[key].open, ProtocolVersion{version},
                                    EphemeralKey::generate(entropy), first);
    REQUIRE(started);
    return std::move(*started);
  }

  // A whole handshake, both ends compared. Afterwards the machine is proven and remembered. True when it was
  // known before.
  bool join(const MachineKeyPair& machine, std::size_t key = 0, std::uint16_t version = 138) {
    auto initiator = start(machine, key, version);
    auto responder = Responder::open(keys, first, &cache);
    REQUIRE(responder);
    REQUIRE(responder->peer() == machine.open);
    REQUIRE(responder->key_index() == key);
    auto secret = responder->take_machine_secret();
    REQUIRE(responder->take_machine_secret() == nullptr);
    const bool known = secret == nullptr;
    auto server = std::move(*responder).reply(cache.take_ephemeral(), second);
    REQUIRE(server);
    auto client = std::move(initiator).finish(machine, second);
    REQUIRE(client);
    REQUIRE(client->handshake_hash == server->handshake_hash);
    REQUIRE(test::hex(client->send.reveal_bytes()) == test::hex(server->receive.reveal_bytes()));
    cache.remember(std::move(secret));
    return known;
  }

  // The bytes of ss, which only the owner of a private key can compute.
  Buffer shared(const MachineKeyPair& machine) const {
    Buffer out(32);
    REQUIRE(crypto::x25519(std::span(out).first<32>(), keys[0].secret.reveal_bytes(), machine.open.bytes()));
    return out;
  }
};

std::vector<MachineKeyPair> machines(std::size_t count) {
  test::SeededEntropy entropy(1234);
  std::vector<MachineKeyPair> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(MachineKeyPair::generate(entropy));
  return made;
}

}  // namespace

TEST_CASE("HSK-3 the recorded sessions are the same bytes with nothing, half and all of the handshake kept") {
  simdjson::dom::parser parser;
  test::SeededEntropy entropy(3);
  HandshakeCache cache(entropy);
  std::size_t sessions = 0, known = 0;
  for (int turn = 0; turn < 3; ++turn) {
    for (Json session :
         Json(parser.load(test::vector_path("handshake/handshake-vectors.json")))["handshakes"]) {
      INFO(std::string_view(session["name"]) << " turn " << turn);
      std::vector<ControlNoisePair> keys;
      keys.push_back(pair_of<KeyKind::control_noise>(bytes_of(session, "server_static_priv")));
      auto responder = Responder::open(keys, bytes_of(session, "initiation"), &cache);
      REQUIRE(responder);
      REQUIRE(test::hex(responder->peer().bytes()) == std::string_view(session["client_static_pub"]));
      auto secret = responder->take_machine_secret();
      if (!secret) ++known;
      std::array<std::uint8_t, response_size> second;
      auto server =
          std::move(*responder).reply(ephemeral_of(bytes_of(session, "server_ephemeral_priv")), second);
      REQUIRE(server);
      REQUIRE(test::hex(second) == std::string_view(session["response"]));
      REQUIRE(test::hex(server->handshake_hash) == std::string_view(session["handshake_hash"]));
      REQUIRE(test::hex(server->receive.reveal_bytes()) == std::string_view(session["key_client_to_server"]));
      REQUIRE(test::hex(server->send.reveal_bytes()) == std::string_view(session["key_server_to_client"]));
      if (turn > 0) cache.remember(std::move(secret));  // the first time nobody is proven
      ++sessions;
    }
    if (turn == 0) {
      REQUIRE(known == 0);
      REQUIRE(cache.machine_count() == 0);
    }
  }
  REQUIRE(sessions == 12);
  REQUIRE(known >= 4);  // the last turn, at least
}

TEST_CASE(
    "HSK-7 HSK-8 HSK-9 every recorded initiation gets the same verdict with a cache that knows the machine") {
  simdjson::dom::parser parser;
  const Json root = parser.load(test::vector_path("handshake/handshake-vectors.json"));
  test::SeededEntropy entropy(3);
  HandshakeCache cache(entropy);
  std::size_t cases = 0, refused = 0;
  for (int turn = 0; turn < 2; ++turn) {
    for (Json row : root["initiation_cases"]) {
      INFO(std::string_view(row["name"]) << " turn " << turn);
      std::vector<ControlNoisePair> keys;
      keys.push_back(pair_of<KeyKind::control_noise>(bytes_of(row, "server_static_priv")));
      const Buffer initiation = bytes_of(row, "initiation");
      const auto plain = Responder::open(keys, initiation);
      auto cached = Responder::open(keys, initiation, &cache);
      REQUIRE(plain.has_value() == cached.has_value());
      ++cases;
      if (!plain) {
        REQUIRE(plain.error() == cached.error());
        ++refused;
        continue;
      }
      REQUIRE(plain->peer() == cached->peer());
      cache.remember(cached->take_machine_secret());
    }
  }
  REQUIRE(cases > 40);
  REQUIRE(refused > 20);
  REQUIRE(cache.machine_count() > 0);
}

TEST_CASE("HSK-10 a machine is kept only when its first record has opened, and then known") {
  World world;
  const auto machine = MachineKeyPair::generate(world.entropy);
  (void)world.start(machine);
  for (int i = 0; i < 3; ++i) {  // anybody can send message 1 again
    auto replayed = Responder::open(world.keys, world.first, &world.cache);
    REQUIRE(replayed);
    REQUIRE(replayed->take_machine_secret() != nullptr);
  }
  REQUIRE(world.cache.machine_count() == 0);
  REQUIRE_FALSE(world.join(machine));
  REQUIRE(world.cache.machine_count() == 1);
  REQUIRE(world.join(machine));
  REQUIRE(world.join(machine, 0, 49));  // of any version
  REQUIRE(world.cache.machine_count() == 1);
  world.cache.forget_machines();
  REQUIRE(world.cache.machine_count() == 0);
  REQUIRE_FALSE(world.join(machine));
  world.cache.remember(nullptr);
  REQUIRE(world.cache.machine_count() == 1);
}

TEST_CASE("HSK-10 two connections of one machine at once leave one entry") {
  World world;
  const auto machine = MachineKeyPair::generate(world.entropy);
  (void)world.start(machine);
  auto one = Responder::open(world.keys, world.first, &world.cache);
  auto two = Responder::open(world.keys, world.first, &world.cache);
  world.cache.remember(one->take_machine_secret());
  world.cache.remember(two->take_machine_secret());
  REQUIRE(world.cache.machine_count() == 1);
  REQUIRE(world.join(machine));
}

TEST_CASE("HSK-12 each server key has its own results") {
  World world({}, 5);
  const auto machine = MachineKeyPair::generate(world.entropy);
  for (std::size_t key = 0; key < 5; ++key) {
    REQUIRE_FALSE(world.join(machine, key));
    REQUIRE(world.cache.machine_count() == key + 1);
  }
  for (std::size_t key = 0; key < 5; ++key) REQUIRE(world.join(machine, key));
  // The key ring turns: a new key comes first, the last one goes.
  world.keys.pop_back();
  world.keys.insert(world.keys.begin(), ControlNoisePair::generate(world.entropy));
  REQUIRE_FALSE(world.join(machine, 0));
  for (std::size_t key = 0; key < 5; ++key) REQUIRE(world.join(machine, key));
}

TEST_CASE("HSK-2 more versions and keys than there are places for change nothing") {
  World world({}, 5);
  const auto machine = MachineKeyPair::generate(world.entropy);
  std::size_t known = 0;
  for (std::uint32_t version = 0; version <= 65535; version += 113)
    known += world.join(machine, version % 5, static_cast<std::uint16_t>(version)) ? 1 : 0;
  REQUIRE(known == 580 - 5);
  REQUIRE(world.join(machine, 4, 65535));
  REQUIRE(world.join(machine, 4, 65535));
}

TEST_CASE("a wrong tag from a known machine fails as from an unknown one, and the entry stays good") {
  World world;
  const auto machine = MachineKeyPair::generate(world.entropy);
  REQUIRE_FALSE(world.join(machine));
  (void)world.start(machine);
  for (std::size_t i = 85; i < initiation_size; ++i) {
    auto changed = world.first;
    changed[i] ^= 1;
    REQUIRE(Responder::open(world.keys, changed, &world.cache).error() == fail(Errc::bad_tag, 207));
  }
  REQUIRE(world.join(machine));
}

TEST_CASE("machines are bounded; one that came back outlives those that did not") {
  World world({.machines = 4, .ephemerals = 0});
  const auto all = machines(12);
  for (std::size_t i = 0; i < 4; ++i) REQUIRE_FALSE(world.join(all[i]));
  REQUIRE(world.join(all[0]));
  REQUIRE(world.join(all[2]));
  REQUIRE_FALSE(world.join(all[4]));  // in place of 1: the hand has passed 0
  REQUIRE(world.cache.machine_count() == 4);
  REQUIRE_FALSE(world.join(all[5]));  // in place of 3, passing 2
  REQUIRE(world.join(all[0]));
  REQUIRE(world.join(all[2]));
  REQUIRE_FALSE(world.join(all[1]));  // in place of 4, passing 0
  REQUIRE(world.join(all[0]));
  for (std::size_t round = 0; round < 5; ++round)
    for (const auto& machine : all) {
      (void)world.join(machine);
      REQUIRE(world.cache.machine_count() == 4);
      REQUIRE(world.join(machine));  // all in use: still a place is found
    }
}

TEST_CASE("one place is enough, and none switches it off") {
  World one({.machines = 1, .ephemerals = 0});
  World off({.machines = 0, .ephemerals = 0});
  const auto all = machines(2);
  for (int i = 0; i < 3; ++i) {
    for (const auto& machine : all) {
      REQUIRE_FALSE(one.join(machine));
      REQUIRE(one.join(machine));
      REQUIRE(one.cache.machine_count() == 1);
      REQUIRE_FALSE([&] {
        (void)off.start(machine);
        auto opened = Responder::open(off.keys, off.first, &off.cache);
        return opened->take_machine_secret() != nullptr;
      }());
      REQUIRE(off.join(machine));  // nothing to remember
      REQUIRE(off.cache.machine_count() == 0);
    }
  }
}

TEST_CASE("what one cache has named, another one cannot find") {
  World world;
  const auto machine = MachineKeyPair::generate(world.entropy);
  (void)world.start(machine);
  auto opened = Responder::open(world.keys, world.first, &world.cache);
  test::SeededEntropy entropy(8);
  HandshakeCache other(entropy);
  other.remember(opened->take_machine_secret());
  REQUIRE(other.machine_count() == 1);
  opened = Responder::open(world.keys, world.first, &other);
  REQUIRE(opened);
  REQUIRE(opened->take_machine_secret() != nullptr);
}

TEST_CASE("HSK-11 keys made ahead are bounded, and each is given out once") {
  World world({.machines = 0, .ephemerals = 3});
  const auto machine = MachineKeyPair::generate(world.entropy);
  std::set<std::string> seen;
  for (int turn = 0; turn < 3; ++turn) {
    std::size_t made = 0;
    for (; world.cache.wants_ephemeral(); ++made) world.cache.make_ephemeral();
    REQUIRE(made == 3);
    world.cache.make_ephemeral();  // nothing
    for (int i = 0; i < 5; ++i) {  // two more than there are
      (void)world.join(machine);
      REQUIRE(seen.insert(test::hex(Bytes(world.second).subspan(3, 32))).second);
      REQUIRE(world.cache.wants_ephemeral());
    }
  }
  EphemeralKey key = world.cache.take_ephemeral();
  REQUIRE_FALSE(key.is_spent());
  const EphemeralKey moved = std::move(key);
  REQUIRE(key.is_spent());
  HandshakeCache none(world.entropy, {.machines = 0, .ephemerals = 0});
  REQUIRE_FALSE(none.wants_ephemeral());
  none.make_ephemeral();
  REQUIRE_FALSE(none.take_ephemeral().is_spent());
}

TEST_CASE("no memory goes back with a kept secret in it") {
  const auto all = machines(3);
  // An ephemeral key of known bytes: clamping leaves them as they are.
  Buffer ahead(32, 0x48);
  Buffer drawn(32, 1);  // the salt
  drawn.insert(drawn.end(), ahead.begin(), ahead.end());
  test::FixedEntropy fixed(drawn);
  World world({.machines = 2, .ephemerals = 0});
  const Buffer first_shared = world.shared(all[0]), second_shared = world.shared(all[1]);
  const Buffer third_shared = world.shared(all[2]);
  test::FreedWatch watch({Bytes(first_shared), second_shared, third_shared, ahead});
  REQUIRE_FALSE(world.join(all[0]));
  REQUIRE_FALSE(world.join(all[1]));
  REQUIRE_FALSE(world.join(all[2]));  // displaces the first
  REQUIRE_FALSE(world.join(all[0]));  // and the second
  world.cache.forget_machines();
  (void)world.start(all[1]);
  {
    auto dropped = Responder::open(world.keys, world.first, &world.cache);  // never proven
    REQUIRE(dropped);
    auto secret = dropped->take_machine_secret();
    REQUIRE(secret);
  }
  {
    HandshakeCache short_lived(fixed, {.machines = 2, .ephemerals = 2});
    short_lived.make_ephemeral();
    auto opened = Responder::open(world.keys, world.first, &short_lived);
    short_lived.remember(opened->take_machine_secret());
    REQUIRE(short_lived.machine_count() == 1);
  }
  REQUIRE(watch.found() == 0);
  // The watch does see what is not wiped.
  std::array<std::uint8_t, 32>* volatile block = new std::array<std::uint8_t, 32>(array_of<32>(ahead));
  delete block;
  REQUIRE(watch.found() == 1);
}
