// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/commands/map_printer.h"

#include <cstdio>

#include "common/json_text.h"
#include "common/printable.h"
#include "ts2021/msg/codec.h"
#include "ts2021/node/show.h"

namespace ts2021::app {
namespace {

const char* name(Harm harm) noexcept {
  switch (harm) {
    case Harm::none:
      return "none";
    case Harm::part:
      return "part";
    case Harm::stream:
      return "stream";
  }
  return "";
}

const char* kind(const MapResponse& message, bool first) noexcept {
  if (message.keep_alive) return "keep-alive";
  return first || !message.peers.empty() ? "full" : "delta";
}

// The peers that a message speaks of.
std::set<NodeId> named(const MapResponse& message, const Netmap& map) {
  std::set<NodeId> ids;
  for (const Node& peer : message.peers_changed) ids.insert(peer.id);
  for (const NodeId id : message.peers_removed) ids.insert(id);
  for (const PeerChange& change : message.peers_changed_patch) ids.insert(change.node_id);
  for (const auto& [id, seen] : message.peer_seen_change) ids.insert(id);
  for (const auto& [id, online] : message.online_change) ids.insert(id);
  for (const Node& peer : message.peers) ids.insert(peer.id);
  if (!message.peers.empty())
    for (const auto& [id, peer] : map.peers) ids.insert(id);
  return ids;
}

void print_node(const char* what, const Node& node) {
  std::string addresses;
  for (const IpPrefix& address : node.addresses) addresses += " " + address.address.text();
  std::printf("%s %llu %s%s%s relay %d, endpoints %s\n", what, static_cast<unsigned long long>(node.id),
              shown(node.name).c_str(), addresses.c_str(),
              !node.online   ? ""
              : *node.online ? " online"
                             : " offline",
              node.home_derp, shown(node.endpoints).c_str());
}

void print_changes(const char* what, const Node& before, const Node& after) {
  for (const Difference& change : differences(before, after))
    std::printf("%s %llu %s: %s %s -> %s\n", what, static_cast<unsigned long long>(after.id),
                shown(after.name).c_str(), change.name.c_str(), change.before.c_str(), change.after.c_str());
}

// What a message has beside nodes, by its members' names.
void print_sections(const MapResponse& message) {
  const MapResponse plain;
  const auto one = [&](const auto& field) {
    constexpr std::string_view name = std::decay_t<decltype(field)>::name;
    if (name == "Node" || name == "KeepAlive" || name.starts_with("Peer") || name == "OnlineChange") return;
    if (message.*field.member == plain.*field.member) return;
    std::printf("%s: %s\n", std::string(name).c_str(), shown(message.*field.member).c_str());
  };
  std::apply([&](const auto&... field) { (one(field), ...); }, fields(&message));
}

MapResponse whole(const Netmap& map) {
  MapResponse out;
  out.node = map.self;
  for (const auto& [id, peer] : map.peers) out.peers.push_back(peer);
  for (const auto& [id, profile] : map.profiles) out.user_profiles.push_back(profile);
  out.derp_map = map.derp_map;
  out.dns_config = map.dns;
  out.domain = map.domain;
  out.collect_services = map.collect_services;
  out.default_auto_update = map.default_auto_update;
  out.packet_filter = map.filter;
  out.ssh_policy = map.ssh;
  out.health = map.health;
  for (const auto& [id, message] : map.display_messages) out.display_messages[id] = message;
  out.client_version = map.client_version;
  out.control_dial_plan = map.dial_plan;
  out.tka_info = map.lock;
  if (map.control_time != WallTime{}) out.control_time = Time(map.control_time);
  return out;
}

std::string json_line(const char* kind, const node_event::MapUpdate& update,
                      std::span<const Finding> findings) {
  JsonText json;
  json.begin_object().member("kind", kind).member("packed", update.packed);
  json.member("unpacked", update.json.size()).name("findings").begin_array();
  for (const Finding& finding : findings) {
    json.begin_object().member("rule", finding.rule).member("harm", name(finding.harm));
    json.member("text", finding.text);
    if (finding.node != NodeId{}) json.member("node", static_cast<std::uint64_t>(finding.node));
    json.end_object();
  }
  json.end_array().end_object();
  std::string line = json.text();
  line.pop_back();
  // One line, whatever white space it came with.
  const auto raw = RawJson::parse(update.json);
  return line.append(",\"message\":").append(raw ? raw->text() : "null").append("}");
}

}  // namespace

void MapPrinter::show_readable(const MapResponse& message, const std::set<NodeId>& ids,
                               const std::map<NodeId, Node>& before, const std::optional<Node>& self_before) {
  const Netmap& map = fold_.netmap();
  if (message.node && map.self) {
    if (self_before)
      print_changes("self", *self_before, *map.self);
    else
      print_node("self", *map.self);
  }
  for (const NodeId id : ids) {
    const auto old = before.find(id);
    const auto now = map.peers.find(id);
    if (old == before.end() && now != map.peers.end())
      print_node("peer", now->second);
    else if (old != before.end() && now == map.peers.end())
      std::printf("peer %llu %s: removed\n", static_cast<unsigned long long>(id),
                  shown(old->second.name).c_str());
    else if (old != before.end())
      print_changes("peer", old->second, now->second);
  }
  print_sections(message);
}

void MapPrinter::show(node_event::MapUpdate&& update) {
  if (form_ == MapForm::raw) {
    std::fwrite(update.json.data(), 1, update.json.size(), stdout);
    std::fputc('\n', stdout);
  }
  std::set<NodeId> ids;
  std::map<NodeId, Node> before;
  std::optional<Node> self_before;
  const bool readable = form_ == MapForm::readable;
  if (readable) {
    self_before = fold_.netmap().self;
    ids = named(update.response, fold_.netmap());
    for (const NodeId id : ids)
      if (const auto at = fold_.netmap().peers.find(id); at != fold_.netmap().peers.end()) before.insert(*at);
  }
  const bool first = fold_.messages() == fold_.keep_alives();
  const auto findings = fold_.apply(update.response);
  const MapResponse& message = update.response;
  if (form_ == MapForm::json) {
    std::printf("%s\n", json_line(kind(message, first), update, findings).c_str());
  } else if (readable) {
    if (!message.keep_alive)
      show_readable(message, ids, before, self_before);
    else
      print_sections(message);
    for (const Finding& finding : findings) {
      std::printf("! %s %s (harm: %s", std::string(finding.rule).c_str(), std::string(finding.text).c_str(),
                  name(finding.harm));
      if (finding.node != NodeId{}) std::printf(", node %llu", static_cast<unsigned long long>(finding.node));
      std::printf(")\n");
    }
    std::printf("-- %s: %zu bytes, %zu packed\n", kind(message, first), update.json.size(), update.packed);
  }
  if (netmap_ == ShowNetmap::each && !message.keep_alive) print_netmap();
  std::fflush(stdout);
}

void MapPrinter::end() {
  if (netmap_ == ShowNetmap::at_end) print_netmap();
  std::fflush(stdout);
}

void MapPrinter::print_netmap() const { std::printf("%s\n", encoded(whole(fold_.netmap())).c_str()); }

}  // namespace ts2021::app
