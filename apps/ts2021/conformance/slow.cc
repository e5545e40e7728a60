// SPDX-License-Identifier: BSD-3-Clause
// What takes a minute to see.
#include <array>
#include <map>

#include "ts2021/conformance/node_calls.h"

namespace ts2021::app::conformance {
namespace {

using namespace std::chrono_literals;

// One byte of a head a second, for so long at most; until the server has had enough.
Outcome slow_head(Context& context) {
  RawConnection connection = context.connect();
  const std::string request = upgrade_request(context.host(), context.initiation().message);
  const Instant begun = now().mono;
  for (const char byte : request) {
    if (!connection.send(std::string_view(&byte, 1))) break;
    if (connection.read_to_end(1'000ms) || now().mono - begun > 45s) break;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now().mono - begun).count();
  return kept_if(connection.ended(), "a head, one byte a second",
                 "connection " + connection.state() + " after " + std::to_string(seconds) + " s");
}

Outcome no_preface(Context& context) {
  RecordStream records = context.open_noise();
  const Instant begun = now().mono;
  const bool ended = records.connection().read_to_end(45s);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now().mono - begun).count();
  return kept_if(ended, "nothing after the handshake",
                 "connection " + records.connection().state() + " after " + std::to_string(seconds) + " s");
}

Outcome keep_alive(Context& context) {
  TestNode& node = context.node();
  MapRequest request = context.map_request(node);
  request.stream = true;
  request.compress = "zstd";
  MapPoll poll(context, node, request);
  (void)poll.first(context.patience().answer);
  Instant last = now().mono;
  std::size_t seen = poll.messages().size();
  const bool came = poll.wait(
      [&](const MapPoll& p) {
        if (p.messages().size() == seen) return false;
        if (p.messages().back().response.keep_alive) return true;
        seen = p.messages().size();
        last = now().mono;
        return false;
      },
      115s);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now().mono - last).count();
  const std::string sent = "a streaming map request, and nothing more";
  if (!came) return broken(sent, "no keep-alive for " + std::to_string(seconds) + " s: " + poll.state());
  const MapMessage& message = poll.messages().back();
  const std::string got =
      std::to_string(seconds) + " s after the last message: " + printable(message.json, 60);
  if (message.json == "{\"KeepAlive\":true}")
    return differs(sent, got + ", which clients from 1.90 on remember");
  return seconds <= 65 ? kept(sent, got) : differs(sent, got);
}

constexpr std::array checks{
    Check{"slow.head", "ENT-9", Level::should, needs::noise | needs::hostile | needs::slow,
          "a head that takes its time ends the connection", "connections are dear to servers", slow_head},
    Check{"slow.preface", "H2-1", Level::must, needs::noise | needs::slow,
          "who says nothing after the handshake is closed", "connections are dear to servers", no_preface},
    Check{"slow.keep-alive", "MAP-35", Level::must, needs::node | needs::slow,
          "a quiet map stream has a keep-alive each minute, with a space behind",
          "clients give up after 120 s; without the space some lose messages of its size", keep_alive},
};

}  // namespace

std::span<const Check> slow_checks() { return checks; }

}  // namespace ts2021::app::conformance
