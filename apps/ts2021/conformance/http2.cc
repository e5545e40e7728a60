// SPDX-License-Identifier: BSD-3-Clause
// HTTP/2 inside Noise, as honest clients use it.
#include <array>

#include "ts2021/conformance/context.h"
#include "ts2021/conformance/node_calls.h"

namespace ts2021::app::conformance {
namespace {

std::string number(std::optional<std::uint32_t> value) {
  return value ? std::to_string(*value) : "not announced";
}

Outcome streams(Context& context) {
  Http2Peer peer = context.open_http2();
  const auto value = peer.setting(h2::max_concurrent_streams);
  return kept_if(!value || *value >= 100, "a connection", "MAX_CONCURRENT_STREAMS " + number(value));
}

Outcome windows(Context& context) {
  Http2Peer peer = context.open_http2();
  const auto window = peer.setting(h2::initial_window_size), list = peer.setting(h2::max_header_list_size);
  return kept_if(window.value_or(65'535) >= 65'535 && list.value_or(1 << 30) >= 16'384, "a connection",
                 "INITIAL_WINDOW_SIZE " + number(window) + ", MAX_HEADER_LIST_SIZE " + number(list));
}

Outcome table_size(Context& context) {
  Http2Peer peer = context.open_http2();
  const auto value = peer.setting(h2::header_table_size);
  return kept_if(value.value_or(4096) >= 4096, "a connection", "HEADER_TABLE_SIZE " + number(value));
}

std::string answer_told(const std::optional<Frame>& answer, Http2Peer& peer) {
  return answer ? answer->told() : "no answer; connection " + peer.records().connection().state();
}

Outcome early_ack(Context& context) {
  RecordStream records = context.open_noise();
  // Before anything of the server is read.
  std::vector<std::uint8_t> flight(h2::preface.begin(), h2::preface.end());
  for (const auto& one : {frame(h2::settings, 0, 0, settings_payload({{h2::enable_push, 0}})),
                          frame(h2::settings, h2::ack, 0, {})})
    flight.insert(flight.end(), one.begin(), one.end());
  records.send(flight);
  Http2Peer peer(std::move(records));
  // Its own acknowledgement would be one too many.
  peer.read_greeting();
  const std::uint32_t stream = peer.post("/machine/map", context.harmless_body());
  const auto answer = peer.wait_for_answer(stream);
  return kept_if(answer && answer->type == h2::headers, "SETTINGS acknowledged in the first flight",
                 answer_told(answer, peer));
}

Outcome rust_flight(Context& context) {
  Http2Peer peer(context.open_noise());
  peer.read_greeting();
  peer.records().send(as_bytes(h2::preface));
  std::vector<std::uint8_t> rest;
  std::vector<std::uint8_t> window(4);
  store_u32be(window, 5'177'345);
  for (const auto& one : {frame(h2::settings, 0, 0,
                                settings_payload({{h2::enable_push, 0},
                                                  {h2::initial_window_size, 2'097'152},
                                                  {h2::max_frame_size, 16'384},
                                                  {h2::max_header_list_size, 16'384}})),
                          frame(h2::settings, h2::ack, 0, {}), frame(h2::window_update, 0, 0, window)})
    rest.insert(rest.end(), one.begin(), one.end());
  peer.records().send(rest);
  const std::uint32_t stream = peer.post("/machine/map", context.harmless_body());
  const auto answer = peer.wait_for_answer(stream);
  return kept_if(answer && answer->type == h2::headers,
                 "the preface alone in a record, then the Rust client's settings", answer_told(answer, peer));
}

Outcome go_settings(Context& context) {
  Http2Peer peer = context.open_http2({{h2::enable_push, 0},
                                       {h2::initial_window_size, 4'194'304},
                                       {h2::max_frame_size, 1'048'576},
                                       {h2::max_header_list_size, 10'485'760}});
  const std::uint32_t stream = peer.post("/machine/map", context.harmless_body());
  const auto answer = peer.wait_for_answer(stream);
  return kept_if(answer && answer->type == h2::headers,
                 "the Go client's settings, MAX_FRAME_SIZE 1,048,576 among them", answer_told(answer, peer));
}

// What the server answers to a request, by its status.
Outcome answered(Context& context, std::string sent, Call call, int wanted) {
  TestNode& node = context.fresh_node();
  const Answer answer = context.call(node, std::move(call));
  return kept_if(answer.status == wanted, std::move(sent), told(answer));
}

Outcome unknown_path(Context& context) {
  return answered(context, "POST to an unknown path", {.path = "/machine/no-such-thing", .body = "{}"}, 404);
}

Outcome wrong_method(Context& context) {
  TestNode& node = context.fresh_node();
  const Answer answer = context.call(node, {.method = "DELETE", .path = "/machine/map"});
  if (answer.status == 405) return kept("DELETE /machine/map", told(answer));
  return answer.status >= 400 && answer.status < 500 ? differs("DELETE /machine/map", told(answer))
                                                     : broken("DELETE /machine/map", told(answer));
}

Outcome old_paths(Context& context) {
  TestNode& node = context.fresh_node();
  const Answer answer = context.call(
      node, {.path = "/machine/" + node.machine.open.bare_text() + "/map", .body = std::string(40, 'x')});
  return kept_if(answer.status == 404 || answer.status == 405, "a path of TS2019 inside Noise", told(answer));
}

Outcome get_with_body(Context& context) {
  TestNode& node = context.fresh_node();
  const Answer answer =
      context.call(node, {.method = "GET", .path = "/machine/tka/bootstrap", .body = "{\"Version\":138}"});
  return kept_if(answer.status >= 200 && !node.session->closed(), "GET with a body, as tailnet lock has it",
                 told(answer));
}

// The kind of answer to a map request that means nothing: the same bytes for the same status, as the status
// is the first field and the connection is new.
std::string answer_to(Context& context, const std::vector<Field>& fields) {
  Http2Peer peer = context.open_http2();
  std::vector<Field> all{{":method", "POST"}, {":path", "/machine/map"}};
  all.insert(all.end(), fields.begin(), fields.end());
  all.emplace_back("content-length", "2");
  const std::uint32_t stream = peer.reserve_stream();
  (void)peer.send_frame(h2::headers, h2::end_headers, stream, field_block(all));
  (void)peer.send_frame(h2::data, h2::end_stream, stream, as_bytes("{}"));
  const auto answer = peer.wait_for_answer(stream);
  if (!answer || answer->type != h2::headers || answer->payload.empty()) return answer_told(answer, peer);
  return "HEADERS that begin with " + std::to_string(answer->payload[0]);
}

Outcome authority(Context& context) {
  Worst worst("requests by other authorities, schemes and hosts");
  const std::string usual = answer_to(context, {{":scheme", "https"}, {":authority", context.host()}});
  for (const auto& [scheme, authority] :
       {std::pair{"http", "unused"}, std::pair{"https", "elsewhere.example.com:1"}}) {
    const std::string other =
        answer_to(context, {{":scheme", scheme}, {":authority", authority}, {"host", "a.example.com"}});
    worst.add(authority, kept_if(usual == other && usual.starts_with("HEADERS"), {},
                                 other + (usual == other ? ", as usual" : ", else " + usual)));
  }
  return worst.outcome();
}

Outcome stalled_stream(Context& context) {
  Http2Peer peer = context.open_http2({{h2::enable_push, 0}, {h2::initial_window_size, 0}});
  const std::uint32_t first = peer.post("/machine/map", context.harmless_body());
  const auto one = peer.wait_for_answer(first);
  const std::uint32_t second = peer.post("/machine/map", context.harmless_body());
  const auto two = peer.wait_for_answer(second);
  const bool good = one && two && one->type == h2::headers && two->type == h2::headers;
  return kept_if(good && peer.lives(), "two requests, without a window for their answers' bodies",
                 answer_told(two, peer));
}

Outcome small_updates(Context& context) {
  Http2Peer peer = context.open_http2();
  std::vector<std::uint8_t> increment(4);
  store_u32be(increment, 4096);
  for (int i = 0; i < 200; ++i) (void)peer.send_frame(h2::window_update, 0, 0, increment);
  const bool lives = peer.lives();
  return kept_if(lives, "200 WINDOW_UPDATEs of 4 KiB", lives ? "PING answered" : peer.last_words());
}

Outcome resets(Context& context) {
  Http2Peer peer = context.open_http2();
  std::vector<std::uint8_t> cancel(4);
  store_u32be(cancel, 8);
  for (int i = 0; i < 40; ++i) {
    const std::uint32_t stream = peer.open_stream("POST", "/machine/map", false);
    (void)peer.send_frame(h2::rst_stream, 0, stream, cancel);
    (void)peer.send_frame(h2::ping, 0, 0, std::array<std::uint8_t, 8>{9});
  }
  const bool lives = peer.lives();
  return kept_if(lives, "40 cancelled requests, a PING beside each",
                 lives ? "PING answered" : peer.last_words());
}

Outcome trailers(Context& context) {
  Http2Peer peer = context.open_http2();
  const std::uint32_t stream = peer.open_stream("POST", "/machine/map", false, {{"te", "trailers"}});
  (void)peer.send_frame(h2::data, 0, stream, as_bytes(context.harmless_body()));
  (void)peer.send_frame(h2::headers, h2::end_headers | h2::end_stream, stream,
                        field_block({{"x-trailer", "1"}}));
  const auto answer = peer.wait_for_answer(stream);
  const bool good = answer && answer->type == h2::headers && peer.lives();
  return kept_if(good, "a request with trailers", answer_told(answer, peer));
}

Outcome unknown_frames(Context& context) {
  Http2Peer peer = context.open_http2({{h2::enable_push, 0}, {0x4242, 7}});
  (void)peer.send_frame(0xfb, 0xff, 0, as_bytes("something of another time"));
  const bool lives = peer.lives();
  return kept_if(lives, "a frame and a setting of unknown types",
                 lives ? "PING answered" : peer.last_words());
}

constexpr std::array checks{
    Check{"http2.streams", "H2-2", Level::must, needs::noise, "at least 100 streams at a time are allowed",
          "clients assume 100 before they know", streams},
    Check{"http2.windows", "H2-2", Level::must, needs::noise,
          "windows are not below the default, headers may have 16 KiB",
          "requests of busy clients stall or are refused", windows},
    Check{"http2.table", "H2-4", Level::must, needs::noise, "the header table is not made smaller",
          "official clients before 1.36 don't look at it; their second request can't be read", table_size},
    Check{"http2.early-ack", "H2-5", Level::must, needs::noise,
          "an acknowledgement of SETTINGS in the first flight is taken", "the C client sends it so",
          early_ack},
    Check{"http2.rust", "H2-12", Level::must, needs::noise, "the Rust client's first flight is taken",
          "it sends the preface alone", rust_flight},
    Check{"http2.go", "H2-14", Level::must, needs::noise, "the Go client's settings are taken",
          "1.104 announces large frames", go_settings},
    Check{"http2.unknown", "H2-11", Level::must, needs::noise, "an unknown path gets 404",
          "clients take 404 for a feature that is not there", unknown_path},
    Check{"http2.method", "H2-11", Level::should, needs::noise, "a wrong method is refused",
          "no client sends it", wrong_method},
    Check{"http2.old-paths", "BOX-5", Level::must, needs::noise, "paths of TS2019 are not found inside Noise",
          "a box names another machine than the session", old_paths},
    Check{"http2.get-body", "H2-13", Level::must, needs::noise, "GET may have a body", "tailnet lock asks so",
          get_with_body},
    Check{"http2.authority", "H2-10", Level::must, needs::noise, "authority, scheme and host decide nothing",
          "clients send `unused`, the name without its port, and http", authority},
    Check{"http2.stall", "H2-8", Level::must, needs::noise, "a full window stalls its stream only",
          "a map that is not read would block all else", stalled_stream},
    Check{"http2.updates", "H2-12", Level::must, needs::noise, "windows may be opened by 4 KiB at a time",
          "Go clients do so", small_updates},
    Check{"http2.resets", "H2-9", Level::must, needs::noise,
          "forty cancelled requests with a PING each are no flood",
          "clients cancel and repeat often when their network changes", resets},
    Check{"http2.trailers", "H2-13", Level::should, needs::noise, "trailers are ignored",
          "no client sends them", trailers},
    Check{"http2.new-frames", "H2-1", Level::must, needs::noise, "unknown frames and settings are skipped",
          "libraries add them", unknown_frames},
};

}  // namespace

std::span<const Check> http2_checks() { return checks; }

}  // namespace ts2021::app::conformance
