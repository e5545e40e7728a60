// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/commands/streaming.h"

#include <cstdio>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/printable.h"
#include "ts2021/node/rule.h"

namespace ts2021::app {
namespace {

std::vector<IpPort> endpoints_of(const std::vector<std::string>& texts) {
  std::vector<IpPort> out;
  for (const std::string& text : texts) {
    const auto endpoint = IpPort::parse(text);
    if (!endpoint || endpoint->is_none()) throw std::runtime_error(text + ": not an address and port");
    out.push_back(*endpoint);
  }
  return out;
}

NodeClientConfig configuration(const StreamingOptions& options, const NodeState& state) {
  NodeClientConfig node;
  node.capability = options.node.version();
  node.node_key = state.node.public_key();
  if (!state.old_node.is_zero()) node.old_node_key = state.old_node.public_key();
  node.disco_key = state.disco.public_key();
  node.auth_key = options.auth_key;
  node.hostinfo = options.host.hostinfo();
  node.endpoints = endpoints_of(options.endpoints);
  node.home_derp = options.derp;
  node.ephemeral = options.ephemeral;
  node.registers = !options.no_register;
  node.stream = !options.fetch;
  node.omit_peers = options.omit_peers;
  node.read_only = options.read_only;
  node.zstd = !options.no_compression;
  node.limits = {options.max_message, options.max_message};
  return node;
}

class Streaming {
 public:
  Streaming(const StreamingOptions& options, const StreamingHandler& handler)
      : options_(options),
        handler_(handler),
        state_(load_state(options.node.state)),
        link_(options.node, state_.machine),
        client_(configuration(options, state_), std::move(link_.envelope()), entropy_) {}

  int run() {
    Session& session = link_.session();
    std::optional<Instant> until;
    if (options_.seconds > 0)
      until = now().mono + std::chrono::duration_cast<std::chrono::nanoseconds>(
                               std::chrono::duration<double>(options_.seconds));
    session.run(
        [&](const ClientEvent& event) {
          client_.handle(session.connection(), event, now());
          return take_news();
        },
        [&] {
          client_.handle_timeout(session.connection(), now());
          over_ = over_ || !take_news();
          if (over_) session.connection().close(fail(Errc::closed, 0), now());
          return client_.next_timeout();
        },
        until);
    return exit_code_;
  }

 private:
  bool take_news() {
    while (auto event = client_.next_event()) {
      if (auto* update = std::get_if<node_event::MapUpdate>(&*event)) {
        if (!take(std::move(*update))) return false;
      } else if (const auto* registered = std::get_if<node_event::Registered>(&*event)) {
        save_state(options_.node.state, state_);
        handler_.on_registered(*registered);
      } else if (const auto* answered = std::get_if<node_event::Answered>(&*event)) {
        take(*answered);
        if (handler_.done()) return false;
      } else if (const auto* refused = std::get_if<node_event::Refused>(&*event)) {
        complain(
            std::string(refused->what) + " refused with status " + std::to_string(refused->status) +
                (refused->retry_after ? ", again in " + std::to_string(refused->retry_after->count()) + " s"
                                      : "") +
                ": " + printable(refused->text),
            3);
      } else if (const auto* login = std::get_if<node_event::LoginNeeded>(&*event)) {
        state_.followup = login->url;
        save_state(options_.node.state, state_);
        std::fprintf(stderr, "log in at %s\n", printable(login->url, 2000).c_str());
        exit_code_ = 4;
      } else if (const auto* ended = std::get_if<node_event::Ended>(&*event)) {
        // A map that was asked for once ends with its answer; a lite one may be empty.
        const bool done = options_.fetch && ended->why.code == Errc::end_of_stream;
        if (exit_code_ == 0 && !done) complain("ended: " + describe(ended->why) + refusal(), 2);
        return false;
      }
    }
    return true;
  }

  bool take(node_event::MapUpdate&& update) {
    std::optional<PingRequest> ping = update.response.ping_request;
    const bool more = handler_.on_map(std::move(update));
    if (ping && handler_.answers) answer(*ping);
    if (more && !std::exchange(located_, true)) tell_location();
    return more;
  }

  // From version 68 on a poll says nothing of where the node is (MAP-34).
  void tell_location() {
    if (options_.fetch || (options_.endpoints.empty() && options_.derp == 0) ||
        link_.protocol() == Protocol::ts2019)
      return;
    const auto sent =
        client_.update(link_.session().connection(), endpoints_of(options_.endpoints), options_.derp, now());
    if (!sent) complain("update: " + describe(sent.error()), 0);
  }

  void answer(const PingRequest& ping) {
    if (ping.url == last_ping_) return;  // MAP-64
    last_ping_ = ping.url;
    PingReply reply;
    std::string why;
    if (!handler_.answers->answer(ping, reply, why)) return handler_.on_ping(reply, "not answered: " + why);
    const auto sent = client_.request(link_.session().connection(), {reply.method, reply.path, {}},
                                      share(reply.body), now());
    if (!sent) return handler_.on_ping(reply, "not answered: " + describe(sent.error()));
    reply.body.clear();
    pings_.emplace(*sent, std::move(reply));
  }

  void take(const node_event::Answered& answered) {
    const std::string outcome =
        answered.failed ? describe(*answered.failed) : "taken with status " + std::to_string(answered.status);
    const auto ping = pings_.find(answered.stream);
    if (ping == pings_.end()) {
      if (answered.failed || answered.status != 200) complain("update: " + outcome, 0);
      return;
    }
    handler_.on_ping(ping->second, outcome);
    pings_.erase(ping);
  }

  std::string refusal() {
    const auto text = link_.session().connection().refusal();
    return text.empty() ? "" : ": " + printable(text);
  }
  void complain(const std::string& text, int code) {
    std::fprintf(stderr, "ts2021: %s\n", text.c_str());
    if (exit_code_ == 0) exit_code_ = code;
  }

  const StreamingOptions& options_;
  const StreamingHandler& handler_;
  NodeState state_;
  SystemEntropy entropy_;
  NodeLink link_;
  NodeClient client_;
  std::map<StreamId, PingReply> pings_;  // that are being answered
  std::string last_ping_;
  bool located_ = false, over_ = false;
  int exit_code_ = 0;
};

}  // namespace

void add_streaming(CLI::App& command, StreamingOptions& options) {
  add_node_target(command, options.node);
  add_host(command, options.host);
  command.add_option("--auth-key", options.auth_key, "key that lets the node join");
  command.add_flag("--no-register", options.no_register, "the node is known: ask for the map at once");
  command.add_flag("--ephemeral", options.ephemeral, "ask to be forgotten once inactive");
  command.add_flag("--no-compression", options.no_compression, "ask for plain JSON");
  command
      .add_option("--endpoints", options.endpoints,
                  "address:port, where peers shall reach the node; told again by an update once the map is "
                  "there (TS2021)")
      ->delimiter(',');
  command.add_option("--derp", options.derp, "region of the node's home relay")->check(CLI::Range(0, 65535));
  command.add_option("--seconds", options.seconds, "end after this time; 0: when the server ends it")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  command.add_option("--max-message", options.max_message, "bytes of a map message, packed and unpacked")
      ->check(CLI::Range(std::size_t{1}, max_map_message))
      ->capture_default_str();
}

int run_streaming(const StreamingOptions& options, const StreamingHandler& handler) {
  return Streaming(options, handler).run();
}

}  // namespace ts2021::app
