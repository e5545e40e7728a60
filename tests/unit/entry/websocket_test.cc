// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/entry/websocket.h"

#include <array>

#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;
using namespace ts2021::entry;
using test::Buffer;

namespace {

enum : std::uint8_t {
  more = 0x00,
  text_op = 0x01,
  binary = 0x02,
  close_op = 0x08,
  ping = 0x09,
  pong = 0x0a,
  fin = 0x80
};

// One frame, masked with a fixed key unless `masked` is false. The first byte is given whole.
Buffer frame(int first, Bytes payload, bool masked = true) {
  Buffer bytes;
  bytes.reserve(payload.size() + 14);
  bytes.push_back(static_cast<std::uint8_t>(first));
  const int bit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    bytes.push_back(static_cast<std::uint8_t>(bit | static_cast<int>(payload.size())));
  } else {
    const bool wide = payload.size() > 0xffff;
    bytes.push_back(static_cast<std::uint8_t>(bit | (wide ? 127 : 126)));
    for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::uint8_t>(payload.size() >> shift));
  }
  const std::uint8_t key[4] = {0x11, 0xa2, 0x33, 0xf4};
  if (masked)
    for (const auto byte : key) bytes.push_back(byte);
  for (std::size_t i = 0; i < payload.size(); ++i)
    bytes.push_back(masked ? static_cast<std::uint8_t>(payload[i] ^ key[i % 4]) : payload[i]);
  return bytes;
}
Buffer frame(int first, std::string_view payload, bool masked = true) {
  return frame(first, as_bytes(payload), masked);
}
Buffer join(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const Buffer& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
Buffer close_frame(std::uint16_t code, std::string_view reason, bool masked = true) {
  std::array<std::uint8_t, 2> head{};
  store_u16be(head, code);
  return frame(fin | close_op, test::string(head).append(reason), masked);
}

struct Side {
  explicit Side(WebSocket::Role role, std::size_t queue = 1 << 20)
      : out(pool, queue), socket(role, entropy) {}
  test::SeededEntropy entropy;
  BlockPool pool{200};
  ByteQueue out;
  WebSocket socket;

  Buffer written() {
    socket.fill(out);
    Buffer all;
    std::array<Bytes, 200> pieces;
    const std::size_t count = out.gather(pieces);
    for (std::size_t i = 0; i < count; ++i) all.insert(all.end(), pieces[i].begin(), pieces[i].end());
    out.clear();
    return all;
  }
};

struct Seen {
  std::string payload;
  std::uint16_t origin = 0;
  bool closed = false;
  Buffer answer;
};

Seen serve(const test::Chunks& chunks, WebSocket::Role role = WebSocket::Role::server) {
  Side side(role);
  Seen seen;
  for (const Buffer& chunk : chunks) {
    const auto fed = side.socket.feed(chunk);
    if (!fed) seen.origin = fed.error().origin;
    for (MutableBytes bytes = side.socket.next(); !bytes.empty(); bytes = side.socket.next())
      seen.payload += as_text(bytes);
  }
  seen.closed = side.socket.peer_closed();
  seen.answer = side.written();
  return seen;
}

std::string transcript(const test::Chunks& chunks) {
  const Seen seen = serve(chunks);
  return seen.payload + " " + std::to_string(seen.origin) + (seen.closed ? " closed " : " ") +
         test::hex(seen.answer);
}

// The code of the unmasked close frame that is the whole answer; 0 for anything else.
int close_code(const Buffer& answer) {
  if (answer.size() < 4 || answer[0] != (fin | close_op) || answer[1] + 2u != answer.size()) return 0;
  return load_u16be(Bytes(answer).subspan(2));
}

}  // namespace

