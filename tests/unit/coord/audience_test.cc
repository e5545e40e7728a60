// SPDX-License-Identifier: BSD-3-Clause
// Who is looked at when something has changed, and who is not.
#include "coord/audience.h"

#include <set>

#include "coord/fan_out.h"
#include "support/catch.h"
#include "support/coord_desk.h"

namespace ts2021::test {
namespace {

using namespace coord;

// Nodes with even numbers see all, the others only one another.
class Halves final : public Policy {
 public:
  ViewClass view_of(const Subject& node) const override { return ViewClass{is_even(node) ? 0u : 1u}; }
  bool sees(ViewClass viewer, const Subject& peer) const override {
    return viewer == ViewClass{0} || !is_even(peer);
  }
  std::vector<FilterRule> packet_filter(const Subject&) const override { return {}; }

 private:
  static bool is_even(const Subject& node) { return static_cast<std::uint64_t>(node.node.id) % 2 == 0; }
};

// Nodes 1 to 6, each with a poll, all told.
struct Room {
  Room() : fan_out(tailnet, entropy, config, std::make_shared<const Halves>()) {
    for (std::uint64_t id = 1; id <= 6; ++id) put(id, "n" + std::to_string(id));
    fan_out.advance(clock.now);
    for (std::uint64_t id = 1; id <= 6; ++id) {
      MapRequest request;
      request.version = newest_capability;
      request.stream = true;
      fan_out.open(key(id), NodeId{id}, request);
    }
    REQUIRE(read().size() == 6);
    take();
  }

  static PollKey key(std::uint64_t id) { return {SessionId{id}, CallId{1}}; }
  void put(std::uint64_t id, const std::string& name) {
    NodeRecord record;
    record.id = NodeId{id};
    record.stable_id = "n" + std::to_string(id);
    record.machine = make_key<MachinePublic>(id);
    record.key = make_key<NodePublic>(100 + id);
    record.user = UserId{1};
    record.given_name = name;
    record.v4 = Ipv4Address{0x64400000u + static_cast<std::uint32_t>(id)};
    record.hostinfo = std::make_shared<const Hostinfo>();
    tailnet.apply({Revision{++revision}, RecordKind::node, id, std::make_shared<const Record>(record)},
                  clock.now.wall);
  }
  void remove(std::uint64_t id) {
    const NodeState removed = *tailnet.find(NodeId{id});
    tailnet.apply({Revision{++revision}, RecordKind::node, id, nullptr}, clock.now.wall);
    fan_out.end_polls_of(NodeId{id}, removed);
  }

  // A round: who is told something.
  std::set<std::uint64_t> read() {
    clock.advance(std::chrono::seconds{2});
    fan_out.advance(clock.now);
    std::set<std::uint64_t> told;
    while (auto event = fan_out.next_event()) {
      const auto* frame = std::get_if<coord_event::MapFrame>(&*event);
      if (!frame) continue;
      told.insert(static_cast<std::uint64_t>(frame->session));
      Buffer bytes;
      for (const auto& piece : *frame->pieces) bytes.insert(bytes.end(), piece->begin(), piece->end());
      const auto message = decode_copy<MapResponse>(Bytes(bytes).subspan(map_prefix_size));
      REQUIRE(message);
      last = *message;
    }
    return told;
  }
  void take() {
    for (std::uint64_t id = 1; id <= 6; ++id) fan_out.taken(key(id));
  }
  std::uint64_t visits() { return fan_out.counters().visits; }

  Clock clock;
  SeededEntropy entropy;
  CoordinatorConfig config = desk_config();
  Tailnet tailnet;
  FanOut fan_out;
  MapResponse last;  // message of the last round
  std::uint64_t revision = 0;
};

using Told = std::set<std::uint64_t>;

}  // namespace

TEST_CASE("a change is looked at by those who see it, and by its own node") {
  Room room;
  const auto before = room.visits();
  room.tailnet.set_online(NodeId{2}, true);
  CHECK(room.read() == Told{4, 6});
  CHECK(room.visits() - before <= 4);  // 2, perhaps twice, 4 and 6
}

TEST_CASE("who slept through changes that were none to it shares the next delta") {
  Room room;
  room.tailnet.set_online(NodeId{2}, true);
  CHECK(room.read() == Told{4, 6});
  room.take();
  room.tailnet.set_online(NodeId{4}, true);
  CHECK(room.read() == Told{2, 6});
  room.take();
  const auto before = room.fan_out.counters().encodings;
  room.tailnet.set_online(NodeId{1}, true);
  CHECK(room.read() == Told{2, 3, 4, 5, 6});
  CHECK(room.fan_out.counters().encodings - before == 2);  // one for each view
}

TEST_CASE("what concerns a slow viewer alone waits for it while its class hears nothing") {
  Room room;
  room.tailnet.set_online(NodeId{3}, true);
  CHECK(room.read() == Told{1, 2, 4, 5, 6});  // not taken
  room.fan_out.set_messages(NodeId{1}, {{"m", DisplayMessage{}}});
  CHECK(room.read().empty());
  room.tailnet.set_online(NodeId{2}, true);
  CHECK(room.read().empty());
  room.fan_out.taken(Room::key(1));
  CHECK(room.read() == Told{1});
  CHECK(room.last.display_messages.contains("m"));
}

TEST_CASE("a removal is told to all, and then forgotten") {
  Room room;
  room.tailnet.set_online(NodeId{2}, true);
  (void)room.read();
  room.take();
  room.remove(2);
  CHECK(room.read() == Told{1, 2, 3, 4, 5, 6});  // 2: that it is over
  CHECK(room.last.peers_removed == std::vector{NodeId{2}});
  room.take();
  CHECK(room.tailnet.log().size() == 6);
  room.remove(4);
  (void)room.read();
  CHECK(room.tailnet.log().size() == 5);
}

TEST_CASE("a change of the whole of a peer that is not seen is told to nobody else") {
  Room room;
  room.put(2, "renamed");
  CHECK(room.read() == Told{2, 4, 6});
}

}  // namespace ts2021::test
