// SPDX-License-Identifier: BSD-3-Clause
// What happens when the change log had to forget.
#include "coord/fan_out.h"

#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/strict_fold.h"

namespace ts2021::test {
namespace {

using namespace coord;

// A tailnet that remembers two removals, and one poll of its node 1.
struct Forgetful {
  Forgetful() : fan_out(tailnet, entropy, config, std::make_shared<const AllowAll>()) {
    for (std::uint64_t id = 1; id <= 6; ++id) {
      NodeRecord record;
      record.id = NodeId{id};
      record.stable_id = "n" + std::to_string(id);
      record.machine = make_key<MachinePublic>(id);
      record.key = make_key<NodePublic>(100 + id);
      record.user = UserId{1};
      record.given_name = record.stable_id;
      record.v4 = Ipv4Address{0x64400000u + static_cast<std::uint32_t>(id)};
      record.hostinfo = std::make_shared<const Hostinfo>();
      apply(id, std::make_shared<const Record>(record));
    }
    fan_out.advance(clock.now);
    MapRequest request;
    request.version = newest_capability;
    request.stream = true;
    fan_out.open(key, NodeId{1}, request);
    read();
  }

  void apply(std::uint64_t id, RecordPtr record) {
    tailnet.apply({Revision{++revision}, RecordKind::node, id, std::move(record)}, clock.now.wall);
  }
  void remove(std::uint64_t id) { apply(id, nullptr); }
  // Lets a round happen and folds what comes; true when the poll has ended.
  bool read() {
    clock.advance(std::chrono::seconds{2});
    fan_out.advance(clock.now);
    while (auto event = fan_out.next_event()) {
      if (std::holds_alternative<coord_event::MapEnd>(*event)) return true;
      const auto& frame = std::get<coord_event::MapFrame>(*event);
      Buffer bytes;
      for (const auto& piece : *frame.pieces) bytes.insert(bytes.end(), piece->begin(), piece->end());
      const auto message = decode_copy<MapResponse>(Bytes(bytes).subspan(map_prefix_size));
      REQUIRE(message);
      REQUIRE(fold.apply(*message) == "");
    }
    return false;
  }

  Clock clock;
  SeededEntropy entropy;
  CoordinatorConfig config = desk_config();
  Tailnet tailnet{2};
  FanOut fan_out;
  PollKey key{SessionId{1}, CallId{1}};
  StrictFold fold;
  std::uint64_t revision = 0;
};

}  // namespace

TEST_CASE("a viewer within the memory of the log gets a delta") {
  Forgetful world;
  REQUIRE(world.fold->peers.size() == 5);
  world.remove(2);
  world.remove(3);
  world.fan_out.taken(world.key);
  CHECK(!world.read());
  CHECK(world.fold->peers.size() == 3);
  CHECK(world.fan_out.counters().full_maps == 1);
}

TEST_CASE("a viewer behind the memory of the log gets a full map, without the relays that it knows") {
  Forgetful world;
  for (std::uint64_t id = 2; id <= 4; ++id) world.remove(id);
  world.fan_out.taken(world.key);
  CHECK(!world.read());
  CHECK(world.fold->peers.size() == 2);
  CHECK(world.fan_out.counters().full_maps == 2);
  CHECK(world.fold.derp_maps == 1);
  CHECK(world.fan_out.is_present(NodeId{1}));
}

TEST_CASE("MAP-22: when nobody knows whom to remove, the stream ends and the client starts anew") {
  Forgetful world;
  for (std::uint64_t id = 2; id <= 6; ++id) world.remove(id);
  world.fan_out.taken(world.key);
  CHECK(world.read());
  CHECK(!world.fan_out.is_present(NodeId{1}));
}

TEST_CASE("the log forgets what everybody has been told") {
  Forgetful world;
  world.remove(2);
  world.fan_out.taken(world.key);
  world.read();
  CHECK(world.tailnet.log().size() == 6);
  world.fan_out.taken(world.key);
  world.tailnet.set_online(NodeId{3}, true);
  world.read();
  CHECK(world.tailnet.log().size() == 5);
}

}  // namespace ts2021::test