TEST_CASE("ENT-15, row 35: borders of messages mean nothing, cut anywhere") {
  const Buffer input =
      join({frame(fin | binary, "rec"), frame(fin | binary, "ord one, record two"), frame(binary, "thr"),
            frame(fin | ping, "p1"), frame(more, ""), frame(more, "e"), frame(fin | pong, "unasked"),
            frame(fin | more, "e."), frame(fin | binary, ""), frame(fin | binary, std::string(300, 'x')),
            close_frame(1000, "bye"), frame(fin | binary, "after the end")});
  const Seen seen = serve({input});
  REQUIRE(seen.payload == "record one, record twothree." + std::string(300, 'x'));
  REQUIRE(seen.origin == 0);
  REQUIRE(seen.closed);
  REQUIRE(seen.answer == join({frame(fin | pong, "p1", false), close_frame(1000, "", false)}));
  test::cut_anywhere(input, transcript);
}

TEST_CASE("row 32: a text message ends with 1003") {
  for (const int first : {fin | text_op, 0 | text_op}) {
    const Seen seen = serve({join({frame(fin | binary, "good"), frame(first, "bad")})});
    REQUIRE(seen.payload == "good");
    REQUIRE(seen.origin == 364);
    REQUIRE(close_code(seen.answer) == 1003);
  }
}

TEST_CASE("row 33: 32768 bytes pass, one more ends with 1009, in one frame or many") {
  const std::string most(max_websocket_message, 'm');
  REQUIRE(serve({frame(fin | binary, most)}).payload == most);
  REQUIRE(serve({join({frame(binary, most), frame(fin | more, ""), frame(fin | binary, "next")})}).payload ==
          most + "next");
  const Seen one = serve({frame(fin | binary, most + "x")});
  REQUIRE(one.payload.empty());
  REQUIRE(one.origin == 367);
  REQUIRE(close_code(one.answer) == 1009);
  const Seen many = serve({join({frame(binary, most), frame(more, "x")})});
  REQUIRE(many.origin == 367);
  REQUIRE(close_code(many.answer) == 1009);
  const Seen huge = serve({test::unhex("82ff7fffffffffffffff0000000000")});
  REQUIRE(huge.origin == 367);
  REQUIRE(close_code(huge.answer) == 1009);
}

TEST_CASE(
    "row 34, ENT-16: unmasked, reserved bits, bad opcodes, bad lengths and bad fragments end with 1002") {
  struct {
    Buffer bytes;
    std::uint16_t origin;
  } const cases[] = {
      {frame(fin | binary, "x", false), 360},
      {frame(fin | ping, "", false), 360},
      {frame(fin | 0x40 | binary, "x"), 361},
      {frame(fin | 0x20 | binary, "x"), 361},
      {frame(fin | 0x10 | ping, "x"), 361},
      {frame(fin | more, "x"), 362},
      {join({frame(binary, "x"), frame(fin | text_op, "y")}), 363},
      {join({frame(binary, "x"), frame(fin | binary, "y")}), 365},
      {frame(fin | 3, "x"), 366},
      {frame(fin | 7, "x"), 366},
      {frame(fin | 0xb, "x"), 366},
      {frame(fin | 0xf, "x"), 366},
      {frame(ping, "x"), 371},                             // a fragmented control frame
      {frame(fin | ping, std::string(126, 'x')), 371},     // a long one
      {test::unhex("82fe007d00000000"), 371},              // 16-bit length that fits into 7
      {test::unhex("82ff000000000000ffff00000000"), 371},  // 64-bit length that fits into 16
      {test::unhex("82ffffffffffffffffff00000000"), 371},  // bit 63
      {frame(fin | close_op, "x"), 368},
      {close_frame(1005, ""), 369},
      {close_frame(999, ""), 369},
      {close_frame(5000, ""), 369},
  };
  for (const auto& row : cases) {
    INFO(test::hex(row.bytes));
    const Seen seen = serve({join({row.bytes, frame(fin | binary, "later")})});
    REQUIRE(seen.origin == row.origin);
    REQUIRE(close_code(seen.answer) == 1002);
    REQUIRE(seen.payload.find("later") == std::string::npos);
    test::cut_anywhere(row.bytes, transcript);
  }
  REQUIRE(serve({frame(fin | binary, "x", true)}, WebSocket::Role::client).origin == 360);
  REQUIRE(serve({frame(fin | binary, "x", false)}, WebSocket::Role::client).payload == "x");
}

