// SPDX-License-Identifier: BSD-3-Clause
// What every client of the simulated tailnet ought to see, from the records in the store and what was
// ordered.
#include <algorithm>
#include <set>

#include "sim/coordinator_world.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;

template <class T>
std::vector<T> sorted(std::vector<T> list) {
  std::sort(list.begin(), list.end());
  return list;
}

std::vector<IpPrefix> in_force(const NodeRecord& record) {
  std::set<IpPrefix> out;
  if (record.hostinfo && record.authorized)
    for (const auto& route : record.hostinfo->routable_ips)
      if (std::find(record.approved_routes.begin(), record.approved_routes.end(), route.masked()) !=
          record.approved_routes.end())
        out.insert(route.masked());
  return {out.begin(), out.end()};
}

// Who bears what, by the records.
class Bearers final : public CapabilityHolders {
 public:
  Bearers(const std::map<NodeId, NodeRecord>& nodes, const Policy& policy) : nodes_(nodes), policy_(policy) {}
  void append(std::string_view capability, std::vector<std::string>& sources) const override {
    for (const auto& [id, record] : nodes_) {
      if (!record.authorized) continue;
      const auto borne = policy_.source_capabilities({record, {}});
      if (std::find(borne.begin(), borne.end(), capability) == borne.end()) continue;
      sources.push_back(record.v4.text());
      sources.push_back(IpAddress::v6(mapped_v6(record.v4)).text());
    }
  }

 private:
  const std::map<NodeId, NodeRecord>& nodes_;
  const Policy& policy_;
};

std::set<std::string> names(const Node& node) {
  std::set<std::string> out(node.capabilities.begin(), node.capabilities.end());
  for (const auto& [name, values] : node.cap_map) out.insert(name);
  return out;
}

}  // namespace

void CoordinatorWorld::settle() {
  for (int i = 0; i < 40; ++i) {
    store_.finish();
    pump();
    take(true);
    pump();
    advance(milliseconds{250});
  }
}

void CoordinatorWorld::compare() {
  compare_store();
  std::set<NodeId> online;
  for (const auto& client : clients_)
    if (client.poll && (*client.fold)->self) online.insert((*client.fold)->self->id);
  find_primaries(online);
  check(orders_.empty(), "an order is not answered");
  for (const auto& client : clients_) {
    if (!client.poll) continue;
    if (!(*client.fold)->self) return check(false, "a poll without a map");
    const auto own = stored_.find((*client.fold)->self->id);
    if (own == stored_.end()) return check(false, "a poll of a node that is no more");
    ++tally.compared;
    compare_self(client, own->second);
    compare_settings(client, own->second);
    compare_peers(client, own->second, online);
  }
}

void CoordinatorWorld::compare_store() {
  std::map<MachinePublic, const ClientState*> by_machine;
  std::set<std::string> names;
  std::set<Ipv4Address> addresses;
  for (const auto& client : clients_) by_machine[client.machine] = &client;
  for (const auto& [id, record] : stored_) {
    check(names.insert(record.given_name).second, "two nodes have the name " + record.given_name);
    check(addresses.insert(record.v4).second, "two nodes have one address");
    const ClientState& client = *by_machine.at(record.machine);
    if (!client.answered_last || record.key != client.key) continue;  // or a node of before: it was tagged
    const std::string whose = "the store has not what the client of node " +
                              std::to_string(static_cast<std::uint64_t>(id)) + " " + record.stable_id +
                              " told last: ";
    check(record.endpoints == client.endpoints, whose + "endpoints");
    check(record.disco == client.disco, whose + "disco key");
    check(record.home_derp == client.home_derp, whose + "relay");
    check(record.hostname == client.hostname, whose + "host name");
    check(record.key == client.key, whose + "key");
    check(record.hostinfo->routable_ips == client.routes, whose + "routes");
  }
}

// Each router knows itself best.
void CoordinatorWorld::find_primaries(const std::set<NodeId>& online) {
  primaries_.clear();
  for (const auto& client : clients_)
    if (client.poll && (*client.fold)->self)
      for (const auto& route : (*client.fold)->self->primary_routes)
        check(route.size == 0 || primaries_.try_emplace(route, (*client.fold)->self->id).second,
              "two routers of one subnet");
  tally.primaries += primaries_.size();
  for (const auto& [id, record] : stored_) {
    if (!online.contains(id) || expired(record)) continue;
    if (laid_.routes.contains(id)) continue;
    for (const auto& route : in_force(record))
      check(route.size == 0 || primaries_.contains(route), "nobody routes " + route.text());
  }
}

