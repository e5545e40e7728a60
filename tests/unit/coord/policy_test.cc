// SPDX-License-Identifier: BSD-3-Clause
// What a policy says, in maps: filters of one's own, capabilities, SSH, and who waits for approval.
#include "ts2021/coord/policy.h"

#include <algorithm>

#include "support/administrator.h"
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/strict_fold.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void drain(Client& client, StrictFold& fold) {
  client.desk->advance(milliseconds{300});
  for (const auto& message : client.read_all()) REQUIRE(fold.apply(message) == "");
}

NodeId id_of(const Client& client) { return client.desk->record(client.node_key)->id; }

// Admins (tag:admin) bear "admins"; everybody lets admins in, and admins everybody. Counts what it is asked.
class Admins : public Policy {
 public:
  ViewClass view_of(const Subject&) const override {
    ++asked;
    return ViewClass{};
  }
  bool sees(ViewClass, const Subject&) const override {
    ++asked;
    return true;
  }
  std::vector<FilterRule> packet_filter(const Subject& node) const override {
    ++asked;
    FilterRule rule = allow_all_rule();
    if (!is_admin(node)) rule.src_ips = {"cap:admins"};
    return {rule};
  }
  std::vector<std::string> source_capabilities(const Subject& node) const override {
    ++asked;
    return is_admin(node) ? std::vector<std::string>{"admins"} : std::vector<std::string>{};
  }
  CapMap node_attributes(const Subject& node) const override {
    ++asked;
    return is_admin(node) ? CapMap{{"suggest-exit-node", {}}, {"custom", {*RawJson::parse("{\"a\":1}")}}}
                          : CapMap{};
  }
  std::optional<SSHPolicy> ssh_policy(const Subject&, std::span<const Subject> everybody) const override {
    ++asked_ssh;
    SSHPolicy out;
    for (const auto& one : everybody)
      if (is_admin(one)) {
        SSHRule rule;
        rule.principals.emplace_back().node_ip = one.node.v4.text();
        rule.ssh_users = {{"*", "="}};
        rule.action.accept = true;
        out.rules.push_back(rule);
      }
    return out;
  }
  static bool is_admin(const Subject& node) {
    return std::find(node.node.tags.begin(), node.node.tags.end(), "tag:admin") != node.node.tags.end();
  }
  mutable std::size_t asked = 0, asked_ssh = 0;
};

std::vector<std::string> addresses(const NodeRecord& node) {
  return {node.v4.text(), IpAddress::v6(mapped_v6(node.v4)).text()};
}

}  // namespace

TEST_CASE("MAP-47: a node's filter is its own, and new when what the policy decides by has changed") {
  Desk desk;
  Administrator admin(desk.store.records());
  desk.order(coord_command::SetPolicy{std::make_shared<const Admins>()});
  Client alice(desk, 1), bob(desk, 2);
  StrictFold fold, other;
  for (auto* client : {&alice, &bob}) {
    client->enroll();
    client->start_poll();
  }
  drain(alice, fold);
  drain(bob, other);
  CHECK(fold->filter->front().src_ips == std::vector<std::string>{"cap:admins"});
  admin.change(id_of(alice), [](NodeRecord& node) { node.tags = {"tag:admin"}; });
  drain(alice, fold);
  drain(bob, other);
  CHECK(*fold->filter == std::vector{allow_all_rule()});
  CHECK(other->filter->front().src_ips == std::vector<std::string>{"cap:admins"});
  CHECK(other->peers.at(id_of(alice)).cap_map.contains("admins"));
  // A change that the policy does not look at brings no filter.
  alice.hostinfo.hostname = "renamed";
  alice.update();
  desk.advance(milliseconds{300});
  for (const auto& message : alice.read_all()) {
    CHECK(message.packet_filters.empty());
    REQUIRE(fold.apply(message) == "");
  }
  CHECK(fold->self->name == "renamed.net.test.");
}