TEST_CASE("ENT-17: codes of the peer's close") {
  for (const std::uint16_t code : std::initializer_list<std::uint16_t>{1000, 1001}) {
    const Seen seen = serve({close_frame(code, "reason")});
    REQUIRE(seen.closed);
    REQUIRE(seen.origin == 0);
    REQUIRE(close_code(seen.answer) == code);
  }
  for (const std::uint16_t code : std::initializer_list<std::uint16_t>{1002, 1008, 1011, 3000, 4999}) {
    Side side(WebSocket::Role::server);
    REQUIRE(side.socket.feed(close_frame(code, "")).error() == fail(Errc::end_of_stream, 370, code));
    REQUIRE(side.socket.peer_closed());
    REQUIRE(close_code(side.written()) == code);
  }
  const Seen bare = serve({frame(fin | close_op, "")});
  REQUIRE(bare.closed);
  REQUIRE(bare.origin == 370);
  REQUIRE(close_code(bare.answer) == 1000);
}

TEST_CASE("an error is final and silences everything after the close frame") {
  Side side(WebSocket::Role::server);
  const auto first = side.socket.feed(frame(fin | text_op, "x"));
  REQUIRE(first.error() == fail(Errc::bad_websocket_frame, 364));
  REQUIRE(side.socket.close_pending());
  REQUIRE(side.socket.feed(frame(fin | binary, "y")).error() == first.error());
  REQUIRE(side.socket.next().empty());
  REQUIRE(side.socket.append(test::buffer("z"), side.out));
  side.socket.close(1000, "too late");
  REQUIRE(close_code(side.written()) == 1003);
  REQUIRE_FALSE(side.socket.close_pending());
  REQUIRE(side.written().empty());
}

TEST_CASE("close with a reason, and the answer to it is the end") {
  Side server(WebSocket::Role::server);
  server.socket.close(1008, "client must speak the control subprotocol");
  REQUIRE(server.socket.close_pending());
  const Buffer bytes = server.written();
  REQUIRE(bytes == close_frame(1008, "client must speak the control subprotocol", false));
  Side client(WebSocket::Role::client);
  REQUIRE(client.socket.feed(bytes).error() == fail(Errc::end_of_stream, 370, 1008));
  REQUIRE(server.socket.feed(client.written()).error() == fail(Errc::end_of_stream, 370, 1008));
  REQUIRE(server.socket.peer_closed());
  REQUIRE(server.written().empty());
}

TEST_CASE("one append is one binary message; a client masks with fresh keys") {
  Side server(WebSocket::Role::server);
  const Buffer message = test::buffer(std::string(51, 'n'));
  REQUIRE(server.socket.append(message, server.out));
  REQUIRE(server.written() == frame(fin | binary, message, false));
  for (const std::size_t size :
       std::initializer_list<std::size_t>{0, 1, 125, 126, 4096, 16370, 16384, 32768}) {
    const std::string payload(size, 'p');
    INFO(size);
    REQUIRE(server.socket.append(as_bytes(payload), server.out));
    REQUIRE(server.written() == frame(fin | binary, payload, false));
    Side client(WebSocket::Role::client);
    REQUIRE(client.socket.append(as_bytes(payload), client.out));
    const Buffer masked = client.written();
    REQUIRE(masked.size() == frame(fin | binary, payload).size());
    REQUIRE(serve({masked}).payload == payload);
  }
  REQUIRE_FALSE(server.socket.append(Buffer(max_websocket_message + 1), server.out));
  Side client(WebSocket::Role::client);
  REQUIRE(client.socket.append(message, client.out));
  const Buffer first = client.written();
  REQUIRE(client.socket.append(message, client.out));
  REQUIRE(client.written() != first);
}

