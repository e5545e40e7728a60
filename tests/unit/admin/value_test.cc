// SPDX-License-Identifier: BSD-3-Clause
// The small things that calls are written with.
#include "admin/c2n_message.h"
#include "admin/duration.h"
#include "admin/logins.h"
#include "admin/members.h"
#include "admin/merge_patch.h"
#include "admin/query.h"
#include "support/catch.h"

using namespace ts2021;
using namespace ts2021::admin;
using std::chrono::milliseconds;

TEST_CASE("Durations are whole numbers with units") {
  CHECK(parse_duration("250ms") == milliseconds{250});
  CHECK(parse_duration("5s") == milliseconds{5'000});
  CHECK(parse_duration("2m") == milliseconds{120'000});
  CHECK(parse_duration("1h30m") == milliseconds{5'400'000});
  CHECK(parse_duration("0s") == milliseconds{0});
  for (const char* wrong : {"", "5", "s", "5 s", "-5s", "5sec", "5x", "999999999h", "99999999999s"})
    CHECK_FALSE(parse_duration(wrong));
}

TEST_CASE("Queries are read without their escapes") {
  CHECK(query_text("a=1&type=x%2Cy+z", "type") == "x,y z");
  CHECK(query_text("a=1", "a") == "1");
  CHECK_FALSE(query_text("a=1", "b"));
  CHECK(patience("") == default_patience);
  CHECK(patience("timeout=2m") == std::chrono::minutes{2});
  CHECK(patience("timeout=10m") == max_patience);
  CHECK_FALSE(patience("timeout=601s"));
  CHECK_FALSE(patience("timeout=soon"));
  CHECK(pushes("") == true);
  CHECK(pushes("push=false") == false);
  CHECK_FALSE(pushes("push=no"));
  CHECK(parse_name('h', "h12") == 12);
  for (const char* wrong : {"12", "h", "h0", "h-1", "h1x", "c1", "h99999999999999999999"})
    CHECK_FALSE(parse_name('h', wrong));
  CHECK(comma_list(",a,,b,") == std::vector<std::string_view>{"a", "b"});
}

TEST_CASE("A merge patch changes as RFC 7396 says") {
  const auto merged = [](std::string_view target, std::string_view patch) {
    json::Document a, b;
    return merge_patch(*a.parse_copy(as_bytes(target)), *b.parse_copy(as_bytes(patch)));
  };
  // The examples of its appendix A.
  CHECK(merged(R"({"a":"b"})", R"({"a":"c"})") == R"({"a":"c"})");
  CHECK(merged(R"({"a":"b"})", R"({"b":"c"})") == R"({"a":"b","b":"c"})");
  CHECK(merged(R"({"a":"b"})", R"({"a":null})") == "{}");
  CHECK(merged(R"({"a":"b","b":"c"})", R"({"a":null})") == R"({"b":"c"})");
  CHECK(merged(R"({"a":["b"]})", R"({"a":"c"})") == R"({"a":"c"})");
  CHECK(merged(R"({"a":"c"})", R"({"a":["b"]})") == R"({"a":["b"]})");
  CHECK(merged(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})") == R"({"a":{"b":"d"}})");
  CHECK(merged(R"({"a":[{"b":"c"}]})", R"({"a":[1]})") == R"({"a":[1]})");
  CHECK(merged(R"(["a","b"])", R"(["c","d"])") == R"(["c","d"])");
  CHECK(merged(R"({"a":"b"})", R"(["c"])") == R"(["c"])");
  CHECK(merged(R"({"a":"foo"})", "null") == "null");
  CHECK(merged(R"({"a":"foo"})", R"("bar")") == R"("bar")");
  CHECK(merged(R"({"e":null})", R"({"a":1})") == R"({"e":null,"a":1})");
  CHECK(merged("[1,2]", R"({"a":"b","c":null})") == R"({"a":"b"})");
  CHECK(merged("{}", R"({"a":{"bb":{"ccc":null}}})") == R"({"a":{"bb":{}}})");
}

TEST_CASE("Bodies name the member that is wrong") {
  const auto wrong = [](std::string_view body) {
    json::Document document;
    Members members(document, body);
    bool flag = false;
    std::int64_t number = 0;
    members.take("flag", flag);
    members.take("number", number);
    return members.finish();
  };
  CHECK(wrong("").empty());
  CHECK(wrong(R"({"flag":true,"number":3})").empty());
  CHECK(wrong(R"({"flag":1})") == "\"flag\" must be true or false");
  CHECK(wrong(R"({"number":1.5})") == "\"number\" must be a whole number");
  CHECK(wrong(R"({"Flag":true})") == "\"Flag\" is not a known member");
  CHECK(wrong(R"({"flag":true,"flag":true})") == "\"flag\" is there twice");
  CHECK(wrong("[]") == "the body is not an object");
  CHECK(wrong("{") == "the body is not JSON");
}

TEST_CASE("A login is named by what stands behind the first mark") {
  CHECK(login_id("http://proxy.test/x/auth/0123/auth/4") == "0123/auth/4");
  CHECK(login_id("/auth/ab") == "ab");
  CHECK(login_id("https://control.test/a/xyz") == "xyz");
  CHECK(login_id("https://control.test/b/xyz").empty());
}

TEST_CASE("A request to a node is written as HTTP") {
  C2nRequest request;
  CHECK(parse_c2n(R"({"method":"POST","path":"/echo?x=1","headers":{"Host":["h.test"],"X-A":["1","2"]},)"
                  R"("body":"aGVsbG8=","timeout":"5s","wait":false})",
                  request)
            .empty());
  CHECK(request.timeout == std::chrono::seconds{5});
  CHECK_FALSE(request.wait);
  CHECK(http_text(request) ==
        "POST /echo?x=1 HTTP/1.1\r\nHost: h.test\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 5\r\n\r\nhello");
  C2nRequest plain;
  CHECK(parse_c2n(R"({"path":"/a"})", plain).empty());
  CHECK(http_text(plain) == "GET /a HTTP/1.1\r\nHost: \r\n\r\n");
  for (const char* wrong : {R"({})", R"({"path":"a"})", R"({"path":"/a b"})",
                            R"({"path":"/a","method":"G T"})", R"({"path":"/a","headers":{"X":["a\r\nb"]}})",
                            R"({"path":"/a","headers":{"X Y":["a"]}})", R"({"path":"/a","headers":["X"]})",
                            R"({"path":"/a","body":"?"})", R"({"path":"/a","timeout":"11m"})"}) {
    C2nRequest out;
    CHECK_FALSE(parse_c2n(wrong, out).empty());
  }
}

TEST_CASE("A node's answer ends by its length, by chunks, or with the text") {
  const auto by_length = parse_http_response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "GET");
  REQUIRE(by_length);
  CHECK(by_length->body == "hi");
  const auto by_chunks = parse_http_response(
      "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n", "GET");
  REQUIRE(by_chunks);
  CHECK(by_chunks->status == 404);
  CHECK(by_chunks->body == "hi!");
  const auto by_end = parse_http_response("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it", "POST");
  REQUIRE(by_end);
  CHECK(by_end->body == "all of it");
  const auto none = parse_http_response("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "HEAD");
  REQUIRE(none);
  CHECK(none->body.empty());
  CHECK(answer_json(*by_length) == R"({"status":200,"headers":{"Content-Length":["2"]},"body":"aGk="})");
  for (const char* wrong :
       {"", "hello", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"})
    CHECK_FALSE(parse_http_response(wrong, "GET"));
}
