// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/noise/handshake_cache.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crypto/blake2s.h"
#include "noise/symmetric_state.h"

namespace ts2021::noise {
namespace {

// Places for hashes of prologue and server key: 64 versions under each of 5 keys. A version has one place
// under a key and takes it from whoever was there, since any stranger can name any version.
constexpr std::size_t start_count = 64 * 5;

struct Start {
  ControlNoisePublic server;
  ProtocolVersion version{};
  bool taken = false;
  std::array<std::uint8_t, 32> hash{};
};

// Names are hashes under a secret salt: nobody can aim at one bucket.
struct FirstBytes {
  std::size_t operator()(const MachineSecret::Name& name) const noexcept {
    std::size_t first;
    std::memcpy(&first, name.data(), sizeof first);
    return first;
  }
};

struct Known {
  Secret<32> shared;
  bool used = false;  // by a handshake since the hand was here
};

using Machines = std::unordered_map<MachineSecret::Name, Known, FirstBytes>;

}  // namespace

struct HandshakeCache::Impl {
  Entropy& entropy;
  HandshakeCacheLimits limits;
  Secret<32> salt;
  std::vector<Start> starts;
  std::vector<EphemeralKey> ephemerals;
  Machines machines;
  std::vector<Machines::value_type*> ring;  // all machines, in the order in which the hand passes them
  std::size_t hand = 0;

  // The place of a machine that has to go. Each step takes back one use, so a step is paid by a handshake.
  [[nodiscard]] std::size_t next_victim() noexcept {
    while (std::exchange(ring[hand]->second.used, false)) hand = (hand + 1) % ring.size();
    return std::exchange(hand, (hand + 1) % ring.size());
  }
};

HandshakeCache::HandshakeCache(Entropy& entropy, HandshakeCacheLimits limits)
    : impl_(new Impl{entropy, limits, {}, {}, {}, {}, {}}) {
  entropy.fill(impl_->salt.bytes());
  impl_->ephemerals.reserve(limits.ephemerals);
}

HandshakeCache::~HandshakeCache() = default;

bool HandshakeCache::wants_ephemeral() const noexcept {
  return impl_->ephemerals.size() < impl_->limits.ephemerals;
}

void HandshakeCache::make_ephemeral() noexcept {
  if (wants_ephemeral()) impl_->ephemerals.push_back(EphemeralKey::generate(impl_->entropy));
}

EphemeralKey HandshakeCache::take_ephemeral() noexcept {
  if (impl_->ephemerals.empty()) return EphemeralKey::generate(impl_->entropy);
  EphemeralKey key = std::move(impl_->ephemerals.back());  // HSK-11: what stays behind is spent
  impl_->ephemerals.pop_back();
  return key;
}

void HandshakeCache::remember(std::unique_ptr<MachineSecret> secret) noexcept {
  Impl& c = *impl_;
  if (!secret || !keeps_machines() || c.machines.contains(secret->name_)) return;
  const bool full = c.machines.size() >= c.limits.machines;
  const std::size_t place = full ? c.next_victim() : c.ring.size();
  if (full)
    c.machines.erase(c.machines.find(c.ring[place]->first));
  else
    c.ring.push_back(nullptr);
  c.ring[place] = &*c.machines.emplace(secret->name_, Known{std::move(secret->shared_)}).first;
}

void HandshakeCache::forget_machines() noexcept {
  impl_->machines.clear();
  impl_->ring.clear();
  impl_->hand = 0;
}

std::size_t HandshakeCache::machine_count() const noexcept { return impl_->machines.size(); }

std::array<std::uint8_t, 32> HandshakeCache::start_hash(ProtocolVersion version,
                                                        const ControlNoisePublic& server) noexcept {
  if (impl_->starts.empty()) impl_->starts.resize(start_count);
  const std::size_t place = load_u16be(server.bytes()) + static_cast<std::size_t>(version);
  Start& start = impl_->starts[place % start_count];
  if (!start.taken || start.version != version || start.server != server)
    start = {server, version, true, SymmetricState::start_hash(version, server.bytes())};
  return start.hash;
}

bool HandshakeCache::keeps_machines() const noexcept { return impl_->limits.machines > 0; }

MachineSecret::Name HandshakeCache::name_of(const ControlNoisePublic& server,
                                            const MachinePublic& machine) const noexcept {
  MachineSecret::Name name;
  const Impl& c = *impl_;
  crypto::blake2s(name, {c.salt.bytes(), server.bytes(), machine.bytes()});
  return name;
}

const Secret<32>* HandshakeCache::find(const MachineSecret::Name& name) noexcept {
  const auto found = impl_->machines.find(name);
  if (found == impl_->machines.end()) return nullptr;
  found->second.used = true;
  return &found->second.shared;
}

}  // namespace ts2021::noise
