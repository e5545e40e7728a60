// SPDX-License-Identifier: BSD-3-Clause
#include "sim/coordinator_world.h"

#include <algorithm>
#include <set>

#include "sim/islands.h"
#include "ts2021/msg/hostinfo.h"

namespace ts2021::test {
namespace {

using std::chrono::milliseconds;

constexpr std::uint16_t capabilities[] = {26, 32, 33, 36, 40, 53, 58, 68, 74, 90, 104, 111, 117, 130, 148};

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

CoordinatorWorld::CoordinatorWorld(std::uint64_t seed, std::size_t clients, unsigned frames_between_all)
    : random_(seed),
      entropy_(seed + 1),
      store_(inner_, seed + 2),
      intent_({std::make_shared<const Islands>(1), make_derp_map(2)}),
      owner_(intent_, records_, random_),
      coordinator_(store_, intent_.orders().policy, entropy_, make_config(intent_.orders().derp_map)),
      frames_between_all_(frames_between_all) {
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
  if (roll(400) == 0) order(owner_.another_policy());
  if (roll(500) == 0) order(owner_.another_derp_map());
  if (roll(12) == 0) order(owner_.order(clock_.now.wall));
  if (roll(12) == 0) owner_.administrate();
  if (roll(10) == 0) clock_.advance(milliseconds{roll(100)});
  if (roll(200) == 0) advance(milliseconds{roll(8'000)});
  act_on(roll(clients_.size()));
}

void CoordinatorWorld::order(std::optional<Owner::Order> order) {
  if (!order) return;
  const CommandId id{++commands_};
  orders_[id] = std::move(order->done);
  ++tally.orders;
  tell(CoordCommand{id, std::move(order->what)});
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
    tell(coord_input::Opened{client.sessions.back(), client.machine, client.capability});
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
  tell(coord_input::Register{key.first, key.second, std::make_shared<const RegisterRequest>(request)});
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
  tell(coord_input::Register{key.first, key.second, std::make_shared<const RegisterRequest>(request)});
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
  client.judged = {};
  tell(coord_input::Map{key.first, key.second, std::make_shared<const MapRequest>(request)});
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
  tell(coord_input::Map{key.first, key.second, std::make_shared<const MapRequest>(request)});
  if (!cancel_at_once || !waits) return;
  calls_[key].dead = true;
  tell(coord_input::Cancelled{key.first, key.second});
  ++tally.cancels;
  static_cast<Told&>(client) = before;
}

// The older ones as well: those that are not over yet may still wait for their turn.
void CoordinatorWorld::drop_poll(std::size_t index) {
  clients_[index].poll.reset();
  std::vector<Key> dropped;
  for (auto& [key, call] : calls_)
    if (call.client == index && call.kind == Call::Kind::poll && !std::exchange(call.dead, true))
      dropped.push_back(key);
  for (const auto& [session, call] : dropped) tell(coord_input::Cancelled{session, call});
}

void CoordinatorWorld::drop_sessions(std::size_t index) {
  ClientState& client = clients_[index];
  client.poll.reset();
  for (const auto session : std::exchange(client.sessions, {})) {
    for (auto& [key, call] : calls_)
      if (key.first == session) call.dead = true;
    tell(coord_input::Gone{session});
  }
}

// --- what comes back ---

void CoordinatorWorld::drain() {
  while (auto out = coordinator_.next_event()) on_event(std::move(*out));
}

void CoordinatorWorld::tell(const StoreEvent& event) {
  intent_.pass(clock_.now.wall);
  if (const auto* changed = std::get_if<Changed>(&event)) intent_.change(*changed);
  coordinator_.on_store(event, clock_.now);
  drain();
}

void CoordinatorWorld::tell_time() {
  intent_.pass(clock_.now.wall);
  coordinator_.handle_timeout(clock_.now);
  drain();
}

void CoordinatorWorld::pump() {
  for (bool moved = true; moved && wrong_.empty();) {
    moved = false;
    watch_store();
    StoreEvent event;
    while (store_.poll({&event, 1}) == 1) {
      tally.stale += std::holds_alternative<Rejected>(event);
      tell(event);
      moved = true;
    }
    if (const auto next = coordinator_.next_timeout(); next && *next <= clock_.now.mono) {
      tell_time();
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
  if (const auto* notice = std::get_if<coord_event::Notice>(&event)) return on_notice(*notice);
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
  std::string wrong = client.fold->apply(*message);
  // The farewell of a node that is no more tells nothing but that.
  const bool judged = !message->keep_alive && !(message->node && !intent_.find(message->node->id));
  if (wrong.empty() && judged)
    wrong = intent_.judge(**client.fold, client.capability, *message, client.judged, frames_between_all_);
  if (!wrong.empty()) check(false, "a frame of client " + std::to_string(call->client) + ": " + wrong);
}

// Presence is what the coordinator says, but it can't say anything.
void CoordinatorWorld::on_notice(const coord_event::Notice& notice) {
  if (notice.kind != NoticeKind::online && notice.kind != NoticeKind::offline) return;
  const auto* known = intent_.find(notice.node);
  if (!known) return check(false, "presence of a node that is not known");
  const bool online = notice.kind == NoticeKind::online;
  check(known->online != online, "presence is told twice");
  const bool polls = std::any_of(clients_.begin(), clients_.end(), [&](const ClientState& client) {
    return client.machine == known->record->machine && client.poll &&
           (online || ((*client.fold)->self && (*client.fold)->self->id == notice.node));
  });
  check(polls == online, online ? "online without a poll" : "offline with a poll");
  intent_.set_online(notice.node, online);
}

void CoordinatorWorld::take(bool all) {
  for (auto& [key, call] : calls_) {
    if (!call.in_flight || (!all && roll(clients_[call.client].slow ? 100 : 3) != 0)) continue;
    call.in_flight = false;
    if (!call.dead) tell(coord_input::Taken{key.first, key.second});
  }
  std::erase_if(calls_, [](const auto& entry) { return entry.second.dead; });
}

void CoordinatorWorld::advance(milliseconds by) {
  const Instant end = clock_.now.mono + by;
  while (clock_.now.mono < end && wrong_.empty()) {
    const auto next = coordinator_.next_timeout();
    const auto until = next ? std::clamp(*next, clock_.now.mono, end) : end;
    clock_.advance(std::max(std::chrono::ceil<milliseconds>(until - clock_.now.mono), milliseconds{1}));
    tell_time();
    pump();
  }
}

// --- when all is quiet ---

// At least 10 s, and 2 s after the last change: a timer that fired meanwhile, which removed a node, say, is
// to be heard of by everybody, too.
void CoordinatorWorld::settle() {
  std::uint64_t before = intent_.version();
  for (int turn = 0, until = 40; turn < until && turn < 1'000 && wrong_.empty(); ++turn) {
    store_.finish();
    pump();
    take(true);
    pump();
    advance(milliseconds{250});
    const std::uint64_t version = intent_.version();
    if (version != std::exchange(before, version)) until = std::max(until, turn + 8);
  }
}

void CoordinatorWorld::compare() {
  compare_store();
  compare_routers();
  check(orders_.empty(), "an order is not answered");
  std::set<NodeId> online;
  for (const auto& client : clients_)
    if (client.poll && (*client.fold)->self) online.insert((*client.fold)->self->id);
  for (const auto& [id, known] : intent_.nodes())
    check(known.online == online.contains(id), known.online ? "nobody is online" : "somebody is offline");
  for (const auto& client : clients_) {
    if (!client.poll) continue;
    ++tally.compared;
    const std::string wrong = intent_.judge(**client.fold, client.capability);
    if (!wrong.empty()) check(false, "when all is quiet: " + wrong);
  }
}

void CoordinatorWorld::compare_store() {
  std::map<MachinePublic, const ClientState*> by_machine;
  std::set<std::string> names;
  std::set<Ipv4Address> addresses;
  check(stored_.size() == intent_.nodes().size(), "the store does not tell all that it has");
  for (const auto& client : clients_) by_machine[client.machine] = &client;
  for (const auto& [id, record] : stored_) {
    check(names.insert(record.given_name).second, "two nodes have the name " + record.given_name);
    check(addresses.insert(record.v4).second, "two nodes have one address");
    const ClientState& client = *by_machine.at(record.machine);
    if (!client.answered_last || record.key != client.key) continue;  // or a node of before: it was tagged
    const std::string whose = "the store has not what the client of node " +
                              std::to_string(static_cast<std::uint64_t>(id)) + " " + record.stable_id +
                              " told last: ";
    check(record.endpoints == client.endpoints, whose + "endpoints");
    check(record.disco == client.disco, whose + "disco key");
    check(record.home_derp == client.home_derp, whose + "relay");
    check(record.hostname == client.hostname, whose + "host name");
    check(record.key == client.key, whose + "key");
    check(record.hostinfo->routable_ips == client.routes, whose + "routes");
  }
}

// Whoever is online and may route a subnet: somebody does.
void CoordinatorWorld::compare_routers() {
  for (const auto& [id, known] : intent_.nodes()) {
    const NodeRecord& record = *known.record;
    if (!known.online || intent_.expired(record) || intent_.orders().laid.routes.contains(id)) continue;
    for (const auto& route : record.approved_routes)
      check(route.size == 0 || !is_in_force(record, route) || intent_.primaries().contains(route),
            "nobody routes " + route.text());
  }
}

}  // namespace ts2021::test
