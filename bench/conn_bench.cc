// SPDX-License-Identifier: BSD-3-Clause
// The server's share of whole connections, joined to clients in memory: setting one up, pushing small
// messages, and draining a backlog. CPU time of the server's calls only; what the far end received is counted
// and printed.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "ratio.h"
#include "sim/pair.h"

using namespace ts2021;
using test::Pair;

namespace {

constexpr std::size_t set_ups = 300, pushes = 20'000, small = 300, backlog_messages = 60,
                      backlog_size = 600'000;

struct Watch {
  double seconds = 0;
  template <class Call>
  auto operator()(Call&& call) {
    const double from = bench::thread_seconds();
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      seconds += bench::thread_seconds() - from;
    } else {
      auto result = call();
      seconds += bench::thread_seconds() - from;
      return result;
    }
  }
};

void run(Pair& pair, Watch& watch) {
  for (bool busy = true; busy;) {
    busy = pair.step_client();
    if (watch([&] { return pair.step_server(); })) busy = true;
  }
}

// Opens a map stream that stays open and gives back its pair.
std::unique_ptr<Pair> streaming() {
  auto pair = std::make_unique<Pair>();
  Watch ignored;
  run(*pair, ignored);
  pair->hold_streams = true;
  pair->stream_messages = {"first"};
  pair->request("/stream", "{}");
  run(*pair, ignored);
  return pair;
}

int set_up() {
  Watch watch;
  std::size_t ready = 0;
  for (std::size_t i = 0; i < set_ups; ++i) {
    Pair pair;
    run(pair, watch);
    ready += pair.ready_seen;
  }
  std::printf(
      "set-up: upgrade, Noise, early payload, HTTP/2      %8.1f us of CPU each, %zu of %zu clients ready\n",
      1e6 * watch.seconds / set_ups, ready, set_ups);
  return ready == set_ups ? 0 : 1;
}

// One shared message of 300 bytes, pushed to one session again and again, each sealed and sent by itself.
int push_small() {
  auto pair = streaming();
  const std::array<SharedBytes, 2> message{share("1234"), share(std::string(small - 4, 'd'))};
  const StreamId stream = pair->streaming.front().stream;
  std::array<Bytes, 16> pieces;
  test::Buffer wire;
  Watch watch;
  std::uint64_t allocations = 0;
  std::size_t sealed = 0;
  const std::size_t before = pair->bodies[stream].size();
  for (std::size_t i = 0; i < pushes; ++i) {
    const std::uint64_t allocated = bench::allocations();
    std::size_t count = 0;
    watch([&] {
      const auto pushed = pair->server().push(stream, message, pair->clock.now);
      if (!pushed || *pushed != Pushed::accepted) return;
      count = pair->server().output(pieces, pair->clock.now);
    });
    allocations += bench::allocations() - allocated;
    wire.clear();
    for (std::size_t p = 0; p < count; ++p) wire.insert(wire.end(), pieces[p].begin(), pieces[p].end());
    sealed += wire.size();
    watch([&] {
      pair->server().output_sent(wire.size(), pair->clock.now);
      while (auto event = pair->server().next_event()) {
      }
    });
    if (!wire.empty()) (void)pair->client().receive(wire, pair->clock.now);
    pair->step_client();
    Watch ignored;
    if (i % 64 == 63) run(*pair, ignored);  // windows come back
  }
  Watch ignored;
  run(*pair, ignored);
  const std::size_t received = (pair->bodies[stream].size() - before) / small;
  std::printf("push of %zu shared bytes to one session              %8.2f us of CPU each, %.3f allocations\n",
              small, 1e6 * watch.seconds / pushes, static_cast<double>(allocations) / pushes);
  std::printf("  %zu bytes sealed, %zu of %zu messages received at the far end\n", sealed, received, pushes);
  return received == pushes ? 0 : 1;
}

// A peer that reads nothing for a while, then everything: what one writev gets.
int drain_backlog() {
  Pair pair;
  Watch watch;
  run(pair, watch);
  pair.stream_messages.assign(backlog_messages, std::string(backlog_size, 'z'));
  pair.request("/stream", "{}");
  watch.seconds = 0;
  std::size_t calls = 0, full = 0, bytes = 0;
  pair.on_output = [&](std::size_t size) {
    ++calls;
    full += size == 64 * 4096;
    bytes += size;
  };
  run(pair, watch);
  const std::size_t received = pair.bodies.begin()->second.size();
  std::printf(
      "backlog: %zu bytes sealed in %zu outputs, %zu of them of 64 full records, %.2f GB/s of server CPU\n",
      bytes, calls, full, 1e-9 * static_cast<double>(bytes) / watch.seconds);
  std::printf("  %zu of %zu bytes received at the far end\n", received,
              backlog_messages * (backlog_size + 2));
  return received == backlog_messages * (backlog_size + 2) && full > 0 ? 0 : 1;
}

}  // namespace

int main() { return set_up() | push_small() | drain_backlog(); }