void CoordinatorWorld::compare_self(const ClientState& client, const NodeRecord& own) {
  const StrictFold& fold = *client.fold;
  const Node& self = *fold->self;
  check(self.name == own.given_name + ".sim.test.", "self has a wrong name");
  check(self.key == own.key, "self has a wrong key");
  check(own.key_expiry ? self.key_expiry.at == *own.key_expiry : self.key_expiry.is_zero(),
        "self has a wrong key expiry");
  check(self.machine_authorized == own.authorized, "self is approved or not");
  if (client.capability >= Capability::key_signatures)
    check(self.key_signature.bytes == own.key_signature, "self has a wrong signature");
  compare_routes(self, own);
  const auto has = names(self);
  const CapMap given = own.authorized ? policy_->node_attributes({own, {}}) : CapMap{};
  if (const auto laid = laid_.capabilities.find(own.id); laid != laid_.capabilities.end()) {
    std::set<std::string> all;
    for (const auto& [name, values] : laid->second) all.insert(name);
    check(has == all, "self has other capabilities than were laid over it");
  } else {
    check(has.contains("only-own") == own.capabilities.contains("only-own"),
          "self lacks what its record gives");
    check(has.contains("by-policy") == given.contains("by-policy"), "self lacks what the policy gives");
    check(has.contains("https") == dns_.certificates, "self may have certificates or not");
    check(has.contains("https://tailscale.com/cap/file-sharing"), "self lacks what everybody has");
  }

  const auto filter = filter_for(own, client.capability);
  check(fold->filter == filter, "a wrong filter of node " + own.stable_id);
  tally.expanded += !understands_cap_sources(client.capability) && !filter.empty();

  if (client.capability < Capability::ssh_policy) return;
  std::vector<Subject> everybody;
  for (const auto& [id, record] : stored_)
    if (record.authorized) everybody.push_back({record, {}});
  std::optional<SSHPolicy> ssh;
  if (own.authorized && own.hostinfo && !own.hostinfo->ssh_host_keys.empty())
    ssh = policy_->ssh_policy({own, {}}, everybody);
  if (laid_.ssh) ssh = laid_.ssh;
  check(ssh ? fold->ssh == ssh : !fold->ssh || fold->ssh->rules.empty(), "a wrong SSH policy");
}

std::vector<FilterRule> CoordinatorWorld::filter_for(const NodeRecord& own, Capability capability) const {
  if (!own.authorized) return {};
  const Bearers bearers(stored_, *policy_);
  auto filter = policy_->packet_filter({own, {}});
  if (laid_.app_caps) {
    FilterRule& rule = filter.emplace_back();
    rule.src_ips = {"*"};
    CapGrant& grant = rule.cap_grant.emplace_back();
    grant.dsts = {*IpPrefix::parse("0.0.0.0/0"), *IpPrefix::parse("::/0")};
    grant.cap_map = *laid_.app_caps;
  }
  filter = rules_for(std::move(filter), capability, &bearers);
  const bool lists = std::any_of(laid_.not_signed.begin(), laid_.not_signed.end(),
                                 [this](NodeId node) { return stored_.contains(node); });
  if (!lists) return filter;
  const auto in = addresses_of(false, own), out = addresses_of(true, own);
  for (FilterRule& rule : filter) {
    if (rule.dst_ports.empty()) continue;
    if (rule.src_ips == std::vector<std::string>{"*"}) rule.src_ips = in;
    std::erase_if(rule.src_ips, [&](const std::string& source) {
      return std::find(out.begin(), out.end(), source) != out.end();
    });
  }
  std::erase_if(filter, [](const FilterRule& rule) { return rule.src_ips.empty(); });
  return filter;
}

std::vector<std::string> CoordinatorWorld::addresses_of(bool not_signed, const NodeRecord& viewer) const {
  std::vector<std::string> out;
  for (const auto& [id, record] : stored_) {
    if (laid_.not_signed.contains(id) != not_signed) continue;
    for (const auto family : {IpAddress::Family::v4, IpAddress::Family::v6})
      out.push_back(address_of(record, viewer, family).text());
  }
  return out;
}

