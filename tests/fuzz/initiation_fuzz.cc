// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as message 1, and, when the input is short, as a change of a good one. Without the null cipher
// nothing but a good message may get through. A cache never changes the verdict.
#include <algorithm>
#include <array>

#include "fuzz/fuzz.h"
#include "ts2021/noise/handshake.h"
#include "ts2021/noise/handshake_cache.h"

using namespace ts2021;
using namespace ts2021::noise;

namespace {

struct World {
  fuzz::SameEntropy entropy;
  MachineKeyPair machine = MachineKeyPair::generate(entropy);
  std::array<ControlNoisePair, 2> keys{ControlNoisePair::generate(entropy),
                                       ControlNoisePair::generate(entropy)};
  HandshakeCache cache{entropy, {.machines = 4, .ephemerals = 0}};
  std::array<std::uint8_t, initiation_size> good{};
  World() {
    TS_EXPECT(
        Initiator::start(machine, keys[1].open, ProtocolVersion{138}, EphemeralKey::generate(entropy), good));
  }
};

void check(World& world, Bytes initiation) {
  auto opened = Responder::open(world.keys, initiation);
  auto cached = Responder::open(world.keys, initiation, &world.cache);
  TS_EXPECT(opened.has_value() == cached.has_value());
  if (cached) world.cache.remember(cached->take_machine_secret());
  TS_EXPECT(world.cache.machine_count() <= 4);
  if (!opened) {
    const Bytes record = error_record(opened.error());
    const Errc code = opened.error().code;
    TS_EXPECT(record.empty() != (code == Errc::bad_message_size || code == Errc::bad_message_type));
    TS_EXPECT(opened.error() == cached.error());
    return;
  }
  TS_EXPECT(opened->peer() == cached->peer());
  TS_EXPECT(initiation.size() == initiation_size);
  TS_EXPECT(opened->peer().is_canonical() && !opened->peer().is_zero());
  fuzz::SameEntropy entropy(2), same(2);
  std::array<std::uint8_t, response_size> response, again;
  TS_EXPECT(std::move(*opened).reply(EphemeralKey::generate(entropy), response));
  TS_EXPECT(std::move(*cached).reply(EphemeralKey::generate(same), again));
  TS_EXPECT(response == again);
  TS_EXPECT(!std::move(*opened).reply(EphemeralKey::generate(entropy), response));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const Bytes input(data, size);
  check(world, input);
  // Pairs of position and xor value.
  if (size == 0 || size > 16) return 0;
  auto changed = world.good;
  for (std::size_t i = 0; i + 1 < size; i += 2) changed[data[i] % changed.size()] ^= data[i + 1];
  const bool same = changed == world.good;
  TS_EXPECT(Responder::open(world.keys, changed).has_value() == same);
  check(world, changed);
  return 0;
}
