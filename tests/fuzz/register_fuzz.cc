// SPDX-License-Identifier: BSD-3-Clause
// Registrations, logins and orders under a list of operations: two bytes each, what and by whom. Whatever
// they are, calls are answered once, keys stay with their machines, nothing is there twice, and only what
// succeeds makes a node.
#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "fuzz/fuzz.h"
#include "store/memory_store.h"
#include "support/owned_tags.h"
#include "support/slow_store.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/register.h"

namespace ts2021::fuzz {
namespace {

using namespace coord_command;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view secrets[] = {"", "many", "once", "tagged", "waiting", "over", "added", "unknown"};
constexpr std::string_view tags[] = {"tag:web", "tag:web-test", "tag:db", "no tag"};

struct Call {
  NodePublic key;
  MachinePublic machine;
  bool over = false;
};

class Play {
 public:
  explicit Play(std::uint8_t seed)
      : slow_(store_, seed),
        coordinator_(slow_, std::make_shared<const test::OwnedTags>(), entropy_, config(seed)) {
    slow_.set_failure_percent(seed % 16);
    for (std::size_t m = 0; m < machines_.size(); ++m) {
      machines_[m] = key<MachinePublic>();
      for (auto& node_key : keys_[m]) node_key = key<NodePublic>();
    }
    now_.mono = Instant{seconds{1'000}};
    now_.wall = WallTime{std::chrono::milliseconds{1'780'000'000'000}};
    coordinator_.start(now_);
    for (std::size_t m = 0; m < machines_.size(); ++m) open(m);
  }

  void step(std::uint8_t what, std::uint8_t who) {
    const std::size_t m = who % machines_.size();
    switch (what % 8) {
      case 0:
      case 1:
      case 2:
        enroll(m, what, who);
        break;
      case 3:
        decide(m, what, who);
        break;
      case 4:
        order(what, who);
        break;
      case 5:
        what & 8 ? leave(m) : cancel(who);
        break;
      case 6:
        pass(what & 8 ? Instant::duration(minutes{who}) : Instant::duration(seconds{who}));
        break;
      default:
        slow_.step();
        break;
    }
    pump();
  }

  // In the end everybody has an answer: what is held gets one when its time is over.
  void finish() {
    slow_.set_failure_percent(0);
    for (int i = 0; i < 40; ++i) {
      slow_.finish();
      pump();
    }
    pass(minutes{16});
    for (int i = 0; i < 40; ++i) {
      slow_.finish();
      pump();
    }
    for (const auto& [at, call] : calls_) TS_EXPECT(call.over);
    TS_EXPECT(orders_ == orders_done_);
    // Who was told of no success may have been let in only when he did not wait for the answer.
    TS_EXPECT(made_.size() <= successes_ + unheard_);
  }

 private:
  static CoordinatorConfig config(std::uint8_t seed) {
    CoordinatorConfig config;
    config.rules.login_url = seed & 16 ? "" : "https://login.test";
    config.rules.require_approval = seed & 32;
    config.silent_rotation = seed & 64;
    config.register_burst = seed & 128 ? 4 : 0;
    config.key_lifetime = minutes{60};
    for (const auto secret : secrets) {
      if (secret.empty() || secret == "added" || secret == "unknown") continue;
      PresetAuthKey made;
      made.secret = secret;
      made.reusable = secret != "once";
      made.preauthorized = secret != "waiting";
      made.ephemeral = secret == "waiting";
      if (secret == "tagged") made.tags = {"tag:web"};
      if (secret == "over") made.expiry = WallTime{seconds{1}};
      config.auth_keys.push_back(made);
    }
    return config;
  }
  template <class K>
  K key() {
    std::array<std::uint8_t, 32> raw{};
    entropy_.fill(raw);
    return K::from_bytes(raw);
  }
  void open(std::size_t m) {
    sessions_[m] = SessionId{++last_session_};
    coordinator_.handle(coord_input::Opened{sessions_[m], machines_[m], Capability{148}}, now_);
  }

  void enroll(std::size_t m, std::uint8_t what, std::uint8_t who) {
    RegisterRequest request;
    request.version = Capability{static_cast<std::uint16_t>(what == 0 ? 0 : what & 64 ? 1 : 100)};
    const std::size_t owner = who == 255 ? (m + 1) % machines_.size() : m;
    request.node_key = keys_[owner][(who >> 2) & 3];
    if (what & 8) request.old_node_key = keys_[m][(who >> 4) & 3];
    if (const auto secret = secrets[(what >> 3) & 7]; !secret.empty())
      request.auth.emplace().auth_key = secret;
    if (what & 128) request.followup = urls_[who & 64 ? (m + 1) % machines_.size() : m];
    if (who >> 5 == 6) request.expiry = now_.wall - seconds{9};
    if (who >> 5 == 5) request.expiry = now_.wall + minutes{9};
    request.ephemeral = who >> 5 == 4;
    if (who >> 5 == 3) request.tailnet = "required:elsewhere";
    auto& hostinfo = request.hostinfo.emplace();
    hostinfo.hostname = std::string(1 + who % 2, 'h');
    if (who >> 5 == 2) hostinfo.request_tags.emplace_back(tags[(who >> 2) & 3]);
    const CallId call{++last_call_};
    calls_[{sessions_[m], call}] = {request.node_key, machines_[m]};
    coordinator_.handle(
        coord_input::Register{sessions_[m], call, std::make_shared<const RegisterRequest>(request)}, now_);
  }

  void decide(std::size_t m, std::uint8_t what, std::uint8_t who) {
    const std::string id = urls_[m].substr(urls_[m].rfind('/') + 1);
    if (what & 8)
      give({FailLogin{id, "no"}});
    else
      give({CompleteLogin{id, who & 128 ? "web-admin@net.test" : who & 64 ? "a b" : "bob@net.test"}});
  }

  void order(std::uint8_t what, std::uint8_t who) {
    const NodeId node{1u + who % 40u};
    PresetAuthKey made;
    switch ((what >> 3) & 7) {
      case 0:
        return give({ApproveNode{node, (who & 128) != 0}});
      case 1:
        return give({SetExpiry{node, who & 128 ? std::optional(now_.wall) : std::nullopt}});
      case 2:
        return give({DeleteNode{node}});
      case 3:
        return give({RenameNode{node, who & 128 ? "h" : ""}});
      case 4:
        return give({SetTags{node, {std::string(tags[who >> 6])}}});
      case 5:
        return give({SetTags{node, {}}});
      case 6:
        made.secret = "added";
        made.login_name = who & 128 ? "carol@net.test" : "";
        return give({AddAuthKey{made}});
      default:
        return give({RevokeAuthKey{std::string(secrets[who >> 5])}});
    }
  }
  void give(CoordOrder order) {
    coordinator_.handle(CoordCommand{CommandId{++orders_}, std::move(order)}, now_);
  }

  void leave(std::size_t m) {
    coordinator_.handle(coord_input::Gone{sessions_[m]}, now_);
    for (auto& [at, call] : calls_)
      if (at.first == sessions_[m]) unheard_ += !std::exchange(call.over, true);
    open(m);
  }
  void cancel(std::uint8_t who) {
    if (calls_.empty()) return;
    const auto at = std::next(calls_.begin(), static_cast<std::ptrdiff_t>(who % calls_.size()));
    coordinator_.handle(coord_input::Cancelled{at->first.first, at->first.second}, now_);
    unheard_ += !std::exchange(at->second.over, true);
  }

  void pass(Instant::duration by) {
    const Instant end = now_.mono + by;
    for (int i = 0; i < 1'000 && now_.mono < end; ++i) {
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
    drain();
    StoreEvent event;
    while (slow_.poll({&event, 1}) == 1) {
      coordinator_.on_store(event, now_);
      drain();
    }
    look();
  }
  void drain() {
    while (auto out = coordinator_.next_event()) on_event(*out);
  }

  const NodeRecord* node_of(const NodePublic& key) const {
    for (const auto& status : coordinator_.nodes())
      if (status.record->key == key) return status.record;
    return nullptr;
  }

  Call& alive(SessionId session, CallId call) {
    const auto at = calls_.find({session, call});
    TS_EXPECT(at != calls_.end() && !at->second.over);
    return at->second;
  }

  void on_event(const CoordEvent& event) {
    if (const auto* reply = std::get_if<coord_event::RegisterReply>(&event)) {
      Call& call = alive(reply->session, reply->call);
      call.over = true;
      const RegisterResponse& said = *reply->reply;
      const bool success = said.error.empty() && said.auth_url.empty() && !said.node_key_expired;
      TS_EXPECT(success || !said.machine_authorized || said.node_key_expired);
      if (!said.auth_url.empty()) {
        for (std::size_t m = 0; m < machines_.size(); ++m)
          if (machines_[m] == call.machine) urls_[m] = said.auth_url;
        TS_EXPECT(said.error.empty());
      }
      if (!success) return;
      ++successes_;
      const NodeRecord* node = node_of(call.key);
      TS_EXPECT(node && node->machine == call.machine && !said.login.login_name.empty());
    } else if (const auto* refused = std::get_if<coord_event::Refused>(&event)) {
      alive(refused->session, refused->call).over = true;
    } else if (const auto* done = std::get_if<coord_event::CommandDone>(&event)) {
      ++orders_done_;
      successes_ += done->status == 200;
    } else {
      TS_EXPECT(std::holds_alternative<coord_event::Notice>(event));
    }
  }

  template <class K>
  static std::string text(const K& key) {
    const auto& raw = key.bytes();
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
  }

  void look() {
    std::set<std::string> names, keys;
    std::set<std::uint32_t> addresses;
    for (const auto& status : coordinator_.nodes()) {
      const NodeRecord& node = *status.record;
      TS_EXPECT(names.insert(node.given_name).second && !node.given_name.empty());
      TS_EXPECT(keys.insert(text(node.key)).second);
      TS_EXPECT(addresses.insert(node.v4.value).second);
      const auto [home, is_new] = home_.try_emplace(text(node.key), text(node.machine));
      TS_EXPECT(home->second == text(node.machine));
      for (const auto& tag : node.tags) TS_EXPECT(tag != "no tag");
      made_.insert(node.id);
    }
  }

  SameEntropy entropy_;
  MemoryStore store_;
  test::SlowStore slow_;
  Coordinator coordinator_;
  Now now_;
  std::array<MachinePublic, 3> machines_;
  std::array<std::array<NodePublic, 4>, 3> keys_;
  std::array<SessionId, 3> sessions_{};
  std::array<std::string, 3> urls_{"https://login.test/a/x", "https://login.test/a/y", ""};
  std::uint64_t last_session_ = 0, last_call_ = 0, orders_ = 0, orders_done_ = 0;
  std::size_t successes_ = 0, unheard_ = 0;
  std::map<std::pair<SessionId, CallId>, Call> calls_;
  std::map<std::string, std::string> home_;
  std::set<NodeId> made_;
};

}  // namespace
}  // namespace ts2021::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 301) return 0;
  ts2021::fuzz::Play play(data[0]);
  for (std::size_t i = 1; i + 1 < size; i += 2) play.step(data[i], data[i + 1]);
  play.finish();
  return 0;
}
