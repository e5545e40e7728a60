// SPDX-License-Identifier: BSD-3-Clause
// All that passes between connections and the coordinator.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "admin/map_flow.h"
#include "admin/state.h"
#include "ts2021/msg/register.h"

namespace ts2021::admin {

class Flow {
 public:
  explicit Flow(State& state) : state_(state), maps_(state) {}

  void on(const coord_input::Opened& input);
  void on(const coord_input::Gone& input);
  void on(const coord_input::Register& input);
  void on(const coord_input::Map& input) { maps_.on(input, sender(input.session)); }
  void on(const coord_input::Ask& input);
  void on(const coord_input::Cancelled& input);
  void on(const coord_input::Taken& input);

  void on(const coord_event::RegisterReply& event);
  void on(const coord_event::MapFrame& event);
  void on(const coord_event::MapEnd& event);
  void on(const coord_event::Refused& event);
  void on(const coord_event::Answer& event);
  void on(const coord_event::CommandDone& event);
  void on(const coord_event::Drop& event) { state_.coord_events.emplace_back(event); }
  void on(const coord_event::Notice& event);

  void on(const Unrouted& request);

  // Carries out what the holds have decided.
  void settle_holds();
  void c2n_done(std::uint64_t id);
  void forget();

  [[nodiscard]] MapFlow& maps() { return maps_; }

 private:
  struct Session {
    MachinePublic machine;
    std::uint64_t connection = 0;
  };
  struct Registration {
    std::shared_ptr<const RegisterRequest> request;
    MachinePublic machine;
    bool held = false;
  };
  // A question that the desk has to do with: set-dns, or a decision of a person.
  struct Asked {
    coord_input::Ask ask;
    bool held = false;
  };
  using Registrations = std::map<StreamKey, Registration>;
  using Questions = std::map<StreamKey, Asked>;

  MapFlow::Sender sender(SessionId session);
  void show(const coord_input::Register& input);
  void end(Registrations::iterator at, std::string_view result);
  void end(Questions::iterator at);
  void refuse(StreamKey key, int status, std::string body, std::vector<Header> headers = {});
  void on_set_dns(const coord_input::Ask& input, const question::SetDns& asked);
  bool on_deliver(const coord_input::Ask& input, const question::Deliver& answer);
  void on(Verdict verdict);

  State& state_;
  MapFlow maps_;
  std::map<SessionId, Session> sessions_;
  std::uint64_t connections_ = 0;
  Registrations registrations_;
  Questions questions_;
};

}  // namespace ts2021::admin
