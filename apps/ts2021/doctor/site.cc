// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/doctor/site.h"

#include <cmath>
#include <ctime>
#include <string>
#include <system_error>

#include "ts2021/client/node_client.h"
#include "ts2021/doctor/timed.h"
#include "ts2021/entry/upgrade.h"
#include "ts2021/net/session.h"

namespace ts2021::app {
namespace {

constexpr double clock_tolerance = 300;  // seconds

Answer ask(const Reach& reach, Way way, Call request) {
  ClientConfig config;
  config.mode = ClientMode::http1;
  Session session(reach.dial(way, {"http/1.1"}), reach.host(way), config);
  return call(session, request, {.max_body = 64 << 10, .deadline = reach.timeout()});
}

// How many seconds the server's clock is ahead; none: it doesn't say.
std::optional<double> clock_ahead(const Answer& answer) {
  std::tm date{};
  const std::string text(answer.header("date"));
  if (!strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date)) return std::nullopt;
  const double ours = std::chrono::duration<double>(now().wall.time_since_epoch()).count();
  return static_cast<double>(timegm(&date)) - ours;
}

// The key of one answer; what is wrong goes into the record.
ControlNoisePublic read_key(const Answer& answer, Record& record) {
  note_answer(answer, record);
  if (answer.status != 200) {
    record.what = What::status;
    record.fact = "status " + std::to_string(answer.status);
    if (!record.location.empty()) record.fact += " to " + record.location;
    if (!record.text.empty()) record.fact += ": " + record.text;
    return {};
  }
  const auto keys = read_server_key(answer.status, answer.body);
  if (!keys) {
    record.what = What::no_key;
    record.fact = "no key but: " + record.text;
    return {};
  }
  record.text.clear();
  if (keys->public_key.is_zero()) {
    record.what = What::no_noise_key;
    record.fact = "only a key for TS2019";
    return {};
  }
  if (keys->public_key.text() == keys->legacy_public_key.text()) {
    record.what = What::equal_keys;
    record.fact = "both keys are " + keys->public_key.text();
    return {};
  }
  record.fact = keys->public_key.text().substr(0, 21) + "...";
  record.details.push_back("publicKey " + keys->public_key.text());
  record.details.push_back("legacyPublicKey " + keys->legacy_public_key.text());
  return keys->public_key;
}

ControlNoisePublic key_for(const Reach& reach, Capability capability, Record& record) {
  try {
    return read_key(ask(reach, reach.own_way(), {.method = "GET", .path = server_key_path(capability)}),
                    record);
  } catch (...) {
    note_exception(record);
    return {};
  }
}

// Whether a client of another version would have got a key.
void ask_as_others(const Reach& reach, Capability capability, Record& record) {
  for (const Capability other : {newest_capability, Capability{113}, Capability{60}}) {
    if (other == capability) continue;
    Record answer;
    if (!key_for(reach, other, answer).is_zero()) {
      record.other_version = static_cast<unsigned>(other);
      return;
    }
    if (answer.what == What::no_noise_key) {
      record.what = What::no_noise_key;
      record.fact += "; clients of version " + std::to_string(static_cast<unsigned>(other)) +
                     " are given a key for TS2019 only";
      return;
    }
  }
}

void judge_clock(const Answer& answer, Record& record) {
  const auto ahead = clock_ahead(answer);
  if (!ahead) return;
  record.seconds = *ahead;
  if (std::abs(*ahead) < clock_tolerance) return;
  record.fact += "; the server's clock is " + std::to_string(std::lround(std::abs(*ahead))) + " s " +
                 (*ahead > 0 ? "ahead of" : "behind") + " ours";
  if (record.verdict == Verdict::ok) record.verdict = Verdict::warning;
}

}  // namespace

KeyFound ask_key(const Reach& reach, Capability capability) {
  KeyFound found{{.hop = Hop::key, .way = reach.own_way()}, {}};
  found.record = timed(found.record, [&](Record& record) {
    try {
      const Answer answer =
          ask(reach, reach.own_way(), {.method = "GET", .path = server_key_path(capability)});
      found.key = read_key(answer, record);
      judge_clock(answer, record);
    } catch (...) {
      note_exception(record);
    }
  });
  Record& record = found.record;
  if (record.what == What::fine) {
    Record again;
    const ControlNoisePublic second = key_for(reach, capability, again);
    if (!second.is_zero() && second != found.key) {
      record.what = What::changing_key;
      record.fact = "asked again: " + again.fact + " instead of " + record.fact;
    }
  } else if (record.what == What::no_noise_key || record.what == What::no_key ||
             (record.what == What::status && record.status >= 400)) {
    ask_as_others(reach, capability, record);
  } else if (record.way == Way::plain && record.status == 0 && reach.speaks_tls(Way::plain)) {
    record.what = What::speaks_tls;
    record.fact += "; the port speaks TLS";
  }
  if (record.what != What::fine) {
    record.verdict = Verdict::failed;
    found.key = {};
  }
  return found;
}

void note_answer(const Answer& answer, Record& record) {
  record.status = answer.status;
  record.server = answer.header("server");
  record.location = answer.header("location");
  record.content_type = answer.header("content-type").substr(0, answer.header("content-type").find(';'));
  record.retry_after = !answer.header("retry-after").empty();
  for (const char* const name : {"age", "x-cache", "cf-cache-status", "x-varnish"})
    if (const auto value = answer.header(name); !value.empty())
      record.cache += std::string(record.cache.empty() ? "" : ", ") + name + ": " + std::string(value);
  record.text = answer.text().substr(0, max_told);
  while (!record.text.empty() && (record.text.back() == '\n' || record.text.back() == '\r'))
    record.text.pop_back();
}

void note_error(const Error& error, Record& record) {
  record.what = error.code == Errc::timeout                                          ? What::silence
                : error.code == Errc::end_of_stream || error.code == Errc::truncated ? What::cut
                                                                                     : What::not_http;
  record.fact = text(error.code);
}

void note_exception(Record& record) {
  try {
    throw;
  } catch (const CallError& error) {
    note_error(error.why(), record);
  } catch (const DialError& error) {
    record.what = What::tls_failed;
    record.fact = error.what();
  } catch (const std::system_error& error) {
    record.what = error.code().value() == ECONNREFUSED ? What::nobody_listens : What::no_route;
    record.fact = error.what();
  }
}

std::optional<Answer> ask_why(const Reach& reach, Way way) {
  // No initiation: servers that look before they answer tell what they can't open from what is none.
  const std::string handshake = std::string(135, 'A') + "=";
  Call request{.method = "POST", .path = std::string(entry::upgrade_path)};
  request.headers = {{"connection", "upgrade"},
                     {"upgrade", std::string(entry::upgrade_protocol)},
                     {std::string(entry::handshake_header), handshake}};
  if (way == Way::websocket) {
    request.method = "GET";
    request.path += "?" + std::string(entry::handshake_header) + "=" + std::string(135, 'A') + "%3D";
    request.headers = {{"connection", "upgrade"},
                       {"upgrade", "websocket"},
                       {"sec-websocket-version", "13"},
                       {"sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="},
                       {"sec-websocket-protocol", std::string(entry::upgrade_protocol)}};
  }
  try {
    return ask(reach, way, std::move(request));
  } catch (const CallError& error) {
    if (error.why().code != Errc::bad_upgrade) return std::nullopt;
    Answer answer;
    answer.status = 101;
    return answer;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

}  // namespace ts2021::app