TEST_CASE("no room: append says so and writes nothing, fill keeps what is pending") {
  test::SeededEntropy entropy;
  BlockPool pool(1);
  ByteQueue out(pool, 100);
  WebSocket socket(WebSocket::Role::server, entropy);
  REQUIRE(socket.append(Buffer(80), out));
  const std::size_t size = out.size();
  REQUIRE_FALSE(socket.append(Buffer(80), out));
  REQUIRE(socket.feed(frame(fin | ping, std::string(100, 'p'))));
  socket.close(1000, {});
  socket.fill(out);
  REQUIRE(out.size() == size);
  REQUIRE(socket.close_pending());
  out.clear();
  ByteQueue roomy(pool, 1000);
  socket.fill(roomy);
  REQUIRE_FALSE(socket.close_pending());
  REQUIRE(roomy.size() == 102 + 4);
  roomy.clear();

  BlockPool none(0);
  ByteQueue nowhere(none, 1 << 20);
  WebSocket other(WebSocket::Role::server, entropy);
  REQUIRE_FALSE(other.append(Buffer(10), nowhere));
  REQUIRE_FALSE(other.append(Buffer(30'000), nowhere));
  REQUIRE(nowhere.empty());
}

TEST_CASE("row 33: pings and empty fragments without end take no memory; the newest ping is answered") {
  Side side(WebSocket::Role::server);
  Buffer flood = frame(binary, "");
  for (int i = 0; i < 2000; ++i) {
    const Buffer next = join({frame(fin | ping, std::to_string(i)), frame(more, "")});
    flood.insert(flood.end(), next.begin(), next.end());
  }
  const Buffer rest(flood.begin() + 6, flood.end());
  REQUIRE(side.socket.feed(flood));
  const std::size_t before = test::allocation_count();
  for (int i = 0; i < 10; ++i) REQUIRE(side.socket.feed(rest));
  REQUIRE(test::allocation_count() - before <= 10);
  REQUIRE(side.socket.next().empty());
  REQUIRE(side.written() == frame(fin | pong, "1999", false));
}

TEST_CASE("records travel without allocations once the buffers are there") {
  for (const auto role : {WebSocket::Role::server, WebSocket::Role::client}) {
    Side side(role);
    const Buffer record(4096, 'r');
    const Buffer input = frame(fin | binary, record, role == WebSocket::Role::server);
    const auto round = [&] {
      const bool sent = side.socket.append(record, side.out);
      side.out.clear();
      const bool read = side.socket.feed(input).has_value() && side.socket.next().size() == record.size();
      return sent && read;
    };
    for (int i = 0; i < 3; ++i) REQUIRE(round());
    const std::size_t before = test::allocation_count();
    bool good = true;
    for (int i = 0; i < 100; ++i) good = round() && good;
    const std::size_t made = test::allocation_count() - before;
    REQUIRE(good);
    REQUIRE(made == 0);
  }
}

TEST_CASE("payload is handed out in a writable view") {
  Side side(WebSocket::Role::server);
  REQUIRE(side.socket.feed(frame(fin | binary, "abc")));
  MutableBytes view = side.socket.next();
  view[0] = 'z';
  REQUIRE(as_text(view) == "zbc");
  REQUIRE(side.socket.next().empty());
}

TEST_CASE("two sides over a tiny socket") {
  test::tiny_socket([](std::size_t k) {
    Side client(WebSocket::Role::client), server(WebSocket::Role::server);
    std::string at_server, at_client;
    int sent = 0;
    const auto move = [k](Side& from, Side& to) {
      from.socket.fill(from.out);
      std::array<Bytes, 1> piece;
      if (from.out.gather(piece) == 0) return false;
      const Bytes part = piece[0].first(std::min(k, piece[0].size()));
      REQUIRE(to.socket.feed(part));
      from.out.consume(part.size());
      return true;
    };
    for (bool busy = true; busy;) {
      busy = false;
      if (sent < 20) {
        ++sent;
        REQUIRE(client.socket.append(as_bytes("to the server " + std::to_string(sent)), client.out));
        REQUIRE(server.socket.append(as_bytes(std::string(200, static_cast<char>('a' + sent))), server.out));
        if (sent == 20) client.socket.close(1000, "done");
        busy = true;
      }
      busy = move(client, server) || busy;
      busy = move(server, client) || busy;
      at_server += as_text(server.socket.next());
      at_client += as_text(client.socket.next());
    }
    REQUIRE(server.socket.peer_closed());
    REQUIRE(client.socket.peer_closed());
    return at_server + at_client;
  });
}
