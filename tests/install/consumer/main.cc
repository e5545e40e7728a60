// SPDX-License-Identifier: BSD-3-Clause
// A handshake between both roles, in memory: links most of the lower layers and their third-party libraries.
#include <array>
#include <cstdio>
#include <random>

#include "ts2021/noise/handshake.h"

namespace {

class SystemEntropy final : public ts2021::Entropy {
 public:
  void fill(ts2021::MutableBytes out) noexcept override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(device_());
  }

 private:
  std::random_device device_;
};

}  // namespace

int main() {
  using namespace ts2021;
  using namespace ts2021::noise;
  SystemEntropy entropy;
  const MachineKeyPair machine = MachineKeyPair::generate(entropy);
  const std::array<ControlNoisePair, 1> keys{ControlNoisePair::generate(entropy)};

  std::array<std::uint8_t, initiation_size> initiation{};
  auto initiator = Initiator::start(machine, keys[0].open, ProtocolVersion{138},
                                    EphemeralKey::generate(entropy), initiation);
  if (!initiator) return std::puts("no initiation"), 1;
  auto responder = Responder::open(keys, initiation);
  if (!responder || responder->peer() != machine.open)
    return std::puts("the server does not know who asks"), 1;
  std::array<std::uint8_t, response_size> response{};
  auto server = std::move(*responder).reply(EphemeralKey::generate(entropy), response);
  auto client = std::move(*initiator).finish(machine, response);
  if (!server || !client || server->handshake_hash != client->handshake_hash)
    return std::puts("no session"), 1;
  std::printf("%s has a session\n", machine.open.text().c_str());
  return 0;
}
