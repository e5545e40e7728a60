// SPDX-License-Identifier: BSD-3-Clause
// A coordinator with everything around it, and clients that speak to it in messages.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/memory_store.h"
#include "support/support.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/derp.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/map_response.h"
#include "ts2021/msg/register.h"

namespace ts2021::test {

inline constexpr std::string_view reusable_key = "key-reusable";
inline constexpr std::string_view ephemeral_key = "key-ephemeral";

template <class Key>
Key make_key(std::uint64_t number) {
  SeededEntropy entropy(number * 7919 + 1);
  std::array<std::uint8_t, 32> raw{};
  entropy.fill(raw);
  return Key::from_bytes(raw);
}

CoordinatorConfig desk_config();

// What came for one call.
struct Inbox {
  std::deque<MapResponse> messages;
  std::vector<std::size_t> sizes;  // of the frames, with prefix
  std::shared_ptr<const RegisterResponse> reply;
  std::optional<coord_event::Refused> refused;
  std::optional<AnswerValue> answer;
  bool ended = false;
  std::size_t untaken = 0;  // frames not yet answered with Taken
};

class Desk {
 public:
  explicit Desk(CoordinatorConfig config = desk_config(),
                std::shared_ptr<MemoryRecords> records = std::make_shared<MemoryRecords>());

  // Moves store results and events until nothing moves. Frames are taken at once unless the session is in
  // `slow`.
  void pump();
  void advance(std::chrono::milliseconds by);  // in steps, as deadlines come

  SessionId open(const MachinePublic& machine, Capability capability = newest_capability);
  CallId send(SessionId session, RegisterRequest request);
  CallId send(SessionId session, MapRequest request);
  CallId ask(SessionId session, std::optional<MachinePublic> machine, Question question);
  CommandId order(CoordOrder order);
  void gone(SessionId session);
  void cancel(SessionId session, CallId call);
  void take(SessionId session, CallId call);

  Inbox& inbox(SessionId session, CallId call) { return inboxes[{session, call}]; }
  // The only message that waits there.
  MapResponse only(SessionId session, CallId call);
  [[nodiscard]] std::size_t notices_of(NoticeKind kind) const;
  [[nodiscard]] const NodeRecord* record(const NodePublic& key) const;
  [[nodiscard]] bool online(const NodePublic& key) const;

  Clock clock;
  SeededEntropy entropy{1};
  MemoryStore store;
  Coordinator coordinator;
  std::map<std::pair<SessionId, CallId>, Inbox> inboxes;
  std::map<SessionId, bool> slow;
  std::vector<coord_event::Notice> notices;
  std::map<CommandId, coord_event::CommandDone> done;
  std::size_t drops = 0;

 private:
  std::uint64_t sessions_ = 0, calls_ = 0, commands_ = 0;
};

// A client on a desk: one session, one poll.
class Client {
 public:
  Client(Desk& desk, std::uint64_t number, Capability capability = newest_capability);

  [[nodiscard]] RegisterRequest register_request(std::string_view auth_key = reusable_key) const;
  [[nodiscard]] MapRequest map_request() const;  // of a poll
  RegisterResponse enroll(std::string_view auth_key = reusable_key);
  RegisterResponse send(const RegisterRequest& request);
  void start_poll();
  // An update with this client's endpoints, disco key and relay.
  Inbox& update();
  MapResponse next();                   // the oldest unread message of the poll
  std::vector<MapResponse> read_all();  // all unread messages of the poll
  Inbox& poll_inbox() { return desk->inbox(session, poll); }

  Desk* desk;
  std::uint64_t number;
  Capability capability;
  MachinePublic machine;
  NodePublic node_key;
  DiscoPublic disco;
  std::vector<IpPort> endpoints;
  int home_derp = 0;
  std::string compress;  // of its polls
  Hostinfo hostinfo;
  SessionId session{};
  CallId poll{};
};

}  // namespace ts2021::test
