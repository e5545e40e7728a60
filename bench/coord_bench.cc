// SPDX-License-Identifier: BSD-3-Clause
// What the coordinator alone costs: joins, first maps, changes, keep-alives, in tailnets of several sizes.
// CPU time of its calls only, per viewer or per node; the number behind a name is the size of the tailnet.
#include <algorithm>
#include <map>
#include <memory>

#include "crowd.h"
#include "ratio.h"

using namespace ts2021;
using bench::Crowd;

namespace {

using std::chrono::seconds;

// Longer than the pause between rounds, and than the grace of who has gone.
constexpr auto quiet = seconds{3};

// Tailnets of AllowAll that are kept for the next benchmark: the building of one is not what is measured.
enum class Polls { none, all };
Crowd& crowd_of(std::size_t size, Polls polls) {
  static std::map<std::pair<std::size_t, Polls>, std::unique_ptr<Crowd>> crowds;
  auto& crowd = crowds[{size, polls}];
  if (crowd) return *crowd;
  crowd = std::make_unique<Crowd>(std::make_shared<const AllowAll>());
  crowd->add(size);
  crowd->advance(quiet);
  crowd->pump();
  for (std::size_t i = 0; i < size && polls == Polls::all; ++i) crowd->poll(i);
  crowd->pump();
  crowd->advance(quiet);
  crowd->pump();
  return *crowd;
}

// Measures `call` and the pump behind it, `items` of which are done each time. `frames`: what must have come.
template <class Call>
void measure(benchmark::State& state, Crowd& crowd, std::size_t items, std::size_t frames, Call call) {
  const std::uint64_t before = crowd.frames;
  const double from = bench::thread_seconds();
  call();
  crowd.pump();
  state.SetIterationTime(bench::thread_seconds() - from);
  state.SetItemsProcessed(state.items_processed() + static_cast<std::int64_t>(items));
  if (crowd.frames - before != frames || crowd.refusals != 0) state.SkipWithError("frames are missing");
}

// One node has other endpoints; per viewer.
void change(benchmark::State& state, std::size_t size) {
  Crowd& crowd = crowd_of(size, Polls::all);
  std::size_t next = 0;
  for (auto _ : state) {
    crowd.advance(quiet);
    crowd.pump();
    measure(state, crowd, size - 1, size - 1, [&] { crowd.update(next++ % size); });
  }
}

// Ten of them in one round; per viewer.
void ten_changes(benchmark::State& state, std::size_t size) {
  Crowd& crowd = crowd_of(size, Polls::all);
  std::size_t next = 0;
  for (auto _ : state) {
    crowd.advance(quiet);
    crowd.pump();
    measure(state, crowd, size, size, [&] {
      for (int i = 0; i < 10; ++i) crowd.update(next++ % size);
    });
  }
}

// Nothing to say for a minute; per viewer, each of whom is sent one.
void keep_alive(benchmark::State& state, std::size_t size) {
  Crowd& crowd = crowd_of(size, Polls::all);
  for (auto _ : state) {
    crowd.advance(seconds{60});
    measure(state, crowd, size, size, [] {});
  }
}

// The first map of somebody who comes back, when nobody has asked since the policy became another one.
void first_map(benchmark::State& state, std::size_t size) {
  Crowd& crowd = crowd_of(size, Polls::none);
  for (auto _ : state) {
    crowd.coordinator.handle(
        CoordCommand{CommandId{1}, coord_command::SetPolicy{std::make_shared<const AllowAll>()}}, crowd.now);
    crowd.pump();
    measure(state, crowd, 1, 1, [&] { crowd.poll(0); });
    crowd.leave(0);
    crowd.open(0);
    crowd.advance(quiet);
    crowd.pump();
  }
}

// The same when another of his class has got his just before.
void later_map(benchmark::State& state, std::size_t size) {
  Crowd& crowd = crowd_of(size, Polls::none);
  std::size_t next = 0;
  const std::uint64_t sent = crowd.bytes;
  std::uint64_t maps = 0;
  for (auto _ : state) {
    const std::size_t other = next++ % size, node = next++ % size;
    crowd.poll(other);
    crowd.pump();
    crowd.leave(other);
    measure(state, crowd, 1, 1, [&] { crowd.poll(node); });
    maps += 2;
    crowd.leave(node);
    crowd.open(other);
    crowd.open(node);
    crowd.advance(quiet);
    crowd.pump();
  }
  if (maps != 0) state.counters["bytes"] = static_cast<double>((crowd.bytes - sent) / maps);
}

// Session, register request, poll, first map of a new node that sees nobody.
void join(benchmark::State& state, std::size_t size) {
  constexpr std::size_t batch = 50;
  std::unique_ptr<Crowd> crowd;
  for (auto _ : state) {
    if (!crowd || crowd->size() >= size + size / 2) {
      crowd = std::make_unique<Crowd>(std::make_shared<const bench::SeesNobody>());
      crowd->add(size);
      for (std::size_t i = 0; i < size; ++i) crowd->poll(i);
      crowd->pump();
    }
    crowd->advance(quiet);
    crowd->pump();
    measure(state, *crowd, batch, batch, [&] {
      for (std::size_t i = 0; i < batch; ++i) {
        crowd->join();
        crowd->pump();
        crowd->poll(crowd->size() - 1);
        crowd->pump();
      }
    });
  }
}

#define SIZES(function, smallest, middle, largest)                  \
  BENCHMARK_CAPTURE(function, smallest, smallest)->UseManualTime(); \
  BENCHMARK_CAPTURE(function, middle, middle)->UseManualTime();     \
  BENCHMARK_CAPTURE(function, largest, largest)->UseManualTime()
SIZES(change, 200, 1000, 10000);
SIZES(ten_changes, 200, 1000, 10000);
SIZES(keep_alive, 200, 1000, 10000);
SIZES(join, 200, 1000, 10000);
SIZES(first_map, 200, 1000, 5000);
SIZES(later_map, 200, 1000, 5000);

}  // namespace

int main(int argc, char** argv) {
  return bench::run(argc, argv,
                    {{"a change, per viewer: 10,000 nodes / 200", "change/10000", "change/200", 0},
                     {"a keep-alive: 10,000 nodes / 200", "keep_alive/10000", "keep_alive/200", 0},
                     {"a join without peers: 10,000 nodes / 200", "join/10000", "join/200", 0},
                     {"a full map of 5,000: second viewer / first", "later_map/5000", "first_map/5000", 0}});
}
