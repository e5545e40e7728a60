// SPDX-License-Identifier: BSD-3-Clause
// What the doctor makes of what it has seen, row by row.
#include "ts2021/doctor/diagnosis.h"

#include <algorithm>
#include <string>
#include <vector>

#include "support/catch.h"
#include "ts2021/doctor/report.h"

using namespace ts2021::app;

namespace {

Record good(Hop hop, Way way = Way::plain) { return {.hop = hop, .way = way}; }
Record bad(Hop hop, What what, Way way = Way::plain) {
  return {.hop = hop, .way = way, .verdict = Verdict::failed, .what = what};
}
Record status(Hop hop, int number, std::string type = "", std::string text = "", Way way = Way::plain) {
  Record record = bad(hop, What::status, way);
  record.status = number;
  record.content_type = std::move(type);
  record.text = std::move(text);
  return record;
}
Record with(Record record, auto change) {
  change(record);
  return record;
}

bool mentions(const Diagnosis& diagnosis, std::string_view words) {
  return std::any_of(diagnosis.causes.begin(), diagnosis.causes.end(),
                     [&](const std::string& cause) { return cause.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("each class has a name, a text and an exit code of its own, and stands in the help") {
  const std::string help = exit_codes();
  for (std::size_t i = 0; i < all_ailments.size(); ++i) {
    const Ailment& ailment = all_ailments[i];
    CHECK_FALSE(ailment.text.empty());
    CHECK(help.find("  " + std::string(ailment.name) + " ") != std::string::npos);
    CHECK((ailment.exit_code == 0 || (ailment.exit_code >= 10 && ailment.exit_code < 64)));
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(all_ailments[j].exit_code < ailment.exit_code);
      CHECK(all_ailments[j].name != ailment.name);
    }
  }
}

TEST_CASE("a walk without a failure is good, whatever it warns of") {
  CHECK(diagnose({}).ailment.exit_code == 0);
  Record warned = bad(Hop::port, What::nobody_listens);
  warned.verdict = Verdict::warning;
  const std::vector<Record> walk{warned, good(Hop::upgrade, Way::tls)};
  const Diagnosis diagnosis = diagnose(walk);
  CHECK(diagnosis.ailment.name == "good");
  CHECK_FALSE(diagnosis.hop);
}

TEST_CASE("one failure, one class") {
  struct Row {
    Record failed;
    std::string_view ailment;
    std::string_view cause = {};  // words of one
  };
  const Row rows[] = {
      {bad(Hop::name, What::no_address), "unknown-name"},
      {bad(Hop::port, What::nobody_listens), "port-closed"},
      {bad(Hop::port, What::no_route), "unreachable", "firewall"},
      {bad(Hop::tls, What::not_tls, Way::tls), "wrong-scheme"},
      {bad(Hop::tls, What::tls_failed, Way::tls), "tls"},
      {bad(Hop::tls, What::silence, Way::tls), "tls"},
      {bad(Hop::tls, What::certificate_time, Way::tls), "certificate-time", "clock"},
      {bad(Hop::tls, What::certificate_name, Way::tls), "certificate-name"},
      {bad(Hop::tls, What::certificate_authority, Way::tls), "certificate-authority"},
      {bad(Hop::key, What::cut), "no-answer"},
      {bad(Hop::key, What::silence), "no-answer"},
      {bad(Hop::key, What::not_http), "wrong-scheme", "TLS"},
      {bad(Hop::key, What::not_http, Way::tls), "no-answer"},
      {bad(Hop::key, What::no_key), "not-control"},
      {bad(Hop::key, What::no_noise_key), "ts2019-only"},
      {bad(Hop::key, What::equal_keys), "bad-key"},
      {bad(Hop::key, What::changing_key), "bad-key", "behind one name"},
      {status(Hop::key, 301), "redirect"},
      {status(Hop::key, 404, "text/html"), "not-control"},
      {status(Hop::key, 429), "rate-limited"},
      {status(Hop::key, 500), "server-error"},
      {status(Hop::key, 502), "backend-down"},
      {status(Hop::key, 503), "backend-down", "not ready"},
      {status(Hop::key, 400, "", "Client sent an HTTP request to an HTTPS server."), "wrong-scheme"},
      {with(status(Hop::key, 400), [](Record& r) { r.other_version = 148; }), "version-refused", "148"},
      {with(status(Hop::key, 503), [](Record& r) { r.retry_after = true; }), "rate-limited"},
      {bad(Hop::upgrade, What::cut), "no-answer", "Upgrade"},
      {bad(Hop::upgrade, What::bad_switch), "upgrade-stripped"},
      {status(Hop::upgrade, 400, "text/plain", "missing next protocol"), "upgrade-stripped", "Upgrade"},
      {status(Hop::upgrade, 400, "text/plain", "missing Tailscale handshake header"), "upgrade-stripped",
       "X-Tailscale-Handshake"},
      {status(Hop::upgrade, 500, "text/plain", "Internal error"), "upgrade-stripped"},
      {status(Hop::upgrade, 500, "text/plain", "oh"), "server-error"},
      {status(Hop::upgrade, 400, "text/html", "400 Request Header Or Cookie Too Large"), "too-large"},
      {status(Hop::upgrade, 431), "too-large"},
      {status(Hop::upgrade, 403, "text/html"), "upgrade-refused", "rule"},
      {status(Hop::upgrade, 404, "text/html"), "proxy-page"},
      {status(Hop::upgrade, 404, "text/plain"), "upgrade-refused"},
      {status(Hop::upgrade, 405), "upgrade-refused"},
      {status(Hop::upgrade, 501), "upgrade-refused", "switched off"},
      {status(Hop::upgrade, 200, "text/html"), "proxy-page"},
      {status(Hop::upgrade, 302), "redirect"},
      {bad(Hop::noise, What::refusal), "noise-broken"},
      {bad(Hop::noise, What::cut_after_101), "wrong-key", "version"},
      {bad(Hop::noise, What::bad_proof), "wrong-key"},
      {bad(Hop::noise, What::silence_after_101), "stream-held", "buffers"},
      {bad(Hop::noise, What::bad_message2), "noise-broken"},
      {with(bad(Hop::noise, What::cut_after_101), [](Record& r) { r.other_version = 113; }),
       "version-refused", "113"},
      {bad(Hop::early, What::bad_early), "early-payload"},
      {bad(Hop::early, What::silence), "stream-held"},
      {bad(Hop::early, What::bad_record), "noise-broken"},
      {bad(Hop::http2, What::bad_http2), "http2"},
      {bad(Hop::http2, What::going_away), "http2"},
      {bad(Hop::http2, What::cut), "http2", "proxy"},
      {bad(Hop::register_node, What::refused), "register-refused"},
      {with(bad(Hop::register_node, What::refused), [](Record& r) { r.text = "unsupported client version"; }),
       "version-refused", "auth key"},
      {bad(Hop::register_node, What::login), "login-needed"},
      {status(Hop::register_node, 401), "register-refused"},
      {status(Hop::register_node, 429), "rate-limited"},
      {status(Hop::register_node, 503), "server-error"},
      {status(Hop::map, 404), "map-refused"},
      {status(Hop::map, 413), "too-large"},
      {bad(Hop::map, What::silence), "map-silent"},
      {bad(Hop::map, What::bad_message), "map-broken"},
      {bad(Hop::map, What::ended), "map-broken"},
      {bad(Hop::map, What::reset), "map-broken"},
      {bad(Hop::keep_alive, What::silence), "no-keep-alive"},
      {with(bad(Hop::keep_alive, What::cut), [](Record& r) { r.seconds = 60; }), "idle-cut", "60 s"},
      {bad(Hop::keep_alive, What::cut), "map-broken"},
      {with(bad(Hop::keep_alive, What::going_away), [](Record& r) { r.seconds = 60; }), "map-broken",
       "server itself"},
  };
  for (const Row& row : rows) {
    const std::vector<Record> walk{good(Hop::name, Way::none), row.failed, bad(Hop::keep_alive, What::login)};
    const Diagnosis diagnosis = diagnose(walk);
    INFO(name(row.failed.hop) << " " << name(row.failed.what) << " " << row.failed.status << " "
                              << row.failed.text);
    CHECK(diagnosis.ailment.name == row.ailment);
    CHECK(diagnosis.hop == 1u);
    CHECK_FALSE(diagnosis.causes.empty());
    CHECK(diagnosis.advice.ends_with('.'));
    if (!row.cause.empty()) CHECK(mentions(diagnosis, row.cause));
  }
}

TEST_CASE("a certificate that is only over by our clock is the clock's matter") {
  std::vector<Record> walk{bad(Hop::tls, What::certificate_time, Way::tls), good(Hop::key, Way::tls)};
  CHECK(diagnose(walk).ailment.name == "certificate-time");
  walk[1].seconds = -400 * 86'400.0;
  CHECK(diagnose(walk).ailment.name == "clock");
  CHECK(mentions(diagnose(walk), "the server's clock is wrong"));
}

TEST_CASE("a page instead of the key is a proxy's where upgrades are known") {
  std::vector<Record> walk{status(Hop::key, 404, "text/html"), status(Hop::upgrade, 404, "text/html")};
  CHECK(diagnose(walk).ailment.name == "not-control");
  CHECK(diagnose(walk).causes.size() == 2);
  walk[1] = good(Hop::upgrade);
  CHECK(diagnose(walk).ailment.name == "proxy-page");
  walk[1] = status(Hop::upgrade, 400, "text/plain", "missing next protocol");
  CHECK(diagnose(walk).ailment.name == "proxy-page");
}

TEST_CASE("HTTP/2 that is spoken without being asked for") {
  std::vector<Record> walk{good(Hop::tls, Way::tls), bad(Hop::key, What::not_http, Way::tls)};
  CHECK(diagnose(walk).ailment.name == "no-answer");
  walk[0].alpn = "h2";
  CHECK(diagnose(walk).ailment.name == "http2-only");
  walk[1].what = What::cut;  // may be anything
  CHECK(diagnose(walk).causes.size() == 2);
}

TEST_CASE("WebSockets are blocked only where native upgrades work") {
  std::vector<Record> walk{good(Hop::upgrade), status(Hop::upgrade, 403, "text/html", "", Way::websocket)};
  CHECK(diagnose(walk).ailment.name == "websocket-blocked");
  CHECK(diagnose(walk).causes.front().starts_with("a proxy does not pass WebSockets"));
  walk[1].content_type = "text/plain";
  CHECK(diagnose(walk).causes.front() == "the server has no WebSocket way in");
  walk.erase(walk.begin());
  CHECK(diagnose(walk).ailment.name == "upgrade-refused");
}

TEST_CASE("who lets only WebSockets through is told") {
  std::vector<Record> walk{status(Hop::upgrade, 400, "text/html"), good(Hop::upgrade, Way::websocket)};
  CHECK(diagnose(walk).ailment.name == "upgrade-refused");
  CHECK(diagnose(walk).causes.front() == "a proxy lets WebSockets through but no other upgrade");
  walk.pop_back();
  CHECK_FALSE(mentions(diagnose(walk), "lets WebSockets through"));
}

TEST_CASE("what tells one wrong key from another") {
  std::vector<Record> walk{good(Hop::key), bad(Hop::noise, What::cut_after_101), good(Hop::noise, Way::tls)};
  CHECK(mentions(diagnose(walk), "another control server than the other one"));
  walk.pop_back();
  CHECK(mentions(diagnose(walk), "was replaced"));
  CHECK_FALSE(mentions(diagnose(walk), "cache ("));
  walk[0].cache = "age: 12";
  CHECK(mentions(diagnose(walk), "cache (age: 12)"));
}

TEST_CASE("who has another port that works is told") {
  std::vector<Record> walk{bad(Hop::upgrade, What::cut, Way::tls), good(Hop::http2, Way::plain)};
  CHECK(mentions(diagnose(walk), "the other port (plain) works"));
  walk[1].verdict = Verdict::warning;
  CHECK_FALSE(mentions(diagnose(walk), "the other port"));
}

TEST_CASE("a server's text is printed without what a terminal would obey") {
  Record record = good(Hop::key);
  record.fact = "a\x1b[31m\n" + std::string(1000, 'x');
  const std::string printed = line(record);
  CHECK(printed.find('\x1b') == std::string::npos);
  CHECK(std::count(printed.begin(), printed.end(), '\n') == 1);
  CHECK(printed.size() < 400);
}
