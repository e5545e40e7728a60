// SPDX-License-Identifier: BSD-3-Clause
// Hostile heads of HTTP/1.1.
#include <array>

#include "entry/base64.h"
#include "ts2021/conformance/context.h"

namespace ts2021::app::conformance {
namespace {

// The connection must not become a session, and ends in an error or at least an end.
Outcome is_refused(Context& context, std::string sent, std::string_view request, int wanted) {
  RawConnection connection = context.connect();
  const bool all = connection.send(request);
  const HttpAnswer answer = read_answer(connection);
  if (answer.status != 101 && answer.status != 200) connection.read_to_end();
  std::string got = answer.told() + ", connection " + connection.state();
  if (!all) got += ", before all was sent";
  if (answer.status == wanted) return kept(std::move(sent), std::move(got));
  if (answer.status >= 300 || (answer.status == 0 && connection.ended()))
    return differs(std::move(sent), std::move(got));
  return broken(std::move(sent), std::move(got));
}

std::string upgrade_with(Context& context, std::string_view lines) {
  return "POST /ts2021 HTTP/1.1\r\nHost: " + context.host() +
         "\r\nConnection: upgrade\r\nUpgrade: tailscale-control-protocol\r\nX-Tailscale-Handshake: " +
         entry::base64_encode(context.initiation().message) + "\r\n" + std::string(lines) + "\r\n";
}

std::string long_upgrade(const Context& context, std::size_t size) {
  return "POST /ts2021 HTTP/1.1\r\nHost: " + context.host() +
         "\r\nConnection: upgrade\r\nUpgrade: tailscale-control-protocol\r\nX-Tailscale-Handshake: " +
         std::string(size, 'A') + "\r\n\r\n";
}

Outcome long_handshake(Context& context) {
  return is_refused(context, "a handshake field of 4 MiB", long_upgrade(context, 4 << 20), 431);
}

Outcome longish_handshake(Context& context) {
  return is_refused(context, "a handshake field of 32 KiB", long_upgrade(context, 32 << 10), 431);
}

Outcome many_fields(Context& context) {
  std::string fields;
  for (int i = 0; i < 20'000; ++i)
    fields += "X-Field-" + std::to_string(i) + ": " + std::string(80, 'v') + "\r\n";
  return is_refused(context, "20,000 header fields, 1.9 MiB", upgrade_with(context, fields), 431);
}

Outcome two_handshakes(Context& context) {
  Initiation initiation = context.initiation();
  RawConnection connection = context.connect();
  connection.send(
      "POST /ts2021 HTTP/1.1\r\nHost: " + context.host() +
      "\r\nConnection: upgrade\r\nUpgrade: tailscale-control-protocol\r\nX-Tailscale-Handshake: " +
      entry::base64_encode(initiation.message) +
      "\r\nX-Tailscale-Handshake: " + entry::base64_encode(context.initiation().message) + "\r\n\r\n");
  const HttpAnswer answer = read_answer(connection);
  const std::string sent = "two handshake fields";
  if (answer.refused()) return kept(sent, answer.told());
  if (answer.status != 101) return broken(sent, answer.told() + ", connection " + connection.state());
  const bool first = initiation.finish(read_response(connection)).has_value();
  return kept_if(first, sent, first ? "the first counts" : "101, and another than the first counts");
}

Outcome with_body(Context& context) {
  Worst worst("upgrades with bodies");
  worst.add("Content-Length",
            is_refused(context, {}, upgrade_with(context, "Content-Length: 5\r\n") + "hello", 400));
  worst.add(
      "chunked",
      is_refused(context, {},
                 upgrade_with(context, "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n", 400));
  return worst.outcome();
}

Outcome bytes_behind(Context& context) {
  Initiation initiation = context.initiation();
  RawConnection connection = context.connect();
  connection.send(upgrade_request(context.host(), initiation.message) + std::string("\4\0\x14", 3) +
                  std::string(20, 'x'));
  const HttpAnswer answer = read_answer(connection);
  connection.read_to_end();
  return kept_if(connection.ended(), "bytes behind the head, before message 2",
                 answer.told() + ", connection " + connection.state());
}

Outcome http2_outside(Context& context) {
  Outcome outcome =
      is_refused(context, "HTTP/2's preface on the outer site",
                 std::string(h2::preface) + std::string(as_text(frame(h2::settings, 0, 0, {}))), 400);
  return outcome;
}

Outcome two_lengths(Context& context) {
  Worst worst("heads that two readers may understand in two ways");
  worst.add("two lengths", is_refused(context, {},
                                      "POST /key HTTP/1.1\r\nHost: " + context.host() +
                                          "\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
                                      400));
  worst.add(
      "length and chunks",
      is_refused(context, {},
                 upgrade_with(context, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
                 400));
  worst.add("space before the colon",
            is_refused(context, {}, upgrade_with(context, "Content-Length : 5\r\n"), 400));
  worst.add("two hosts", is_refused(context, {}, upgrade_with(context, "Host: b.example.com\r\n"), 400));
  worst.add("a zero byte",
            is_refused(context, {}, upgrade_with(context, std::string("X-A: a\0b\r\n", 10)), 400));
  return worst.outcome();
}

Outcome garbage(Context& context) {
  Worst worst("what is no HTTP");
  worst.add("zeros", is_refused(context, {}, std::string(64, '\0') + "\r\n\r\n", 400));
  worst.add("a TLS hello",
            is_refused(context, {},
                       std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n\r\n", 400));
  worst.add("letters", is_refused(context, {}, "HELLO\r\n\r\n", 400));
  return worst.outcome();
}

Outcome version_10(Context& context) {
  Initiation initiation = context.initiation();
  RawConnection connection = context.connect();
  std::string request = upgrade_request(context.host(), initiation.message);
  request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
  connection.send(request);
  const HttpAnswer answer = read_answer(connection);
  const std::string got = answer.told() + ", connection " + connection.state();
  if (answer.refused()) return kept("an upgrade over HTTP/1.0", got);
  return answer.status == 101 ? differs("an upgrade over HTTP/1.0", got)
                              : broken("an upgrade over HTTP/1.0", got);
}

constexpr unsigned loud = needs::noise | needs::hostile;
constexpr std::array checks{
    Check{"head.limit", "ENT-9", Level::should, loud, "a head of 32 KiB is refused",
          "no client sends a tenth of it", longish_handshake},
    Check{"head.long", "ENT-9", Level::must, loud, "a head of megabytes is refused", "it costs memory",
          long_handshake},
    Check{"head.fields", "ENT-9", Level::must, loud, "a head of 20,000 fields is refused", "it costs memory",
          many_fields},
    Check{"head.twice", "ENT-4", Level::must, loud, "of two handshake fields the first counts, or neither",
          "a proxy may look at the other one", two_handshakes},
    Check{"head.body", "ENT-5", Level::should, loud, "an upgrade with a body is refused",
          "its bytes would be taken for records", with_body},
    Check{"head.behind", "REC-7", Level::must, loud,
          "bytes behind the head belong to the records, and end the connection",
          "who puts bytes in front of a client's would be heard", bytes_behind},
    Check{"head.http2", "ENT-10", Level::must, loud, "HTTP/2 is not spoken outside",
          "there is no upgrade in HTTP/2", http2_outside},
    Check{"head.smuggling", "ENT-10", Level::should, loud, "heads with two meanings are refused",
          "a proxy in front may have the other one", two_lengths},
    Check{"head.garbage", "ENT-10", Level::must, loud, "what is no HTTP ends the connection",
          "a server that falls over is gone for everybody", garbage},
    Check{"head.http10", "ENT-12", Level::should, loud, "HTTP/1.0 does not upgrade", "no client does it",
          version_10},
};

}  // namespace

std::span<const Check> hostile_head_checks() { return checks; }

}  // namespace ts2021::app::conformance
