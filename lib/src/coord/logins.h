// SPDX-License-Identifier: BSD-3-Clause
// Logins that wait for a person: one per machine, in memory only.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "coord/poll_key.h"
#include "coord/tailnet.h"
#include "ts2021/base/entropy.h"
#include "ts2021/coord/config.h"
#include "ts2021/msg/register.h"

namespace ts2021::coord {

struct PendingLogin {
  std::string id;  // unguessable, 1 to 64 of [0-9A-Za-z]
  MachinePublic machine;
  std::shared_ptr<const RegisterRequest> request;  // what is carried out when the person agrees
  Instant deadline{};
  std::vector<PollKey> waiting;  // held followups, the oldest first
};

// A login and its followups:
//
//   none    --ask_a_person--> pending
//   pending --ask_a_person--> pending     same id, the new request counts, held followups are told (API-83)
//   pending --followup--> pending         held; the oldest of too many is told (API-82)
//   pending --time--> none                with held followups: pending again under a new id (API-84)
//   pending --decided--> none             held followups are answered (API-85)
class Logins {
 public:
  static constexpr std::size_t max_logins = 1024;
  static constexpr std::size_t max_waiting = 4;            // followups of one login
  static constexpr std::size_t max_host_size = 64 * 1024;  // of a Hostinfo that is kept, as JSON text

  Logins(Entropy& entropy, const CoordinatorConfig& config) : entropy_(entropy), config_(config) {}

  // The login of the machine from now on; null when too many wait. Events are answers that others get by it.
  const PendingLogin* begin(const MachinePublic& machine, const RegisterRequest& request, Instant now,
                            std::vector<CoordEvent>& events);
  // Null: there is none.
  [[nodiscard]] const PendingLogin* find(std::string_view id) const;
  [[nodiscard]] const PendingLogin* find(const MachinePublic& machine) const;
  // Whether the request is a followup of it: the id in the URL, the machine and the node key are the same.
  [[nodiscard]] bool continues(const RegisterRequest& request, const MachinePublic& machine) const;
  [[nodiscard]] std::string url(const PendingLogin& login) const {
    return config_.rules.login_url + "/a/" + login.id;
  }

  // Precondition: the machine has a login.
  [[nodiscard]] std::vector<CoordEvent> hold(const MachinePublic& machine, PollKey followup);
  // Nobody waits for the answer any more; the login stays.
  void release(PollKey followup);
  void release(SessionId session);
  // Forgets the login; its followups get this answer.
  [[nodiscard]] std::vector<CoordEvent> end(std::string_view id,
                                            const std::shared_ptr<const RegisterResponse>& reply);

  [[nodiscard]] std::vector<CoordEvent> advance(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

 private:
  using Order = std::list<PendingLogin>;  // as their deadlines come

  Order::iterator place_for_one_more();
  void index(Order::iterator login);
  void forget(Order::iterator login);
  void answer(PendingLogin& login, const std::shared_ptr<const RegisterResponse>& reply,
              std::vector<CoordEvent>& events);
  [[nodiscard]] std::shared_ptr<const RegisterResponse> asking(const PendingLogin& login) const;
  [[nodiscard]] std::string make_id();

  Entropy& entropy_;
  const CoordinatorConfig& config_;
  std::uint64_t twins_ = 0;
  Order order_;
  std::map<std::string, Order::iterator, std::less<>> by_id_;
  std::unordered_map<MachinePublic, Order::iterator, KeyHash<KeyKind::machine>> by_machine_;
  std::map<PollKey, Order::iterator> held_;
};

}  // namespace ts2021::coord
