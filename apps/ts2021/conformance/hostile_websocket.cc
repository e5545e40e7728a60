// SPDX-License-Identifier: BSD-3-Clause
// Hostile WebSocket frames.
#include <array>

#include "ts2021/conformance/context.h"
#include "ts2021/conformance/websocket_peer.h"

namespace ts2021::app::conformance {
namespace {

// The server closes with this code.
Outcome closes(Context& context, std::string sent, std::span<const WsFrame> frames, int wanted) {
  Initiation initiation = context.initiation();
  RawConnection connection = context.connect();
  connection.send(websocket_request(context, initiation.message));
  if (const HttpAnswer answer = read_answer(connection); answer.status != 101)
    throw Obstacle("a good WebSocket upgrade got " + answer.told());
  for (const WsFrame& frame : frames)
    if (!connection.send(frame.bytes())) break;
  const WsEnd end = read_ws_end(connection);
  if (end.code == wanted) return kept(std::move(sent), end.told);
  if (end.code != 0 || connection.ended()) return differs(std::move(sent), end.told);
  return broken(std::move(sent), end.told);
}

Outcome text(Context& context) {
  const std::array frames{WsFrame{ws::text, {'h', 'i'}}};
  return closes(context, "a text message", frames, 1003);
}

Outcome too_long(Context& context) {
  Worst worst("messages above 32,768 bytes");
  const std::array one{WsFrame{ws::binary, std::vector<std::uint8_t>(40'000)}};
  worst.add("one frame", closes(context, {}, one, 1009));
  // Records that are good, so that only the length of the message is wrong.
  WsSession opened = open_websocket(context);
  std::vector<std::uint8_t> first(h2::preface.begin(), h2::preface.end());
  const auto settings = frame(h2::settings, 0, 0, {});
  first.insert(first.end(), settings.begin(), settings.end());
  opened.connection.send(WsFrame{ws::binary, seal_record(opened.keys, 0, first), false}.bytes());
  const auto unknown = frame(0xfb, 0, 0, std::vector<std::uint8_t>(4'000));
  for (std::uint64_t i = 1; i <= 20; ++i)
    if (!opened.connection.send(
            WsFrame{ws::continuation, seal_record(opened.keys, i, unknown), false}.bytes()))
      break;
  const WsEnd end = read_ws_end(opened.connection);
  worst.add("twenty fragments", end.code == 1009                             ? kept({}, end.told)
                                : end.code != 0 || opened.connection.ended() ? differs({}, end.told)
                                                                             : broken({}, end.told));
  return worst.outcome();
}

Outcome broken_frames(Context& context) {
  Worst worst("frames against RFC 6455");
  const auto add = [&](std::string_view what, const WsFrame& frame) {
    worst.add(what, closes(context, {}, std::span(&frame, 1), 1002));
  };
  add("not masked", WsFrame{ws::binary, {1}, true, false});
  add("a reserved bit", WsFrame{ws::binary, {1}, true, true, 4});
  add("opcode 3", WsFrame{3, {1}});
  add("a continuation of nothing", WsFrame{ws::continuation, {1}});
  add("a ping of 126 bytes", WsFrame{ws::ping, std::vector<std::uint8_t>(126)});
  add("a ping in fragments", WsFrame{ws::ping, {1}, false});
  return worst.outcome();
}

Outcome bad_records(Context& context) {
  const std::array frames{
      WsFrame{ws::binary, {4, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}}};
  Initiation initiation = context.initiation();
  RawConnection connection = context.connect();
  connection.send(websocket_request(context, initiation.message));
  if (const HttpAnswer answer = read_answer(connection); answer.status != 101)
    throw Obstacle("a good WebSocket upgrade got " + answer.told());
  connection.send(frames[0].bytes());
  const WsEnd end = read_ws_end(connection);
  return kept_if(end.code != 0 || connection.ended(), "a record that does not open", end.told);
}

Outcome bad_initiation(Context& context) {
  Initiation initiation = context.initiation();
  initiation.message[60] ^= 1;
  RawConnection connection = context.connect();
  connection.send(websocket_request(context, initiation.message));
  const HttpAnswer answer = read_answer(connection);
  const std::string sent = "an initiation with a bit flipped";
  if (answer.status != 101)
    return kept_if(answer.refused() || (answer.status == 0 && connection.ended()), sent,
                   answer.told() + ", connection " + connection.state());
  const WsEnd end = read_ws_end(connection);
  return kept_if(end.code != 0 || connection.ended(), sent, end.told);
}

constexpr unsigned loud = needs::websocket | needs::noise | needs::hostile;
constexpr std::array checks{
    Check{"websocket.text", "ENT-15", Level::must, loud, "a text message ends with 1003",
          "the stream is binary", text},
    Check{"websocket.long", "ENT-15", Level::must, loud, "a message above 32,768 bytes ends with 1009",
          "endless fragments cost memory", too_long},
    Check{"websocket.frames", "ENT-16", Level::must, loud, "a frame against the rules ends with 1002",
          "a proxy may read it otherwise", broken_frames},
    Check{"websocket.record", "REC-7", Level::must, loud, "a record that does not open ends the connection",
          "its machine has not said it", bad_records},
    Check{"websocket.initiation", "HSK-3", Level::must, loud, "an initiation that does not open is the end",
          "its machine has not said it", bad_initiation},
};

}  // namespace

std::span<const Check> hostile_websocket_checks() { return checks; }

}  // namespace ts2021::app::conformance