IpAddress CoordinatorWorld::masquerade(const NodePublic& node, const NodePublic& peer,
                                       IpAddress::Family family) const {
  for (const auto& one : laid_.masquerades)
    if (one.node == node && one.peer == peer && one.address.family() == family) return one.address;
  return {};
}

IpAddress CoordinatorWorld::address_of(const NodeRecord& node, const NodeRecord& viewer,
                                       IpAddress::Family family) const {
  const IpAddress other = masquerade(node.key, viewer.key, family);
  if (!other.is_none()) return other;
  if (family == IpAddress::Family::v4) return IpAddress::v4(node.v4.value);
  return IpAddress::v6(mapped_v6(node.v4));
}

bool CoordinatorWorld::hidden(const NodeRecord& peer, const ClientState& viewer,
                              const NodeRecord& own) const {
  const auto as = [&](IpAddress::Family family) { return !masquerade(own.key, peer.key, family).is_none(); };
  return (viewer.capability < Capability::jailed_peers && laid_.jailed.contains({own.id, peer.id})) ||
         (viewer.capability < Capability::masquerade_v4 && as(IpAddress::Family::v4)) ||
         (viewer.capability < Capability::masquerade_v6 && as(IpAddress::Family::v6));
}

void CoordinatorWorld::compare_settings(const ClientState& client, const NodeRecord& own) {
  const StrictFold& fold = *client.fold;
  check(fold->derp_map == *derp_map_, "a wrong relay map");
  DNSConfig dns;
  dns.proxied = dns_.magic_dns;
  if (dns_.magic_dns) dns.domains = {"sim.test"};
  dns.domains.insert(dns.domains.end(), dns_.search_domains.begin(), dns_.search_domains.end());
  if (dns_.certificates) dns.cert_domains = {own.given_name + ".sim.test"};
  check(fold->dns == laid_.dns.value_or(dns), "wrong DNS settings");

  Messages shown = shown_to_.contains(own.id) ? shown_to_.at(own.id) : Messages{};
  shown.insert(shown_.begin(), shown_.end());
  tally.shown += shown.size();
  if (client.capability >= Capability::display_messages) {
    check(fold->display_messages == shown, "wrong messages");
  } else {
    std::vector<std::string> lines;
    for (const auto& [id, message] : shown) lines.push_back(message.title + ": " + message.text);
    check(fold->health.value_or(std::vector<std::string>{}) == lines, "wrong health");
  }
  if (client.capability >= Capability::control_dial_plan)
    check(plan_ ? fold->dial_plan == plan_ : !fold->dial_plan || fold->dial_plan->candidates.empty(),
          "a wrong dial plan");
  if (client.capability >= Capability::client_version_wanted)
    check(version_ ? fold->client_version == version_
                   : !fold->client_version || fold->client_version->running_latest,
          "a wrong client version");
}

void CoordinatorWorld::compare_peers(const ClientState& client, const NodeRecord& own,
                                     const std::set<NodeId>& online) {
  const StrictFold& fold = *client.fold;
  const ViewClass view = policy_->view_of({own, {}});
  for (const auto& [id, record] : stored_) {
    if (id == own.id) continue;
    const auto seen = fold->peers.find(id);
    const bool approved = own.authorized && record.authorized;
    if (!approved || !policy_->sees(view, {record, {}}) || hidden(record, client, own)) {
      tally.hidden += !approved;
      check(seen == fold->peers.end(), "a peer that must not be seen");
      continue;
    }
    if (seen == fold->peers.end()) {
      check(false, "a peer is missing");
      continue;
    }
    compare_node(seen->second, record, client, own);
    check(seen->second.online == online.contains(id), "presence is wrong");
    if (!online.contains(id) && record.last_seen && client.capability >= Capability::more_peer_patches)
      check(seen->second.last_seen.at == *record.last_seen, "last seen is wrong");
  }
  for (const auto& [id, seen] : fold->peers) check(stored_.contains(id), "a peer that is no more");
}

