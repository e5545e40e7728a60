// SPDX-License-Identifier: BSD-3-Clause
// A coordinator under a list of operations: two bytes each, what and by whom. Whatever they are, calls are
// answered once, ended calls hear nothing, one frame is in flight, and when all is quiet every map is right.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "fuzz/fuzz.h"
#include "store/memory_store.h"
#include "support/slow_store.h"
#include "support/strict_fold.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"

namespace ts2021::fuzz {
namespace {

using Key = std::pair<SessionId, CallId>;

struct Call {
  bool is_map = false, dead = false, in_flight = false;
  std::optional<test::StrictFold> fold;
};

// Sees all, or nobody.
class AllOrNobody final : public Policy {
 public:
  explicit AllOrNobody(bool all) : all_(all) {}
  ViewClass view_of(const Subject&) const override { return ViewClass{}; }
  bool sees(ViewClass, const Subject&) const override { return all_; }
  std::vector<FilterRule> packet_filter(const Subject&) const override { return {allow_all_rule()}; }

 private:
  bool all_;
};

class Play {
 public:
  explicit Play(std::uint8_t seed)
      : slow_(store_, seed), coordinator_(slow_, std::make_shared<const AllowAll>(), entropy_, config()) {
    slow_.set_failure_percent(seed % 16);
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      machines_[i] = key<MachinePublic>();
      for (auto& node_key : keys_[i]) node_key = key<NodePublic>();
    }
    now_.mono = Instant{std::chrono::seconds{1'000}};
    now_.wall = WallTime{std::chrono::milliseconds{1'780'000'000'000}};
    coordinator_.start(now_);
  }

  void step(std::uint8_t what, std::uint8_t who) {
    const std::size_t m = who % machines_.size();
    const SessionId session{1 + m * 4 + ((who >> 2) & 3)};
    const CallId call{++calls_made_};
    switch (what % 16) {
      case 0:
        coordinator_.handle(coord_input::Opened{session, machines_[m], Capability{148}}, now_);
        break;
      case 1:
        gone(session);
        break;
      case 2:
      case 3:
        enroll(session, call, m, what, who);
        break;
      case 4:
      case 5:
      case 6:
      case 7:
        map(session, call, m, what, who);
        break;
      case 8:
        cancel(who);
        break;
      case 9:
      case 10:
        take(who, false);
        break;
      case 11:
        pass(std::chrono::milliseconds{who * 10});
        break;
      case 12:
        pass(std::chrono::seconds{who});
        break;
      case 13:
        all_ = who & 1;
        coordinator_.handle(
            CoordCommand{{}, coord_command::SetPolicy{std::make_shared<const AllOrNobody>(all_)}}, now_);
        break;
      default:
        slow_.step();
        break;
    }
    pump();
  }

  void finish() {
    for (int i = 0; i < 30; ++i) {
      slow_.finish();
      pump();
      take(0, true);
      pump();
      pass(std::chrono::milliseconds{250});
    }
    const auto nodes = coordinator_.nodes();
    for (const auto& [at, call] : calls_) {
      if (!call.is_map || call.dead || !call.fold || !(*call.fold)->self) continue;
      std::set<NodeId> expected, seen;
      for (const auto& status : nodes)
        if (all_ && status.record->id != (*call.fold)->self->id) expected.insert(status.record->id);
      for (const auto& [id, peer] : (*call.fold)->peers) seen.insert(id);
      TS_EXPECT(expected == seen);
      for (const auto& status : nodes) {
        const auto peer = (*call.fold)->peers.find(status.record->id);
        if (peer == (*call.fold)->peers.end()) continue;
        TS_EXPECT(peer->second.key == status.record->key);
        TS_EXPECT(peer->second.online == status.online);
      }
    }
  }

 private:
  static CoordinatorConfig config() {
    CoordinatorConfig config;
    config.auth_keys = {{"lasting", false}, {"passing", true}};
    config.ephemeral_timeout = std::chrono::seconds{60};
    config.key_lifetime = std::chrono::minutes{20};
    return config;
  }
  template <class K>
  K key() {
    std::array<std::uint8_t, 32> raw{};
    entropy_.fill(raw);
    return K::from_bytes(raw);
  }
  // Only sessions that are open have calls.
  Call* begin(SessionId session, CallId call, std::size_t machine) {
    if (!open_.contains(session))
      coordinator_.handle(coord_input::Opened{session, machines_[machine], Capability{148}}, now_);
    open_.insert(session);
    return &calls_[{session, call}];
  }

  void gone(SessionId session) {
    coordinator_.handle(coord_input::Gone{session}, now_);
    open_.erase(session);
    for (auto& [at, call] : calls_)
      if (at.first == session) call.dead = true;
  }

  void enroll(SessionId session, CallId call, std::size_t m, std::uint8_t what, std::uint8_t who) {
    begin(session, call, m);
    RegisterRequest request;
    request.version = Capability{static_cast<std::uint16_t>(who % 32 == 31 ? 0 : 100)};
    request.node_key = keys_[what & 16 ? (m + 1) % machines_.size() : m][who >> 7];
    request.ephemeral = what & 32;
    if (what & 64) request.auth.emplace().auth_key = who & 64 ? "passing" : "lasting";
    if ((what & 0x8c) == 0x80)
      request.expiry = now_.wall + std::chrono::minutes{who % 8} - std::chrono::minutes{2};
    request.hostinfo.emplace().hostname = std::string(1 + who % 3, static_cast<char>(who));
    coordinator_.handle(
        coord_input::Register{session, call, std::make_shared<const RegisterRequest>(request)}, now_);
  }

  void map(SessionId session, CallId call, std::size_t m, std::uint8_t what, std::uint8_t who) {
    constexpr std::uint16_t versions[] = {0, 26, 33, 36, 53, 60, 100, 148};
    Call& made = *begin(session, call, m);
    made.is_map = true;
    MapRequest request;
    request.version = Capability{versions[who >> 5]};
    request.node_key = keys_[m][(who >> 4) & 1];
    request.stream = what & 16;
    request.omit_peers = what & 32;
    request.read_only = what & 64;
    if (what & 128) request.compress = "zstd";
    request.disco_key = key<DiscoPublic>();
    for (unsigned i = 0; i < (who & 3u); ++i)
      request.endpoints.push_back({IpAddress::v4(0x0a000000u + who), static_cast<std::uint16_t>(i + 1)});
    coordinator_.handle(coord_input::Map{session, call, std::make_shared<const MapRequest>(request)}, now_);
  }

  void cancel(std::uint8_t who) {
    if (calls_.empty()) return;
    auto at = std::next(calls_.begin(), static_cast<std::ptrdiff_t>(who % calls_.size()));
    coordinator_.handle(coord_input::Cancelled{at->first.first, at->first.second}, now_);
    at->second.dead = true;
  }

  void take(std::uint8_t who, bool all) {
    std::uint8_t n = 0;
    for (auto& [at, call] : calls_) {
      if (!call.in_flight || (!all && ++n % 4 == who % 4)) continue;
      call.in_flight = false;
      coordinator_.handle(coord_input::Taken{at.first, at.second}, now_);
    }
  }

  void pass(Instant::duration by) {
    const Instant end = now_.mono + by;
    for (int i = 0; i < 2'000 && now_.mono < end; ++i) {
      const auto next = coordinator_.next_timeout();
      const Instant to =
          std::max(next ? std::min(*next, end) : end, now_.mono + std::chrono::milliseconds{1});
      now_.wall += std::chrono::ceil<std::chrono::milliseconds>(to - now_.mono);
      now_.mono = to;
      coordinator_.handle_timeout(now_);
      pump();
    }
    TS_EXPECT(now_.mono >= end);
  }

  void pump() {
    std::size_t rounds = 0;
    for (bool moved = true; moved;) {
      TS_EXPECT(++rounds < 10'000);
      moved = false;
      StoreEvent event;
      for (; slow_.poll({&event, 1}) == 1; moved = true) coordinator_.on_store(event, now_);
      while (auto out = coordinator_.next_event()) {
        on_event(*out);
        moved = true;
      }
      if (const auto next = coordinator_.next_timeout(); next && *next <= now_.mono) {
        coordinator_.handle_timeout(now_);
        moved = true;
      }
    }
  }

  Call& alive(SessionId session, CallId call) {
    const auto at = calls_.find({session, call});
    TS_EXPECT(at != calls_.end() && !at->second.dead);
    return at->second;
  }

  void on_event(const CoordEvent& event) {
    if (const auto* reply = std::get_if<coord_event::RegisterReply>(&event)) {
      Call& call = alive(reply->session, reply->call);
      TS_EXPECT(!call.is_map);
      TS_EXPECT(!(reply->reply->machine_authorized && !reply->reply->error.empty()));
      call.dead = true;
    } else if (const auto* refused = std::get_if<coord_event::Refused>(&event)) {
      alive(refused->session, refused->call).dead = true;
    } else if (const auto* end = std::get_if<coord_event::MapEnd>(&event)) {
      Call& call = alive(end->session, end->call);
      TS_EXPECT(call.is_map);
      call.dead = true;
    } else if (const auto* frame = std::get_if<coord_event::MapFrame>(&event)) {
      Call& call = alive(frame->session, frame->call);
      TS_EXPECT(call.is_map && !call.in_flight);
      call.in_flight = true;
      on_frame(call, *frame);
    } else {
      TS_EXPECT(std::holds_alternative<coord_event::Notice>(event) ||
                std::holds_alternative<coord_event::CommandDone>(event));
    }
  }

  static void on_frame(Call& call, const coord_event::MapFrame& frame) {
    std::vector<std::uint8_t> bytes;
    for (const auto& piece : *frame.pieces) bytes.insert(bytes.end(), piece->begin(), piece->end());
    const bool packed = bytes.size() > 8 && bytes[4] == 0x28;
    MapFrameReader reader(packed ? Compression::zstd : Compression::none);
    const auto used = reader.feed(bytes);
    TS_EXPECT(used && *used == bytes.size() && reader.ready());
    const auto message = decode<MapResponse>(reader.message());
    TS_EXPECT(message.has_value());
    if (!call.fold) call.fold.emplace();
    TS_EXPECT(call.fold->apply(*message).empty());
  }

  SameEntropy entropy_;
  MemoryStore store_;
  test::SlowStore slow_;
  Coordinator coordinator_;
  Now now_;
  std::array<MachinePublic, 4> machines_;
  std::array<std::array<NodePublic, 2>, 4> keys_;
  bool all_ = true;
  std::uint64_t calls_made_ = 0;
  std::set<SessionId> open_;
  std::map<Key, Call> calls_;
};

}  // namespace
}  // namespace ts2021::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 401) return 0;
  ts2021::fuzz::Play play(data[0]);
  for (std::size_t i = 1; i + 1 < size; i += 2) play.step(data[i], data[i + 1]);
  play.finish();
  return 0;
}
