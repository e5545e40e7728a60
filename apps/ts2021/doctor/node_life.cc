// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/doctor/node_life.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "ts2021/client/node_client.h"
#include "ts2021/doctor/site.h"
#include "ts2021/doctor/timed.h"

namespace ts2021::app {
namespace {

std::chrono::nanoseconds nanoseconds(std::chrono::duration<double> time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time);
}

NodeClientConfig configuration(const Identity& identity, const NodePublic& node,
                               const std::string& auth_key) {
  SystemEntropy entropy;
  NodeClientConfig config;
  config.capability = static_cast<Capability>(identity.version);
  config.node_key = node;
  config.disco_key = DiscoPrivate::generate(entropy).public_key();
  config.auth_key = auth_key;
  config.hostinfo.hostname = "ts2021-doctor";
  config.hostinfo.os = "linux";
  config.hostinfo.ipn_version = "ts2021-" TS2021_VERSION;
  config.hostinfo.backend_log_id = "ts2021";
  config.ephemeral = true;
  return config;
}

// One node on a session of its own.
class Life {
 public:
  Life(Session& session, NodeClientConfig config)
      : session_(session), client_(std::move(config)), watched_since_(now().mono) {}

  // Fills the record until `until`, or until `done` says so after an event.
  void run(Record& record, Instant until, const std::function<bool(const NodeEvent&, Record&)>& done) {
    over_ = false;
    session_.run(
        [&](const ClientEvent& event) {
          if (std::holds_alternative<event::ResponseData>(event)) last_byte_ = now().mono;
          client_.handle(session_.connection(), event, now());
          take(record, done);
          return !over_;
        },
        [&] {
          client_.handle_timeout(session_.connection(), now());
          take(record, done);
          return client_.next_timeout();
        },
        until);
  }
  [[nodiscard]] bool over() const noexcept { return over_; }
  [[nodiscard]] double silence() const {
    return milliseconds_between(last_byte_.value_or(watched_since_), now().mono) / 1000;
  }

 private:
  void take(Record& record, const std::function<bool(const NodeEvent&, Record&)>& done) {
    while (!over_) {
      const auto event = client_.next_event();
      if (!event) return;
      over_ = done(*event, record) || note_failure(*event, record);
    }
  }

  bool note_failure(const NodeEvent& event, Record& record) {
    if (const auto* refused = std::get_if<node_event::Refused>(&event)) {
      record.what = refused->status == 200 ? What::refused : What::status;
      record.status = refused->status;
      record.text = refused->text.substr(0, max_told);
      record.fact = "status " + std::to_string(refused->status) + ": " + record.text;
    } else if (const auto* login = std::get_if<node_event::LoginNeeded>(&event)) {
      record.what = What::login;
      record.fact = "a person must log in at " + login->url;
    } else if (const auto* ended = std::get_if<node_event::Ended>(&event)) {
      record.seconds = silence();
      const bool in_order = ended->why.code == Errc::end_of_stream && !session_.closed();
      record.what = in_order ? What::ended : inside(ended->why);
      record.fact = in_order ? "the server has ended the answer" : std::string(text(ended->why.code));
    } else {
      return false;
    }
    record.verdict = Verdict::failed;
    return true;
  }

  Session& session_;
  NodeClient client_;
  const Instant watched_since_;
  std::optional<Instant> last_byte_;
  bool over_ = false;
};

std::string seconds_text(double seconds) {
  const std::string text = std::to_string(seconds);
  return text.substr(0, text.find('.') + 2) + " s";
}

void log_out(const Reach& reach, Way way, const Identity& identity, const NodePublic& node) {
  try {
    const auto session = open_session(reach, way, identity);
    NodeClientConfig config = configuration(identity, node, {});
    config.log_out = true;
    Life life(*session, std::move(config));
    Record unread;
    life.run(unread, now().mono + reach.timeout(), [](const NodeEvent&, Record&) { return false; });
  } catch (const std::runtime_error&) {  // it is ephemeral: the server forgets it
  }
}

void silent(Record& record, const std::string& fact) {
  record.verdict = Verdict::failed;
  record.what = What::silence;
  record.fact = fact;
}

bool register_node(Life& life, const Reach& reach, Record& record) {
  life.run(record, now().mono + reach.timeout(), [](const NodeEvent& event, Record& at) {
    const auto* done = std::get_if<node_event::Registered>(&event);
    if (done) at.fact = "as " + done->response.login.login_name;
    return done != nullptr;
  });
  if (!life.over()) silent(record, "no answer in time");
  return record.what == What::fine;
}

bool first_map(Life& life, const Reach& reach, Record& record) {
  life.run(record, now().mono + reach.timeout(), [](const NodeEvent& event, Record& at) {
    const auto* map = std::get_if<node_event::MapUpdate>(&event);
    if (!map || !map->response.node) return false;
    at.fact =
        std::to_string(map->json.size()) + " bytes, " + std::to_string(map->response.peers.size()) + " peers";
    return true;
  });
  if (!life.over()) silent(record, "no map in time");
  return record.what == What::fine;
}

void watch(Life& life, const LifeOptions& options, Record& record) {
  int messages = 0, keep_alives = 0;
  life.run(record, now().mono + nanoseconds(options.keep_alive), [&](const NodeEvent& event, Record&) {
    if (const auto* map = std::get_if<node_event::MapUpdate>(&event)) {
      ++messages;
      if (map->response.keep_alive) ++keep_alives;
    }
    return false;
  });
  if (record.what == What::fine) {
    record.fact = std::to_string(messages) + " messages, " + std::to_string(keep_alives) +
                  " keep-alives in " + seconds_text(options.keep_alive.count());
    return;
  }
  record.fact += ", after " + std::to_string(keep_alives) + " keep-alives and " +
                 seconds_text(record.seconds) + " of silence";
}

}  // namespace

std::vector<Record> live(const Reach& reach, Way way, const Identity& identity, const LifeOptions& options) {
  std::vector<Record> records;
  const auto step = [&](Hop hop, const auto& what) {
    records.push_back(timed({.hop = hop, .way = way}, what));
    return records.back().what == What::fine;
  };
  SystemEntropy entropy;
  const NodePublic node = NodePrivate::generate(entropy).public_key();
  std::unique_ptr<Session> session;
  try {
    session = open_session(reach, way, identity);
  } catch (...) {
    records.push_back({.hop = Hop::register_node, .way = way, .verdict = Verdict::failed});
    note_exception(records.back());
    return records;
  }
  NodeClientConfig config = configuration(identity, node, options.auth_key);
  config.watchdog = std::chrono::duration_cast<std::chrono::milliseconds>(options.max_silence);
  Life life(*session, std::move(config));
  const bool registered =
      step(Hop::register_node, [&](Record& record) { register_node(life, reach, record); });
  if (!registered) return records;
  if (step(Hop::map, [&](Record& record) { first_map(life, reach, record); }) &&
      options.keep_alive.count() > 0)
    step(Hop::keep_alive, [&](Record& record) { watch(life, options, record); });
  log_out(reach, way, identity, node);
  return records;
}

}  // namespace ts2021::app
