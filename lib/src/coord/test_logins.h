// SPDX-License-Identifier: BSD-3-Clause
// Logins of test mode: every register request that needs one gets an id of its own, which stays known.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "coord/poll_key.h"
#include "coord/tailnet.h"
#include "ts2021/base/entropy.h"
#include "ts2021/coord/event.h"
#include "ts2021/msg/register.h"

namespace ts2021::coord {

// A login and its followups, which are found by the id alone, whatever URL it stands in (TEST-7):
//
//   none   --begin--> open
//   open   --hold--> open           the followup waits; the oldest of too many is told
//   open   --complete--> done       the node key is logged in; followups are decided on once more
//   open   --fail--> failed         followups are told, later ones too
//   done   --complete--> done
class TestLogins {
 public:
  static constexpr std::size_t max_logins = 16'384;  // the oldest is forgotten
  static constexpr std::size_t max_waiting = 4;      // followups of one login

  enum class State : std::uint8_t { none, open, done, failed };
  struct Followup {
    PollKey from;
    MachinePublic machine;
    std::shared_ptr<const RegisterRequest> request;
  };

  explicit TestLogins(Entropy& entropy) : entropy_(entropy) {}

  // Its id: 20 hexadecimal digits.
  [[nodiscard]] std::string begin(const MachinePublic& machine, const NodePublic& key,
                                  std::vector<CoordEvent>& events);
  [[nodiscard]] State state(std::string_view id) const;
  [[nodiscard]] const std::string& failure(std::string_view id) const;  // precondition: failed
  [[nodiscard]] MachinePublic machine(std::string_view id) const;       // zero: no such login
  [[nodiscard]] NodePublic key(std::string_view id) const;              // the same
  // Whether a login of this key was completed.
  [[nodiscard]] bool is_completed(const NodePublic& key) const { return completed_.contains(key); }

  // Precondition of these three: the login is open. Events are answers that others get by it.
  void hold(std::string_view id, Followup followup, std::vector<CoordEvent>& events);
  void complete(std::string_view id);
  void fail(std::string_view id, std::string text, std::vector<CoordEvent>& events);

  // Followups whose login was completed: to be decided on again.
  [[nodiscard]] std::vector<Followup> take_completed() { return std::exchange(again_, {}); }
  // Nobody waits for the answer any more; the login stays.
  void release(PollKey followup);
  void release(SessionId session);

 private:
  struct Login {
    MachinePublic machine;
    NodePublic key;
    State state = State::open;
    std::string failure{};
    std::vector<Followup> waiting{};  // the oldest first
  };
  using Logins = std::map<std::string, Login, std::less<>>;

  [[nodiscard]] std::string make_id();
  template <class Which>
  void drop(Which which);
  static void tell(Login& login, std::string_view text, std::vector<CoordEvent>& events);

  Entropy& entropy_;
  Logins logins_;
  std::deque<std::string> order_;  // as they began
  std::unordered_set<NodePublic, KeyHash<KeyKind::node>> completed_;
  std::vector<Followup> again_;
};

// What stands behind the first "/auth/" of a URL, up to a query; empty: nothing.
[[nodiscard]] std::string_view test_login_id(std::string_view url);

}  // namespace ts2021::coord
