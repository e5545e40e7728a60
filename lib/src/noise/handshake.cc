// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/noise/handshake.h"

#include <algorithm>

#include "crypto/x25519.h"
#include "noise/symmetric_state.h"
#include "noise/wire.h"
#include "ts2021/noise/handshake_cache.h"

namespace ts2021::noise {
namespace {

std::array<std::uint8_t, 32> copy32(Bytes from) noexcept {
  std::array<std::uint8_t, 32> to{};
  std::copy_n(from.begin(), to.size(), to.begin());
  return to;
}

void put(Bytes from, MutableBytes to) noexcept { std::copy(from.begin(), from.end(), to.begin()); }

}  // namespace

EphemeralKey EphemeralKey::generate(Entropy& entropy) noexcept {
  EphemeralKey key;
  const auto secret = key.secret_.bytes();
  entropy.fill(secret);
  secret[0] = static_cast<std::uint8_t>(secret[0] & 0xf8);
  secret[31] = static_cast<std::uint8_t>((secret[31] & 0x7f) | 0x40);
  crypto::x25519_base(key.open_, secret);
  key.spent_ = false;
  return key;
}

EphemeralKey::EphemeralKey(EphemeralKey&& other) noexcept
    : secret_(std::move(other.secret_)), open_(other.open_), spent_(std::exchange(other.spent_, true)) {}

EphemeralKey& EphemeralKey::operator=(EphemeralKey&& other) noexcept {
  if (this != &other) {
    secret_ = std::move(other.secret_);
    open_ = other.open_;
    spent_ = std::exchange(other.spent_, true);
  }
  return *this;
}

Result<Initiator> Initiator::start(const MachineKeyPair& self, const ControlNoisePublic& server,
                                   ProtocolVersion version, EphemeralKey ephemeral,
                                   std::span<std::uint8_t, initiation_size> out) noexcept {
  namespace at = wire::message1;
  if (ephemeral.is_spent()) return fail(Errc::misuse, 220);
  if (self.secret.is_zero()) return fail(Errc::misuse, 221);
  SymmetricState state(version, server.bytes());
  store_u16be(out, static_cast<std::uint16_t>(version));  // HSK-4
  out[at::type] = wire::initiation;
  store_u16be(out.subspan<at::length>(), at::size - at::ephemeral);
  put(ephemeral.open_, out.subspan<at::ephemeral>());
  state.mix_hash(ephemeral.open_);
  if (!state.mix_key(ephemeral.secret_.bytes(), server.bytes()))
    return fail(Errc::low_order_point, 222);  // es
  put(self.open.bytes(), out.subspan<at::machine>());
  state.seal(out.subspan<at::machine, at::machine_size>());
  if (!state.mix_key(self.secret.reveal_bytes(), server.bytes()))
    return fail(Errc::low_order_point, 223);  // ss
  state.seal(out.subspan<at::tag>());
  Initiator started(std::move(ephemeral), version);
  started.hash_ = copy32(state.hash());
  started.chain_ = std::move(state).take_chain();
  return started;
}

Result<Session> Initiator::finish(const MachineKeyPair& self,
                                  std::span<const std::uint8_t, response_size> response) && noexcept {
  namespace at = wire::message2;
  const EphemeralKey ephemeral = std::move(ephemeral_);  // HSK-11: spent, however this ends
  SymmetricState state(hash_, std::move(chain_));
  if (ephemeral.is_spent()) return fail(Errc::misuse, 224);
  if (response[0] != wire::response) return fail(Errc::bad_message_type, 225, response[0]);  // HSK-5
  const std::uint16_t length = load_u16be(response.subspan<at::length>());
  if (length != at::size - wire::header_size) return fail(Errc::bad_message_size, 226, length);
  const auto peer = copy32(response.subspan<at::ephemeral>());
  state.mix_hash(peer);
  if (!state.mix_chain(ephemeral.secret_.bytes(), peer)) return fail(Errc::low_order_point, 227);  // ee
  if (!state.mix_key(self.secret.reveal_bytes(), peer)) return fail(Errc::low_order_point, 228);   // se
  std::array<std::uint8_t, 16> tag;
  put(response.subspan<at::tag>(), tag);
  if (!state.open(tag)) return fail(Errc::bad_tag, 229);
  Secret<32> up, down;
  state.split(up.bytes(), down.bytes());
  return Session{SendKey::from_bytes(up.bytes()), ReceiveKey::from_bytes(down.bytes()), copy32(state.hash()),
                 version_};
}

Responder::Responder() noexcept = default;
Responder::~Responder() = default;

Responder::Responder(Responder&& other) noexcept
    : chain_(std::move(other.chain_)),
      hash_(other.hash_),
      peer_ephemeral_(other.peer_ephemeral_),
      peer_(other.peer_),
      machine_secret_(std::move(other.machine_secret_)),
      version_(other.version_),
      key_index_(other.key_index_),
      spent_(std::exchange(other.spent_, true)) {}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    chain_ = std::move(other.chain_);
    hash_ = other.hash_;
    peer_ephemeral_ = other.peer_ephemeral_;
    peer_ = other.peer_;
    machine_secret_ = std::move(other.machine_secret_);
    version_ = other.version_;
    key_index_ = other.key_index_;
    spent_ = std::exchange(other.spent_, true);
  }
  return *this;
}

