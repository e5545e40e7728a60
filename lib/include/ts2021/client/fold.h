// SPDX-License-Identifier: BSD-3-Clause
// The fold: what a client knows of its network after a sequence of map messages. The executable meaning of
// every member of MapResponse, written from the protocol alone; it shares nothing with coordination, and
// judges it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/msg/capability.h"
#include "ts2021/msg/map_response.h"

namespace ts2021 {

struct Netmap {
  std::optional<Node> self;  // none: no message came yet
  std::map<NodeId, Node> peers;
  std::map<UserId, UserProfile> profiles;
  std::optional<DERPMap> derp_map;
  std::optional<DNSConfig> dns;
  std::string domain;
  std::string audit_log_id;  // of the domain's data plane
  OptBool collect_services, default_auto_update;
  std::optional<std::vector<FilterRule>> filter;  // all chunks by their names; none: nothing is let in
  std::optional<SSHPolicy> ssh;
  std::optional<std::vector<std::string>> health;  // as clients below 117 are told
  std::map<std::string, DisplayMessage> display_messages;
  std::optional<ClientVersion> client_version;
  std::optional<ControlDialPlan> dial_plan;
  std::optional<TKAInfo> lock;
  bool disable_log_tail = false;
  WallTime control_time{};  // of the last message that had one
  friend bool operator==(const Netmap&, const Netmap&) = default;
};

enum class Harm : std::uint8_t {
  none,    // against the protocol, or waste; real clients live with it
  part,    // some real client drops a part of the message, or more
  stream,  // a client ends the stream
};
struct Finding {
  std::string_view rule;  // of WIRE.md
  Harm harm{};
  std::string_view text;  // a literal
  NodeId node{};          // 0: none in particular
};

// What messages add up to stays below these, whoever sends them. What goes beyond is left out and found.
struct FoldLimits {
  std::size_t peers = 100'000;
  std::size_t profiles = 100'000;
  std::size_t filter_chunks = 1'000;
  std::size_t messages = 1'000;  // display messages
  std::size_t findings = 100;    // per message
};

// One map stream of a client of this version: a new stream starts with a new fold.
class Fold {
 public:
  explicit Fold(Capability viewer = newest_capability, const FoldLimits& limits = {});

  // What is wrong with the message, until the next call. After a finding of Harm::stream nothing more of the
  // message counts, as at a client.
  std::span<const Finding> apply(MapResponse message);
  [[nodiscard]] const Netmap& netmap() const noexcept { return map_; }
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::uint64_t keep_alives() const noexcept { return keep_alives_; }

 private:
  void found(std::string_view rule, Harm harm, std::string_view text, NodeId node = {});
  [[nodiscard]] bool begin(const MapResponse& message);
  void take_settings(MapResponse& message);
  void take_filters(MapResponse& message);
  void take_notes(MapResponse& message);
  void act_on(const MapResponse& message);
  void take_profiles(MapResponse& message);
  void replace_peers(MapResponse& message);
  void change_peers(MapResponse& message);
  void add(Node&& peer);
  void patch(PeerChange&& change);
  void look_at_routes();

  Capability viewer_;
  FoldLimits limits_;
  Netmap map_;
  std::map<std::string, std::vector<FilterRule>> chunks_;
  std::string last_ping_;  // its URL
  bool routes_moved_ = false;
  std::vector<Finding> findings_;
  std::uint64_t messages_ = 0, keep_alives_ = 0;
};

}  // namespace ts2021
