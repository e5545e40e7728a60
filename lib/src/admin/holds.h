// SPDX-License-Identifier: BSD-3-Clause
// Requests of nodes that stop until a test lets them go on, answers them itself, or has waited too long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/reply.h"
#include "admin/stream_key.h"
#include "ts2021/base/time.h"
#include "ts2021/key/key.h"

namespace ts2021::admin {

// Where a request stops.
enum class HoldPoint : std::uint8_t { register_request, map_request, first_map, set_dns };
[[nodiscard]] std::optional<HoldPoint> parse_hold_point(std::string_view text) noexcept;
[[nodiscard]] std::string_view text(HoldPoint point) noexcept;

// What a hold looks at.
struct HoldFacts {
  NodePublic node;
  MachinePublic machine;
  bool stream = false, read_only = false, omit_peers = false;  // of map requests
  std::vector<std::string> tags;
};
// All that are there must be equal.
struct HoldMatch {
  std::optional<NodePublic> node;
  std::optional<bool> stream, read_only, omit_peers;
  std::optional<std::vector<std::string>> tags;
};
[[nodiscard]] bool fits(const HoldMatch& match, const HoldFacts& facts);

// A request at a point.
struct Passage {
  HoldPoint point{};
  StreamKey key;
  HoldFacts facts;
  std::string request;   // JSON
  std::string response;  // JSON, at first_map
};
// What becomes of it.
struct Verdict {
  enum class Kind : std::uint8_t { go, reject, drop } kind = Kind::go;  // drop: its client has gone
  HoldPoint point{};
  StreamKey key;
  std::string response;   // first_map: what is sent
  bool replaced = false;  // first_map: `response` is a test's
  int status = 0;         // reject; the rest, too
  std::vector<Header> headers;
  std::string body;
};

// A held request is a *call* of its hold: held --answer, time--> running --finished()--> done. One that was
// dropped or rejected is done at once.
class Holds {
 public:
  static constexpr std::size_t max_holds = 1000;
  static constexpr std::size_t max_held = 4096;  // of one hold; what comes then passes
  static constexpr std::size_t max_kept = 4096;  // calls of one hold that are done

  struct New {
    HoldPoint point{};
    HoldMatch match;
    Instant::duration timeout = std::chrono::seconds{10};
    std::optional<std::uint64_t> count;  // so many are held, then all pass
  };
  // Its number; none: there are too many.
  [[nodiscard]] std::optional<std::uint64_t> make(New hold);

  // Without a verdict the request is held; it comes out of next_verdict().
  [[nodiscard]] std::optional<Verdict> ask(Passage passage, Instant now);
  // Whether ask() would hold something there.
  [[nodiscard]] bool wants(HoldPoint point, const HoldFacts& facts) const;
  // The request's client has gone: what is held of it stays so.
  void gone(StreamKey key);
  // The request has been handled completely.
  void finished(StreamKey key);
  [[nodiscard]] std::optional<Verdict> next_verdict();

  void advance(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // For tests. The number of a hold and of a call of it.
  [[nodiscard]] bool exists(std::uint64_t hold) const { return holds_.contains(hold); }
  // JSON of the oldest held call that was not handed out; it then was. `call`: its number, for hand_back().
  [[nodiscard]] std::optional<std::string> hand_out(std::uint64_t hold, std::uint64_t& call);
  void hand_back(std::uint64_t hold, std::uint64_t call);
  enum class State : std::uint8_t { held, running, done };
  struct Status {
    HoldPoint point{};
    State state{};
    bool dropped = false;
  };
  [[nodiscard]] std::optional<Status> status(std::uint64_t hold, std::uint64_t call) const;
  // False: it is not held any more.
  [[nodiscard]] bool answer(std::uint64_t hold, std::uint64_t call, Verdict verdict);
  // All go on, and later ones pass. Precondition: the hold exists.
  void release(std::uint64_t hold);
  void remove(std::uint64_t hold);
  struct Counts {
    HoldPoint point{};
    std::size_t held = 0, running = 0, done = 0;
  };
  [[nodiscard]] std::optional<Counts> counts(std::uint64_t hold) const;

 private:
  struct Call {
    Passage passage;  // emptied when it goes on
    Instant until{};
    State state = State::held;
    bool handed_out = false, gone = false, dropped = false, replaced = false;
  };
  struct Hold {
    New what;
    std::size_t held = 0, running = 0, done = 0;
    bool released = false;
    std::map<std::uint64_t, Call> calls;
  };
  [[nodiscard]] static bool holds(const Hold& hold, HoldPoint point, const HoldFacts& facts);
  // Looks at the holds behind number `after`.
  [[nodiscard]] std::optional<Verdict> ask(Passage passage, bool replaced, std::uint64_t after, Instant now);
  void settle(std::uint64_t number, Hold& hold, Call& call, Verdict verdict);
  static void end(Hold& hold, Call& call);

  Instant now_{};
  std::uint64_t last_hold_ = 0, last_call_ = 0;
  std::map<std::uint64_t, Hold> holds_;
  std::deque<Verdict> verdicts_;
};

}  // namespace ts2021::admin
