// SPDX-License-Identifier: BSD-3-Clause
// TS2019: the same coordinator behind boxes, with requests that real clients sealed and with our own.
#include "ts2021/base/bytes.h"

#include "service/box_cache.h"
#include "sim/service_world.h"
#include "support/catch.h"
#include "ts2021/legacy/nacl_box.h"
#include "ts2021/msg/map_frame.h"

using namespace ts2021;
using test::Buffer;
using test::NodeOn;
using test::Pair;
using test::World;

namespace {

ControlBoxPair box_pair() {
  test::SeededEntropy entropy(40);
  return ControlBoxPair::generate(entropy);
}

ServiceConfig with_box(const ControlBoxPair& pair) {
  ServiceConfig config;
  config.box = &pair;
  config.key.box = pair.open;
  return config;
}

struct Answer {
  int status = 0;
  std::string body;
};

// One exchange of a plain HTTP/1.1 connection, until its answer is complete or nothing moves any more.
Answer post(World& world, Pair& pair, std::string path, Bytes body) {
  world.run();
  const auto stream = pair.client().request({"POST", path, {}}, share(body));
  REQUIRE(stream);
  world.run();
  return {pair.statuses[*stream], pair.bodies[*stream]};
}

Buffer seal(const NaclBox& box, std::string_view text, Entropy& entropy) {
  Buffer whole(NaclBox::overhead + text.size());
  std::copy(text.begin(), text.end(), whole.begin() + NaclBox::overhead);
  REQUIRE(box.seal(whole, entropy));
  return whole;
}

std::string open(const NaclBox& box, std::string_view sealed) {
  Buffer whole(sealed.begin(), sealed.end());
  const auto text = box.open(whole);
  REQUIRE(text);
  return test::string(*text);
}

// Cuts a map stream into its boxes and gives back the messages inside.
std::vector<MapResponse> messages(const NaclBox& box, std::string_view stream, Compression compression) {
  std::vector<MapResponse> out;
  while (!stream.empty()) {
    const std::size_t size = load_u32le(as_bytes(stream));
    REQUIRE(stream.size() >= 4 + size);
    const std::string text = open(box, stream.substr(4, size));
    stream.remove_prefix(4 + size);
    Buffer framed(4);
    store_u32le(framed, static_cast<std::uint32_t>(text.size()));
    framed.insert(framed.end(), text.begin(), text.end());
    MapFrameReader reader(compression);
    REQUIRE(reader.feed(framed));
    REQUIRE(reader.ready());
    auto message = decode<MapResponse>(reader.message());
    REQUIRE(message);
    out.push_back(*std::move(message));
  }
  return out;
}

// A machine that speaks TS2019 as clients up to 1.22 do.
struct OldClient {
  World& world;
  test::SeededEntropy entropy;
  MachineKeyPair machine;
  NodePublic node;
  NaclBox box;
  std::string path;

  OldClient(World& w, std::uint64_t seed, const ControlBoxPair& server)
      : world(w),
        entropy(seed),
        machine(MachineKeyPair::generate(entropy)),
        node(NodePrivate::generate(entropy).public_key()),
        box(*NaclBox::between(machine.secret, server.open)),
        path("/machine/" + machine.open.bare_text()) {}

  Answer send(std::string_view suffix, std::string_view json) {
    return post(world, world.connect(0, ClientMode::http1), path + std::string(suffix),
                seal(box, json, entropy));
  }
  Answer log_in(std::string_view auth_key) {
    return send("", R"({"Version":1,"NodeKey":")" + node.text() + R"(","Auth":{"AuthKey":")" +
                        std::string(auth_key) +
                        R"("},"Hostinfo":{"Hostname":"old","OS":"linux","BackendLogID":"x"}})");
  }
  std::string map_request(std::string_view more) const {
    return R"({"Version":26,"KeepAlive":true,"NodeKey":")" + node.text() + "\"" + std::string(more) + "}";
  }
};

}  // namespace

