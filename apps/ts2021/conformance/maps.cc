// SPDX-License-Identifier: BSD-3-Clause
// POST /machine/map: framing, content, and what moves.
#include <algorithm>
#include <array>
#include <thread>

#include "ts2021/conformance/node_calls.h"

namespace ts2021::app::conformance {
namespace {

using namespace std::chrono_literals;

MapRequest streaming(Context& context, TestNode& node, bool zstd = false) {
  MapRequest request = context.map_request(node);
  request.stream = true;
  if (zstd) request.compress = "zstd";
  return request;
}

Outcome first_message(Context& context) {
  MapPoll poll(context, context.node(), streaming(context, context.node()));
  const MapResponse& map = poll.first(context.patience().answer).response;
  std::string missing;
  const auto want = [&](bool there, std::string_view name) {
    if (!there) missing += (missing.empty() ? " without " : ", ") + std::string(name);
  };
  const std::string sent = "a streaming map request";
  if (!map.node) return broken(sent, "no Node in the first message");
  want(map.derp_map.has_value(), "DERPMap");
  want(map.dns_config.has_value(), "DNSConfig");
  want(!map.domain.empty(), "Domain");
  want(map.packet_filter.has_value() || !map.packet_filters.empty(), "a packet filter");
  want(!map.user_profiles.empty(), "UserProfiles");
  const std::string got = "Node " + printable(map.node->name) + missing;
  return missing.empty() ? kept(sent, got) : differs(sent, got);
}

Outcome self(Context& context) {
  TestNode& tested = context.node();
  MapPoll poll(context, tested, streaming(context, tested));
  const Node& node = *poll.first(context.patience().answer).response.node;
  std::string wrong;
  const auto want = [&](bool good, std::string_view what) {
    if (!good) wrong += (wrong.empty() ? "" : ", ") + std::string(what);
  };
  want(node.key == tested.node.public_key(), "another node key");
  want(node.id != NodeId{}, "no id");
  want(!node.stable_id.empty(), "no StableID");
  want(!node.addresses.empty(), "no address");
  want(node.user != UserId{}, "no user");
  return kept_if(wrong.empty(), "a streaming map request",
                 wrong.empty() ? "id, StableID, key, user and addresses" : wrong);
}

Outcome addresses(Context& context) {
  MapPoll poll(context, context.node(), streaming(context, context.node()));
  const Node& node = *poll.first(context.patience().answer).response.node;
  std::string got;
  bool four = false, six = false, good = true;
  for (const auto& prefix : node.addresses) {
    const std::string text = prefix.address.text();
    got += (got.empty() ? "" : ", ") + text;
    if (text.find(':') != std::string::npos) {
      six = true;
      good = good && text.starts_with("fd7a:115c:a1e0:");
    } else {
      four = true;
      good = good && text.starts_with("100.");
    }
  }
  if (!good) return broken("a streaming map request", got);
  return four && six ? kept("a streaming map request", got) : differs("a streaming map request", got);
}

Outcome dotted(Context& context) {
  MapPoll poll(context, context.node(), streaming(context, context.node()));
  const std::string& name = poll.first(context.patience().answer).response.node->name;
  return kept_if(name.ends_with('.'), "a streaming map request", "Name " + printable(name));
}

// Lists, maps and texts that the Rust client does not take null for.
Outcome no_nulls(Context& context) {
  MapPoll poll(context, context.node(), streaming(context, context.node()));
  const std::string& json = poll.first(context.patience().answer).json;
  std::string found;
  for (const std::string_view name :
       {"OnlineChange", "PeerSeenChange", "Domain", "PacketFilters", "UserProfiles", "PeersChangedPatch",
        "PeersChanged", "PeersRemoved", "Peers", "Addresses", "Endpoints", "Tags", "PrimaryRoutes",
        "Capabilities", "CapMap", "Candidates", "Name"})
    if (json.find("\"" + std::string(name) + "\":null") != std::string::npos)
      found += (found.empty() ? "null for " : ", ") + std::string(name);
  return kept_if(found.empty(), "a streaming map request",
                 found.empty() ? "no null where a list, map or text belongs" : found);
}

Outcome compressed(Context& context) {
  Worst worst("a map with Compress zstd and one without");
  for (const bool zstd : {true, false}) {
    MapPoll poll(context, context.node(), streaming(context, context.node(), zstd));
    const MapMessage& message = poll.first(context.patience().answer);
    worst.add(zstd ? "zstd" : "plain", kept("", std::to_string(message.packed.size()) + " bytes for " +
                                                    std::to_string(message.json.size()) + " of JSON"));
  }
  return worst.outcome();
}

Outcome one_shot(Context& context) {
  MapRequest request = context.map_request(context.node());
  request.read_only = true;
  MapPoll poll(context, context.node(), request);
  (void)poll.wait([](const MapPoll& p) { return p.ended(); }, context.patience().answer);
  const std::string sent = "a map request that does not stream";
  if (poll.status() != 200) return broken(sent, poll.state());
  return kept_if(poll.ended() && poll.messages().size() == 1, sent, poll.state());
}

// What clients tell once they are in: where they are. Servers may wait for it with telling others.
void tell_endpoints(Context& context, TestNode& node, int which) {
  MapRequest request = context.map_request(node);
  request.omit_peers = true;
  request.hostinfo->net_info.emplace().preferred_derp = which % 2 + 1;
  if (const auto endpoint = IpPort::parse("192.0.2." + std::to_string(which + 1) + ":41641"))
    request.endpoints.push_back(*endpoint);
  MapPoll update(context, node, request);
  (void)update.wait([](const MapPoll& p) { return p.ended(); }, context.patience().answer);
}

Outcome update(Context& context) {
  MapRequest request = context.map_request(context.node());
  request.omit_peers = true;
  MapPoll poll(context, context.node(), request);
  (void)poll.wait([](const MapPoll& p) { return p.ended(); }, context.patience().answer);
  return kept_if(poll.status() == 200 && poll.ended(), "an update (OmitPeers, no Stream)", poll.state());
}

Outcome update_beside(Context& context) {
  TestNode& node = context.node();
  MapPoll poll(context, node, streaming(context, node));
  (void)poll.first(context.patience().answer);
  MapRequest request = context.map_request(node);
  request.omit_peers = true;
  MapPoll beside(context, node, request);
  (void)beside.wait([](const MapPoll& p) { return p.ended(); }, context.patience().answer);
  (void)poll.wait([](const MapPoll& p) { return p.ended(); }, context.patience().silence);
  return kept_if(!poll.ended(), "an update beside the node's poll", "the poll: " + poll.state());
}

Outcome unknown_node(Context& context) {
  TestNode& node = context.fresh_node();
  MapPoll poll(context, node, streaming(context, node));
  (void)poll.wait([](const MapPoll& p) { return p.status() != 0; }, context.patience().answer);
  if (poll.status() == 200 || poll.status() == 0)
    return broken("a map request of an unknown node", poll.state());
  return poll.status() < 500 ? kept("a map request of an unknown node", poll.state())
                             : differs("a map request of an unknown node", poll.state());
}

Outcome foreign_node(Context& context) {
  TestNode& thief = context.fresh_node();
  thief.node = NodePrivate::from_bytes(context.node().node.reveal_bytes());
  MapPoll poll(context, thief, streaming(context, thief));
  (void)poll.wait([](const MapPoll& p) { return p.status() != 0; }, context.patience().answer);
  return kept_if(poll.status() != 200 && poll.status() != 0,
                 "a map request with a node key of another machine", poll.state());
}

// Of a node of its own, since it may be lost.
Outcome foreign_register(Context& context) {
  TestNode& owner = context.fresh_node();
  const std::string sent =
      "a registration with a node key of another machine, with an auth key; both ask for maps";
  const Answer in = context.send_register(owner, context.register_request(owner));
  if (!owner.registered) return not_applicable(sent, "no third node gets in: " + told(in));
  TestNode& thief = context.fresh_node();
  thief.node = NodePrivate::from_bytes(owner.node.reveal_bytes());
  const Answer answer = context.send_register(thief, context.register_request(thief));
  const auto status = [&](TestNode& node) {
    MapPoll poll(context, node, streaming(context, node));
    (void)poll.wait([](const MapPoll& p) { return p.status() != 0; }, context.patience().answer);
    return poll.status();
  };
  const int its = status(thief), ours = status(owner);
  return kept_if(its != 200 && ours == 200, sent,
                 "registration: " + told(answer).substr(0, 60) + "; the thief's map: status " +
                     std::to_string(its) + ", the owner's: " + std::to_string(ours));
}

Outcome peers(Context& context) {
  TestNode& viewer = context.node();
  MapPoll poll(context, viewer, streaming(context, viewer));
  (void)poll.first(context.patience().answer);
  TestNode& other = context.other_node();
  MapPoll its_poll(context, other, streaming(context, other));
  (void)its_poll.first(context.patience().answer);
  tell_endpoints(context, other, 9);
  const auto sees = [&](const MapPoll& p) {
    return std::ranges::any_of(p.fold().netmap().peers,
                               [&](const auto& peer) { return peer.second.key == other.node.public_key(); });
  };
  const bool seen = poll.wait(sees, context.patience().answer);
  return kept_if(seen, "a second node, which tells where it is, while the first one's map streams",
                 (seen ? "the first sees it: " : "the first does not see it: ") + poll.state());
}

Outcome goes_offline(Context& context) {
  TestNode& viewer = context.node();
  TestNode& leaver = context.fresh_node();
  const std::string sent = "a node that comes, tells where it is, and logs out";
  const Answer in = context.send_register(leaver, context.register_request(leaver));
  if (!leaver.registered) return not_applicable(sent, "no third node gets in: " + told(in));
  MapPoll poll(context, viewer, streaming(context, viewer));
  (void)poll.first(context.patience().answer);
  tell_endpoints(context, leaver, 8);
  const auto find = [&](const MapPoll& p) -> const Node* {
    for (const auto& [id, peer] : p.fold().netmap().peers)
      if (peer.key == leaver.node.public_key()) return &peer;
    return nullptr;
  };
  if (!poll.wait([&](const MapPoll& p) { return find(p) != nullptr; }, context.patience().answer))
    return not_applicable(sent, "it is not seen: " + poll.state());
  RegisterRequest out = context.register_request(leaver, false);
  out.expiry = Time(WallTime(123s));
  (void)context.send_register(leaver, out);
  leaver.registered.reset();
  const bool gone = poll.wait(
      [&](const MapPoll& p) {
        const Node* peer = find(p);
        return peer == nullptr || peer->expired ||
               (!peer->key_expiry.is_zero() && peer->key_expiry.at < now().wall);
      },
      context.patience().answer);
  return kept_if(gone, sent,
                 gone ? "the other is told: " + poll.state() : "nothing is told: " + poll.state());
}

Outcome replaced(Context& context) {
  TestNode& node = context.node();
  MapPoll first(context, node, streaming(context, node));
  (void)first.first(context.patience().answer);
  MapPoll second(context, node, streaming(context, node));
  (void)second.first(context.patience().answer);
  (void)first.wait([](const MapPoll& p) { return p.ended(); }, context.patience().silence);
  (void)second.wait([](const MapPoll& p) { return p.ended(); }, 100ms);
  if (second.ended()) return broken("a second poll of a node", "the newer one: " + second.state());
  return kept_if(first.ended(), "a second poll of a node", "the older one: " + first.state());
}

// All that the fold has against the messages of two nodes that come, change and look.
Outcome content(Context& context) {
  TestNode& viewer = context.node();
  MapPoll poll(context, viewer, streaming(context, viewer));
  (void)poll.first(context.patience().answer);
  TestNode& other = context.other_node();
  MapPoll its_poll(context, other, streaming(context, other));
  (void)its_poll.first(context.patience().answer);
  for (int change = 0; change < 3; ++change) {
    tell_endpoints(context, other, change);
    (void)poll.wait([](const MapPoll& p) { return p.ended(); }, 300ms);
  }
  const std::string sent = "two nodes; one tells three times of new endpoints and another relay";
  std::string got = poll.state();
  if (poll.messages().size() < 2) return broken(sent, "the other is told nothing: " + got);
  Harm worst = Harm::none;
  std::size_t count = 0;
  for (const MapPoll* one : {&poll, &its_poll})
    for (const MapPoll::Found& found : one->findings()) {
      worst = std::max(worst, found.harm);
      if (++count <= 3) got += "; " + found.text;
    }
  if (count > 3) got += "; and " + std::to_string(count - 3) + " more";
  if (count == 0) return kept(sent, got + "; nothing against them");
  return worst == Harm::none ? differs(sent, got) : broken(sent, got);
}

// No byte of an uncompressed message's size is '{', by which some clients know unframed maps.
Outcome no_brace(Context& context) {
  MapPoll poll(context, context.node(), streaming(context, context.node()));
  (void)poll.first(context.patience().answer);
  std::string got;
  for (const MapMessage& message : poll.messages()) {
    std::array<std::uint8_t, 4> size{};
    store_u32le(size, static_cast<std::uint32_t>(message.packed.size()));
    got += (got.empty() ? "" : ", ") + std::to_string(message.packed.size());
    if (std::ranges::find(size, std::uint8_t{0x7b}) != size.end())
      return broken("a map without compression", "a message of " + got + " bytes");
  }
  return kept("a map without compression", "messages of " + got + " bytes");
}

constexpr std::array checks{
    Check{"map.first", "MAP-21", Level::must, needs::node, "the first message has the node, and all else",
          "clients drop the poll without Node; the rest they lack for good", first_message},
    Check{"map.self", "MAP-21", Level::must, needs::node, "the node has its key, ids, a user and an address",
          "clients can't do without any of them", self},
    Check{"map.addresses", "API-30", Level::must, needs::node,
          "a node has one address of each family, from the ranges of the field",
          "clients route these ranges only", addresses},
    Check{"map.name", "API-35", Level::should, needs::node, "the node's name ends with a dot",
          "MagicDNS takes it for an absolute name", dotted},
    Check{"map.null", "API-64", Level::must, needs::node, "no null where a list, map or text belongs",
          "the Rust client refuses the whole message", no_nulls},
    Check{"map.compression", "MAP-2", Level::must, needs::node,
          "messages are zstd when that was asked for, else plain",
          "a client reads one of them, the one it asked for", compressed},
    Check{"map.brace", "MAP-5", Level::should, needs::node, "no byte of a size is 0x7B",
          "an old reader takes it for the beginning of JSON", no_brace},
    Check{"map.one", "MAP-20", Level::should, needs::node, "without Stream there is one message, and the end",
          "clients wait for the end", one_shot},
    Check{"map.update", "MAP-37", Level::must, needs::node, "an update is answered 200 and ends at once",
          "clients wait for the end before they send the next", update},
    Check{"map.beside", "MAP-37", Level::must, needs::node, "an update leaves the poll alone",
          "each change would cost a new map", update_beside},
    Check{"map.unknown", "API-56", Level::must, needs::noise, "an unknown node gets no map",
          "anybody can be inside Noise", unknown_node},
    Check{"map.foreign", "API-56", Level::must, needs::node, "a node key of another machine gets no map",
          "node keys are public", foreign_node},
    Check{"map.thief", "API-42", Level::must, needs::node, "a node key never moves to another machine",
          "node keys are public", foreign_register},
    Check{"map.peers", "MAP-21", Level::must, needs::node, "who comes is told to those who are there",
          "they can't reach it before they ask again", peers},
    Check{"map.leaves", "MAP-26", Level::must, needs::node, "who logs out is taken back",
          "others keep a node that is gone", goes_offline},
    Check{"map.replaced", "MAP-36", Level::should, needs::node, "a newer poll ends the older one",
          "a server that keeps both tells a dead connection", replaced},
    Check{"map.content", "MAP-21", Level::must, needs::node, "a client can follow the messages",
          "see the rule that is named", content},
};

}  // namespace

std::span<const Check> map_checks() { return checks; }

}  // namespace ts2021::app::conformance
