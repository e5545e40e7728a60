// SPDX-License-Identifier: BSD-3-Clause
// Real clients' flights, recorded against the official server, given to ours.
#include "unit/h2/h2_support.h"

using namespace ts2021;
using namespace ts2021::h2;
using namespace ts2021::h2::test;
using ts2021::test::Chunks;

namespace {

struct Flight {
  std::string_view file;
  std::size_t registers, maps, healths, body_bytes, resets;
};
// Counted with another implementation; see tests/vectors/h2/README.md.
constexpr Flight flights[] = {
    {"h2/v1.24.2-02.c2s", 1, 9, 0, 8'111, 1},       {"h2/v1.40.1-01.c2s", 1, 4, 0, 4'776, 1},
    {"h2/v1.60.1-01.c2s", 1, 6, 0, 6'654, 1},       {"h2/v1.80.3-01.c2s", 1, 7, 19, 10'417, 1},
    {"h2/v1.98.1-02.c2s", 1, 4, 0, 4'501, 1},       {"h2/v1.104.5-01.c2s", 1, 6, 0, 6'780, 1},
    {"h2/tailscale-rs-01.c2s", 1, 14, 0, 5'028, 9},
};

struct Count {
  std::size_t kinds[256] = {};
  std::size_t body_bytes = 0, closed = 0;
  std::string transcript;
};

// Answers everything with an open stream, so that a later reset is seen as one.
Count drive(const Chunks& chunks) {
  Count count;
  ServerSession session(routes, {});
  ts2021::test::Clock clock;
  (void)drain(session);
  for (const Buffer& chunk : chunks) {
    const auto fed = session.feed(chunk, clock.now);
    if (!fed) {
      UNSCOPED_INFO("failed: " << fed.error());
      REQUIRE(fed);
    }
    while (const auto event = session.next_event()) {
      if (std::holds_alternative<StreamClosed>(*event)) ++count.closed;
      const auto* request = std::get_if<Request>(&*event);
      if (!request) continue;
      ++count.kinds[static_cast<std::size_t>(request->route)];
      count.body_bytes += request->body.size();
      count.transcript.append(request->path).append("\n").append(as_text(request->body)).append("\n");
      for (const Header& header : request->headers)
        count.transcript.append(header.name).append(": ").append(header.value).append("\n");
      REQUIRE(session.start_stream(request->stream, {200, "", {}}));
      const SharedBytes piece = share("{}");
      REQUIRE(*session.push(request->stream, std::span(&piece, 1)));
      session.release(request->stream);
    }
    REQUIRE(
        session.drain_to(FrameSink{nullptr, [](void*, std::span<const Bytes>) noexcept { return true; }}));
  }
  REQUIRE(session.preface_received());
  REQUIRE(session.unreleased_bytes() == 0);
  return count;
}

// The flight frame by frame, so that a reset comes after the answer to its request.
Chunks by_frames(const Buffer& flight) {
  Chunks out{Buffer(flight.begin(), flight.begin() + 24)};
  for (const Frame& f : frames(Bytes(flight).subspan(24)))
    out.push_back(frame(f.type, f.flags, f.stream, f.payload));
  return out;
}

}  // namespace

// H2-4: the clients before 1.36 use the dynamic table whatever HEADER_TABLE_SIZE says.
TEST_CASE("flights of seven generations of clients are understood (H2-4, H2-10)") {
  for (const Flight& flight : flights) {
    INFO(flight.file);
    const Count count = drive(by_frames(ts2021::test::read_file(ts2021::test::vector_path(flight.file))));
    REQUIRE(count.kinds[route_register] == flight.registers);
    REQUIRE(count.kinds[route_map] == flight.maps);
    REQUIRE(count.kinds[route_health] == flight.healths);
    REQUIRE(count.body_bytes == flight.body_bytes);
    REQUIRE(count.closed == flight.resets);
  }
}

TEST_CASE("a recorded flight may be cut anywhere") {
  const Buffer flight = ts2021::test::read_file(ts2021::test::vector_path("h2/v1.98.1-02.c2s"));
  // Without the reset: whether a request is forgotten or cancelled depends on who was asked in between.
  Buffer kept(flight.begin(), flight.begin() + 24);
  for (const Frame& f : frames(Bytes(flight).subspan(24)))
    if (f.type != rst) kept = kept + frame(f.type, f.flags, f.stream, f.payload);
  ts2021::test::cut_anywhere(kept, [](const Chunks& chunks) { return drive(chunks).transcript; });
}