TEST_CASE("BOX-5: an old client registers and streams its map in boxes, beside a new one") {
  const ControlBoxPair server = box_pair();
  World world(with_box(server));
  OldClient old(world, 50, server);
  const Answer registered = old.log_in("good-key");
  REQUIRE(registered.status == 200);
  const auto reply = decode_copy<RegisterResponse>(as_bytes(open(old.box, registered.body)));
  REQUIRE(reply);
  REQUIRE(reply->machine_authorized);
  REQUIRE(reply->error.empty());

  std::unique_ptr<NodeOn> young;  // joins while the old client streams
  for (const Compression compression : {Compression::zstd, Compression::none}) {
    Pair& pair = world.connect(0, ClientMode::http1);
    world.run();
    const std::string json = old.map_request(
        compression == Compression::zstd ? R"(,"Compress":"zstd","Stream":true)" : R"(,"Stream":true)");
    const auto stream =
        pair.client().request({"POST", old.path + "/map", {}}, share(seal(old.box, json, old.entropy)));
    if (!stream) FAIL("request: " << stream.error());
    world.run();
    REQUIRE(pair.statuses[*stream] == 200);
    auto maps = messages(old.box, pair.bodies[*stream], compression);
    REQUIRE(maps.size() == 1);
    REQUIRE(maps[0].node);
    REQUIRE(maps[0].node->name == "old.ts2021.test.");

    if (compression == Compression::none) {
      young = std::make_unique<NodeOn>(world.connect(), 21, "good-key", "young");
      world.run();
      maps = messages(old.box, pair.bodies[*stream], compression);
      bool seen = false;
      for (const auto& map : maps)
        for (const auto& peer : map.peers_changed) seen |= peer.name == "young.ts2021.test.";
      REQUIRE(seen);
      REQUIRE(young->maps.at(0).peers.at(0).name == "old.ts2021.test.");

      world.clock.advance(std::chrono::seconds{61});  // a keep-alive comes in a box too
      world.run();
      REQUIRE(messages(old.box, pair.bodies[*stream], compression).back().keep_alive);
    }
  }
  const Answer update =
      old.send("/map", old.map_request(R"(,"OmitPeers":true,"Endpoints":["192.0.2.7:41641"])"));
  REQUIRE(update.status == 200);
}

TEST_CASE("requests sealed by real clients 1.20.4, 1.24.2 and 1.60.1 are understood") {
  for (const char* version : {"ts2019-v1.20.4", "ts2019-v1.24.2", "ts2019-v1.60.1"}) {
    INFO(version);
    const auto file = [&](std::string_view name) {
      return test::string(
          test::read_file(test::vector_path("captures/" + std::string(version) + "/") + std::string(name)));
    };
    const auto between = [](const std::string& text, std::string_view from, char to) {
      const std::size_t at = text.find(from) + from.size();
      return text.substr(at, text.find(to, at) - at);
    };
    auto secret = ControlBoxPrivate::parse(between(file("server-keys.json"), "\"legacyPrivate\": \"", '"'));
    REQUIRE(secret);
    const ControlBoxPair server = ControlBoxPair::from(*std::move(secret));
    const std::string path = between(file("002-http.json"), "\"uri\": \"", '"');
    const auto machine = MachinePublic::parse_bare(std::string_view(path).substr(9));
    REQUIRE(machine);
    const auto box = NaclBox::between(server.secret, *machine);
    REQUIRE(box);

    World world(with_box(server), "zoo-auth-key-123");
    const Answer registered =
        post(world, world.connect(0, ClientMode::http1), path, as_bytes(file("002-register-req-sealed.bin")));
    REQUIRE(registered.status == 200);
    const auto reply = decode_copy<RegisterResponse>(as_bytes(open(*box, registered.body)));
    REQUIRE(reply);
    REQUIRE(reply->error.empty());
    REQUIRE(world.coordinator.nodes().size() == 1);
    REQUIRE(world.coordinator.nodes()[0].record->machine == *machine);

    const std::string map_path = between(file("004-http.json"), "\"uri\": \"", '"');
    const auto machine_of_map = MachinePublic::parse_bare(std::string_view(map_path).substr(9, 64));
    REQUIRE(machine_of_map);
    const Answer mapped =
        post(world, world.connect(0, ClientMode::http1), map_path, as_bytes(file("004-map-req-sealed.bin")));
    if (*machine_of_map == *machine) {
      REQUIRE(mapped.status == 200);
    } else {
      REQUIRE(mapped.status == 404);  // the other client of the recording, which has not registered here
    }
  }
}

