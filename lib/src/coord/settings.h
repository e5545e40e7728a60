// SPDX-License-Identifier: BSD-3-Clause
// What maps say beside nodes: values that change while the tailnet lives, each with when it did.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "coord/change_log.h"
#include "ts2021/coord/config.h"
#include "ts2021/msg/small.h"

namespace ts2021::coord {

// Told whole, when it changed after the viewer's cursor.
enum class Section : std::uint8_t {
  self,  // the node itself, for a reason outside its record
  derp_map,
  dns,
  messages,
  client_version,
  dial_plan,
  lock,
  services
};
inline constexpr std::size_t section_count = 8;

class Settings {
 public:
  using Messages = std::map<std::string, DisplayMessage>;
  // None takes one away, "*" all that were there before.
  using MessageChanges = std::map<std::string, std::optional<DisplayMessage>>;

  // What the config has, it goes on having: whoever changes it tells so.
  explicit Settings(const CoordinatorConfig& config) : config_(config) {}

  [[nodiscard]] const CoordinatorConfig& config() const { return config_; }
  [[nodiscard]] const std::optional<ClientVersion>& client_version() const { return client_version_; }
  [[nodiscard]] const std::optional<ControlDialPlan>& dial_plan() const { return dial_plan_; }
  [[nodiscard]] const std::optional<TKAInfo>& lock() const { return lock_; }
  // By Rules::expire_all.
  [[nodiscard]] WallTime all_expired_at() const { return all_expired_at_; }
  // When somebody wanted maps that repeat everything (TEST-31).
  [[nodiscard]] Position repeated() const { return repeated_; }
  // What a node is shown: everybody's messages and its own, which win. 0: everybody's.
  [[nodiscard]] Messages messages(NodeId node) const;

  // `at`: the head of the change log after it was advanced.
  void derp_map_changed(Position at) { note(Section::derp_map, at); }
  void dns_changed(Position at);
  void rules_changed(Position at, WallTime now);
  void repeat_all(Position at) { repeated_ = at; }
  void set_client_version(std::optional<ClientVersion> version, Position at);
  void set_dial_plan(std::optional<ControlDialPlan> plan, Position at);
  void set_lock(std::optional<TKAInfo> lock, Position at);
  void set_messages(NodeId node, const MessageChanges& changes, Position at);  // 0: everybody's
  // The node has shown that it does not know the section's state.
  void repeat(Section section, NodeId node, Position at) { own_[node].changed[index(section)] = at; }
  void forget(NodeId node) { own_.erase(node); }

  // When what all are told alike changed last.
  [[nodiscard]] Position latest() const { return *std::max_element(changed_.begin(), changed_.end()); }
  // When what a node is told of the section changed; node 0: what all are told alike.
  [[nodiscard]] Position changed(Section section, NodeId node) const;
  // Whether a node must hear other things than its class does, of what changed after `cursor`.
  [[nodiscard]] bool own_news(NodeId node, Position cursor) const;

 private:
  using Changed = std::array<Position, section_count>;
  struct Own {
    Changed changed{};
    Messages messages;
  };

  [[nodiscard]] static constexpr std::size_t index(Section section) {
    return static_cast<std::size_t>(section);
  }
  static void apply(Messages& messages, const MessageChanges& changes);
  void note(Section section, Position at) { changed_[index(section)] = at; }

  const CoordinatorConfig& config_;
  std::optional<ClientVersion> client_version_;
  std::optional<ControlDialPlan> dial_plan_;
  std::optional<TKAInfo> lock_;
  WallTime all_expired_at_{};
  bool all_expired_ = false;
  Position repeated_{};
  Messages messages_;
  Changed changed_{};
  std::unordered_map<NodeId, Own> own_;
};

}  // namespace ts2021::coord
