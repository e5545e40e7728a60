// SPDX-License-Identifier: BSD-3-Clause
// A responder beside the scalar multiplications that it cannot do without: four of any point and one of the
// base, or three of any point for a machine that the cache knows, with an ephemeral key made before.
#include <array>
#include <random>

#include "crypto/x25519.h"
#include "ratio.h"
#include "ts2021/noise/handshake.h"
#include "ts2021/noise/handshake_cache.h"

using namespace ts2021;
using namespace ts2021::noise;

namespace {

class Random final : public Entropy {
 public:
  void fill(MutableBytes out) noexcept override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_{1};
};

struct World {
  Random entropy;
  MachineKeyPair machine = MachineKeyPair::generate(entropy);
  std::array<ControlNoisePair, 1> keys{ControlNoisePair::generate(entropy)};
};

void responder(benchmark::State& state) {
  World world;
  // Nothing is kept about machines, only the hash of the prologue and the server key.
  HandshakeCache cache(world.entropy, {.machines = 0, .ephemerals = 0});
  std::array<std::uint8_t, initiation_size> first;
  std::array<std::uint8_t, response_size> second;
  auto started = Initiator::start(world.machine, world.keys[0].open, ProtocolVersion{138},
                                  EphemeralKey::generate(world.entropy), first);
  for (auto _ : state) {
    auto opened = Responder::open(world.keys, first, &cache);
    if (!opened) return state.SkipWithError("not opened");
    auto session = std::move(*opened).reply(EphemeralKey::generate(world.entropy), second);
    if (!session) return state.SkipWithError("not answered");
    benchmark::DoNotOptimize(session);
  }
}
BENCHMARK(responder);

// Fills the cache as a machine does that has been here once.
bool join(World& world, HandshakeCache& cache, std::span<const std::uint8_t, initiation_size> first) {
  auto opened = Responder::open(world.keys, first, &cache);
  if (!opened) return false;
  cache.remember(opened->take_machine_secret());
  return cache.machine_count() == 1;
}

// A machine that comes back. With `ahead` its ephemeral keys are made outside of the time measured.
void known(benchmark::State& state, bool ahead) {
  constexpr std::size_t batch = 64;
  World world;
  HandshakeCache cache(world.entropy, {.ephemerals = ahead ? batch : 0});
  std::array<std::uint8_t, initiation_size> first;
  std::array<std::uint8_t, response_size> second;
  auto started = Initiator::start(world.machine, world.keys[0].open, ProtocolVersion{138},
                                  EphemeralKey::generate(world.entropy), first);
  if (!started || !join(world, cache, first)) return state.SkipWithError("not known");
  for (auto _ : state) {
    state.PauseTiming();
    while (cache.wants_ephemeral()) cache.make_ephemeral();
    state.ResumeTiming();
    for (std::size_t i = 0; i < batch; ++i) {
      auto opened = Responder::open(world.keys, first, &cache);
      if (!opened || opened->take_machine_secret()) return state.SkipWithError("not opened as known");
      auto session = std::move(*opened).reply(cache.take_ephemeral(), second);
      if (!session) return state.SkipWithError("not answered");
      benchmark::DoNotOptimize(session);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch));
}
void known_responder(benchmark::State& state) { known(state, false); }
BENCHMARK(known_responder);
void prepared_responder(benchmark::State& state) { known(state, true); }
BENCHMARK(prepared_responder);

void both_sides(benchmark::State& state) {
  World world;
  std::array<std::uint8_t, initiation_size> first;
  std::array<std::uint8_t, response_size> second;
  for (auto _ : state) {
    auto started = Initiator::start(world.machine, world.keys[0].open, ProtocolVersion{138},
                                    EphemeralKey::generate(world.entropy), first);
    auto opened = Responder::open(world.keys, first);
    if (!started || !opened) return state.SkipWithError("not opened");
    auto server = std::move(*opened).reply(EphemeralKey::generate(world.entropy), second);
    auto client = std::move(*started).finish(world.machine, second);
    if (!server || !client) return state.SkipWithError("not answered");
    benchmark::DoNotOptimize(client);
  }
}
BENCHMARK(both_sides);

void x25519(benchmark::State& state, int any_point, int base_point) {
  World world;
  std::array<std::uint8_t, 32> out{}, point{};
  crypto::x25519_base(point, world.machine.secret.reveal_bytes());
  for (auto _ : state) {
    for (int i = 0; i < any_point; ++i)
      if (!crypto::x25519(out, world.machine.secret.reveal_bytes(), point))
        return state.SkipWithError("zero");
    for (int i = 0; i < base_point; ++i) crypto::x25519_base(out, world.machine.secret.reveal_bytes());
    benchmark::DoNotOptimize(out);
  }
}
void x25519_first(benchmark::State& state) { x25519(state, 4, 1); }
BENCHMARK(x25519_first);
void x25519_known(benchmark::State& state) { x25519(state, 3, 1); }
BENCHMARK(x25519_known);
void x25519_prepared(benchmark::State& state) { x25519(state, 3, 0); }
BENCHMARK(x25519_prepared);

}  // namespace

int main(int argc, char** argv) {
  return bench::run(argc, argv,
                    {{"first-time responder / its 4 + 1 X25519 operations", "responder", "x25519_first",
                      TS2021_HANDSHAKE_BUDGET},
                     {"known machine / its 3 + 1 X25519 operations", "known_responder", "x25519_known",
                      TS2021_KNOWN_BUDGET},
                     {"known machine, key made ahead / its 3 X25519 operations", "prepared_responder",
                      "x25519_prepared", TS2021_KNOWN_BUDGET}});
}