TEST_CASE(
    "row 82: machine keys in the path that are malformed, zero or of low order are 400 before any box") {
  const ControlBoxPair server = box_pair();
  World world(with_box(server));
  const Buffer body(100, 0x41);
  const auto status = [&](std::string path) {
    return post(world, world.connect(0, ClientMode::http1), std::move(path), body);
  };
  REQUIRE(status("/machine/xyz").body == "bad machine key hex\n");
  REQUIRE(status("/machine/" + std::string(63, 'a')).status == 400);
  REQUIRE(status("/machine/" + std::string(65, 'a') + "/map").status == 400);
  for (const char* low : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                          "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    REQUIRE(status("/machine/" + std::string(low)).body == "bad machine key\n");
    REQUIRE(status("/machine/" + std::string(low) + "/map").status == 400);
  }
}

TEST_CASE("rows 83 and 84: boxes that do not open are 400, replays are harmless") {
  const ControlBoxPair server = box_pair();
  World world(with_box(server));
  OldClient old(world, 51, server);
  const auto raw = [&](Bytes body) {
    return post(world, world.connect(0, ClientMode::http1), old.path, body);
  };
  for (const std::size_t size : {0u, 1u, 39u, 40u, 100u}) {
    const Answer answer = raw(Buffer(size, 0x42));
    REQUIRE(answer.status == 400);
    REQUIRE(answer.body == "Cannot decode message\n");
  }
  test::SeededEntropy entropy(52);
  const MachineKeyPair stranger = MachineKeyPair::generate(entropy);
  const auto other = NaclBox::between(stranger.secret, server.open);
  REQUIRE(raw(seal(*other, "{}", entropy)).status == 400);  // another machine's box on this machine's path
  for (const char* json : {"", "{", "[]", "{\"Version\":\"x\"}"})
    REQUIRE(raw(seal(old.box, json, entropy)).status == 400);

  const Buffer login = seal(old.box,
                            R"({"Version":1,"NodeKey":")" + old.node.text() +
                                R"(","Auth":{"AuthKey":"good-key"},"Hostinfo":{"Hostname":"old"}})",
                            entropy);
  for (int i = 0; i < 3; ++i) REQUIRE(raw(login).status == 200);  // row 84
  REQUIRE(world.coordinator.nodes().size() == 1);
}

TEST_CASE("row 76: what has a row inside Noise is 404 outside; TS2019 that is off is 501") {
  World off;
  const Buffer body(100, 0x41);
  const auto status = [](World& world, std::string path, Bytes bytes) {
    return post(world, world.connect(0, ClientMode::http1), std::move(path), bytes).status;
  };
  REQUIRE(status(off, "/machine/register", body) == 404);
  REQUIRE(status(off, "/machine/map", body) == 404);
  REQUIRE(status(off, "/machine/" + std::string(64, 'a'), body) == 501);
  const ControlBoxPair server = box_pair();
  World on(with_box(server));
  REQUIRE(status(on, "/machine/register", body) == 404);
  REQUIRE(status(on, "/machine/map", body) == 404);
  REQUIRE(status(on, "/machine/health", body) == 400);
}

TEST_CASE("a map request of a machine that never registered is 404, in clear text") {
  const ControlBoxPair server = box_pair();
  World world(with_box(server));
  OldClient old(world, 53, server);
  const Answer answer = old.send("/map", old.map_request(""));
  REQUIRE(answer.status == 404);
  REQUIRE(answer.body.find("\n") != std::string::npos);
}