TEST_CASE(
    "API-76, MAP-47: who can not read a source capability is told its bearers, and again when they change") {
  Desk desk;
  Administrator admin(desk.store.records());
  desk.order(coord_command::SetPolicy{std::make_shared<const Admins>()});
  const Capability capability{GENERATE(as<std::uint16_t>{}, 26, 81, 108)};
  Client alice(desk, 1, capability), bob(desk, 2), carol(desk, 3);
  StrictFold fold(capability);
  for (auto* client : {&alice, &bob, &carol}) client->enroll();
  alice.start_poll();
  drain(alice, fold);
  REQUIRE(fold->filter);
  CHECK(fold->filter->empty());  // nobody bears it, and a rule without sources would block everything
  const auto make_admin = [](NodeRecord& node) { node.tags = {"tag:admin"}; };
  admin.change(id_of(bob), make_admin);
  drain(alice, fold);
  REQUIRE(fold->filter->size() == 1);
  CHECK(fold->filter->front().src_ips == addresses(*desk.record(bob.node_key)));
  admin.change(id_of(carol), make_admin);
  drain(alice, fold);
  CHECK(fold->filter->front().src_ips.size() == 4);
  admin.remove(id_of(bob));
  drain(alice, fold);
  CHECK(fold->filter->front().src_ips == addresses(*desk.record(carol.node_key)));
  admin.change(id_of(carol), [](NodeRecord& node) { node.authorized = false; });
  drain(alice, fold);
  CHECK(fold->filter->empty());
}

TEST_CASE("a change of one node costs few questions, however many watch") {
  Desk desk;
  Administrator admin(desk.store.records());
  const auto policy = std::make_shared<const Admins>();
  desk.order(coord_command::SetPolicy{policy});
  std::vector<Client> viewers;
  viewers.reserve(60);
  for (std::uint64_t i = 0; i < 60; ++i) {
    viewers.emplace_back(desk, i + 10, Capability{static_cast<std::uint16_t>(i % 2 == 0 ? 148 : 109)});
    viewers.back().enroll();
    viewers.back().start_poll();
  }
  Client bob(desk, 1);
  bob.enroll();
  bob.update();
  desk.advance(seconds{1});
  policy->asked = 0;
  bob.endpoints = {{IpAddress::v4(0x0a000001), 1}};
  bob.update();
  desk.advance(seconds{1});
  CHECK(policy->asked == 0);
  policy->asked = 0;
  const auto before = desk.coordinator.counters();
  admin.change(id_of(bob), [](NodeRecord& node) { node.tags = {"tag:admin"}; });
  desk.advance(seconds{1});
  CHECK(policy->asked <= 4);  // and what it bears and gets
  CHECK(desk.coordinator.counters().frames - before.frames == 60);
  CHECK(desk.coordinator.counters().encodings - before.encodings == 2);
  CHECK(policy->asked_ssh == 0);  // nobody runs an SSH server
}

TEST_CASE("MAP-44: capabilities of a node: standing ones, the policy's, its own") {
  auto config = desk_config();
  config.owner = "owner@net.test";
  Desk desk(config);
  Administrator admin(desk.store.records());
  desk.order(coord_command::SetPolicy{std::make_shared<const Admins>()});
  const Capability capability{GENERATE(as<std::uint16_t>{}, 73, 74, 148)};
  Client alice(desk, 1, capability), bob(desk, 2);
  StrictFold fold(capability), own;
  for (auto* client : {&alice, &bob}) {
    client->enroll();
    client->start_poll();
  }
  drain(alice, fold);
  drain(bob, own);
  for (const std::string name : {"file-sharing", "ssh", "is-admin", "is-owner", "tailnet-lock"}) {
    const std::string full = "https://tailscale.com/cap/" + name;
    CHECK(own->self->cap_map.contains(full));
    const auto& list = fold->self->capabilities;
    if (capability < Capability::node_cap_map)
      CHECK(std::find(list.begin(), list.end(), full) != list.end());
    else
      CHECK(fold->self->cap_map.contains(full));
  }
  CHECK(!own->self->cap_map.contains("https"));
  CHECK(own->peers.at(id_of(alice)).cap_map.empty());
  const NodeId id = id_of(bob);
  admin.change(id, [](NodeRecord& node) { node.capabilities = {{"custom", {}}, {"more", {}}}; });
  desk.advance(milliseconds{300});
  CHECK(alice.read_all().empty());  // peers don't read these
  drain(bob, own);
  CHECK(own->self->cap_map.contains("more"));
  // What peers read is patched where a patch can say it.
  admin.change(id, [](NodeRecord& node) { node.capabilities = {{"suggest-exit-node", {}}}; });
  desk.advance(milliseconds{300});
  auto messages = alice.read_all();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].peers_changed_patch.size() == (capability >= Capability::node_cap_map ? 1u : 0u));
  REQUIRE(fold.apply(messages[0]) == "");
  if (capability >= Capability::node_cap_map) CHECK(fold->peers.at(id).cap_map.contains("suggest-exit-node"));
  // A tagged node is nobody's; the record wins over the policy.
  admin.change(id, [](NodeRecord& node) {
    node.tags = {"tag:admin"};
    node.capabilities = {{"custom", {*RawJson::parse("2")}},
                         {"default-auto-update", {*RawJson::parse("true")}}};
  });
  drain(alice, fold);
  drain(bob, own);
  CHECK(!own->self->cap_map.contains("https://tailscale.com/cap/is-owner"));
  CHECK(own->self->cap_map.contains("suggest-exit-node"));
  CHECK(own->self->cap_map.at("custom").front().text() == "2");
  if (capability >= Capability::node_cap_map) {
    CHECK(fold->peers.at(id).cap_map.contains("admins"));
    CHECK(fold->peers.at(id).cap_map.contains("suggest-exit-node"));
    CHECK(!fold->peers.at(id).cap_map.contains("custom"));
  }
}

