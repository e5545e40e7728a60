// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/doctor/way_in.h"

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "ts2021/doctor/site.h"
#include "ts2021/doctor/timed.h"
#include "ts2021/msg/capability.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/early_noise.h"
#include "ts2021/node/call.h"

namespace ts2021::app {
namespace {

// When a connection took its steps.
struct Trail final : Tracer {
  void on(const TraceEvent& event, Now at) noexcept override {
    if (const auto* given = std::get_if<trace::UpgradeAnswer>(&event)) {
      status = given->status;
      answered = at.mono;
    } else if (std::holds_alternative<trace::Handshake>(event)) {
      shaken = at.mono;
    } else if (const auto* told = std::get_if<trace::Settings>(&event)) {
      settings = told->values.size();
    }
  }
  int status = 0;
  std::optional<Instant> answered, shaken;
  std::optional<std::size_t> settings;
};

constexpr Capability old_but_supported{113};

ControlNoisePublic made_up_key() {
  SystemEntropy entropy;
  return ControlNoisePrivate::generate(entropy).public_key();
}

// Whether the handshake with another version gets through where this one was cut.
unsigned other_version(const Reach& reach, Way way, Identity identity) {
  for (const Capability version : {newest_capability, old_but_supported}) {
    if (static_cast<ProtocolVersion>(version) == identity.version) continue;
    identity.version = static_cast<ProtocolVersion>(version);
    try {
      if (open_session(reach, way, identity)->ready(now().mono + reach.timeout()))
        return static_cast<unsigned>(version);
    } catch (const std::runtime_error&) {
    }
  }
  return 0;
}

constexpr std::pair<Errc, What> in_handshake[] = {{Errc::peer_refused, What::refusal},
                                                  {Errc::end_of_stream, What::cut_after_101},
                                                  {Errc::truncated, What::cut_after_101},
                                                  {Errc::timeout, What::silence_after_101},
                                                  {Errc::bad_tag, What::bad_proof},
                                                  {Errc::low_order_point, What::bad_proof},
                                                  {Errc::bad_websocket_frame, What::bad_message2}};
constexpr std::pair<Errc, What> in_session[] = {{Errc::timeout, What::silence},
                                                {Errc::end_of_stream, What::cut},
                                                {Errc::truncated, What::cut},
                                                {Errc::bad_tag, What::bad_record},
                                                {Errc::bad_message_type, What::bad_record},
                                                {Errc::bad_message_size, What::bad_record},
                                                {Errc::bad_websocket_frame, What::bad_record},
                                                {Errc::going_away, What::going_away},
                                                {Errc::stream_reset, What::reset},
                                                {Errc::bad_json, What::bad_message},
                                                {Errc::missing_field, What::bad_message},
                                                {Errc::bad_compression, What::bad_message},
                                                {Errc::bad_framing, What::bad_message},
                                                {Errc::bad_key_text, What::bad_message}};

What meaning(std::span<const std::pair<Errc, What>> table, const Error& error, What otherwise) noexcept {
  for (const auto& [code, what] : table)
    if (code == error.code) return what;
  return otherwise;
}

class WayIn {
 public:
  WayIn(const Reach& reach, Way way, const Identity& identity)
      : reach_(reach),
        way_(way),
        identity_{identity.machine, identity.server.is_zero() ? made_up_key() : identity.server,
                  identity.version},
        key_known_(!identity.server.is_zero()) {}

  std::vector<Record> walk() {
    const Instant begun = now().mono;
    try {
      session_ = open_session(reach_, way_, identity_, &trail_);
    } catch (...) {
      note_exception(step(Hop::upgrade, begun, now().mono));
      fail_last();
      return std::move(records_);
    }
    ready_ = session_->ready(now().mono + reach_.timeout());
    const Instant now_ready = now().mono;
    if (!upgrade(step(Hop::upgrade, begun, trail_.answered.value_or(now_ready))) || !key_known_)
      return finish();
    if (!noise(step(Hop::noise, *trail_.answered, trail_.shaken.value_or(now_ready)))) return finish();
    if (!early(step(Hop::early, *trail_.shaken, now_ready))) return finish();
    http2();
    return finish();
  }

 private:
  Record& step(Hop hop, Instant begin, Instant end) {
    records_.push_back({.hop = hop, .way = way_});
    records_.back().milliseconds = milliseconds_between(begin, end);
    return records_.back();
  }

  // Only the way of the URL must work; WebSockets have a class of their own.
  void fail_last() {
    const bool needed = way_ == reach_.own_way() || way_ == Way::websocket;
    records_.back().verdict = needed ? Verdict::failed : Verdict::warning;
  }

