// SPDX-License-Identifier: BSD-3-Clause
// What every viewer of a simulated tailnet ought to see: by the records that its coordinator was told of, by
// who is online, and by what was ordered. Written from the rules, not from the code that it judges.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts2021/client/fold.h"
#include "ts2021/coord/address.h"
#include "ts2021/coord/command.h"
#include "ts2021/coord/config.h"
#include "ts2021/coord/event.h"
#include "ts2021/coord/policy.h"
#include "ts2021/coord/store.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::test {

// The route is announced by the node and approved.
[[nodiscard]] bool is_in_force(const NodeRecord& record, const IpPrefix& route);

class Intent {
 public:
  using Messages = std::map<std::string, DisplayMessage>;
  struct Laid {  // over the maps
    std::map<NodeId, std::vector<IpPrefix>> routes;
    std::map<NodeId, CapMap> capabilities;
    std::set<NodeId> not_signed;
    std::set<std::pair<NodeId, NodeId>> jailed;
    std::vector<Masquerade> masquerades;
    std::optional<CapMap> app_caps;
    std::optional<SSHPolicy> ssh;
    std::optional<DNSConfig> dns;
  };
  struct Orders {  // carried out
    std::shared_ptr<const Policy> policy;
    std::shared_ptr<const DERPMap> derp_map;
    DnsSettings dns{};
    std::optional<ClientVersion> version{};
    std::optional<ControlDialPlan> plan{};
    Messages shown{};
    std::map<NodeId, Messages> shown_to{};
    Laid laid{};
  };
  struct Known {
    RecordPtr holder;
    const NodeRecord* record = nullptr;
    bool online = false;
    std::size_t regrouped = 0;  // place of the last change that may show it other peers
  };

  explicit Intent(Orders orders) : orders_(std::move(orders)) {}

  // What the coordinator is told, in the same order, and what it says of presence.
  void pass(WallTime now);  // before anything that comes at this time
  void change(const Changed& changed);
  void set_online(NodeId node, bool online);
  // The coordinator starts anew: it is told everything again.
  void restart(Orders orders);

  [[nodiscard]] const Orders& orders() const { return orders_; }
  // An order was carried out: change(Orders&).
  template <class Change>
  void obey(Change change) {
    change(orders_);
    ++epoch_;
    elect();
  }
  [[nodiscard]] const std::map<NodeId, Known>& nodes() const { return nodes_; }
  [[nodiscard]] const Known* find(NodeId node) const;
  [[nodiscard]] const std::map<IpPrefix, NodeId>& primaries() const { return primaries_; }
  [[nodiscard]] bool expired(const NodeRecord& record) const {
    return record.key_expiry && *record.key_expiry <= now_;
  }
  // Grows with everything that a map can show.
  [[nodiscard]] std::uint64_t version() const { return epoch_ + subjects_ + changes_.size(); }

  // How far a viewer has been judged.
  struct Mark {
    std::uint64_t epoch = 0, subjects = 0;
    std::size_t changes = 0;
    unsigned frames = 0;  // since all was compared
  };
  // What is wrong with a viewer's map after a message; empty: it is as it ought to be. Compared is what the
  // message names and what has changed for this viewer, and everything after each `every` frames.
  std::string judge(const Netmap& map, Capability viewer, const MapResponse& message, Mark& mark,
                    unsigned every);
  // Everything.
  std::string judge(const Netmap& map, Capability viewer);

  // What was there to judge, so that a test can see that it was something.
  struct Tally {
    std::size_t frames = 0, whole = 0, peers = 0, hidden = 0, expanded = 0, shown = 0, paired = 0, laid = 0,
                primaries = 0;
  };
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  struct Viewer {
    const Netmap& map;
    Capability capability;
    const NodeRecord& own;
  };

  void touch(NodeId node) { changes_.push_back(node); }
  void elect();
  [[nodiscard]] bool offers(const Known& node, const IpPrefix& route) const;

  void compare_all(const Viewer& viewer);
  void compare_self(const Viewer& viewer);
  void compare_filters(const Viewer& viewer);
  void compare_settings(const Viewer& viewer);
  void compare_peer(const Viewer& viewer, NodeId peer);
  void compare_node(const Viewer& viewer, const Node& seen, const Known& known);
  void compare_pair(const Viewer& viewer, const Node& seen, const NodeRecord& record);
  void compare_capabilities(const Node& seen, const NodeRecord& record);
  void compare_routes(const Node& seen, const NodeRecord& record);
  [[nodiscard]] bool hidden(const Viewer& viewer, const NodeRecord& peer) const;
  [[nodiscard]] std::vector<FilterRule> filter_for(const NodeRecord& own, Capability capability) const;
  [[nodiscard]] std::vector<std::string> addresses_of(bool not_signed, const NodeRecord& viewer) const;
  // The address of the family by which the viewer knows the node; and by which the peer knows the viewer.
  [[nodiscard]] IpAddress address_of(const NodeRecord& node, const NodeRecord& viewer,
                                     IpAddress::Family family) const;
  [[nodiscard]] IpAddress masquerade(const NodePublic& node, const NodePublic& peer,
                                     IpAddress::Family family) const;
  void check(bool good, std::string_view what, NodeId node = {});

  Orders orders_;
  WallTime now_{};
  std::map<NodeId, Known> nodes_;
  std::set<std::pair<WallTime, NodeId>> expiries_;
  std::map<IpPrefix, NodeId> primaries_;
  std::uint64_t epoch_ = 1;      // of what concerns all of all maps
  std::uint64_t subjects_ = 1;   // of what filters and SSH policies are made of
  std::vector<NodeId> changes_;  // of nodes, in their order
  std::string wrong_;
  Tally tally_;
};

}  // namespace ts2021::test
