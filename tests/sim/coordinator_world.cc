// SPDX-License-Identifier: BSD-3-Clause
#include "sim/coordinator_world.h"

#include <algorithm>
#include <set>

#include "ts2021/msg/downlevel.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;

constexpr std::uint16_t capabilities[] = {26, 32, 33, 36, 40, 53, 58, 68, 74, 90, 104, 111, 117, 130, 148};

std::shared_ptr<const DERPMap> make_derp_map(int regions) {
  DERPMap map;
  map.regions.emplace();
  for (int id = 900; id < 900 + regions; ++id) {
    DERPRegion region;
    region.region_id = id;
    region.region_code = region.region_name = "r" + std::to_string(id);
    DERPNode node;
    node.name = std::to_string(id) + "a";
    node.region_id = id;
    node.host_name = "relay.test";
    region.nodes = {node};
    map.regions->emplace(id, region);
  }
  return std::make_shared<const DERPMap>(map);
}

CoordinatorConfig make_config(std::shared_ptr<const DERPMap> derp_map) {
  CoordinatorConfig config;
  config.base_domain = "sim.test";
  config.tailnet = "sim";
  config.derp_map = std::move(derp_map);
  config.auth_keys = {{"lasting", false}, {"passing", true}};
  config.ephemeral_timeout = std::chrono::seconds{20};
  config.key_lifetime = std::chrono::minutes{10};
  return config;
}

}  // namespace

CoordinatorWorld::CoordinatorWorld(std::uint64_t seed, std::size_t clients)
    : random_(seed),
      entropy_(seed + 1),
      store_(inner_, seed + 2),
      derp_map_(make_derp_map(2)),
      policy_(std::make_shared<const Islands>(1)),
      coordinator_(store_, policy_, entropy_, make_config(derp_map_)) {
  clients_.resize(clients);
  for (std::size_t i = 0; i < clients; ++i) {
    ClientState& client = clients_[i];
    client.capability = Capability{capabilities[roll(std::size(capabilities))]};
    client.zstd = roll(3) == 0;
    client.slow = roll(5) == 0;
    client.ephemeral = roll(4) == 0;
    client.ssh = roll(4) == 0;
    client.machine = fresh_key<MachinePublic>();
    client.key = fresh_key<NodePublic>();
    client.disco = fresh_key<DiscoPublic>();
    client.hostname = "n" + std::to_string(roll(clients / 2 + 1));
  }
  store_.set_failure_percent(5);
  observer_.watch(Revision{});
  coordinator_.start(clock_.now);
}

std::string CoordinatorWorld::run(std::size_t steps, std::size_t steps_between_checks) {
  for (step_ = 1; step_ <= steps && wrong_.empty(); ++step_) {
    act();
    store_.step();
    pump();
    take(false);
    pump();
    if (step_ % steps_between_checks == 0) {
      settle();
      compare();
    }
  }
  return wrong_;
}

void CoordinatorWorld::check(bool good, std::string what) {
  if (!good && wrong_.empty()) wrong_ = "step " + std::to_string(step_) + ": " + std::move(what);
}

// --- what clients do ---

