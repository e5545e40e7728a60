// SPDX-License-Identifier: BSD-3-Clause
// One tailnet without sockets: real connections, the service, a coordinator and its store, in virtual time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/pair.h"
#include "store/memory_store.h"
#include "ts2021/client/node_client.h"
#include "ts2021/coord/policy.h"
#include "ts2021/service/control_service.h"

namespace ts2021::test {

// One tailnet with as many connected pairs as a test wants.
struct World {
  SeededEntropy entropy{11};
  MemoryStore store;
  Coordinator coordinator;
  ServiceConfig config;
  ControlService service;
  std::vector<Route> routes;
  std::vector<std::unique_ptr<Pair>> pairs;
  Clock clock;
  std::size_t gone = 0;  // sessions of which the coordinator was told that they are over
  std::function<void(const OwnEvent&)> on_own;  // the program's part
  bool tell_unrouted = false;                   // of connections made from then on
  std::function<Tracer*()> make_tracer;         // of a server's connection; keeps it
  std::vector<coord_event::Notice> notices;
  std::map<CommandId, coord_event::CommandDone> done;

  static CoordinatorConfig coordinator_config(std::string auth_key) {
    CoordinatorConfig out;
    out.auth_keys.emplace_back().secret = std::move(auth_key);
    return out;
  }
  explicit World(ServiceConfig with = {}, std::string auth_key = "good-key")
      : World(std::move(with), coordinator_config(std::move(auth_key))) {}
  World(ServiceConfig with, CoordinatorConfig coordination)
      : coordinator(store, std::make_shared<AllowAll>(), entropy, std::move(coordination)),
        config(std::move(with)),
        service(config, entropy) {
    if (auto rows = ControlService::routes(config.own)) routes = *std::move(rows);
    coordinator.start(clock.now);
  }

  Pair& connect(std::uint16_t version = 138, ClientMode mode = ClientMode::noise) {
    PairOptions options;
    options.version = version;
    options.mode = mode;
    if (make_tracer) options.server_tracer = make_tracer();
    pairs.push_back(std::make_unique<Pair>(options));
    Pair& pair = *pairs.back();
    pair.server_config.routes = routes;
    pair.server_config.tell_unrouted = tell_unrouted;
    const auto session = static_cast<SessionId>(pairs.size());
    pair.on_server = [this, session, &pair](const ServerEvent& event) {
      if (std::holds_alternative<event::Closed>(event))
        service.detach(session);
      else
        service.handle(session, event, clock.now);
      pair.serve_closed(event);
    };
    service.attach(session, pair.server(), options.server_tracer);
    return pair;
  }

  void run() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& pair : pairs)
        while (pair->step()) busy = true;
      while (auto input = service.next_input()) {
        busy = true;
        gone += std::holds_alternative<coord_input::Gone>(*input);
        coordinator.handle(*input, clock.now);
      }
      std::array<StoreEvent, 16> events;
      while (const std::size_t count = store.poll(events)) {
        busy = true;
        for (std::size_t i = 0; i < count; ++i) coordinator.on_store(events[i], clock.now);
      }
      while (auto event = coordinator.next_event()) {
        busy = true;
        if (const auto* notice = std::get_if<coord_event::Notice>(&*event)) notices.push_back(*notice);
        if (const auto* over = std::get_if<coord_event::CommandDone>(&*event)) done[over->command] = *over;
        service.on_event(*event, clock.now);
      }
      while (auto event = service.next_own_event()) {
        busy = true;
        if (on_own) on_own(*event);
      }
      if (const auto due = coordinator.next_timeout(); due && *due <= clock.now.mono) {
        busy = true;
        coordinator.handle_timeout(clock.now);
      }
    }
  }
};

// A node of our client role on one pair.
struct NodeOn {
  Pair& pair;
  NodeClient client;
  std::vector<std::string> news;
  std::vector<MapResponse> maps;

  NodeOn(Pair& p, std::uint64_t seed, std::string auth_key, std::string hostname, bool zstd = true)
      : pair(p), client(make(seed, std::move(auth_key), std::move(hostname), zstd)) {
    pair.on_client = [this](const ClientEvent& event) {
      client.handle(pair.client(), event, pair.clock.now);
      while (auto next = client.next_event()) note(*next);
    };
  }
  static NodeClientConfig make(std::uint64_t seed, std::string auth_key, std::string hostname, bool zstd) {
    SeededEntropy entropy(seed);
    NodeClientConfig config;
    config.capability = Capability{138};
    config.node_key = NodePrivate::generate(entropy).public_key();
    config.disco_key = DiscoPrivate::generate(entropy).public_key();
    config.auth_key = std::move(auth_key);
    config.hostinfo.hostname = std::move(hostname);
    config.hostinfo.os = "linux";
    config.zstd = zstd;
    return config;
  }
  void note(const NodeEvent& event) {
    if (std::holds_alternative<node_event::Registered>(event)) news.emplace_back("registered");
    if (const auto* update = std::get_if<node_event::MapUpdate>(&event)) maps.push_back(update->response);
    if (const auto* refused = std::get_if<node_event::Refused>(&event))
      news.push_back(std::string(refused->what) + " " + std::to_string(refused->status) + " " +
                     refused->text);
    if (const auto* ended = std::get_if<node_event::Ended>(&event))
      news.push_back("ended " + std::string(name(ended->why.code)));
  }
};

}  // namespace ts2021::test
