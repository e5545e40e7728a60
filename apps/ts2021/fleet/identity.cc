// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/identity.h"

#include "ts2021/base/bytes.h"
#include "ts2021/key/seeded_entropy.h"

namespace ts2021::app::fleet {
namespace {

constexpr std::uint32_t range = 198u << 24 | 18u << 16;
constexpr std::uint32_t first_port = 2'000, ports = 60'000;

}  // namespace

Identity make_identity(std::uint64_t seed, std::uint32_t number) {
  SeededEntropy entropy(seed, number);
  Identity made;
  made.machine = MachineKeyPair::generate(entropy);
  made.node = NodePrivate::generate(entropy).public_key();
  made.disco = DiscoPrivate::generate(entropy).public_key();
  made.hostname = "fleet-" + std::to_string(number);
  return made;
}

IpPort Markers::endpoint(std::uint32_t node, std::uint32_t generation) const noexcept {
  const std::uint32_t port = first_port + (beginning_ + generation) % ports;
  return {IpAddress::v4(range + node), static_cast<std::uint16_t>(port)};
}

std::optional<Markers::Mark> Markers::read(const IpPort& endpoint) const noexcept {
  if (!endpoint.address.is_v4() || endpoint.port < first_port || endpoint.port >= first_port + ports)
    return std::nullopt;
  const std::uint32_t address = load_u32be(endpoint.address.bytes());
  if (address < range || address - range >= max_nodes) return std::nullopt;
  const std::uint32_t generation = (endpoint.port - first_port + ports - beginning_ % ports) % ports;
  if (generation > ports / 2) return std::nullopt;
  return Mark{address - range, generation};
}

}  // namespace ts2021::app::fleet