Result<Responder> Responder::open(std::span<const ControlNoisePair> keys, Bytes initiation,
                                  HandshakeCache* cache) noexcept {
  namespace at = wire::message1;
  // HSK-8: these three, in this order, have an error record.
  if (initiation.size() != at::size)
    return fail(Errc::bad_message_size, 200, static_cast<std::uint32_t>(initiation.size()));
  if (initiation[at::type] != wire::initiation)
    return fail(Errc::bad_message_type, 201, initiation[at::type]);
  const std::uint16_t length = load_u16be(initiation.subspan(at::length));
  if (length != at::size - at::ephemeral) return fail(Errc::bad_message_size, 202, length);

  Responder made;
  made.version_ = ProtocolVersion{load_u16be(initiation)};  // HSK-6: any; the tag proves it
  made.peer_ephemeral_ = copy32(initiation.subspan(at::ephemeral));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const ControlNoisePair& key = keys[i];
    if (key.secret.is_zero()) return fail(Errc::misuse, 203);
    SymmetricState state(cache ? cache->start_hash(made.version_, key.open)
                               : SymmetricState::start_hash(made.version_, key.open.bytes()));
    state.mix_hash(made.peer_ephemeral_);
    // HSK-7. A point of low order is one for every key.
    if (!state.mix_key(key.secret.reveal_bytes(), made.peer_ephemeral_))
      return fail(Errc::low_order_point, 204);  // es
    std::array<std::uint8_t, at::machine_size> machine;
    put(initiation.subspan(at::machine, at::machine_size), machine);
    if (!state.open(machine)) continue;  // HSK-12: made for another key
    made.peer_ = MachinePublic::from_bytes(std::span(machine).first<32>());
    if (!made.peer_.is_canonical()) return fail(Errc::non_canonical_key, 205);  // HSK-9
    MachineSecret::Name name;
    const Secret<32>* known = nullptr;
    if (cache && cache->keeps_machines()) {
      name = cache->name_of(key.open, made.peer_);
      known = cache->find(name);
    }
    Secret<32> shared;
    if (!known && !crypto::x25519(shared.bytes(), key.secret.reveal_bytes(), made.peer_.bytes()))
      return fail(Errc::low_order_point, 206);  // ss; what the cache has was not zero
    state.mix_shared((known ? *known : shared).bytes());
    std::array<std::uint8_t, 16> tag;
    put(initiation.subspan(at::tag), tag);
    if (!state.open(tag)) {
      // Whoever has only the machine's public key learns from the time of the failure nothing about it.
      if (known) (void)crypto::x25519(shared.bytes(), key.secret.reveal_bytes(), made.peer_.bytes());
      return fail(Errc::bad_tag, 207);
    }
    if (cache && cache->keeps_machines() && !known)
      made.machine_secret_ = std::make_unique<MachineSecret>(name, std::move(shared));
    made.hash_ = copy32(state.hash());
    made.chain_ = std::move(state).take_chain();
    made.key_index_ = i;
    made.spent_ = false;
    return made;
  }
  return fail(Errc::bad_tag, 208);
}

std::unique_ptr<MachineSecret> Responder::take_machine_secret() noexcept {
  return std::move(machine_secret_);
}

Result<Session> Responder::reply(EphemeralKey ephemeral,
                                 std::span<std::uint8_t, response_size> out) && noexcept {
  namespace at = wire::message2;
  SymmetricState state(hash_, std::move(chain_));
  if (std::exchange(spent_, true)) return fail(Errc::misuse, 209);  // HSK-11
  if (ephemeral.is_spent()) return fail(Errc::misuse, 210);
  out[0] = wire::response;  // HSK-5
  store_u16be(out.subspan<at::length>(), at::size - wire::header_size);
  put(ephemeral.open_, out.subspan<at::ephemeral>());
  state.mix_hash(ephemeral.open_);
  if (!state.mix_chain(ephemeral.secret_.bytes(), peer_ephemeral_))
    return fail(Errc::low_order_point, 211);  // ee
  if (!state.mix_key(ephemeral.secret_.bytes(), peer_.bytes()))
    return fail(Errc::low_order_point, 212);  // se
  state.seal(out.subspan<at::tag>());
  Secret<32> up, down;
  state.split(up.bytes(), down.bytes());
  return Session{SendKey::from_bytes(down.bytes()), ReceiveKey::from_bytes(up.bytes()), copy32(state.hash()),
                 version_};
}

}  // namespace ts2021::noise
