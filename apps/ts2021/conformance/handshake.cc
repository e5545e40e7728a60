// SPDX-License-Identifier: BSD-3-Clause
// The Noise handshake, what follows it unasked, and the early payload.
#include <array>

#include "ts2021/conformance/context.h"
#include "ts2021/entry/early_payload.h"
#include "ts2021/msg/early_noise.h"

namespace ts2021::app::conformance {
namespace {

Outcome good(Context& context) {
  (void)context.open_noise();
  return kept("a handshake of the newest version", "message 2 opens with the key of /key");
}

Outcome any_version(Context& context) {
  Worst worst("handshakes of versions 1, 28, 65535");
  for (const unsigned version : {1u, 28u, 65535u}) {
    Initiation initiation(context.entropy(), context.stranger(), context.noise_key(),
                          static_cast<ProtocolVersion>(version));
    RawConnection connection = context.connect();
    connection.send(upgrade_request(context.host(), initiation.message));
    const HttpAnswer answer = read_answer(connection);
    const bool in = answer.status == 101 && initiation.finish(read_response(connection));
    worst.add(std::to_string(version),
              kept_if(in, {}, in ? "message 2" : answer.told() + ", connection " + connection.state()));
  }
  return worst.outcome();
}

Outcome newer(Context& context) {
  const unsigned next = static_cast<unsigned>(context.plan().version) + 1;
  (void)context.open_noise(static_cast<ProtocolVersion>(next), context.stranger());
  return kept("a handshake of version " + std::to_string(next), "message 2");
}

Outcome several(Context& context) {
  Worst worst("two connections of one machine at a time");
  Http2Peer first = context.open_http2();
  (void)first.lives();
  Http2Peer second = context.open_http2();
  worst.add("the second", kept_if(second.lives(), {}, second.records().connection().state()));
  worst.add("the first", kept_if(first.lives(), {}, first.records().connection().state()));
  return worst.outcome();
}

Outcome unasked(Context& context) {
  RecordStream records = context.open_noise();
  const bool spoke = records.read_at_least(9);
  return kept_if(spoke, "nothing after the handshake",
                 spoke ? std::to_string(records.input().size()) + " bytes"
                       : "nothing; connection " + records.connection().state());
}

Outcome one_segment(Context& context) {
  Initiation initiation = context.initiation();
  RawConnection connection = context.connect();
  connection.send(upgrade_request(context.host(), initiation.message));
  // The first read that gives anything: what one packet brought.
  connection.read_until([](Bytes in) { return !in.empty(); }, context.patience().answer);
  const std::string_view first = as_text(connection.input());
  const std::size_t head = first.find("\r\n\r\n");
  const std::size_t rest = head == std::string_view::npos ? 0 : first.size() - head - 4;
  return kept_if(rest > 51, "the upgrade", std::to_string(rest) + " bytes behind the 101 in the first read");
}

Outcome early(Context& context) {
  Http2Peer peer(context.open_noise());
  peer.read_greeting();
  const std::string sent = "a handshake of the newest version";
  if (!peer.early_payload()) return not_applicable(sent, "no early payload");
  const std::string& json = *peer.early_payload();
  const auto payload = decode_copy<EarlyNoise>(as_bytes(json));
  const std::string got = std::to_string(json.size()) + " bytes: " + printable(json);
  return kept_if(payload && json.size() <= entry::max_early_payload_sent, sent, got);
}

Outcome early_fresh(Context& context) {
  std::array<std::string, 2> seen;
  for (std::string& one : seen) {
    Http2Peer peer(context.open_noise());
    peer.read_greeting();
    if (!peer.early_payload()) return not_applicable("two handshakes", "no early payload");
    one = *peer.early_payload();
  }
  return kept_if(seen[0] != seen[1], "two handshakes",
                 seen[0] != seen[1] ? "two challenges" : "one challenge");
}

Outcome early_old(Context& context) {
  const std::string sent = "a handshake of version 48";
  Initiation initiation(context.entropy(), context.stranger(), context.noise_key(), ProtocolVersion{48});
  RawConnection connection = context.connect();
  connection.send(upgrade_request(context.host(), initiation.message));
  const HttpAnswer answer = read_answer(connection);
  const auto keys = answer.status == 101 ? initiation.finish(read_response(connection)) : std::nullopt;
  if (!keys) return not_applicable(sent, "the version is refused: " + answer.told());
  Http2Peer peer({std::move(connection), *keys});
  try {
    peer.read_greeting();
  } catch (const Obstacle& obstacle) {
    if (peer.records().connection().ended()) return not_applicable(sent, "the version is refused");
    throw;
  }
  return kept_if(!peer.early_payload(), sent, peer.early_payload() ? "an early payload" : "SETTINGS at once");
}

constexpr std::array checks{
    Check{"handshake.good", "HSK-5", Level::must, needs::noise,
          "message 2 is made with the key that /key tells", "nobody gets in", good},
    Check{"handshake.versions", "HSK-6", Level::should, needs::noise,
          "the version in the header is taken as it is, whatever it is",
          "a server may refuse old clients, better with a text inside HTTP/2", any_version},
    Check{"handshake.newer", "HSK-6", Level::must, needs::noise,
          "a version newer than the server's own is taken", "clients update before servers", newer},
    Check{"handshake.several", "HSK-11", Level::must, needs::noise, "a machine may have several connections",
          "clients keep one per authority: two or three", several},
    Check{"handshake.unasked", "H2-1", Level::must, needs::noise,
          "the server speaks first after the handshake",
          "the Rust client is silent until it has read 5 bytes", unasked},
    Check{"handshake.one-write", "ENT-6", Level::should, needs::noise,
          "101, message 2 and the greeting come in one write", "a C client reads once after its request",
          one_segment},
    Check{"early.form", "EAR-5", Level::must, needs::noise,
          "an early payload has at most 1,024 bytes of JSON with a challenge",
          "the Rust client takes no more, Go clients parse it", early},
    Check{"early.fresh", "EAR-1", Level::must, needs::noise, "each connection has a challenge of its own",
          "the proof of a node key would be good for other connections", early_fresh},
    Check{"early.old", "EAR-2", Level::must, needs::noise, "a client below 49 gets no early payload",
          "it takes it for a broken frame", early_old},
};

}  // namespace

std::span<const Check> handshake_checks() { return checks; }

}  // namespace ts2021::app::conformance
