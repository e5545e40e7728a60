// SPDX-License-Identifier: BSD-3-Clause
// Hostile HTTP/2 inside Noise.
#include <array>

#include "ts2021/conformance/context.h"

namespace ts2021::app::conformance {
namespace {

// RFC 9113.
enum H2Error : std::uint32_t {
  protocol_error = 1,
  flow_control_error = 3,
  frame_size_error = 6,
  refused_stream = 7,
  enhance_your_calm = 11
};

// The connection ends, with this error of GOAWAY, else with another or none.
Outcome ends(Http2Peer& peer, std::string sent, std::uint32_t wanted) {
  std::string words = peer.last_words();
  if (peer.goaway() == wanted) return kept(std::move(sent), std::move(words));
  if (peer.goaway() || peer.records().connection().ended()) return differs(std::move(sent), std::move(words));
  return broken(std::move(sent), std::move(words));
}

Outcome not_http2(Context& context) {
  RecordStream records = context.open_noise();
  records.send(as_bytes("GET / HTTP/1.1\r\nHost: " + context.host() + "\r\n\r\n"));
  bool http1 = false;
  while (records.read_at_least(9, context.patience().silence)) {
    http1 = http1 || as_text(records.input()).starts_with("HTTP/1.");
    (void)records.take(records.input().size());
  }
  return kept_if(!http1 && records.connection().ended(), "HTTP/1.1 inside Noise",
                 std::string(http1 ? "an answer in HTTP/1.1, " : "no answer, ") + "connection " +
                     records.connection().state());
}

Outcome large_frame(Context& context) {
  Http2Peer peer = context.open_http2();
  (void)peer.lives();
  const std::uint32_t limit = peer.setting(h2::max_frame_size).value_or(16'384);
  peer.records().send(frame(h2::data, 0, 1, std::vector<std::uint8_t>(64), limit + 1));
  return ends(peer, "a frame of " + std::to_string(limit + 1) + " bytes", frame_size_error);
}

Outcome many_streams(Context& context) {
  Http2Peer peer = context.open_http2();
  (void)peer.lives();
  const std::uint32_t limit = peer.setting(h2::max_concurrent_streams).value_or(1'000'000);
  const std::string sent = "one stream more than is allowed";
  if (limit > 1'000) return not_applicable(sent, "more than 1,000 are allowed");
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i <= limit; ++i)
    last = peer.open_stream("POST", "/machine/map", false, {{"content-length", "100"}});
  const auto answer = peer.wait_for(
      [&](const Frame& got) {
        return got.type == h2::goaway || (got.type == h2::rst_stream && got.stream + 300 > last);
      },
      context.patience().silence);
  if (!answer)
    return kept_if(peer.records().connection().ended(), sent,
                   "connection " + peer.records().connection().state());
  return answer->error() == refused_stream ? kept(sent, answer->told()) : differs(sent, answer->told());
}

Outcome rapid_resets(Context& context) {
  Http2Peer peer = context.open_http2();
  std::vector<std::uint8_t> cancel(4);
  store_u32be(cancel, 8);
  for (int i = 0; i < 2'000; ++i) {
    const std::uint32_t stream = peer.open_stream("POST", "/machine/map", false);
    if (!peer.send_frame(h2::rst_stream, 0, stream, cancel)) break;
  }
  return ends(peer, "2,000 streams, opened and reset", enhance_your_calm);
}

Outcome flood(Context& context, std::string_view what, std::uint8_t type, Bytes payload) {
  Http2Peer peer = context.open_http2();
  for (int i = 0; i < 5'000; ++i)
    if (!peer.send_frame(type, 0, 0, payload)) break;
  return ends(peer, "5,000 " + std::string(what), enhance_your_calm);
}

Outcome pings(Context& context) { return flood(context, "PINGs", h2::ping, std::array<std::uint8_t, 8>{}); }

Outcome settings(Context& context) { return flood(context, "SETTINGS", h2::settings, {}); }

Outcome continuations(Context& context) {
  Http2Peer peer = context.open_http2();
  const std::uint32_t stream = peer.reserve_stream();
  bool all =
      peer.send_frame(h2::headers, 0, stream, field_block({{":method", "POST"}, {":path", "/machine/map"}}));
  const auto part = field_block({{"x-more", std::string(8'000, 'x')}});
  for (int i = 0; i < 256 && all; ++i) all = peer.send_frame(h2::continuation, 0, stream, part);
  std::string words = peer.last_words();
  const std::string sent = "2 MiB of CONTINUATION without an end";
  if (peer.records().connection().ended() || peer.goaway()) return kept(sent, words);
  return broken(sent, words);
}

Outcome header_bomb(Context& context) {
  Http2Peer peer = context.open_http2();
  // One long field into the table, then a thousand times from there.
  std::vector<std::uint8_t> block = field_block(
      {{":method", "POST"}, {":scheme", "https"}, {":authority", "unused"}, {":path", "/no/such/path"}});
  const auto field = field_block({{"x-bomb", std::string(4'000, 'x')}});
  block.push_back(0x40);
  block.insert(block.end(), field.begin() + 1, field.end());
  block.insert(block.end(), 8'000, 0xbe);
  const std::uint32_t stream = peer.reserve_stream();
  (void)peer.send_frame(h2::headers, h2::end_headers | h2::end_stream, stream, block);
  const auto answer = peer.wait_for_answer(stream);
  const std::string sent = "12 KiB of header that unfold to 32 MB";
  if (!answer)
    return kept_if(peer.records().connection().ended(), sent,
                   "connection " + peer.records().connection().state());
  if (answer->type != h2::headers) return kept(sent, answer->told());
  // An answer may be 431; the head is not looked into.
  return answer->payload.empty() || answer->payload[0] == 0x8d || answer->payload[0] == 0x88
             ? broken(sent, "it is taken")
             : kept(sent, "an error status");
}

Outcome windows(Context& context) {
  Worst worst("windows that can't be");
  std::vector<std::uint8_t> largest(4);
  store_u32be(largest, 0x7fffffff);
  {
    Http2Peer peer = context.open_http2();
    (void)peer.send_frame(h2::window_update, 0, 0, largest);
    (void)peer.send_frame(h2::window_update, 0, 0, largest);
    worst.add("above 2^31 - 1", ends(peer, {}, flow_control_error));
  }
  {
    Http2Peer peer = context.open_http2();
    (void)peer.send_frame(h2::window_update, 0, 0, std::array<std::uint8_t, 4>{});
    worst.add("opened by 0", ends(peer, {}, protocol_error));
  }
  {
    Http2Peer peer = context.open_http2({{h2::initial_window_size, 0x80000000}});
    worst.add("an initial one of 2^31", ends(peer, {}, flow_control_error));
  }
  return worst.outcome();
}

Outcome broken_frames(Context& context) {
  Worst worst("frames against RFC 9113");
  const auto add = [&](std::string_view what, std::uint8_t type, std::uint32_t stream, Bytes payload,
                       std::uint32_t wanted) {
    Http2Peer peer = context.open_http2();
    (void)peer.send_frame(type, type == h2::headers ? h2::end_headers : h2::none, stream, payload);
    worst.add(what, ends(peer, {}, wanted));
  };
  add("DATA of no stream", h2::data, 0, as_bytes("x"), protocol_error);
  add("HEADERS of an even stream", h2::headers, 2, field_block({{":method", "GET"}}), protocol_error);
  add("PING of 7 bytes", h2::ping, 0, std::array<std::uint8_t, 7>{}, frame_size_error);
  add("CONTINUATION of nothing", h2::continuation, 1, {}, protocol_error);
  add("a push", h2::push_promise, 1, std::array<std::uint8_t, 4>{}, protocol_error);
  return worst.outcome();
}

Outcome data_above_window(Context& context) {
  Http2Peer peer = context.open_http2();
  (void)peer.lives();
  const std::string sent = "a body far above the announced windows";
  if (peer.setting(h2::initial_window_size).value_or(65'535) > (2u << 20))
    return not_applicable(sent, "windows above 2 MiB");
  // A request that waits for its end, so that nothing opens the window.
  const std::uint32_t stream = peer.open_stream("POST", "/machine/map", false);
  const std::vector<std::uint8_t> part(16'000, 'x');
  bool all = true;
  for (int i = 0; i < 256 && all; ++i) all = peer.send_frame(h2::data, 0, stream, part);
  const auto answer = peer.wait_for(
      [&](const Frame& got) {
        return got.type == h2::goaway ||
               (got.stream == stream && (got.type == h2::rst_stream || got.type == h2::headers));
      },
      context.patience().silence);
  const std::string got = answer ? answer->told() : "connection " + peer.records().connection().state();
  return kept_if(answer || peer.records().connection().ended(), sent, got);
}

constexpr unsigned loud = needs::noise | needs::hostile;
constexpr std::array checks{
    Check{"http2.http1", "H2-1", Level::must, loud, "HTTP/1.1 is not spoken inside Noise",
          "no client does; what answers it was not meant to", not_http2},
    Check{"http2.frame-size", "H2-2", Level::must, loud, "a frame above MAX_FRAME_SIZE is FRAME_SIZE_ERROR",
          "it costs memory", large_frame},
    Check{"http2.too-many", "H2-7", Level::must, loud, "a stream above the limit is REFUSED_STREAM",
          "clients repeat such streams, and only such", many_streams},
    Check{"http2.rapid-reset", "H2-9", Level::should, loud,
          "2,000 streams opened and reset are ENHANCE_YOUR_CALM", "each costs more than it costs the client",
          rapid_resets},
    Check{"http2.pings", "H2-9", Level::should, loud, "5,000 PINGs are ENHANCE_YOUR_CALM",
          "each asks for an answer", pings},
    Check{"http2.settings", "H2-9", Level::should, loud, "5,000 SETTINGS are ENHANCE_YOUR_CALM",
          "each asks for an answer", settings},
    Check{"http2.continuation", "H2-3", Level::must, loud, "a head without an end ends the connection",
          "it costs memory", continuations},
    Check{"http2.bomb", "H2-3", Level::must, loud, "a small head that unfolds to a large one is refused",
          "it costs memory", header_bomb},
    Check{"http2.window", "H2-8", Level::must, loud, "windows that can't be are connection errors",
          "the count of bytes is lost", windows},
    Check{"http2.overrun", "H2-8", Level::must, loud, "a body above the window is an error",
          "it costs memory", data_above_window},
    Check{"http2.frames", "H2-1", Level::must, loud, "frames against RFC 9113 end the connection",
          "both ends no longer agree on what was said", broken_frames},
};

}  // namespace

std::span<const Check> hostile_http2_checks() { return checks; }

}  // namespace ts2021::app::conformance
