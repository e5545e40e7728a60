// SPDX-License-Identifier: BSD-3-Clause
// Subnet routes and exit nodes: who may, who has, who is told.
#include "coord/routes.h"

#include <set>

#include "store/memory_store.h"
#include "support/administrator.h"
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/strict_fold.h"

namespace ts2021::test {
namespace {

using coord::RouteTable;
using std::chrono::milliseconds;
using std::chrono::seconds;

IpPrefix route(std::string_view text) { return *IpPrefix::parse(text); }

// A table, and who was told of a move in the last step.
struct Table {
  void set(std::uint64_t node, std::vector<IpPrefix> routes, bool online) {
    moved.clear();
    table.set(NodeId{node}, std::move(routes), online, [this](NodeId id) { moved.insert(id); });
  }
  bool has(std::uint64_t node, std::string_view prefix) const {
    const auto all = table.primary_of(NodeId{node});
    return std::find(all.begin(), all.end(), route(prefix)) != all.end();
  }
  RouteTable table;
  std::set<NodeId> moved;
};

const IpPrefix lab = route("10.1.0.0/16"), office = route("10.2.0.0/16");

// Lets nodes advertise 10.0.0.0/8 and below without asking.
class Approving final : public Policy {
 public:
  ViewClass view_of(const Subject&) const override { return ViewClass{}; }
  bool sees(ViewClass, const Subject&) const override { return true; }
  std::vector<FilterRule> packet_filter(const Subject& node) const override {
    FilterRule rule = allow_all_rule();
    rule.dst_ports.clear();
    for (const auto& prefix : coord::routes_in_force(node.node))
      rule.dst_ports.push_back({.ip = prefix.text(), .ports = {}});
    return rule.dst_ports.empty() ? std::vector<FilterRule>{} : std::vector{rule};
  }
  bool approves_route(const Subject&, const IpPrefix& prefix) const override {
    return prefix.size >= 8 && route("10.0.0.0/8").contains(prefix.address);
  }
};

std::vector<IpPrefix> beyond_addresses(const Node& node) {
  return {node.allowed_ips->begin() + 2, node.allowed_ips->end()};
}

void drain(Client& client, StrictFold& fold) {
  client.desk->advance(milliseconds{300});
  for (const auto& message : client.read_all()) REQUIRE(fold.apply(message) == "");
}

}  // namespace

TEST_CASE("MAP-42: the lowest online router has a prefix, and keeps it while it is online") {
  Table world;
  world.set(3, {lab}, false);
  CHECK(!world.has(3, "10.1.0.0/16"));
  CHECK(world.moved.empty());
  world.set(3, {lab}, true);
  CHECK(world.has(3, "10.1.0.0/16"));
  CHECK(world.moved == std::set{NodeId{3}});
  world.set(1, {lab, office}, true);  // a lower id takes nothing away
  CHECK(world.has(3, "10.1.0.0/16"));
  CHECK(!world.has(1, "10.1.0.0/16"));
  CHECK(world.has(1, "10.2.0.0/16"));
  world.set(2, {lab}, true);
  world.set(3, {lab}, false);
  CHECK(world.has(1, "10.1.0.0/16"));
  CHECK(world.moved == std::set{NodeId{1}, NodeId{3}});
  world.set(3, {lab}, true);
  CHECK(world.has(1, "10.1.0.0/16"));
  CHECK(world.moved.empty());
}

TEST_CASE("MAP-42: with nobody online nothing moves; who withdraws or leaves loses") {
  Table world;
  world.set(1, {lab}, true);
  world.set(2, {lab}, false);
  world.set(1, {lab}, false);
  CHECK(world.has(1, "10.1.0.0/16"));
  CHECK(world.moved.empty());
  world.set(1, {}, false);
  CHECK(world.moved == std::set{NodeId{1}});
  CHECK(!world.has(2, "10.1.0.0/16"));  // it is offline: nobody has it
  world.set(2, {lab}, true);
  CHECK(world.has(2, "10.1.0.0/16"));
  world.set(2, {lab, lab, route("0.0.0.0/0")}, true);  // twice is once, and exits have no election
  CHECK(world.moved.empty());
  CHECK(world.table.primary_of(NodeId{2}) == std::vector{lab});
}

TEST_CASE("MAP-40: in force is what is advertised and approved, without host bits") {
  NodeRecord node;
  CHECK(coord::routes_in_force(node).empty());
  auto host = std::make_shared<Hostinfo>();
  host->routable_ips = {route("10.1.2.3/16"), route("10.2.0.0/16"), route("::/0"), lab, IpPrefix{}};
  node.hostinfo = host;
  CHECK(coord::routes_in_force(node).empty());
  node.approved_routes = {route("::/0"), lab, route("10.9.0.0/16")};
  CHECK(coord::routes_in_force(node) == std::vector{lab, route("::/0")});
}

TEST_CASE("MAP-40, MAP-42: peers learn a router's routes, and the next one's when it fails") {
  Desk desk;
  Administrator admin(desk.store.records());
  Client alice(desk, 1, Capability{GENERATE(as<std::uint16_t>{}, 26, 33, 148)}), first(desk, 2),
      second(desk, 3);
  StrictFold fold(alice.capability), own;
  for (auto* client : {&alice, &first, &second}) client->enroll();
  for (auto* client : {&first, &second}) {
    client->hostinfo.routable_ips = {route("10.1.7.7/16"), route("0.0.0.0/0"), route("::/0")};
    client->update();
    client->start_poll();
  }
  alice.start_poll();
  drain(alice, fold);
  const NodeId one = desk.record(first.node_key)->id, two = desk.record(second.node_key)->id;
  CHECK(beyond_addresses(fold->peers.at(one)).empty());  // nobody has approved them
  CHECK(fold->peers.at(one).hostinfo->routable_ips.size() == 3);

  for (const NodeId id : {one, two})
    admin.change(id, [](NodeRecord& node) { node.approved_routes = {lab, route("0.0.0.0/0")}; });
  drain(alice, fold);
  drain(first, own);
  CHECK(beyond_addresses(fold->peers.at(one)) == std::vector{lab, route("0.0.0.0/0")});
  CHECK(fold->peers.at(one).primary_routes == std::vector{lab});
  CHECK(own->self->primary_routes == std::vector{lab});
  CHECK(beyond_addresses(fold->peers.at(two)) == std::vector{route("0.0.0.0/0")});  // many may be exits
  CHECK(fold->peers.at(two).primary_routes.empty());

  desk.cancel(first.session, first.poll);
  desk.advance(seconds{4});
  drain(alice, fold);
  CHECK(fold->peers.at(one).primary_routes.empty());
  CHECK(beyond_addresses(fold->peers.at(two)) == std::vector{lab, route("0.0.0.0/0")});
  first.start_poll();
  drain(alice, fold);
  CHECK(fold->peers.at(two).primary_routes == std::vector{lab});
  // The node is gone, and so is its claim.
  admin.remove(two);
  drain(alice, fold);
  CHECK(fold->peers.at(one).primary_routes == std::vector{lab});
}

TEST_CASE("MAP-41: a policy approves routes at the update that advertises them") {
  Desk desk;
  desk.order(coord_command::SetPolicy{std::make_shared<const Approving>()});
  Client alice(desk, 1), router(desk, 2);
  for (auto* client : {&alice, &router}) client->enroll();
  StrictFold fold, own;
  alice.start_poll();
  router.start_poll();
  drain(router, own);
  CHECK(own->filter == std::vector<FilterRule>{});
  router.hostinfo.routable_ips = {route("10.1.7.7/16"), route("192.168.0.0/16")};
  router.update();
  drain(alice, fold);
  const NodeId id = desk.record(router.node_key)->id;
  CHECK(desk.record(router.node_key)->approved_routes == std::vector{lab});
  CHECK(fold->peers.at(id).primary_routes == std::vector{lab});
  // MAP-47: its filter follows.
  drain(router, own);
  REQUIRE(own->filter);
  REQUIRE(own->filter->size() == 1);
  CHECK(own->filter->front().dst_ports[0].ip == "10.1.0.0/16");
  // Nothing is approved twice, and what is withdrawn stays permitted.
  router.update();
  router.hostinfo.routable_ips.clear();
  router.update();
  drain(alice, fold);
  CHECK(desk.record(router.node_key)->approved_routes == std::vector{lab});
  CHECK(fold->peers.at(id).primary_routes.empty());
}

TEST_CASE("MAP-42: a router whose key has expired or that is not approved routes nothing") {
  Desk desk;
  Administrator admin(desk.store.records());
  Client alice(desk, 1), router(desk, 2);
  for (auto* client : {&alice, &router}) client->enroll();
  router.hostinfo.routable_ips = {lab, route("0.0.0.0/0")};
  router.update();
  router.start_poll();
  const NodeId id = desk.record(router.node_key)->id;
  admin.change(id, [](NodeRecord& node) { node.approved_routes = {lab, route("0.0.0.0/0")}; });
  StrictFold fold;
  alice.start_poll();
  drain(alice, fold);
  REQUIRE(beyond_addresses(fold->peers.at(id)).size() == 2);
  admin.change(id, [&](NodeRecord& node) { node.key_expiry = desk.clock.now.wall - seconds{1}; });
  drain(alice, fold);
  CHECK(beyond_addresses(fold->peers.at(id)).empty());
  CHECK(fold->peers.at(id).primary_routes.empty());
  admin.change(id, [&](NodeRecord& node) { node.key_expiry.reset(); });
  drain(alice, fold);
  CHECK(beyond_addresses(fold->peers.at(id)).size() == 2);
}

}  // namespace ts2021::test
