// SPDX-License-Identifier: BSD-3-Clause
// A responder beside the scalar multiplications that it cannot do without: four of any point, one of the
// base.
#include <array>
#include <random>

#include "crypto/x25519.h"
#include "ratio.h"
#include "ts2021/noise/handshake.h"

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
  std::array<std::uint8_t, initiation_size> first;
  std::array<std::uint8_t, response_size> second;
  auto started = Initiator::start(world.machine, world.keys[0].open, ProtocolVersion{138},
                                  EphemeralKey::generate(world.entropy), first);
  for (auto _ : state) {
    auto opened = Responder::open(world.keys, first);
    if (!opened) return state.SkipWithError("not opened");
    auto session = std::move(*opened).reply(EphemeralKey::generate(world.entropy), second);
    if (!session) return state.SkipWithError("not answered");
    benchmark::DoNotOptimize(session);
  }
}
BENCHMARK(responder);

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

void x25519_operations(benchmark::State& state) {
  World world;
  std::array<std::uint8_t, 32> out{}, point{};
  crypto::x25519_base(point, world.machine.secret.reveal_bytes());
  for (auto _ : state) {
    for (int i = 0; i < 4; ++i)
      if (!crypto::x25519(out, world.machine.secret.reveal_bytes(), point))
        return state.SkipWithError("zero");
    crypto::x25519_base(out, world.machine.secret.reveal_bytes());
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(x25519_operations);

}  // namespace

int main(int argc, char** argv) {
  return bench::run(argc, argv,
                    {{"responder handshake / its X25519 operations", "responder", "x25519_operations",
                      TS2021_HANDSHAKE_BUDGET}});
}