TEST_CASE("MAP-44: default-auto-update has a member of its own for some clients") {
  Desk desk;
  Administrator admin(desk.store.records());
  const Capability capability{GENERATE(as<std::uint16_t>{}, 82, 83, 130, 131)};
  Client alice(desk, 1, capability);
  alice.enroll();
  alice.start_poll();
  StrictFold fold(capability);
  drain(alice, fold);
  CHECK(!fold->default_auto_update);
  admin.change(id_of(alice), [](NodeRecord& node) {
    node.capabilities = {{"default-auto-update", {*RawJson::parse("true")}}};
  });
  drain(alice, fold);
  const bool member =
      capability >= Capability::default_auto_update && capability < Capability::auto_update_capability;
  CHECK(fold->default_auto_update == (member ? OptBool(true) : OptBool()));
  CHECK(fold->self->cap_map.contains("default-auto-update"));
}

TEST_CASE("MAP-45: tagged nodes belong to a user of their own") {
  Desk desk;
  Administrator admin(desk.store.records());
  Client alice(desk, 1), bob(desk, 2);
  StrictFold fold;
  for (auto* client : {&alice, &bob}) client->enroll();
  alice.start_poll();
  drain(alice, fold);
  const NodeId id = id_of(bob);
  CHECK(fold->peers.at(id).user == fold->self->user);
  admin.change(id, [](NodeRecord& node) { node.tags = {"tag:server"}; });
  drain(alice, fold);
  CHECK(fold->peers.at(id).user != fold->self->user);
  CHECK(fold->profiles.at(fold->peers.at(id).user).login_name == "tagged-devices");
  CHECK(fold->peers.at(id).tags == std::vector<std::string>{"tag:server"});
  admin.change(id, [](NodeRecord& node) { node.tags.clear(); });
  drain(alice, fold);
  CHECK(fold->peers.at(id).user == fold->self->user);
}

TEST_CASE("MAP-52: who may log in is told to nodes that run an SSH server, when the answer changes") {
  Desk desk;
  Administrator admin(desk.store.records());
  const auto policy = std::make_shared<const Admins>();
  desk.order(coord_command::SetPolicy{policy});
  Client alice(desk, 1), bob(desk, 2), carol(desk, 3);
  StrictFold fold, other;
  for (auto* client : {&alice, &bob, &carol}) client->enroll();
  alice.start_poll();
  carol.start_poll();
  drain(alice, fold);
  drain(carol, other);
  CHECK(!fold->ssh);
  CHECK(policy->asked_ssh == 0);
  alice.hostinfo.ssh_host_keys = {"ssh-ed25519 AAAA"};
  alice.update();
  drain(alice, fold);
  REQUIRE(fold->ssh);
  CHECK(fold->ssh->rules.empty());  // nobody
  const auto questions = policy->asked_ssh;
  bob.endpoints = {{IpAddress::v4(0x0a000001), 1}};
  bob.update();
  drain(alice, fold);
  CHECK(policy->asked_ssh == questions);
  admin.change(id_of(bob), [](NodeRecord& node) { node.tags = {"tag:admin"}; });
  drain(alice, fold);
  REQUIRE(fold->ssh->rules.size() == 1);
  CHECK(fold->ssh->rules[0].principals[0].node_ip == desk.record(bob.node_key)->v4.text());
  // Somebody else changed, the answer did not.
  admin.change(id_of(carol), [](NodeRecord& node) { node.tags = {"tag:other"}; });
  desk.advance(milliseconds{300});
  for (const auto& message : alice.read_all()) {
    CHECK(!message.ssh_policy);
    REQUIRE(fold.apply(message) == "");
  }
  alice.start_poll();
  StrictFold again;
  drain(alice, again);
  CHECK(again->ssh->rules.size() == 1);
  // The admin goes, then the server is switched off, then the policy says nothing.
  admin.remove(id_of(bob));
  drain(alice, again);
  CHECK(again->ssh->rules.empty());
  drain(carol, other);
  CHECK(!other->ssh);
  desk.order(coord_command::SetPolicy{std::make_shared<const AllowAll>()});
  drain(alice, again);
  CHECK(again->ssh->rules.empty());
  alice.start_poll();
  StrictFold third;
  drain(alice, third);
  CHECK(!third->ssh);
}