void CoordinatorWorld::compare_pair(const Node& seen, const NodeRecord& record, const ClientState& viewer,
                                    const NodeRecord& own) {
  using Family = IpAddress::Family;
  const IpAddress v4 = masquerade(own.key, record.key, Family::v4);
  const IpAddress v6 = masquerade(own.key, record.key, Family::v6);
  const bool jailed = laid_.jailed.contains({own.id, record.id});
  check(seen.is_jailed == jailed, "a peer is jailed or not");
  check(seen.self_node_v4_masq_addr_for_this_peer == v4, "a wrong IPv4 masquerade");
  check(seen.self_node_v6_masq_addr_for_this_peer == v6, "a wrong IPv6 masquerade");
  check(seen.addresses == std::vector{IpPrefix::host(address_of(record, own, Family::v4)),
                                      IpPrefix::host(address_of(record, own, Family::v6))},
        "a peer has wrong addresses");
  tally.paired += jailed || !v4.is_none();
  if (viewer.capability >= Capability::unsigned_peer_api_only)
    check(seen.unsigned_peer_api_only == laid_.not_signed.contains(record.id), "a peer is signed or not");
}

void CoordinatorWorld::compare_node(const Node& seen, const NodeRecord& record, const ClientState& viewer,
                                    const NodeRecord& own) {
  check(seen.name == record.given_name + ".sim.test.", "a peer has a wrong name");
  check(seen.stable_id == record.stable_id, "a peer has a wrong stable id");
  check(seen.key == record.key, "a peer has a wrong key");
  check(seen.disco_key == record.disco, "a peer has a wrong disco key");
  check(sorted(seen.endpoints) == (expired(record) ? std::vector<IpPort>{} : sorted(record.endpoints)),
        "a peer has wrong endpoints");
  check(home_derp(seen) == (expired(record) ? 0 : record.home_derp), "a peer has a wrong relay");
  compare_pair(seen, record, viewer, own);
  if (viewer.capability >= Capability::node_expired)
    check(seen.expired == expired(record), "a peer is expired or not");
  if (viewer.capability >= Capability::node_cap)
    check(seen.cap == record.capability, "a peer has a wrong capability version");
  check(record.key_expiry ? seen.key_expiry.at == *record.key_expiry : seen.key_expiry.is_zero(),
        "a peer has a wrong key expiry");
  check(seen.hostinfo && seen.hostinfo->hostname == record.hostname, "a peer has a wrong host name");
  if (viewer.capability >= Capability::key_signatures)
    check(seen.key_signature.bytes == record.key_signature, "a peer has a wrong signature");
  const auto sources = policy_->source_capabilities({record, {}});
  std::set<std::string> expected(sources.begin(), sources.end());
  if (record.capabilities.contains("suggest-exit-node")) expected.insert("suggest-exit-node");
  if (const auto laid = laid_.capabilities.find(record.id); laid != laid_.capabilities.end()) {
    expected.clear();
    for (const auto& [name, values] : laid->second) expected.insert(name);
    ++tally.laid;
  }
  check(names(seen) == expected, "a peer has wrong capabilities");
  compare_routes(seen, record);
}

void CoordinatorWorld::compare_routes(const Node& seen, const NodeRecord& record) {
  auto routes = expired(record) ? std::vector<IpPrefix>{} : in_force(record);
  std::vector<IpPrefix> allowed = seen.addresses;
  if (const auto laid = laid_.routes.find(record.id); laid != laid_.routes.end()) {
    allowed.insert(allowed.end(), laid->second.begin(), laid->second.end());
    check(seen.allowed_ips && sorted(*seen.allowed_ips) == sorted(allowed), "other routes than were said");
    check(seen.primary_routes == laid->second, "other primary routes than were said");
    ++tally.laid;
    return;
  }
  for (const auto& route : routes) {
    const bool has =
        std::find(seen.primary_routes.begin(), seen.primary_routes.end(), route) != seen.primary_routes.end();
    if (const auto primary = primaries_.find(route); primary != primaries_.end())
      check(has == (primary->second == record.id), "a wrong router of " + route.text());
    if (has || route.size == 0) allowed.push_back(route);
  }
  for (const auto& route : seen.primary_routes)
    check(std::find(routes.begin(), routes.end(), route) != routes.end(), "a route that is not in force");
  check(seen.allowed_ips && sorted(*seen.allowed_ips) == sorted(allowed), "wrong AllowedIPs");
}

}  // namespace ts2021::test
