// SPDX-License-Identifier: BSD-3-Clause
// Maps against what they ought to be.
#include <algorithm>

#include "sim/intent.h"
#include "ts2021/msg/downlevel.h"
#include "ts2021/msg/hostinfo.h"

namespace ts2021::test {
namespace {

template <class T>
bool same_members(std::vector<T> a, std::vector<T> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

// Who bears what, by the records.
class Bearers final : public CapabilityHolders {
 public:
  Bearers(const std::map<NodeId, Intent::Known>& nodes, const Policy& policy)
      : nodes_(nodes), policy_(policy) {}
  void append(std::string_view capability, std::vector<std::string>& sources) const override {
    for (const auto& [id, known] : nodes_) {
      const NodeRecord& record = *known.record;
      if (!record.authorized) continue;
      const auto borne = policy_.source_capabilities({record, {}});
      if (std::find(borne.begin(), borne.end(), capability) == borne.end()) continue;
      sources.push_back(record.v4.text());
      sources.push_back(IpAddress::v6(mapped_v6(record.v4)).text());
    }
  }

 private:
  const std::map<NodeId, Intent::Known>& nodes_;
  const Policy& policy_;
};

std::set<std::string> names(const Node& node) {
  std::set<std::string> out(node.capabilities.begin(), node.capabilities.end());
  for (const auto& [name, values] : node.cap_map) out.insert(name);
  return out;
}

std::set<std::string> names(const CapMap& capabilities) {
  std::set<std::string> out;
  for (const auto& [name, values] : capabilities) out.insert(name);
  return out;
}

bool says_settings(const MapResponse& message) {
  return message.derp_map || message.dns_config || message.health || !message.display_messages.empty() ||
         message.client_version || message.control_dial_plan;
}

bool says_filters(const MapResponse& message) {
  return message.packet_filter || !message.packet_filters.empty() || message.ssh_policy;
}

}  // namespace

void Intent::check(bool good, std::string_view what, NodeId node) {
  if (good || !wrong_.empty()) return;
  wrong_ = what;
  if (node != NodeId{}) wrong_ += " (node " + std::to_string(static_cast<std::uint64_t>(node)) + ")";
}

std::string Intent::judge(const Netmap& map, Capability viewer) {
  wrong_.clear();
  const Known* own = map.self ? find(map.self->id) : nullptr;
  check(map.self.has_value(), "a poll without a map");
  check(!map.self || own, "a poll of a node that is no more");
  if (own) compare_all({map, viewer, *own->record});
  return std::move(wrong_);
}

std::string Intent::judge(const Netmap& map, Capability viewer, const MapResponse& message, Mark& mark,
                          unsigned every) {
  ++tally_.frames;
  const Known* own = map.self ? find(map.self->id) : nullptr;
  if (!own) return "a map of no node, or of one that is no more";
  const std::size_t before = std::exchange(mark.changes, changes_.size());
  const bool other_filters = std::exchange(mark.subjects, subjects_) != subjects_;
  if (std::exchange(mark.epoch, epoch_) != epoch_ || own->regrouped >= before || !message.peers.empty() ||
      ++mark.frames >= every) {
    mark.frames = 0;
    return judge(map, viewer);
  }
  std::set<NodeId> some(changes_.begin() + static_cast<std::ptrdiff_t>(before), changes_.end());
  for (const auto& peer : message.peers_changed) some.insert(peer.id);
  for (const auto& peer : message.peers_changed_patch) some.insert(peer.node_id);
  for (const auto& [peer, online] : message.online_change) some.insert(peer);
  some.insert(message.peers_removed.begin(), message.peers_removed.end());
  wrong_.clear();
  const Viewer whose{map, viewer, *own->record};
  const bool self = some.erase(own->record->id) != 0 || message.node;
  if (self) compare_self(whose);
  if (self || other_filters || says_filters(message)) compare_filters(whose);
  if (says_settings(message)) compare_settings(whose);
  for (const NodeId peer : some) compare_peer(whose, peer);
  return std::move(wrong_);
}

void Intent::compare_all(const Viewer& viewer) {
  ++tally_.whole;
  compare_self(viewer);
  compare_filters(viewer);
  compare_settings(viewer);
  for (const auto& [id, known] : nodes_)
    if (id != viewer.own.id) compare_peer(viewer, id);
  for (const auto& [id, seen] : viewer.map.peers)
    if (!nodes_.contains(id)) compare_peer(viewer, id);
}

void Intent::compare_self(const Viewer& viewer) {
  const Node& self = *viewer.map.self;
  const NodeRecord& own = viewer.own;
  check(self.name == own.given_name + ".sim.test.", "self has a wrong name");
  check(self.key == own.key, "self has a wrong key");
  check(own.key_expiry ? self.key_expiry.at == *own.key_expiry : self.key_expiry.is_zero(),
        "self has a wrong key expiry");
  check(self.machine_authorized == own.authorized, "self is approved or not");
  if (viewer.capability >= Capability::key_signatures)
    check(self.key_signature.bytes == own.key_signature, "self has a wrong signature");
  compare_routes(self, own);
  const auto has = names(self);
  if (const auto laid = orders_.laid.capabilities.find(own.id); laid != orders_.laid.capabilities.end()) {
    check(has == names(laid->second), "self has other capabilities than were laid over it");
    return;
  }
  const CapMap given = own.authorized ? orders_.policy->node_attributes({own, {}}) : CapMap{};
  check(has.contains("only-own") == own.capabilities.contains("only-own"),
        "self lacks what its record gives");
  check(has.contains("by-policy") == given.contains("by-policy"), "self lacks what the policy gives");
  check(has.contains("https") == orders_.dns.certificates, "self may have certificates or not");
  check(has.contains("https://tailscale.com/cap/file-sharing"), "self lacks what everybody has");
}

void Intent::compare_filters(const Viewer& viewer) {
  const NodeRecord& own = viewer.own;
  const auto filter = filter_for(own, viewer.capability);
  check(viewer.map.filter == filter, "a wrong filter", own.id);
  tally_.expanded += !understands_cap_sources(viewer.capability) && !filter.empty();

  if (viewer.capability < Capability::ssh_policy) return;
  std::optional<SSHPolicy> ssh;
  if (own.authorized && own.hostinfo && !own.hostinfo->ssh_host_keys.empty()) {
    std::vector<Subject> everybody;
    for (const auto& [id, known] : nodes_)
      if (known.record->authorized) everybody.push_back({*known.record, {}});
    ssh = orders_.policy->ssh_policy({own, {}}, everybody);
  }
  if (orders_.laid.ssh) ssh = orders_.laid.ssh;
  const auto& told = viewer.map.ssh;
  check(ssh ? told == ssh : !told || told->rules.empty(), "a wrong SSH policy");
}

std::vector<FilterRule> Intent::filter_for(const NodeRecord& own, Capability capability) const {
  if (!own.authorized) return {};
  const Bearers bearers(nodes_, *orders_.policy);
  auto filter = orders_.policy->packet_filter({own, {}});
  if (orders_.laid.app_caps) {
    FilterRule& rule = filter.emplace_back();
    rule.src_ips = {"*"};
    CapGrant& grant = rule.cap_grant.emplace_back();
    grant.dsts = {*IpPrefix::parse("0.0.0.0/0"), *IpPrefix::parse("::/0")};
    grant.cap_map = *orders_.laid.app_caps;
  }
  filter = rules_for(std::move(filter), capability, &bearers);
  const auto& listed = orders_.laid.not_signed;
  if (std::none_of(listed.begin(), listed.end(), [this](NodeId node) { return nodes_.contains(node); }))
    return filter;
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

std::vector<std::string> Intent::addresses_of(bool not_signed, const NodeRecord& viewer) const {
  std::vector<std::string> out;
  for (const auto& [id, known] : nodes_) {
    if (orders_.laid.not_signed.contains(id) != not_signed) continue;
    for (const auto family : {IpAddress::Family::v4, IpAddress::Family::v6})
      out.push_back(address_of(*known.record, viewer, family).text());
  }
  return out;
}

IpAddress Intent::masquerade(const NodePublic& node, const NodePublic& peer, IpAddress::Family family) const {
  for (const auto& one : orders_.laid.masquerades)
    if (one.node == node && one.peer == peer && one.address.family() == family) return one.address;
  return {};
}

IpAddress Intent::address_of(const NodeRecord& node, const NodeRecord& viewer,
                             IpAddress::Family family) const {
  const IpAddress other = masquerade(node.key, viewer.key, family);
  if (!other.is_none()) return other;
  if (family == IpAddress::Family::v4) return IpAddress::v4(node.v4.value);
  return IpAddress::v6(mapped_v6(node.v4));
}

bool Intent::hidden(const Viewer& viewer, const NodeRecord& peer) const {
  const NodeRecord& own = viewer.own;
  const Capability capability = viewer.capability;
  const auto as = [&](IpAddress::Family family) { return !masquerade(own.key, peer.key, family).is_none(); };
  return (capability < Capability::jailed_peers && orders_.laid.jailed.contains({own.id, peer.id})) ||
         (capability < Capability::masquerade_v4 && as(IpAddress::Family::v4)) ||
         (capability < Capability::masquerade_v6 && as(IpAddress::Family::v6));
}

void Intent::compare_settings(const Viewer& viewer) {
  const Netmap& map = viewer.map;
  const NodeRecord& own = viewer.own;
  check(map.derp_map == *orders_.derp_map, "a wrong relay map");
  DNSConfig dns;
  dns.proxied = orders_.dns.magic_dns;
  if (orders_.dns.magic_dns) dns.domains = {"sim.test"};
  dns.domains.insert(dns.domains.end(), orders_.dns.search_domains.begin(), orders_.dns.search_domains.end());
  if (orders_.dns.certificates) dns.cert_domains = {own.given_name + ".sim.test"};
  check(map.dns == orders_.laid.dns.value_or(dns), "wrong DNS settings");

  const auto own_messages = orders_.shown_to.find(own.id);
  Messages shown = own_messages == orders_.shown_to.end() ? Messages{} : own_messages->second;
  shown.insert(orders_.shown.begin(), orders_.shown.end());
  tally_.shown += shown.size();
  if (viewer.capability >= Capability::display_messages) {
    check(map.display_messages == shown, "wrong messages");
  } else {
    std::vector<std::string> lines;
    for (const auto& [id, message] : shown) lines.push_back(message.title + ": " + message.text);
    check(map.health.value_or(std::vector<std::string>{}) == lines, "wrong health");
  }
  if (viewer.capability >= Capability::control_dial_plan)
    check(orders_.plan ? map.dial_plan == orders_.plan : !map.dial_plan || map.dial_plan->candidates.empty(),
          "a wrong dial plan");
  if (viewer.capability >= Capability::client_version_wanted)
    check(orders_.version ? map.client_version == orders_.version
                          : !map.client_version || map.client_version->running_latest,
          "a wrong client version");
}

void Intent::compare_peer(const Viewer& viewer, NodeId peer) {
  const auto seen = viewer.map.peers.find(peer);
  const Known* known = find(peer);
  if (!known) return check(seen == viewer.map.peers.end(), "a peer that is no more", peer);
  ++tally_.peers;
  const NodeRecord& record = *known->record;
  const Policy& policy = *orders_.policy;
  const bool approved = viewer.own.authorized && record.authorized;
  if (!approved || !policy.sees(policy.view_of({viewer.own, {}}), {record, {}}) || hidden(viewer, record)) {
    tally_.hidden += !approved;
    return check(seen == viewer.map.peers.end(), "a peer that must not be seen", peer);
  }
  if (seen == viewer.map.peers.end()) return check(false, "a peer is missing", peer);
  compare_node(viewer, seen->second, *known);
}

void Intent::compare_node(const Viewer& viewer, const Node& seen, const Known& known) {
  const NodeRecord& record = *known.record;
  const Capability capability = viewer.capability;
  const NodeId id = record.id;
  check(seen.name == record.given_name + ".sim.test.", "a peer has a wrong name", id);
  check(seen.stable_id == record.stable_id, "a peer has a wrong stable id", id);
  check(seen.key == record.key, "a peer has a wrong key", id);
  check(seen.disco_key == record.disco, "a peer has a wrong disco key", id);
  check(same_members(seen.endpoints, expired(record) ? std::vector<IpPort>{} : record.endpoints),
        "a peer has wrong endpoints", id);
  check(home_derp(seen) == (expired(record) ? 0 : record.home_derp), "a peer has a wrong relay", id);
  compare_pair(viewer, seen, record);
  if (capability >= Capability::node_expired)
    check(seen.expired == expired(record), "a peer is expired or not", id);
  if (capability >= Capability::node_cap)
    check(seen.cap == record.capability, "a peer has a wrong capability version", id);
  check(record.key_expiry ? seen.key_expiry.at == *record.key_expiry : seen.key_expiry.is_zero(),
        "a peer has a wrong key expiry", id);
  check(seen.hostinfo && seen.hostinfo->hostname == record.hostname, "a peer has a wrong host name", id);
  if (capability >= Capability::key_signatures)
    check(seen.key_signature.bytes == record.key_signature, "a peer has a wrong signature", id);
  compare_capabilities(seen, record);
  compare_routes(seen, record);
  check(seen.online == known.online, "presence is wrong", id);
  if (!known.online && record.last_seen && capability >= Capability::more_peer_patches)
    check(seen.last_seen.at == *record.last_seen, "last seen is wrong", id);
}

void Intent::compare_pair(const Viewer& viewer, const Node& seen, const NodeRecord& record) {
  using Family = IpAddress::Family;
  const NodeRecord& own = viewer.own;
  const IpAddress v4 = masquerade(own.key, record.key, Family::v4);
  const IpAddress v6 = masquerade(own.key, record.key, Family::v6);
  const bool jailed = orders_.laid.jailed.contains({own.id, record.id});
  check(seen.is_jailed == jailed, "a peer is jailed or not", record.id);
  check(seen.self_node_v4_masq_addr_for_this_peer == v4, "a wrong IPv4 masquerade", record.id);
  check(seen.self_node_v6_masq_addr_for_this_peer == v6, "a wrong IPv6 masquerade", record.id);
  check(seen.addresses == std::vector{IpPrefix::host(address_of(record, own, Family::v4)),
                                      IpPrefix::host(address_of(record, own, Family::v6))},
        "a peer has wrong addresses", record.id);
  tally_.paired += jailed || !v4.is_none();
  if (viewer.capability >= Capability::unsigned_peer_api_only)
    check(seen.unsigned_peer_api_only == orders_.laid.not_signed.contains(record.id),
          "a peer is signed or not", record.id);
}

void Intent::compare_capabilities(const Node& seen, const NodeRecord& record) {
  if (const auto laid = orders_.laid.capabilities.find(record.id); laid != orders_.laid.capabilities.end()) {
    ++tally_.laid;
    return check(names(seen) == names(laid->second), "a peer has other capabilities than were laid over it",
                 record.id);
  }
  const auto sources = orders_.policy->source_capabilities({record, {}});
  std::set<std::string> expected(sources.begin(), sources.end());
  if (record.capabilities.contains("suggest-exit-node")) expected.insert("suggest-exit-node");
  check(names(seen) == expected, "a peer has wrong capabilities", record.id);
}

void Intent::compare_routes(const Node& seen, const NodeRecord& record) {
  std::vector<IpPrefix> allowed = seen.addresses, primary;
  if (const auto laid = orders_.laid.routes.find(record.id); laid != orders_.laid.routes.end()) {
    primary = laid->second;
    allowed.insert(allowed.end(), primary.begin(), primary.end());
    ++tally_.laid;
  } else {
    for (const auto& route : record.approved_routes) {
      const auto router = primaries_.find(route);
      if (router != primaries_.end() && router->second == record.id) primary.push_back(route);
    }
    tally_.primaries += primary.size();
    allowed.insert(allowed.end(), primary.begin(), primary.end());
    if (!expired(record))
      for (const auto* exit : {"0.0.0.0/0", "::/0"})
        if (is_in_force(record, *IpPrefix::parse(exit))) allowed.push_back(*IpPrefix::parse(exit));
  }
  check(same_members(seen.primary_routes, primary), "wrong primary routes", record.id);
  check(seen.allowed_ips && same_members(*seen.allowed_ips, allowed), "wrong AllowedIPs", record.id);
}

}  // namespace ts2021::test
