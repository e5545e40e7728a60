// SPDX-License-Identifier: BSD-3-Clause
// What the doctor has seen at one hop: the material of its diagnosis.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ts2021::app {

// In the order in which they are walked; upgrade to http2 once for each way.
enum class Hop : std::uint8_t {
  name,
  port,
  tls,
  key,
  upgrade,
  noise,
  early,
  http2,
  register_node,
  map,
  keep_alive
};

// How the server is reached at this hop; WebSocket by the scheme of the URL.
enum class Way : std::uint8_t { none, plain, tls, websocket };

// A warning stops no client, or only for a while.
enum class Verdict : std::uint8_t { ok, warning, failed, skipped };

enum class What : std::uint8_t {
  fine,
  no_address,             // name: the look-up has found none
  nobody_listens,         // port: refused
  no_route,               // port: no answer in time, or the network says so
  not_tls,                // tls: an answer that is no TLS
  tls_failed,             // tls: any other failure of the handshake
  certificate_time,       // tls: expired or not yet valid
  certificate_name,       // tls: of another host
  certificate_authority,  // tls: of an authority that is not trusted, or refused otherwise
  cut,                    // the connection has ended before there was an answer, or in the middle of it
  silence,                // no answer in time
  speaks_tls,             // key: the plain port does
  not_http,               // an answer that is no HTTP/1.1
  status,                 // another HTTP status than the one that should be
  no_key,                 // key: status 200, but no key in the answer
  no_noise_key,           // key: only TS2019's
  equal_keys,             // key: both the same
  changing_key,           // key: another one when asked twice
  bad_switch,             // upgrade: a 101 without what belongs to it
  refusal,                // noise: the server has told why not, in an error record
  cut_after_101,          // noise: the end instead of message 2
  silence_after_101,      // noise: nothing instead of message 2
  bad_message2,           // noise: neither message 2 nor an error record, or of a wrong size
  bad_proof,              // noise: message 2 of somebody who hasn't got the key
  bad_early,              // early: not to be read
  bad_record,             // a record that doesn't open
  bad_http2,              // http2: rules broken, floods
  going_away,             // GOAWAY
  reset,                  // RST_STREAM
  refused,                // register: RegisterResponse.Error
  login,                  // register: a person must log in
  bad_message,            // register, map: an answer that can't be read
  ended                   // keep-alive: the server has ended the stream in good order
};

struct Record {
  Hop hop{};
  Way way = Way::none;
  Verdict verdict = Verdict::ok;
  What what = What::fine;
  double milliseconds = 0;
  std::string fact{};  // for people; may hold text of the server, as all strings here

  // Evidence; empty or 0: none.
  int status = 0;              // HTTP
  std::string server{};        // the header Server
  std::string content_type{};  // without parameters
  std::string location{};      // of a redirect
  std::string cache{};         // headers that a cache writes
  std::string text{};          // what the server said, at most 200 bytes
  std::string alpn{};          // tls: what a client that knows HTTP/2 is given
  double seconds = 0;  // keep-alive: how long nothing had come; key: how much the server's clock is ahead
  unsigned other_version = 0;          // a capability version with which the hop works
  bool retry_after = false;            // the answer asks to come back later
  std::vector<std::string> details{};  // more facts, for those who want to know all
};

[[nodiscard]] const char* name(Hop hop) noexcept;
[[nodiscard]] const char* name(Way way) noexcept;  // empty: none
[[nodiscard]] const char* name(Verdict verdict) noexcept;
[[nodiscard]] const char* name(What what) noexcept;

}  // namespace ts2021::app
