// SPDX-License-Identifier: BSD-3-Clause
// Many at once: full maps wait for their turn, rounds for the frames of the last one, the refused for chance.
#include <set>

#include "coord/fan_out.h"
#include "coord/lanes.h"
#include "support/catch.h"
#include "support/coord_desk.h"

namespace ts2021::test {
namespace {

using coord::FanOut;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Crowd {
  explicit Crowd(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Client& client = clients.emplace_back(desk, i + 1);
      client.enroll();
    }
  }
  void open_polls_slowly() {
    for (Client& client : clients) {
      desk.slow[client.session] = true;
      client.start_poll();
    }
    desk.pump();
  }
  [[nodiscard]] std::size_t served() {
    std::size_t count = 0;
    for (Client& client : clients) count += !client.poll_inbox().messages.empty();
    return count;
  }
  void take(Client& client) {
    desk.take(client.session, client.poll);
    desk.pump();
  }

  Desk desk;
  std::deque<Client> clients;
};

}  // namespace

TEST_CASE("in a storm of polls so many full maps are in flight, and the next leaves as one is taken") {
  Crowd crowd(FanOut::max_full_maps_out + 40);
  crowd.open_polls_slowly();
  CHECK(crowd.served() == FanOut::max_full_maps_out);
  for (std::size_t i = 0; i < 10; ++i) crowd.take(crowd.clients[i]);
  CHECK(crowd.served() == FanOut::max_full_maps_out + 10);
  crowd.desk.gone(crowd.clients[20].session);
  crowd.desk.pump();
  CHECK(crowd.served() == FanOut::max_full_maps_out + 11);
}

TEST_CASE("readers that take no full map hold up the others for five seconds at most") {
  Crowd crowd(2 * FanOut::max_full_maps_out);
  crowd.open_polls_slowly();
  crowd.desk.advance(milliseconds{4900});
  CHECK(crowd.served() == FanOut::max_full_maps_out);
  crowd.desk.advance(milliseconds{200});
  CHECK(crowd.served() == 2 * FanOut::max_full_maps_out);
}

TEST_CASE("another policy sends full maps to all, so many at a time") {
  Crowd crowd(FanOut::max_full_maps_out + 40);
  for (Client& client : crowd.clients) client.start_poll();
  crowd.desk.advance(seconds{3});
  for (Client& client : crowd.clients) {
    client.read_all();
    crowd.desk.slow[client.session] = true;
  }
  crowd.desk.order(coord_command::SetPolicy{std::make_shared<const AllowAll>()});
  crowd.desk.advance(seconds{2});
  CHECK(crowd.served() == FanOut::max_full_maps_out);
  for (Client& client : crowd.clients) {
    crowd.desk.slow[client.session] = false;
    crowd.take(client);
  }
  CHECK(crowd.served() == crowd.clients.size());
}

TEST_CASE("while changes go on, a round waits until most frames of the last one have left") {
  Crowd crowd(40);
  for (Client& client : crowd.clients) client.start_poll();
  crowd.desk.advance(seconds{3});
  for (Client& client : crowd.clients) {
    client.read_all();
    crowd.desk.slow[client.session] = true;
  }
  Client bob(crowd.desk, 100);
  const auto change = [&](std::uint16_t port) {
    bob.endpoints = {{IpAddress::v4(0x0a000001), port}};
    bob.update();
    crowd.desk.pump();
  };
  bob.enroll();
  crowd.desk.pump();
  const auto rounds = crowd.desk.coordinator.counters().rounds;
  CHECK(crowd.served() == 40);  // the first change after quiet
  change(1);
  crowd.desk.advance(milliseconds{100});
  for (std::size_t i = 0; i < 20; ++i) crowd.take(crowd.clients[i]);
  CHECK(crowd.desk.coordinator.counters().rounds == rounds);
  for (std::size_t i = 20; i < 36; ++i) crowd.take(crowd.clients[i]);  // four of them never will
  CHECK(crowd.desk.coordinator.counters().rounds == rounds);
  crowd.desk.advance(milliseconds{310});  // four times the 100 ms that it took
  CHECK(crowd.desk.coordinator.counters().rounds == rounds + 1);
}

TEST_CASE("API-97 the refused are told to come back at different times") {
  Desk desk;
  Client alice(desk, 1);
  alice.enroll();
  // The first waits for the store, which nobody asks; the others for the first.
  for (std::uint64_t i = 0; i < coord::Lanes::max_waiting + 60; ++i) {
    MapRequest request = alice.map_request();
    request.stream = false;
    request.omit_peers = true;
    request.endpoints = {{IpAddress::v4(0x0a000001), static_cast<std::uint16_t>(i + 1)}};
    desk.coordinator.handle(
        coord_input::Map{alice.session, CallId{1000 + i}, std::make_shared<const MapRequest>(request)},
        desk.clock.now);
  }
  std::set<std::int64_t> times;
  while (const auto event = desk.coordinator.next_event())
    if (const auto* refused = std::get_if<coord_event::Refused>(&*event)) {
      REQUIRE(refused->retry_after);
      CHECK(refused->status == 503);
      times.insert(refused->retry_after->count());
    }
  REQUIRE(!times.empty());
  CHECK(*times.begin() >= 1);
  CHECK(*times.rbegin() <= 5);
  CHECK(times.size() > 2);
}

}  // namespace ts2021::test
