// SPDX-License-Identifier: BSD-3-Clause
// A desk under a list of operations: admin calls, requests of nodes, time, answers of a coordinator that may
// say anything. Whatever they are, a call is answered once and at last, a request of a node has one frame in
// flight and hears nothing after its end, and the coordinator hears Taken of its own frames only.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "admin/calls.h"
#include "fuzz/fuzz.h"
#include "store/memory_store.h"
#include "ts2021/admin/desk.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"

namespace ts2021::fuzz {
namespace {

constexpr std::string_view bodies[] = {
    "",
    "{}",
    "null",
    "[]",
    "{",
    R"({"on":"map-request","timeout":"1s"})",
    R"({"on":"first-map","match":{"stream":true}})",
    R"({"on":"register","count":2})",
    R"({"on":"set-dns"})",
    R"({"action":"continue"})",
    R"({"action":"replace","response":{"a":[]}})",
    R"({"action":"reject","status":429,"headers":{"A":"b"},"body":"x"})",
    R"({"enabled":true})",
    R"({"enabled":false})",
    R"({"count":1,"message":"m"})",
    R"({"url":"/auth/0"})",
    R"({"path":"/x","timeout":"2s"})",
    R"({"path":"/x","wait":false})",
    R"({"requireAuth":true,"baseURL":"http://x"})",
    R"({"expireAll":true})",
    R"({"Domain":"x","Peers":null})",
    R"({"URL":"http://x/ping/t","Types":""})",
    R"({"jailed":true})",
    R"({"tag:x":["tag:y"]})",
    R"({"by":"1s"})",
    R"({"now":"2030-01-02T03:04:05Z"})",
    R"({"keys":true})",
    R"({"rules":[]})",
    R"([{"Name":"a","Value":"b"}])",
    R"(["10.0.0.0/8"])",
};
constexpr std::string_view queries[] = {"",
                                        "timeout=0s",
                                        "timeout=1s&wait=done",
                                        "wait=held",
                                        "wait=end&timeout=2s",
                                        "after=-1",
                                        "after=3&type=map-end,register",
                                        "push=false",
                                        "count=1",
                                        "timeout=x&push=x&after=x&type=x"};

class Play {
 public:
  Play() : coordinator_(std::make_unique<Coordinator>(*store_, policy_, entropy_, config())) {
    now_.mono = Instant{std::chrono::seconds{1'000}};
    now_.wall = WallTime{std::chrono::milliseconds{1'780'000'000'000}};
    coordinator_->start(now_);
    admin::DeskConfig with;
    with.base_url = "http://control.test";
    with.test_mode = with.virtual_clock = true;
    desk_.emplace(with, *coordinator_, entropy_);
    for (auto& machine : machines_) machine = key<MachinePublic>();
    for (auto& node : nodes_) node = key<NodePublic>();
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      desk_->handle(CoordInput(coord_input::Opened{session(i), machines_[i], newest_capability}), now_);
      enroll(i);
    }
    pump();
  }

  void step(std::uint8_t what, std::uint8_t how, std::uint8_t who) {
    const std::size_t m = who % machines_.size();
    switch (what % 8) {
      case 0:
      case 1:
      case 2:
        call(how, who, what >> 3);
        break;
      case 3:
        map(m, how);
        break;
      case 4:
        (how & 1) != 0 ? enroll(m) : ask(m, how);
        break;
      case 5:
        end(who, how);
        break;
      case 6:
        take(who);
        break;
      default:
        pass(std::chrono::milliseconds{how * 10});
        break;
    }
    pump();
  }

  void finish() {
    for (int i = 0; i < 3; ++i) {
      for (auto& [at, one] : requests_) take(at, one);
      pass(std::chrono::minutes{11});
      pump();
    }
    // What nobody takes is the only reason to wait for longer than any time that can be asked for.
    TS_EXPECT(
        std::all_of(open_.begin(), open_.end(), [this](admin::CallId id) { return sends_.contains(id); }));
  }

 private:
  struct Sent {
    bool is_map = false, dead = false, in_flight = false, theirs = false;
  };
  using Key = std::pair<SessionId, CallId>;

  static CoordinatorConfig config() {
    CoordinatorConfig config;
    config.test_mode = true;
    return config;
  }
  static SessionId session(std::size_t m) { return SessionId{m + 1}; }
  template <class K>
  K key() {
    std::array<std::uint8_t, 32> raw{};
    entropy_.fill(raw);
    return K::from_bytes(raw);
  }

  void call(std::uint8_t how, std::uint8_t who, std::uint8_t with) {
    const auto rows = admin::rows();
    const std::size_t row = how % (rows.size() + 1);
    admin::Request request;
    request.call = admin::CallId{++last_call_};
    request.route = static_cast<RouteId>(row);
    if (row < rows.size()) {
      const std::string_view pattern = rows[row].pattern;
      for (std::size_t at = pattern.find("{}"); at != pattern.npos; at = pattern.find("{}", at + 2)) {
        const std::string_view before = pattern.substr(0, at);
        const bool node = before.ends_with("nodes/") || before.ends_with("jailed/");
        const std::string number = std::to_string(1 + who % 4);
        request.args.push_back(node                         ? nodes_[who % nodes_.size()].text()
                               : before.ends_with("holds/") ? "h" + number
                               : before.ends_with("c2n/")   ? "c" + number
                                                            : number);
      }
      if (rows[row].pattern.ends_with("/messages")) sends_.insert(request.call);
    }
    request.query = queries[who % std::size(queries)];
    request.body = bodies[(who + with * 7u) % std::size(bodies)];
    open_.insert(request.call);
    const admin::CallId id = request.call;
    desk_->handle(std::move(request), now_);
    if (who % 16 == 15) {
      desk_->cancel(id);
      open_.erase(id);
    }
  }

  Key begin(std::size_t m) { return {session(m), CallId{++calls_}}; }

  void enroll(std::size_t m) {
    const Key at = begin(m);
    requests_[at];
    auto request = std::make_shared<RegisterRequest>();
    request->version = newest_capability;
    request->node_key = nodes_[m];
    desk_->handle(CoordInput(coord_input::Register{at.first, at.second, request}), now_);
  }

  void map(std::size_t m, std::uint8_t how) {
    const Key at = begin(m);
    requests_[at].is_map = true;
    auto request = std::make_shared<MapRequest>();
    request->version = newest_capability;
    request->node_key = nodes_[(how & 64) != 0 ? 0 : m];
    request->stream = (how & 1) != 0;
    request->read_only = (how & 2) != 0;
    request->omit_peers = (how & 4) != 0;
    if ((how & 8) != 0) request->compress = "zstd";
    desk_->handle(CoordInput(coord_input::Map{at.first, at.second, request}), now_);
  }

  void ask(std::size_t m, std::uint8_t how) {
    const Key at = begin(m);
    requests_[at];
    Question question = question::Deliver{token_, (how & 2) != 0 ? "HTTP/1.1 200 OK\r\n\r\nx" : "x"};
    if ((how & 4) != 0) {
      auto dns = std::make_shared<SetDNSRequest>();
      dns->node_key = nodes_[m];
      question = question::SetDns{dns};
    }
    if ((how & 8) != 0) question = question::DecidePending{"0", "u@x", ""};
    desk_->handle(CoordInput(coord_input::Ask{at.first, at.second, machines_[m], question}), now_);
    if ((how & 16) != 0) desk_->handle(admin::Unrouted{machines_[m], "GET", "/x\xff", true}, now_);
  }

  void end(std::uint8_t who, std::uint8_t how) {
    if (how % 8 == 0) {
      const SessionId gone = session(who % machines_.size());
      for (auto& [at, one] : requests_)
        if (at.first == gone) one.dead = true;
      desk_->handle(CoordInput(coord_input::Gone{gone}), now_);
      desk_->handle(
          CoordInput(coord_input::Opened{gone, machines_[who % machines_.size()], newest_capability}), now_);
      return;
    }
    const auto at = std::next(requests_.begin(), static_cast<std::ptrdiff_t>(who % requests_.size()));
    if (std::exchange(at->second.dead, true)) return;
    desk_->handle(CoordInput(coord_input::Cancelled{at->first.first, at->first.second}), now_);
  }

  void take(const Key& at, Sent& one) {
    if (one.dead || !std::exchange(one.in_flight, false)) return;
    desk_->handle(CoordInput(coord_input::Taken{at.first, at.second}), now_);
  }
  void take(std::uint8_t who) {
    std::uint8_t n = 0;
    for (auto& [at, one] : requests_)
      if (one.in_flight && ++n % 4 != who % 4) take(at, one);
  }

  void pass(Instant::duration by) {
    now_.mono += by;
    now_.wall += std::chrono::duration_cast<WallTime::duration>(by);
    desk_->handle_timeout(now_);
    coordinator_->handle_timeout(now_);
  }

  void pump() {
    std::size_t rounds = 0;
    for (bool moved = true; moved;) {
      TS_EXPECT(++rounds < 10'000);
      moved = false;
      StoreEvent stored;
      for (; store_->poll({&stored, 1}) == 1; moved = true) coordinator_->on_store(stored, now_);
      while (auto input = desk_->next_input()) {
        moved = true;
        if (const auto* taken = std::get_if<coord_input::Taken>(&*input)) {
          const Key of{taken->session, taken->call};
          const bool known = owed_.erase(of) == 1 || requests_[of].dead;
          TS_EXPECT(known);
        }
        coordinator_->handle(*input, now_);
      }
      while (auto command = desk_->next_command()) {
        moved = true;
        coordinator_->handle(*command, now_);
      }
      while (auto event = coordinator_->next_event()) {
        moved = true;
        if (const auto* frame = std::get_if<coord_event::MapFrame>(&*event))
          TS_EXPECT(owed_.insert({frame->session, frame->call}).second);
        desk_->handle(std::move(*event), now_);
      }
      while (auto event = desk_->next_event()) {
        moved = true;
        hear(*event);
      }
      while (auto task = desk_->next_task()) {
        moved = true;
        carry_out(*task);
      }
      while (auto answer = desk_->next_answer()) {
        moved = true;
        TS_EXPECT(open_.erase(answer->call) == 1);
        TS_EXPECT(answer->status >= 200 && answer->status <= 599);
      }
      if (const auto next = coordinator_->next_timeout(); next && *next <= now_.mono) {
        coordinator_->handle_timeout(now_);
        moved = true;
      }
      if (const auto next = desk_->next_timeout(); next && *next <= now_.mono) {
        desk_->handle_timeout(now_);
        moved = true;
      }
    }
  }

  void carry_out(const admin::Task& task) {
    if (std::holds_alternative<admin::task::Reset>(task.what)) {
      coordinator_.reset();
      store_ = std::make_unique<MemoryStore>();
      coordinator_ = std::make_unique<Coordinator>(*store_, policy_, entropy_, config());
      coordinator_->start(now_);
      for (auto& [at, one] : requests_) one.dead = true;
      owed_.clear();
    }
    desk_->done(task.id, 204, {}, *coordinator_, now_);
    if (!std::holds_alternative<admin::task::Reset>(task.what)) return;
    for (std::size_t i = 0; i < machines_.size(); ++i)
      desk_->handle(CoordInput(coord_input::Opened{session(i), machines_[i], newest_capability}), now_);
  }

  void hear(const CoordEvent& event) {
    std::visit(
        [this](const auto& one) {
          using Event = std::decay_t<decltype(one)>;
          if constexpr (requires { one.call; }) {
            const auto at = requests_.find({one.session, one.call});
            TS_EXPECT(at != requests_.end());
            Sent& sent = at->second;
            if (sent.dead) return;  // it may have left before the end was known
            if constexpr (std::is_same_v<Event, coord_event::MapFrame>) {
              TS_EXPECT(sent.is_map && !sent.in_flight && one.pieces);
              sent.in_flight = true;
              remember_token(*one.pieces);
            } else {
              sent.dead = true;
            }
          } else if constexpr (std::is_same_v<Event, coord_event::CommandDone>) {
            TS_EXPECT(false);  // all commands are the desk's
          }
        },
        event);
  }

  void remember_token(const std::vector<SharedBytes>& pieces) {
    constexpr std::string_view mark = "/machine/c2n/";
    for (const SharedBytes& piece : pieces)
      if (const std::size_t at = as_text(*piece).find(mark); at != std::string_view::npos)
        token_ = as_text(*piece).substr(at + mark.size(), 32);
  }

  SameEntropy entropy_;
  std::unique_ptr<MemoryStore> store_ = std::make_unique<MemoryStore>();
  std::shared_ptr<const Policy> policy_ = std::make_shared<const AllowAll>();
  std::unique_ptr<Coordinator> coordinator_;
  std::optional<admin::Desk> desk_;
  Now now_;
  std::array<MachinePublic, 3> machines_;
  std::array<NodePublic, 3> nodes_;
  std::map<Key, Sent> requests_;
  std::set<Key> owed_;  // frames of the coordinator that were not taken
  std::set<admin::CallId> open_, sends_;
  std::string token_ = "t";
  std::uint64_t last_call_ = 0, calls_ = 0;
};

}  // namespace
}  // namespace ts2021::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3 || size > 300) return 0;
  ts2021::fuzz::Play play;
  for (std::size_t i = 0; i + 2 < size; i += 3) play.step(data[i], data[i + 1], data[i + 2]);
  play.finish();
  return 0;
}
