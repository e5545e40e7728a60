// SPDX-License-Identifier: BSD-3-Clause
#include "support/coord_desk.h"

#include <algorithm>
#include <stdexcept>

#include "support/catch.h"

namespace ts2021::test {
namespace {

// Pieces to messages, by the reader that clients use.
MapResponse decode_frame(const SharedPieces& pieces, std::size_t& size) {
  Buffer bytes;
  for (const auto& piece : *pieces) bytes.insert(bytes.end(), piece->begin(), piece->end());
  size = bytes.size();
  const bool packed = bytes.size() > 8 && bytes[4] == 0x28 && bytes[5] == 0xb5;
  MapFrameReader reader(packed ? Compression::zstd : Compression::none);
  const auto used = reader.feed(bytes);
  REQUIRE(used);
  REQUIRE(*used == bytes.size());
  REQUIRE(reader.ready());
  auto message = decode<MapResponse>(reader.message());
  REQUIRE(message);
  return std::move(*message);
}

}  // namespace

CoordinatorConfig desk_config() {
  CoordinatorConfig config;
  config.base_domain = "net.test";
  config.tailnet = "Test net";
  config.auth_keys = {{std::string(reusable_key), false}, {std::string(ephemeral_key), true}};
  DERPMap derp_map;
  DERPRegion region;
  region.region_id = 900;
  region.region_code = region.region_name = "test";
  DERPNode node;
  node.name = "900a";
  node.region_id = 900;
  node.host_name = "relay.test";
  region.nodes = {node};
  derp_map.regions.emplace()[900] = region;
  config.derp_map = std::make_shared<const DERPMap>(derp_map);
  return config;
}

Desk::Desk(CoordinatorConfig config, std::shared_ptr<MemoryRecords> records)
    : store(std::move(records)),
      coordinator(store, std::make_shared<const AllowAll>(), entropy, std::move(config)) {
  coordinator.start(clock.now);
  pump();
}

void Desk::pump() {
  for (bool moved = true; moved;) {
    moved = false;
    StoreEvent some[8];
    for (std::size_t n; (n = store.poll(some)) != 0; moved = true)
      for (std::size_t i = 0; i < n; ++i) coordinator.on_store(some[i], clock.now);
    while (auto event = coordinator.next_event()) {
      moved = true;
      if (auto* frame = std::get_if<coord_event::MapFrame>(&*event)) {
        Inbox& box = inbox(frame->session, frame->call);
        std::size_t size = 0;
        box.messages.push_back(decode_frame(frame->pieces, size));
        box.sizes.push_back(size);
        ++box.untaken;
        if (!slow[frame->session]) take(frame->session, frame->call);
      } else if (auto* reply = std::get_if<coord_event::RegisterReply>(&*event)) {
        inbox(reply->session, reply->call).reply = reply->reply;
      } else if (auto* end = std::get_if<coord_event::MapEnd>(&*event)) {
        inbox(end->session, end->call).ended = true;
      } else if (auto* refused = std::get_if<coord_event::Refused>(&*event)) {
        inbox(refused->session, refused->call).refused = *refused;
      } else if (auto* answer = std::get_if<coord_event::Answer>(&*event)) {
        inbox(answer->session, answer->call).answer = answer->value;
      } else if (auto* command = std::get_if<coord_event::CommandDone>(&*event)) {
        done[command->command] = *command;
      } else if (auto* notice = std::get_if<coord_event::Notice>(&*event)) {
        notices.push_back(*notice);
      } else {
        ++drops;
      }
    }
    if (!moved) coordinator.handle_timeout(clock.now);
    if (const auto next = coordinator.next_timeout(); next && *next <= clock.now.mono) {
      coordinator.handle_timeout(clock.now);
      moved = true;
    }
  }
}

void Desk::advance(std::chrono::milliseconds by) {
  const Instant end = clock.now.mono + by;
  pump();
  while (clock.now.mono < end) {
    const auto next = coordinator.next_timeout();
    auto step = std::chrono::ceil<std::chrono::milliseconds>(next && *next < end ? *next - clock.now.mono
                                                                                 : end - clock.now.mono);
    clock.advance(std::max(step, std::chrono::milliseconds{1}));
    coordinator.handle_timeout(clock.now);
    pump();
  }
}

SessionId Desk::open(const MachinePublic& machine, Capability capability) {
  const SessionId session{++sessions_};
  coordinator.handle(coord_input::Opened{session, machine, capability}, clock.now);
  return session;
}

CallId Desk::send(SessionId session, RegisterRequest request) {
  const CallId call{++calls_};
  coordinator.handle(
      coord_input::Register{session, call, std::make_shared<const RegisterRequest>(std::move(request))},
      clock.now);
  return call;
}

CallId Desk::send(SessionId session, MapRequest request) {
  const CallId call{++calls_};
  coordinator.handle(coord_input::Map{session, call, std::make_shared<const MapRequest>(std::move(request))},
                     clock.now);
  return call;
}

CallId Desk::ask(SessionId session, std::optional<MachinePublic> machine, Question question) {
  const CallId call{++calls_};
  coordinator.handle(coord_input::Ask{session, call, machine, std::move(question)}, clock.now);
  return call;
}

CommandId Desk::order(CoordOrder order) {
  const CommandId id{++commands_};
  coordinator.handle(CoordCommand{id, std::move(order)}, clock.now);
  return id;
}

void Desk::gone(SessionId session) { coordinator.handle(coord_input::Gone{session}, clock.now); }

void Desk::cancel(SessionId session, CallId call) {
  coordinator.handle(coord_input::Cancelled{session, call}, clock.now);
}

void Desk::take(SessionId session, CallId call) {
  Inbox& box = inbox(session, call);
  if (box.untaken == 0) return;
  --box.untaken;
  coordinator.handle(coord_input::Taken{session, call}, clock.now);
}

MapResponse Desk::only(SessionId session, CallId call) {
  pump();
  Inbox& box = inbox(session, call);
  REQUIRE(box.messages.size() == 1);
  MapResponse message = std::move(box.messages.front());
  box.messages.clear();
  return message;
}

std::size_t Desk::notices_of(NoticeKind kind) const {
  return static_cast<std::size_t>(
      std::count_if(notices.begin(), notices.end(), [kind](const auto& one) { return one.kind == kind; }));
}

const NodeRecord* Desk::record(const NodePublic& key) const {
  for (const auto& status : coordinator.nodes())
    if (status.record->key == key) return status.record;
  return nullptr;
}

bool Desk::online(const NodePublic& key) const {
  for (const auto& status : coordinator.nodes())
    if (status.record->key == key) return status.online;
  return false;
}

Client::Client(Desk& on, std::uint64_t from, Capability version)
    : desk(&on),
      number(from),
      capability(version),
      machine(make_key<MachinePublic>(from * 4)),
      node_key(make_key<NodePublic>(from * 4 + 1)),
      disco(make_key<DiscoPublic>(from * 4 + 2)),
      home_derp(900) {
  endpoints = {{IpAddress::v4(0xc0000200u + static_cast<std::uint32_t>(from % 250)), 41641}};
  hostinfo.hostname = "host" + std::to_string(from);
  hostinfo.os = "linux";
  hostinfo.backend_log_id = "secret-log-id";
  session = desk->open(machine, capability);
}

RegisterRequest Client::register_request(std::string_view auth_key) const {
  RegisterRequest request;
  request.version = capability;
  request.node_key = node_key;
  request.hostinfo = hostinfo;
  if (!auth_key.empty()) request.auth.emplace().auth_key = auth_key;
  return request;
}

MapRequest Client::map_request() const {
  MapRequest request;
  request.version = capability;
  request.node_key = node_key;
  request.disco_key = disco;
  request.stream = true;
  request.keep_alive = true;
  request.compress = compress;
  request.hostinfo = hostinfo;
  return request;
}

RegisterResponse Client::enroll(std::string_view auth_key) { return send(register_request(auth_key)); }

RegisterResponse Client::send(const RegisterRequest& request) {
  const CallId call = desk->send(session, request);
  desk->pump();
  const Inbox& box = desk->inbox(session, call);
  REQUIRE(box.reply);
  return *box.reply;
}

void Client::start_poll() {
  poll = desk->send(session, map_request());
  desk->pump();
}

Inbox& Client::update() {
  MapRequest request = map_request();
  request.stream = false;
  request.omit_peers = true;
  request.endpoints = endpoints;
  if (home_derp != 0) request.hostinfo->net_info.emplace().preferred_derp = home_derp;
  const CallId call = desk->send(session, request);
  desk->pump();
  return desk->inbox(session, call);
}

MapResponse Client::next() {
  Inbox& box = poll_inbox();
  REQUIRE(!box.messages.empty());
  MapResponse message = std::move(box.messages.front());
  box.messages.pop_front();
  return message;
}

std::vector<MapResponse> Client::read_all() {
  Inbox& box = poll_inbox();
  std::vector<MapResponse> out(box.messages.begin(), box.messages.end());
  box.messages.clear();
  return out;
}

}  // namespace ts2021::test