TEST_CASE("two machines may use one connection, one after the other") {
  const ControlBoxPair server = box_pair();
  World world(with_box(server));
  OldClient one(world, 54, server), two(world, 55, server);
  Pair& pair = world.connect(0, ClientMode::http1);
  for (OldClient* client : {&one, &two, &one}) {
    const std::string json = R"({"Version":1,"NodeKey":")" + client->node.text() +
                             R"(","Auth":{"AuthKey":"good-key"},"Hostinfo":{"Hostname":"n"}})";
    const Answer answer = post(world, pair, client->path, seal(client->box, json, client->entropy));
    REQUIRE(answer.status == 200);
    REQUIRE(open(client->box, answer.body).find("MachineAuthorized\":true") != std::string::npos);
  }
  REQUIRE(world.gone == 2);  // one machine's session ends before the other's begins
  REQUIRE(world.coordinator.nodes().size() == 2);
}

TEST_CASE("BOX-4, HSK-10: a box in front of an upgrade lends nothing to who speaks inside Noise") {
  const ControlBoxPair server = box_pair();
  World world(with_box(server));
  OldClient victim(world, 50, server);
  REQUIRE(victim.log_in("good-key").status == 200);
  // A stranger repeats a box of the victim, then upgrades the same connection with a machine key of its own.
  const Buffer box = seal(victim.box, victim.map_request(R"(,"OmitPeers":true)"), victim.entropy);
  const std::string head = "POST " + victim.path +
                           "/map HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(box.size()) +
                           "\r\n\r\n";
  Pair& stranger = world.connect();
  stranger.client_reads = false;
  stranger.to_server.insert(stranger.to_server.end(), head.begin(), head.end());
  stranger.to_server.insert(stranger.to_server.end(), box.begin(), box.end());
  world.run();
  const std::string answers(stranger.to_client.begin(), stranger.to_client.end());
  REQUIRE(answers.starts_with("HTTP/1.1 200 "));
  const std::size_t upgraded = answers.find("HTTP/1.1 101 ");
  REQUIRE(upgraded != std::string::npos);
  stranger.to_client.erase(stranger.to_client.begin(),
                           stranger.to_client.begin() + static_cast<std::ptrdiff_t>(upgraded));
  stranger.client_reads = true;
  world.run();
  REQUIRE(stranger.ready_seen);
  const auto stream = stranger.client().request(
      {"POST", "/machine/map", {}},
      share(R"({"Version":138,"Stream":true,"NodeKey":")" + victim.node.text() + "\"}"));
  REQUIRE(stream);
  world.run();
  REQUIRE(stranger.statuses[*stream] == 404);
  // Answers inside Noise are plain, not in the victim's box.
  const auto login = stranger.client().request(
      {"POST", "/machine/register", {}},
      share(R"({"Version":138,"NodeKey":")" + NodePrivate::generate(world.entropy).public_key().text() +
            R"(","Auth":{"AuthKey":"good-key"},"Hostinfo":{"Hostname":"s"}})"));
  REQUIRE(login);
  world.run();
  REQUIRE(stranger.statuses[*login] == 200);
  REQUIRE(decode_copy<RegisterResponse>(as_bytes(stranger.bodies[*login])));
}

TEST_CASE("the box keys of machines are kept up to a bound, the oldest goes first") {
  const ControlBoxPair server = box_pair();
  test::SeededEntropy entropy(60);
  service::BoxCache cache;
  const MachinePublic first = MachineKeyPair::generate(entropy).open;
  auto made = NaclBox::between(server.secret, first);
  REQUIRE(made);
  const auto box = std::make_shared<const NaclBox>(*std::move(made));
  for (std::size_t i = 0; i <= service::BoxCache::max_machines; ++i) {
    std::array<std::uint8_t, 32> raw{9};
    store_u32be(MutableBytes(raw).subspan(4), static_cast<std::uint32_t>(i));
    cache.keep(i == 0 ? first : MachinePublic::from_bytes(raw), box);
    cache.keep(first, box);  // once kept, a machine takes no second place
  }
  REQUIRE(cache.size() == service::BoxCache::max_machines);
  std::array<std::uint8_t, 32> newest{9};
  store_u32be(MutableBytes(newest).subspan(4), std::uint32_t{service::BoxCache::max_machines});
  REQUIRE(cache.find(MachinePublic::from_bytes(newest)) == box);
  std::array<std::uint8_t, 32> oldest{9};
  store_u32be(MutableBytes(oldest).subspan(4), 1);
  REQUIRE(cache.find(MachinePublic::from_bytes(oldest)) == nullptr);
}
