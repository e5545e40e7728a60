// SPDX-License-Identifier: BSD-3-Clause
// The form of a line: what is written reads back the same, and what is no line is refused.
#include "ts2021/capture/line.h"

#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;

namespace {

CaptureLine with_body(std::string_view body) {
  CaptureLine line;
  line.layer = CaptureLayer::api;
  line.event = "request";
  line.body.assign(body.begin(), body.end());
  return line;
}

std::uint16_t origin(std::string_view text) {
  const auto line = parse_capture_line(as_bytes(text));
  return line ? 0 : line.error().origin;
}

}  // namespace

TEST_CASE("every member of a line is written and read") {
  CaptureLine line;
  line.at = std::chrono::microseconds{12'000'345};
  line.session = 7;
  line.layer = CaptureLayer::http;
  line.way = trace::Way::out;
  line.event = "answer";
  line.stream = 3;
  line.status = 200;
  line.method = "POST";
  line.path = "/machine/map?x=\"1\"";
  line.headers = {{"content-type", "a\nb"}, {"x", ""}};
  line.peer = "127.0.0.1:1";
  line.machine = "mkey:aa";
  line.server = "mkey:bb";
  line.why = "because";
  line.version = 138;
  line.websocket = line.boxed = true;
  line.size = 123;
  line.records_in = 1;
  line.records_out = std::uint64_t{1} << 60;
  line.body = {'{', '}'};
  const std::string text = ts2021::text(line);
  REQUIRE(text.starts_with(R"({"t":12.000345,"session":7,"layer":"http","dir":"out","event":"answer",)"));
  REQUIRE(text.ends_with("\"message\":{}}\n"));
  REQUIRE(text.find('\n') == text.size() - 1);
  const auto back = parse_capture_line(as_bytes(text));
  REQUIRE(back);
  REQUIRE(*back == line);
}

TEST_CASE("a body is JSON where it is an object or a list, text where it is text, else base64") {
  const auto written = [](std::string_view body) {
    const std::string text = ts2021::text(with_body(body));
    const auto back = parse_capture_line(as_bytes(text));
    REQUIRE(back);
    const std::string prefix = R"({"t":0.000000,"layer":"api","dir":"in","event":"request")";
    REQUIRE(text.starts_with(prefix));
    return text.substr(prefix.size(), text.size() - prefix.size() - 2) + " " + test::string(back->body);
  };
  REQUIRE(written("") == " ");
  REQUIRE(written("{\"a\" :\n[1, 2]}") == R"(,"message":{"a":[1,2]} {"a":[1,2]})");
  REQUIRE(written("[ ]") == ",\"message\":[] []");
  REQUIRE(written("{broken") == ",\"message\":\"{broken\" {broken");
  REQUIRE(written("\"text\"") == R"(,"message":"\"text\"" "text")");
  REQUIRE(written("not found\n") == ",\"message\":\"not found\\n\" not found\n");
  REQUIRE(written("\xff\x01") == ",\"base64\":\"/wE=\" \xff\x01");
}

TEST_CASE("time keeps its microseconds over weeks") {
  CaptureLine line = with_body("");
  for (const std::int64_t count : {INT64_C(0), INT64_C(1), INT64_C(999'999), INT64_C(86'400'000'001)}) {
    line.at = std::chrono::microseconds{count};
    REQUIRE(parse_capture_line(as_bytes(ts2021::text(line)))->at == line.at);
  }
}

TEST_CASE("what is no line is refused; members that nobody knows are skipped") {
  REQUIRE(origin("{\"layer\":\"api\",\"event\":\"x\",\"new\":[{}]}") == 0);
  REQUIRE(origin("[]") == 1400);
  REQUIRE(origin("{\"layer\":\"api\"}") == 1402);
  REQUIRE(origin("{\"layer\":\"moon\",\"event\":\"x\"}") == 1402);
  for (const std::string_view member :
       {"\"t\":-1", "\"t\":\"now\"", "\"dir\":\"up\"", "\"session\":-1", "\"stream\":4294967296",
        "\"path\":1", "\"headers\":{}", "\"headers\":[[\"a\"]]", "\"base64\":\"!\"", "\"boxed\":0"}) {
    INFO(member);
    REQUIRE(origin("{\"layer\":\"api\",\"event\":\"x\"," + std::string(member) + "}") == 1401);
  }
}