void CoordinatorWorld::act() {
  if (roll(400) == 0) {
    policy_ = std::make_shared<const Islands>(roll(4));
    coordinator_.handle(CoordCommand{{}, coord_command::SetPolicy{policy_}}, clock_.now);
  }
  if (roll(500) == 0) {
    derp_map_ = make_derp_map(static_cast<int>(1 + roll(4)));
    coordinator_.handle(CoordCommand{{}, coord_command::SetDERPMap{derp_map_}}, clock_.now);
  }
  if (roll(12) == 0) order();
  if (roll(12) == 0) administrate();
  if (roll(10) == 0) clock_.advance(milliseconds{roll(100)});
  if (roll(200) == 0) advance(milliseconds{roll(8'000)});
  act_on(roll(clients_.size()));
}

void CoordinatorWorld::act_on(std::size_t index) {
  ClientState& client = clients_[index];
  if (!client.registered) return enroll(index);
  const auto dice = roll(100);
  if (!client.poll) {
    if (dice < 70) return poll(index);
    if (dice < 85) return update(index, false);
    if (dice < 90) return log_out(index);
    return enroll(index);
  }
  if (dice < 55) {
    const bool overlap = roll(4) == 0;
    if (overlap) update(index, false);
    return update(index, overlap);
  }
  if (dice < 63) return poll(index);  // a newer one, perhaps on another connection
  if (dice < 73) return drop_poll(index);
  if (dice < 83) return drop_sessions(index);
  if (dice < 88) return log_out(index);
  if (dice < 93) return enroll(index);
}

SessionId CoordinatorWorld::session_of(std::size_t index) {
  ClientState& client = clients_[index];
  if (client.sessions.empty() || (client.sessions.size() < 3 && roll(5) == 0)) {
    client.sessions.push_back(SessionId{++sessions_});
    coordinator_.handle(coord_input::Opened{client.sessions.back(), client.machine, client.capability},
                        clock_.now);
  }
  return client.sessions[roll(client.sessions.size())];
}

void CoordinatorWorld::enroll(std::size_t index) {
  ClientState& client = clients_[index];
  if (roll(4) == 0) client.key = fresh_key<NodePublic>();
  RegisterRequest request;
  request.version = client.capability;
  request.node_key = client.key;
  request.auth.emplace().auth_key = client.ephemeral ? "passing" : "lasting";
  request.hostinfo.emplace().hostname = client.hostname;
  const Key key{session_of(index), CallId{++call_ids_}};
  Call& call = calls_[key];
  call.kind = Call::Kind::enroll;
  call.client = index;
  call.sequence = ++client.sequence;
  client.answered_last = false;
  ++tally.registrations;
  coordinator_.handle(
      coord_input::Register{key.first, key.second, std::make_shared<const RegisterRequest>(request)},
      clock_.now);
  client.registered = true;  // it believes so, and polls at once
}

void CoordinatorWorld::log_out(std::size_t index) {
  ClientState& client = clients_[index];
  RegisterRequest request;
  request.version = client.capability;
  request.node_key = client.key;
  request.auth.emplace().auth_key = "lasting";
  request.expiry = WallTime{milliseconds{123'000}};
  const Key key{session_of(index), CallId{++call_ids_}};
  Call& call = calls_[key];
  call.kind = Call::Kind::enroll;
  call.client = index;
  call.sequence = ++client.sequence;
  client.answered_last = false;
  coordinator_.handle(
      coord_input::Register{key.first, key.second, std::make_shared<const RegisterRequest>(request)},
      clock_.now);
  client.registered = false;
  client.key = fresh_key<NodePublic>();
}

MapRequest CoordinatorWorld::request_of(std::size_t index) const {
  const ClientState& client = clients_[index];
  MapRequest request;
  request.version = client.capability;
  request.node_key = client.key;
  request.disco_key = client.disco;
  if (client.zstd) request.compress = "zstd";
  request.hostinfo.emplace().hostname = client.hostname;
  request.hostinfo->net_info.emplace().preferred_derp = client.home_derp;
  request.hostinfo->routable_ips = client.routes;
  if (client.ssh) request.hostinfo->ssh_host_keys = {"ssh-ed25519 AAAA"};
  request.endpoints = client.endpoints;
  return request;
}

void CoordinatorWorld::poll(std::size_t index) {
  ClientState& client = clients_[index];
  // A new key may have made it another node, when the old one was tagged meanwhile.
  if (client.poll && (*client.fold)->self) {
    const auto old = stored_.find((*client.fold)->self->id);
    if (old != stored_.end() && old->second.key != client.key) drop_poll(index);
  }
  MapRequest request = request_of(index);
  request.stream = true;
  const Key key{session_of(index), CallId{++call_ids_}};
  Call& call = calls_[key];
  call.kind = Call::Kind::poll;
  call.client = index;
  call.sequence = ++client.sequence;
  client.answered_last = false;
  client.poll = key;
  client.fold = std::make_unique<StrictFold>(client.capability);
  coordinator_.handle(coord_input::Map{key.first, key.second, std::make_shared<const MapRequest>(request)},
                      clock_.now);
}

void CoordinatorWorld::update(std::size_t index, bool cancel_at_once) {
  ClientState& client = clients_[index];
  const Told before = client;
  switch (roll(9)) {
    case 4:
      client.routes.clear();
      for (const auto* text : {"10.1.7.7/16", "10.2.0.0/16", "10.3.0.0/16", "0.0.0.0/0", "::/0"})
        if (roll(2) == 0) client.routes.push_back(*IpPrefix::parse(text));
      break;
    case 0:
      client.disco = fresh_key<DiscoPublic>();
      break;
    case 1:
      client.endpoints.clear();
      break;
    case 2:
      client.home_derp = 900 + static_cast<int>(roll(3));
      break;
    case 3:
      client.hostname = "n" + std::to_string(roll(clients_.size()));
      break;
    default:
      break;
  }
  if (roll(2) == 0) {
    client.endpoints.clear();
    for (auto n = roll(4); n > 0; --n)
      client.endpoints.push_back({IpAddress::v4(static_cast<std::uint32_t>(0x0a000000 + roll(1000))),
                                  static_cast<std::uint16_t>(n)});
  }
  MapRequest request = request_of(index);
  request.omit_peers = true;
  const Key key{session_of(index), CallId{++call_ids_}};
  Call& call = calls_[key];
  call.kind = Call::Kind::update;
  call.client = index;
  call.sequence = ++client.sequence;
  call.map = request;
  client.answered_last = false;
  ++tally.updates;
  // Behind another request of the machine this one has not had its turn when it is reset.
  const bool waits = std::any_of(calls_.begin(), calls_.end(), [&](const auto& entry) {
    return entry.first != key && entry.second.client == index && !entry.second.dead &&
           entry.second.kind == Call::Kind::update;
  });
  coordinator_.handle(coord_input::Map{key.first, key.second, std::make_shared<const MapRequest>(request)},
                      clock_.now);
  if (!cancel_at_once || !waits) return;
  coordinator_.handle(coord_input::Cancelled{key.first, key.second}, clock_.now);
  calls_[key].dead = true;
  ++tally.cancels;
  static_cast<Told&>(client) = before;
}

void CoordinatorWorld::drop_poll(std::size_t index) {
  ClientState& client = clients_[index];
  coordinator_.handle(coord_input::Cancelled{client.poll->first, client.poll->second}, clock_.now);
  calls_[*client.poll].dead = true;
  client.poll.reset();
}

void CoordinatorWorld::drop_sessions(std::size_t index) {
  ClientState& client = clients_[index];
  for (const auto session : client.sessions) {
    coordinator_.handle(coord_input::Gone{session}, clock_.now);
    for (auto& [key, call] : calls_)
      if (key.first == session) call.dead = true;
  }
  client.sessions.clear();
  client.poll.reset();
}

// --- what comes back ---

void CoordinatorWorld::pump() {
  for (bool moved = true; moved && wrong_.empty();) {
    moved = false;
    StoreEvent event;
    while (store_.poll({&event, 1}) == 1) {
      if (std::holds_alternative<Rejected>(event)) ++tally.stale;
      coordinator_.on_store(event, clock_.now);
      moved = true;
    }
    watch_store();
    while (auto out = coordinator_.next_event()) {
      on_event(std::move(*out));
      moved = true;
    }
    if (const auto next = coordinator_.next_timeout(); next && *next <= clock_.now.mono) {
      coordinator_.handle_timeout(clock_.now);
      moved = true;
    }
  }
  std::erase_if(calls_,
                [](const auto& entry) { return entry.second.dead && entry.second.kind != Call::Kind::poll; });
}

void CoordinatorWorld::watch_store() {
  StoreEvent event;
  while (observer_.poll({&event, 1}) == 1) {
    const auto* changed = std::get_if<Changed>(&event);
    if (!changed || changed->kind != RecordKind::node) continue;
    if (changed->record) {
      stored_[NodeId{changed->id}] = std::get<NodeRecord>(*changed->record);
    } else {
      stored_.erase(NodeId{changed->id});
      shown_to_.erase(NodeId{changed->id});
      ++tally.removed;
    }
  }
}

CoordinatorWorld::Call* CoordinatorWorld::alive(SessionId session, CallId call) {
  const auto at = calls_.find({session, call});
  check(at != calls_.end() && !at->second.dead, "an event for a call that is over");
  return at == calls_.end() || at->second.dead ? nullptr : &at->second;
}

void CoordinatorWorld::on_event(CoordEvent event) {
  if (const auto* frame = std::get_if<coord_event::MapFrame>(&event)) return on_frame(*frame);
  if (const auto* reply = std::get_if<coord_event::RegisterReply>(&event)) {
    Call* call = alive(reply->session, reply->call);
    if (!call) return;
    check(call->kind == Call::Kind::enroll, "a register reply for another call");
    check(reply->reply->error.empty(), "a registration fails: " + reply->reply->error);
    call->dead = true;
    return;
  }
  if (const auto* end = std::get_if<coord_event::MapEnd>(&event)) {
    Call* call = alive(end->session, end->call);
    if (!call) return;
    ClientState& client = clients_[call->client];
    call->dead = true;
    if (call->kind == Call::Kind::poll) {
      ++tally.replaced;
      if (client.poll == Key{end->session, end->call}) client.poll.reset();  // the node was deleted
      return;
    }
    if (call->sequence != client.sequence) return;
    client.answered_last = true;
    // Nothing is answered before it is committed.
    for (const auto& [id, record] : stored_)
      if (record.key == client.key)
        check(record.endpoints == call->map.endpoints && record.disco == call->map.disco_key,
              "an update is answered and not stored");
    return;
  }
  if (const auto* refused = std::get_if<coord_event::Refused>(&event)) {
    Call* call = alive(refused->session, refused->call);
    if (!call) return;
    check(refused->status == 404 || refused->status == 503, "refused with another status");
    ClientState& client = clients_[call->client];
    call->dead = true;
    if (client.poll == Key{refused->session, refused->call}) client.poll.reset();
    if (refused->status == 404) client.registered = false;
    return;
  }
  if (const auto* done = std::get_if<coord_event::CommandDone>(&event)) {
    const auto at = orders_.find(done->command);
    if (at == orders_.end()) return;
    if (done->status == 200) at->second();
    orders_.erase(at);
    return;
  }
  check(!std::holds_alternative<coord_event::Drop>(event), "a session is dropped");
}

void CoordinatorWorld::on_frame(const coord_event::MapFrame& frame) {
  Call* call = alive(frame.session, frame.call);
  if (!call) return;
  ClientState& client = clients_[call->client];
  check(call->kind == Call::Kind::poll, "a map for a call that is no poll");
  check(!call->in_flight, "a second frame in flight");
  call->in_flight = true;
  ++tally.frames;
  Buffer bytes;
  for (const auto& piece : *frame.pieces) bytes.insert(bytes.end(), piece->begin(), piece->end());
  MapFrameReader& reader = client.zstd ? zstd_reader_ : plain_reader_;
  const auto used = reader.feed(bytes);
  if (!used || *used != bytes.size() || !reader.ready()) return check(false, "a frame can't be read");
  const auto message = decode<MapResponse>(reader.message());
  if (!message) return check(false, "a message can't be decoded");
  if (message->keep_alive) ++tally.keep_alives;
  if (!message->peers.empty()) ++tally.full_maps;
  if (!message->pop_browser_url.empty()) {
    ++tally.pages;
    check(opened_.insert(message->pop_browser_url).second, "a page is opened twice");
  }
  if (client.poll != Key{frame.session, frame.call}) return;  // an older poll's last words
  const std::string wrong = client.fold->apply(*message);
  check(wrong.empty(), "client " + std::to_string(call->client) + ": " + wrong);
}

void CoordinatorWorld::take(bool all) {
  for (auto& [key, call] : calls_) {
    if (!call.in_flight || (!all && roll(clients_[call.client].slow ? 100 : 3) != 0)) continue;
    call.in_flight = false;
    if (!call.dead) coordinator_.handle(coord_input::Taken{key.first, key.second}, clock_.now);
  }
  std::erase_if(calls_, [](const auto& entry) { return entry.second.dead; });
}

void CoordinatorWorld::advance(milliseconds by) {
  const Instant end = clock_.now.mono + by;
  while (clock_.now.mono < end && wrong_.empty()) {
    const auto next = coordinator_.next_timeout();
    const auto until = next ? std::clamp(*next, clock_.now.mono, end) : end;
    clock_.advance(std::max(std::chrono::ceil<milliseconds>(until - clock_.now.mono), milliseconds{1}));
    coordinator_.handle_timeout(clock_.now);
    pump();
  }
}

}  // namespace ts2021::test