  std::vector<Record> finish() {
    if (records_.back().what != What::fine) fail_last();
    return std::move(records_);
  }

  bool upgrade(Record& record) {
    record.status = trail_.status;
    if (trail_.status == 101 && !*ready_ && ready_->error().code == Errc::bad_upgrade) {
      record.what = What::bad_switch;
      record.fact = "status 101 without the headers that belong to it";
    } else if (trail_.status == 101) {
      record.fact = "status 101";
    } else {
      explain_refusal(record);
    }
    return record.what == What::fine;
  }

  void explain_refusal(Record& record) {
    if (trail_.answered)
      record.what = What::status;
    else
      note_error(ready_->error(), record);
    const auto answer = ask_why(reach_, way_);
    if (trail_.answered) {
      if (answer && answer->status == trail_.status) note_answer(*answer, record);
      record.fact = "status " + std::to_string(record.status) +
                    (record.server.empty() ? "" : " from " + record.server) +
                    (record.location.empty() ? "" : " to " + record.location) +
                    (record.text.empty() ? "" : ": " + record.text);
    }
    // Cut, or cut behind a proxy: servers that open the handshake first do so where it is for another key.
    const bool cut = record.what == What::cut || record.status == 502;
    if (cut && answer && answer->status == 101) {
      record.what = What::fine;
      record.fact += ", but 101 where the handshake is none";
      if (!trail_.answered) trail_.answered = now().mono;
      cut_ = true;
    }
  }

  bool noise(Record& record) {
    if (trail_.shaken) {
      record.fact = "version " + std::to_string(static_cast<unsigned>(identity_.version));
      return true;
    }
    const Error why = ready_->error();
    record.what = cut_ ? What::cut_after_101 : meaning(in_handshake, why, What::bad_message2);
    record.text = std::string(session_->connection().refusal()).substr(0, max_told);
    record.fact = cut_ ? "no answer to the handshake" : text(why.code);
    if (!record.text.empty()) record.fact += ": " + record.text;
    if (record.what == What::cut_after_101) record.other_version = other_version(reach_, way_, identity_);
    return false;
  }

  bool early(Record& record) {
    if (*ready_) {
      const std::string& json = **ready_;
      record.fact = json.empty() ? std::string("none") : std::to_string(json.size()) + " bytes";
      if (json.empty() || decode_copy<EarlyNoise>(as_bytes(json))) return true;
      record.what = What::bad_early;
      record.fact += " that are no early payload";
      return false;
    }
    const Error why = ready_->error();
    record.what = why.code == Errc::bad_early_payload ? What::bad_early : inside(why);
    record.fact = text(why.code);
    return false;
  }

  void http2() {
    const Instant begun = now().mono;
    Record& record = step(Hop::http2, begun, begun);
    try {
      // No such path: any answer shows that requests get in and answers out.
      const Answer answer =
          call(*session_, {.method = "GET", .path = "/machine/doctor"}, {.deadline = reach_.timeout()});
      record.fact = "status " + std::to_string(answer.status) + " to a request that nobody knows";
      if (trail_.settings) record.fact = std::to_string(*trail_.settings) + " settings, " + record.fact;
    } catch (const CallError& error) {
      record.what = inside(error.why());
      record.fact = error.what();
      if (!trail_.settings) record.fact += "; no SETTINGS came";
    }
    record.milliseconds = milliseconds_between(begun, now().mono);
  }

  const Reach& reach_;
  const Way way_;
  const Identity identity_;
  const bool key_known_;
  bool cut_ = false;  // instead of a 101, because of the handshake
  Trail trail_;
  std::unique_ptr<Session> session_;
  std::optional<Result<std::string>> ready_;
  std::vector<Record> records_;
};

}  // namespace

What inside(const Error& error) noexcept { return meaning(in_session, error, What::bad_http2); }

std::unique_ptr<Session> open_session(const Reach& reach, Way way, const Identity& identity, Tracer* tracer) {
  ClientConfig config;
  config.mode = way == Way::websocket ? ClientMode::noise_websocket : ClientMode::noise;
  config.machine = &identity.machine;
  config.server = identity.server;
  config.version = identity.version;
  config.dial_deadline = reach.timeout();
  return std::make_unique<Session>(reach.dial(way), reach.host(way), std::move(config), tracer);
}

std::vector<Record> walk_in(const Reach& reach, Way way, const Identity& identity) {
  return WayIn(reach, way, identity).walk();
}

}  // namespace ts2021::app
