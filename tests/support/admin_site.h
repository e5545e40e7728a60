// SPDX-License-Identifier: BSD-3-Clause
// A coordinator, an admin desk in front of it, clients on one side and a test on the other.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/memory_store.h"
#include "support/coord_desk.h"
#include "support/support.h"
#include "ts2021/admin/desk.h"
#include "ts2021/coord/coordinator.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"

namespace ts2021::test {

// What came for one request of a node.
struct Mail {
  std::deque<std::string> frames;  // JSON, not yet read
  std::size_t heads = 0;           // answers that began without a frame
  std::shared_ptr<const RegisterResponse> reply;
  std::optional<coord_event::Refused> refused;
  std::optional<AnswerValue> answer;
  bool ended = false;
  std::size_t untaken = 0;  // of a slow session
};

class AdminSite {
 public:
  struct Options {
    bool test_mode = true;
    bool virtual_clock = true;
  };
  AdminSite() : AdminSite(Options{}) {}
  explicit AdminSite(Options options);

  // Admin calls. A path with its query; nobody answers 404 and 405 but the table.
  admin::CallId begin(std::string_view method, std::string_view target, std::string body = {});
  // Its answer, once: none yet.
  std::optional<admin::Answer> answer(admin::CallId call);
  // The answer must be there at once.
  admin::Answer call(std::string_view method, std::string_view target, std::string body = {});

  // Nodes.
  SessionId open(const MachinePublic& machine);
  CallId send(SessionId session, RegisterRequest request);
  CallId send(SessionId session, MapRequest request);
  CallId ask(SessionId session, const MachinePublic& machine, Question question);
  void cancel(SessionId session, CallId call);
  void gone(SessionId session);
  void take(SessionId session, CallId call);  // of a slow session
  Mail& mail(SessionId session, CallId call) { return mails[{session, call}]; }
  // The oldest frame that was not read.
  std::string frame(SessionId session, CallId call);
  void unrouted(admin::Unrouted request);

  void pump();
  void advance(std::chrono::milliseconds by);

  Clock clock;
  SeededEntropy entropy{1};
  std::unique_ptr<MemoryStore> store;
  std::unique_ptr<Coordinator> coordinator;
  std::unique_ptr<admin::Desk> desk;
  std::map<std::pair<SessionId, CallId>, Mail> mails;
  std::set<SessionId> slow;
  std::vector<coord_event::Notice> notices;
  std::vector<coord_event::CommandDone> others;  // to commands that are not the desk's
  std::vector<CoordInput> inputs;                // that reached the coordinator
  std::vector<admin::Task> tasks;

 private:
  void start();
  bool deliver(CoordEvent event);

  CoordinatorConfig config_;
  std::map<std::pair<SessionId, CallId>, Compression> compressions_;
  std::map<admin::CallId, admin::Answer> answers_;
  std::uint64_t sessions_ = 0, calls_ = 0, admin_calls_ = 0;
};

// A node with one session.
struct SiteNode {
  SiteNode(AdminSite& on, std::uint64_t number);
  [[nodiscard]] RegisterRequest register_request() const;
  [[nodiscard]] MapRequest map_request() const;  // of a poll
  RegisterResponse enroll();
  void start_poll() { poll = site->send(session, map_request()); }
  std::string next() { return site->frame(session, poll); }
  [[nodiscard]] std::size_t waiting() const { return site->mails[{session, poll}].frames.size(); }
  void read_all() { site->mails[{session, poll}].frames.clear(); }
  [[nodiscard]] std::string key() const { return node_key.text(); }
  [[nodiscard]] std::string path(std::string_view rest = {}) const {
    return "/admin/nodes/" + key() + std::string(rest);
  }
  // Answers the ping that rides in a frame.
  Mail& reply(std::string_view frame, std::string body);

  AdminSite* site;
  std::uint64_t number;
  MachinePublic machine;
  NodePublic node_key;
  SessionId session{};
  CallId poll{};
};

// The first text behind `"name":"` in a JSON text; empty when there is none.
[[nodiscard]] std::string text_in(std::string_view json, std::string_view name);
[[nodiscard]] bool contains(std::string_view text, std::string_view part);

}  // namespace ts2021::test
