// SPDX-License-Identifier: BSD-3-Clause
// A coordinator with many nodes and nothing else: no connections, frames are counted and taken at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "large_map.h"
#include "ratio.h"
#include "store/memory_store.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"

namespace ts2021::bench {

// Everybody is in one class, which sees nobody.
class SeesNobody final : public Policy {
 public:
  ViewClass view_of(const Subject&) const override { return {}; }
  bool sees(ViewClass, const Subject&) const override { return false; }
  std::vector<FilterRule> packet_filter(const Subject&) const override { return {}; }
};

class Crowd {
 public:
  explicit Crowd(std::shared_ptr<const Policy> policy)
      : coordinator(store, std::move(policy), entropy_, config()) {
    coordinator.start(now);
    pump();
  }

  // Makes up nodes, of which the coordinator does not know yet.
  void make(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      nodes_.push_back({{}, large_map_node(static_cast<unsigned>(nodes_.size() + 1), entropy_)});
  }
  // The next of them opens a session and registers, or a new one if there is none. The answer waits for a
  // pump().
  void join() {
    if (joined_ == nodes_.size()) make(1);
    open(joined_);
    const Member& member = nodes_[joined_++];
    auto request = std::make_shared<RegisterRequest>();
    request->version = newest_capability;
    request->node_key = member.node.key;
    request->hostinfo = member.node.hostinfo;
    request->auth.emplace().auth_key = "key";
    coordinator.handle(coord_input::Register{member.session, CallId{++calls_}, std::move(request)}, now);
  }
  // So many that have said where they are, and poll nothing.
  void add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      join();
      pump();
      update(joined_ - 1);
      pump();
    }
  }
  // A first map and what follows.
  void poll(std::size_t node) {
    auto request = map_request(node);
    request->stream = request->keep_alive = true;
    ask(node, std::move(request));
  }
  // Other endpoints than the last time.
  void update(std::size_t node) {
    Member& member = nodes_[node];
    member.node.endpoints.front() = {IpAddress::v4(0xc0000200 + ++changes_), 1};
    auto request = map_request(node);
    request->omit_peers = true;
    request->endpoints = member.node.endpoints;
    ask(node, std::move(request));
  }
  void leave(std::size_t node) { coordinator.handle(coord_input::Gone{nodes_[node].session}, now); }
  void open(std::size_t node) {
    nodes_[node].session = SessionId{++sessions_};
    coordinator.handle(
        coord_input::Opened{nodes_[node].session, nodes_[node].node.machine, newest_capability}, now);
  }

  // Moves what the store and the coordinator say until nothing moves. The clock goes on by the CPU time that
  // it takes, so that rounds follow one another as they do on a processor.
  void pump() {
    for (bool moved = true; moved;) {
      moved = false;
      const double from = thread_seconds();
      coordinator.handle_timeout(now);
      StoreEvent some[8];
      for (std::size_t count; (count = store.poll(some)) != 0; moved = true)
        for (std::size_t i = 0; i < count; ++i) coordinator.on_store(some[i], now);
      while (const auto event = coordinator.next_event()) {
        moved = true;
        if (const auto* frame = std::get_if<coord_event::MapFrame>(&*event)) {
          ++frames;
          bytes += total_size(frame->pieces);
          coordinator.handle(coord_input::Taken{frame->session, frame->call}, now);
        } else if (std::holds_alternative<coord_event::Refused>(*event) ||
                   std::holds_alternative<coord_event::Drop>(*event)) {
          ++refusals;
        }
      }
      advance(std::chrono::nanoseconds{static_cast<std::int64_t>(1e9 * (thread_seconds() - from))});
      if (const auto next = coordinator.next_timeout(); next && *next <= now.mono) moved = true;
    }
  }
  void advance(std::chrono::nanoseconds by) {
    now.mono += by;
    now.wall += std::chrono::duration_cast<WallTime::duration>(by);
  }
  [[nodiscard]] std::size_t size() const { return joined_; }  // who has joined

  Now now{Instant{std::chrono::seconds{1000}}, WallTime{std::chrono::seconds{1'780'000'000}}};

 private:
  struct Member {
    SessionId session{};
    Node node;
  };

  static CoordinatorConfig config() {
    CoordinatorConfig config;
    config.auth_keys = {{"key"}};
    config.derp_map = std::make_shared<const DERPMap>(*large_map(0).derp_map);
    return config;
  }
  std::shared_ptr<MapRequest> map_request(std::size_t node) const {
    const Member& member = nodes_[node];
    auto request = std::make_shared<MapRequest>();
    request->version = newest_capability;
    request->node_key = member.node.key;
    request->disco_key = member.node.disco_key;
    request->hostinfo = member.node.hostinfo;
    request->compress = "zstd";
    return request;
  }
  void ask(std::size_t node, std::shared_ptr<const MapRequest> request) {
    coordinator.handle(coord_input::Map{nodes_[node].session, CallId{++calls_}, std::move(request)}, now);
  }

  Noise entropy_;
  std::vector<Member> nodes_;
  std::size_t joined_ = 0;
  std::uint64_t sessions_ = 0, calls_ = 0;
  unsigned changes_ = 0;

 public:
  MemoryStore store;
  Coordinator coordinator;
  std::uint64_t frames = 0, bytes = 0, refusals = 0;
};

}  // namespace ts2021::bench
