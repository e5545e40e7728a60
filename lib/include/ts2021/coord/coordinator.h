// SPDX-License-Identifier: BSD-3-Clause
// The coordination of one tailnet: registers nodes, keeps their records in a store, tells each what changed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ts2021/base/entropy.h"
#include "ts2021/base/error.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/base/time.h"
#include "ts2021/coord/id.h"
#include "ts2021/coord/policy.h"
#include "ts2021/coord/store.h"
#include "ts2021/key/key.h"

namespace ts2021 {

struct DERPMap;           // msg/derp.h
struct MapRequest;        // msg/map_request.h
struct RegisterRequest;   // msg/register.h
struct RegisterResponse;  // msg/register.h

// Inputs are values, so that a driver may put a queue in between. A session is one connection of a proven
// machine; a call is one request of a session, and a CallId is used once per session.
namespace coord_input {
// After the first good record of a connection; sessions of one machine may overlap.
struct Opened {
  SessionId session{};
  MachinePublic machine;
  Capability capability{};  // of the handshake; requests carry their own
};
// The connection has ended, and all its calls with it. No event of the session follows.
struct Gone {
  SessionId session{};
};
// Answered by RegisterReply or Refused, perhaps much later.
struct Register {
  SessionId session{};
  CallId call{};
  std::shared_ptr<const RegisterRequest> request;
};
// Answered by MapFrame … MapEnd, by MapEnd alone (status 200 without a body), or by Refused.
struct Map {
  SessionId session{};
  CallId call{};
  std::shared_ptr<const MapRequest> request;
};
// The client has reset the stream: what has not been applied is dropped, no event of the call follows.
struct Cancelled {
  SessionId session{};
  CallId call{};
};
// The connection has handed all of the call's last MapFrame to records.
struct Taken {
  SessionId session{};
  CallId call{};
};
}  // namespace coord_input
using CoordInput = std::variant<coord_input::Opened, coord_input::Gone, coord_input::Register,
                                coord_input::Map, coord_input::Cancelled, coord_input::Taken>;

enum class NoticeKind : std::uint8_t {
  joined,      // registered, for the first time or again
  refused,     // a register or map request was not granted; text says why
  online,      // has a map stream after having had none
  offline,     // its last map stream ended and the grace has passed
  logged_out,  // by its own request
  expired,     // its key's time has come
  removed,     // deleted: ephemeral and inactive, or logged out
};

namespace coord_event {
struct RegisterReply {  // status 200
  SessionId session{};
  CallId call{};
  std::shared_ptr<const RegisterResponse> reply;
};
// One whole map message, length prefix first. The next one of the call comes after Taken.
struct MapFrame {
  SessionId session{};
  CallId call{};
  SharedPieces pieces;
};
// The body is complete; the call is over. Waits for no Taken.
struct MapEnd {
  SessionId session{};
  CallId call{};
};
// An answer other than 200; the call is over.
struct Refused {
  SessionId session{};
  CallId call{};
  int status = 0;
  std::string_view text;  // a literal
  std::optional<std::chrono::seconds> retry_after;
};
// The session broke a rule or takes nothing: close its connection.
struct Drop {
  SessionId session{};
  Error why{};
};
// For the log of the program; never a secret.
struct Notice {
  NoticeKind kind{};
  NodeId node{};     // 0: not known
  std::string name;  // given name; printable ASCII, may be empty
  MachinePublic machine;
  std::string_view text;  // a literal
};
}  // namespace coord_event
using CoordEvent = std::variant<coord_event::RegisterReply, coord_event::MapFrame, coord_event::MapEnd,
                                coord_event::Refused, coord_event::Drop, coord_event::Notice>;

// A key that exists from the start. Reusable, never expires.
struct PresetAuthKey {
  std::string secret;
  bool ephemeral = false;
};

struct CoordinatorConfig {
  std::string base_domain = "ts2021.test";  // MagicDNS suffix, without dots at its ends
  std::string tailnet = "ts2021.test";      // shown to users
  std::string owner;                        // login name that owns the preset keys; empty: owner@base_domain
  std::shared_ptr<const DERPMap> derp_map;  // null: no relays
  std::vector<PresetAuthKey> auth_keys;
  std::chrono::nanoseconds offline_grace = std::chrono::seconds{2};  // peers must see a leave within 5 s
  std::chrono::nanoseconds keep_alive = std::chrono::seconds{50};    // plus 0 to 9 s
  std::chrono::nanoseconds ephemeral_timeout = std::chrono::minutes{30};
  std::optional<std::chrono::seconds> key_lifetime;  // from login; none: keys do not expire
  bool disable_log_tail = true;
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
  void handle(const coord_input::Cancelled& input, Now now);
  void handle(const coord_input::Taken& input, Now now);
  void handle(const CoordInput& input, Now now);
  void on_store(const StoreEvent& event, Now now);
  void handle_timeout(Now now);

  // Commands. Every open map gets what differs.
  void set_policy(std::shared_ptr<const Policy> policy, Now now);
  void set_derp_map(std::shared_ptr<const DERPMap> derp_map, Now now);

  // Out.
  [[nodiscard]] std::optional<CoordEvent> next_event();
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // Known nodes in the order of their ids; valid until the next non-const call. For status pages and tests.
  struct NodeStatus {
    const NodeRecord* record = nullptr;
    bool online = false;
  };
  [[nodiscard]] std::vector<NodeStatus> nodes() const;
  [[nodiscard]] bool ready() const noexcept;

  // What fan-out has cost since the start; asserted by tests.
  struct Counters {
    std::uint64_t encodings = 0;      // messages or fragments written as JSON
    std::uint64_t frames = 0;         // MapFrame events
    std::uint64_t full_maps = 0;      // of those, full maps
    std::uint64_t shared_frames = 0;  // of those, taken from the cache
    std::uint64_t rounds = 0;
  };
  [[nodiscard]] const Counters& counters() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021