TEST_CASE("MAP-46: who waits for approval sees nobody, lets nobody in and is not seen") {
  Desk desk;
  Administrator admin(desk.store.records());
  Client alice(desk, 1), bob(desk, 2), carol(desk, 3);
  StrictFold fold, waiting, third;
  for (auto* client : {&alice, &bob, &carol}) client->enroll();
  const NodeId id = id_of(bob);
  admin.change(id, [](NodeRecord& node) { node.authorized = false; });
  alice.start_poll();
  bob.start_poll();
  carol.start_poll();
  drain(alice, fold);
  drain(bob, waiting);
  drain(carol, third);
  CHECK(!waiting->self->machine_authorized);
  CHECK(waiting->self->addresses.size() == 2);
  CHECK(waiting->peers.empty());
  CHECK(waiting->filter == std::vector<FilterRule>{});
  CHECK(fold->peers.size() == 1);
  // What happens meanwhile is not for it, nor is what it does for others.
  alice.endpoints = {{IpAddress::v4(0x0a000001), 1}};
  alice.update();
  bob.update();
  drain(alice, fold);
  drain(bob, waiting);
  drain(carol, third);
  CHECK(waiting->peers.empty());
  CHECK(third->peers.size() == 1);
  admin.change(id, [](NodeRecord& node) { node.authorized = true; });
  drain(alice, fold);
  drain(bob, waiting);
  CHECK(waiting->self->machine_authorized);
  CHECK(waiting->peers.size() == 2);
  CHECK(waiting->filter == std::vector{allow_all_rule()});
  CHECK(fold->peers.size() == 2);
  CHECK(fold->peers.at(id).online == true);
  CHECK(fold->peers.at(id).endpoints == bob.endpoints);
  admin.change(id, [](NodeRecord& node) { node.authorized = false; });
  drain(alice, fold);
  drain(bob, waiting);
  CHECK(waiting->peers.empty());
  CHECK(waiting->filter == std::vector<FilterRule>{});
  CHECK(!fold->peers.contains(id));
}

TEST_CASE("MAP-25, MAP-27: a new signature of the tailnet lock is patched where it can be") {
  Desk desk;
  Administrator admin(desk.store.records());
  const Capability capability{GENERATE(as<std::uint16_t>{}, 39, 40, 148)};
  Client alice(desk, 1, capability), bob(desk, 2);
  StrictFold fold(capability), own;
  for (auto* client : {&alice, &bob}) {
    client->enroll();
    client->start_poll();
  }
  drain(alice, fold);
  drain(bob, own);
  const NodeId id = id_of(bob);
  admin.change(id, [](NodeRecord& node) { node.key_signature = {1, 2, 3}; });
  desk.advance(milliseconds{300});
  const auto messages = alice.read_all();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].peers_changed_patch.size() == (capability >= Capability::key_signatures ? 1u : 0u));
  REQUIRE(fold.apply(messages[0]) == "");
  drain(bob, own);
  CHECK(own->self->key_signature.bytes == std::vector<std::uint8_t>{1, 2, 3});
  if (capability >= Capability::key_signatures)
    CHECK(fold->peers.at(id).key_signature.bytes == std::vector<std::uint8_t>{1, 2, 3});
  admin.change(id, [](NodeRecord& node) { node.key_signature.clear(); });
  drain(alice, fold);
  CHECK(fold->peers.at(id).key_signature.empty());
}

}  // namespace ts2021::test
