// SPDX-License-Identifier: BSD-3-Clause
// Overrides that all viewers see alike: routes, capabilities, unsigned nodes.
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/strict_fold.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;

IpPrefix route(std::string_view text) { return *IpPrefix::parse(text); }

int status_of(Desk& desk, CoordOrder order) {
  const CommandId id = desk.order(std::move(order));
  desk.pump();
  return desk.done.at(id).status;
}

// Clients of a new and an old version around a node that orders are about.
struct Scene {
  Desk desk;
  Client alice{desk, 1}, bob{desk, 2}, old{desk, 3, Capability{60}};
  StrictFold fold, bobs, olds{Capability{60}};

  Scene() {
    for (auto* client : {&alice, &bob, &old}) {
      client->enroll();
      client->start_poll();
    }
    read();
  }
  void read() {
    desk.advance(milliseconds{300});
    for (auto& [client, to] : {std::pair(&alice, &fold), std::pair(&bob, &bobs), std::pair(&old, &olds)})
      for (const auto& message : client->read_all()) REQUIRE(to->apply(message) == "");
  }
  void order(CoordOrder what) {
    REQUIRE(status_of(desk, std::move(what)) == 200);
    read();
  }
  [[nodiscard]] NodeId id(const Client& client) const { return desk.record(client.node_key)->id; }
  [[nodiscard]] const Node& bob_for(const StrictFold& viewer) const { return viewer->peers.at(id(bob)); }
};

bool allows(const Node& node, std::string_view prefix) {
  return std::find(node.allowed_ips->begin(), node.allowed_ips->end(), route(prefix)) !=
         node.allowed_ips->end();
}

}  // namespace

TEST_CASE("TEST-33: a node routes what it was said to, advertised or not") {
  Scene scene;
  const auto full_maps = scene.desk.coordinator.counters().full_maps;
  scene.order(coord_command::OverrideRoutes{scene.id(scene.bob),
                                            std::vector{route("10.9.1.1/16"), route("0.0.0.0/0")}});
  for (const Node& seen : {scene.bob_for(scene.fold), scene.bob_for(scene.olds), *scene.bobs->self}) {
    CHECK(seen.primary_routes == std::vector{route("10.9.0.0/16"), route("0.0.0.0/0")});
    CHECK(allows(seen, "10.9.0.0/16"));
    CHECK(allows(seen, "0.0.0.0/0"));
    CHECK(seen.allowed_ips->size() == 4);
  }
  scene.order(coord_command::OverrideRoutes{scene.id(scene.bob), std::nullopt});
  CHECK(scene.bob_for(scene.fold).primary_routes.empty());
  CHECK(scene.bobs->self->allowed_ips == scene.bobs->self->addresses);
  CHECK(scene.desk.coordinator.counters().full_maps == full_maps);
}

TEST_CASE("TEST-33: who routes by order is in no election, and comes back into it") {
  Scene scene;
  const auto subnet = route("10.1.0.0/16");
  for (auto* client : {&scene.bob, &scene.old}) {
    client->hostinfo.routable_ips = {subnet};
    client->update();
    scene.order(coord_command::ApproveRoutes{scene.id(*client), {subnet}});
  }
  CHECK(allows(scene.bob_for(scene.fold), "10.1.0.0/16"));
  scene.order(coord_command::OverrideRoutes{scene.id(scene.bob), std::vector{route("10.9.0.0/16")}});
  CHECK(!allows(scene.bob_for(scene.fold), "10.1.0.0/16"));
  CHECK(allows(scene.fold->peers.at(scene.id(scene.old)), "10.1.0.0/16"));
  scene.order(coord_command::OverrideRoutes{scene.id(scene.bob), std::nullopt});
  CHECK(allows(scene.fold->peers.at(scene.id(scene.old)), "10.1.0.0/16"));
  CHECK(!allows(scene.bob_for(scene.fold), "10.9.0.0/16"));
  scene.order(coord_command::ApproveRoutes{scene.id(scene.old), {}});
  CHECK(allows(scene.bob_for(scene.fold), "10.1.0.0/16"));
}

