// SPDX-License-Identifier: BSD-3-Clause
// Full maps that are put together from shared parts say what the pure function says.
#include "coord/full_maps.h"

#include <algorithm>
#include <random>

#include "support/administrator.h"
#include "support/catch.h"
#include "support/coord_desk.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Two views: those with an even address see all, the others only one another.
class Halves final : public Policy {
 public:
  static bool even(const Subject& node) { return node.node.v4.value % 2 == 0; }
  ViewClass view_of(const Subject& node) const override { return ViewClass{even(node) ? 0u : 1u}; }
  bool sees(ViewClass viewer, const Subject& peer) const override {
    return viewer == ViewClass{0} || !even(peer);
  }
  std::vector<FilterRule> packet_filter(const Subject&) const override { return {allow_all_rule()}; }
};

MapResponse as_a_set(MapResponse map) {
  std::sort(map.user_profiles.begin(), map.user_profiles.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  map.control_time = {};
  return map;
}

NodeId id_of(const Desk& desk, const Client& client) { return desk.record(client.node_key)->id; }

struct Crowd {
  explicit Crowd(std::uint64_t count, CoordinatorConfig config = desk_config()) : desk(std::move(config)) {
    for (std::uint64_t i = 0; i < count; ++i) add();
  }
  Client& add(Capability capability = newest_capability) {
    Client& client = clients.emplace_back(desk, ++last, capability);
    client.enroll();
    client.update();
    return client;
  }
  // The map that the client gets when it opens a poll now.
  MapResponse first_map(Client& client) {
    client.compress = client.number % 4 == 0 ? "" : "zstd";
    client.start_poll();
    desk.pump();
    const MapResponse map = client.next();
    desk.gone(client.session);
    client.session = desk.open(client.machine, client.capability);
    return map;
  }
  MapResponse preview(const Client& client) {
    const auto map =
        decode_copy<MapResponse>(as_bytes(desk.coordinator.map_preview(id_of(desk, client), desk.clock.now)));
    REQUIRE(map);
    return *map;
  }
  void check_everybody() {
    for (Client& client : clients) {
      if (!desk.record(client.node_key)) continue;
      const MapResponse map = as_a_set(first_map(client));
      const MapResponse intended = as_a_set(preview(client));
      REQUIRE(map.peers.size() == intended.peers.size());
      REQUIRE(map == intended);
      desk.advance(seconds{1});
    }
  }

  Desk desk;
  std::deque<Client> clients;
  std::uint64_t last = 0;
};

}  // namespace

TEST_CASE("a full map from shared parts is the full map, for every viewer, through changes") {
  Crowd crowd(0);
  crowd.desk.order(coord_command::SetPolicy{std::make_shared<const Halves>()});
  for (std::uint64_t i = 0; i < 140; ++i)
    crowd.add(i % 3 == 0 ? Capability{90} : i % 3 == 1 ? Capability{120} : newest_capability);
  crowd.check_everybody();
  Administrator admin(crowd.desk.store.records());
  std::mt19937 random(7);
  for (int turn = 0; turn < 4; ++turn) {
    for (int i = 0; i < 12; ++i) {
      Client& client = crowd.clients[random() % crowd.clients.size()];
      if (!crowd.desk.record(client.node_key)) continue;
      const NodeId id = id_of(crowd.desk, client);
      switch (random() % 4) {
        case 0:
          client.endpoints = {{IpAddress::v4(static_cast<std::uint32_t>(random())), 1}};
          client.update();
          break;
        case 1:
          admin.change(id, [&](NodeRecord& node) { node.tags = {"tag:t" + std::to_string(turn)}; });
          break;
        case 2:
          admin.change(id, [](NodeRecord& node) { node.authorized = !node.authorized; });
          break;
        default:
          crowd.desk.order(coord_command::DeleteNode{id});
      }
    }
    crowd.add();
    crowd.desk.advance(seconds{1});
    crowd.check_everybody();
  }
}

TEST_CASE("most of a full map is written and packed for the first viewer of a class only") {
  Crowd crowd(400);
  (void)crowd.first_map(crowd.clients[0]);
  crowd.desk.advance(seconds{1});
  const auto before = crowd.desk.coordinator.counters();
  CHECK(crowd.first_map(crowd.clients[200]).peers.size() == 399);
  const auto after = crowd.desk.coordinator.counters();
  // Its head, and the chunk of each of the two that it and the first viewer are in; the first viewer is
  // online for the others now.
  CHECK(after.encodings - before.encodings <= 4);
  CHECK(after.compressions - before.compressions <= 6);
  CHECK(after.evaluations - before.evaluations <= 1);  // its view
}

TEST_CASE("chunks of peers stay small in number and size while nodes come and go") {
  Crowd crowd(300);
  Client& viewer = crowd.clients[0];
  for (std::size_t i = 1; i < 290; ++i)
    crowd.desk.order(coord_command::DeleteNode{id_of(crowd.desk, crowd.clients[i])});
  crowd.desk.advance(seconds{1});
  CHECK(as_a_set(crowd.first_map(viewer)).peers.size() == 10);
  const auto before = crowd.desk.coordinator.counters();
  CHECK(as_a_set(crowd.first_map(crowd.clients[295])).peers.size() == 10);
  // A head, one chunk, the closing part.
  CHECK(crowd.desk.coordinator.counters().compressions - before.compressions <= 4);
}

}  // namespace ts2021::test
