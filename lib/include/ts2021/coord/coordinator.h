// SPDX-License-Identifier: BSD-3-Clause
// The coordination of one tailnet: registers nodes, keeps their records in a store, tells each what changed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ts2021/base/entropy.h"
#include "ts2021/base/time.h"
#include "ts2021/coord/command.h"
#include "ts2021/coord/config.h"
#include "ts2021/coord/event.h"
#include "ts2021/coord/input.h"
#include "ts2021/coord/policy.h"
#include "ts2021/coord/store.h"

namespace ts2021 {

// A TXT record that proves a name to a certificate authority.
struct DnsChallenge {
  std::string name;  // without a trailing dot
  std::string value;
};

// Belongs to one thread. The caller pumps: store.poll() into on_store(), next_event() until it is empty, and
// handle_timeout() at next_timeout() or earlier. handle_timeout() right after draining the events is cheap
// and lets the coordinator measure how long a round of fan-out takes.
class Coordinator {
 public:
  // The store and the entropy must outlive the coordinator; the store must be used by nobody else through
  // this handle.
  Coordinator(Store& store, std::shared_ptr<const Policy> policy, Entropy& entropy, CoordinatorConfig config);
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // Reads the store and writes what is missing of the config. Inputs may come at once; they wait until the
  // store has caught up.
  void start(Now now);

  // In.
  void handle(const coord_input::Opened& input, Now now);
  void handle(const coord_input::Gone& input, Now now);
  void handle(const coord_input::Register& input, Now now);
  void handle(const coord_input::Map& input, Now now);
  void handle(const coord_input::Ask& input, Now now);
  void handle(const coord_input::Cancelled& input, Now now);
  void handle(const coord_input::Taken& input, Now now);
  void handle(const CoordInput& input, Now now);
  void on_store(const StoreEvent& event, Now now);
  void handle_timeout(Now now);

  // Orders wait, like inputs, until the store has caught up.
  void handle(const CoordCommand& command, Now now);

  // Out.
  [[nodiscard]] std::optional<CoordEvent> next_event();
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // Known nodes in the order of their ids; valid until the next non-const call. For status pages and tests.
  struct NodeStatus {
    const NodeRecord* record = nullptr;
    bool online = false;
  };
  [[nodiscard]] std::vector<NodeStatus> nodes() const;
  [[nodiscard]] std::optional<NodeStatus> node(const NodePublic& key) const;
  // JSON of a Node as it is stored, without what policy and overrides lay over it for each viewer; empty: no
  // such node.
  [[nodiscard]] std::string node_json(NodeId node) const;
  // JSON of the whole map that a node of its last version would get now, uncompressed; nothing changes by
  // asking, and equal states give equal bytes. Empty: no such node.
  [[nodiscard]] std::string map_preview(NodeId node, Now now) const;
  [[nodiscard]] const Rules& rules() const noexcept;
  // What set-dns asks to be in public DNS now; each stays for ten minutes. For the tailnet's name server.
  [[nodiscard]] std::vector<DnsChallenge> dns_challenges() const;
  [[nodiscard]] bool ready() const noexcept;

  // What fan-out has cost since the start; asserted by tests.
  struct Counters {
    std::uint64_t encodings = 0;      // messages, or parts of them, written as JSON
    std::uint64_t compressions = 0;   // of them
    std::uint64_t evaluations = 0;    // of the policy, about who sees whom
    std::uint64_t frames = 0;         // MapFrame events
    std::uint64_t full_maps = 0;      // of those, full maps
    std::uint64_t shared_frames = 0;  // of those, taken from the cache
    std::uint64_t rounds = 0;
    std::uint64_t visits = 0;  // of open maps in rounds, because there may be news for them
  };
  [[nodiscard]] Counters counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021