TEST_CASE("TEST-35: capabilities of a node are replaced for itself and its peers") {
  Scene scene;
  const CapMap only{{"one", {}}, {"two", {*RawJson::parse(R"({"any":[1]})")}}};
  const auto own = scene.bobs->self->cap_map;
  REQUIRE(own.contains("https://tailscale.com/cap/ssh"));
  scene.order(coord_command::OverrideCapabilities{scene.id(scene.bob), only});
  CHECK(scene.bobs->self->cap_map == only);
  CHECK(scene.bob_for(scene.fold).cap_map == only);
  CHECK(scene.bob_for(scene.olds).capabilities == std::vector<std::string>{"one", "two"});
  // It stays when something else changes.
  scene.bob.hostinfo.hostname = "renamed";
  scene.bob.update();
  scene.read();
  CHECK(scene.bob_for(scene.fold).name == "renamed.net.test.");
  CHECK(scene.bob_for(scene.fold).cap_map == only);
  scene.order(coord_command::OverrideCapabilities{scene.id(scene.bob), std::nullopt});
  CHECK(scene.bobs->self->cap_map == own);
  CHECK(scene.bob_for(scene.fold).cap_map.empty());
  CHECK(scene.bob_for(scene.olds).capabilities.empty());
}

TEST_CASE("TEST-34: an unsigned node bears its flag, and no rule opens ports to it") {
  Scene scene;
  scene.order(coord_command::SetAppCaps{CapMap{{"x.test/cap", {}}}});
  scene.order(coord_command::SetUnsignedPeerApiOnly{scene.id(scene.bob), true});
  CHECK(scene.bob_for(scene.fold).unsigned_peer_api_only);
  CHECK(!scene.bobs->self->unsigned_peer_api_only);
  CHECK(!scene.fold->peers.at(scene.id(scene.old)).unsigned_peer_api_only);
  const auto sources = [](const Node& a, const Node& b) {
    return std::vector{a.addresses[0].address.text(), a.addresses[1].address.text(),
                       b.addresses[0].address.text(), b.addresses[1].address.text()};
  };
  const auto expected = sources(*scene.fold->self, *scene.olds->self);
  for (const auto* fold : {&scene.fold, &scene.olds, &scene.bobs}) {
    REQUIRE((*fold)->filter->size() == 2);
    CHECK((*(*fold)->filter)[0].src_ips == expected);
    CHECK((*(*fold)->filter)[1].src_ips == std::vector<std::string>{"*"});
  }
  // Who comes is listed too, who goes no more.
  Client late(scene.desk, 4);
  late.enroll();
  scene.read();
  CHECK((*scene.fold->filter)[0].src_ips.size() == 6);
  CHECK((*scene.olds->filter)[0].src_ips.size() == 6);
  scene.order(coord_command::DeleteNode{scene.id(late)});
  CHECK((*scene.fold->filter)[0].src_ips == expected);
  scene.order(coord_command::SetUnsignedPeerApiOnly{scene.id(scene.bob), false});
  CHECK((*scene.fold->filter)[0].src_ips == std::vector<std::string>{"*"});
  CHECK(!scene.bob_for(scene.fold).unsigned_peer_api_only);
  // It may go while it is unsigned.
  scene.order(coord_command::SetUnsignedPeerApiOnly{scene.id(scene.bob), true});
  scene.order(coord_command::DeleteNode{scene.id(scene.bob)});
  for (const auto* fold : {&scene.fold, &scene.olds})
    CHECK((*(*fold)->filter)[0].src_ips == std::vector<std::string>{"*"});
}

TEST_CASE("TEST-32, TEST-33, TEST-34, TEST-35: there is nothing to lay over a node that is not there") {
  Scene scene;
  const NodeId nobody{77}, bob = scene.id(scene.bob);
  CHECK(status_of(scene.desk, coord_command::OverrideRoutes{nobody, {}}) == 404);
  CHECK(status_of(scene.desk, coord_command::OverrideCapabilities{nobody, {}}) == 404);
  CHECK(status_of(scene.desk, coord_command::SetUnsignedPeerApiOnly{nobody, true}) == 404);
  CHECK(status_of(scene.desk, coord_command::SetJailed{nobody, bob, true}) == 404);
  CHECK(status_of(scene.desk, coord_command::SetJailed{bob, nobody, true}) == 404);
  CHECK(status_of(scene.desk, coord_command::SetMasquerades{{{scene.bob.node_key, {}, {}}}}) == 400);
}

}  // namespace ts2021::test
