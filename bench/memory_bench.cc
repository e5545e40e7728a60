// SPDX-License-Identifier: BSD-3-Clause
// Bytes of heap that one idle connection costs a server, and one node its coordinator, by part: what malloc
// has handed out, averaged over many.
#include <malloc.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "crowd.h"
#include "h2/server_session.h"
#include "sim/pair.h"

using namespace ts2021;
using test::Pair;

namespace {

constexpr std::size_t count = 500;

std::size_t heap() { return mallinfo2().uordblks; }

double per_connection(std::size_t bytes) { return static_cast<double>(bytes) / count; }

void print(const char* part, double bytes) { std::printf("%-64s %8.0f bytes\n", part, bytes); }

// Moves both ends until nothing moves, and counts what the server's calls allocate.
class Meter {
 public:
  explicit Meter(Pair& pair) : pair_(pair) {}
  template <class Call>
  void measure(Call&& call) {
    const std::size_t before = heap();
    call();
    grown_ += static_cast<std::ptrdiff_t>(heap()) - static_cast<std::ptrdiff_t>(before);
  }
  void run() {
    for (bool busy = true; busy;) {
      busy = pair_.step_client();
      measure([&] { busy |= pair_.step_server(); });
    }
  }
  [[nodiscard]] std::ptrdiff_t grown() const { return grown_; }

 private:
  Pair& pair_;
  std::ptrdiff_t grown_ = 0;
};

// What the coordinator and its store hold for a node, growing with what it does.
bool print_coordinator() {
  bench::Crowd crowd(std::make_shared<const AllowAll>());
  crowd.make(count);
  auto grown = [from = heap()]() mutable {
    const std::size_t before = std::exchange(from, heap());
    return per_connection(heap() - before);
  };
  crowd.add(count);
  crowd.advance(std::chrono::seconds{3});
  crowd.pump();
  print("coordinator: session, record, host and endpoints of a node", grown());
  for (std::size_t i = 0; i < count; ++i) crowd.poll(i);
  crowd.pump();
  print("coordinator: its poll, its JSON and its share of packed maps", grown());
  return crowd.refusals == 0 && crowd.frames >= count;
}

// Before its first frame, and without slots.
double http2_session() {
  std::vector<std::unique_ptr<h2::ServerSession>> sessions;
  sessions.reserve(count);
  const std::size_t before = heap();
  for (std::size_t i = 0; i < count; ++i)
    sessions.push_back(std::make_unique<h2::ServerSession>(test::pair_routes, h2::ServerLimits{}));
  return per_connection(heap() - before);
}

}  // namespace

int main() {
  {
    Pair warm_up;
    warm_up.run();
  }  // what libraries allocate once
  // Pools and cipher contexts belong to a thread; here each pair has its own, and an empty pool keeps
  // nothing. Slabs of slots are too large to come from the heap, while it has no gaps that large: so this
  // comes first.
  std::ptrdiff_t accepted = 0, upgraded = 0, streaming = 0;
  std::vector<std::unique_ptr<Pair>> pairs;
  test::PairOptions options;
  options.kept_blocks = 0;
  std::size_t blocks = 0;
  for (std::size_t i = 0; i < count; ++i) {
    pairs.push_back(std::make_unique<Pair>(options));
    Pair& pair = *pairs.back();
    Meter meter(pair);
    meter.measure([&] { pair.server(); });
    accepted += meter.grown();
    meter.run();
    upgraded += meter.grown();
    if (!pair.ready_seen) return 1;
    pair.stream_messages = {"a first map"};
    pair.hold_streams = true;
    pair.request("/stream", "{}");
    meter.run();
    streaming += meter.grown();
    if (pair.bodies.empty() || pair.bodies.begin()->second != "<a first map>") return 1;
    blocks += pair.server_blocks.in_use();
  }
  const auto average = [](std::ptrdiff_t bytes) { return static_cast<double>(bytes) / count; };
  print("accepted, nothing received (HTTP/1.1 parser included)", average(accepted));
  print("inside Noise, idle", average(upgraded));
  print("  of it the connection object and its channel", static_cast<double>(ServerConnection::own_size()));
  print("with an open map stream, idle", average(streaming));
  print("beside it the HTTP/2 session before its first frame, in its slot", http2_session());
  std::printf("%-64s %8zu\n", "blocks of 16 KiB held by idle connections", blocks);
  return print_coordinator() && blocks == 0 ? 0 : 1;
}
