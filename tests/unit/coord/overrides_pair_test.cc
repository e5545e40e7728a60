// SPDX-License-Identifier: BSD-3-Clause
// Overrides of pairs of nodes: jails and masquerades.
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/strict_fold.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;

struct Member {
  Client client;
  StrictFold fold;
  std::size_t full_maps = 0;

  Member(Desk& desk, std::uint64_t number, Capability capability = newest_capability)
      : client(desk, number, capability), fold(capability) {
    client.enroll();
    client.start_poll();
  }
  void read() {
    for (const auto& message : client.read_all()) {
      full_maps += message.node && message.dns_config ? 1 : 0;
      REQUIRE(fold.apply(message) == "");
    }
  }
  [[nodiscard]] NodeId id() const { return client.desk->record(client.node_key)->id; }
  [[nodiscard]] const Node& sees(const Member& other) const { return fold->peers.at(other.id()); }
};

template <class... Members>
void settle(Desk& desk, Members&... members) {
  desk.advance(milliseconds{300});
  (members.read(), ...);
}

void order(Desk& desk, CoordOrder what) {
  const CommandId id = desk.order(std::move(what));
  desk.pump();
  REQUIRE(desk.done.at(id).status == 200);
}

const IpAddress v4 = *IpAddress::parse("100.99.1.1"), v6 = *IpAddress::parse("fd7a:115c:a1e0::99");

bool has_address(const Node& node, const IpAddress& address) {
  const auto in = [&](const std::vector<IpPrefix>& list) {
    return std::find(list.begin(), list.end(), IpPrefix::host(address)) != list.end();
  };
  CHECK(in(node.addresses) == in(*node.allowed_ips));
  return in(node.addresses);
}

}  // namespace

TEST_CASE("TEST-32: a peer is jailed for one viewer, now and after every change of it") {
  Desk desk;
  Member alice(desk, 1), bob(desk, 2), carol(desk, 3);
  settle(desk, alice, bob, carol);
  order(desk, coord_command::SetJailed{alice.id(), bob.id(), true});
  settle(desk, alice, bob, carol);
  CHECK(alice.sees(bob).is_jailed);
  CHECK(!alice.sees(carol).is_jailed);
  CHECK(!carol.sees(bob).is_jailed);
  CHECK(!bob.sees(alice).is_jailed);
  // Viewers of one class, and only one of them has a jail: no shared frame may carry it, or lose it.
  bob.client.hostinfo.hostname = "renamed";
  bob.client.update();
  settle(desk, alice, bob, carol);
  CHECK(alice.sees(bob).name == "renamed.net.test.");
  CHECK(carol.sees(bob).name == "renamed.net.test.");
  CHECK(alice.sees(bob).is_jailed);
  CHECK(!carol.sees(bob).is_jailed);
  // A new stream knows it from the start.
  alice.client.start_poll();
  settle(desk, alice);
  CHECK(alice.sees(bob).is_jailed);
  order(desk, coord_command::SetJailed{alice.id(), bob.id(), false});
  settle(desk, alice, bob, carol);
  CHECK(!alice.sees(bob).is_jailed);
}

TEST_CASE("TEST-32: who knows no jails does not see the peer, though it be the last") {
  Desk desk;
  Member old(desk, 1, Capability{90}), bob(desk, 2);
  settle(desk, old, bob);
  CHECK(old.fold->peers.size() == 1);
  order(desk, coord_command::SetJailed{old.id(), bob.id(), true});
  settle(desk, old, bob);
  CHECK(old.fold->peers.empty());
  bob.client.endpoints.clear();
  bob.client.update();
  settle(desk, old, bob);
  CHECK(old.fold->peers.empty());
  order(desk, coord_command::SetJailed{old.id(), bob.id(), false});
  settle(desk, old, bob);
  CHECK(old.fold->peers.size() == 1);
}

TEST_CASE("TEST-32: a node has another address for one peer, and both are told so") {
  Desk desk;
  Member alice(desk, 1), bob(desk, 2), carol(desk, 3);
  settle(desk, alice, bob, carol);
  const IpAddress real_v4 = bob.sees(alice).addresses[0].address;
  const auto full_maps = carol.full_maps;
  order(desk, coord_command::SetMasquerades{{{alice.client.node_key, bob.client.node_key, v4},
                                             {alice.client.node_key, bob.client.node_key, v6}}});
  settle(desk, alice, bob, carol);
  CHECK(alice.sees(bob).self_node_v4_masq_addr_for_this_peer == v4);
  CHECK(alice.sees(bob).self_node_v6_masq_addr_for_this_peer == v6);
  CHECK(has_address(bob.sees(alice), v4));
  CHECK(has_address(bob.sees(alice), v6));
  CHECK(!has_address(bob.sees(alice), real_v4));
  CHECK(bob.sees(alice).self_node_v4_masq_addr_for_this_peer.is_none());
  CHECK(has_address(carol.sees(alice), real_v4));
  CHECK(carol.full_maps == full_maps);
  CHECK(alice.fold->self->addresses[0].address == real_v4);
  // What changes otherwise does not bring the old address back.
  alice.client.hostinfo.hostname = "renamed";
  alice.client.update();
  settle(desk, alice, bob, carol);
  CHECK(bob.sees(alice).name == "renamed.net.test.");
  CHECK(has_address(bob.sees(alice), v4));
  CHECK(has_address(carol.sees(alice), real_v4));
  // The whole set is replaced.
  order(desk, coord_command::SetMasquerades{{{carol.client.node_key, alice.client.node_key, v4}}});
  settle(desk, alice, bob, carol);
  CHECK(alice.sees(bob).self_node_v4_masq_addr_for_this_peer.is_none());
  CHECK(has_address(bob.sees(alice), real_v4));
  CHECK(has_address(alice.sees(carol), v4));
  CHECK(carol.sees(alice).self_node_v4_masq_addr_for_this_peer == v4);
  order(desk, coord_command::SetMasquerades{});
  settle(desk, alice, bob, carol);
  CHECK(!has_address(alice.sees(carol), v4));
}

TEST_CASE("TEST-32: a masquerade of a node that is to come holds when it has come") {
  Desk desk;
  Member alice(desk, 1);
  settle(desk, alice);
  const auto key = make_key<NodePublic>(2 * 4 + 1);  // of the next one
  order(desk, coord_command::SetMasquerades{{{key, alice.client.node_key, v4}}});
  Member bob(desk, 2), old(desk, 3, Capability{58});
  settle(desk, alice, bob, old);
  REQUIRE(bob.client.node_key == key);
  CHECK(has_address(alice.sees(bob), v4));
  CHECK(bob.sees(alice).self_node_v4_masq_addr_for_this_peer == v4);
  // Who could not translate sees no such peer.
  order(desk, coord_command::SetMasquerades{{{old.client.node_key, alice.client.node_key, v4}}});
  settle(desk, alice, bob, old);
  CHECK(!old.fold->peers.contains(alice.id()));
  CHECK(old.fold->peers.contains(bob.id()));
}

TEST_CASE("TEST-32: a jail goes with its node") {
  Desk desk;
  Member alice(desk, 1), bob(desk, 2);
  settle(desk, alice, bob);
  order(desk, coord_command::SetJailed{alice.id(), bob.id(), true});
  order(desk, coord_command::DeleteNode{bob.id()});
  settle(desk, alice);
  CHECK(alice.fold->peers.empty());
}

}  // namespace ts2021::test
